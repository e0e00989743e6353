"""Whatever the network: an answer keeps every limit when counted again, and no plan is missing without a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planning.kernel.network import Network
from planning.kernel.outcome import Answer, Status
from planning.kernel.solve import solve
from planning.kernel.wishes import wanted_of, wishes
from tests.worlds.random_network import of_several_commodities, random_network

TIGHT_LOCKS = 614
"""A seed whose locks leave less room than the solver's rounding: presolve calls the next stage infeasible."""


@pytest.mark.parametrize("seed", [*range(40), TIGHT_LOCKS])
def test_a_random_network_is_planned_within_its_limits_or_refused_with_a_reason(seed):
    answer = solve(*random_network(seed), gap=1e-6)
    assert answer.broken_limits == ()
    assert (answer.status is Status.OPTIMAL) == (answer.why == "")
    assert answer.status in (Status.OPTIMAL, Status.NONE)


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_the_first_tier_gets_what_it_would_get_alone(seed):
    network, horizon = random_network(seed)
    answer = solve(network, horizon, gap=1e-6)
    alone = replace(
        network,
        demands=tuple(d if d.firm or d.tier == 1 else replace(d, tier=None, penalty=0.0) for d in network.demands),
        stores=tuple(
            s if s.final is None or s.final.tier in (None, 1) else replace(s, final=None) for s in network.stores
        ),
    )
    if answer.status is Status.OPTIMAL and 1 in answer.tiers:
        best = solve(alone, horizon, gap=1e-6).tiers[1]
        assert answer.tiers[1] == pytest.approx(best, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("seed", range(40))
def test_no_commodity_of_the_first_tier_goes_shorter_than_where_amounts_are_added_up(seed):
    network, horizon = of_several_commodities(seed)
    water = replace(network, buses=tuple(replace(bus, commodity="water") for bus in network.buses))
    shared, added = solve(network, horizon, gap=1e-6), solve(water, horizon, gap=1e-6)
    assert (shared.status, shared.broken_limits) == (added.status, ())
    wanted = wanted_of([wish for wish in wishes(network, horizon) if wish.tier == min(shared.tiers, default=0)])
    if shared.status is Status.OPTIMAL and wanted:
        worst = max(_short_of(network, shared, *key) / amount for key, amount in wanted.items())
        before = max(_short_of(network, added, *key) / amount for key, amount in wanted.items())
        assert worst <= before + 1e-4


def _short_of(network: Network, answer: Answer, tier: int, commodity: str) -> float:
    of = {bus.name: bus.commodity for bus in network.buses}
    short = (s for s in answer.shortages if s.tier == tier and of[s.bus] == commodity)
    return sum(s.amount for s in short)


def test_most_random_networks_have_a_plan():
    statuses = [solve(*random_network(seed), gap=1e-6).status for seed in range(20)]
    assert statuses.count(Status.OPTIMAL) >= 10
