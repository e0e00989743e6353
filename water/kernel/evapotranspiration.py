"""Daily reference evapotranspiration ETo of a grass surface, after FAO Irrigation and Drainage Paper 56.

The Penman–Monteith arithmetic is that of the `refet` package; what is added here are FAO-56's rules for missing
measurements and a record of what was measured and what was estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
import refet
from refet import calcs

from cities.kernel.said import Said
from planning.kernel.problems import InvalidInput, Problem

MEAN_WIND_M_S = 2.0
"""Wind at 2 m where none is known: mean of over 2 000 stations (FAO-56, chapter 3)."""
K_RS_INLAND, K_RS_COAST = 0.16, 0.19
"""Adjustment of the Hargreaves radiation formula (FAO-56 eq. 50)."""
MM_PER_MJ_M2 = 0.408
"""Depth of water that one MJ/m² evaporates (FAO-56 eq. 20)."""


class Method(StrEnum):
    """How an ETo was computed."""

    PENMAN_MONTEITH = "penman_monteith"
    HARGREAVES = "hargreaves"


@dataclass(frozen=True)
class Site:
    """Where the weather was measured. `wind_height_m` is the height of the anemometer over ground."""

    latitude_deg: float
    elevation_m: float
    wind_height_m: float = 2.0
    coastal: bool = False


@dataclass(frozen=True)
class DayWeather:
    """One day's weather; None is not known. Radiation in MJ/m²/day, soil heat flux likewise (0 for a day)."""

    day: date
    tmax_c: float
    tmin_c: float
    vapour_pressure_kpa: float | None = None
    dew_point_c: float | None = None
    rh_max_pct: float | None = None
    rh_min_pct: float | None = None
    rh_mean_pct: float | None = None
    wind_m_s: float | None = None
    sunshine_h: float | None = None
    solar_mj_m2: float | None = None
    soil_heat_mj_m2: float = 0.0


@dataclass(frozen=True)
class Eto:
    """ETo in mm/day, by which method, and which inputs were estimated ("humidity", "wind", "radiation")."""

    mm: float
    method: Method
    estimated: tuple[str, ...] = ()


def reference_eto(site: Site, weather: DayWeather) -> Eto:
    """ETo of a day: Penman–Monteith with what is missing estimated, Hargreaves when only temperature is known.

    Raises InvalidInput with every value that no weather can have.
    """
    found = weather_problems(site, weather)
    if found:
        raise InvalidInput(found)
    missing = _missing(weather)
    if len(missing) == 3:
        return Eto(hargreaves_mm(site, weather), Method.HARGREAVES, missing)
    return Eto(penman_monteith_mm(site, weather), Method.PENMAN_MONTEITH, missing)


def penman_monteith_mm(site: Site, weather: DayWeather) -> float:
    """FAO-56 eq. 6: ETo = [0.408 Δ (Rn − G) + γ 900/(T+273) u2 (es − ea)] / [Δ + γ (1 + 0.34 u2)], mm/day."""
    known = weather.wind_m_s is not None
    day = refet.Daily(
        tmin=weather.tmin_c,
        tmax=weather.tmax_c,
        rs=_solar_mj_m2(site, weather),
        uz=weather.wind_m_s if known else MEAN_WIND_M_S,
        zw=site.wind_height_m if known else 2.0,
        elev=float(site.elevation_m),
        lat=float(site.latitude_deg),
        doy=_day_of_year(weather),
        ea=_vapour_pressure_kpa(weather),
    )
    day.g = weather.soil_heat_mj_m2
    return max(0.0, float(day.eto()[0]))


def hargreaves_mm(site: Site, weather: DayWeather) -> float:
    """FAO-56 eq. 52: ETo = 0.0023 (Tmean + 17.8) √(Tmax − Tmin) Ra, mm/day; calibrate it where you can."""
    mean_c = (weather.tmax_c + weather.tmin_c) / 2
    span = math.sqrt(weather.tmax_c - weather.tmin_c)
    return max(0.0, 0.0023 * (mean_c + 17.8) * span * extraterrestrial_mj_m2(site, weather) * MM_PER_MJ_M2)


def extraterrestrial_mj_m2(site: Site, weather: DayWeather) -> float:
    """Ra, the radiation above the air (FAO-56 eq. 21), MJ/m²/day."""
    latitude = np.array([math.radians(site.latitude_deg)])
    return float(calcs.ra_daily(latitude, _day_of_year(weather), "asce")[0])


def daylight_h(site: Site, weather: DayWeather) -> float:
    """N, the longest possible sunshine (FAO-56 eq. 34), hours."""
    declination = 0.409 * math.sin(2 * math.pi * _day_of_year(weather) / 365 - 1.39)
    cosine = -math.tan(math.radians(site.latitude_deg)) * math.tan(declination)
    return 24 / math.pi * math.acos(min(1.0, max(-1.0, cosine)))


def weather_problems(site: Site, weather: DayWeather) -> list[Problem]:
    """Everything about a site and a day that cannot be; empty when good."""
    place = weather.day.isoformat()
    ranges = [
        ("latitude_deg", site.latitude_deg, -66.0, 66.0),
        ("elevation_m", site.elevation_m, -450.0, 6000.0),
        ("tmax_c", weather.tmax_c, -60.0, 60.0),
        ("tmin_c", weather.tmin_c, -60.0, weather.tmax_c),
        ("vapour_pressure_kpa", weather.vapour_pressure_kpa, 0.0, 10.0),
        ("dew_point_c", weather.dew_point_c, -60.0, 40.0),
        ("rh_max_pct", weather.rh_max_pct, 0.0, 100.0),
        ("rh_min_pct", weather.rh_min_pct, 0.0, 100.0),
        ("rh_mean_pct", weather.rh_mean_pct, 0.0, 100.0),
        ("wind_m_s", weather.wind_m_s, 0.0, 90.0),
        ("sunshine_h", weather.sunshine_h, 0.0, 24.0),
        ("solar_mj_m2", weather.solar_mj_m2, 0.0, 50.0),
    ]
    return [
        Problem(f"{place}.{name}", value, Said("%(low)g to %(high)g", low=low, high=high))
        for name, value, low, high in ranges
        if value is not None and not low <= value <= high
    ]


def _missing(weather: DayWeather) -> tuple[str, ...]:
    humidity = (
        weather.vapour_pressure_kpa,
        weather.dew_point_c,
        weather.rh_min_pct,
        weather.rh_max_pct,
        weather.rh_mean_pct,
    )
    groups = {
        "humidity": humidity,
        "wind": (weather.wind_m_s,),
        "radiation": (weather.solar_mj_m2, weather.sunshine_h),
    }
    return tuple(name for name, values in groups.items() if all(value is None for value in values))


def _day_of_year(weather: DayWeather) -> int:
    return weather.day.timetuple().tm_yday


def _saturation_kpa(temperature_c: float) -> float:
    """e°(T), FAO-56 eq. 11."""
    return 0.6108 * math.exp(17.27 * temperature_c / (temperature_c + 237.3))


def _vapour_pressure_kpa(weather: DayWeather) -> float:
    """ea from the best measurement there is (FAO-56 eq. 14, 17, 18, 19); from Tmin when there is none (eq. 48)."""
    at_max, at_min = _saturation_kpa(weather.tmax_c), _saturation_kpa(weather.tmin_c)
    if weather.vapour_pressure_kpa is not None:
        return weather.vapour_pressure_kpa
    if weather.dew_point_c is not None:
        return _saturation_kpa(weather.dew_point_c)
    if weather.rh_max_pct is not None and weather.rh_min_pct is not None:
        return (at_min * weather.rh_max_pct + at_max * weather.rh_min_pct) / 200
    if weather.rh_mean_pct is not None:
        return weather.rh_mean_pct / 100 * (at_max + at_min) / 2
    if weather.rh_max_pct is not None:
        return at_min * weather.rh_max_pct / 100
    if weather.rh_min_pct is not None:
        return at_max * weather.rh_min_pct / 100
    return at_min


def _solar_mj_m2(site: Site, weather: DayWeather) -> float:
    """Rs as measured, from sunshine (FAO-56 eq. 35, a = 0.25, b = 0.50) or from the temperature span (eq. 50)."""
    if weather.solar_mj_m2 is not None:
        return weather.solar_mj_m2
    above_air = extraterrestrial_mj_m2(site, weather)
    if weather.sunshine_h is not None:
        return (0.25 + 0.50 * min(1.0, weather.sunshine_h / daylight_h(site, weather))) * above_air
    factor = K_RS_COAST if site.coastal else K_RS_INLAND
    return factor * math.sqrt(weather.tmax_c - weather.tmin_c) * above_air
