"""On/off parts against every possible switching of a small case, and minimum times on mixed steps and trees."""

from __future__ import annotations

from itertools import product

import pytest

from planning.kernel.horizon import Horizon
from planning.kernel.network import Commitment, Demand, Supply
from planning.kernel.outcome import Status
from planning.kernel.solve import solve
from tests.worlds.tiny import START, hours, near, tree, world

WANTED = (2.0, 7.0, 1.0, 6.0, 6.0, 0.0)


def solved(network, horizon):
    answer = solve(network, horizon, gap=1e-9)
    assert (answer.status, answer.broken_limits) == (Status.OPTIMAL, ())
    return answer


def plant(unit, wanted=WANTED, spill=False):
    """A unit of 3 to 5 at 1, and the grid at 4 without limit; `spill` lets surplus be sold at nothing."""
    parts = [Supply("gas", "grid", max=5.0, cost=1.0), Supply("grid", "grid", max=99.0, cost=4.0), unit]
    parts.append(Demand("mill", "grid", wanted, firm=True))
    return world("grid", *parts)


def by_enumeration(unit, wanted):
    """The least money over all on/off series of one-hour steps that keep the minimum times; 3 or more is wanted."""
    best = float("inf")
    for states in product((0, 1), repeat=len(wanted)):
        if keeps_minimum_times(unit, states) and all(
            not on or need >= 3 for on, need in zip(states, wanted, strict=True)
        ):
            before = (int(unit.initially), *states[:-1])
            starts = sum(on > was for was, on in zip(before, states, strict=True))
            money = unit.start_cost * starts + unit.on_cost * sum(states)
            for on, need in zip(states, wanted, strict=True):
                gas = min(5.0, need) if on else 0.0
                money += gas + 4 * (need - gas)
            best = min(best, money)
    return best


def keeps_minimum_times(unit, states):
    was, lasted = unit.initially, unit.initial_hours
    for on in states:
        if on != was:
            if lasted < (unit.min_up_hours if was else unit.min_down_hours):
                return False
            was, lasted = on, 0.0
        lasted += 1
    return True


@pytest.mark.parametrize("initially", [False, True])
@pytest.mark.parametrize("start_cost", [0.0, 5.0, 12.0])
@pytest.mark.parametrize(("up", "down", "lasted"), [(0, 0, 1e6), (2, 1, 1.0), (3, 2, 1.0), (1, 3, 2.0)])
def test_switching_costs_what_the_best_of_all_series_costs(initially, start_cost, up, down, lasted):
    wanted = (4.0, 7.0, 3.0, 6.0, 6.0, 3.0)
    unit = Commitment("unit", "supply", "gas", 3.0, up, down, start_cost, 2.0, initially, lasted)
    assert solved(plant(unit, wanted), hours(6)).cost == near(by_enumeration(unit, wanted))


def test_a_unit_stays_off_where_its_least_rate_is_too_much():
    # Wanted 2, 7, 1, 6, 6, 0 and at least 3 while on: on in the hours of 7, 6, 6, at 5 each; the grid gives the rest.
    answer = solved(plant(Commitment("unit", "supply", "gas", 3.0)), hours(6))
    assert answer.commitments["unit"] == (0, 1, 0, 1, 1, 0)
    assert answer.supplies["gas"] == near((0.0, 5.0, 0.0, 5.0, 5.0, 0.0))
    assert answer.cost == near(15.0 + 4 * 7)


def test_minimum_hours_count_hours_on_mixed_steps():
    # Quarters, then hours. A unit started in the second quarter runs an hour at least, and that ends within the first
    # whole hour, which it cannot split. So it is on in steps 1 to 4 (three quarters and an hour), or not at all.
    horizon = Horizon.path(START, [(4, 0.25), (2, 1.0)])
    unit = Commitment("unit", "supply", "gas", 3.0, min_up_hours=1.0)
    parts = Supply("gas", "grid", max=5.0), Supply("grid", "grid", max=99.0, cost=4.0), unit
    wanted = (2.0, 5.0, 5.0, 5.0, 5.0, 2.0)
    assert solved(world("grid", *parts, Demand("mill", "grid", wanted, firm=True)), horizon).commitments["unit"] == (
        (0, 1, 1, 1, 1, 0)
    )
    short = (2.0, 5.0, 5.0, 5.0, 2.0, 2.0)
    assert solved(world("grid", *parts, Demand("mill", "grid", short, firm=True)), horizon).commitments["unit"] == (
        (0, 0, 0, 0, 0, 0)
    )


def test_the_state_before_the_horizon_is_finished_first():
    # On for 1 of 3 hours: it has to stay 2 more, at 3 and for nothing, before it may stop.
    unit = Commitment("unit", "supply", "gas", 3.0, min_up_hours=3.0, on_cost=10.0, initially=True, initial_hours=1.0)
    answer = solved(plant(unit, (3.0, 3.0, 3.0, 3.0)), hours(4))
    assert answer.commitments["unit"] == (1, 1, 0, 0)


def test_a_start_in_a_branch_costs_by_its_probability():
    # Only the branch of 0.25 needs the unit: 0.25·(100 + 2·1 + 5·1), and the grid is closed.
    unit = Commitment("unit", "supply", "gas", 3.0, start_cost=100.0, on_cost=2.0)
    network = world(
        "grid", Supply("gas", "grid", max=5.0, cost=1.0), unit, Demand("mill", "grid", (0.0, 5.0, 0.0), firm=True)
    )
    answer = solved(network, tree((None, 1.0, 1.0), (0, 1.0, 0.25), (0, 1.0, 0.75)))
    assert answer.commitments["unit"] == (0, 1, 0)
    assert answer.cost == near(0.25 * 107.0)


def test_a_part_with_a_least_rate_of_its_own_may_still_rest():
    # min 2 holds while on only: nothing is wanted in hour 1.
    parts = Supply("gas", "grid", max=5.0, min=2.0, cost=1.0), Commitment("unit", "supply", "gas", 0.0)
    answer = solved(world("grid", *parts, Demand("mill", "grid", (0.0, 4.0), firm=True)), hours(2))
    assert answer.commitments["unit"] == (0, 1)
