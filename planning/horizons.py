"""The week that an operational plan looks at: quarter hours for a day, hours for the other six."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils.translation import gettext as _

from .kernel.horizon import Horizon
from .models import Plan

QUARTER = timedelta(minutes=15)
WEEK = ((96, 0.25), (144, 1.0))
FARTHEST_AHEAD = timedelta(days=14)
"""A plan needs forecasts that mean something at its start."""
STILL_NOW = timedelta(hours=1)
"""A plan that starts longer before its request than this is a replay: it looks at what has already happened."""
IN_EARNEST = Q(start__gte=F("requested_at") - STILL_NOW)
"""Of a plan's row: that it is no replay (`is_replay`)."""
LONGEST_AGO = timedelta(days=3653)
"""Ten years: before that no tariff or calendar of a city pack is meant."""


def next_quarter(now: datetime) -> datetime:
    """The next full quarter hour, at least a minute away, so that a plan never begins in its own past."""
    floor = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    first = floor + QUARTER
    return first if first - now >= timedelta(minutes=1) else first + QUARTER


def week_end(start: datetime) -> datetime:
    return start + timedelta(hours=sum(count * hours for count, hours in WEEK))


def is_replay(start: datetime, requested_at: datetime) -> bool:
    """Whether a plan only shows what could have been. None is ever published: its first hours, on which all others
    rest, were never done. What counts is when it was asked for, not how long it waited for a person since.
    """
    return requested_at - start > STILL_NOW


def start_problem(start: datetime, now: datetime) -> str:
    """Why no plan can begin then, for people; "" where one can. A past start is a replay with what was known then."""
    if start - now > FARTHEST_AHEAD:
        return _("more than %(days)d days ahead, where forecasts say nothing") % {"days": FARTHEST_AHEAD.days}
    if now - start > LONGEST_AGO:
        return _("more than %(days)d days ago, before anything that a city pack holds") % {"days": LONGEST_AGO.days}
    if start.timestamp() % QUARTER.total_seconds():
        return _("not on a quarter hour, with which every plan begins")
    return ""


def horizon_of(plan: Plan) -> Horizon:
    """The steps of a plan, in its city's time zone."""
    return Horizon.path(plan.start.astimezone(plan.city.zone), [(count, hours) for count, hours in plan.horizon])
