"""Why no plan exists: the same network with a price on every broken promise, instead of an irreducible set of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .horizon import Horizon
from .network import Commitment, Demand, Final, Link, Network, Store, Supply
from .outcome import Answer

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
    yield (
        "the ramps of links",
        replace(network, links=tuple(replace(x, max_change_per_hour=None) for x in network.links)),
    )
    yield "the commitments", replace(network, commitments=tuple(_idle(x) for x in network.commitments))
    yield "the final levels of stores", replace(network, stores=tuple(replace(x, final=None) for x in network.stores))


def _idle(commitment: Commitment) -> Commitment:
    return replace(commitment, min_rate=0.0, min_up_hours=0.0, min_down_hours=0.0)


def _softened(demand: Demand) -> Demand:
    return replace(demand, tier=None, firm=False, penalty=FIRM_COST if demand.firm else 0.0)


def _hard(store: Store) -> Final | None:
    return store.final if store.final is not None and store.final.tier is None else None


@dataclass(frozen=True)
class Clash:
    """One broken promise of the elastic plan: an amount that is missing or left over, and its first step."""

    what: str
    amount: float
    first_step: int


def clashes(horizon: Horizon, soft: Network, answer: Answer) -> list[Clash]:
    """All clashes, worst first, from an answer to the elastic network."""
    slack = [(name, rates) for name, rates in answer.supplies.items() if name.startswith(LACK)]
    slack += [(name, rates) for name, rates in answer.links.items() if name.startswith(EXCESS)]
    found = [_clash(horizon, _of_slack(name), rates) for name, rates in slack]
    for demand in soft.demands:
        if demand.penalty:
            what = f"firm demand {demand.name} at bus {demand.bus} cannot be met, missing"
            found.append(_clash(horizon, what, answer.short[demand.name]))
    return sorted((clash for clash in found if clash.amount > SMALL), key=lambda clash: -clash.amount)


def _of_slack(name: str) -> str:
    if name.startswith(LACK):
        return f"bus {name[len(LACK) :]} is short of what its hard limits draw by"
    return f"bus {name[len(EXCESS) :]} receives more than can leave it, left over"


def _clash(horizon: Horizon, what: str, rates: tuple[float, ...]) -> Clash:
    amount = sum(rate * step.hours * step.probability for rate, step in zip(rates, horizon.steps, strict=True))
    first = next((s for s, rate in enumerate(rates) if rate > SMALL), 0)
    return Clash(what, amount, first)


def sentence(horizon: Horizon, found: list[Clash]) -> str:
    """The clashes in plain words."""
    if not found:
        return (
            "The solver finds the hard limits infeasible, but by less than its own rounding: widen the tightest ones."
        )
    told = [
        f"{clash.what} {clash.amount:.6g} in all, first in step {clash.first_step + 1}"
        f" ({horizon.steps[clash.first_step].start.isoformat(timespec='minutes')})"
        for clash in found[:TOLD]
    ]
    more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
    return "The hard limits cannot all be kept: " + "; ".join(told) + more + "."
