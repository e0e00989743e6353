"""A station's readings as daily ETo: by the hour where all is known, else by the day with what is missing estimated."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from water.kernel.daily_eto import COLUMNS, Basis, climate_of_days, eto_of_days
from water.kernel.evapotranspiration import DayWeather, Site, hargreaves_mm, penman_monteith_mm
from water.kernel.hourly_eto import HourWeather, eto_by_day

TAIPEI = ZoneInfo("Asia/Taipei")
KAOHSIUNG, LONGITUDE = Site(latitude_deg=22.57, elevation_m=10), 120.3
DAY = date(2026, 3, 20)


def readings(days: int = 1, **columns: object) -> pd.DataFrame:
    """Hours of days from DAY on; a column given as a number holds at every hour."""
    hours = pd.date_range(datetime(2026, 3, 20, tzinfo=TAIPEI), periods=24 * days, freq="h").tz_convert("UTC")
    return pd.DataFrame({name: columns.get(name, np.nan) for name in COLUMNS}, index=hours, dtype=float)


def spring(days: int = 1) -> pd.DataFrame:
    """20 to 30 °C and a sun of 12 hours that brings 18 MJ/m² a day."""
    hour = np.arange(24 * days) % 24
    sun = np.maximum(0.0, np.sin((hour + 0.5 - 6) / 12 * np.pi))
    return readings(
        days, temperature_c=25 - 5 * np.cos((hour - 2) / 12 * np.pi), rh_pct=70, wind_m_s=2, solar_mj_m2=sun * 18 / 7.66
    )


def eto(table: pd.DataFrame, is_hourly: bool = True) -> dict[date, tuple[float, str]]:
    found = eto_of_days(KAOHSIUNG, LONGITUDE, TAIPEI, table, is_hourly)
    return {day: (round(of.mm, 3), of.basis.value) for day, of in found.items()}


def test_a_day_known_by_the_hour_is_the_sum_of_its_hours() -> None:
    table = spring()
    hours = [
        HourWeather(at.to_pydatetime(), *row) for at, row in zip(table.index, table.to_numpy()[:, :4], strict=True)
    ]
    by_hand = eto_by_day(KAOHSIUNG, LONGITUDE, hours, TAIPEI)[DAY]
    assert eto(table) == {DAY: (round(by_hand, 3), "hours")}
    # The daily equation is near: 18 MJ/m² and ten degrees between night and day.
    daily = penman_monteith_mm(KAOHSIUNG, DayWeather(DAY, 30, 20, rh_mean_pct=70, wind_m_s=2, solar_mj_m2=18))
    assert by_hand == pytest.approx(daily, rel=0.1)


def test_three_hours_without_a_reading_are_bridged_and_four_are_not() -> None:
    table = spring(2)
    whole = eto(table)
    table.iloc[9:12, 0] = np.nan
    assert eto(table)[DAY] == (pytest.approx(whole[DAY][0], abs=0.02), "hours")
    table.iloc[8, 0] = np.nan
    # Twenty hours are still enough for the day's extremes and means.
    assert eto(table)[DAY][1] == "day"
    assert eto(table)[date(2026, 3, 21)] == whole[date(2026, 3, 21)]
    table.iloc[7, 0] = np.nan
    assert list(eto(table)) == [date(2026, 3, 21)]


def test_what_is_not_measured_is_estimated_by_the_day() -> None:
    table = spring()
    table["solar_mj_m2"] = np.nan
    by_span = penman_monteith_mm(KAOHSIUNG, DayWeather(DAY, 30, 20, rh_mean_pct=70, wind_m_s=2))
    assert eto(table) == {DAY: (round(by_span, 3), "day")}
    table[["rh_pct", "wind_m_s"]] = np.nan
    assert eto(table) == {DAY: (round(hargreaves_mm(KAOHSIUNG, DayWeather(DAY, 30, 20)), 3), "day")}


def test_a_feed_of_the_days_extremes_is_enough_and_comes_before_those_of_the_hours() -> None:
    # FAO-56 example 20: Lyon in July by Hargreaves, printed 5.0
    lyon = Site(latitude_deg=45 + 43 / 60, elevation_m=200)
    hours = pd.date_range("2015-07-15", periods=24, freq="h", tz="UTC")
    table = pd.DataFrame(np.nan, hours, list(COLUMNS)).assign(tmax_c=26.6, tmin_c=14.8)
    found = eto_of_days(lyon, 4.8, ZoneInfo("UTC"), table, False)
    assert (f"{found[date(2015, 7, 15)].mm:.1f}", found[date(2015, 7, 15)].basis) == ("5.0", Basis.DAY)
    both = spring().assign(tmax_c=33.0, tmin_c=18.0)
    wider = penman_monteith_mm(KAOHSIUNG, DayWeather(DAY, 33, 18, rh_mean_pct=70, wind_m_s=2, solar_mj_m2=18))
    assert eto(both, is_hourly=False)[DAY] == (pytest.approx(wider, abs=0.01), "day")


def test_means_of_a_day_are_never_taken_for_hours() -> None:
    table = spring().assign(solar_mj_m2=18 / 24)
    daily = penman_monteith_mm(KAOHSIUNG, DayWeather(DAY, 30, 20, rh_mean_pct=70, wind_m_s=2, solar_mj_m2=18))
    assert eto(table, is_hourly=False) == {DAY: (round(daily, 3), "day")}


def test_a_reading_that_cannot_be_is_none() -> None:
    table = spring()
    whole = eto(table)[DAY][0]
    table.iloc[12, 0], table.iloc[3, 1] = 99.0, -5.0
    assert eto(table)[DAY] == (pytest.approx(whole, abs=0.02), "hours")
    assert eto(readings(tmax_c=20.0, tmin_c=25.0)) == {}
    assert eto(readings()) == {}


def test_the_climate_is_the_mean_wind_at_two_metres_and_the_mean_of_the_days_driest_hours() -> None:
    table = spring(8)
    table["rh_pct"] = [60.0 if hour % 24 == 14 else 85.0 for hour in range(24 * 8)]
    table.iloc[24 * 7 + 14, 1] = 40.0
    high = Site(latitude_deg=22.57, elevation_m=10, wind_height_m=10)
    found = climate_of_days(high, TAIPEI, table)
    assert found is not None
    # FAO-56 table 2.9: wind at 10 m × 0.748
    assert (round(found.wind_m_s, 3), found.rh_min_pct) == (round(2 * 0.748, 3), pytest.approx((7 * 60 + 40) / 8))
    # A day with a longer gap is left out, and then of seven days none may be.
    table.iloc[0:5, 2] = np.nan
    assert climate_of_days(high, TAIPEI, table) is not None
    table.iloc[30:35, 1] = np.nan
    assert climate_of_days(high, TAIPEI, table) is None


def test_a_day_of_25_hours_is_one_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = pd.date_range("2026-10-25", "2026-10-26", freq="h", inclusive="left", tz=berlin).tz_convert("UTC")
    table = pd.DataFrame(np.nan, hours, list(COLUMNS)).assign(
        temperature_c=10.0, rh_pct=80.0, wind_m_s=2.0, solar_mj_m2=0.2
    )
    assert len(table) == 25
    found = eto_of_days(Site(52.5, 40), 13.4, berlin, table, True)
    assert {day: of.basis for day, of in found.items()} == {date(2026, 10, 25): Basis.HOURS}
