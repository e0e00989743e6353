"""Rain that could fall: equally likely courses of days, for whoever must plan without knowing which comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from .kernel.calendars import Calendar
from .kernel.climatology import spells
from .kernel.profiles import Profile, sampled
from .models import Series
from .readers import history

HISTORY, CLIMATE = "history", "climate"
YEARS = 30


@dataclass(frozen=True)
class RainPaths:
    """`mm` is count × days. `source` is HISTORY (spells of days as they fell) or CLIMATE (sampled from the profile)."""

    mm: np.ndarray
    source: str
    synthetic: bool = False
    """Whether any of the history is invented."""


def rain_paths(series: Series, days: Sequence[date], known_at: datetime, count: int) -> RainPaths | None:
    """Courses of rain, mm per local day, over consecutive local days; None where neither history nor climate is known.

    The same days get the same courses, so that two plans of a morning differ by what was learnt in between alone.
    """
    measured, synthetic = history(series, known_at, YEARS * 365.25)
    by_day = _by_day(measured, series.city.zone)
    found = spells(by_day, days[0], len(days), count, seed=days[0].toordinal())
    if found is not None:
        return RainPaths(found, HISTORY, synthetic)
    if series.profile.get("kind") != "rain":
        return None
    profile, zone = Profile.from_dict(series.profile), series.city.zone
    starts = pd.DatetimeIndex([datetime.combine(day, time(), zone) for day in days]).tz_convert("UTC")
    courses = [sampled(profile, f"{series.key} path {k}", Calendar(zone), starts, 1440) for k in range(count)]
    return RainPaths(np.array(courses), CLIMATE)


def _by_day(measured: pd.Series, zone: ZoneInfo) -> dict[date, float]:
    """The mean of a local day's values."""
    local = pd.DatetimeIndex(measured.index).tz_convert(zone)
    means = measured.groupby(local.strftime("%Y-%m-%d")).mean()
    return {date.fromisoformat(str(day)): max(0.0, float(mm)) for day, mm in means.items()}
