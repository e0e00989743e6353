"""Reference evapotranspiration of local days from a station's weather, by the best that its readings allow.

By the hour where a day's temperature, humidity, wind and radiation are all known hour by hour (FAO-56, chapter 4); else
by the day from its highest and lowest temperature, with what is missing estimated (chapter 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from refet import calcs

from .evapotranspiration import DayWeather, Site, reference_eto
from .hourly_eto import HourWeather, eto_by_day

HOURLY = ("temperature_c", "rh_pct", "wind_m_s", "solar_mj_m2")
COLUMNS = (*HOURLY, "tmax_c", "tmin_c")
POSSIBLE: Mapping[str, tuple[float, float]] = {
    "temperature_c": (-60.0, 60.0),
    "rh_pct": (0.0, 100.0),
    "wind_m_s": (0.0, 90.0),
    "solar_mj_m2": (0.0, 5.0),
    "tmax_c": (-60.0, 60.0),
    "tmin_c": (-60.0, 60.0),
}
"""What lies outside is no weather and taken as not known: a reading that cannot be may not cost a city its plan."""
LONGEST_GAP_HOURS = 3
"""Gaps up to so long are bridged by a straight line."""
ENOUGH_OF_A_DAY = 5 / 6
"""Of fewer of a day's hours its mean and its extremes say too little."""


LEAST_DAYS = 7
"""Of fewer days their climate would be their weather."""


class Basis(StrEnum):
    """What a day's ETo was computed from."""

    HOURS = "hours"
    DAY = "day"


@dataclass(frozen=True)
class DayEto:
    mm: float
    basis: Basis


@dataclass(frozen=True)
class Climate:
    """The wind at 2 m and the day's least humidity that crops have grown in: means of days."""

    wind_m_s: float
    rh_min_pct: float


def bridged(readings: pd.DataFrame) -> pd.DataFrame:
    """The readings without what cannot be and without short gaps."""
    good = readings.apply(lambda column: column.where(column.between(*POSSIBLE[str(column.name)])))
    # pandas would fill the first hours of a longer gap too.
    known: pd.DataFrame = good.interpolate(limit_area="inside").where(_gap_lengths(good) <= LONGEST_GAP_HOURS)
    return known


def eto_of_days(
    site: Site, longitude_deg: float, zone: ZoneInfo, readings: pd.DataFrame, is_hourly: bool
) -> dict[date, DayEto]:
    """ETo of every local day of which enough is known.

    `readings` have a row for every hour of the days (its start, aware, in order) and COLUMNS, NaN where nothing is
    known; radiation in MJ/m²/h. `is_hourly` tells that all of HOURLY are known hour by hour, none as a day's mean.
    """
    known = bridged(readings)
    found: dict[date, DayEto] = {}
    if is_hourly:
        whole = known[list(HOURLY)].dropna()
        hours = [HourWeather(at.to_pydatetime(), *row) for at, row in zip(whole.index, whole.to_numpy(), strict=True)]
        by_hour = eto_by_day(site, longitude_deg, hours, zone)
        found = {day: DayEto(mm, Basis.HOURS) for day, mm in by_hour.items()}
    for day, rows in _by_local_day(known, zone):
        mm = None if day in found else _by_the_day(site, day, rows)
        if mm is not None:
            found[day] = DayEto(mm, Basis.DAY)
    return dict(sorted(found.items()))


def climate_of_days(site: Site, zone: ZoneInfo, readings: pd.DataFrame) -> Climate | None:
    """None where humidity and wind by the hour are known of less than a week."""
    known = bridged(readings[["rh_pct", "wind_m_s"]])
    days = known.groupby(_local_days(known, zone))
    whole = known.notna().all(axis=1).groupby(_local_days(known, zone)).all()
    if whole.sum() < LEAST_DAYS:
        return None
    wind, driest = days["wind_m_s"].mean()[whole].mean(), days["rh_pct"].min()[whole].mean()
    return Climate(float(calcs.wind_height_adjust(np.array([wind]), site.wind_height_m)[0]), float(driest))


def _gap_lengths(values: pd.DataFrame) -> pd.DataFrame:
    """For every cell how long the run of missing values is that it lies in; 0 for a known one."""

    def of(column: pd.Series) -> pd.Series:
        missing = column.isna()
        runs = (missing != missing.shift()).cumsum()
        return missing.groupby(runs).transform("sum")

    return values.apply(of)


def _local_days(readings: pd.DataFrame, zone: ZoneInfo) -> np.ndarray:
    """The local day of every row."""
    return np.asarray(pd.DatetimeIndex(readings.index).tz_convert(zone).date)


def _by_local_day(readings: pd.DataFrame, zone: ZoneInfo) -> list[tuple[date, pd.DataFrame]]:
    return [(date.fromisoformat(str(day)), rows) for day, rows in readings.groupby(_local_days(readings, zone))]


def _by_the_day(site: Site, day: date, rows: pd.DataFrame) -> float | None:
    """By the daily equations; None where not even the day's highest and lowest temperature are known."""
    enough = ENOUGH_OF_A_DAY * len(rows)

    def told(name: str, how: str = "mean") -> float | None:
        values = rows[name].dropna()
        return float(values.agg(how)) if len(values) >= enough else None

    warm, cold = told("tmax_c"), told("tmin_c")
    if warm is None or cold is None:
        warm, cold = told("temperature_c", "max"), told("temperature_c", "min")
    if warm is None or cold is None or warm < cold:
        return None
    solar = told("solar_mj_m2")
    weather = DayWeather(
        day,
        warm,
        cold,
        rh_mean_pct=told("rh_pct"),
        wind_m_s=told("wind_m_s"),
        solar_mj_m2=None if solar is None else min(50.0, 24 * solar),
    )
    return reference_eto(site, weather).mm
