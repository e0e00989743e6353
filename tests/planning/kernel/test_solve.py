"""How a solve ends: prices, what cannot be met, time limits, cancels, threads, progress."""

from __future__ import annotations

import random
import threading
from math import inf

import pytest

from planning.kernel.horizon import Horizon
from planning.kernel.laws import PLAIN_SUM
from planning.kernel.model import build
from planning.kernel.network import Commitment, Demand, Final, Link, Network, PeakCharge, Store, Supply
from planning.kernel.outcome import Status
from planning.kernel.problems import InvalidNetwork
from planning.kernel.solve import solve
from tests.worlds.tiny import START, hours, near, tree, world

SMALL = world("town", Supply("well", "town", max=9.0, cost=3.0), Demand("homes", "town", 4.0, tier=1))


def units(count, steps):
    """A unit commitment that takes the search a while: many unlike units, a demand that fits none of them."""
    number = random.Random(1)
    parts = [Supply("grid", "grid", max=inf, cost=300.0)]
    for k in range(count):
        high = number.uniform(5, 20)
        parts.append(Supply(f"gas{k}", "grid", max=high, cost=number.uniform(10, 30)))
        parts.append(Commitment(f"unit{k}", "supply", f"gas{k}", high * 0.6, 5.0, 4.0, number.uniform(100, 900), 50.0))
    parts.append(Demand("city", "grid", tuple(number.uniform(2, 8) * count for _ in range(steps)), firm=True))
    return world("grid", *parts)


def test_a_price_is_what_the_marginal_supply_costs():
    # Spring 6 at 1, well at 3. Wanted 10 and 5: the well serves the last unit of hour 1, the spring that of hour 2.
    # Town gets half of what its pipe takes, at 0.5 a unit of pipe: (3 + 0.5) / 0.5 = 7 and (1 + 0.5) / 0.5 = 3.
    network = world(
        "lake town",
        Supply("spring", "lake", max=6.0, cost=1.0),
        Supply("well", "lake", max=9.0, cost=3.0),
        Link("pipe", "lake", max=20.0, to={"town": 0.5}, cost=0.5),
        Demand("homes", "town", (5.0, 2.5), firm=True),
    )
    answer = solve(network, Horizon.path(START, [(1, 0.25), (1, 2.0)]))
    assert answer.prices == {"lake": near((3.0, 1.0)), "town": near((7.0, 3.0))}


def test_a_price_in_a_tree_is_that_of_its_own_step():
    # The branch's price is money per unit there, not times its probability of 0.2.
    network = world(
        "town", Supply("well", "town", max=9.0, cost=(3.0, 4.0, 5.0)), Demand("homes", "town", 4.0, firm=True)
    )
    answer = solve(network, tree((None, 1.0, 1.0), (0, 2.0, 0.2), (0, 2.0, 0.8)))
    assert answer.prices == {"town": near((3.0, 4.0, 5.0))}


def test_a_price_with_on_off_parts_is_that_of_their_states():
    # The unit (4 at most, start 50) runs; the grid at 20 serves the rest of 6 and is the price, without the start cost.
    network = world(
        "grid",
        Supply("gas", "grid", max=4.0, cost=1.0),
        Supply("power", "grid", max=9.0, cost=20.0),
        Commitment("unit", "supply", "gas", 2.0, start_cost=50.0),
        Demand("mill", "grid", (6.0, 3.0), firm=True),
    )
    answer = solve(network, hours(2))
    assert answer.commitments["unit"] == (1, 1)
    assert answer.prices == {"grid": near((20.0, 1.0))}
    assert answer.gap <= 1e-3 and answer.bound <= answer.objective


def test_a_price_where_a_wish_is_short_is_what_a_unit_brought_there_saves():
    # Nothing to replace but the shortage itself, stated at 40.
    network = world(
        "town", Supply("well", "town", max=3.0, cost=2.0), Demand("homes", "town", 4.0, tier=1, penalty=40.0)
    )
    assert solve(network, hours(2)).prices == {"town": near((40.0, 40.0))}


def test_a_bus_without_parts_is_no_obstacle():
    network = SMALL + world("island")
    answer = solve(network, hours(1))
    assert (answer.status, answer.prices["island"]) == (Status.OPTIMAL, (0.0,))


def test_an_empty_network_is_planned_at_once():
    assert solve(Network(), hours(1)).objective == 0.0


def test_a_firm_demand_that_cannot_be_met_is_named_with_its_amount():
    # 5 an hour for a firm 8 from the second hour on: 3 missing in hours 2 and 3.
    network = world("town", Supply("well", "town", max=5.0), Demand("homes", "town", (4.0, 8.0, 8.0), firm=True))
    answer = solve(network, hours(3))
    assert (answer.status, answer.served, answer.is_accepted) == (Status.NONE, {}, False)
    assert "firm demand homes at bus town cannot be met, missing 6 in all, first in step 2" in answer.why
    assert "2026-01-01T01:00+00:00" in answer.why


def test_water_that_nothing_can_take_is_named():
    network = world("lake", Supply("flood", "lake", max=9.0, min=9.0), Store("pond", "lake", 10.0, initial=5.0))
    answer = solve(network, hours(1))
    assert answer.status is Status.NONE
    assert "Bus lake receives more than can leave it, left over 4 in all" in answer.why


def test_a_store_that_cannot_reach_its_final_level_is_named():
    # 3 an hour and 5 held: 11 of the 20 asked.
    pond = Store("pond", "lake", 30.0, initial=5.0, final=Final(min=20.0))
    answer = solve(world("lake", Supply("spring", "lake", max=3.0), pond), hours(2))
    assert "Bus lake is short of what its hard limits draw by 9 in all" in answer.why


def test_minimum_times_that_clash_with_a_closed_part_are_named():
    # On before the horizon and bound to stay on for 2 hours, while its limit is 0 in the second.
    network = world(
        "grid",
        Supply("gas", "grid", max=(5.0, 0.0)),
        Link("waste", "grid", max=99.0),
        Commitment("unit", "supply", "gas", 3.0, min_up_hours=2.0, initially=True, initial_hours=0.0),
    )
    answer = solve(network, hours(2))
    assert answer.status is Status.NONE
    assert "the commitments clash" in answer.why


def test_a_tier_may_go_short_where_a_firm_demand_may_not():
    network = world(
        "town",
        Supply("well", "town", max=5.0),
        Demand("homes", "town", 4.0, firm=True),
        Demand("park", "town", 4.0, tier=1),
    )
    answer = solve(network, hours(1))
    assert (answer.status, answer.served["park"]) == (Status.OPTIMAL, near((1.0,)))


def test_a_time_limit_before_any_plan_gives_no_numbers():
    answer = solve(SMALL, hours(3), time_limit=0.0)
    assert (answer.status, answer.supplies, answer.levels, answer.prices) == (Status.NONE, {}, {}, {})
    assert "time limit" in answer.why


def test_a_time_limit_with_a_plan_gives_that_plan_and_its_gap():
    # The tiers give a first plan, and the search for the least money is stopped before it finds a better one.
    network = units(40, 48) + world("town", *SMALL.supplies, *SMALL.demands)
    stop = threading.Event()

    def once_searching(news):
        if news.stage == "cost":
            stop.set()

    answer = solve(network, hours(48), gap=0.0, progress=once_searching, cancelled=stop)
    assert (answer.status, answer.broken_limits) == (Status.FEASIBLE, ())
    assert answer.bound < answer.objective
    assert answer.gap == near((answer.objective - answer.bound) / answer.objective)
    assert "ended early" in answer.why


def test_a_cancel_before_any_plan_gives_no_numbers():
    stop = threading.Event()
    stop.set()
    answer = solve(SMALL, hours(3), cancelled=stop)
    assert (answer.status, answer.supplies) == (Status.NONE, {})
    assert "cancelled" in answer.why


def test_a_solve_works_in_several_threads_at_once():
    found = []
    threads = [threading.Thread(target=lambda: found.append(solve(SMALL, hours(20)).objective)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [near(240.0)] * 4


def test_other_threads_can_add_up_while_a_model_is_built():
    # Pyomo swaps Python's own sum() while it makes a template; nobody else in the process may notice.
    done, totals = threading.Event(), set()

    def add_up():
        while not done.is_set():
            totals.add(sum(x for x in ()))
            totals.add(sum([1, 2], start=3))

    other = threading.Thread(target=add_up)
    other.start()
    for _ in range(20):
        build(SMALL, hours(3))
    done.set()
    other.join()
    assert totals == {0, 6}
    assert sum is PLAIN_SUM


def test_progress_goes_through_every_stage_and_never_back():
    news = []
    solve(SMALL, hours(3), progress=news.append)
    stages = list(dict.fromkeys(item.stage for item in news))
    assert stages == ["build", "compile", "tier 1", "cost", "prices", "steadiness", "verify"]
    fractions = [item.fraction for item in news]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_the_answer_names_the_seconds_of_every_part():
    assert set(solve(SMALL, hours(3)).seconds) == {"build", "compile", "solve", "verify"}


def test_the_objective_is_what_the_file_states():
    # Hour lengths 1 and 2. Well 3·4·(1 + 2) = 36, pipe 1·4·3 = 12, unit start 7 and on 2·3 = 6, peak (4 − 1)·5 = 15,
    # pond −10·0.5 = −5: cost 71. Short 2 an hour at 9: 54.
    network = world(
        "lake town",
        Supply("well", "lake", max=4.0, min=4.0, cost=3.0, peak=(PeakCharge(1.0, 5.0),)),
        Link("pipe", "lake", max=4.0, to={"town": 1.0}, cost=1.0),
        Commitment("unit", "link", "pipe", start_cost=7.0, on_cost=2.0),
        Store("pond", "lake", 10.0, initial=10.0, min=10.0, end_value=0.5),
        Demand("homes", "town", 6.0, tier=2, penalty=9.0),
    )
    answer = solve(network, Horizon.path(START, [(1, 1.0), (1, 2.0)]))
    assert (answer.cost, answer.objective) == (near(71.0), near(125.0))


def test_a_bad_network_is_refused_whole():
    network = world("town", Supply("well", "sea", max=-1.0), Demand("homes", "town", -4.0))
    with pytest.raises(InvalidNetwork) as refusal:
        solve(network, hours(1))
    assert {problem.place for problem in refusal.value.problems} == {
        "supplies.well.bus",
        "supplies.well.max",
        "demands.homes.amount",
    }


def test_a_price_where_nobody_is_served_is_the_greatest_penalty_that_a_unit_saves_in_every_hour():
    # The homes take all of the well. One unit more in the far town would spare its dearer wish a unit of shortage.
    network = world(
        "town far",
        Supply("well", "town", max=3.0, cost=2.0),
        Link("pipe", "town", max=1.0, to={"far": 1.0}),
        Demand("homes", "town", 8.0, tier=1, penalty=40.0),
        Demand("farms", "far", 5.0, tier=2, penalty=15.0),
        Demand("works", "far", 5.0, tier=2, penalty=25.0),
    )
    assert solve(network, hours(2)).prices == {"town": near((40.0, 40.0)), "far": near((25.0, 25.0))}
