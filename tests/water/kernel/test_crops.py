from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from planning.kernel.problems import InvalidInput
from water.kernel.crops import (
    CROPS,
    Block,
    block_problems,
    climate_adjusted,
    daily_demand,
    demand_mm,
    effective_rain_mm,
    gross_km3,
    kc,
    with_season,
)

RICE, CABBAGE, SOYBEAN = CROPS["rice"], CROPS["cabbage"], CROPS["soybean"]
PLANTED = date(2026, 1, 1)
FIELD = Block("A", CABBAGE, area_ha=10, planted=PLANTED, application_efficiency=0.6, conveyance_efficiency=0.8)


def day(age: int) -> date:
    return PLANTED + timedelta(days=age)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-1, 0.0),
        (0, 0.5),
        (14, 0.5),
        (15, 0.5),
        (20, 0.5 + 5 / 15 * 0.65),
        (30, 1.15),
        (69, 1.15),
        (70, 1.15),
        (76, 1.15 - 6 / 15 * 0.65),
        (84, 1.15 - 14 / 15 * 0.65),
        (85, 0.0),
    ],
)
def test_the_coefficient_of_soybean_is_flat_rising_flat_falling(age: int, expected: float) -> None:
    # 15/15/40/15 days, Kc 0.5/1.15/0.5
    assert kc(SOYBEAN, age) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("rice", 150),
        ("sugarcane_virgin", 480),
        ("sugarcane_ratoon", 320),
        ("banana_first_year", 390),
        ("banana_second_year", 365),
        ("pineapple", 790),
        ("cabbage", 165),
        ("tomato", 135),
        ("sweet_potato", 125),
        ("soybean", 85),
        ("watermelon", 80),
        ("citrus", 365),
    ],
)
def test_seasons_are_as_long_as_in_table_11(name: str, days: int) -> None:
    assert CROPS[name].season_days == days


def test_a_perennial_begins_anew() -> None:
    banana = CROPS["banana_second_year"]
    assert kc(banana, 365) == kc(banana, 0) == 1.0
    assert kc(banana, 365 + 200) == kc(banana, 200) == 1.2


def test_a_season_is_fitted_to_the_local_calendar() -> None:
    first_crop = with_season(RICE, 125)
    assert first_crop.season_days == 125
    assert first_crop.stage_days == (25, 25, 50, 25)


def test_a_dry_and_windy_climate_raises_the_coefficients() -> None:
    # h = 3 m: change = 0.04 × (4 − 2) − 0.004 × (30 − 45) = 0.14
    cane = climate_adjusted(CROPS["sugarcane_ratoon"], wind_m_s=4, rh_min_pct=30)
    assert (cane.kc_ini, cane.kc_mid, cane.kc_end) == pytest.approx((0.40, 1.39, 0.89))


def test_a_small_end_coefficient_is_not_adjusted() -> None:
    assert climate_adjusted(CROPS["pineapple"], wind_m_s=4, rh_min_pct=30).kc_end == 0.30


def test_upland_needs_what_rain_does_not_bring() -> None:
    # day 0: 0.7 × 5 mm
    assert demand_mm(CABBAGE, day(0), PLANTED, eto_mm=5, useful_rain_mm=0) == pytest.approx(3.5)
    assert demand_mm(CABBAGE, day(0), PLANTED, eto_mm=5, useful_rain_mm=2) == pytest.approx(1.5)
    assert demand_mm(CABBAGE, day(0), PLANTED, eto_mm=5, useful_rain_mm=20) == 0


def test_rice_is_soaked_flooded_kept_wet_and_dried() -> None:
    def rice(age: int) -> float:
        return demand_mm(RICE, day(age), PLANTED, eto_mm=4, useful_rain_mm=0, percolation_mm=6)

    assert rice(-31) == 0
    assert rice(-30) == rice(-1) == pytest.approx(200 / 30)
    # ETc 1.05 × 4 + percolation 6 + layer 100/10
    assert rice(0) == rice(9) == pytest.approx(4.2 + 6 + 10)
    assert rice(10) == pytest.approx(4.2 + 6)
    assert rice(60) == pytest.approx(4.8 + 6)
    assert rice(135) > 0
    assert rice(136) == 0


def test_a_rice_season_adds_up_to_its_parts() -> None:
    ages = range(-30, 150)
    total = sum(demand_mm(RICE, day(age), PLANTED, 4, 0, 6) for age in ages)
    assert total == pytest.approx(200 + 100 + 136 * 6 + 4 * sum(kc(RICE, age) for age in range(136)))


def test_small_rain_is_no_use_and_a_fifth_of_the_rest_runs_off() -> None:
    assert effective_rain_mm(4.9) == 0
    assert effective_rain_mm(10) == pytest.approx(8)


def test_the_headgate_gives_more_than_the_field_needs() -> None:
    # 4.8 mm / (0.6 × 0.8) = 10 mm on 10 ha = 1 000 m³
    assert gross_km3(FIELD, 4.8) == pytest.approx(1.0)


def test_demand_comes_per_block_and_day() -> None:
    idle = replace(FIELD, name="B", planted=PLANTED + timedelta(days=100))
    demand = daily_demand([FIELD, idle], PLANTED, eto_mm=[5, 5, 5], rain_mm=[0, 3, 10])
    # 0.7 × 5 = 3.5 mm net, 3.5/0.48 mm gross, 0.1 × that in 10³ m³; 3 mm of rain do nothing, 10 mm bring 8
    assert demand == {"A": pytest.approx((3.5 / 4.8, 3.5 / 4.8, 0)), "B": (0, 0, 0)}


def test_impossible_blocks_are_refused_all_at_once() -> None:
    bad = replace(FIELD, application_efficiency=0, conveyance_efficiency=1.2, area_ha=float("nan"))
    assert [problem.place for problem in block_problems([bad, FIELD])] == [
        "blocks.A.application_efficiency",
        "blocks.A.conveyance_efficiency",
        "blocks.A.area_ha",
        "blocks.A",
    ]
    with pytest.raises(InvalidInput):
        daily_demand([bad], PLANTED, [5], [0])
