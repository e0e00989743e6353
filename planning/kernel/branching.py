"""A network made for a path of steps, spread over a tree: every step of the tree stands for one of the path.

What is uncertain has a value of its own in every branch; all else is as on the path. A plan over the tree decides the
steps before a branch once, for all that may follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from cities.kernel.said import Said

from .horizon import Horizon, Step
from .network import Demand, Link, Network, Numbers, Store, Supply, at
from .problems import InvalidInput, Problem

PER_STEP = {
    Supply: ("max", "min", "cost"),
    Demand: ("amount", "penalty"),
    Store: ("capacity", "min"),
    Link: ("max", "min", "cost"),
}
Part = TypeVar("Part", Supply, Demand, Store, Link)


class Node(Protocol):
    """A step of the tree: the path's step it stands for, the node before it, the chance to come here at all, and the
    uncertain values."""

    @property
    def step(self) -> int: ...
    @property
    def parent(self) -> int | None: ...
    @property
    def probability(self) -> float: ...
    @property
    def values(self) -> tuple[float, ...]: ...


def branched(
    network: Network, horizon: Horizon, nodes: Sequence[Node], names: Sequence[str]
) -> tuple[Network, Horizon]:
    """The network over a tree. `names` says of which supply, demand or link the nodes' values are, in their order: the
    rate that must be taken, the amount, and the highest rate. Raises InvalidInput with every name that is none of them.
    """
    parts = {part.name for part in network.supplies} | {part.name for part in network.demands}
    parts |= {part.name for part in network.links}
    found = [
        Problem("names", name, Said("a supply, demand or link of the network")) for name in names if name not in parts
    ]
    if found or not horizon.is_path:
        raise InvalidInput(found or [Problem("horizon", Said("a tree"), Said("a path of steps"))])
    lines = {name: tuple(max(0.0, node.values[k]) for node in nodes) for k, name in enumerate(names)}
    steps = [node.step for node in nodes]
    tree = replace(
        network,
        supplies=tuple(_uncertain(_spread(part, steps), lines) for part in network.supplies),
        demands=tuple(_uncertain(_spread(part, steps), lines) for part in network.demands),
        stores=tuple(_spread(part, steps) for part in network.stores),
        links=tuple(_uncertain(_spread(part, steps), lines) for part in network.links),
    )
    return tree, Horizon(tuple(_step(horizon, node, k) for k, node in enumerate(nodes)))


def _step(horizon: Horizon, node: Node, k: int) -> Step:
    step = horizon.steps[node.step]
    return Step(str(k), node.parent, step.start, step.hours, node.probability)


def _spread(part: Part, steps: Sequence[int]) -> Part:
    """The part with the path's values at the tree's steps; a constant stays one."""
    values: dict[str, Any] = {name: _at(getattr(part, name), steps) for name in PER_STEP[type(part)]}
    return replace(part, **values)


def _at(numbers: Numbers, steps: Sequence[int]) -> Numbers:
    return tuple(numbers[step] for step in steps) if isinstance(numbers, tuple) else numbers


def _uncertain(part: Part, lines: Mapping[str, tuple[float, ...]]) -> Part:
    line = lines.get(part.name)
    if line is None or isinstance(part, Store):
        return part
    values: dict[str, Any] = {"amount": line}
    if not isinstance(part, Demand):
        must = isinstance(part, Supply) and part.min == part.max
        values = {
            "max": line,
            "min": line if must else tuple(min(at(part.min, k), most) for k, most in enumerate(line)),
        }
    return replace(part, **values)
