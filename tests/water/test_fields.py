"""Fields remember: the rain that fell, the water that came, and what was stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from cities.models import City
from forecasting.ingest import Row, ingest
from forecasting.models import Series
from planning.models import Plan
from tests.water.small import ZONE, demand, path, reading
from water.deliveries import deliveries
from water.fields import Field, fields_of, keep, standing, state_on
from water.irrigation import add_system
from water.models import (
    Controller,
    CropBlock,
    DeviceMessage,
    FieldState,
    IrrigationSystem,
    Lateral,
    Turnout,
    ValveRun,
    WaterBus,
)
from water.reading import Sheet

pytestmark = pytest.mark.django_db

JUNE = date(2026, 6, 10)
"""Guava on this day: Kc 0.65, so 3.25 mm at an ETo of 5, of which a turn of four days allows 13 mm to be missing."""
USE, ALLOWED = 3.25, 13.0
M3_PER_MM = 200.0
"""20 ha, all of whose water reaches the roots."""


@pytest.fixture
def turnout() -> Turnout:
    city = City.objects.create(key="small", name="Small", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5)
    field = WaterBus.objects.create(city=city, key="field", name="Field", kind="irrigation")
    eto, rain = (Series.objects.create(city=city, key=key, name=key, unit="mm/d") for key in ("eto", "rain"))
    Series.objects.update(step_minutes=1440)
    system = IrrigationSystem.objects.create(
        city=city, key="fields", name="Fields", bus=field, reference_eto=eto, rain=rain, conveyance_efficiency=1.0,
        turn_days=4, penalty_per_m3=4,
    )  # fmt: skip
    lateral = Lateral.objects.create(
        city=city, key="lateral", name="Lateral", system=system, capacity_m3s=0.5, max_open=1, efficiency=1.0
    )
    box = Controller.objects.create(city=city, key="box", name="Box", lateral=lateral)
    made = Turnout.objects.create(city=city, key="upper", name="Upper", lateral=lateral, controller=box, flow_m3s=0.2)
    CropBlock.objects.create(
        city=city, key="trees", name="Trees", turnout=made, crop="guava", area_ha=20.0, planted="01-01",
        application_efficiency=1.0,
    )  # fmt: skip
    return made


def moment(day: date, hour: float = 0.0) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(hours=hour)


def after(days: int) -> date:
    return JUNE + timedelta(days=days)


def weather(turnout: Turnout, first: date, days: int, rain: Mapping[date, float] | None = None) -> None:
    """ETo of 5 mm and the rain of each day, recorded as the day ends."""
    rows = []
    for day in (first + timedelta(days=n) for n in range(days)):
        rows += [
            Row("eto", moment(day), 5.0, moment(day, 24)),
            Row("rain", moment(day), (rain or {}).get(day, 0.0), moment(day, 24)),
        ]
    assert ingest(turnout.city, rows).new == len(rows)


def stored(turnout: Turnout, day: date, depletion_mm: float) -> None:
    FieldState.objects.create(
        block=turnout.blocks.get(), day=day, depletion_mm=depletion_mm, source="modelled", stored_at=moment(day, 24)
    )


def a_plan(turnout: Turnout, published: datetime) -> Plan:
    return Plan.objects.create(
        city=turnout.city, state=Plan.State.PUBLISHED, start=published, horizon=[[168, 1.0]],
        valid_until=published + timedelta(days=7), published_at=published,
    )  # fmt: skip


def a_run(
    plan: Plan, turnout: Turnout, start: datetime, volume_m3: float, hours: float = 1.0, **fields: str
) -> ValveRun:
    return ValveRun.objects.create(
        uid=uuid4(), plan=plan, turnout=turnout, start=start, end=start + timedelta(hours=hours), volume_m3=volume_m3,
        **fields,
    )  # fmt: skip


def said(run: ValveRun, status: str, *, late_hours: float = 0.0, **data: float) -> None:
    """A report of the end of a run, received then or later."""
    message = DeviceMessage.objects.create(
        controller=run.turnout.controller, kind="ack", seq=DeviceMessage.objects.count(), run_uid=run.uid,
        status=status, at=run.end, data=data,
    )  # fmt: skip
    DeviceMessage.objects.filter(pk=message.pk).update(received_at=run.end + timedelta(hours=late_hours))


def fields(turnout: Turnout) -> list[Field]:
    system = IrrigationSystem.objects.select_related("city", "reference_eto", "rain", "bus").get()
    return fields_of(system, [Lateral.objects.get(pk=turnout.lateral_id)])


def depletion(turnout: Turnout, day: date) -> float:
    return state_on(fields(turnout), day, moment(day, 6)).states["trees"]


# --- what came -----------------------------------------------------------------------------------------------
def got(turnout: Turnout, until: datetime) -> dict[date, tuple[float, bool]]:
    found = deliveries([turnout.pk], moment(JUNE), until, ZONE, timezone.now())
    return {day: (round(delivery.m3, 6), delivery.measured) for (_, day), delivery in found.items()}


def test_a_run_counts_as_planned_until_its_controller_speaks(turnout: Turnout):
    plan = a_plan(turnout, moment(JUNE))
    run = a_run(plan, turnout, moment(JUNE, 6), 100.0)
    a_run(plan, turnout, moment(JUNE, 8), 50.0, status=ValveRun.Status.CANCELLED)
    assert got(turnout, moment(JUNE, 12)) == {JUNE: (100.0, False)}
    said(run, "started")
    assert got(turnout, moment(JUNE, 12)) == {JUNE: (100.0, False)}
    said(run, "partial", volume_m3=40.0)
    assert got(turnout, moment(JUNE, 12)) == {JUNE: (40.0, True)}


@pytest.mark.parametrize(
    ("status", "data", "m3"),
    [
        ("completed", {}, 100.0),
        ("completed", {"volume_m3": 95.0}, 95.0),
        ("partial", {"duration_s": 900.0}, 25.0),
        ("aborted_fault", {}, 0.0),
        ("opted_out", {}, 0.0),
    ],
)
def test_what_a_controller_reports_is_what_came(turnout: Turnout, status: str, data: dict[str, float], m3: float):
    run = a_run(a_plan(turnout, moment(JUNE)), turnout, moment(JUNE, 6), 100.0)
    said(run, status, **data)
    assert got(turnout, moment(JUNE, 12)) == {JUNE: (m3, True)}


def test_a_run_past_midnight_belongs_to_both_days_and_one_under_way_counts_with_its_past(turnout: Turnout):
    a_run(a_plan(turnout, moment(JUNE)), turnout, moment(JUNE, 23), 90.0, hours=3.0)
    assert got(turnout, moment(after(1), 12)) == {JUNE: (30.0, False), after(1): (60.0, False)}
    assert got(turnout, moment(after(1), 1)) == {JUNE: (30.0, False), after(1): (30.0, False)}


def known(turnout: Turnout, known_at: datetime) -> dict[date, tuple[float, bool]]:
    found = deliveries([turnout.pk], moment(JUNE), moment(after(1)), ZONE, known_at)
    return {day: (round(delivery.m3, 6), delivery.measured) for (_, day), delivery in found.items()}


def test_a_report_that_came_later_was_not_known(turnout: Turnout):
    run = a_run(a_plan(turnout, moment(JUNE)), turnout, moment(JUNE, 6), 100.0)
    said(run, "partial", volume_m3=40.0, late_hours=5.0)
    assert known(turnout, moment(JUNE, 11)) == {JUNE: (100.0, False)}
    assert known(turnout, moment(JUNE, 12)) == {JUNE: (40.0, True)}


def test_what_a_later_plan_cancelled_or_brought_was_not_known(turnout: Turnout):
    first = a_plan(turnout, moment(JUNE))
    a_run(first, turnout, moment(JUNE, 9), 100.0, status=ValveRun.Status.CANCELLED)
    Plan.objects.filter(pk=first.pk).update(state=Plan.State.SUPERSEDED, ended_at=moment(JUNE, 8))
    a_run(a_plan(turnout, moment(JUNE, 8)), turnout, moment(JUNE, 10), 70.0)
    assert known(turnout, moment(JUNE, 7)) == {JUNE: (100.0, False)}
    assert known(turnout, moment(JUNE, 8)) == {JUNE: (70.0, False)}


def test_what_flowed_by_a_cancelled_run_flowed(turnout: Turnout):
    """It was under way when its plan was withdrawn, or its controller had not heard of that for a day."""
    plan = a_plan(turnout, moment(JUNE))
    run = a_run(plan, turnout, moment(JUNE, 6), 100.0, hours=2.0, status=ValveRun.Status.CANCELLED)
    never = a_run(plan, turnout, moment(JUNE, 9), 100.0, status=ValveRun.Status.CANCELLED)
    Plan.objects.filter(pk=plan.pk).update(state=Plan.State.WITHDRAWN, ended_at=moment(JUNE, 7))
    assert known(turnout, moment(JUNE, 12)) == {}
    said(run, "partial", volume_m3=45.0, late_hours=5.0)
    said(never, "cancelled")
    assert known(turnout, moment(JUNE, 12)) == {}
    assert known(turnout, moment(JUNE, 13)) == {JUNE: (45.0, True)}


def test_a_replay_walks_the_fields_without_plans_that_came_later(turnout: Turnout):
    stored(turnout, after(-1), ALLOWED)
    weather(turnout, JUNE, 1)
    late = a_plan(turnout, moment(JUNE))
    assert depletion(turnout, after(1)) == pytest.approx(ALLOWED + USE)
    # known only once the day was over: before, the day counts as one that brought what was needed
    Plan.objects.filter(pk=late.pk).update(published_at=moment(after(1), 12))
    assert depletion(turnout, after(1)) == pytest.approx(ALLOWED)


# --- from day to day -----------------------------------------------------------------------------------------
def test_a_field_dries_out_by_what_it_uses_and_rain_and_runs_fill_it_again(turnout: Turnout):
    stored(turnout, after(-1), 8.0)
    weather(turnout, JUNE, 3, rain={after(1): 10.0})
    plan = a_plan(turnout, moment(JUNE))
    a_run(plan, turnout, moment(after(2), 6), 2.0 * M3_PER_MM)
    assert depletion(turnout, after(1)) == pytest.approx(8.0 + USE)
    # of 10 mm of rain 8 stay
    assert depletion(turnout, after(2)) == pytest.approx(8.0 + 2 * USE - 8.0)
    assert depletion(turnout, after(3)) == pytest.approx(8.0 + 3 * USE - 8.0 - 2.0)


def test_where_a_plan_brings_nothing_a_field_goes_short(turnout: Turnout):
    stored(turnout, after(-1), ALLOWED)
    weather(turnout, JUNE, 2)
    a_plan(turnout, moment(JUNE))
    assert depletion(turnout, after(2)) == pytest.approx(ALLOWED + 2 * USE)


def test_days_before_the_first_plan_are_taken_to_have_brought_what_was_needed(turnout: Turnout):
    weather(turnout, after(-30), 30)
    found = state_on(fields(turnout), JUNE, moment(JUNE, 6))
    # half of what it may lack 30 days ago; it has long been at its limit since
    assert (found.states["trees"], found.assumed) == (pytest.approx(ALLOWED), {"trees"})
    keep(turnout.city, moment(JUNE, 6))
    row = FieldState.objects.get()
    assert (row.day, row.depletion_mm, row.source) == (after(-1), pytest.approx(ALLOWED), "modelled")
    assert state_on(fields(turnout), JUNE, moment(JUNE, 6)).assumed == set()


def test_without_any_weather_nothing_is_known_and_nothing_stored(turnout: Turnout):
    found = state_on(fields(turnout), JUNE, moment(JUNE, 6))
    assert (found.states, found.assumed) == ({}, {"trees"})
    assert keep(turnout.city, moment(JUNE, 6)) == 0


def test_rain_that_is_read_late_still_counts(turnout: Turnout):
    stored(turnout, after(-1), 8.0)
    weather(turnout, JUNE, 2)
    a_plan(turnout, moment(JUNE))
    assert keep(turnout.city, moment(after(2), 1)) == 2
    assert depletion(turnout, after(2)) == pytest.approx(8.0 + 2 * USE)
    # of 5 mm of rain 4 stay
    ingest(turnout.city, [Row("rain", moment(JUNE), 5.0, moment(after(2), 3))])
    assert depletion(turnout, after(2)) == pytest.approx(8.0 + 2 * USE - 4.0)
    # A replay of the hour before does not know of it, nor once the two days are stored anew.
    assert state_on(fields(turnout), after(2), moment(after(2), 2)).states["trees"] == pytest.approx(8.0 + 2 * USE)
    assert keep(turnout.city, moment(after(2), 6)) == 2
    rows = FieldState.objects.filter(day__gte=JUNE).values_list("day", "depletion_mm")
    assert dict(rows) == {JUNE: pytest.approx(8.0 + USE - 4.0), after(1): pytest.approx(8.0 + 2 * USE - 4.0)}
    assert keep(turnout.city, moment(after(2), 7)) == 0
    assert state_on(fields(turnout), after(2), moment(after(2), 2)).states["trees"] == pytest.approx(8.0 + 2 * USE)


def test_a_gate_that_tells_a_day_late_that_it_stayed_closed_is_still_believed(turnout: Turnout):
    stored(turnout, after(-1), 8.0)
    weather(turnout, JUNE, 2)
    run = a_run(a_plan(turnout, moment(JUNE)), turnout, moment(JUNE, 6), 2.0 * M3_PER_MM)
    assert keep(turnout.city, moment(after(2), 1)) == 2
    assert depletion(turnout, after(2)) == pytest.approx(8.0 + 2 * USE - 2.0)
    # Out of reach for two days; it had stopped with a fault at once.
    said(run, "aborted_fault", late_hours=44.0)
    assert depletion(turnout, after(2)) == pytest.approx(8.0 + 2 * USE)
    assert state_on(fields(turnout), after(2), moment(after(2), 2)).states["trees"] == pytest.approx(8 + 2 * USE - 2)
    assert keep(turnout.city, moment(after(2), 6)) == 2
    assert keep(turnout.city, moment(after(2), 7)) == 0


def test_a_day_waits_for_its_weather_but_not_for_ever(turnout: Turnout):
    stored(turnout, after(-1), 8.0)
    weather(turnout, JUNE, 1)
    a_plan(turnout, moment(JUNE))
    keep(turnout.city, moment(after(2), 6))
    assert set(FieldState.objects.values_list("day", flat=True)) == {after(-1), JUNE}
    keep(turnout.city, moment(after(4), 6))
    assert max(FieldState.objects.values_list("day", flat=True)) == after(1)


def test_a_day_is_measured_when_its_weather_and_its_runs_are(turnout: Turnout):
    stored(turnout, after(-1), 8.0)
    weather(turnout, JUNE, 2)
    plan = a_plan(turnout, moment(JUNE))
    said(a_run(plan, turnout, moment(JUNE, 6), 100.0), "completed", volume_m3=90.0)
    a_run(plan, turnout, moment(after(1), 6), 100.0)
    keep(turnout.city, moment(after(2), 6))
    rows = {row.day: row for row in FieldState.objects.all()}
    assert (rows[JUNE].source, rows[JUNE].applied_mm) == ("measured", pytest.approx(90 / M3_PER_MM))
    assert (rows[after(1)].source, rows[after(1)].applied_mm) == ("modelled", pytest.approx(0.5))


# --- the next plan -------------------------------------------------------------------------------------------
def asked_mm(turnout: Turnout, hour: float) -> list[float]:
    """What a plan made at an hour of JUNE asks for on each of its local days, mm on the field."""
    system = IrrigationSystem.objects.select_related("city", "reference_eto", "rain", "bus").get()
    system.reference_eto.profile, system.rain.profile = {"level": 5.0}, {"level": 0.0}
    begin = moment(JUNE, hour)
    read = reading(system.reference_eto, system.rain, horizon=path(begin.strftime("%Y-%m-%dT%H:%M"), steps=72))
    mine = [Lateral.objects.get(pk=turnout.lateral_id)]
    sheet = Sheet()
    add_system(sheet, read, system, mine, standing(fields_of(system, mine), JUNE, begin, begin))
    days: dict[date, float] = {}
    rates = demand(sheet.network(), "irrigation.lateral").amount
    assert isinstance(rates, tuple)
    for step, rate in zip(read.horizon.steps, rates, strict=True):
        day = step.start.astimezone(ZONE).date()
        days[day] = days.get(day, 0.0) + rate * 1000 / M3_PER_MM
    return [days[after(n)] for n in range(3)]


def test_a_plan_made_later_the_same_day_does_not_ask_again_for_what_has_come(turnout: Turnout):
    stored(turnout, after(-1), ALLOWED)
    assert asked_mm(turnout, 0) == pytest.approx([USE, USE, USE])
    plan = a_plan(turnout, moment(JUNE))
    a_run(plan, turnout, moment(JUNE, 6), USE * M3_PER_MM, hours=2.0)
    assert asked_mm(turnout, 9) == pytest.approx([0.0, USE, USE])


def test_what_the_controller_did_not_bring_is_asked_for_again(turnout: Turnout):
    stored(turnout, after(-1), ALLOWED)
    run = a_run(a_plan(turnout, moment(JUNE)), turnout, moment(JUNE, 6), USE * M3_PER_MM, hours=2.0)
    said(run, "aborted_fault", volume_m3=1.25 * M3_PER_MM)
    # 2 mm are missing; at noon no more than half of the day's 3.25 is asked for, the rest tomorrow
    assert asked_mm(turnout, 12)[:2] == pytest.approx([USE / 2, USE + 2.0 - USE / 2])


def test_more_than_a_day_needs_is_good_for_the_next(turnout: Turnout):
    stored(turnout, after(-1), ALLOWED)
    a_run(a_plan(turnout, moment(JUNE)), turnout, moment(JUNE, 6), (USE + 2.0) * M3_PER_MM)
    assert asked_mm(turnout, 9) == pytest.approx([0.0, USE - 2.0, USE])
