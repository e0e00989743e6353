"""Which controllers somebody must look after: silent ones, and those that still run an older schedule."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from .devices import SEEN_EVERY
from .models import Controller, ControllerSchedule

log = logging.getLogger(__name__)

Alarm = Controller.Alarm
MISSED_POLLS = 3
"""So many polls a controller may miss before it is called silent, and before it must have a new schedule."""
LEAST_TO_ADOPT = timedelta(minutes=15)
"""However often a controller polls, a radio link may take so long to bring it a new schedule."""


def watched(rows: QuerySet[Controller]) -> QuerySet[Any]:
    """The controllers with what `alarm_of` needs."""
    current = ControllerSchedule.objects.filter(controller=OuterRef("pk"), current=True)
    live = Q(keys__revoked_at=None)
    return rows.annotate(
        current_revision=Subquery(current.values("revision")[:1]),
        current_since=Subquery(current.values("issued_at")[:1]),
        live=Count("keys", filter=live),
        newest_key_at=Max("keys__created_at", filter=live),
    )


def alarm_of(controller: Any, now: datetime) -> str:
    """An Alarm, or "" for a controller that is well or has no live key and so cannot be in service yet."""
    if not controller.live:
        return ""
    missed = timedelta(seconds=MISSED_POLLS * controller.poll_seconds)
    # `last_seen_at` is written once in SEEN_EVERY at most.
    if now - (controller.last_seen_at or controller.newest_key_at) > missed + SEEN_EVERY:
        return Alarm.SILENT
    # Who has never come cannot have heard of a schedule.
    fine = controller.last_seen_at is None or controller.current_revision in (None, controller.applied_revision)
    return "" if fine or now - controller.current_since <= max(missed, LEAST_TO_ADOPT) else Alarm.LATE


def with_alarm(rows: Iterable[Any], now: datetime, *alarms: str) -> list[Any]:
    """The watched controllers that have one of these alarms (any, if none is named)."""
    wanted = alarms or tuple(Alarm.values)
    return [controller for controller in rows if alarm_of(controller, now) in wanted]


def watch(now: datetime) -> int:
    """Logs every alarm that began or ended since the last time; returns how many."""
    changed = 0
    for controller in watched(Controller.objects.select_related("city")):
        alarm = alarm_of(controller, now)
        if alarm != controller.alarm:
            changed += Controller.objects.filter(pk=controller.pk, alarm=controller.alarm).update(alarm=alarm)
            _tell(controller, alarm)
    return changed


def _tell(controller: Any, alarm: str) -> None:
    name = f"{controller.city.key}/{controller.key}"
    if alarm == Alarm.SILENT:
        log.warning("Controller %s is silent; it was last seen at %s.", name, controller.last_seen_at or "no time")
    elif alarm == Alarm.LATE:
        seen, current = controller.applied_revision or "none", controller.current_revision
        log.warning("Controller %s runs revision %s; revision %s is current.", name, seen, current)
    else:
        log.info("Controller %s is well again.", name)
