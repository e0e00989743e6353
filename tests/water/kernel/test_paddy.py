"""Water on rice through its season, by hand. Stages 25/25/50/25 days, transplanted on day 0."""

from __future__ import annotations

import pytest

from water.kernel.crops import CROPS, Paddy, kc, with_season
from water.kernel.paddy import PaddyDay, first_ponding_mm, keeping, need_mm, next_day

RICE, PADDY = with_season(CROPS["rice"], 125), Paddy()


def need(age: int, ponding: float, rain: float = 0.0, awd: float = 0.0) -> float:
    """At ETo 4 (ETc 4.2 in the first stage, 4.8 in the third) and 3 mm of percolation."""
    return need_mm(RICE, PADDY, age, ponding, rain, 4.0, 3.0, awd)


def day(age: int, ponding: float, rain: float = 0.0, water: float = 0.0) -> PaddyDay:
    return next_day(RICE, PADDY, age, ponding, rain, water, 4.0, 3.0)


def test_soaking_brings_its_volume_whatever_was_missed() -> None:
    assert first_ponding_mm(RICE, PADDY, -30) == -200.0
    assert need(-30, -200) == pytest.approx(200 / 30)
    # ten days in which nothing came: the rest of 200 in 20 days
    assert need(-20, -200) == pytest.approx(10.0)
    assert need(-20, -200, rain=4.0) == pytest.approx(6.0)
    assert day(-20, -200, water=10) == PaddyDay(-190.0, 0.0, 0.0)
    assert day(-1, -5, rain=8) == PaddyDay(0.0, 0.0, 3.0)


def test_the_water_layer_falls_by_what_the_crop_takes_and_what_percolates() -> None:
    assert day(5, 40) == PaddyDay(pytest.approx(40 - 4.2 - 3), 3.0, 0.0)
    assert day(5, 50, rain=40) == PaddyDay(60.0, 3.0, pytest.approx(90 - 7.2 - 60))


def test_without_water_nothing_percolates_and_the_mud_gives_out() -> None:
    assert day(5, 2) == PaddyDay(pytest.approx(-2.2), 0.0, 0.0)
    assert day(5, -59) == PaddyDay(-60.0, 0.0, 0.0)


def test_the_band_is_kept_from_below() -> None:
    assert need(5, 40) == 0.0  # 32.8 stay
    assert need(5, 25) == pytest.approx(20 - 25 + 7.2)
    assert need(5, 25, rain=2.2) == 0.0


def test_the_layer_is_raised_no_faster_than_allowed() -> None:
    # heading wants 50 of a field with 20: 4.8 + 3 of losses and 10 more a day
    assert need(50, 20) == pytest.approx(17.8)
    assert day(50, 20, water=17.8).ponding_mm == pytest.approx(30.0)


def test_fields_lie_dry_before_panicles_form_and_before_harvest() -> None:
    assert [keeping(RICE, PADDY, age).low_mm for age in (42, 43, 49, 50, 110, 111)] == [20, None, None, 50, 20, None]
    assert need(45, 0.0) == need(115, 0.0) == 0.0


def test_alternate_drying_waits_and_then_fills_to_the_band() -> None:
    # tillering: the water may fall 30 mm below the surface, then the field is flooded to 20 again
    etc = kc(RICE, 30) * 4
    assert need(30, 0.0, awd=30) == 0.0
    assert need(30, -29, awd=30) == pytest.approx(20 + 29 + etc + 3)
    assert need(60, 40, awd=30) == pytest.approx(17.8)  # never while it flowers: as without, 50 is the band


def test_a_water_table_that_may_fall_by_150_mm_is_there_in_nine_days() -> None:
    # from a layer of 20 mm: 4.4 mm a day, 3 more while water stands, and of a table so deep the mud has lost 30 mm
    ponding, age = 20.0, 30
    while need(age, ponding, awd=150) == 0.0:
        ponding, age = day(age, ponding).ponding_mm, age + 1
    assert age - 30 == 9
    assert -30 <= ponding < -25


@pytest.mark.parametrize("awd", [150, 300, 1000])
def test_however_deep_it_may_fall_the_mud_is_never_used_up(awd: float) -> None:
    # the mud holds 60 mm, of which 54 may go
    assert need(40, -52.0, awd=awd) > 0


def test_a_season_takes_what_it_should() -> None:
    ponding, total = first_ponding_mm(RICE, PADDY, -30), 0.0
    for age in range(-30, 125):
        water = need(age, ponding)
        ponding, total = day(age, ponding, water=water).ponding_mm, total + water
    # 200 of soaking, 118 days of percolation and use less 7 dry ones, and a layer: between 950 and 1,150 mm
    wet = [age for age in range(111) if not 43 <= age < 50]
    consumed = 200 + sum(4 * kc(RICE, age) for age in range(111)) + 3 * len(wet)
    assert consumed - 60 < total < consumed + 100
