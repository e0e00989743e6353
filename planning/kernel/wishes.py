"""Wishes: the demands and final levels that may fall short, in tiers of priority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyomo.environ import Any as Anything
from pyomo.environ import ConcreteModel, Param, Set, Var

from .horizon import Horizon
from .laws import law
from .network import Demand, Network, at


@dataclass(frozen=True)
class Wish:
    """A demand or a final level with a tier. `wanted` is the expected amount it asks for over the horizon."""

    kind: str
    """"demand" or "final"."""
    name: str
    bus: str
    tier: int
    wanted: float
    commodity: str


def wishes(network: Network, horizon: Horizon) -> list[Wish]:
    """Every wish that can fall short: firm and economic demands are none, nor is one that asks for nothing."""
    found = []
    commodity = {bus.name: bus.commodity for bus in network.buses}
    for demand in network.demands:
        wanted = sum(step.hours * step.probability * at(demand.amount, s) for s, step in enumerate(horizon.steps))
        if demand.tier is not None and not demand.firm and wanted > 0:
            found.append(Wish("demand", demand.name, demand.bus, demand.tier, wanted, commodity[demand.bus]))
    for store in network.stores:
        if store.final is not None and store.final.tier is not None:
            wanted = store.final.min or store.final.max or 1.0
            found.append(Wish("final", store.name, store.bus, store.final.tier, wanted, commodity[store.bus]))
    return found


def wanted_of(listed: Sequence[Wish]) -> dict[tuple[int, str], float]:
    """What each tier wants of each commodity, for the tiers that want several."""
    found: dict[tuple[int, str], float] = {}
    for wish in listed:
        found[wish.tier, wish.commodity] = found.get((wish.tier, wish.commodity), 0.0) + wish.wanted
    tiers = [tier for tier, _ in found]
    return {key: wanted for key, wanted in found.items() if tiers.count(key[0]) > 1}


def add_wishes(m: ConcreteModel, network: Network, horizon: Horizon) -> None:
    """Shortage ratio of each wish, its worst step, and the total and the worst ratio of each tier.

    wanted·ratio = Σ w[s]·(amount[s] − served[s]), of a final level Σ p[leaf]·short[leaf];
    amount[s] − served[s] ≤ amount[s]·worst_step; ratio ≤ tier_worst; tier_total = Σ wanted·ratio.
    Where a tier wants several commodities, tier_total counts each as a share of what is wanted of it, and
    Σ wanted·ratio ≤ wanted of the commodity·commodity_worst for each: 10³ m³ and MWh are never added up.
    A stage of a tier changes the costs and bounds of these few columns only, so the solver stays warm.
    """
    _index_wishes(m, network, horizon)
    m.ratio = Var(m.wishes, bounds=(0, None))
    m.worst_step = Var(m.demand_wishes, bounds=(0, None))
    m.tier_worst = Var(m.tiers, bounds=(0, None))
    m.tier_total = Var(m.tiers, bounds=(0, None))
    law(
        m,
        "demand_ratio",
        m.demand_wishes,
        rule=lambda m, k: (
            m.wanted[k] * m.ratio[k] + sum(m.weight[s] * m.served[m.name_of[k], s] for s in m.steps) == m.wanted[k]
        ),
    )
    law(
        m,
        "final_ratio",
        m.final_wishes,
        rule=lambda m, k: (
            m.wanted[k] * m.ratio[k] == sum(m.chance[s] * m.final_short[m.name_of[k], s] for s in m.leaves)
        ),
    )
    law(
        m,
        "evenness",
        m.demand_wishes,
        m.steps,
        rule=lambda m, k, s: m.served[m.name_of[k], s] + m.amount[k, s] * m.worst_step[k] >= m.amount[k, s],
    )
    law(m, "fairness", m.wishes, rule=lambda m, k: m.ratio[k] <= m.tier_worst[m.tier_of[k]])
    law(
        m,
        "tier_sum",
        m.tiers,
        rule=lambda m, t: m.tier_total[t] == sum(m.counted[k] * m.ratio[k] for k in m.wishes_of[t]),
    )
    _add_commodities(m, wishes(network, horizon))


def _add_commodities(m: ConcreteModel, listed: Sequence[Wish]) -> None:
    wanted = wanted_of(listed)
    m.commodity_worst = Var(sorted({tier for tier, _ in wanted}), bounds=(0, None))
    m.tier_commodities = Set(initialize=list(wanted), dimen=2)
    members = {key: [k for k, wish in enumerate(listed) if (wish.tier, wish.commodity) == key] for key in wanted}
    m.wishes_for = Set(m.tier_commodities, initialize=members)
    m.wanted_for = Param(m.tier_commodities, initialize=wanted, within=Anything)
    law(
        m,
        "commodity_share",
        m.tier_commodities,
        rule=lambda m, t, c: (
            sum(m.wanted[k] * m.ratio[k] for k in m.wishes_for[t, c]) <= m.wanted_for[t, c] * m.commodity_worst[t]
        ),
    )


def _index_wishes(m: ConcreteModel, network: Network, horizon: Horizon) -> None:
    """Sets and Params over the wishes' numbers: a template cannot hold a literal beside an index."""
    listed = wishes(network, horizon)
    demands: dict[str, Demand] = {demand.name: demand for demand in network.demands}
    tiers = sorted({wish.tier for wish in listed})
    m.wishes = Set(initialize=range(len(listed)))
    m.demand_wishes = Set(initialize=[k for k, wish in enumerate(listed) if wish.kind == "demand"])
    m.final_wishes = Set(initialize=[k for k, wish in enumerate(listed) if wish.kind == "final"])
    m.tiers = Set(initialize=tiers)
    m.wishes_of = Set(m.tiers, initialize={t: [k for k, wish in enumerate(listed) if wish.tier == t] for t in tiers})
    m.name_of = Param(m.wishes, initialize=lambda m, k: listed[k].name, within=Anything)
    m.tier_of = Param(m.wishes, initialize=lambda m, k: listed[k].tier, within=Anything)
    m.wanted = Param(m.wishes, initialize=lambda m, k: listed[k].wanted, within=Anything)
    counted = _counted(listed)
    m.counted = Param(m.wishes, initialize=lambda m, k: counted[k], within=Anything)
    m.amount = Param(
        m.demand_wishes,
        m.steps,
        initialize=lambda m, k, s: at(demands[listed[k].name].amount, s),
        within=Anything,
    )


def _counted(listed: Sequence[Wish]) -> list[float]:
    """What a whole wish counts in its tier's total: its amount; among several commodities its share of its own, times
    all that the tier wants, so that totals keep their size.
    """
    of_commodity = wanted_of(listed)
    counted = []
    for wish in listed:
        own = of_commodity.get((wish.tier, wish.commodity))
        whole = sum(wanted for (tier, _), wanted in of_commodity.items() if tier == wish.tier)
        counted.append(wish.wanted if own is None else wish.wanted / own * whole)
    return counted
