"""What a plan tells each controller: one signed document, serialised once, inside the publishing transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from planning.models import Plan

from .models import Controller, ControllerSchedule, Turnout, ValveRun
from .signing import signature_of

SCHEMA = "headgate.schedule/1"
MAX_RUN_SECONDS = 24 * 3600
"""A watchdog closes a valve after this where its turnout names no longest run: turns are planned a day at a time."""
JITTER_SHARE = 0.25
"""Controllers spread their polls by this share of the interval, or all of them would come at the same second."""


def write_schedules(plan: Plan) -> None:
    """Gives every controller of the plan's city its next revision. Documents of controllers without runs say "idle"."""
    controllers = list(
        Controller.objects.filter(city_id=plan.city_id)
        .select_related("lateral")
        .prefetch_related("turnouts")
        .annotate(last_revision=Max("schedules__revision"))
        .order_by("key")
    )
    runs = _runs_by_controller(plan)
    ControllerSchedule.objects.filter(controller__in=controllers, current=True).update(current=False)
    ControllerSchedule.objects.bulk_create(
        _schedule(plan, controller, runs.get(controller.pk, [])) for controller in controllers
    )


def etag_of(revision: int, body: bytes) -> str:
    """A strong validator: equal tags mean equal bytes."""
    return f'"r{revision}-{hashlib.sha256(body).hexdigest()[:12]}"'


def _runs_by_controller(plan: Plan) -> dict[int, list[ValveRun]]:
    """All runs of the city that have not ended: the plan's, those before its start, and cancelled ones.

    A cancel is never just an absence, and a plan that begins later takes nothing from the hours before.
    """
    listed = [ValveRun.Status.SCHEDULED, ValveRun.Status.CANCELLED]
    runs = ValveRun.objects.filter(turnout__city_id=plan.city_id, end__gt=timezone.now(), status__in=listed)
    found: dict[int, list[ValveRun]] = {}
    for run in runs.select_related("turnout").order_by("start", "turnout__key"):
        found.setdefault(run.turnout.controller_id, []).append(run)
    return found


def _schedule(plan: Plan, controller: Controller, runs: Sequence[ValveRun]) -> ControllerSchedule:
    # After a restore from a backup a controller holds a higher revision than we know, and would refuse the next one.
    last = max(controller.last_revision or 0, controller.applied_revision or 0)  # type: ignore[attr-defined]
    issued_at = timezone.now()
    document = _document(plan, controller, runs, last + 1, issued_at)
    body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return ControllerSchedule(
        controller=controller,
        plan=plan,
        revision=last + 1,
        body=body,
        etag=etag_of(last + 1, body),
        signature=signature_of(body),
        issued_at=issued_at,
        valid_until=plan.valid_until,
    )


def _document(
    plan: Plan, controller: Controller, runs: Sequence[ValveRun], revision: int, issued_at: datetime
) -> dict[str, Any]:
    scheduled = any(run.status == ValveRun.Status.SCHEDULED for run in runs)
    return {
        "schema": SCHEMA,
        "controller": controller.key,
        "revision": revision,
        "supersedes": revision - 1 or None,
        "plan": str(plan.uid),
        "issued_at": _utc(issued_at),
        "valid_from": _utc(issued_at),
        "valid_until": _utc(plan.valid_until),
        "poll_rate_s": controller.poll_seconds,
        "poll_jitter_s": int(controller.poll_seconds * JITTER_SHARE),
        # An empty list alone could be a fault on the way; only with idle does it mean "keep all valves closed".
        "idle": not scheduled,
        "limits": _limits(controller),
        "fallback": {"mode": "close_all", "after_s": 0, "entries": []},
        "entries": [_entry(run) for run in runs],
    }


def _limits(controller: Controller) -> dict[str, int]:
    longest = max((_max_run_seconds(turnout) for turnout in controller.turnouts.all()), default=MAX_RUN_SECONDS)
    return {"max_run_s": longest, "max_concurrent": controller.lateral.max_open}


def _max_run_seconds(turnout: Turnout) -> int:
    return 60 * turnout.max_run_minutes if turnout.max_run_minutes else MAX_RUN_SECONDS


def _entry(run: ValveRun) -> dict[str, Any]:
    return {
        "id": str(run.uid),
        "rev": run.rev,
        "actuator": run.turnout.key,
        "kind": "valve",
        "action": "run",
        "start": _utc(run.start),
        "duration_s": int((run.end - run.start).total_seconds()),
        "volume_cap_m3": round(run.volume_m3, 1),
        "status": run.status,
        "ack": ["received", "started", "completed"],
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
