"""Amounts by day and beside the plan before. Two plans of two days in steps of 12 h; all sums fit in a head."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cities.models import City
from planning.models import Plan
from planning.sectors import Chart, ChartRow
from planning.spans import by_day, changes, days_of, levels_by_day

START = datetime(2026, 11, 21, 4, tzinfo=UTC)
CITY = City(key="town", name="Town", time_zone="Asia/Taipei", latitude=0, longitude=0)


def plan(start: datetime, short: tuple[float, ...] = (0, 0, 0, 0)) -> Plan:
    labels = {"homes": {"en": "Homes", "zh": "住家", "role": "zone", "asset": ""}}
    case = {"demands": {"homes": {"bus": "town"}}, "buses": {"town": {"commodity": "water"}}}
    return Plan(
        city=CITY,
        start=start,
        horizon=[[4, 12.0]],
        valid_until=start + timedelta(hours=48),
        snapshot={"labels": labels, "case": case},
        result={"demands": {"homes": {"served": [0.0] * 4, "short": list(short)}}},
    )


def sources(river: tuple[float, ...], well: tuple[float, ...] = (0, 0, 0, 0)) -> Chart:
    rows = (ChartRow("Well", well), ChartRow("River", river))
    return Chart("supply", "Water", "10³ m³/h", "stack", rows, amount_unit="10³ m³")


def test_days_count_from_the_start_of_the_plan():
    table = by_day(sources((1, 2, 3, 4), (0, 0, 0, 1)), plan(START))
    assert table is not None
    assert table.headers == ("", "11-21", "11-22", "total")
    # 12 × (1 + 2), 12 × (3 + 4); the largest first
    assert table.rows == (("River", "36.0", "84.0", "120.0"), ("Well", "0.0", "12.0", "12.0"))
    assert table.note == "A day here is 24 h from 12:00."


def test_rows_without_any_amount_are_left_out():
    table = by_day(sources((1, 1, 1, 1)), plan(START))
    assert table is not None and [row[0] for row in table.rows] == ["River"]


def test_the_last_day_may_be_shorter():
    found = plan(START)
    found.valid_until = START + timedelta(hours=36)
    assert days_of(found)[-1] == (START + timedelta(hours=24), START + timedelta(hours=36))


def test_levels_are_those_at_the_end_of_each_day():
    rows = (ChartRow("Lake", (9, 8, 7, 6, 5)), ChartRow("lowest", (1,) * 5, is_limit=True))
    table = levels_by_day(Chart("lakes", "Lakes", "%", "levels", rows), plan(START))
    assert table is not None
    assert table.rows == (("Lake", "9.0", "7.0", "5.0"),)


def test_plans_are_compared_over_the_time_that_both_cover():
    before, now = plan(START, (5, 0, 0, 2)), plan(START + timedelta(hours=24), (1, 1, 0, 0))
    short, water = changes(now, {"w": sources((1, 2, 9, 9))}, before, {"w": sources((7, 7, 3, 4))})
    # only the second day of the one and the first of the other: 12 × (3 + 4) against 12 × (1 + 2)
    assert water.rows == (("River", "84.0", "36.0", "-48.0"),)
    # 12 × 2 against 12 × (1 + 1); what the plan before lacked on its first day is none of this one's
    assert short.rows == (("Homes", "10³ m³", "24.0", "24.0", "0.0"),)
    assert "11-22 12:00" in water.note and "11-23 12:00" in water.note


def test_a_plan_of_another_week_is_not_compared_with():
    before = plan(START - timedelta(days=9))
    (only,) = changes(plan(START), {"w": sources((1, 1, 1, 1))}, before, {"w": sources((1, 1, 1, 1))})
    assert only.rows == () and "ended before this one begins" in only.note
