"""The Pyomo model as arrays: one sparse matrix, bounds, and where each variable and law ended up in it."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.gc_manager import PauseGC
from pyomo.environ import ConcreteModel, Var
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MODELLING = threading.RLock()
"""Held while a model is built and compiled: Pyomo's templates patch module globals, so two threads would mix theirs."""


@dataclass(frozen=True)
class Compiled:
    """minimise cost·x + offset, row_lower ≤ matrix·x ≤ row_upper, col_lower ≤ x ≤ col_upper.

    `columns` and `rows` give the places of a variable and of a law, in the order of their index; −1 is a variable
    that stands in no law. The first `core` rows and columns are the model without what only the last stage needs.
    """

    matrix: Any
    row_lower: Floats
    row_upper: Floats
    col_lower: Floats
    col_upper: Floats
    integral: Places
    cost: Floats
    offset: float
    columns: dict[str, Places]
    rows: dict[str, Places]
    core: tuple[int, int]


def compile_model(m: ConcreteModel, last: Collection[str] = ()) -> Compiled:
    """One pass over the model. The objective is `money`; laws and variables named in `last` come after all others."""
    with PauseGC(), _quiet_pyomo():
        form = LinearStandardFormCompiler().write(m, mixed_form=True)
    by_row, core_rows = _core_first([row.constraint.parent_component().local_name for row in form.rows], last)
    by_column, core_columns = _core_first([column.parent_component().local_name for column in form.columns], last)
    rows, columns = [form.rows[i] for i in by_row], [form.columns[i] for i in by_column]
    kinds = np.array([row.bound_type for row in rows])
    sides = np.array(form.rhs, dtype=float)[by_row]
    limits = np.array([_limits(column) for column in columns], dtype=float).reshape(-1, 2)
    return Compiled(
        matrix=form.A.tocsr()[by_row].tocsc()[:, by_column],
        row_lower=np.where(kinds <= 0, sides, -math.inf),
        row_upper=np.where(kinds >= 0, sides, math.inf),
        col_lower=limits[:, 0],
        col_upper=limits[:, 1],
        integral=np.array([i for i, column in enumerate(columns) if column.is_binary()], dtype=np.int64),
        cost=np.asarray(form.c.todense()).ravel()[by_column],
        offset=float(form.c_offset[0]),
        columns=_places_of_variables(m, columns),
        rows=_places_of_laws(rows),
        core=(core_rows, core_columns),
    )


def _core_first(names: list[str], last: Collection[str]) -> tuple[Places, int]:
    """The order in which those of the last stage come last, and how many come before them."""
    is_last = np.array([name in last for name in names], dtype=bool)
    return np.argsort(is_last, kind="stable"), int(np.sum(~is_last))


def _limits(column: Any) -> tuple[float, float]:
    low, high = column.bounds
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _places_of_variables(m: ConcreteModel, columns: list[Any]) -> dict[str, Places]:
    place = {id(column): i for i, column in enumerate(columns)}
    return {
        variable.local_name: np.array([place.get(id(data), -1) for data in variable.values()], dtype=np.int64)
        for variable in m.component_objects(Var)
    }


def _places_of_laws(rows: list[Any]) -> dict[str, Places]:
    places: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        places.setdefault(row.constraint.parent_component().local_name, []).append(i)
    return {name: np.array(found, dtype=np.int64) for name, found in places.items()}


@contextmanager
def _quiet_pyomo() -> Iterator[None]:
    """Pyomo 6.10 calls a method of its own that it deprecates, and would say so in the operator's log."""
    logger = logging.getLogger("pyomo")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
