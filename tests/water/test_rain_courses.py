"""What laterals ask for when nobody knows how much it will rain, from courses of rain to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.utils.translation import override

from cities.models import City
from forecasting.ingest import Row, ingest
from forecasting.models import Series
from forecasting.rain import CLIMATE, HISTORY, RainPaths, rain_paths
from planning.models import Plan
from planning.numbers import Numbers
from tests.water.small import path, reading, series
from tests.water.test_irrigation import FULL, ask, asked, guava
from water.fields import Standing
from water.rain_report import irrigation_demand

ZONE = ZoneInfo("Asia/Taipei")
TODAY = date(2026, 7, 1)
WEEK = [TODAY + timedelta(days=k) for k in range(7)]


def first_hour(basis: str) -> float:
    """Of a guava field that is due, when one course in four is wet; the expected rain is none."""
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00"))
    courses = RainPaths(np.array([[0.0], [0.0], [0.0], [30.0]]), CLIMATE)
    read = replace(read, rain={rain.pk: courses}, basis=basis)
    return asked(ask(read, rain, eto, Standing({"guava20.0": FULL}), upper=guava()))[0]


def test_a_plan_counts_on_dependable_rain_unless_told_otherwise():
    # 3.5 mm on 20 ha / 0.72 = 0.9722 × 10³ m³ a day
    assert first_hour("dependable") == pytest.approx(0.7 / 0.72 / 24)


def test_a_plan_may_count_on_the_mean_over_the_courses_of_rain():
    assert first_hour("mean") == pytest.approx(0.75 * 0.7 / 0.72 / 24)


def test_a_plan_may_count_on_a_quantile():
    assert first_hour("0.8") == pytest.approx(0.7 / 0.72 / 24)


def test_turnouts_ask_for_what_the_lateral_counts_on():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00"))
    read = replace(read, rain={rain.pk: RainPaths(np.array([[0.0], [30.0]]), CLIMATE)}, basis="mean")
    sheet = ask(read, rain, eto, Standing({"guava20.0": FULL}), upper=guava())
    assert sheet.turnouts["lateral"]["upper"]["km3"] == pytest.approx(0.5 * 0.7 / 0.72)
    assert sheet.irrigation["lateral"]["planned"] == [pytest.approx(0.5 * 0.7 / 0.72, abs=1e-3)]
    # mean, 5 %, 50 % and 95 % of nothing and 0.972
    assert sheet.irrigation["lateral"]["total"] == pytest.approx([0.486, 0.049, 0.486, 0.924], abs=1e-3)


# --- where courses come from ---------------------------------------------------------------------------------
@pytest.fixture
def rain(db: None) -> Series:
    city = City.objects.create(
        key="small", name="Small", name_zh="小城", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5
    )
    profile = {"kind": "rain", "wet_days_by_month": [10.0] * 12, "mean_wet_day_mm": 20.0}
    return Series.objects.create(city=city, key="rain", name="Rain", unit="mm/d", step_minutes=1440, profile=profile)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE).astimezone(UTC)


@pytest.mark.django_db
def test_without_years_of_history_courses_follow_the_published_climate(rain: Series):
    found = rain_paths(rain, WEEK, noon(TODAY), 200)
    assert found is not None and found.source == CLIMATE and found.mm.shape == (200, 7)
    # a third of the days wet with 20 mm: 6.6 mm a day
    assert found.mm.mean() == pytest.approx(6.6, rel=0.15)
    assert (found.mm == 0).mean() == pytest.approx(0.67, abs=0.06)


@pytest.mark.django_db
def test_with_years_of_history_courses_are_days_that_followed_one_another(rain: Series):
    first = date(2022, 6, 1)
    days = [date(year, 6, 1) + timedelta(days=k) for year in range(2022, 2026) for k in range(60)]
    rows = [
        Row("rain", datetime.combine(day, time(), ZONE), float((day - first).days % 1000), noon(day)) for day in days
    ]
    ingest(rain.city, rows)
    found = rain_paths(rain, WEEK, noon(TODAY), 50)
    assert found is not None and found.source == HISTORY
    assert (np.diff(found.mm, axis=1) == 1).all()
    assert not found.synthetic
    # what was recorded later is not known
    earlier = rain_paths(rain, WEEK, noon(date(2023, 1, 1)), 50)
    assert earlier is not None and earlier.source == CLIMATE


@pytest.mark.django_db
def test_courses_of_an_invented_history_say_so(rain: Series):
    days = [date(year, 6, 1) + timedelta(days=k) for year in range(2022, 2026) for k in range(60)]
    rows = [Row("rain", datetime.combine(day, time(), ZONE), 1.0, noon(day)) for day in days]
    ingest(rain.city, rows, synthetic=True)
    found = rain_paths(rain, WEEK, noon(TODAY), 5)
    assert found is not None and (found.source, found.synthetic) == (HISTORY, True)


@pytest.mark.django_db
def test_the_same_days_get_the_same_courses(rain: Series):
    one, two = (rain_paths(rain, WEEK, noon(TODAY), 20) for _ in range(2))
    assert one is not None and two is not None and (one.mm == two.mm).all()


# --- what people read ----------------------------------------------------------------------------------------
def a_plan(irrigation: Mapping[str, Any] | None) -> Numbers:
    labels = {"irrigation.lateral": {"en": "Long lateral", "zh": "長支線", "role": "irrigation", "asset": "lateral"}}
    water = {} if irrigation is None else {"irrigation": irrigation}
    return Numbers(Plan(snapshot={"labels": labels, "extra": {"water": water}}))


SPREAD = {"total": [5.0, 1.0, 5.5, 7.0], "planned": [3.0, 3.5]}


def test_the_report_shows_the_spread_and_what_is_counted_on():
    found = {"counted_on": "0.8", "courses": 40, "rain": ["history"], "laterals": {"lateral": SPREAD}}
    with override("en"):
        table = irrigation_demand(a_plan(found))
    assert table.rows == (("Long lateral", "6.5", "5.0", "1.0", "5.5", "7.0"),)
    assert "not exceeded in 80% of the courses" in table.note and "past years" in table.note


def test_a_plan_from_before_has_no_such_table():
    assert irrigation_demand(a_plan(None)).rows == ()
