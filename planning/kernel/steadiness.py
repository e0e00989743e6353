"""Steady operation: of all plans that cost the same, the one whose rates change least from step to step.

Without this, sources of equal cost take turns from quarter to quarter hour as the solver's path happens to fall, which
nobody can operate and which nothing is gained by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from pyomo.environ import ConcreteModel, Set, Var

from .compiled import Compiled, Floats, Places
from .horizon import Horizon
from .laws import law, names
from .network import Link, Network, Numbers, Supply

KINDS = ("supply", "link")
LAST_STAGE = frozenset({"supply_fall", "link_fall", "supply_falls", "link_falls"})
"""Variables and laws that only the last stage needs: the others would be slower with them."""
NO_SCALE = 1.0
"""Scale of a part without a limit that rests: what it is does not matter then."""


def steered(network: Network, kind: str) -> list[Supply | Link]:
    """The parts of a kind whose changes matter: those that have a choice."""
    parts: tuple[Supply | Link, ...] = network.supplies if kind == "supply" else network.links
    return [part for part in parts if part.min != part.max]


def add_steadiness(m: ConcreteModel, network: Network, horizon: Horizon) -> None:
    """Fall: fall[s] ≥ max(0, rate[↑s] − rate[s]); where it is least, |change[s]| = rate[s] − rate[↑s] + 2·fall[s]."""
    for kind in KINDS:
        family = Set(initialize=names(steered(network, kind)))
        m.add_component(f"steered_{kind}", family)
        _add_falls(m, kind, family)


def _add_falls(m: ConcreteModel, kind: str, family: Set) -> None:
    rate, fall = m.component(kind), Var(family, m.later, bounds=(0, None))
    m.add_component(f"{kind}_fall", fall)
    law(
        m,
        f"{kind}_falls",
        family,
        m.later,
        rule=lambda m, i, s: fall[i, s] + rate[i, s] - rate[i, m.parent[s]] >= 0,
    )


def changes(compiled: Compiled, network: Network, horizon: Horizon, values: Floats) -> Floats:
    """Costs that add up the changes of rates, each as a share of its part's largest rate.

    Σ p[s]·|rate[s] − rate[↑s]| ÷ largest rate, over all steered parts. Where nothing limits a part, that is the largest
    that it has in `values`.
    """
    cost = np.zeros(len(compiled.cost))
    ways = [(s, step.parent, step.probability) for s, step in enumerate(horizon.steps) if step.parent is not None]
    if not ways:
        return cost
    later, parents, chances = (np.array(column) for column in zip(*ways, strict=True))
    for kind in KINDS:
        rates = _rates(compiled, network, horizon, kind)
        falls = compiled.columns[f"{kind}_fall"].reshape(-1, len(later))
        for part, row, fall in zip(steered(network, kind), rates, falls, strict=True):
            weights = chances / _scale(part, values[row])
            np.add.at(cost, row[later], weights)
            np.add.at(cost, row[parents], -weights)
            np.add.at(cost, fall, 2 * weights)
    return cost


def _rates(compiled: Compiled, network: Network, horizon: Horizon, kind: str) -> Iterator[Places]:
    """The columns of each steered part's rates, in the order of the steps."""
    parts = network.supplies if kind == "supply" else network.links
    places = dict(zip((part.name for part in parts), compiled.columns[kind].reshape(-1, len(horizon)), strict=True))
    return (places[part.name] for part in steered(network, kind))


def _scale(part: Supply | Link, rates: Floats) -> float:
    largest = max(_largest(part.max), _largest(part.min))
    return largest if 0 < largest < math.inf else float(np.max(np.abs(rates))) or NO_SCALE


def _largest(numbers: Numbers) -> float:
    return max(map(abs, numbers)) if isinstance(numbers, tuple) else abs(numbers)
