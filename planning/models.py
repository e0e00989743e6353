"""A plan is an immutable object with a life; its row is the truth and the queue only a hint.

    requested → solving → proposed → approved → published → superseded | expired | withdrawn
    requested, solving → failed;   proposed, approved → withdrawn

Transitions happen in `planning.lifecycle` and nowhere else.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cities.models import City


class Work(models.Model):
    """What a worker takes by a conditional update: the lease says until when, the token fences late writers."""

    token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, editable=False)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class Plan(Work):
    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        SOLVING = "solving", _("solving")
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        PUBLISHED = "published", _("published")
        SUPERSEDED = "superseded", _("superseded")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")
        FAILED = "failed", _("failed")

    ENDED = (State.SUPERSEDED, State.EXPIRED, State.WITHDRAWN, State.FAILED)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    city = models.ForeignKey(City, models.CASCADE, related_name="plans", verbose_name=_("city"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.REQUESTED)
    start = models.DateTimeField(_("start"))
    horizon = models.JSONField(_("horizon"), default=list)
    """[[count, hours], …] from `start`."""
    valid_until = models.DateTimeField(_("valid until"))
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    publish_when_ready = models.BooleanField(_("publish without asking"), default=False)

    foreground = models.BooleanField(default=False, editable=False)
    """Solved by the process that asked for it, and by nobody else: no worker takes it up after that process."""
    stage = models.CharField(_("stage"), max_length=40, blank=True)
    progress = models.FloatField(_("progress"), default=0.0)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False)

    # Typed Any: whoever asks for a solved plan's numbers has one; before that they are None.
    snapshot: models.JSONField[Any, Any] = models.JSONField(_("inputs"), null=True, editable=False)
    """{"case": the case file, "labels": {part: {...}}, "forecasts": [ids], "notes": [...], "policy": key}"""
    snapshot_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    result: models.JSONField[Any, Any] = models.JSONField(_("result"), null=True, editable=False)
    """The stable JSON shape of an answer (see docs/case-file.md)."""
    facts = models.JSONField(_("explanation"), default=list, editable=False)
    status = models.CharField(_("solver status"), max_length=12, blank=True)
    objective = models.FloatField(_("objective"), null=True)
    cost = models.FloatField(_("cost"), null=True)
    broken_limits = models.JSONField(_("broken limits"), default=list)
    seconds = models.JSONField(_("CPU seconds by stage"), default=dict)
    synthetic = models.BooleanField(_("rests on synthetic data"), default=False)
    failure = models.TextField(_("failure"), blank=True)

    proposed_at = models.DateTimeField(_("proposed at"), null=True)
    approved_at = models.DateTimeField(_("approved at"), null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    published_at = models.DateTimeField(_("published at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    supersedes = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="superseded_by", verbose_name=_("supersedes")
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["city"], condition=Q(state="published"), name="one_published_plan_per_city"
            ),
            models.UniqueConstraint(fields=["city"], condition=Q(state="solving"), name="one_solving_plan_per_city"),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="plans_waiting_or_stuck")]

    def __str__(self) -> str:
        return (
            f"{self.city.key}-{timezone.localtime(self.requested_at, self.city.zone):%Y-%m-%d-%H%M}-{str(self.uid)[:4]}"
        )

    def get_state_display(self) -> str:  # type: ignore[no-redef]  # Django leaves one that is there
        """The state for people. What a person ended did not fail."""
        cancelled = self.state == self.State.FAILED and self.cancel_requested
        return gettext("cancelled") if cancelled else str(self.State(self.state).label)

    @property
    def is_ended(self) -> bool:
        return self.state in self.ENDED

    def times(self) -> list[tuple[datetime, datetime]]:
        """Start and end of every step."""
        spans, at = [], self.start
        for count, hours in self.horizon:
            for _step in range(count):
                spans.append((at, at + timedelta(hours=hours)))
                at = spans[-1][1]
        return spans


class PlanPart(Work):
    """Follow-up work of a solved plan, such as a lateral's valve turns. All must end before the plan is proposed."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        SOLVING = "solving", _("solving")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="parts", verbose_name=_("plan"))
    sector = models.CharField(_("sector"), max_length=40)
    key = models.CharField(_("key"), max_length=120)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.REQUESTED)
    input = models.JSONField(_("inputs"))
    result: models.JSONField[Any, Any] = models.JSONField(_("result"), null=True)
    broken_limits = models.JSONField(_("broken limits"), default=list)
    seconds = models.FloatField(_("CPU seconds"), default=0.0)
    failure = models.TextField(_("failure"), blank=True)

    class Meta:
        verbose_name = _("part of a plan")
        verbose_name_plural = _("parts of plans")
        constraints = [models.UniqueConstraint(fields=["plan", "sector", "key"], name="one_part_per_key")]

    def __str__(self) -> str:
        return f"{self.plan} · {self.key}"


class PlanEvent(models.Model):
    """The append-only record of what happened to a plan, and who did it."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="events", verbose_name=_("plan"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    what = models.CharField(_("what"), max_length=40)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("event of a plan")
        verbose_name_plural = _("events of plans")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.what}"
