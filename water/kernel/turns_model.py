"""The valve MILP of one lateral in Pyomo: when each valve is open, and when it is opened.

Symbols: on[v,t], start[v,t] ∈ {0,1}; q_v design flow; s_v the volume of one slot; L_v, M_v shortest and longest run;
d_v the lag from headgate to valve. Only (v,t) in which a valve may be open have variables.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pyomo.environ import Binary, ConcreteModel, Constraint, NonNegativeReals, Objective, Set, Var

from water.kernel.lateral import ROUNDING, TurnCase, Valve

Key = tuple[str, int]


def turns_model(case: TurnCase) -> ConcreteModel:
    """The model that delivers the most, with `delivered` and `worst` (missing share) per tier."""
    valves = {valve.name: valve for valve in case.valves if case.wanted_slots(valve)}
    m = ConcreteModel()
    m.valves = Set(initialize=list(valves))
    m.tiers = Set(initialize=sorted({valve.tier for valve in valves.values()}))
    m.open_at = Set(dimen=2, initialize=[(v, t) for v, valve in valves.items() for t in case.open_slots(valve)])
    m.opens_at = Set(dimen=2, initialize=[key for v in valves.values() for key in _openings(case, v)])
    m.on = Var(m.open_at, within=Binary)
    m.start = Var(m.opens_at, within=Binary)
    m.delivered = Var(m.tiers, within=NonNegativeReals)
    m.worst = Var(m.tiers, bounds=(0, 1))
    _define_runs(m, valves)
    _define_volumes(m, case, valves)
    _define_canal(m, case, valves)
    m.money = Objective(expr=-sum(m.delivered[k] for k in m.tiers))
    return m


def _openings(case: TurnCase, valve: Valve) -> list[Key]:
    """Slots in which the valve may be opened: those with room for a shortest run."""
    slots = set(case.open_slots(valve))
    return [(valve.name, t) for t in sorted(slots) if slots.issuperset(range(t, t + valve.min_run_slots))]


def _define_runs(m: ConcreteModel, valves: dict[str, Valve]) -> None:
    """Runs: start[t] ≥ on[t] − on[t−1];  start[t] + on[t−1] ≤ 1;  Σ_{t−L<s≤t} start[s] ≤ on[t] ≤ Σ_{t−M<s≤t} start[s].

    The second keeps a valve that stays open from being "opened" again, which would let it outlast its longest run.
    """

    def starts(v: str, t: int, slots: int) -> Any:
        return sum(m.start[v, s] for s in range(t - slots + 1, t + 1) if (v, s) in m.start)

    def on_before(v: str, t: int) -> Any:
        return sum(m.on[key] for key in [(v, t - 1)] if key in m.on)

    def opened(m: ConcreteModel, v: str, t: int) -> Any:
        return m.on[v, t] - on_before(v, t) <= starts(v, t, 1)

    def shut_before(m: ConcreteModel, v: str, t: int) -> Any:
        return m.start[v, t] + on_before(v, t) <= 1

    def shortest(m: ConcreteModel, v: str, t: int) -> Any:
        begun = starts(v, t, valves[v].min_run_slots)
        return Constraint.Skip if isinstance(begun, int) else begun <= m.on[v, t]

    def longest(m: ConcreteModel, v: str, t: int) -> Any:
        slots = valves[v].max_run_slots
        return Constraint.Skip if slots is None else m.on[v, t] <= starts(v, t, slots)

    m.opened = Constraint(m.open_at, rule=opened)
    m.shut_before = Constraint(m.opens_at, rule=shut_before)
    m.shortest = Constraint(m.open_at, rule=shortest)
    m.longest = Constraint(m.open_at, rule=longest)


def _define_volumes(m: ConcreteModel, case: TurnCase, valves: dict[str, Valve]) -> None:
    """Volumes: Σ_t on ≤ wanted slots;  delivered_k = Σ_{v∈k} s_v Σ_t on;  worst_k ≥ 1 − s_v Σ_t on / wanted_v."""

    def open_slots(v: str) -> Any:
        return sum(m.on[v, t] for t in case.open_slots(valves[v]))

    def not_more_than_wanted(m: ConcreteModel, v: str) -> Any:
        return open_slots(v) <= case.wanted_slots(valves[v]) if case.open_slots(valves[v]) else Constraint.Skip

    def delivered(m: ConcreteModel, k: int) -> Any:
        volume = sum(case.slot_m3(valve) * open_slots(v) for v, valve in valves.items() if valve.tier == k)
        return m.delivered[k] == volume

    def worst(m: ConcreteModel, v: str) -> Any:
        valve = valves[v]
        return m.worst[valve.tier] + case.slot_m3(valve) / valve.wanted_m3 * open_slots(v) >= 1

    m.not_more_than_wanted = Constraint(m.valves, rule=not_more_than_wanted)
    m.volume = Constraint(m.tiers, rule=delivered)
    m.missing_share = Constraint(m.valves, rule=worst)


def _define_canal(m: ConcreteModel, case: TurnCase, valves: dict[str, Valve]) -> None:
    """Canal: Σ_v on[v,t] ≤ max open;  Σ_v q_v on[v, h + d_v] ≤ what valves can fill of min(capacity, inflow_h).

    With the capacity itself the relaxation would open half a valve to fill the canal, and the bound be far off.
    """
    open_now: dict[int, list[Any]] = defaultdict(list)
    leaving: dict[int, list[Any]] = defaultdict(list)
    for v, t in m.open_at:
        open_now[t].append(m.on[v, t])
        leaving[t - case.lag_slots(valves[v])].append(valves[v].flow_m3s * m.on[v, t])
    fill = case.fillings_m3s()
    m.open_at_once = Constraint(sorted(open_now), rule=lambda m, t: sum(open_now[t]) <= case.lateral.max_open)
    m.water_in_canal = Constraint(sorted(leaving), rule=lambda m, h: sum(leaving[h]) <= fill[h] + ROUNDING)
