"""Reference evapotranspiration against the worked examples 17 to 20 of FAO Irrigation and Drainage Paper 56 (Allen et
al. 1998), to the digits printed there."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from water.kernel.evapotranspiration import DayWeather, Site, hargreaves_mm, penman_monteith_mm, reference_eto
from water.kernel.hourly_eto import HourWeather, hourly_eto

from .row import Row

WORK = "reference evapotranspiration"
BANGKOK = Site(latitude_deg=13 + 44 / 60, elevation_m=2)
APRIL = DayWeather(
    date(2015, 4, 15), 34.8, 25.6, vapour_pressure_kpa=2.85, wind_m_s=2, sunshine_h=8.5, soil_heat_mj_m2=0.14
)
UCCLE = Site(latitude_deg=50.8, elevation_m=100, wind_height_m=10)
SIXTH_OF_JULY = DayWeather(
    date(2015, 7, 6), 21.5, 12.3, rh_max_pct=84, rh_min_pct=63, wind_m_s=10 / 3.6, sunshine_h=9.25
)
NDIAYE, LONGITUDE = Site(latitude_deg=16 + 13 / 60, elevation_m=8), -16.25
CLOCK = timezone(timedelta(hours=-1))
HOURS = (
    HourWeather(datetime(2015, 10, 1, 2, tzinfo=CLOCK), 28, 90, 1.9, solar_mj_m2=0.0, clear_share=0.8),
    HourWeather(datetime(2015, 10, 1, 14, tzinfo=CLOCK), 38, 52, 3.3, solar_mj_m2=2.450),
)
LYON = Site(latitude_deg=45 + 43 / 60, elevation_m=200)
JULY = DayWeather(date(2015, 7, 15), 26.6, 14.8)


def measure() -> list[Row]:
    night, afternoon = hourly_eto(NDIAYE, LONGITUDE, HOURS)
    return [
        _printed("17: Bangkok in April, mm/day", "5.72", reference_eto(BANGKOK, APRIL).mm),
        _printed("18: Uccle on 6 July, mm/day", "3.88", reference_eto(UCCLE, SIXTH_OF_JULY).mm),
        _printed("19: N'Diaye, from 2 o'clock, mm/h", "0.00", night),
        _printed("19: N'Diaye, from 14 o'clock, mm/h", "0.63", afternoon),
        _printed("20: Lyon, what is missing estimated, mm/day", "4.56", penman_monteith_mm(LYON, JULY)),
        _printed("20: Lyon by Hargreaves, mm/day", "5.0", hargreaves_mm(LYON, JULY)),
    ]


def _printed(example: str, printed: str, ours: float) -> Row:
    digits = len(printed.partition(".")[2])
    rounded = f"{ours:.{digits}f}"
    return Row(WORK, f"FAO-56 example {example}", printed, "", rounded, None, rounded == printed)
