from __future__ import annotations

import pytest

from water.kernel.crops import CROPS, age_in_season, climate_adjusted, kc, root_depth_m, with_season

RICE, SOYBEAN = CROPS["rice"], CROPS["soybean"]


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


def test_roots_deepen_while_the_crop_develops() -> None:
    # soybean: 0.3 m until day 15, 0.6 m from day 30 on, half way between on day 22.5
    assert [root_depth_m(SOYBEAN, age) for age in (0, 15, 30, 80)] == pytest.approx([0.3, 0.3, 0.6, 0.6])
    assert root_depth_m(SOYBEAN, 20) == pytest.approx(0.3 + 5 / 15 * 0.3)
    assert root_depth_m(CROPS["sugarcane_ratoon"], 0) == 1.2


def test_a_season_ends_but_a_perennial_begins_anew() -> None:
    assert [age_in_season(SOYBEAN, days) for days in (-1, 0, 84, 85)] == [None, 0, 84, None]
    assert [age_in_season(CROPS["citrus"], days) for days in (-1, 364, 365)] == [None, 364, 0]
