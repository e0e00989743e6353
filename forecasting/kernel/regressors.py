"""Known influences (weather, production plans) brought onto the grid of the series they explain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .series import Array, Note, Rule, Ruler, checked_index

FEWEST = 0.8
"""A regressor known for a smaller share of the past teaches the gaps' filling more than itself."""


def lined_up(
    table: pd.DataFrame | None, ruler: Ruler, last: int, length: int, ahead: int
) -> tuple[Array | None, tuple[Note, ...]]:
    """Columns on the `length` steps up to `last` and `ahead` more, (length + ahead) × R; None when none is usable.

    A column that is not known for every step ahead, or for much of the past, is left out with a note.
    """
    if table is None or table.empty or not len(table.columns):
        return None, ()
    positions = np.round(ruler.exact(checked_index(table.index, ruler.step))).astype(np.int64)
    wanted = np.arange(last - length + 1, last + ahead + 1)
    on_steps = table.set_axis(positions).astype(float).groupby(level=0).mean().reindex(wanted)
    kept, notes = [], []
    for name in on_steps.columns:
        column = on_steps[name].to_numpy()
        missing = ~np.isfinite(column)
        if missing[length:].any() or missing[:length].mean() > 1 - FEWEST:
            first = ruler.time(int(wanted[np.argmax(missing)]))
            notes.append(Note(Rule.REGRESSOR, int(missing.sum()), first, f"{name} is not known there and was not used"))
        else:
            kept.append(np.interp(wanted, wanted[~missing], column[~missing]))
    return (np.stack(kept, axis=1) if kept else None), tuple(notes)
