"""Who goes short, by how much and when: tiers before money, equal shares inside a tier, even in time."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from planning.kernel.horizon import Horizon
from planning.kernel.network import Commitment, Demand, Final, Link, Network, Store, Supply
from planning.kernel.outcome import Status
from planning.kernel.solve import solve
from planning.kernel.solver import Solver
from tests.worlds.tiny import START, hours, near, tree, world


def solved(network, horizon):
    answer = solve(network, horizon)
    assert (answer.status, answer.broken_limits) == (Status.OPTIMAL, ())
    return answer


def test_a_lower_tier_is_served_first_whatever_the_cost():
    # 10 for 8 + 6. Serving homes costs 100 a unit by their link and fabs pay 1e6 for a shortage, yet homes get their 8.
    network = world(
        "lake town park",
        Supply("inflow", "lake", max=10.0),
        Link("to_town", "lake", max=50.0, to={"town": 1.0}, cost=100.0),
        Link("to_park", "lake", max=50.0, to={"park": 1.0}),
        Demand("homes", "town", 8.0, tier=1),
        Demand("fabs", "park", 6.0, tier=2, penalty=1e6),
    )
    answer = solved(network, hours(2))
    assert answer.served == {"homes": near((8.0, 8.0)), "fabs": near((2.0, 2.0))}
    assert answer.tiers == {1: near(0.0), 2: near(8.0)}
    assert answer.objective == near(1600.0 + 8e6)


def test_a_shortage_inside_a_tier_is_shared_in_equal_ratio():
    # 9 for 10 + 5: both get 60 %, although the one pays more and stands nearer.
    network = world(
        "lake farms",
        Supply("inflow", "lake", max=9.0),
        Link("canal", "lake", max=50.0, to={"farms": 1.0}, cost=7.0),
        Demand("near", "lake", 10.0, tier=1, penalty=500.0),
        Demand("far", "farms", 5.0, tier=1, penalty=1.0),
    )
    assert solved(network, hours(1)).served == {"near": near((6.0,)), "far": near((3.0,))}


def water_and_power(*parts: object) -> Network:
    """A lake and a town with water, and a grid with power."""
    network = world("lake town grid", *parts)
    return replace(
        network, buses=tuple(replace(b, commodity="power") if b.name == "grid" else b for b in network.buses)
    )


def test_commodities_of_one_tier_go_short_by_the_same_share():
    # Power 10; the town's 40 of water need half as much power each, the mill 10. By amounts the town would get all:
    # 20 of water for every 10 of power. By shares r·(0.5·40 + 10) = 10: both get a third.
    network = water_and_power(
        Supply("inflow", "lake", max=99.0),
        Supply("power", "grid", max=10.0),
        Link("pump", "lake", max=99.0, to={"town": 1.0}, uses={"grid": 0.5}),
        Demand("homes", "town", 40.0, tier=1),
        Demand("mill", "grid", 10.0, tier=1),
    )
    answer = solved(network, hours(2))
    assert answer.served == {"homes": near((40 / 3,) * 2), "mill": near((10 / 3,) * 2)}
    assert answer.tiers == {1: near(2 * (80 / 3 + 20 / 3))}


def test_a_commodity_that_cannot_get_more_does_not_hold_the_other_down():
    # A main of 4 for 8 of water, whatever the power: the mill gets all of its 6.
    network = water_and_power(
        Supply("inflow", "lake", max=99.0),
        Supply("power", "grid", max=9.0),
        Link("pump", "lake", max=4.0, to={"town": 1.0}, uses={"grid": 0.5}),
        Demand("homes", "town", 8.0, tier=1),
        Demand("mill", "grid", 6.0, tier=1),
    )
    assert solved(network, hours(1)).served == {"homes": near((4.0,)), "mill": near((6.0,))}


def test_wishes_of_a_short_commodity_share_it_as_before():
    # Of 9 the homes want 10 and the park 5: 60 % for both. Power is short by half.
    network = water_and_power(
        Supply("inflow", "lake", max=9.0),
        Supply("power", "grid", max=3.0),
        Demand("homes", "lake", 10.0, tier=1, penalty=9.0),
        Demand("park", "lake", 5.0, tier=1),
        Demand("mill", "grid", 6.0, tier=1),
    )
    served = solved(network, hours(1)).served
    assert served == {"homes": near((6.0,)), "park": near((3.0,)), "mill": near((3.0,))}


def test_commodities_share_with_on_off_parts_too():
    # As above with a pump that is on or off and runs at 5 at least.
    network = water_and_power(
        Supply("inflow", "lake", max=99.0),
        Supply("power", "grid", max=10.0),
        Link("pump", "lake", max=99.0, to={"town": 1.0}, uses={"grid": 0.5}),
        Commitment("unit", "link", "pump", min_rate=5.0),
        Demand("homes", "town", 40.0, tier=1),
        Demand("mill", "grid", 10.0, tier=1),
    )
    served = solve(network, hours(1)).served
    assert served["homes"] == pytest.approx((40 / 3,), rel=1e-3)
    assert served["mill"] == pytest.approx((10 / 3,), rel=1e-3)


def test_a_wish_that_cannot_get_more_does_not_hold_the_others_down():
    # Inflow 15 for three wishes of 10, and a pipe of 2 to the first: it is short by 0.8 whatever happens.
    # The other two share the remaining 13: 6.5 each, short by 0.35.
    network = world(
        "lake hill",
        Supply("inflow", "lake", max=15.0),
        Link("pipe", "lake", max=2.0, to={"hill": 1.0}),
        Demand("hill", "hill", 10.0, tier=1),
        Demand("left", "lake", 10.0, tier=1, penalty=1.0),
        Demand("right", "lake", 10.0, tier=1, penalty=9.0),
    )
    assert solved(network, hours(1)).served == {"hill": near((2.0,)), "left": near((6.5,)), "right": near((6.5,))}


def test_every_wish_gets_the_share_it_can_have_however_many_are_held_down():
    # 36 for eight wishes of 10. Pipes of 1 to 6 hold six of them down, one after the other; the last two share what is
    # left, 15, whatever each of them pays.
    pipes = [Link(f"pipe{k}", "lake", max=float(k), to={f"hill{k}": 1.0}) for k in range(1, 7)]
    hills = [Demand(f"hill{k}", f"hill{k}", 10.0, tier=1) for k in range(1, 7)]
    network = world(
        "lake " + " ".join(hill.bus for hill in hills),
        Supply("inflow", "lake", max=36.0),
        *pipes,
        *hills,
        Demand("left", "lake", 10.0, tier=1, penalty=1.0),
        Demand("right", "lake", 10.0, tier=1, penalty=9.0),
    )
    served = solved(network, hours(1)).served
    assert [served[f"hill{k}"] for k in range(1, 7)] == [near((float(k),)) for k in range(1, 7)]
    assert (served["left"], served["right"]) == (near((7.5,)), near((7.5,)))


def test_a_huge_wish_shares_with_a_small_one():
    # Half of 4 000 000 + 10 over two hours: both get half, although a unit of the first hardly changes its share.
    network = world(
        "grid",
        Store("dam", "grid", 4_000_010.0, initial=2_000_005.0),
        Demand("city", "grid", 2_000_000.0, tier=1, penalty=9.0),
        Demand("hut", "grid", 5.0, tier=1, penalty=1.0),
    )
    served = solved(network, hours(2)).served
    assert served == {"city": pytest.approx((1e6, 1e6), rel=1e-6), "hut": pytest.approx((2.5, 2.5), rel=1e-3)}


def test_a_stage_after_the_first_goes_on_from_the_point_before_it(monkeypatch):
    # Two tiers are short, each with its least, its sharing and its evenness: only the first of all of these runs, the
    # money and the steadiness start anew.
    started = []
    from_presolve = Solver._from_presolve
    monkeypatch.setattr(Solver, "_from_presolve", lambda self: (started.append(1), from_presolve(self))[1])
    network = world(
        "lake",
        Supply("inflow", "lake", max=9.0),
        Demand("near", "lake", (8.0, 12.0), tier=1),
        Demand("far", "lake", (2.0, 3.0), tier=1),
        Demand("park", "lake", 2.0, tier=2),
        Demand("pool", "lake", 1.0, tier=2),
    )
    answer = solved(network, hours(2))
    assert answer.tiers == {1: near(7.0), 2: near(6.0)}
    assert len(started) == 3


def test_the_least_shortage_comes_before_equal_shares():
    # The canal loses half. 6 in the lake: all to the near wish leaves 4 + 10 short; any unit sent on costs two.
    # Least total: near gets its 6 of 10, far none.
    network = world(
        "lake farms",
        Supply("inflow", "lake", max=6.0),
        Link("canal", "lake", max=50.0, to={"farms": 0.5}),
        Demand("near", "lake", 10.0, tier=1),
        Demand("far", "farms", 10.0, tier=1),
    )
    assert solved(network, hours(1)).served == {"near": near((6.0,)), "far": near((0.0,))}


def test_a_shortage_is_spread_evenly_over_time():
    # 9 stored for 3 hours of 4: 3 an hour, a quarter short in each, not one hour without.
    network = world("tank", Store("tank", "tank", 20.0, initial=9.0), Demand("homes", "tank", 4.0, tier=1))
    answer = solved(network, hours(3))
    assert answer.served["homes"] == near((3.0, 3.0, 3.0))
    (shortage,) = answer.shortages
    assert (shortage.amount, shortage.share) == (near(3.0), near(0.25))
    assert (shortage.first_step, shortage.last_step) == (0, 2)


def test_money_decides_nothing_once_the_shortage_is_locked():
    # Water is worth more at the end (50) than the wish's penalty (1), and still all of it is served.
    pond = Store("pond", "lake", 20.0, initial=6.0, end_value=50.0)
    answer = solved(world("lake", pond, Demand("farm", "lake", 5.0, tier=9, penalty=1.0)), hours(2))
    assert answer.served["farm"] == near((3.0, 3.0))
    assert answer.levels["pond"][-1] == near(0.0)


def test_an_economic_demand_is_served_while_it_pays():
    # Penalty 5: power at 3 is bought for it, at 8 it goes without; tiers stay empty.
    power = Supply("power", "grid", max=9.0, cost=(3.0, 8.0))
    answer = solved(world("grid", power, Demand("hydrogen", "grid", 4.0, penalty=5.0)), hours(2))
    assert answer.served["hydrogen"] == near((4.0, 0.0))
    assert answer.tiers == {}
    assert (answer.cost, answer.objective) == (near(12.0), near(12.0 + 20.0))
    (shortage,) = answer.shortages
    assert (shortage.wish, shortage.tier, shortage.amount) == ("hydrogen", None, near(4.0))


def test_an_economic_demand_never_takes_from_a_tier():
    network = world(
        "lake",
        Supply("inflow", "lake", max=5.0),
        Demand("homes", "lake", 5.0, tier=7),
        Demand("resort", "lake", 5.0, penalty=1e9),
    )
    assert solved(network, hours(1)).served == {"homes": near((5.0,)), "resort": near((0.0,))}


def test_a_soft_final_level_shares_with_the_demands_of_its_tier():
    # 12 held, 2 hours of 5 wanted (10), 10 asked at the end: 20 for 12, both get 60 %.
    pond = Store("pond", "lake", 20.0, initial=12.0, final=Final(min=10.0, tier=1))
    answer = solved(world("lake", pond, Demand("farm", "lake", 5.0, tier=1)), hours(2))
    assert answer.served["farm"] == near((3.0, 3.0))
    assert answer.levels["pond"][-1] == near(6.0)


def test_a_final_level_of_a_later_tier_waits():
    pond = Store("pond", "lake", 20.0, initial=12.0, final=Final(min=10.0, tier=2))
    answer = solved(world("lake", pond, Demand("farm", "lake", 5.0, tier=1)), hours(2))
    assert (answer.tiers[1], answer.tiers[2]) == (near(0.0), near(8.0))


def test_equal_shares_count_amounts_over_mixed_steps():
    # One hour and then two; 3 + 3·2 = 9 wanted by one, 1 + 1·2 = 3 by the other; 6 stored: half of each.
    horizon = Horizon.path(START, [(1, 1.0), (1, 2.0)])
    network = world(
        "tank",
        Store("tank", "tank", 20.0, initial=6.0),
        Demand("big", "tank", 3.0, tier=1),
        Demand("small", "tank", 1.0, tier=1),
    )
    assert solved(network, horizon).served == {"big": near((1.5, 1.5)), "small": near((0.5, 0.5))}


def test_a_shortage_in_a_branch_counts_by_its_probability():
    # Inflow 4 in the wet branch (p 0.75), 1 in the dry one, 4 wanted: 3 short at 0.25 = 0.75 expected.
    network = world("lake", Supply("inflow", "lake", max=(4.0, 4.0, 1.0)), Demand("farm", "lake", 4.0, tier=1))
    answer = solved(network, tree((None, 1.0, 1.0), (0, 1.0, 0.75), (0, 1.0, 0.25)))
    assert answer.tiers == {1: near(0.75)}
    (shortage,) = answer.shortages
    assert (shortage.first_step, shortage.worst_step) == (2, 2)


def test_tiers_hold_with_on_off_parts_too():
    # A pump that runs at 6 at least: 9 for 10 + 5 as above, the pump on both hours.
    network = world(
        "lake farms",
        Supply("inflow", "lake", max=9.0),
        Link("pump", "lake", max=9.0, to={"farms": 1.0}, cost=7.0),
        Demand("left", "farms", 10.0, tier=1, penalty=500.0),
        Demand("right", "farms", 5.0, tier=1, penalty=1.0),
        Commitment("unit", "link", "pump", min_rate=6.0, start_cost=100.0),
    )
    answer = solved(network, hours(2))
    assert answer.served == {"left": near((6.0, 6.0)), "right": near((3.0, 3.0))}
    assert answer.commitments["unit"] == (1, 1)
    assert answer.cost == near(100.0 + 18 * 7.0)


def test_a_tier_that_no_search_reaches_gets_what_the_states_leave_it():
    # Cancelled once the first tier is shared out: the parks have water enough of their own, and have it.
    stop = threading.Event()

    def once_shared(news):
        if news.stage == "tier 2":
            stop.set()

    network = world(
        "lake farms hill",
        Supply("inflow", "lake", max=9.0),
        Supply("spring", "hill", max=9.0, cost=5.0),
        Link("pump", "lake", max=9.0, to={"farms": 1.0}),
        Demand("left", "farms", 10.0, tier=1),
        Demand("right", "farms", 5.0, tier=1),
        Demand("park", "hill", 4.0, tier=2),
        Demand("garden", "hill", 3.0, tier=2),
        Commitment("unit", "link", "pump", min_rate=6.0, start_cost=100.0),
    )
    answer = solve(network, hours(2), progress=once_shared, cancelled=stop)
    assert (answer.status, answer.broken_limits) == (Status.FEASIBLE, ())
    assert answer.served["left"] == pytest.approx((6.0, 6.0), rel=1e-4)
    assert (answer.served["park"], answer.served["garden"]) == (near((4.0, 4.0)), near((3.0, 3.0)))


def test_the_same_input_gives_the_same_answer():
    network = world(
        "lake farms",
        Supply("inflow", "lake", max=(9.0, 3.0, 4.0)),
        Store("pond", "lake", 5.0, initial=1.0),
        Link("canal", "lake", max=50.0, to={"farms": 0.9}),
        Demand("near", "lake", 10.0, tier=1),
        Demand("far", "farms", 5.0, tier=1),
        Demand("last", "farms", 2.0, tier=2),
    )
    first, second = solved(network, hours(3)), solved(network, hours(3))
    assert first.as_dict(network, hours(3)) | {"seconds": {}} == second.as_dict(network, hours(3)) | {"seconds": {}}
