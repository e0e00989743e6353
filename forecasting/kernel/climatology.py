"""Days that could come, taken from days that came: whole spells of the same season, for what no forecast knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from .series import Array

SEASON_DAYS = 30
"""Spells begin within so many days of the calendar day asked for."""
FEWEST_YEARS = 3
"""With fewer the spells would all be those of one wet or one dry year."""


def spells(history: Mapping[date, float], first: date, length: int, count: int, seed: int = 0) -> Array | None:
    """Equally likely futures (count × length days from `first`): spells of days that followed one another in history.

    Wet days stay together as they fell. None without spells of enough years. The same seed gives the same futures.
    """
    begins = [day for day in sorted(history) if _in_season(day, first) and _whole(history, day, length)]
    if len({day.year for day in begins}) < FEWEST_YEARS:
        return None
    order = np.random.default_rng(seed).permutation(len(begins))
    # Whole rounds of all spells: none counts twice before every one counted once.
    chosen = [begins[order[k % len(begins)]] for k in range(count)]
    return np.array([[history[day + timedelta(days=k)] for k in range(length)] for day in chosen])


def _in_season(day: date, first: date) -> bool:
    away = abs(day.timetuple().tm_yday - first.timetuple().tm_yday)
    return min(away, 365 - away) <= SEASON_DAYS


def _whole(history: Mapping[date, float], day: date, length: int) -> bool:
    days: Sequence[date] = [day + timedelta(days=k) for k in range(length)]
    return all(one in history for one in days)
