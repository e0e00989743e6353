"""FAO-56 worked examples 17, 18 and 20, and the rules for what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from planning.kernel.problems import InvalidInput
from water.kernel.evapotranspiration import (
    DayWeather,
    Method,
    Site,
    daylight_h,
    extraterrestrial_mj_m2,
    hargreaves_mm,
    penman_monteith_mm,
    reference_eto,
)

UCCLE = Site(latitude_deg=50.8, elevation_m=100, wind_height_m=10)
UCCLE_6_JULY = DayWeather(
    date(2015, 7, 6), 21.5, 12.3, rh_max_pct=84, rh_min_pct=63, wind_m_s=10 / 3.6, sunshine_h=9.25
)
LYON = Site(latitude_deg=45 + 43 / 60, elevation_m=200)
LYON_JULY = DayWeather(date(2015, 7, 15), 26.6, 14.8)


def test_example_17_bangkok_in_april() -> None:
    bangkok = Site(latitude_deg=13 + 44 / 60, elevation_m=2)
    april = DayWeather(
        date(2015, 4, 15), 34.8, 25.6, vapour_pressure_kpa=2.85, wind_m_s=2, sunshine_h=8.5, soil_heat_mj_m2=0.14
    )
    eto = reference_eto(bangkok, april)
    # printed: 5.72 mm a day
    assert f"{eto.mm:.2f}" == "5.72"
    assert (eto.method, eto.estimated) == (Method.PENMAN_MONTEITH, ())


def test_example_18_uccle_on_6_july() -> None:
    assert extraterrestrial_mj_m2(UCCLE, UCCLE_6_JULY) == pytest.approx(41.09, abs=0.05)
    assert daylight_h(UCCLE, UCCLE_6_JULY) == pytest.approx(16.1, abs=0.05)
    # printed: 3.88, rounded to 3.9 mm a day
    assert f"{reference_eto(UCCLE, UCCLE_6_JULY).mm:.2f}" == "3.88"


def test_example_20_lyon_in_july_with_only_temperature() -> None:
    # printed: 4.56 by Penman–Monteith with what is missing estimated, 5.0 by Hargreaves
    assert f"{penman_monteith_mm(LYON, LYON_JULY):.2f}" == "4.56"
    assert f"{hargreaves_mm(LYON, LYON_JULY):.1f}" == "5.0"


def test_only_temperature_gives_hargreaves_and_says_so() -> None:
    eto = reference_eto(LYON, LYON_JULY)
    assert eto.mm == hargreaves_mm(LYON, LYON_JULY)
    assert (eto.method, eto.estimated) == (Method.HARGREAVES, ("humidity", "wind", "radiation"))


def test_one_missing_measurement_is_estimated_and_named() -> None:
    calm = reference_eto(UCCLE, replace(UCCLE_6_JULY, wind_m_s=None))
    assert (calm.method, calm.estimated) == (Method.PENMAN_MONTEITH, ("wind",))
    # the mean wind of 2.0 m/s is close to the measured 2.08 at 2 m
    assert calm.mm == pytest.approx(3.88, abs=0.05)


def test_measured_radiation_goes_before_sunshine() -> None:
    # Rs = (0.25 + 0.5 × 9.25/16.1) × 41.09 = 22.07 is what the sunshine says
    measured = replace(UCCLE_6_JULY, solar_mj_m2=22.07, sunshine_h=1.0)
    assert reference_eto(UCCLE, measured).mm == pytest.approx(3.88, abs=0.01)


def test_dew_point_and_mean_humidity_agree_with_vapour_pressure() -> None:
    # ea = 1.409 kPa: dew point 12.05 °C; es = 1.997 kPa, so a mean humidity of 70.56 %
    bare = replace(UCCLE_6_JULY, rh_max_pct=None, rh_min_pct=None)
    by_pressure = reference_eto(UCCLE, replace(bare, vapour_pressure_kpa=1.409)).mm
    assert reference_eto(UCCLE, replace(bare, dew_point_c=12.05)).mm == pytest.approx(by_pressure, abs=0.005)
    assert reference_eto(UCCLE, replace(bare, rh_mean_pct=70.56)).mm == pytest.approx(by_pressure, abs=0.005)


def test_a_coast_is_sunnier_than_inland_at_the_same_temperatures() -> None:
    humid = replace(LYON_JULY, rh_mean_pct=60)
    assert reference_eto(replace(LYON, coastal=True), humid).mm > reference_eto(LYON, humid).mm


def test_impossible_weather_is_refused_with_every_reason() -> None:
    with pytest.raises(InvalidInput) as refused:
        reference_eto(LYON, DayWeather(date(2026, 7, 1), 20, 25, rh_mean_pct=120, wind_m_s=float("nan")))
    places = [problem.place for problem in refused.value.problems]
    assert places == ["2026-07-01.tmin_c", "2026-07-01.rh_mean_pct", "2026-07-01.wind_m_s"]
