"""The weather over a city's fields as it was measured, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from django.db.models import Max
from django.db.models.functions import TruncDate

from forecasting.models import Observation, Series
from forecasting.readers import histories

from .kernel.daily_eto import Climate
from .kernel.fields import Weather
from .models import IrrigationSystem, WeatherStation
from .weather import climate, eto_by_day, hours_of_days, series_of

SPIN_UP_DAYS = 30
"""A field without a stored state of this age is taken to have stood at the kernel's first state so long ago, and to
have got what it needed since: the assumption of the first day has then faded."""
WEATHER_ROWS = (
    "city", "reference_eto", "rain", "weather__city", "weather__temperature", "weather__temperature_max",
    "weather__temperature_min", "weather__humidity", "weather__wind", "weather__radiation",
)  # fmt: skip
"""What an irrigation system's weather is read from, for `select_related`."""

Seen = Mapping[int, tuple[pd.Series, bool]]
"""Values and whether any is synthetic, by series id."""


@dataclass(frozen=True)
class Skies:
    """Observed ETo and rain by local day, mm; `synthetic` if any of it is."""

    eto: Mapping[date, float]
    rain: Mapping[date, float]
    synthetic: bool
    recorded: Mapping[date, datetime]
    """When the last recording was made of each local day's weather."""
    climate: Climate | None = None
    """Of the station's days, where it is known."""

    def on(self, day: date) -> Weather:
        """A day without a measured ETo takes that before it; one without a measured rain is dry, the cautious guess."""
        before = [known for known in self.eto if known <= day] or list(self.eto)[:1]
        usual = sum(self.eto.values()) / len(self.eto) if self.eto else 0.0
        return Weather(day, self.eto[max(before)] if before else 0.0, self.rain.get(day, 0.0), usual)

    def measured(self, day: date) -> bool:
        return day in self.eto and day in self.rain

    def all_known(self, day: date, moment: datetime) -> bool:
        """Whether at a moment the weather up to a day was known as it is now."""
        return all(at <= moment for of, at in self.recorded.items() if of <= day)


def skies_of(systems: Sequence[IrrigationSystem], known_at: datetime) -> dict[int, Skies]:
    """The weather of the last days over each system of a city, by its id. It is read once for all of them."""
    if not systems:
        return {}
    zone = systems[0].city.zone
    used = {system.pk: _series(system) for system in systems}
    every = {series.pk: series for rows in used.values() for series in rows}
    seen = histories(every.values(), known_at, days=SPIN_UP_DAYS + 2)
    recorded = _last_recordings(every.values(), zone, known_at)
    stations = {system.weather.pk: system.weather for system in systems if system.weather}
    measured = {key: _measured(station, seen, known_at) for key, station in stations.items()}
    found = {}
    for system in systems:
        by_station, grown_in = measured.get(system.weather_id or 0, ({}, None))
        eto, rain = (_by_day(seen[series.pk][0], zone) for series in (system.reference_eto, system.rain))
        mine = [series.pk for series in used[system.pk]]
        found[system.pk] = Skies(
            dict(sorted({**eto, **by_station}.items())),
            rain,
            any(seen[key][1] for key in mine),
            _latest([recorded.get(key, {}) for key in mine]),
            grown_in,
        )
    return found


def _series(system: IrrigationSystem) -> list[Series]:
    return [system.reference_eto, system.rain, *series_of(system.weather).values()]


def _measured(station: WeatherStation, seen: Seen, known_at: datetime) -> tuple[dict[date, float], Climate | None]:
    """The station's ETo of past local days, and their climate; today's hours are not all known."""
    last = known_at.astimezone(station.city.zone).date() - timedelta(days=1)
    hours = hours_of_days(last - timedelta(days=SPIN_UP_DAYS), last, station.city.zone)
    values = {column: seen[series.pk][0] for column, series in series_of(station).items()}
    eto = {day: found.mm for day, found in eto_by_day(station, values, hours).items()}
    return eto, climate(station, values, hours)


def _by_day(values: pd.Series, zone: ZoneInfo) -> dict[date, float]:
    """The mean of a series of daily amounts by local day."""
    found: dict[date, list[float]] = {}
    for at, value in values.items():
        found.setdefault(pd.Timestamp(at).tz_convert(zone).date(), []).append(max(0.0, float(value)))  # type: ignore[arg-type]
    return {day: sum(amounts) / len(amounts) for day, amounts in found.items()}


def _last_recordings(series: Iterable[Series], zone: ZoneInfo, known_at: datetime) -> dict[int, dict[date, datetime]]:
    """By series id when the last recording was made of each local day's values."""
    seen = Observation.objects.filter(
        series__in=series,
        recorded_at__lte=known_at,
        valid_at__range=(known_at - timedelta(days=SPIN_UP_DAYS + 2), known_at),
    )
    by_day = seen.order_by().values_list("series", TruncDate("valid_at", tzinfo=zone)).annotate(last=Max("recorded_at"))
    found: dict[int, dict[date, datetime]] = {}
    for key, day, last in by_day:
        found.setdefault(key, {})[day] = last
    return found


def _latest(by_series: Sequence[Mapping[date, datetime]]) -> dict[date, datetime]:
    found: dict[date, datetime] = {}
    for recorded in by_series:
        for day, at in recorded.items():
            found[day] = max(found.get(day, at), at)
    return found
