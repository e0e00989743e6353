"""What stands in when a history is too short or too old: the published profile of the series, and it says so."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .answer import Ask, Forecast
from .profiles import Profile, quantiles, typical
from .series import Array, Limits, Note, Refusal, Refused, Rule, Ruler, on_grid

PROFILE = "profile"
SURE_HOURS = 48.0
"""After two days of values the profile of a cycle is moved wholly to their level, before that in proportion."""
FURTHEST = (0.5, 2.0)
"""A handful of values corrects a profile by no more than these factors."""


def by_profile(
    history: pd.Series, refusal: Refused, profile: Profile | None, limits: Limits, ask: Ask
) -> Forecast | Refusal:
    """The profile's mean and quantiles, or the refusal when there is none or nothing says when to start."""
    if profile is None or ask.step is None:
        return Refusal(str(refusal))
    index = _asked_times(history, ask)
    if index is None:
        return Refusal(f"{refusal}; the profile needs a time to start from")
    minutes = int(ask.step.total_seconds() // 60)
    factor, notes = _level(history, profile, ask, minutes)
    mean = limits.clip(factor * typical(profile, ask.calendar, index, minutes))
    lines = factor * quantiles(profile, ask.calendar, index, minutes, ask.levels)
    bands = {level: limits.clip(line) for level, line in zip(ask.levels, lines, strict=True)}
    note = Note(Rule.PROFILE, ask.steps, index[0], f"stands in: {refusal}")
    return Forecast(index, mean, bands, PROFILE, (note, *notes), {PROFILE: 1.0})


def _asked_times(history: pd.Series, ask: Ask) -> pd.DatetimeIndex | None:
    ruler, start = Ruler(ask.step, str(ask.calendar.zone)), ask.start
    if start is None:
        try:
            grid = on_grid(history, ask.step, str(ask.calendar.zone))
        except Refused:
            return None
        ruler, start = grid.ruler, grid.ruler.time(grid.last + 1)
    return pd.DatetimeIndex(ruler.onward(start, ask.steps))


def _level(history: pd.Series, profile: Profile, ask: Ask, minutes: int) -> tuple[float, tuple[Note, ...]]:
    """By how much the few values at hand lie above the profile; only cycles have a level in this sense."""
    try:
        grid = on_grid(history, ask.step, str(ask.calendar.zone), ask.start)
    except Refused:
        return 1.0, ()
    known = np.flatnonzero(np.isfinite(grid.values))
    index = pd.DatetimeIndex(grid.ruler.times(grid.last - len(grid.values) + 1 + known))
    usual = typical(profile, ask.calendar, index, minutes)
    if profile.kind != "cycle" or not usual.sum() > 0:
        return 1.0, ()
    trust = min(1.0, len(known) * ask.step_hours / SURE_HOURS)
    ratio = float(np.clip(grid.values[known].sum() / usual.sum(), *FURTHEST))
    factor = 1.0 + trust * (ratio - 1.0)
    return factor, (Note(Rule.SHORT, len(known), index[0], f"moved the profile's level by a factor of {factor:.2f}"),)


def natural_limits(limits: Limits, past: Array) -> Limits:
    """What was never negative is not expected to be, when no limit says otherwise; nor, on bands whose errors are
    factors, more than the past's whole range above its maximum: a flood is not followed by one four times as high.
    """
    low = 0.0 if limits.minimum is None and past.min() >= 0 else limits.minimum
    above = float(2 * past.max() - past.min())
    return Limits(low, above if limits.maximum is None else min(limits.maximum, above))
