"""Which kind of day it is: working day, day off, make-up Saturday, and how far Lunar New Year is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pandas as pd

Array = np.ndarray
SUNDAY = 6
LNY_BEFORE, LNY_AFTER = 6, 14
"""Days round Lunar New Year in which loads differ: use falls to 0.7 of an ordinary day, from six days before to ten
days after (Taiwan's daily peak and industrial use, 2016-19)."""
FAR_FROM_LNY = 99


@dataclass(frozen=True)
class Calendar:
    """Local days of one country. `off` overrules the rules of the `holidays` package, which for coming years are
    not the official calendar: {date: True (day off) or False (working day)}."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    country: str | None = None
    off: Mapping[date, bool] = field(default_factory=dict)

    def is_off(self, day: date) -> bool:
        """True on weekends and public holidays; False on make-up working Saturdays."""
        if day in self.off:
            return self.off[day]
        if self.country is None:
            return day.weekday() >= 5
        return not _country(self.country).is_working_day(day)

    def weekdays(self, index: pd.DatetimeIndex) -> Array:
        """0 Monday … 6 Sunday as loads see them: a holiday counts as Sunday, a make-up Saturday as Friday."""
        return self._by_day(index, self._weekday)

    def holidays(self, index: pd.DatetimeIndex) -> Array:
        """True on days off from Monday to Friday."""
        return self._by_day(index, lambda day: day.weekday() < 5 and self.is_off(day)).astype(bool)

    @property
    def knows_holidays(self) -> bool:
        return self.country is not None or bool(self.off)

    def share_of_year(self, index: pd.DatetimeIndex) -> Array:
        """The share of the local year that has passed, 0 … below 1."""
        return np.asarray((index.tz_convert(self.zone).day_of_year - 1) / 366.0)

    def days_from_lunar_new_year(self, index: pd.DatetimeIndex) -> Array:
        """Signed local days since the nearest Lunar New Year's Day; FAR_FROM_LNY outside -6 … +14."""
        return self._by_day(index, self._days_from_lny)

    def clock(self, index: pd.DatetimeIndex) -> Array:
        """The share of the local day that has passed, 0 … below 1."""
        local = index.tz_convert(self.zone)
        return np.asarray((local.hour * 3600 + local.minute * 60 + local.second) / 86400.0)

    def _weekday(self, day: date) -> int:
        off = self.is_off(day)
        if day.weekday() < 5:
            return SUNDAY if off else day.weekday()
        return day.weekday() if off else 4

    def _days_from_lny(self, day: date) -> int:
        if self.country is None:
            return FAR_FROM_LNY
        new_years = (lunar_new_year(year) for year in (day.year - 1, day.year, day.year + 1))
        offset = min(((day - new_year).days for new_year in new_years), key=abs)
        return offset if -LNY_BEFORE <= offset <= LNY_AFTER else FAR_FROM_LNY

    def _by_day(self, index: pd.DatetimeIndex, of_day: object) -> Array:
        days = index.tz_convert(self.zone).tz_localize(None).normalize()
        codes, unique = pd.factorize(days)
        return np.array([of_day(day.date()) for day in unique], dtype=np.int64)[codes]  # type: ignore[operator]


@lru_cache(maxsize=8)
def _country(code: str) -> holidays.HolidayBase:
    return holidays.country_holidays(code)


@lru_cache(maxsize=128)
def lunar_new_year(year: int) -> date:
    """The first day of the lunar year that begins in `year`, by the Chinese calendar."""
    named = holidays.country_holidays("TW", years=year, language="en_US")
    return min(day for day, name in named.items() if "Chinese New Year" in name.split("; ") and day.year == year)
