from __future__ import annotations

import pytest

from water.kernel.policy import (
    DROUGHT_PRACTICE,
    LAW_ORDER,
    POLICIES,
    CutRules,
    Light,
    Measure,
    UserClass,
    compensation_per_km3,
    cuts,
    measures,
    restriction_light,
)


def test_the_law_puts_farming_before_hydropower_before_industry() -> None:
    order = sorted(UserClass, key=LAW_ORDER.tier)
    assert [str(user) for user in order] == [
        "environment", "domestic", "agriculture", "hydropower", "industry", "navigation", "other",
    ]  # fmt: skip


def test_in_drought_farming_goes_short_before_industry_and_is_paid() -> None:
    assert DROUGHT_PRACTICE.tier(UserClass.INDUSTRY) < DROUGHT_PRACTICE.tier(UserClass.AGRICULTURE)
    assert DROUGHT_PRACTICE.compensated == {UserClass.AGRICULTURE}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_every_policy_ranks_every_class(policy) -> None:
    assert set(policy.tiers) == set(UserClass)


def test_fallow_pay_becomes_a_price_of_water() -> None:
    # NT$82,000/ha over 20,400 m³/ha is NT$4.02 per m³
    assert compensation_per_km3(82_000, 20_400) == pytest.approx(4019.6, abs=0.1)


@pytest.mark.parametrize(
    ("days", "river", "shortage", "light"),
    [
        (200, 1.0, 0.0, Light.NONE),
        (80, 0.85, 0.0, Light.GREEN),
        (50, 0.56, 0.0, Light.YELLOW),  # Kaohsiung, March 2021: 56 of 100
        (20, 0.245, 0.0, Light.ORANGE),  # Kaohsiung, April 2021: 24.5 of 100
        (5, 0.1, 0.0, Light.RED),
        (200, 0.1, 0.0, Light.NONE),  # muddy week, full reservoirs
        (5, 1.0, 0.0, Light.NONE),  # emptied for desilting, full river
        (200, 1.0, 0.004, Light.NONE),
        (200, 1.0, 0.005, Light.GREEN),
        (200, 1.0, 0.03, Light.YELLOW),
        (200, 1.0, 0.05, Light.ORANGE),
        (200, 1.0, 0.5, Light.RED),
        (60, 0.7, 0.0, Light.GREEN),
    ],
)
def test_a_light_follows_storage_with_river_or_shortage_alone(days, river, shortage, light) -> None:
    assert restriction_light(days, river, shortage) == light


def test_measures_add_up_as_lights_rise() -> None:
    assert measures(Light.NONE) == ()
    assert measures(Light.GREEN) == (Measure.WATCH,)
    assert len(measures(Light.RED)) == len(Measure)
    assert measures(Light.RED)[-1] == Measure.SUPPLY_BY_ZONES


@pytest.mark.parametrize(
    ("light", "user", "use", "share"),
    [
        (Light.GREEN, UserClass.INDUSTRY, 50_000, 0),
        (Light.YELLOW, UserClass.DOMESTIC, 20, 0.03),
        (Light.YELLOW, UserClass.INDUSTRY, 50_000, 0.05),
        (Light.ORANGE, UserClass.INDUSTRY, 50_000, 0.07),
        (Light.ORANGE, UserClass.INDUSTRY, 1_000, 0.03),
        (Light.ORANGE, UserClass.OTHER, 1_001, 0.10),
        (Light.ORANGE, UserClass.DOMESTIC, 20, 0.03),
        (Light.RED, UserClass.DOMESTIC, 20, 2 / 7),
        (Light.RED, UserClass.INDUSTRY, 50_000, 2 / 7),
        (Light.RED, UserClass.AGRICULTURE, 50_000, 0),
        (Light.RED, UserClass.ENVIRONMENT, 50_000, 0),
    ],
)
def test_lights_cut_users_by_class_and_size(light, user, use, share) -> None:
    assert cuts(light, user, use).share == pytest.approx(share)


def test_only_the_yellow_saving_of_industry_is_voluntary() -> None:
    assert cuts(Light.YELLOW, UserClass.INDUSTRY, 5_000).voluntary
    assert not cuts(Light.ORANGE, UserClass.INDUSTRY, 5_000).voluntary


def test_a_longer_drought_deepens_the_cut_of_large_users() -> None:
    assert cuts(Light.ORANGE, UserClass.INDUSTRY, 5_000, CutRules(large_industry=0.20)).share == 0.20
