from __future__ import annotations

import pytest

from water.kernel import units


def test_one_cms_is_three_point_six_thousand_m3_per_hour() -> None:
    assert units.km3_per_hour_from_cms(1) == 3.6
    assert units.cms_from_km3_per_hour(3.6) == 1


def test_one_cms_is_eight_point_six_four_wan_t_per_day() -> None:
    assert units.wan_t_per_day_from_km3_per_hour(units.km3_per_hour_from_cms(1)) == pytest.approx(8.64)
    assert units.km3_per_hour_from_wan_t_per_day(2.4) == pytest.approx(1)


def test_a_reservoir_of_1480_wan_m3_holds_14_800_thousand_m3() -> None:
    assert units.km3_from_wan_m3(1480.05) == pytest.approx(14_800.5)
    assert units.wan_m3_from_km3(14_800.5) == pytest.approx(1480.05)


def test_seven_mm_on_6500_ha_are_455_thousand_m3() -> None:
    # 0.007 m × 65 000 000 m² = 455 000 m³
    assert units.km3_from_mm_ha(7, 6500) == pytest.approx(455)


def test_a_valve_of_30_litres_a_second_brings_27_m3_in_a_quarter_of_an_hour() -> None:
    assert units.m3_from_cms_minutes(0.030, 15) == pytest.approx(27)
    assert units.cms_from_m3_minutes(27, 15) == pytest.approx(0.030)
