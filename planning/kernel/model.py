"""Network + Horizon → one Pyomo model: one function per law, with its equation.

Every component is indexed by (part, step); no law builds a Block per asset. Laws templatize, so that Pyomo
expands each of them as a loop over numbers instead of an expression tree per row. What would slow that
down is kept out: no division by an indexed Param, Params filled by a rule within Any (a dict costs five times as much).

A served rate is a variable and its shortage is `amount − served`, which keeps the amounts out of the balances.
Step s has hours h[s], probability p[s] and weight w[s] = h[s]·p[s]; ↑s is its parent.
"""

from __future__ import annotations

import math
from typing import Any

from pyomo.environ import Any as Anything
from pyomo.environ import ConcreteModel, Param, Set, Var

from .commitments import add_commitments
from .horizon import Horizon
from .laws import law, names, set_bounds, spread, templates
from .money import add_money
from .network import Network, Store, joined_buses
from .steadiness import add_steadiness
from .wishes import add_wishes


def build(network: Network, horizon: Horizon) -> ConcreteModel:
    """The whole model with its one objective, `money`; the tiers are solved on the columns of `wishes.py`."""
    m = ConcreteModel()
    with templates():
        _add_steps(m, horizon)
        _add_rates(m, network)
        _add_stores(m, network)
        _add_arrivals(m, network, horizon)
        _add_balance(m, network)
        _add_ramps(m, network)
        add_wishes(m, network, horizon)
        add_commitments(m, network, horizon)
        add_steadiness(m, network, horizon)
        add_money(m, network, horizon)
    return m


def _add_steps(m: ConcreteModel, horizon: Horizon) -> None:
    steps = horizon.steps
    m.steps = Set(initialize=range(len(steps)))
    m.later = Set(initialize=[i for i, step in enumerate(steps) if step.parent is not None])
    m.roots = Set(initialize=[i for i, step in enumerate(steps) if step.parent is None])
    m.leaves = Set(initialize=horizon.leaves)
    m.hours = Param(m.steps, initialize=lambda m, s: steps[s].hours, within=Anything)
    m.weight = Param(m.steps, initialize=lambda m, s: steps[s].hours * steps[s].probability, within=Anything)
    m.chance = Param(m.steps, initialize=lambda m, s: steps[s].probability, within=Anything)
    m.parent = Param(m.later, initialize=lambda m, s: steps[s].parent, within=Anything)


def _add_rates(m: ConcreteModel, network: Network) -> None:
    """Rates of supplies, links and served demands, within their own limits; a committed part may also rest at 0."""
    steps = len(m.steps)
    committed = {(c.of_kind, c.of_name) for c in network.commitments}
    for kind, parts in (("supply", network.supplies), ("link", network.links)):
        m.add_component(kind, Var(names(parts), m.steps))
        lows = [0.0 if (kind, part.name) in committed else part.min for part in parts]
        set_bounds(m.component(kind), spread(lows, steps), spread((part.max for part in parts), steps))
    m.served = Var(names(network.demands), m.steps)
    firm = [demand.amount if demand.firm else 0.0 for demand in network.demands]
    set_bounds(m.served, spread(firm, steps), spread((demand.amount for demand in network.demands), steps))


def _add_balance(m: ConcreteModel, network: Network) -> None:
    """Balance: Σ supply + Σ coefficient·arrival = Σ link out + Σ coefficient·uses + Σ served + Σ net fill, bus by bus.

    A link without a lag arrives in the step it leaves.
    """
    of_bus: dict[str, dict[str, list[str]]] = {
        kind: {bus.name: [] for bus in network.buses}
        for kind in ("supplies", "demands", "stores", "leaving", "coming", "late", "drawn")
    }
    for kind, parts in (("supplies", network.supplies), ("demands", network.demands), ("stores", network.stores)):
        for part in parts:
            of_bus[kind][part.bus].append(part.name)
    for link in network.links:
        of_bus["leaving"][link.source].append(link.name)
        for bus in link.to:
            of_bus["late" if link.lag_hours else "coming"][bus].append(link.name)
        for bus in link.uses:
            of_bus["drawn"][bus].append(link.name)
    m.buses = Set(initialize=joined_buses(network))
    for kind, found in of_bus.items():
        m.add_component(f"{kind}_of", Set(m.buses, initialize={b: found[b] for b in m.buses}))
    m.brings = _coefficients({(link.name, bus): c for link in network.links for bus, c in link.to.items()})
    m.draws = _coefficients({(link.name, bus): c for link in network.links for bus, c in link.uses.items()})
    law(m, "balance", m.buses, m.steps, rule=_balance)


def _balance(m: ConcreteModel, b: Any, s: Any) -> Any:
    return (
        sum(m.supply[i, s] for i in m.supplies_of[b])
        + sum(m.brings[i, b] * m.link[i, s] for i in m.coming_of[b])
        + sum(m.brings[i, b] * m.arrival[i, s] for i in m.late_of[b])
        - sum(m.link[i, s] for i in m.leaving_of[b])
        - sum(m.draws[i, b] * m.link[i, s] for i in m.drawn_of[b])
        - sum(m.served[i, s] for i in m.demands_of[b])
        - sum(m.net_fill[i, s] for i in m.stores_of[b])
    ) == 0


def _coefficients(values: dict[tuple[str, str], float]) -> Param:
    return Param(list(values), initialize=values, within=Anything)


def _add_stores(m: ConcreteModel, network: Network) -> None:
    """Storage: level[s] = level[↑s]·(1 − loss)^h[s] + net_fill[s]·h[s]; the root starts from the initial level."""
    stores = {store.name: store for store in network.stores}
    steps = len(m.steps)
    m.stores = Set(initialize=list(stores))
    m.level = Var(m.stores, m.steps)
    m.net_fill = Var(m.stores, m.steps)
    set_bounds(
        m.level, spread((s.min for s in network.stores), steps), spread((s.capacity for s in network.stores), steps)
    )
    m.kept = Param(
        m.stores, m.steps, initialize=lambda m, i, s: (1 - stores[i].loss_per_hour) ** m.hours[s], within=Anything
    )
    m.initial = Param(m.stores, initialize=lambda m, i: stores[i].initial, within=Anything)
    law(
        m,
        "storage",
        m.stores,
        m.later,
        rule=lambda m, i, s: (
            m.level[i, s] - m.kept[i, s] * m.level[i, m.parent[s]] - m.hours[s] * m.net_fill[i, s] == 0
        ),
    )
    law(
        m,
        "storage_begins",
        m.stores,
        m.roots,
        rule=lambda m, i, s: m.level[i, s] - m.hours[s] * m.net_fill[i, s] == m.kept[i, s] * m.initial[i],
    )
    _add_finals(m, network.stores)


def _add_finals(m: ConcreteModel, stores: tuple[Store, ...]) -> None:
    """Final level at every leaf: final min ≤ level + short, level − short ≤ final max; short = 0 without a tier."""
    finals = {store.name: store.final for store in stores if store.final is not None}
    m.final_short = Var([name for name, final in finals.items() if final.tier is not None], m.leaves, bounds=(0, None))
    for name, final in finals.items():
        if final.tier is None:
            for leaf in m.leaves:
                data = m.level[name, leaf]
                data.lower = max(data.lb, final.min if final.min is not None else -math.inf)
                data.upper = min(_or_inf(data.ub), final.max if final.max is not None else math.inf)
    soft = {name: final for name, final in finals.items() if final.tier is not None}
    low = {name: final.min for name, final in soft.items() if final.min is not None}
    high = {name: final.max for name, final in soft.items() if final.max is not None}
    m.final_floor, m.final_ceiling = Set(initialize=list(low)), Set(initialize=list(high))
    m.final_min = Param(m.final_floor, initialize=low, within=Anything)
    m.final_max = Param(m.final_ceiling, initialize=high, within=Anything)
    law(
        m,
        "final_low",
        m.final_floor,
        m.leaves,
        rule=lambda m, i, s: m.level[i, s] + m.final_short[i, s] >= m.final_min[i],
    )
    law(
        m,
        "final_high",
        m.final_ceiling,
        m.leaves,
        rule=lambda m, i, s: m.level[i, s] - m.final_short[i, s] <= m.final_max[i],
    )


def _or_inf(bound: float | None) -> float:
    return math.inf if bound is None else bound


def _add_arrivals(m: ConcreteModel, network: Network, horizon: Horizon) -> None:
    """Lag: arrival[s] = Σ share·rate[sender] + share before the horizon·initial rate.

    The share of a sender is the part of the step, shifted back by the lag, that it covers: on mixed steps one hour's
    arrivals may have left in four quarters, and four quarters' arrivals in one hour.
    """
    late = {link.name: link for link in network.links if link.lag_hours}
    arrivals = {
        lag: [horizon.arrivals(s, lag) for s in range(len(horizon))] for lag in {x.lag_hours for x in late.values()}
    }
    m.late = Set(initialize=list(late))
    m.arrival = Var(m.late, m.steps)
    senders = {(i, s): [a for a, _ in arrivals[late[i].lag_hours][s][0]] for i in late for s in m.steps}
    shares = {(i, s, a): x for i in late for s in m.steps for a, x in arrivals[late[i].lag_hours][s][0]}
    m.senders = Set(m.late, m.steps, initialize=senders)
    m.share = Param(list(shares), initialize=lambda m, i, s, a: shares[i, s, a], within=Anything)
    m.sent_before = Param(
        m.late,
        m.steps,
        initialize=lambda m, i, s: arrivals[late[i].lag_hours][s][1] * late[i].initial_rate,
        within=Anything,
    )
    law(
        m,
        "lag",
        m.late,
        m.steps,
        rule=lambda m, i, s: (
            m.arrival[i, s] - sum(m.share[i, s, a] * m.link[i, a] for a in m.senders[i, s]) == m.sent_before[i, s]
        ),
    )


def _add_ramps(m: ConcreteModel, network: Network) -> None:
    """Ramp: |rate[s] − rate[↑s]| ≤ max change per hour·h[s]; the root changes from the link's initial rate.

    Of a link that may drop, a rise alone is limited.
    """
    ramped = {link.name: link for link in network.links if link.max_change_per_hour is not None}
    m.ramped = Set(initialize=list(ramped))
    m.slow = Set(initialize=[name for name, link in ramped.items() if not link.may_drop])
    m.initial_rate = Param(m.ramped, initialize=lambda m, i: ramped[i].initial_rate, within=Anything)
    m.change = Param(
        m.ramped, m.steps, initialize=lambda m, i, s: ramped[i].max_change_per_hour * m.hours[s], within=Anything
    )
    law(m, "ramp_up", m.ramped, m.later, rule=lambda m, i, s: m.link[i, s] - m.link[i, m.parent[s]] <= m.change[i, s])
    law(m, "ramp_down", m.slow, m.later, rule=lambda m, i, s: m.link[i, m.parent[s]] - m.link[i, s] <= m.change[i, s])
    law(m, "ramp_up_first", m.ramped, m.roots, rule=lambda m, i, s: m.link[i, s] <= m.change[i, s] + m.initial_rate[i])
    law(m, "ramp_down_first", m.slow, m.roots, rule=lambda m, i, s: m.link[i, s] >= m.initial_rate[i] - m.change[i, s])
