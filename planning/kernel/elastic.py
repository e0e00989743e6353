"""Why no plan exists: the same network with a price on every broken promise, instead of an irreducible set of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .horizon import Horizon
from .network import Commitment, Demand, Final, Link, Network, Store, Supply
from .outcome import Answer, Fact, Value

LACK, EXCESS = "lack: ", "excess: "
FIRM_COST, SLACK_COST = 1.0, 1.01
"""Per unit of amount. A unit missing at a firm demand is named rather than the same unit missing at its bus."""
TOLD = 10
"""The worst clashes that are told; the rest is counted."""
SMALL = 1e-6
"""Amounts up to this are rounding of the re-solve."""


def elastic(network: Network) -> Network:
    """The network with firm demands soft, slack in and out at every bus, and no other cost or wish."""
    lacks = tuple(Supply(LACK + bus.name, bus.name, max=float("inf"), cost=SLACK_COST) for bus in network.buses)
    spills = tuple(Link(EXCESS + bus.name, bus.name, max=float("inf"), cost=SLACK_COST) for bus in network.buses)
    return Network(
        network.buses,
        tuple(replace(supply, cost=0.0, peak=()) for supply in network.supplies) + lacks,
        tuple(_softened(demand) for demand in network.demands),
        tuple(replace(store, end_value=0.0, final=_hard(store)) for store in network.stores),
        tuple(replace(link, cost=0.0) for link in network.links) + spills,
        tuple(replace(commitment, start_cost=0.0, on_cost=0.0) for commitment in network.commitments),
    )


def without_family(network: Network) -> Iterator[tuple[str, Network]]:
    """The network less one family of limits at a time: what slack at the buses cannot help."""
    yield "clash_ramps", replace(network, links=tuple(replace(x, max_change_per_hour=None) for x in network.links))
    yield "clash_commitments", replace(network, commitments=tuple(_idle(x) for x in network.commitments))
    yield "clash_finals", replace(network, stores=tuple(replace(x, final=None) for x in network.stores))


def _idle(commitment: Commitment) -> Commitment:
    return replace(commitment, min_rate=0.0, min_up_hours=0.0, min_down_hours=0.0)


def _softened(demand: Demand) -> Demand:
    return replace(demand, tier=None, firm=False, penalty=FIRM_COST if demand.firm else 0.0)


def _hard(store: Store) -> Final | None:
    return store.final if store.final is not None and store.final.tier is None else None


def clashes(horizon: Horizon, soft: Network, answer: Answer) -> list[Fact]:
    """What an answer to the elastic network breaks: amounts that are missing or left over, the worst first."""
    found = [
        _clash(horizon, "clash_lack", name.removeprefix(LACK), rates)
        for name, rates in answer.supplies.items()
        if name.startswith(LACK)
    ]
    found += [
        _clash(horizon, "clash_excess", name.removeprefix(EXCESS), rates)
        for name, rates in answer.links.items()
        if name.startswith(EXCESS)
    ]
    for demand in soft.demands:
        if demand.penalty:
            found.append(_clash(horizon, "clash_firm", demand.name, answer.short[demand.name], bus=demand.bus))
    amounts = sorted(((amount, fact) for amount, fact in found if amount > SMALL), key=lambda pair: -pair[0])
    return _told([fact for _, fact in amounts])


def _clash(horizon: Horizon, kind: str, place: str, rates: tuple[float, ...], **values: Value) -> tuple[float, Fact]:
    amount = sum(rate * step.hours * step.probability for rate, step in zip(rates, horizon.steps, strict=True))
    first = next((s for s, rate in enumerate(rates) if rate > SMALL), 0)
    at = horizon.steps[first].start.isoformat(timespec="minutes")
    return amount, Fact(kind, place, {"amount": amount, "step": first + 1, "first": at, **values})


def _told(found: list[Fact]) -> list[Fact]:
    if not found:
        return [Fact("clash_rounding", "", {})]
    more = [Fact("clashes_more", "", {"count": len(found) - TOLD})] if len(found) > TOLD else []
    return [Fact("hard_limits_clash", "", {}), *found[:TOLD], *more]
