"""What the sun leaves no doubt about: nothing by night, and no more than a clear sky gave at that time of day."""

from __future__ import annotations

import numpy as np

from .series import Array

DAYS = 60
"""Days that the envelope is read from: clear ones are among them, and daylight has not moved far since."""
NIGHT_SHARE = 0.2
"""A series that rests at nothing for less of the day has no night: it may well run tomorrow at an hour it never ran."""
BRIGHTER = 1.05
"""Skies clear up and days lengthen: so much more than was ever seen at an hour is still believed."""


def ceiling(values: Array, observed: Array, block: int) -> Array | None:
    """The most that can come at each of the `block` steps of the day that follow the past; None for what has no night.

    0 where nothing ever came in the last DAYS days.
    """
    days = min(DAYS, len(values) // block) if block > 1 else 0
    if days < 2:
        return None
    recent = slice(len(values) - days * block, len(values))
    seen = np.where(observed[recent], values[recent], -np.inf).reshape(days, block)
    highest = seen.max(axis=0)
    is_night = highest == 0.0
    if not NIGHT_SHARE <= is_night.mean() < 1.0 or values[recent].min() < 0.0:
        return None
    # A step that was never measured says nothing of what may come there.
    return np.asarray(np.where(np.isfinite(highest), BRIGHTER * highest, np.inf))
