"""Blocks from day to day: what a lateral is asked for, and that nothing is asked for twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from planning.kernel.problems import InvalidInput
from water.kernel.crops import CROPS
from water.kernel.fields import (
    Block,
    Weather,
    after,
    ask,
    block_problems,
    check,
    first_state,
    gross_km3,
    kept_as,
    need_mm,
    overdue_days,
    shortfall,
    stage_name,
)
from water.kernel.soil import Policy

PLANTED = date(2026, 1, 1)
GUAVA = Block("guava", CROPS["guava"], 10.0, PLANTED, 0.6, 0.8, policy=Policy(turn_days=4))
RICE = Block("rice", CROPS["rice"], 10.0, PLANTED, 1.0, 0.8, percolation_mm_per_day=3.0)


def on(age: int, eto: float = 5.0, rain: float = 0.0) -> Weather:
    return Weather(PLANTED + timedelta(days=age), eto, rain, usual_eto_mm=5.0)


def test_the_headgate_gives_more_than_the_field_needs() -> None:
    # 4.8 mm / (0.6 × 0.8) = 10 mm on 10 ha = 1 000 m³
    assert gross_km3(GUAVA, 4.8) == pytest.approx(1.0)


def test_a_field_of_which_nothing_is_known_lacks_half_of_what_it_may() -> None:
    # Kc 0.7 × 5 mm × 4 days = 14 mm
    assert first_state(GUAVA, on(0)) == pytest.approx(7.0)
    assert shortfall(GUAVA, 7.0, on(0)) == (7.0, pytest.approx(14.0))
    assert first_state(RICE, on(0)) == 40.0  # the middle of 20 to 60


def test_a_fallow_field_wants_nothing_and_a_new_crop_forgets_it() -> None:
    soy = Block("soy", CROPS["soybean"], 1.0, PLANTED, 1.0, 1.0)
    assert (stage_name(soy, PLANTED - timedelta(days=1)), need_mm(soy, 50.0, on(-1))) == ("fallow", 0.0)
    assert after(soy, 50.0, on(90), 0.0) == 0.0
    # 0.3 m of loam hold 39 mm, p = 0.5 + 0.04 (5 − 2.5) = 0.6: half of 23.4 are gone, and 2.5 more on the day
    assert after(soy, 0.0, on(0), 0.0) == pytest.approx(11.7 + 2.5)


def test_land_that_is_soaked_on_schedule_is_not_overdue() -> None:
    # 200 mm in 30 days: after 10 of them 133.3 may still lack, and a day without water makes it a day late
    assert shortfall(RICE, -133.4, on(-20)) == (133.4, pytest.approx(133.3, abs=0.1))
    assert overdue_days(RICE, -200 * 20 / 30, on(-20)) == pytest.approx(0.0)
    assert overdue_days(RICE, -200 * 21 / 30, on(-20)) == pytest.approx(1.0)
    assert overdue_days(RICE, -100.0, on(-20)) == pytest.approx(-5.0)


def test_how_rice_is_kept_is_named() -> None:
    drying = replace(RICE, awd_mm=150.0)
    days = [PLANTED + timedelta(days=age) for age in (-31, -1, 0, 30, 55, 60, 140, 150)]
    assert [kept_as(drying, day) for day in days] == [
        "", "soaking", "flooded", "drying", "dry", "flooded", "dry", "",
    ]  # fmt: skip
    assert [kept_as(RICE, days[3]), kept_as(GUAVA, days[3])] == ["flooded", ""]


def test_stages_are_named() -> None:
    assert [stage_name(RICE, PLANTED + timedelta(days=age)) for age in (-31, -30, 0, 30, 60, 149, 150)] == [
        "fallow",
        "soaking",
        "initial",
        "development",
        "mid",
        "late",
        "fallow",
    ]


def test_rain_is_remembered() -> None:
    state = 14.0
    wet = after(GUAVA, state, on(0, rain=20), 0.0)
    # 14 − 16 + 3.5 = 1.5 lacks after the rain; the field waits until 14 are gone again
    assert wet == pytest.approx(1.5)
    asked = []
    for age in range(1, 6):
        water = need_mm(GUAVA, wet, on(age))
        asked.append(water)
        wet = after(GUAVA, wet, on(age), water)
    # 5, 8.5, 12, then 15.5 would be 1.5 too many, and from then on 3.5 a day
    assert asked == pytest.approx([0.0, 0.0, 0.0, 1.5, 3.5])


def test_a_hot_day_asks_for_more() -> None:
    assert need_mm(GUAVA, 14.0, on(0, eto=5.0)) == pytest.approx(3.5)
    assert need_mm(GUAVA, 14.0, on(0, eto=8.0)) == pytest.approx(5.6)


def test_what_was_applied_today_is_not_asked_for_again() -> None:
    blocks, states = [GUAVA], {"guava": 14.0}

    def asked(applied: float, hours: float) -> float:
        return ask(blocks, states, on(0), {"guava": applied}, hours, 100.0).km3["guava"]

    whole = gross_km3(GUAVA, 3.5)
    assert asked(0.0, 24) == pytest.approx(whole)
    assert asked(3.5, 12) == 0.0
    assert asked(1.75, 12) == pytest.approx(whole / 2)
    # nothing came in the morning: the afternoon asks for its half, the rest waits for tomorrow
    half = ask(blocks, states, on(0), {}, 12, 100.0)
    assert half.km3["guava"] == pytest.approx(whole / 2)
    assert half.states["guava"] == pytest.approx(14.0 + 1.75)
    tomorrow = ask(blocks, half.states, on(1), {}, 24, 100.0)
    assert tomorrow.km3["guava"] == pytest.approx(whole * 1.5)


def test_a_lateral_is_never_asked_for_more_than_it_carries() -> None:
    twice = replace(GUAVA, name="twice", area_ha=20.0)
    states = {"guava": 34.0, "twice": 34.0}
    # 23.5 mm on 30 ha want 14.7; 3 fit, a third of them for the smaller field, and what is missing is still missing
    found = ask([GUAVA, twice], states, on(0), {}, 24, 3.0)
    assert found.km3 == {"guava": pytest.approx(1.0), "twice": pytest.approx(2.0)}
    assert found.states["guava"] == pytest.approx(34 + 3.5 - 4.8)


def test_impossible_blocks_are_refused_all_at_once() -> None:
    bad = replace(GUAVA, application_efficiency=0, conveyance_efficiency=1.2, area_ha=float("nan"))
    assert [problem.place for problem in block_problems([bad, GUAVA])] == [
        "blocks.guava.application_efficiency",
        "blocks.guava.conveyance_efficiency",
        "blocks.guava.area_ha",
        "blocks.guava",
    ]
    with pytest.raises(InvalidInput):
        check([bad])
