"""Reference evapotranspiration ETo hour by hour, after FAO Irrigation and Drainage Paper 56, chapter 4.

Radiation and the Penman–Monteith fraction are those of `refet.calcs`. Its `Hourly` class is not used: it follows ASCE
2005, whose surface is 50 s/m by day and 200 s/m by night (Cd 0.24 and 0.96); FAO-56 has 0.34 at every hour (eq. 53).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from refet import calcs

from cities.kernel.said import Said
from planning.kernel.problems import InvalidInput, Problem

from .evapotranspiration import Site

CN, CD = 37.0, 0.34
"""FAO-56 eq. 53: 900 / 24 rounded, and the wind's share of the surface resistance at every hour of the day."""
HEAT_OF_DAY, HEAT_OF_NIGHT = 0.1, 0.5
"""Share of the net radiation that goes into the soil (FAO-56 eq. 45 and 46)."""
NIGHT_CLEARNESS = 0.6
"""Rs/Rso of a night before any day is known: the upper end for humid places (FAO-56 p. 75: 0.4 to 0.6)."""
LOW_SUN_SHARE = 0.3
"""Below this share of the highest clear-sky radiation of the hours given the sun stands too low to tell clouds from
haze; such hours take the ratio before them, as FAO-56 does for the night with that of two to three hours before dusk.
"""


@dataclass(frozen=True)
class HourWeather:
    """The weather of one hour from `start` (timezone-aware). Radiation in MJ/m²/h.

    One of `solar_mj_m2` and `clear_share` (Rs/Rso, 1 under a clear sky) must be known by day; at night the share tells
    how much heat the sky lets go, and without one that of the last day counts.
    """

    start: datetime
    temperature_c: float
    rh_pct: float
    wind_m_s: float
    solar_mj_m2: float | None = None
    clear_share: float | None = None


@dataclass(frozen=True)
class Radiation:
    """One hour's radiation, MJ/m²/h: above the air, at the ground under a clear sky, as it is, and net of all."""

    above_air: float
    clear_sky: float
    solar: float
    net: float


def hourly_eto(site: Site, longitude_deg: float, hours: Sequence[HourWeather]) -> list[float]:
    """ETo of every hour, mm/h (FAO-56 eq. 53); hours in order of time. Raises InvalidInput with every bad value.

    Below zero (dew, on calm clear nights) counts as none, as FAO-56's example 19 prints it.
    """
    balances = radiation(site, longitude_deg, hours)
    pressure = calcs.air_pressure(np.array([float(site.elevation_m)]), "asce")
    return [_mm(site, float(pressure[0]), hour, net.net) for hour, net in zip(hours, balances, strict=True)]


def eto_by_day(site: Site, longitude_deg: float, hours: Sequence[HourWeather], zone: ZoneInfo) -> dict[date, float]:
    """ETo of the local days that the hours cover in full, mm/day: hourly forecast weather for a daily field balance."""
    days: dict[date, list[float]] = {}
    for hour, mm in zip(hours, hourly_eto(site, longitude_deg, hours), strict=True):
        days.setdefault(hour.start.astimezone(zone).date(), []).append(mm)
    return {day: sum(amounts) for day, amounts in days.items() if len(amounts) >= _hours_of(day, zone)}


def radiation(site: Site, longitude_deg: float, hours: Sequence[HourWeather]) -> list[Radiation]:
    """The radiation balance of every hour (FAO-56 eq. 28, 37, 38, 39, 40)."""
    found = weather_problems(site, longitude_deg, hours)
    if found:
        raise InvalidInput(found)
    above = [_above_air(site, longitude_deg, hour.start) for hour in hours]
    clear = [float(calcs.rso_simple(np.array([mj]), np.array([float(site.elevation_m)]))[0]) for mj in above]
    return [
        Radiation(ra, rso, rs, _net(hour, rs, share))
        for ra, rso, hour, (rs, share) in zip(above, clear, hours, _clearness(hours, clear), strict=True)
    ]


def weather_problems(site: Site, longitude_deg: float, hours: Sequence[HourWeather]) -> list[Problem]:
    """Everything about the hours that cannot be; empty when good."""
    found = (
        []
        if -180 <= longitude_deg <= 180
        else [Problem("longitude_deg", longitude_deg, Said("%(low)g to %(high)g", low=-180, high=180))]
    )
    if any(hour.start.tzinfo is None for hour in hours):
        return [*found, Problem("start", Said("a time without offset"), Said("times with an offset"))]
    if any(b.start <= a.start for a, b in zip(hours, hours[1:], strict=False)):
        found.append(Problem("start", Said("out of order"), Said("hours in order of time, each once")))
    for hour in hours:
        ranges = [
            ("temperature_c", hour.temperature_c, -60.0, 60.0),
            ("rh_pct", hour.rh_pct, 0.0, 100.0),
            ("wind_m_s", hour.wind_m_s, 0.0, 90.0),
            ("solar_mj_m2", hour.solar_mj_m2, 0.0, 5.0),
            ("clear_share", hour.clear_share, 0.0, 1.2),
        ]
        place = hour.start.isoformat()
        found += [
            Problem(f"{place}.{name}", value, Said("%(low)g to %(high)g", low=low, high=high))
            for name, value, low, high in ranges
            if value is not None and not low <= value <= high
        ]
    return found + ([] if found else _dark_days(site, longitude_deg, hours))


def _dark_days(site: Site, longitude_deg: float, hours: Sequence[HourWeather]) -> list[Problem]:
    return [
        Problem(hour.start.isoformat(), None, Said("solar_mj_m2 or clear_share: the sun is up"))
        for hour in hours
        if hour.solar_mj_m2 is None and hour.clear_share is None and _above_air(site, longitude_deg, hour.start) > 0
    ]


def _above_air(site: Site, longitude_deg: float, start: datetime) -> float:
    """Ra of the hour, FAO-56 eq. 28; the clock's meridian (Lz of eq. 31) is that of UTC."""
    at = start.astimezone(UTC)
    place = (np.array([math.radians(site.latitude_deg)]), np.array([math.radians(longitude_deg)]))
    middle = at.hour + at.minute / 60 + 0.5
    # The day of the year is the local sun's: east of Greenwich a morning's hour of UTC lies in the day before.
    day = math.floor(at.timetuple().tm_yday + (middle + longitude_deg / 15) / 24)
    return max(0.0, float(calcs.ra_hourly(*place, np.array([day]), np.array([middle]), "asce")[0]))


def _clearness(hours: Sequence[HourWeather], clear: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Every hour's Rs and its Rs/Rso for the heat that the sky lets go."""
    low_sun = LOW_SUN_SHARE * max(clear, default=0.0)
    before = NIGHT_CLEARNESS
    for hour, rso in zip(hours, clear, strict=True):
        rs = hour.solar_mj_m2 if hour.solar_mj_m2 is not None else rso * (hour.clear_share or 0.0)
        if hour.clear_share is not None:
            before = hour.clear_share
        elif rso > 0 and rso >= low_sun:
            before = rs / rso
        yield rs, min(1.0, before)


def _net(hour: HourWeather, rs: float, clear_share: float) -> float:
    """Rn = 0.77 Rs − Rnl, with Rnl of FAO-56 eq. 39 per hour."""
    vapour = np.array([hour.rh_pct / 100]) * calcs.sat_vapor_pressure(np.array([hour.temperature_c]))
    # The ratio below 0.3 would make the sky give heat back (ASCE 2005 eq. 45 sets the same bound).
    cloudiness = 1.35 * max(0.3, clear_share) - 0.35
    outgoing = calcs.rnl_hourly(np.array([hour.temperature_c]), vapour, np.array([cloudiness]))
    return float(calcs.rn_hourly(np.array([rs]), outgoing)[0])


def _mm(site: Site, pressure_kpa: float, hour: HourWeather, net_mj: float) -> float:
    saturated = float(calcs.sat_vapor_pressure(np.array([hour.temperature_c]))[0])
    wind = float(calcs.wind_height_adjust(np.array([hour.wind_m_s]), site.wind_height_m)[0])
    mm = calcs.etsz(
        rn=net_mj,
        g=net_mj * (HEAT_OF_DAY if net_mj > 0 else HEAT_OF_NIGHT),
        tmean=hour.temperature_c,
        u2=wind,
        vpd=saturated * (1 - hour.rh_pct / 100),
        es_slope=calcs.es_slope(np.array([hour.temperature_c]), "asce")[0],
        psy=0.000665 * pressure_kpa,
        cn=CN,
        cd=CD,
    )
    return max(0.0, float(mm))


def _hours_of(day: date, zone: ZoneInfo) -> int:
    """23, 24 or 25."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = date.fromordinal(day.toordinal() + 1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return round((end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() / 3600)
