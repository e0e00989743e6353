"""A farmer's calendar subscribes to the turns of a gate, and hears of every change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from tests.water.fields import Fields, published, quarter, runs_of
from water import farmer
from water.models import DeviceMessage, ValveRun

pytestmark = pytest.mark.django_db


def feed(path: str, **headers: str) -> Any:
    return Client().get(path + "calendar.ics", headers={"Accept-Language": "en", **headers})


def events(path: str) -> dict[str, Any]:
    return {str(event["uid"]): event for event in Calendar.from_ical(feed(path).content).walk("VEVENT")}


def test_the_calendar_has_the_turns_with_stable_names(where: Fields, path: str) -> None:
    start = quarter()
    published(where, ("upper", 1, 2.75), ("lower", 1, 2), start=start)
    ((uid, event),) = events(path).items()
    assert event.decoded("dtstart") == start + timedelta(hours=1)
    assert event.decoded("dtend") == start + timedelta(hours=2.75)
    assert (str(event["summary"]), str(event["status"]), event["sequence"]) == (
        "Water at upper gate, 175 m³",
        "CONFIRMED",
        1,
    )
    # Its beginning stays, as a later hour may be tomorrow's: a turn of another day has another name.
    published(where, ("upper", 1, 4), start=start)
    moved = events(path)
    assert (list(moved), moved[uid]["sequence"]) == ([uid], 2)


def test_a_turn_that_was_done_before_a_plan_moved_it_stays_where_it_was(where: Fields, path: str) -> None:
    start = quarter()
    (done,) = runs_of(published(where, ("upper", 0, 1), start=start))
    DeviceMessage.objects.create(
        controller=where.controller, kind="ack", seq=1, run_uid=done.uid, status="completed", at=timezone.now()
    )
    at = start + timedelta(minutes=70)
    moved = ValveRun(uid=done.uid, turnout=where.upper, plan=done.plan, volume_m3=100.0)
    moved.start, moved.end, moved.rev = start + timedelta(hours=5), start + timedelta(hours=6), 2
    ValveRun.objects.filter(pk=done.pk).update(status=ValveRun.Status.SUPERSEDED)
    moved.save()
    (run,) = farmer.calendar_runs(where.upper, at)
    assert (run.start, run.rev) == (start, 2)
    # One that nobody ever planned for the past is no turn at all.
    ValveRun.objects.filter(pk=done.pk).delete()
    assert farmer.calendar_runs(where.upper, at) == []


def test_a_cancelled_turn_stays_in_the_calendar_as_cancelled(where: Fields, path: str) -> None:
    start = quarter()
    published(where, ("upper", 1, 2), start=start)
    ((uid, before),) = events(path).items()
    published(where, start=start)
    after = events(path)[uid]
    assert (str(after["status"]), after["sequence"]) == ("CANCELLED", 2)
    assert after.decoded("dtstamp") >= before.decoded("dtstamp")


def test_the_calendar_is_sent_again_only_when_it_changed(where: Fields, path: str) -> None:
    published(where, ("upper", 1, 2))
    tag = feed(path)["ETag"]
    again = feed(path, **{"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    published(where, ("upper", 4, 5))
    assert feed(path, **{"If-None-Match": tag}).status_code == 200


def test_the_calendar_asks_to_be_read_again_every_hour(where: Fields, path: str) -> None:
    published(where, ("upper", 1, 2))
    response = feed(path)
    assert response["Content-Type"].startswith("text/calendar")
    lines = response.content.decode().split("\r\n")
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in lines
    assert "X-PUBLISHED-TTL:PT1H" in lines
    assert "TRIGGER:-PT30M" in lines
