"""What the pages of the admin show of a city's plans, and which steps they offer to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from cities.models import City, Membership
from cities.scoping import ADMIN_READERS, cities_of, role_in

from .charts import VERSION, charts_of, description
from .figures import money
from .horizons import IN_EARNEST, is_replay
from .lifecycle import PARTS
from .models import Plan, PlanPart
from .refusals import never_published
from .reports import InForce, in_force
from .summary import failure, names, sections
from .tables import shown
from .words import retold, status_warning, status_words

State = Plan.State
SOLVED_PERCENT = 80
"""Where the solve leaves the bar of a plan's progress: its follow-up work fills the rest, and none goes backwards."""
PATIENCE = timedelta(seconds=60)
"""A request that no worker has taken for so long makes a person ask why."""
AT_WORK = (State.REQUESTED, State.SOLVING)
# Which steps a state is open to; lifecycle has the last word.
STEPS: Mapping[str, tuple[str, ...]] = {
    State.REQUESTED: ("cancel",),
    State.SOLVING: ("cancel",),
    State.PROPOSED: ("approve", "withdraw"),
    State.APPROVED: ("publish", "withdraw"),
    State.PUBLISHED: ("withdraw",),
}
TO_FORCE = ("approve", "publish")
"""Steps that no replay takes."""
STEP_WORDS = {
    "cancel": gettext_lazy("Cancel"),
    "approve": gettext_lazy("Approve"),
    "publish": gettext_lazy("Publish"),
    "withdraw": gettext_lazy("Withdraw"),
    "again": gettext_lazy("Plan again"),
}
EVENT_WORDS = {
    "requested": gettext_lazy("requested"),
    "solved": gettext_lazy("solved"),
    "proposed": gettext_lazy("proposed"),
    "approved": gettext_lazy("approved"),
    "published": gettext_lazy("published"),
    "superseded": gettext_lazy("superseded"),
    "withdrawn": gettext_lazy("withdrawn"),
    "cancelled": gettext_lazy("cancelled"),
    "failed": gettext_lazy("failed"),
    "expired": gettext_lazy("expired"),
    "taken back": gettext_lazy("taken back"),
    "left as proposed": gettext_lazy("left as proposed"),
}
STAGE_WORDS = {
    "claimed": gettext_lazy("a worker has taken it"),
    "inputs": gettext_lazy("reading inputs and forecasts"),
    "build": gettext_lazy("building the model"),
    "compile": gettext_lazy("compiling the model"),
    "cost": gettext_lazy("finding the least cost"),
    "prices": gettext_lazy("finding prices"),
    "steadiness": gettext_lazy("smoothing the operation"),
    "verify": gettext_lazy("verifying"),
    PARTS: gettext_lazy("planning valve turns"),
}


@dataclass(frozen=True)
class Work:
    """How far a plan is that waits or is being made."""

    plan: Plan
    percent: int
    text: str
    hint: str

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.plan.state,
            "state_words": self.plan.get_state_display(),
            "at_work": self.plan.state in AT_WORK,
            "percent": self.percent,
            "text": self.text,
            "hint": self.hint,
        }


@dataclass(frozen=True)
class Panel:
    """A city at a glance: what is in force, what waits for a decision, what is being made."""

    city: City
    in_force: InForce
    proposal: Plan | None
    work: tuple[Work, ...]
    may_act: bool


def panels(user: AbstractBaseUser | AnonymousUser) -> list[Panel]:
    return [_panel(city, user) for city in cities_of(user, ADMIN_READERS)]


def may_act(user: AbstractBaseUser | AnonymousUser, city: City) -> bool:
    return role_in(user, city) == Membership.Role.ENGINEER


def steps_of(plan: Plan, user: AbstractBaseUser | AnonymousUser) -> list[tuple[str, Any]]:
    """The steps that this person may take with the plan as it stands: (key, word)."""
    if not may_act(user, plan.city):
        return []
    closed = TO_FORCE if is_replay(plan.start, plan.requested_at) else ()
    keys = [key for key in STEPS.get(plan.state, ()) if key not in closed]
    return [(key, STEP_WORDS[key]) for key in (*keys, *(() if plan.state in AT_WORK else ("again",)))]


def work_of(plan: Plan) -> Work:
    """Progress of a plan in words, and a hint where nobody seems to work on it."""
    if plan.state == State.REQUESTED:
        return Work(plan, 0, _("waiting for a worker"), _why_it_waits(plan))
    if plan.state == State.SOLVING and plan.stage == PARTS:
        return _parts_work(plan)
    if plan.state == State.SOLVING:
        text = _("stopping") if plan.cancel_requested else stage_words(plan.stage)
        return Work(plan, round(SOLVED_PERCENT * plan.progress), text, "")
    return Work(plan, 100, plan.get_state_display(), "")


def stage_words(stage: str) -> str:
    """A stage of the solver as people say it; tiers carry their number."""
    if stage.startswith("tier "):
        return _("meeting wishes of tier %(tier)s") % {"tier": stage.removeprefix("tier ")}
    return str(STAGE_WORDS.get(stage, stage))


def page_context(plan: Plan, user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """Everything the page of a plan shows; a plan that is not solved has neither tables nor charts."""
    is_ready = plan.result is not None and plan.state not in AT_WORK
    tables = [shown(table) for table in sections(plan)] if is_ready else []
    found = charts_of(plan) if is_ready else {}
    parts = plan.parts.defer("input", "result").order_by("sector", "key")
    return {
        "work": work_of(plan) if plan.state in AT_WORK else None,
        "steps": steps_of(plan, user),
        "status": status_words(plan.status),
        "status_warning": status_warning(plan.status),
        "replay": never_published() if is_replay(plan.start, plan.requested_at) else "",
        "failure": failure(plan),
        "cost": money_words(plan),
        "first_sections": tables[:2],
        "charts": [(key, chart.title, description(chart)) for key, chart in found.items()],
        "other_sections": tables[2:],
        "parts": [(part, part_name(part)) for part in parts],
        "reason": retold(plan.reason),
        "events": [
            (event, EVENT_WORDS.get(event.what, event.what), retold(event.note))
            for event in plan.events.select_related("by")
        ],
        "cache_key": f"{get_language()}-{VERSION}",
    }


def part_name(part: PlanPart) -> str:
    """What people call the part of the network that a piece of follow-up work belongs to; its key if nobody does."""
    known = names(part.plan)
    return next((label for name, label in known.items() if name.split(".", 1)[-1] == part.key), part.key)


def money_words(plan: Plan) -> str:
    return "" if plan.cost is None else money(plan.city.currency, plan.cost)


def _panel(city: City, user: AbstractBaseUser | AnonymousUser) -> Panel:
    mine = Plan.objects.filter(city=city).select_related("city").defer("snapshot", "result")
    open_still = mine.filter(IN_EARNEST, state__in=[State.PROPOSED, State.APPROVED], valid_until__gt=timezone.now())
    waiting = open_still.order_by("-requested_at").first()
    work = tuple(work_of(plan) for plan in mine.filter(state__in=AT_WORK).order_by("-state", "requested_at"))
    return Panel(city, in_force(city), waiting, work, may_act(user, city))


def _parts_work(plan: Plan) -> Work:
    states = list(plan.parts.values_list("state", flat=True))
    done = sum(state in (PlanPart.State.DONE, PlanPart.State.FAILED) for state in states)
    words = {"what": stage_words(PARTS), "done": done, "count": len(states)}
    percent = round(SOLVED_PERCENT + (100 - SOLVED_PERCENT) * done / max(1, len(states)))
    return Work(plan, percent, _("%(what)s: %(done)d of %(count)d") % words, "")


def _why_it_waits(plan: Plan) -> str:
    ahead = Plan.objects.filter(city_id=plan.city_id, state=State.SOLVING).exists()
    if ahead:
        return _("Another plan of this city is being made; this one is next.")
    if timezone.now() - plan.requested_at < PATIENCE:
        return ""
    if plan.sent_at is None:
        return _("The message broker is out of reach: is it running? The request is kept and sent again.")
    return _("No worker has taken it for a minute: is the solve worker running?")
