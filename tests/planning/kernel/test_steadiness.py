"""Of plans that cost the same, the one that is easiest to run: nothing changes that need not."""

from __future__ import annotations

from math import inf

import pytest

from planning.kernel import solve as kernel
from planning.kernel.compiled import compile_model
from planning.kernel.horizon import Horizon
from planning.kernel.model import build
from planning.kernel.network import Commitment, Demand, Link, Network, Store, Supply, at
from planning.kernel.outcome import Answer, Status
from planning.kernel.solve import solve
from planning.kernel.steadiness import KINDS, LAST_STAGE, steered
from tests.worlds.random_network import random_network
from tests.worlds.tiny import hours, near, tree, world


def changes(network: Network, horizon: Horizon, answer: Answer) -> float:
    """Σ p·|rate − rate before| ÷ the part's largest limit, by plain arithmetic, over the parts that have one."""
    total = 0.0
    for kind, rates in zip(KINDS, (answer.supplies, answer.links), strict=True):
        for part in steered(network, kind):
            scale = max(max(abs(at(part.max, s)), abs(at(part.min, s))) for s in range(len(horizon)))
            own = rates[part.name]
            ways = [(s, step, step.parent) for s, step in enumerate(horizon.steps) if step.parent is not None]
            if 0 < scale < inf:
                total += sum(step.probability * abs(own[s] - own[parent]) / scale for s, step, parent in ways)
    return total


def test_sources_of_equal_cost_do_not_take_turns():
    # 6 wanted, wells of 4 at the same price: both stay at one rate for all of the day.
    wells = [Supply(name, "town", max=4.0, cost=2.0) for name in ("left", "right")]
    answer = solve(world("town", *wells, Demand("homes", "town", 6.0, tier=1)), hours(24))
    assert answer.cost == near(24 * 6 * 2.0)
    for rates in answer.supplies.values():
        assert rates == near((rates[0],) * 24)


def test_money_comes_before_steadiness():
    # Power costs 1 and 9 in turn: the tank is filled in the cheap hours although that means a change every hour.
    network = world(
        "tank",
        Supply("pump", "tank", max=4.0, cost=(1.0, 9.0) * 3),
        Store("tank", "tank", 10.0, initial=0.0),
        Demand("homes", "tank", 2.0, tier=1),
    )
    answer = solve(network, hours(6))
    assert (answer.supplies["pump"], answer.cost) == (near((4.0, 0.0) * 3), near(12.0))


def test_an_even_price_fills_a_tank_evenly():
    # 12 wanted in the last of 6 hours, at one price: 2 in every hour and not 12 in one of them.
    network = world(
        "tank",
        Supply("pump", "tank", max=12.0, cost=1.0),
        Store("tank", "tank", 20.0, initial=0.0),
        Demand("homes", "tank", (0.0,) * 5 + (12.0,), tier=1),
    )
    assert solve(network, hours(6)).supplies["pump"] == near((2.0,) * 6)


def test_the_part_changes_for_which_it_is_least():
    # 1 and 3 wanted in turn: the works of 100 take up the change, the well of 2 does not notice. At 1 the well could
    # give it all, so that the works would rest; but then the works could not be steady either.
    parts = Supply("works", "town", max=100.0, min=0.5, cost=1.0), Supply("well", "town", max=2.0, min=0.25, cost=1.0)
    answer = solve(world("town", *parts, Demand("homes", "town", (1.0, 3.0) * 3, firm=True)), hours(6))
    well = answer.supplies["well"]
    assert well == near((well[0],) * 6)
    assert changes(world("town", *parts), hours(6), answer) == near(5 * 2.0 / 100)


def test_steadiness_holds_every_tier():
    # 9 stored for 3 hours of 4 in tier 1, and nothing left for tier 2: evenness of the shortage stays as it was.
    network = world(
        "tank field",
        Store("tank", "tank", 20.0, initial=9.0),
        Link("pipe", "tank", max=9.0, to={"field": 1.0}),
        Demand("homes", "tank", (4.0, 5.0, 3.0), tier=1),
        Demand("rice", "field", 4.0, tier=2),
    )
    answer = solve(network, hours(3))
    assert answer.served["homes"] == near((3.0, 3.75, 2.25))
    assert answer.tiers == {1: near(3.0), 2: near(12.0)}


def test_on_off_parts_stay_as_the_search_left_them():
    # Unit and power cost the same while it runs: 5 + 1 in both hours, not 4 + 2 and then 5 + 1.
    network = world(
        "grid",
        Supply("gas", "grid", max=5.0, cost=1.0),
        Supply("power", "grid", max=9.0, cost=1.0),
        Commitment("unit", "supply", "gas", 2.0, initially=True),
        Demand("mill", "grid", 6.0, firm=True),
    )
    answer = solve(network, hours(5))
    assert answer.cost == near(30.0)
    assert changes(network, hours(5), answer) == near(0.0)


def test_every_branch_goes_on_from_its_parent():
    # 2 wanted, then 2 or 6: the wells hold their rate into the first branch and change in the second one only.
    wells = [Supply(name, "town", max=4.0, cost=2.0) for name in ("left", "right")]
    network = world("town", *wells, Demand("homes", "town", (2.0, 2.0, 6.0), tier=1))
    horizon = tree((None, 1.0, 1.0), (0, 1.0, 0.75), (0, 1.0, 0.25))
    answer = solve(network, horizon)
    for rates in answer.supplies.values():
        assert rates[1] == near(rates[0])
    assert changes(network, horizon, answer) == near(0.25 * 4.0 / 4.0)


def test_without_time_for_it_the_plan_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(kernel, "STEADY_PART", 0.0)
    wells = [Supply(name, "town", max=4.0, cost=2.0) for name in ("left", "right")]
    answer = solve(world("town", *wells, Demand("homes", "town", 6.0, tier=1)), hours(24))
    assert (answer.status, answer.cost, answer.why) == (Status.OPTIMAL, near(24 * 6 * 2.0), "")


def test_a_steady_point_that_breaks_a_limit_is_not_taken(monkeypatch):
    checked = []

    def first_is_broken(*args: object) -> list[str]:
        checked.append(args)
        return ["a limit"] if len(checked) == 1 else []

    monkeypatch.setattr(kernel, "broken_limits", first_is_broken)
    answer = solve(world("town", Supply("well", "town", max=4.0), Demand("homes", "town", 3.0, tier=1)), hours(2))
    assert (answer.is_accepted, len(checked)) == (True, 2)


@pytest.mark.parametrize("seed", range(40))
def test_steadiness_costs_nothing_and_changes_no_more_than_before(seed, monkeypatch):
    network, horizon = random_network(seed)
    steady = solve(network, horizon, gap=1e-6)
    monkeypatch.setattr(kernel, "STEADY_PART", 0.0)
    plain = solve(network, horizon, gap=1e-6)
    assert steady.status == plain.status
    if steady.status is Status.OPTIMAL:
        assert steady.broken_limits == ()
        assert steady.objective == pytest.approx(plain.objective, rel=1e-6, abs=1e-6)
        assert steady.tiers == pytest.approx(plain.tiers, rel=1e-6, abs=1e-6)
        assert steady.prices == plain.prices
        if not any(part.max == inf for kind in KINDS for part in steered(network, kind)):
            assert changes(network, horizon, steady) <= changes(network, horizon, plain) + 1e-5


def test_the_stages_before_the_last_do_without_its_laws():
    # One well with a choice over 3 steps: 2 falls and 2 laws for them, after everything else.
    network = world("town", Supply("well", "town", max=4.0), Demand("homes", "town", 3.0, tier=1))
    compiled = compile_model(build(network, hours(3)), LAST_STAGE)
    rows, columns = compiled.core
    assert compiled.matrix.shape == (rows + 2, columns + 2)
    assert sorted(compiled.columns["supply_fall"]) == [columns, columns + 1]
    assert sorted(compiled.rows["supply_falls"]) == [rows, rows + 1]
