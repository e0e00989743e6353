"""Readers of plans: what is in force in a city, and whether something newer did not make it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from cities.models import City

from .horizons import IN_EARNEST
from .kernel.outcome import Status
from .models import Plan
from .summary import failure
from .words import status_warning


@dataclass(frozen=True)
class InForce:
    """The published plan, if any, and a warning where a rule made it or it stands in for a newer one that failed."""

    plan: Plan | None
    warning: str = ""


def in_force(city: City) -> InForce:
    """What devices and people go by now. The warning is for every page and report that shows the plan."""
    # Most who ask want the warning alone: the megabytes of numbers come when somebody reads them.
    light = Plan.objects.filter(city=city).select_related("city").defer("snapshot", "result", "facts")
    plan = light.filter(state=Plan.State.PUBLISHED).first()
    # A person ended a cancelled one, and a replay would never have come into force: neither is missed.
    newest = light.filter(IN_EARNEST, state=Plan.State.FAILED, cancel_requested=False)
    if plan:
        newest = newest.filter(requested_at__gt=plan.requested_at, ended_at__gt=plan.published_at)
    failed = newest.order_by("-requested_at").first()
    warnings = [status_warning(plan.status)] if plan and plan.status == Status.FALLBACK else []
    if failed:
        warnings.append(_warning(plan, failed))
    elif not plan:
        warnings.append(_("No plan is in force."))
    return InForce(plan, " ".join(warnings))


def _warning(plan: Plan | None, failed: Plan) -> str:
    at = f"{timezone.localtime(failed.requested_at, failed.city.zone):%Y-%m-%d %H:%M}"
    why = " ".join(failure(failed).splitlines()[:2])  # a heading and the first of its reasons
    if plan is None:
        return _("No plan is in force. The plan of %(at)s failed: %(why)s") % {"at": at, "why": why}
    return _("The previous plan stays in force: the plan of %(at)s failed: %(why)s") % {"at": at, "why": why}
