"""Known influences (weather, production plans) brought onto the grid of the series they explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .series import Array, Note, Rule, Ruler, checked_index

FEWEST = 0.8
"""A regressor known for a smaller share of the past teaches the gaps' filling more than itself."""


@dataclass(frozen=True)
class Columns:
    """Regressors of one series on its steps.

    values   (length + ahead) × R; None when there is none. What is not known is filled in
    names    of every column
    reaches  steps from the first one ahead on that every column is known for; below 0 where it ends before the series
    """

    values: Array | None = None
    names: tuple[str, ...] = ()
    reaches: tuple[int, ...] = ()


def kind_of(name: str) -> str:
    """What a column is: the part before the colon of "rain:upper_catchment"; empty where there is none."""
    return name.partition(":")[0] if ":" in name else ""


def lined_up(
    table: pd.DataFrame | None, ruler: Ruler, last: int, length: int, ahead: int
) -> tuple[Columns, tuple[Note, ...]]:
    """Columns on the `length` steps up to `last` and `ahead` more. One that is not known for much of the past is left
    out; notes tell of it, and of those that are not known for all of the steps ahead.
    """
    if table is None or table.empty or not len(table.columns):
        return Columns(), ()
    positions = np.round(ruler.exact(checked_index(table.index, ruler.step))).astype(np.int64)
    wanted = np.arange(last - length + 1, last + ahead + 1)
    on_steps = table.set_axis(positions).astype(float).groupby(level=0).mean().reindex(wanted)
    kept, names, reaches, notes = [], [], [], []
    for name in on_steps.columns:
        column = on_steps[name].to_numpy()
        known = np.isfinite(column)
        missing = ~known & ruler.exist(wanted)
        said, asked = name.rpartition(":")[2], missing[length:]
        if missing[:length].mean() > 1 - FEWEST:
            first = ruler.time(int(wanted[np.argmax(missing)]))
            notes.append(Note(Rule.REGRESSOR, int(missing.sum()), first, f"{said} is not known there and was not used"))
            continue
        if asked.any():
            first = ruler.time(int(wanted[length + np.argmax(asked)]))
            told = f"{said} is not known from there on: the last day known stands in"
            notes.append(Note(Rule.REGRESSOR, int(asked.sum()), first, told))
        names.append(name)
        reaches.append(_reach(missing, length))
        kept.append(np.interp(wanted, wanted[known], column[known]))
    return Columns(np.stack(kept, axis=1) if kept else None, tuple(names), tuple(reaches)), tuple(notes)


def _reach(missing: Array, length: int) -> int:
    """Steps behind `length` up to the first one missing there, or back to the last one known."""
    end = length + int(np.argmax(np.append(missing[length:], True)))
    return int(np.flatnonzero(~missing[:end])[-1]) + 1 - length


def stand_ins(at: Array, rows: Array, reach: int, block: int) -> Array:
    """The steps whose values stand for the steps `at`, seen from the origins `rows`: themselves as far as they are
    known there, and behind that the same step of the last day known."""
    beyond = at - (rows + reach)[:, None]
    return np.asarray(at - block * (np.maximum(beyond, -1) // block + 1))
