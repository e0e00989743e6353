"""Rain and its rivers: what a river could have measured beside its rain, and how much rain it is told to expect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from math import gamma
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from .calendars import Calendar
from .profiles import (
    Array,
    Hours,
    Profile,
    by_month,
    hours_around,
    of_day,
    rain_sample,
    storm_of,
    storms_mean,
    wandering,
    wet_share,
)

POWER = 1.5
"""Heavy rain runs off, light rain is drunk: runoff grows with so much of a day's rain."""

WEEKS = 200
"""Weeks of a climate from which the middle one is taken."""

Rain = tuple[Profile, str]
"""The profile of a series of rain and the key of its noise."""


def sampled(
    river: Profile, key: str, rains: Sequence[Rain], calendar: Calendar, starts: pd.DatetimeIndex, minutes: int
) -> Array:
    """As profiles.sampled, of a river whose storms are the runoff of what `rains` have sampled. In the mean of years
    they are as large as those that its own profile tells of."""
    hours, hourly_to_steps = hours_around(calendar, starts, minutes)
    before, storm = storm_of(river, hours)
    runoff = np.mean([_runoff(profile, name, before) for profile, name in rains], axis=0)
    storms = storms_mean(river, hours) * np.convolve(runoff, storm / storm.sum(), mode="valid")
    noise = np.exp(river.noise * wandering(key, "hour", hours.numbers, river.persistence))
    return hourly_to_steps((by_month(river.base_by_month, hours) + storms) * noise)


def _runoff(rain: Profile, key: str, hours: Hours) -> Array:
    """What runs off in every hour, as a multiple of the mean of that time of the year."""
    shares = of_day(rain, hours)
    fallen = rain_sample(rain, key, hours)
    a_day = np.divide(fallen, shares, out=np.zeros_like(fallen), where=shares > 0)
    # Amounts of wet days are exponential, and the mean of their powers is known.
    usual = wet_share(rain, hours) * gamma(POWER + 1) * by_month(rain.mean_wet_day_mm, hours) ** POWER
    return np.asarray(shares / np.mean(rain.hour) * a_day**POWER / np.maximum(usual, 1e-9))


@lru_cache(maxsize=256)
def middle_week(rain: Profile, first: date) -> float:
    """What falls in the middle one of many weeks that begin on a day of the year, as a share of the mean.

    Few weeks bring most of the rain of a dry month: a river that is told of the mean rises in most of them for nothing.
    """
    # Weeks of the same days of so many years; the hour of most rain stands for the day.
    at = 24 * (np.round(365.25 * np.arange(WEEKS))[:, None] + np.arange(7)) + np.argmax(rain.hour)
    local = pd.Timestamp(first, tz="UTC") + pd.to_timedelta(at.ravel(), unit="h")
    days = Hours(at.ravel(), pd.DatetimeIndex(local), Calendar(ZoneInfo("UTC")))
    weeks = rain_sample(rain, "weeks", days).reshape(WEEKS, 7).sum(axis=1)
    return float(np.median(weeks) / max(weeks.mean(), 1e-9))
