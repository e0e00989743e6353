"""Hints to the queue. The rows are the truth: what is lost here is sent again by `dispatch`."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app, group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from .models import Plan, PlanPart

log = logging.getLogger(__name__)

RESEND_AFTER = timedelta(seconds=30)
"""A row that still waits this long after it was sent was lost, or its worker is busy. Sending again is harmless."""


def send_plan(plan: Plan) -> None:
    """Tells the solving workers of a plan once the transaction has committed."""
    transaction.on_commit(lambda: _send_plans([plan.pk]))


def send_parts(plan: Plan) -> None:
    """Tells the light workers of a plan's follow-up work, as one group."""
    transaction.on_commit(lambda: _send_parts(_waiting(plan.parts.all())))


def dispatch() -> int:
    """Sends what waits and was not sent lately. Returns how many rows that were."""
    late = timezone.now() - RESEND_AFTER
    unsent = Q(sent_at=None) | Q(sent_at__lt=late)
    plans = list(
        Plan.objects.filter(unsent, state=Plan.State.REQUESTED).order_by("requested_at").values_list("pk", flat=True)
    )
    parts = _waiting(PlanPart.objects.filter(unsent))
    _send_plans(plans)
    _send_parts(parts)
    return len(plans) + len(parts)


def _waiting(parts: QuerySet[PlanPart]) -> list[int]:
    """Those that workers may take: of a plan that still waits for them, and of none that a command is making."""
    open_to_workers = {"state": PlanPart.State.REQUESTED, "plan__state": Plan.State.SOLVING, "plan__foreground": False}
    return list(parts.filter(**open_to_workers).values_list("pk", flat=True))


def _send_plans(ids: list[int]) -> None:
    for pk in ids:
        if _try_to_send(current_app.signature("planning.tasks.solve_plan", args=[pk])):
            Plan.objects.filter(pk=pk).update(sent_at=timezone.now())


def _send_parts(ids: list[int]) -> None:
    if ids and _try_to_send(group(current_app.signature("planning.tasks.solve_part", args=[pk]) for pk in ids)):
        PlanPart.objects.filter(pk__in=ids).update(sent_at=timezone.now())


def _try_to_send(signature: object) -> bool:
    """A broker that is down must not fail the request: the row waits, and `dispatch` sends it later."""
    try:
        signature.apply_async(retry=False)  # type: ignore[attr-defined]
    except (OperationalError, OSError) as error:
        log.warning("The broker is out of reach, the row waits for the next dispatch: %s", error)
        return False
    return True
