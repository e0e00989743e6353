"""The balance of the root zone, by hand and against another model's season."""

from __future__ import annotations

import pytest

from water.kernel.soil import SOILS, Policy, RootZone, Soil, dependable_share, need_mm, next_day, root_zone, stress
from water.kernel.soil import useful_rain_mm as useful

ZONE = RootZone(taw_mm=60.0, raw_mm=30.0)


def test_readily_available_water_shrinks_when_the_air_is_thirsty() -> None:
    # loam: 0.25 − 0.12 = 0.13; 0.5 m hold 65 mm. p = 0.45 + 0.04 (5 − ETc): 0.45 at 5 mm, 0.53 at 3 mm
    assert root_zone(SOILS["loam"], 0.5, 0.45, 5.0) == RootZone(pytest.approx(65.0), pytest.approx(29.25))
    assert root_zone(SOILS["loam"], 0.5, 0.45, 3.0).raw_mm == pytest.approx(0.53 * 65)
    assert root_zone(SOILS["loam"], 0.5, 0.2, 10.0).raw_mm == pytest.approx(0.1 * 65)  # never below 0.1


def test_a_crop_takes_less_when_its_soil_is_past_raw() -> None:
    assert (stress(ZONE, 30), stress(ZONE, 45), stress(ZONE, 60)) == (1.0, 0.5, 0.0)
    assert next_day(ZONE, 45, 0, 0, 4).et_mm == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("depletion", "rain", "water", "etc", "left", "drained"),
    [
        (20, 0, 0, 4, 24, 0),  # a dry day
        (20, 10, 0, 4, 14, 0),  # rain
        (20, 0, 15, 4, 9, 0),  # irrigation
        (20, 30, 0, 4, 0, 6),  # 30 of rain are 6 more than the 24 that fit
        (59, 0, 0, 40, 59 + 40 / 30, 0),  # under stress the soil gives little: Ks = 1/30
    ],
)
def test_a_day_in_the_root_zone(
    depletion: float, rain: float, water: float, etc: float, left: float, drained: float
) -> None:
    found = next_day(ZONE, depletion, rain, water, etc)
    assert (found.depletion_mm, found.drained_mm) == (pytest.approx(min(60, left)), pytest.approx(drained))


def test_a_field_that_keeps_to_its_limit_asks_for_what_goes_beyond() -> None:
    keep = Policy()
    assert need_mm(ZONE, 25, 0, 4, keep, 4) == 0.0  # 29 of 30
    assert need_mm(ZONE, 28, 0, 4, keep, 4) == pytest.approx(2.0)
    assert need_mm(ZONE, 28, 3, 4, keep, 4) == 0.0  # rain brings it back to 29


def test_a_field_may_be_filled_each_time() -> None:
    assert need_mm(ZONE, 28, 0, 4, Policy(at=1.0, to=0.0), 4) == pytest.approx(32.0)
    assert need_mm(ZONE, 20, 0, 4, Policy(at=0.5, to=0.25), 4) == pytest.approx(24 - 7.5)


def test_a_field_by_turns_never_lacks_more_than_it_uses_until_the_next() -> None:
    # 4 days of 4 mm: 16 mm, less than the 30 of RAW
    assert need_mm(ZONE, 15, 0, 4, Policy(turn_days=4), 4) == pytest.approx(3.0)
    assert need_mm(ZONE, 28, 0, 4, Policy(turn_days=10), 4) == pytest.approx(2.0)


def test_little_rain_evaporates_and_a_fifth_of_the_rest_runs_off() -> None:
    assert (useful(0.9, 5.0), useful(1.0, 5.0), useful(10.0, 5.0)) == (0.0, pytest.approx(0.8), pytest.approx(8.0))


def test_less_of_a_small_rain_is_relied_on() -> None:
    # 1 mm a day is 30.4 a month: 0.6 × 30.4 − 10 = 8.24; 5 mm: 152, 0.8 × 152 − 24 = 97.6
    assert dependable_share(1.0) == pytest.approx(8.24 / 30.4)
    assert dependable_share(5.0) == pytest.approx(97.6 / 152)
    assert dependable_share(0.5) == dependable_share(0.0) == 0.0


# Depths of roots (m), ETc, rain, irrigation, and at the day's end Ks, what drained and the depletion (mm): a soybean on
# θFC 0.25 and θWP 0.12 with p 0.5 in the public-domain model pyfao56 1.4.3 (runoff and surface evaporation left small).
WATERED_IN_DROUGHT = [
    (0.36, 2.520, 0.0, 0.0, 0.570, 0.0, 37.54),
    (0.38, 2.155, 0.0, 20.0, 0.622, 0.0, 18.88),
    (0.40, 5.520, 0.0, 0.0, 1.000, 0.0, 24.40),
    (0.42, 2.888, 0.0, 0.0, 1.000, 0.0, 27.29),
]
SOAKED_BY_A_STORM = [
    (0.6, 3.68, 0.0, 0.0, 0.693, 0.0, 56.37),
    (0.6, 5.29, 0.0, 0.0, 0.542, 0.0, 59.23),
    (0.6, 4.37, 0.0, 0.0, 0.507, 0.0, 61.45),
    (0.6, 3.45, 30.0, 0.0, 0.484, 0.0, 33.12),
    (0.6, 5.28, 55.0, 0.0, 1.000, 16.6, 0.00),
    (0.6, 4.14, 0.0, 0.0, 1.000, 0.0, 4.14),
]


@pytest.mark.parametrize(("before", "days"), [(36.10, WATERED_IN_DROUGHT), (53.81, SOAKED_BY_A_STORM)])
def test_another_model_finds_the_same_season(before: float, days: list[tuple[float, ...]]) -> None:
    depletion = before
    for depth, etc, rain, water, ks, drained, left in days:
        zone = root_zone(Soil(0.25, 0.12), depth, 0.5, etc)
        assert stress(zone, depletion) == pytest.approx(ks, abs=0.002)
        found = next_day(zone, depletion, rain, water, etc)
        assert (found.depletion_mm, found.drained_mm) == pytest.approx((left, drained), abs=0.03)
        depletion = found.depletion_mm
