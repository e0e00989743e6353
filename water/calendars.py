"""A turnout's turns as an iCalendar feed (RFC 5545, RFC 7986) that phones subscribe to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from .models import Turnout, ValveRun

REFRESH = timedelta(hours=1)
ALARM = timedelta(minutes=-30)


def feed(turnout: Turnout, runs: Sequence[ValveRun]) -> bytes:
    """The feed in the active language. The same runs give the same bytes; nothing personal is in them."""
    title = _("Water turns: %(turnout)s") % {"turnout": turnout.label}
    calendar = Calendar()
    calendar.add("prodid", "-//Headgate//Turns//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)
    calendar.add("x-wr-timezone", turnout.city.time_zone)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for run in runs:
        calendar.add_component(_event(turnout, run))
    return bytes(calendar.to_ical())


def _event(turnout: Turnout, run: ValveRun) -> Event:
    """Cancelled turns stay in the feed: a client that finds one gone may keep what it knew."""
    is_cancelled = run.status == ValveRun.Status.CANCELLED
    words = _("Cancelled: water at %(turnout)s") if is_cancelled else _("Water at %(turnout)s, %(volume).0f m³")
    said_at = (run.plan.ended_at if is_cancelled else None) or run.plan.published_at or run.plan.requested_at
    event = Event()
    event.add("uid", f"{run.uid}@headgate")
    event.add("sequence", run.rev)
    event.add("dtstamp", said_at)
    event.add("last-modified", said_at)
    event.add("dtstart", run.start)
    event.add("dtend", run.end)
    event.add("summary", words % {"turnout": turnout.label, "volume": run.volume_m3})
    event.add("location", turnout.lateral.label)
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    if not is_cancelled:
        event.add_component(_alarm(words % {"turnout": turnout.label, "volume": run.volume_m3}))
    return event


def _alarm(text: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", ALARM)
    alarm.add("description", text)
    return alarm
