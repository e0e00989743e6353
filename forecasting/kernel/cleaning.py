"""Finds what a sensor or a feed got wrong, in a copy. Every rule leaves a note; the raw values are never altered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .faults import Array, flat_lines, median, spikes
from .mistakes import level_shifts, unit_mistakes
from .series import Grid, Limits, Note, Refused, Rule

ALIKE = 0.7
"""A series is cyclic when its ordinary change over a cycle is below this share of that over half of it: loads and water
uses come to 0.1 to 0.5, the flow of the Gaoping to 1.2 and more."""


@dataclass(frozen=True)
class Cleaned:
    """`values` without holes; `observed` False where a value was filled in and must not be learnt from."""

    values: Array
    observed: Array
    notes: tuple[Note, ...]


def clean(grid: Grid, limits: Limits, day: int, step_hours: float) -> Cleaned:
    """A usable copy of a grid: impossible values, wrong units, flat lines and spikes out, every gap filled, and what
    came before a shift of the level moved to the level after it.

    Raises Refused when nothing is left.
    `day` is the length of the daily (or shortest) cycle in steps, 0 for none.
    """
    values = grid.values.copy()
    notes = list(grid.notes)
    gaps = np.isnan(values)
    cyclic = is_cyclic(values, day)
    _remove(values, limits.impossible(values), Rule.IMPOSSIBLE, grid, notes)
    for factor, bad in unit_mistakes(values, cyclic).items():
        _remove(values, bad, Rule.UNIT, grid, notes, f"{factor:.4g} times too high, not used")
    _remove(values, flat_lines(values, step_hours, cyclic), Rule.FLAT, grid, notes)
    # After the others: an impossible value next to a spike would hide it.
    _remove(values, spikes(values, day), Rule.SPIKE, grid, notes)
    observed = ~np.isnan(values)
    if gaps.any():
        notes.append(Note(Rule.GAP, int(gaps.sum()), grid.time_of(int(np.argmax(gaps))), "filled for the computation"))
    if not observed.any():
        raise Refused("no usable value (" + ", ".join(f"{note.rule}: {note.count}" for note in notes) + ")")
    if cyclic and step_hours < 24:
        _move_to_the_latest_level(values, day, grid, notes)
    return Cleaned(filled(values, day), observed, tuple(notes))


def is_cyclic(values: Array, day: int) -> bool:
    """Whether values a cycle apart are alike, more than those half a cycle apart: a load, not a river.

    By medians, which a day of wrong values does not move.
    """
    if day < 2 or len(values) <= day:
        return False
    near, far = (_ordinary_change(values, lag) for lag in (day // 2, day))
    return far < ALIKE * near


def _ordinary_change(values: Array, lag: int) -> float:
    changes = np.abs(values[lag:] - values[:-lag])
    changes = changes[~np.isnan(changes)]
    # Few pairs between gaps say nothing.
    return median(changes) if len(changes) > len(values) / 3 else np.nan


def _remove(values: Array, bad: Array, rule: Rule, grid: Grid, notes: list[Note], did: str = "not used") -> None:
    if bad.any():
        notes.append(Note(rule, int(bad.sum()), grid.time_of(int(np.argmax(bad))), did))
        values[bad] = np.nan


def _move_to_the_latest_level(values: Array, day: int, grid: Grid, notes: list[Note]) -> None:
    for at, factor in level_shifts(values, day):
        values[:at] *= factor
        told = f"values before it multiplied by {factor:.3g} for the computation"
        notes.append(Note(Rule.SHIFT, at, grid.time_of(at), told))


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
    return np.full(len(values), median(values[known]))
