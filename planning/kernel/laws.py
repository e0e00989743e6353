"""What every law needs from Pyomo: the template switch, an indexed constraint, bounds, and series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyomo.core.base.constraint as pyomo_constraint
from pyomo.environ import ConcreteModel, Constraint, Set, Var


@contextmanager
def templates() -> Iterator[None]:
    """Pyomo's switch is a module global: put back whatever happens, other models here do not expect it."""
    before = pyomo_constraint.TEMPLATIZE_CONSTRAINTS
    pyomo_constraint.TEMPLATIZE_CONSTRAINTS = True
    try:
        yield
    finally:
        pyomo_constraint.TEMPLATIZE_CONSTRAINTS = before


def names(parts: Iterable[Any]) -> list[str]:
    return [part.name for part in parts]


def set_bounds(variable: Var, lows: Iterable[float], highs: Iterable[float]) -> None:
    """Bounds in index order; a rule called per index would double the price of a variable."""
    for data, low, high in zip(variable.values(), lows, highs, strict=True):
        data.lower, data.upper = low, high


def spread(values: Iterable[Any], steps: int) -> Iterator[float]:
    """Constants and series, one after the other, one number per step."""
    for numbers in values:
        yield from numbers if isinstance(numbers, tuple) else (numbers,) * steps


def law(m: ConcreteModel, name: str, *index: Set, rule: Callable[..., Any]) -> None:
    """Adds a constraint over the product of the sets; an empty one is left out, Pyomo cannot templatize it."""
    if all(len(part) for part in index):
        m.add_component(name, Constraint(*index, rule=rule))
