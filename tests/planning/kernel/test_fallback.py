"""When a search ends without any plan, a safe rule for the on/off parts makes one and says so.

No time at all is a search that finds nothing, on every machine.
"""

from __future__ import annotations

import pytest

from planning.kernel.network import Commitment, Demand, Link, Store, Supply
from planning.kernel.outcome import Answer, Status
from planning.kernel.solve import solve
from tests.worlds.random_network import random_network
from tests.worlds.tiny import hours, near, tree, world


def by_rule(network, horizon) -> Answer:
    return solve(network, horizon, time_limit=0.0)


def kinds(answer: Answer) -> list[str]:
    return [reason.kind for reason in answer.reasons]


def test_the_cheapest_rule_takes_over_and_says_so():
    # Off, as before the plan: 9 of power at 20 = 180. On: start 50 + gas 4 + 3 at 1 + power 2 at 20 = 97.
    network = world(
        "grid",
        Supply("gas", "grid", max=4.0, cost=1.0),
        Supply("power", "grid", max=9.0, cost=20.0),
        Commitment("unit", "supply", "gas", 2.0, start_cost=50.0),
        Demand("mill", "grid", (6.0, 3.0), firm=True),
    )
    answer = by_rule(network, hours(2))
    assert (answer.status, answer.is_accepted, answer.commitments["unit"]) == (Status.FALLBACK, True, (1, 1))
    assert answer.objective == near(97.0)
    assert kinds(answer) == ["fallback_on", "gap_unknown"]
    assert "A rule took over: every on/off part runs" in answer.why
    shown = answer.as_dict(network, hours(2))
    assert (shown["status"], shown["gap"], shown["bound"]) == ("fallback", None, None)


def test_the_state_before_the_plan_is_held_where_that_is_as_good():
    network = world(
        "grid",
        Supply("gas", "grid", max=4.0, cost=20.0),
        Supply("power", "grid", max=9.0, cost=20.0),
        Commitment("unit", "supply", "gas", 2.0, initially=True),
        Demand("mill", "grid", (6.0, 3.0), firm=True),
    )
    answer = by_rule(network, hours(2))
    assert (kinds(answer)[0], answer.commitments["unit"]) == ("fallback_hold", (1, 1))


def test_a_rule_waits_for_minimum_times():
    # On for 1 of 2 hours before the plan: it rests from the second step on. Running, its least rate of 2 finds no use.
    network = world(
        "grid",
        Supply("gas", "grid", max=4.0, cost=1.0),
        Supply("power", "grid", max=9.0, cost=20.0),
        Commitment("unit", "supply", "gas", 2.0, min_up_hours=2.0, initially=True, initial_hours=1.0),
        Demand("mill", "grid", (6.0, 1.0, 1.0), firm=True),
    )
    answer = by_rule(network, hours(3))
    assert (kinds(answer)[0], answer.commitments["unit"]) == ("fallback_off", (1, 0, 0))
    assert answer.objective == near(4.0 + 40.0 + 20.0 + 20.0)


def test_a_rule_runs_a_part_only_where_its_limits_allow():
    # The well is closed in the second hour, and comes back once it has rested for its minimum of 2 hours.
    network = world(
        "town",
        Supply("well", "town", max=(5.0, 0.0, 5.0, 5.0)),
        Commitment("pump", "supply", "well", 3.0, min_down_hours=2.0, initially=True),
        Demand("homes", "town", 4.0, tier=1),
    )
    answer = by_rule(network, hours(4))
    assert (answer.commitments["pump"], answer.served["homes"]) == ((1, 0, 0, 1), near((4.0, 0.0, 0.0, 4.0)))


def test_shortages_come_before_money_and_tiers_are_kept():
    # The pump is off before the plan; at rest nobody has water. Running it costs, and serves tier 1 before tier 2.
    network = world(
        "lake town",
        Supply("inflow", "lake", max=9.0),
        Link("pump", "lake", max=5.0, to={"town": 1.0}, cost=100.0),
        Commitment("unit", "link", "pump", min_rate=1.0, start_cost=1e6),
        Demand("homes", "town", 4.0, tier=1),
        Demand("park", "town", 4.0, tier=2),
    )
    answer = by_rule(network, hours(2))
    assert (answer.status, kinds(answer)[0]) == (Status.FALLBACK, "fallback_on")
    assert (answer.served["homes"], answer.served["park"]) == (near((4.0, 4.0)), near((1.0, 1.0)))


def test_a_rule_holds_in_every_branch():
    network = world(
        "town",
        Supply("well", "town", max=(5.0, 5.0, 0.0)),
        Commitment("pump", "supply", "well", 3.0, initially=True),
        Demand("homes", "town", 4.0, tier=1),
    )
    answer = by_rule(network, tree((None, 1.0, 1.0), (0, 1.0, 0.5), (0, 1.0, 0.5)))
    assert (answer.commitments["pump"], answer.broken_limits) == ((1, 1, 0), ())


def test_without_a_rule_that_keeps_the_limits_there_is_no_plan():
    # Hour 1 needs the unit, hour 2 has no use for its least rate: only a search would switch it in between.
    network = world(
        "grid",
        Supply("gas", "grid", max=5.0),
        Supply("sun", "grid", max=1.0),
        Commitment("unit", "supply", "gas", 4.0),
        Demand("mill", "grid", (5.0, 1.0), firm=True),
    )
    answer = by_rule(network, hours(2))
    assert (answer.status, kinds(answer)) == (Status.NONE, ["out_of_time"])
    assert solve(network, hours(2)).status is Status.OPTIMAL


def test_a_network_without_on_off_parts_has_no_rule_to_fall_back_on():
    network = world("town", Store("tank", "town", 9.0, initial=9.0), Demand("homes", "town", 4.0, tier=1))
    assert by_rule(network, hours(2)).status is Status.NONE


@pytest.mark.parametrize("seed", range(30))
def test_a_plan_by_rule_keeps_every_limit_and_is_never_better_than_the_best(seed):
    network, horizon = random_network(seed)
    answer = by_rule(network, horizon)
    assert answer.status in (Status.FALLBACK, Status.NONE)
    assert answer.broken_limits == ()
    best = solve(network, horizon, gap=1e-6)
    if answer.status is Status.FALLBACK and not best.tiers:
        assert answer.objective >= best.objective - 1e-4 * max(1.0, abs(best.objective))
    for tier in sorted(answer.tiers)[:1]:
        assert answer.tiers[tier] >= best.tiers[tier] - 1e-4 * max(1.0, best.tiers[tier])
