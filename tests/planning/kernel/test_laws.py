"""Each law of the model in a world small enough to plan in the head. Every answer is verified by solve() besides."""

from __future__ import annotations

from planning.kernel.horizon import Horizon
from planning.kernel.network import Demand, Final, Link, PeakCharge, Store, Supply
from planning.kernel.outcome import Status
from planning.kernel.solve import solve
from tests.worlds.tiny import START, hours, near, tree, world


def solved(network, horizon):
    answer = solve(network, horizon)
    assert (answer.status, answer.broken_limits) == (Status.OPTIMAL, ())
    return answer


def test_a_bus_takes_what_it_uses_from_the_cheapest_supply_first():
    # 10 wanted: 6 at 1, the rest 4 at 3; 6·1 + 4·3 = 18 an hour, twice.
    parts = Supply("spring", "town", max=6.0, cost=1.0), Supply("well", "town", max=9.0, cost=3.0)
    answer = solved(world("town", *parts, Demand("homes", "town", 10.0, firm=True)), hours(2))
    assert answer.supplies == {"spring": near((6.0, 6.0)), "well": near((4.0, 4.0))}
    assert answer.objective == answer.cost == near(36.0)


def test_a_supply_that_must_be_taken_fills_the_store():
    # 3 comes in, 1 is used: the level rises by 2 an hour from 5.
    parts = Supply("rain", "lake", max=3.0, min=3.0), Demand("farm", "lake", 1.0, tier=1)
    answer = solved(world("lake", *parts, Store("pond", "lake", 20.0, initial=5.0)), hours(3))
    assert answer.levels["pond"] == near((7.0, 9.0, 11.0))


def test_a_level_changes_by_rate_times_hours_on_mixed_steps():
    # Drawn at 4: a quarter of an hour takes 1, two hours take 8.
    horizon = Horizon.path(START, [(2, 0.25), (1, 2.0)])
    network = world("lake", Demand("farm", "lake", 4.0, firm=True), Store("pond", "lake", 20.0, initial=12.0))
    assert solved(network, horizon).levels["pond"] == near((11.0, 10.0, 2.0))


def test_a_store_loses_its_share_every_hour():
    # 100 → 90 → 81 in steps of one hour, then ·0.9² over two hours: 65.61.
    horizon = Horizon.path(START, [(2, 1.0), (1, 2.0)])
    network = world("lake", Store("pond", "lake", 200.0, initial=100.0, loss_per_hour=0.1))
    assert solved(network, horizon).levels["pond"] == near((90.0, 81.0, 65.61))


def test_a_tank_fills_while_power_is_cheap():
    # 2 wanted in each of 4 hours; the pump draws 0.5 power per unit and lifts up to 4. Power costs 1, 9, 1, 9: pump 4
    # in the first and third hour. Money: (2 + 2)·1 = 4 instead of 20.
    network = world(
        "lake town grid",
        Supply("inflow", "lake", max=10.0),
        Supply("power", "grid", max=10.0, cost=(1.0, 9.0, 1.0, 9.0)),
        Demand("homes", "town", 2.0, tier=1),
        Link("pump", "lake", max=4.0, to={"town": 1.0}, uses={"grid": 0.5}),
        Store("tank", "town", 10.0, initial=0.0),
    )
    answer = solved(network, hours(4))
    assert answer.links["pump"] == near((4.0, 0.0, 4.0, 0.0))
    assert answer.levels["tank"] == near((2.0, 0.0, 2.0, 0.0))
    assert answer.cost == near(4.0)


def test_a_link_brings_its_coefficient_to_each_bus():
    # A plant turns 10 raw into 7 reclaimed and 2 sludge; 7 wanted.
    network = world(
        "raw clean waste",
        Supply("sewage", "raw", max=20.0),
        Link("plant", "raw", max=20.0, to={"clean": 0.7, "waste": 0.2}),
        Link("haul", "waste", max=20.0, cost=5.0),
        Demand("fab", "clean", 7.0, tier=1),
    )
    answer = solved(network, hours(1))
    assert answer.links == {"plant": near((10.0,)), "haul": near((2.0,))}
    assert answer.cost == near(10.0)


def test_a_spillway_takes_what_cannot_be_kept():
    # 5 must be taken, the pond is full: 5 spills.
    parts = Supply("flood", "lake", max=5.0, min=5.0), Store("pond", "lake", 10.0, initial=10.0)
    answer = solved(world("lake", *parts, Link("spill", "lake", max=100.0, cost=1.0)), hours(2))
    assert answer.links["spill"] == near((5.0, 5.0))


def test_a_two_way_line_carries_backwards():
    parts = Supply("gas", "east", max=9.0, cost=1.0), Demand("mill", "west", 4.0, firm=True)
    answer = solved(world("west east", *parts, Link("line", "west", max=5.0, min=-5.0, to={"east": 1.0})), hours(1))
    assert answer.links["line"] == near((-4.0,))


def test_a_ramp_limits_every_change_from_the_initial_rate_on():
    # From 1 by at most 2 an hour: 3, 5, then over a step of half an hour 6. All water wanted at once.
    horizon = Horizon.path(START, [(2, 1.0), (1, 0.5)])
    network = world(
        "lake town",
        Supply("inflow", "lake", max=50.0),
        Link("main", "lake", max=50.0, to={"town": 1.0}, initial_rate=1.0, max_change_per_hour=2.0),
        Demand("homes", "town", 10.0, tier=1),
    )
    assert solved(network, horizon).links["main"] == near((3.0, 5.0, 6.0))


def test_a_ramp_limits_the_way_down():
    # From 10 by at most 3 an hour although nobody wants it: 7, 4, 1.
    network = world(
        "lake",
        Supply("inflow", "lake", max=50.0, cost=1.0),
        Link("gate", "lake", max=50.0, initial_rate=10.0, max_change_per_hour=3.0),
    )
    assert solved(network, hours(3)).links["gate"] == near((7.0, 4.0, 1.0))


def test_a_link_that_may_drop_falls_at_once_and_rises_by_its_ramp():
    # From 10 to the 0 that there is in the first hour, then 3 more every hour.
    network = world(
        "lake town",
        Supply("inflow", "lake", max=(0.0, 50.0, 50.0), cost=0.0),
        Link("main", "lake", 50.0, {"town": 1.0}, initial_rate=10.0, max_change_per_hour=3.0, may_drop=True),
        Demand("homes", "town", 10.0, tier=1),
    )
    assert solved(network, hours(3)).links["main"] == near((0.0, 3.0, 6.0))


def lagged(horizon, lag, **more):
    # 6 comes in and must go down the canal; what arrives is drained at a cost, so both rates can be read.
    return solved(
        world(
            "weir farm",
            Supply("river", "weir", max=more.pop("river"), min=more.pop("least"), cost=0.0),
            Link("canal", "weir", max=50.0, to={"farm": 1.0}, lag_hours=lag, initial_rate=2.0),
            Link("drain", "farm", max=50.0),
        ),
        horizon,
    )


def test_a_lag_delays_by_whole_steps():
    # Lag of 2 hours: 2 and 2 left before the horizon, then the 1 and 3 of the first hours arrive.
    river = (1.0, 3.0, 5.0, 7.0)
    answer = lagged(hours(4), 2.0, river=river, least=river)
    assert answer.links["drain"] == near((2.0, 2.0, 1.0, 3.0))


def test_a_lag_mixes_the_steps_it_spans():
    # Quarters 4, 8, 12, 16, then hours 10, 20. Lag of half an hour: two quarters of the initial 2, then 4 and 8;
    # hour 1 sees the last two quarters (12, 16) and half an hour of 10: 28/4 + 10/2 = 12; hour 2: (10 + 20)/2.
    horizon = Horizon.path(START, [(4, 0.25), (2, 1.0)])
    river = (4.0, 8.0, 12.0, 16.0, 10.0, 20.0)
    answer = lagged(horizon, 0.5, river=river, least=river)
    assert answer.links["drain"] == near((2.0, 2.0, 4.0, 8.0, 12.0, 15.0))


def test_a_lag_shorter_than_a_step_takes_part_of_the_initial_rate():
    # Lag of a quarter hour on hours: a quarter of 2 and three quarters of 4 = 3.5; then 1/4·4 + 3/4·8 = 7.
    answer = lagged(hours(2), 0.25, river=(4.0, 8.0), least=(4.0, 8.0))
    assert answer.links["drain"] == near((3.5, 7.0))


def test_limits_follow_the_series_of_each_step():
    # Capacity falls to 3 in the second hour, so 5 of the 8 have to leave before.
    parts = Store("pond", "lake", (10.0, 3.0), initial=8.0), Link("spill", "lake", max=(9.0, 0.0), cost=1.0)
    answer = solved(world("lake", *parts), hours(2))
    assert answer.levels["pond"][1] <= 3.0 + 1e-6
    assert answer.links["spill"] == near((5.0, 0.0))


def test_a_hard_final_level_is_bought():
    # 4 held, 10 asked at the end, a well at 2 a unit: 6·2 = 12.
    parts = Supply("well", "lake", max=5.0, cost=2.0), Store("pond", "lake", 20.0, initial=4.0, final=Final(min=10.0))
    answer = solved(world("lake", *parts), hours(3))
    assert answer.levels["pond"][-1] == near(10.0)
    assert answer.cost == near(12.0)


def test_a_hard_final_maximum_is_spilled_down_to():
    pond = Store("pond", "lake", 20.0, initial=9.0, final=Final(max=5.0))
    answer = solved(world("lake", pond, Link("spill", "lake", max=9.0, cost=1.0)), hours(2))
    assert answer.levels["pond"][-1] == near(5.0)


def test_a_soft_final_level_falls_short_and_says_so():
    # 2 an hour for 2 hours on 1 held: 5 of the 8 asked; 3 short = 3/8, at a stated penalty of 10.
    pond = Store("pond", "lake", 20.0, initial=1.0, final=Final(min=8.0, tier=3, penalty=10.0))
    answer = solved(world("lake", Supply("spring", "lake", max=2.0), pond), hours(2))
    assert answer.final_short == {"pond": near(3.0)}
    assert answer.tiers == {3: near(3.0)}
    (shortage,) = answer.shortages
    assert (shortage.wish, shortage.tier, shortage.first_step) == ("pond.final", 3, 1)
    assert (shortage.amount, shortage.share) == (near(3.0), near(0.375))
    assert (answer.cost, answer.objective) == (near(0.0), near(30.0))


def test_water_with_an_end_value_is_kept():
    # A unit is worth 3 in the pond and costs 2: buy 4 an hour until the end. 8·2 − (5 + 8)·3 = −23.
    parts = Supply("well", "lake", max=4.0, cost=2.0), Store("pond", "lake", 50.0, initial=5.0, end_value=3.0)
    answer = solved(world("lake", *parts), hours(2))
    assert answer.levels["pond"][-1] == near(13.0)
    assert answer.objective == near(-23.0)


def test_a_peak_charge_is_paid_once_for_the_highest_rate():
    # 6 wanted only in hour 2, a battery of 2. Above 2 a unit of rate costs 10, above 4 another 5: it takes 2 in
    # the first hour and gives 2 in the second: rates 2 and 4, charge (4−2)·10 = 20, and 6 units at 1.
    network = world(
        "grid",
        Supply("power", "grid", max=50.0, cost=1.0, peak=(PeakCharge(2.0, 10.0), PeakCharge(4.0, 5.0))),
        Demand("mill", "grid", (0.0, 6.0), firm=True),
        Store("battery", "grid", 2.0, initial=0.0),
    )
    answer = solved(network, hours(2))
    assert answer.supplies["power"] == near((2.0, 4.0))
    assert answer.cost == near(6.0 + 20.0)


def test_steep_sections_of_a_peak_charge_add_up():
    # Rate 7: (7−2)·10 + (7−4)·5 = 65, and 7 units at 1.
    power = Supply("power", "grid", max=50.0, cost=1.0, peak=(PeakCharge(2.0, 10.0), PeakCharge(4.0, 5.0)))
    answer = solved(world("grid", power, Demand("mill", "grid", (7.0, 0.0), firm=True)), hours(2))
    assert answer.cost == near(72.0)


def test_a_tree_decides_now_for_what_is_expected_later():
    # Then, with 0.25, the mill needs 8 (else 0), and power costs 10 then but 1 now; the battery keeps 8.
    # Buying x now costs x and saves 0.25·10 = 2.5 per unit: buy 8 now, expected cost 8. At 0.05 it would save 0.5: buy
    # none, expected cost 0.05·8·10 = 4.
    def plan(chance):
        network = world(
            "grid",
            Supply("power", "grid", max=50.0, cost=(1.0, 10.0, 10.0)),
            Demand("mill", "grid", (0.0, 8.0, 0.0), firm=True),
            Store("battery", "grid", 8.0, initial=0.0),
        )
        return solved(network, tree((None, 1.0, 1.0), (0, 1.0, chance), (0, 1.0, 1 - chance)))

    assert (plan(0.25).supplies["power"], plan(0.25).cost) == (near((8.0, 0.0, 0.0)), near(8.0))
    assert (plan(0.05).supplies["power"], plan(0.05).cost) == (near((0.0, 8.0, 0.0)), near(4.0))


def test_a_tree_pays_a_peak_for_each_branch_by_its_probability():
    # Branches reach 10 (p 0.3) and 4 (p 0.7), but the root's 6 counts in the second: 0.3·(10−2)·100 + 0.7·(6−2)·100.
    power = Supply("power", "grid", max=50.0, peak=(PeakCharge(2.0, 100.0),))
    network = world("grid", power, Demand("mill", "grid", (6.0, 10.0, 4.0), firm=True))
    answer = solved(network, tree((None, 1.0, 1.0), (0, 1.0, 0.3), (0, 1.0, 0.7)))
    assert answer.cost == near(0.3 * 800 + 0.7 * 400)


def test_a_lag_follows_the_branch():
    # What left at the root (5) arrives in both branches.
    river = (5.0, 1.0, 9.0)
    answer = lagged(tree((None, 1.0, 1.0), (0, 1.0, 0.5), (0, 1.0, 0.5)), 1.0, river=river, least=river)
    assert answer.links["drain"] == near((2.0, 5.0, 5.0))
