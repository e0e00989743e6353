"""Finds what a sensor or a feed got wrong, in a copy. Every rule leaves a note; the raw values are never altered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .faults import Array, flat_lines, spikes
from .series import Grid, Limits, Note, Refused, Rule


@dataclass(frozen=True)
class Cleaned:
    """`values` without holes; `observed` False where a value was filled in and must not be learnt from."""

    values: Array
    observed: Array
    notes: tuple[Note, ...]


def clean(grid: Grid, limits: Limits, day: int, step_hours: float) -> Cleaned:
    """A usable copy of a grid: impossible values, spikes and flat lines out, then every gap filled.

    Raises Refused when nothing is left.
    `day` is the length of the daily (or shortest) cycle in steps, 0 for none.
    """
    values = grid.values.copy()
    notes = list(grid.notes)
    gaps = np.isnan(values)
    rules = (
        (Rule.IMPOSSIBLE, limits.impossible(values)),
        (Rule.FLAT, flat_lines(values, step_hours)),
    )
    for rule, bad in rules:
        _remove(values, bad, rule, grid, notes)
    # After the others: an impossible value next to a spike would hide it.
    _remove(values, spikes(values, day), Rule.SPIKE, grid, notes)
    observed = ~np.isnan(values)
    if gaps.any():
        notes.append(Note(Rule.GAP, int(gaps.sum()), grid.time_of(int(np.argmax(gaps))), "filled for the computation"))
    if not observed.any():
        raise Refused("no usable value (" + ", ".join(f"{note.rule}: {note.count}" for note in notes) + ")")
    return Cleaned(filled(values, day), observed, tuple(notes))


def _remove(values: Array, bad: Array, rule: Rule, grid: Grid, notes: list[Note]) -> None:
    if bad.any():
        notes.append(Note(rule, int(bad.sum()), grid.time_of(int(np.argmax(bad))), "not used"))
        values[bad] = np.nan


def filled(values: Array, day: int) -> Array:
    """Gaps closed: a line through the neighbours, bent by the typical course of the day or week.

    Short gaps stay close to the line; a day's gap gets a day's shape. NaN nowhere, given one value.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values.copy()
    course = _course(values, day)
    at = np.arange(len(values))
    offset = np.interp(at, at[~missing], (values - course)[~missing])
    return np.where(missing, course + offset, values)


def _course(values: Array, day: int) -> Array:
    """The median of each slot of the week (or of the day, or of all) repeated over the series."""
    known = ~np.isnan(values)
    for period in (7 * day, day):
        slots = np.arange(len(values)) % period if period else None
        if slots is not None and len(np.unique(slots[known])) == period and len(values) >= 2 * period:
            ordered = np.full((-(-len(values) // period), period), np.nan)
            ordered.flat[: len(values)] = values
            return np.asarray(np.nanmedian(ordered, axis=0)[slots])
    return np.full(len(values), float(np.median(values[known])))
