"""Known influences (weather, production plans) brought onto the grid of the series they explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .series import Array, Note, Rule, Ruler, Time, checked_index

FEWEST = 0.8
"""A regressor known for a smaller share of the past teaches the gaps' filling more than itself."""


@dataclass(frozen=True)
class Columns:
    """Regressors of one series on its steps.

    values   (length + ahead) × R; None when there is none. What is not known is filled in
    names    of every column
    reaches  steps from the first one ahead on that every column is known for; below 0 where it ends before the series
    guessed  whether what it says behind that is a guess
    """

    values: Array | None = None
    names: tuple[str, ...] = ()
    reaches: tuple[int, ...] = ()
    guessed: tuple[bool, ...] = ()


def kind_of(name: str) -> str:
    """What a column is: the part before the colon of "rain:upper_catchment"; empty where there is none."""
    return name.partition(":")[0] if ":" in name else ""


def lined_up(
    table: pd.DataFrame | None, guessed: Mapping[str, Time], ruler: Ruler, last: int, length: int, ahead: int
) -> tuple[Columns, tuple[Note, ...]]:
    """Columns on the `length` steps up to `last` and `ahead` more; those named in `guessed` are guesses from a time on.
    One that is not known for much of the past is left out; notes tell of it, and of those that say nothing of some
    steps ahead.
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
        asked = missing[length:]
        if missing[:length].mean() > 1 - FEWEST:
            first = ruler.time(int(wanted[np.argmax(missing)]))
            told = f"{_key(name)} is not known there and was not used"
            notes.append(Note(Rule.REGRESSOR, int(missing.sum()), first, told))
            continue
        if asked.any():
            first = ruler.time(int(wanted[length + np.argmax(asked)]))
            notes.append(_ending(name, int(asked.sum()), first))
        names.append(name)
        reach = _reach(missing, length)
        reaches.append(min(reach, _step_of(guessed[name], ruler) - last - 1) if name in guessed else reach)
        kept.append(np.interp(wanted, wanted[known], column[known]))
    values = np.stack(kept, axis=1) if kept else None
    return Columns(values, tuple(names), tuple(reaches), tuple(name in guessed for name in names)), tuple(notes)


def unused_guesses(columns: Columns, ruler: Ruler, last: int, ahead: int) -> tuple[Note, ...]:
    """What to tell where guesses count for nothing."""
    guesses = [(n, r) for n, r, guess in zip(columns.names, columns.reaches, columns.guessed, strict=True) if guess]
    return tuple(
        _ending(name, ahead - max(0, reach), ruler.time(last + 1 + max(0, reach)))
        for name, reach in guesses
        if reach < ahead
    )


def _step_of(time: Time, ruler: Ruler) -> int:
    return int(np.floor(ruler.exact(pd.Index([time]))[0] + 1e-6))


def _ending(name: str, count: int, first: Time) -> Note:
    return Note(Rule.REGRESSOR, count, first, f"{_key(name)} is not known from there on: the last day known stands in")


def _key(name: str) -> str:
    return name.rpartition(":")[2]


def _reach(missing: Array, length: int) -> int:
    """Steps behind `length` up to the first one missing there, or back to the last one known."""
    end = length + int(np.argmax(np.append(missing[length:], True)))
    return int(np.flatnonzero(~missing[:end])[-1]) + 1 - length


def stand_ins(at: Array, rows: Array, reach: int, block: int) -> Array:
    """The steps whose values stand for the steps `at`, seen from the origins `rows`: themselves as far as they are
    known there, and behind that the same step of the last day known."""
    beyond = at - (rows + reach)[:, None]
    return np.asarray(at - block * (np.maximum(beyond, -1) // block + 1))
