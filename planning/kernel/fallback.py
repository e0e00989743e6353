"""Safe rules for the on/off parts, for when a search ends without any plan: what is left then is an LP.

A rule says what each part should be at each step; minimum times decide when it gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .compiled import Compiled
from .horizon import Horizon
from .network import Commitment, Link, Network, Supply, at

HOUR_EDGE = 1e-9
"""Hours below which two instants are one."""
RULES: dict[str, Callable[[Commitment], bool]] = {
    "fallback_hold": lambda commitment: commitment.initially,
    "fallback_on": lambda commitment: True,
    "fallback_off": lambda commitment: False,
}
"""What each rule wants the parts to be, by the kind of its reason."""


def held_by(rule: str, compiled: Compiled, network: Network, horizon: Horizon) -> Compiled:
    """A copy of the model whose on/off parts are held as the rule says; the model itself stays as it is."""
    states = [_states(commitment, RULES[rule](commitment), network, horizon) for commitment in network.commitments]
    low, high = compiled.col_lower.copy(), compiled.col_upper.copy()
    low[compiled.columns["on"]] = high[compiled.columns["on"]] = np.array(states, dtype=float).ravel()
    return replace(compiled, col_lower=low, col_upper=high, integral=np.array([], dtype=np.int64))


def _states(commitment: Commitment, wanted: bool, network: Network, horizon: Horizon) -> list[int]:
    """The wanted state wherever the part can have it, once the state before has lasted its minimum hours."""
    can_run = _can_run(commitment, network, horizon)
    states: list[int] = []
    lasted: list[float] = []
    for s, step in enumerate(horizon.steps):
        was = int(commitment.initially) if step.parent is None else states[step.parent]
        had = commitment.initial_hours if step.parent is None else lasted[step.parent]
        least = commitment.min_up_hours if was else commitment.min_down_hours
        states.append(int(wanted and can_run[s]) if had >= least - HOUR_EDGE else was)
        lasted.append((had if states[s] == was else 0.0) + step.hours)
    return states


def _can_run(commitment: Commitment, network: Network, horizon: Horizon) -> Sequence[bool]:
    """Whether the part's own limits leave room for its least rate while on."""
    parts: Sequence[Supply | Link] = network.supplies if commitment.of_kind == "supply" else network.links
    part = next(part for part in parts if part.name == commitment.of_name)
    return [at(part.max, s) >= max(commitment.min_rate, at(part.min, s)) for s in range(len(horizon))]
