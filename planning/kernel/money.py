"""The stated objective: expected cost, start and on and peak charges, penalties, less the value of final levels.

The same statement twice: as the model's objective, and as plain arithmetic over an answer's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyomo.core.expr import LinearExpression
from pyomo.environ import Any as Anything
from pyomo.environ import ConcreteModel, Objective, Param, Set, Var

from .horizon import Horizon
from .laws import law
from .network import Network, Numbers, Supply, at
from .outcome import Answer

Term = tuple[float, Any]


def add_money(m: ConcreteModel, network: Network, horizon: Horizon) -> None:
    """Adds the peak laws and `money`, the objective. A plain list of terms: only what costs something is in it."""
    _add_peaks(m, network)
    terms = [
        *_amount_costs(m, network),
        *_switching_costs(m, network),
        *_peak_costs(m, network),
        *_penalties(m, network),
        *_end_values(m, network),
    ]
    wanted = sum(
        m.weight[s] * at(demand.penalty, s) * at(demand.amount, s) for demand in network.demands for s in m.steps
    )
    m.money = Objective(
        expr=LinearExpression(
            constant=float(wanted), linear_coefs=[c for c, _ in terms], linear_vars=[v for _, v in terms]
        )
    )


def _amount_costs(m: ConcreteModel, network: Network) -> Iterator[Term]:
    for variable, parts in ((m.supply, network.supplies), (m.link, network.links)):
        for part in parts:
            if any(part.cost) if isinstance(part.cost, tuple) else part.cost:
                yield from ((m.weight[s] * at(part.cost, s), variable[part.name, s]) for s in m.steps)


def _switching_costs(m: ConcreteModel, network: Network) -> Iterator[Term]:
    """Start cost once per start, on cost per hour on."""
    for c in network.commitments:
        for s in m.steps:
            yield m.chance[s] * c.start_cost, m.started[c.name, s]
            yield m.weight[s] * c.on_cost, m.on[c.name, s]


def _penalties(m: ConcreteModel, network: Network) -> Iterator[Term]:
    """Penalty·(amount − served): the constant part stands in the objective's constant."""
    for demand in network.demands:
        if any(demand.penalty) if isinstance(demand.penalty, tuple) else demand.penalty:
            yield from ((-m.weight[s] * at(demand.penalty, s), m.served[demand.name, s]) for s in m.steps)
    for store in network.stores:
        if store.final is not None and store.final.tier is not None:
            yield from ((m.chance[s] * store.final.penalty, m.final_short[store.name, s]) for s in m.leaves)


def _end_values(m: ConcreteModel, network: Network) -> Iterator[Term]:
    for store in network.stores:
        if store.end_value:
            yield from ((-m.chance[s] * store.end_value, m.level[store.name, s]) for s in m.leaves)


def _peak_costs(m: ConcreteModel, network: Network) -> Iterator[Term]:
    for name, k, charge in peaks(network):
        yield from ((m.chance[s] * charge, m.excess[name, k, s]) for s in m.leaves)


def peaks(network: Network) -> list[tuple[str, int, float]]:
    """(supply, number of the charge, money per unit of rate), for every peak charge."""
    return [(supply.name, k, peak.cost) for supply in network.supplies for k, peak in enumerate(supply.peak)]


def _add_peaks(m: ConcreteModel, network: Network) -> None:
    """Peak: excess[s] ≥ excess[↑s] and excess[s] ≥ rate[s] − above, so that a leaf holds the highest of its branch."""
    supplies: dict[str, Supply] = {supply.name: supply for supply in network.supplies}
    m.peaks = Set(initialize=[(name, k) for name, k, _ in peaks(network)], dimen=2)
    m.excess = Var(m.peaks, m.steps, bounds=(0, None))
    m.above = Param(m.peaks, initialize=lambda m, i, k: supplies[i].peak[k].above, within=Anything)
    law(m, "peak_kept", m.peaks, m.later, rule=lambda m, i, k, s: m.excess[i, k, s] >= m.excess[i, k, m.parent[s]])
    law(
        m, "peak_reached", m.peaks, m.steps, rule=lambda m, i, k, s: m.supply[i, s] - m.excess[i, k, s] <= m.above[i, k]
    )


def stated_money(network: Network, horizon: Horizon, answer: Answer) -> tuple[float, float]:
    """(cost, penalties) of an answer's rates, levels and states, expected over the tree."""
    cost = (
        sum(_paid(horizon, supply.cost, answer.supplies[supply.name]) for supply in network.supplies)
        + sum(_paid(horizon, link.cost, answer.links[link.name]) for link in network.links)
        + _paid_for_switching(network, horizon, answer)
        + _paid_for_peaks(network, horizon, answer)
        - sum(
            store.end_value * horizon.steps[leaf].probability * answer.levels[store.name][leaf]
            for store in network.stores
            for leaf in horizon.leaves
        )
    )
    penalties = sum(_paid(horizon, demand.penalty, answer.short[demand.name]) for demand in network.demands)
    for store in network.stores:
        if store.final is not None and store.final.tier is not None:
            penalties += store.final.penalty * answer.final_short[store.name]
    return cost, penalties


def _paid(horizon: Horizon, price: Numbers, rates: tuple[float, ...]) -> float:
    if price == 0:
        return 0.0
    return sum(step.hours * step.probability * at(price, s) * rates[s] for s, step in enumerate(horizon.steps))


def _paid_for_switching(network: Network, horizon: Horizon, answer: Answer) -> float:
    paid = 0.0
    for c in network.commitments:
        on = answer.commitments[c.name]
        for s, step in enumerate(horizon.steps):
            was = int(c.initially) if step.parent is None else on[step.parent]
            paid += step.probability * (c.start_cost * max(0, on[s] - was) + c.on_cost * step.hours * on[s])
    return paid


def _paid_for_peaks(network: Network, horizon: Horizon, answer: Answer) -> float:
    paid = 0.0
    for supply in (supply for supply in network.supplies if supply.peak):
        highest: list[float] = []
        for s, step in enumerate(horizon.steps):
            rate = answer.supplies[supply.name][s]
            highest.append(rate if step.parent is None else max(rate, highest[step.parent]))
        for leaf in horizon.leaves:
            chance = horizon.steps[leaf].probability
            paid += chance * sum(p.cost * max(0.0, highest[leaf] - p.above) for p in supply.peak)
    return paid
