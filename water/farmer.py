"""What a farmer needs to know of a turnout: when its gate opens next, what is missing and why, what really happened.

A farmer has no login: a secret link leads to one turnout's page and calendar. Only a hash of its token is kept.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from forecasting.making import UNMEASURED
from forecasting.models import NEWEST_FIRST, Forecast
from planning.models import Plan, PlanPart
from planning.numbers import Numbers
from planning.reports import in_force

from .devices import sha256
from .kernel.crops import CROPS
from .kernel.lateral import Reason
from .kernel.policy import Light
from .light import light_name, outlook
from .messages import run_statuses
from .models import FarmerLink, Turnout, ValveRun
from .reading import Why

TOKEN_BYTES = 24
"""192 bits: nobody finds a link by trying."""
RAIN_MM = 5.0
"""Rain below this changes nobody's turn."""
FORECAST_AGE = timedelta(hours=12)


@dataclass(frozen=True)
class Turn:
    """One opening in local time. `said` is how far the controller says it has come, "" before its first word."""

    day: str
    first: str
    until: str
    volume_m3: float
    said: str = ""

    @property
    def volume(self) -> str:
        return f"{self.volume_m3:,.0f}"

    @property
    def report(self) -> str:
        return said_in_words(self.said)

    @property
    def is_bad(self) -> bool:
        return self.said not in ("", "received", "started", "completed")


@dataclass(frozen=True)
class Missing:
    """`m3` is 0 where only the canal as a whole is known to be short."""

    m3: float
    why: str

    @property
    def volume(self) -> str:
        return f"{self.m3:,.0f}"


@dataclass(frozen=True)
class Turns:
    """A turnout's page. `plan` is the plan in force, if any."""

    turnout: Turnout
    at: datetime
    plan: Plan | None
    warning: str
    running: Turn | None
    coming: tuple[Turn, ...]
    cancelled: tuple[Turn, ...]
    previous: Turn | None
    missing: tuple[Missing, ...]
    because: str
    """Why the plan has no turn for this gate, and when one may be expected; empty where it has one."""
    light: str
    rain: str

    @property
    def next(self) -> Turn | None:
        return self.coming[0] if self.coming else None

    @property
    def later(self) -> tuple[Turn, ...]:
        return self.coming[1:]


def make_link(turnout: Turnout) -> str:
    """A new secret token. It is returned once; a lost link is revoked and made anew."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    FarmerLink.objects.create(turnout=turnout, token_sha256=sha256(token))
    return token


def turnout_of(token: str) -> Turnout | None:
    """The turnout of a live link; None for anything else."""
    links = FarmerLink.objects.select_related("turnout__lateral__system__rain", "turnout__city")
    link = links.filter(token_sha256=sha256(token), revoked_at=None).first()
    return link.turnout if link else None


def turns(turnout: Turnout, at: datetime) -> Turns:
    """What the turnout's page shows, in the active language."""
    now = in_force(turnout.city)
    runs = ValveRun.objects.filter(turnout=turnout).order_by("start", "pk")
    to_come = list(runs.filter(status=ValveRun.Status.SCHEDULED, end__gt=at))
    last = list(runs.filter(status=ValveRun.Status.SCHEDULED, end__lte=at).reverse()[:1])
    said = run_statuses(run.uid for run in [*to_come, *last])
    # A new plan may have moved a run that the gate did by the old one.
    to_come = _joined([run for run in to_come if run.start <= at or said.get(run.uid) != "completed"])

    def turn(run: ValveRun) -> Turn:
        return _turn(run, said.get(run.uid, ""), at, turnout.city.zone)

    return Turns(
        turnout,
        at,
        now.plan,
        now.warning,
        next((turn(run) for run in to_come if run.start <= at), None),
        tuple(turn(run) for run in to_come if run.start > at),
        tuple(turn(run) for run in runs.filter(status=ValveRun.Status.CANCELLED, end__gt=at)),
        next(map(turn, last), None),
        _missing(turnout, now.plan),
        _because(turnout, now.plan, at) if now.plan and not to_come else "",
        _light(now.plan),
        _rain(turnout, at),
    )


def _joined(runs: Sequence[ValveRun]) -> list[ValveRun]:
    """Runs in order of time; where a new plan goes on with one without a break, the farmer has one turn."""
    found: list[ValveRun] = []
    for run in runs:
        if found and found[-1].end == run.start:
            before = found.pop()
            whole = ValveRun(uid=before.uid, rev=before.rev, plan=run.plan, turnout=run.turnout, status=run.status)
            whole.start, whole.end, whole.volume_m3 = before.start, run.end, before.volume_m3 + run.volume_m3
            run = whole
        found.append(run)
    return found


def calendar_runs(turnout: Turnout, at: datetime) -> list[ValveRun]:
    """The newest word on every run of the last two weeks and of those to come; cancelled ones stay in."""
    found = ValveRun.objects.filter(turnout=turnout, end__gt=at - timedelta(days=14)).select_related("plan")
    rows = list(found.order_by("rev", "pk"))
    newest = {run.uid: run for run in rows if run.status != ValveRun.Status.SUPERSEDED}
    ahead = [run.uid for run in newest.values() if run.status == ValveRun.Status.SCHEDULED and run.start > at]
    for uid, said in run_statuses(ahead).items():
        if said == "completed":
            newest.update(_as_done(newest.pop(uid), rows, at))
    return sorted(newest.values(), key=lambda run: (run.start, run.pk))


def _as_done(moved: ValveRun, rows: Sequence[ValveRun], at: datetime) -> dict[UUID, ValveRun]:
    """A run that a new plan moved although the gate had done it stands where it was done, under its newest number."""
    before = [run for run in rows if run.uid == moved.uid and run.start <= at]
    for run in before[-1:]:
        run.rev = moved.rev
        return {run.uid: run}
    return {}


def day_in_words(day: date, today: date) -> str:
    """Today, tomorrow, yesterday, or a weekday with its date."""
    near = {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}
    return near.get((day - today).days) or date_format(day, _("D j M"))


def said_in_words(said: str) -> str:
    """What a controller's last word on a run means for the farmer."""
    words = {
        "": _("The gate has not reported."),
        "received": _("The gate has the order."),
        "started": _("The gate reported that it opened."),
        "completed": _("The gate opened and closed as planned."),
        "partial": _("The gate was open for a part of the time only."),
        "aborted_fault": _("The gate stopped with a fault."),
        "aborted_operator": _("The gate was stopped by hand."),
    }
    return words.get(said, _("The gate did not open."))


def why_in_words(reason: str) -> str:
    """The limit that kept a turnout from its water, for people who do not plan canals."""
    words = {
        Reason.WINDOW: _("the day was too short for the water to come"),
        Reason.QUIET: _("gates stay closed during the quiet hours"),
        Reason.MAX_OPEN: _("too many gates would have been open at once"),
        Reason.CAPACITY: _("the canal was full"),
        Reason.INFLOW: _("too little water came into the canal"),
        Reason.REMAINDER: _("what was left is less than the shortest turn"),
    }
    return words.get(reason, reason)  # type: ignore[call-overload, no-any-return]


def _turn(run: ValveRun, said: str, at: datetime, zone: ZoneInfo) -> Turn:
    start, end, today = run.start.astimezone(zone), run.end.astimezone(zone), at.astimezone(zone).date()
    until = f"{end:%H:%M}"
    if end.date() != start.date():
        until = f"{day_in_words(end.date(), today)} {until}"
    return Turn(day_in_words(start.date(), today), f"{start:%H:%M}", until, run.volume_m3, said)


def _missing(turnout: Turnout, plan: Plan | None) -> tuple[Missing, ...]:
    """What the plan's turns leave out, and what the lateral itself goes without in the plan's first day."""
    if plan is None:
        return ()
    items = _told(turnout, plan, "short")
    found = [Missing(item["short_m3"], why_in_words(item["reason"])) for item in items]
    share = _lateral_short(plan, turnout.lateral.key)
    if share >= 0.005:
        words = _("the canal gets %(share).0f %% less than its fields ask for")
        found.append(Missing(0.0, words % {"share": 100 * share}))
    return tuple(found)


def _told(turnout: Turnout, plan: Plan, what: str) -> list[dict[str, Any]]:
    """What the turns of the plan's first day say of a turnout in the list "short" or "waiting"."""
    part = plan.parts.filter(sector="water", key=turnout.lateral.key, state=PlanPart.State.DONE).first()
    items = (part.result or {}).get(what, []) if part else []
    return [item for item in items if item["turnout"] == turnout.key]


def _because(turnout: Turnout, plan: Plan, at: datetime) -> str:
    """Why there is no turn: the plan's record of the fields says whether they wait for the next day or need nothing."""
    if at >= plan.start + timedelta(days=1):
        return _("The turns of this plan are over; the next plan brings new ones.")
    today = at.astimezone(turnout.city.zone).date()
    extra = (plan.snapshot or {}).get("extra", {}).get("water", {})
    day = extra.get("turnouts", {}).get(turnout.lateral.key, {}).get(turnout.key)
    if day is None or "why" not in day:
        return ""
    first = plan.start.astimezone(turnout.city.zone).date()
    for item in _told(turnout, plan, "waiting"):
        return _waits(item["part_m3"], day["why"], day_in_words(first + timedelta(days=1), today))
    return "" if day["km3"] else _needs_nothing(day["why"], first, today)


def _waits(part_m3: float, why: Why, next_day: str) -> str:
    words = _(
        "Your fields' part of today's water, %(part).0f m³, is less than the shortest turn of your gate. Together with "
        "the parts of others it goes to the fields that have waited longest. Your fields lack %(lacks).0f mm and may "
        "lack %(allowed).0f mm. Their turn grows with what they lack and comes first when water is shared again: "
        "%(day)s."
    )
    return words % {"part": part_m3, "lacks": why["deficit_mm"], "allowed": why["allowed_mm"], "day": next_day}


def _needs_nothing(why: Why, first: date, today: date) -> str:
    if why["stage"] == "fallow":
        return _("Nothing grows on your fields that needs water now.")
    told = _how_they_stand(why)
    kept = why.get("kept_as", "flooded" if CROPS[why["crop"]].paddy else "")
    if why.get("overdue_days", 0.0) < 0 and kept in ("", "drying"):
        day = day_in_words(first + timedelta(days=math.ceil(-why["overdue_days"])), today)
        told += " " + _("Without rain their next turn may be expected: %(day)s.") % {"day": day}
    return told


def _how_they_stand(why: Why) -> str:
    """What the fields have got or have, so that they need nothing today."""
    if why.get("applied_mm"):
        return _("Your fields have got their water of today: %(mm).0f mm.") % {"mm": why["applied_mm"]}
    kept = why.get("kept_as", "flooded" if CROPS[why["crop"]].paddy else "")
    standing = why.get("standing_mm", 0.0)
    if kept == "dry":
        return _("Your rice is left to dry in these days.")
    if kept in ("soaking", "flooded") and why["deficit_mm"] > why["allowed_mm"]:
        return _("The rain that can be relied on is enough for your fields today.")
    if kept == "soaking":
        return _("Your land is soaked as far as it should be by today.")
    if kept == "flooded":
        return _("Enough water stands on your fields today.")
    if kept == "drying" and standing > 0:
        words = _("%(mm).0f mm of water stand on your fields, which may fall dry before they are watered again.")
        return words % {"mm": standing}
    words = _("Your fields need no water yet: they lack %(lacks).0f mm and are watered from %(allowed).0f mm on.")
    return words % {"lacks": why["deficit_mm"], "allowed": why["allowed_mm"]}


def _lateral_short(plan: Plan, lateral: str) -> float:
    """The share of the lateral's demand that the plan's first day does not serve."""
    demand = (plan.result or {}).get("demands", {}).get(f"irrigation.{lateral}")
    if not demand:
        return 0.0
    numbers = Numbers(plan)
    served, short = (_first_day(numbers, demand[kind]) for kind in ("served", "short"))
    return short / (served + short) if served + short else 0.0


def _first_day(numbers: Numbers, rates: Sequence[float]) -> float:
    return sum(
        rate * float(hours)
        for rate, hours, end in zip(rates, numbers.hours, numbers.hours.cumsum(), strict=True)
        if end <= 24.001
    )


def _light(plan: Plan | None) -> str:
    """The drought light in words; empty where there is none."""
    if plan is None or not plan.result or not plan.snapshot:
        return ""
    light = outlook(Numbers(plan)).light
    return "" if light == Light.NONE else light_name(light)


def _rain(turnout: Turnout, at: datetime) -> str:
    """Rain until this time tomorrow, where a fresh forecast knows of any that matters; what is usual is none."""
    series = turnout.lateral.system.rain
    real = Forecast.objects.filter(series=series, known_at__gt=at - FORECAST_AGE).exclude(method__in=UNMEASURED)
    newest = real.order_by(*NEWEST_FIRST).first()
    if newest is None:
        return ""
    day = timedelta(days=1)
    spans = ((max(at, start), min(at + day, start + newest.step)) for start in newest.times)
    shares = (max(timedelta(0), until - start) / day for start, until in spans)
    depth = sum(share * mm_per_day for share, mm_per_day in zip(shares, newest.mean, strict=True))
    return _("Rain is expected: about %(depth).0f mm until tomorrow.") % {"depth": depth} if depth >= RAIN_MM else ""
