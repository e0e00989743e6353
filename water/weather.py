"""Reference evapotranspiration from a station's weather: of past days as measured, of coming ones as forecast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from forecasting.drivers import last_needed
from forecasting.models import Series
from forecasting.readers import MARGIN, current_forecasts, histories
from planning.kernel.horizon import Horizon

from .kernel.daily_eto import COLUMNS, HOURLY, LONGEST_GAP_HOURS, Climate, DayEto, climate_of_days, eto_of_days
from .kernel.evapotranspiration import Site
from .models import WeatherStation

HOUR = timedelta(hours=1)
MJ_PER_WATT_HOUR = 0.0036
READINGS: Mapping[str, tuple[str, float]] = {
    "temperature_c": ("temperature", 1.0),
    "rh_pct": ("humidity", 100.0),
    "wind_m_s": ("wind", 1.0),
    "solar_mj_m2": ("radiation", MJ_PER_WATT_HOUR),
    "tmax_c": ("temperature_max", 1.0),
    "tmin_c": ("temperature_min", 1.0),
}
"""The kernel's readings: from which series of a station, times what."""


@dataclass(frozen=True)
class Ahead:
    """ETo of the days that a station's weather is enough for, and the series that it is known of."""

    days: Mapping[date, DayEto]
    series: tuple[Series, ...]


def series_of(station: WeatherStation | None) -> dict[str, Series]:
    """The series of a station by the kernel's reading."""
    found = {column: getattr(station, name) for column, (name, _) in READINGS.items()} if station else {}
    return {column: series for column, series in found.items() if series is not None}


def hours_of_days(first: date, last: date, zone: ZoneInfo) -> pd.DatetimeIndex:
    """The hours of the local days, both included, in UTC."""
    begin, end = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    return pd.date_range(begin, end, freq="h", inclusive="left").tz_convert("UTC")


def eto_by_day(station: WeatherStation, values: Mapping[str, pd.Series], hours: pd.DatetimeIndex) -> dict[date, DayEto]:
    """ETo of the local days of `hours` from what is known by reading, each on the steps of its series."""
    longitude = station.city.longitude if station.longitude is None else station.longitude
    readings = _readings(station, values, hours)
    return eto_of_days(_site(station), longitude, station.city.zone, readings, _are_hourly(station, HOURLY))


def climate(station: WeatherStation, values: Mapping[str, pd.Series], hours: pd.DatetimeIndex) -> Climate | None:
    """What crop coefficients are adjusted to; None where humidity and wind are not known by the hour."""
    if not _are_hourly(station, ("rh_pct", "wind_m_s")):
        return None
    return climate_of_days(_site(station), station.city.zone, _readings(station, values, hours))


def eto_ahead(station: WeatherStation, horizon: Horizon, known_at: datetime) -> Ahead:
    """ETo of the horizon's local days: what was measured of the first one, then what is forecast."""
    zone = station.city.zone
    start, end = horizon.steps[0].start, max(step.end for step in horizon.steps)
    last = end - timedelta(seconds=1)
    hours = hours_of_days(start.astimezone(zone).date(), last.astimezone(zone).date(), zone)
    series = series_of(station)
    seen = histories(series.values(), known_at, days=2)
    values = {row.pk: seen[row.pk][0] for row in series.values()}
    made = _forecasts(series.values(), values, hours, (start, end), known_at)
    joined = {key: _joined(line, made[key]) if key in made else line for key, line in values.items()}
    days = eto_by_day(station, {column: joined[row.pk] for column, row in series.items()}, hours)
    return Ahead(days, tuple({row.pk: row for row in series.values() if row.pk in made}.values()))


def _forecasts(
    series: Iterable[Series],
    seen: Mapping[int, pd.Series],
    hours: pd.DatetimeIndex,
    planned: tuple[datetime, datetime],
    known_at: datetime,
) -> dict[int, pd.Series]:
    """What is expected of each series to the end of the hours, by its id; what nothing is known of is left out."""
    start, end = planned
    # So far that the forecast of a temperature that also drives loads is not made twice.
    high = max(hours[-1].to_pydatetime() + HOUR, last_needed(end + MARGIN))
    begins: dict[datetime, list[Series]] = {}
    for row in {row.pk: row for row in series}.values():
        begins.setdefault(_begin(row, seen[row.pk], hours, start), []).append(row)
    made = [found for low, rows in begins.items() for found in current_forecasts(rows, low, high, known_at).items()]
    return {key: pd.Series(found.mean, pd.DatetimeIndex(found.times), dtype=float) for key, found in made}


def _readings(station: WeatherStation, values: Mapping[str, pd.Series], hours: pd.DatetimeIndex) -> pd.DataFrame:
    """The kernel's readings by the hour from what is known of each, on the steps of its series."""
    series = series_of(station)
    readings = pd.DataFrame(index=hours, columns=list(COLUMNS), dtype=float)
    for column, known in values.items():
        readings[column] = _on_hours(series[column], known, hours).to_numpy() * READINGS[column][1]
    return readings


def _are_hourly(station: WeatherStation, columns: Iterable[str]) -> bool:
    series = series_of(station)
    return all(column in series and series[column].step <= HOUR for column in columns)


def _site(station: WeatherStation) -> Site:
    latitude = station.city.latitude if station.latitude is None else station.latitude
    return Site(latitude, station.elevation_m, station.wind_height_m, station.coastal)


def _on_hours(series: Series, values: pd.Series, hours: pd.DatetimeIndex) -> pd.Series:
    """Its means over the hours; a longer step's value holds through the step."""
    if series.step > HOUR:
        return values.reindex(hours, method="ffill", tolerance=pd.Timedelta(series.step) - pd.Timedelta(1, "s"))
    inside = values[values.index < hours[-1] + HOUR]
    means = inside.groupby(hours.searchsorted(pd.DatetimeIndex(inside.index), side="right") - 1).mean()
    return means.reindex(range(len(hours)))


def _begin(series: Series, values: pd.Series, hours: pd.DatetimeIndex, start: datetime) -> datetime:
    """From when on a forecast is wanted: the plan's start, or the end of what is known where a bridge would not do."""
    midnight = hours[0].to_pydatetime()
    known = max(midnight, values.index[-1].to_pydatetime() + series.step) if len(values) else midnight
    return known if start - known > LONGEST_GAP_HOURS * HOUR else start


def _joined(seen: pd.Series, ahead: pd.Series) -> pd.Series:
    parts = [part for part in (seen, ahead[~ahead.index.isin(seen.index)]) if len(part)]
    return pd.concat(parts).sort_index() if parts else seen
