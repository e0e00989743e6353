"""What every law needs from Pyomo: the template switch, an indexed constraint, bounds, and series."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pyomo.core.base import constraint
from pyomo.core.expr.template_expr import _template_iter_context as _Context
from pyomo.environ import ConcreteModel, Constraint, Set, Var

PLAIN_SUM = sum


@contextmanager
def templates() -> Iterator[None]:
    """Pyomo's template switch is a module global: put back whatever happens, other models here do not expect it.

    While Pyomo makes a template it replaces Python's own `sum` for the whole process, and that one fails on an empty
    generator: a web request or a poller in another thread would break. So only this thread gets to see Pyomo's.
    """
    before, pyomo_sum, owner = constraint.TEMPLATIZE_CONSTRAINTS, _Context.sum_template, threading.get_ident()

    def own_sum(context: Any, *args: Any, **kwargs: Any) -> Any:
        is_owner = threading.get_ident() == owner
        return pyomo_sum(context, *args, **kwargs) if is_owner else PLAIN_SUM(*args, **kwargs)

    constraint.TEMPLATIZE_CONSTRAINTS, _Context.sum_template = True, own_sum
    try:
        yield
    finally:
        constraint.TEMPLATIZE_CONSTRAINTS, _Context.sum_template = before, pyomo_sum


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
