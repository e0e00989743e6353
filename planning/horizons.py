"""The week that an operational plan looks at: quarter hours for a day, hours for the other six."""

from __future__ import annotations

from datetime import datetime, timedelta

from .kernel.horizon import Horizon
from .models import Plan

QUARTER = timedelta(minutes=15)
WEEK = ((96, 0.25), (144, 1.0))


def next_quarter(now: datetime) -> datetime:
    """The next full quarter hour, at least a minute away, so that a plan never begins in its own past."""
    floor = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    first = floor + QUARTER
    return first if first - now >= timedelta(minutes=1) else first + QUARTER


def horizon_of(plan: Plan) -> Horizon:
    """The steps of a plan, in its city's time zone."""
    return Horizon.path(plan.start.astimezone(plan.city.zone), [(count, hours) for count, hours in plan.horizon])
