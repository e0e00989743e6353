"""Laws of on/off parts: unit commitment written over ancestors in hours, so that it holds on mixed steps and trees."""

from __future__ import annotations

from typing import Any

from pyomo.environ import Any as Anything
from pyomo.environ import Binary, ConcreteModel, Param, Set, Var

from .horizon import Horizon
from .laws import law
from .network import Commitment, Network, at

HOUR_EDGE = 1e-9
"""Hours below which two instants are one: step starts are sums of floating-point hours."""


def add_commitments(m: ConcreteModel, network: Network, horizon: Horizon) -> None:
    """Adds `on` (binary), `started`, `stopped` and the laws that tie them to each other and to the rates."""
    parts = {c.name: c for c in network.commitments}
    m.committed = Set(initialize=list(parts))
    m.on = Var(m.committed, m.steps, domain=Binary)
    m.started = Var(m.committed, m.steps, bounds=(0, 1))
    m.stopped = Var(m.committed, m.steps, bounds=(0, 1))
    _add_switching(m, parts)
    _add_minimum_times(m, parts, horizon)
    _hold_initial_state(m, parts, horizon)
    for kind, owners in (("supply", network.supplies), ("link", network.links)):
        _add_rate_limits(m, kind, {c.name: c for c in parts.values() if c.of_kind == kind}, owners)


def _add_switching(m: ConcreteModel, parts: dict[str, Commitment]) -> None:
    """Switching: on[s] − on[↑s] = started[s] − stopped[s]; the root follows the initial state."""
    m.was_on = Param(m.committed, initialize=lambda m, c: int(parts[c].initially), within=Anything)
    law(
        m,
        "switching",
        m.committed,
        m.later,
        rule=lambda m, c, s: m.on[c, s] - m.on[c, m.parent[s]] == m.started[c, s] - m.stopped[c, s],
    )
    law(
        m,
        "switching_first",
        m.committed,
        m.roots,
        rule=lambda m, c, s: m.on[c, s] - m.started[c, s] + m.stopped[c, s] == m.was_on[c],
    )


def _add_minimum_times(m: ConcreteModel, parts: dict[str, Commitment], horizon: Horizon) -> None:
    """Minimum up: Σ started[a] ≤ on[s]; minimum down: Σ stopped[a] ≤ 1 − on[s], over ancestors begun within the hours.

    Rajan and Takriti, "Minimum up/down polytopes of the unit commitment problem" (IBM RC23628, 2005); the sums
    always hold the step itself, which also forbids starting and stopping at once.
    """
    up = {(c, s): recent(horizon, s, part.min_up_hours) for c, part in parts.items() for s in m.steps}
    down = {(c, s): recent(horizon, s, part.min_down_hours) for c, part in parts.items() for s in m.steps}
    m.recent_up = Set(m.committed, m.steps, initialize=up)
    m.recent_down = Set(m.committed, m.steps, initialize=down)
    law(
        m,
        "minimum_up",
        m.committed,
        m.steps,
        rule=lambda m, c, s: sum(m.started[c, a] for a in m.recent_up[c, s]) <= m.on[c, s],
    )
    law(
        m,
        "minimum_down",
        m.committed,
        m.steps,
        rule=lambda m, c, s: sum(m.stopped[c, a] for a in m.recent_down[c, s]) <= 1 - m.on[c, s],
    )


def recent(horizon: Horizon, step: int, hours: float) -> list[int]:
    """The step and those of its ancestors that begin less than `hours` before it begins."""
    begin = horizon.steps[step].start
    found = [step]
    for a in horizon.ancestors(step)[1:]:
        if (begin - horizon.steps[a].start).total_seconds() / 3600 > hours - HOUR_EDGE:
            break
        found.append(a)
    return found


def _hold_initial_state(m: ConcreteModel, parts: dict[str, Commitment], horizon: Horizon) -> None:
    """A state that has not lasted its minimum hours before the horizon goes on until it has."""
    for c, part in parts.items():
        left = (part.min_up_hours if part.initially else part.min_down_hours) - part.initial_hours
        for s, step in enumerate(horizon.steps):
            if (step.start - horizon.start).total_seconds() / 3600 < left - HOUR_EDGE:
                m.on[c, s].lower = m.on[c, s].upper = int(part.initially)


def _add_rate_limits(m: ConcreteModel, kind: str, parts: dict[str, Commitment], owners: tuple[Any, ...]) -> None:
    """On-rate: max(min, min rate)·on[s] ≤ rate[s] ≤ max[s]·on[s]."""
    of = {c: next(owner for owner in owners if owner.name == part.of_name) for c, part in parts.items()}
    family = Set(initialize=list(parts))
    owner = Param(family, initialize=lambda m, c: of[c].name, within=Anything)
    low = Param(family, m.steps, initialize=lambda m, c, s: max(parts[c].min_rate, at(of[c].min, s)), within=Anything)
    high = Param(family, m.steps, initialize=lambda m, c, s: at(of[c].max, s), within=Anything)
    for name, component in (("committed", family), ("owner", owner), ("on_min", low), ("on_max", high)):
        m.add_component(f"{kind}_{name}", component)
    rate = m.component(kind)
    law(m, f"{kind}_on_low", family, m.steps, rule=lambda m, c, s: rate[owner[c], s] >= low[c, s] * m.on[c, s])
    law(m, f"{kind}_on_high", family, m.steps, rule=lambda m, c, s: rate[owner[c], s] <= high[c, s] * m.on[c, s])
