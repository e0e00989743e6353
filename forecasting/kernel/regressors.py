"""Known influences (weather, production plans) brought onto the grid of the series they explain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .series import Array, Note, Rule, Ruler, checked_index

FEWEST = 0.8
"""A regressor known for a smaller share of the past teaches the gaps' filling more than itself."""


def kind_of(name: str) -> str:
    """What a column is: the part before the colon of "rain:upper_catchment"; empty where there is none."""
    return name.partition(":")[0] if ":" in name else ""


def lined_up(
    table: pd.DataFrame | None, ruler: Ruler, last: int, length: int, ahead: int
) -> tuple[Array | None, tuple[str, ...], tuple[Note, ...]]:
    """Columns on the `length` steps up to `last` and `ahead` more, (length + ahead) × R, and their names; None when
    none is usable.

    A column that is not known for every step ahead, or for much of the past, is left out with a note.
    """
    if table is None or table.empty or not len(table.columns):
        return None, (), ()
    positions = np.round(ruler.exact(checked_index(table.index, ruler.step))).astype(np.int64)
    wanted = np.arange(last - length + 1, last + ahead + 1)
    on_steps = table.set_axis(positions).astype(float).groupby(level=0).mean().reindex(wanted)
    kept, names, notes = [], [], []
    for name in on_steps.columns:
        column = on_steps[name].to_numpy()
        known = np.isfinite(column)
        missing = ~known & ruler.exist(wanted)
        if missing[length:].any() or missing[:length].mean() > 1 - FEWEST:
            first = ruler.time(int(wanted[np.argmax(missing)]))
            told = f"{name.rpartition(':')[2]} is not known there and was not used"
            notes.append(Note(Rule.REGRESSOR, int(missing.sum()), first, told))
        else:
            names.append(name)
            kept.append(np.interp(wanted, wanted[known], column[known]))
    return (np.stack(kept, axis=1) if kept else None), tuple(names), tuple(notes)
