"""What stops a transition of a plan."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .horizons import is_replay
from .kernel.outcome import Status
from .models import Plan

REPLAY = gettext_noop("It is a replay: it starts more than an hour before it was asked for, and is never published.")


class Refused(Exception):
    """A transition that the plan's state does not allow. The text is for people."""


class Busy(Refused):
    """The city is solving another plan: `plan`, or None where that one ended in this moment. The text says who has it,
    and since a process that died keeps its lease, until when at least.
    """

    def __init__(self, plan: Plan | None) -> None:
        super().__init__(_("The city is busy.") if plan is None else _why_busy(plan))
        self.plan = plan


class LostLease(Exception):
    """Another worker has taken the plan over; whoever gets this must stop without writing."""


def why_a_person_decides(plan: Plan) -> str:
    """Why a plan that was asked to publish itself does not, in English for its row; "" where it may."""
    if is_replay(plan.start, plan.requested_at):
        return REPLAY
    in_force = Plan.objects.filter(city_id=plan.city_id, state=Plan.State.PUBLISHED)
    if in_force.filter(requested_at__gt=plan.requested_at).exists():
        return gettext_noop("A plan that was requested later is already in force.")
    if plan.status == Status.FALLBACK and in_force.exists():
        return gettext_noop("A rule made it, not a search: a person decides whether it replaces the plan in force.")
    return ""


def never_published() -> str:
    return _(REPLAY)


def _why_busy(plan: Plan) -> str:
    if plan.lease_until is None:
        return _("The city is busy: workers are at the follow-up work of %(plan)s.") % {"plan": plan}
    who = _("another command") if plan.foreground else _("a worker")
    free_at = f"{timezone.localtime(plan.lease_until, plan.city.zone):%H:%M:%S}"
    figures = {"plan": plan, "who": who, "time": free_at}
    return _("The city is busy: %(who)s is making %(plan)s. If it has died, the city is free at %(time)s.") % figures
