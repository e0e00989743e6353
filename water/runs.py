"""The valve runs of a published plan: written once, never deleted, and recognisable from plan to plan.

A run's `uid` is made of its turnout, its local day and its place among the turnout's runs of that day, so that a run
that is only moved keeps its uid and counts up its `rev`. What has begun when a plan comes into force stays on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import F, QuerySet
from django.utils import timezone

from planning.models import Plan, PlanPart

from .models import Turnout, ValveRun

Status = ValveRun.Status
SAME_M3 = 0.1


@dataclass(frozen=True)
class Opening:
    """A run as its follow-up work found it."""

    turnout: Turnout
    start: datetime
    end: datetime
    volume_m3: float

    def within(self, first: datetime, last: datetime | None = None) -> Opening:
        """The part of the opening between two moments, with its share of the volume."""
        start, end = max(self.start, first), min(self.end, last) if last else self.end
        return replace(self, start=start, end=end, volume_m3=self.volume_m3 * ((end - start) / (self.end - self.start)))


def write_runs(plan: Plan, parts: Sequence[PlanPart]) -> None:
    """Writes the plan's runs from now on. Of the plans before, runs under way end now, runs to come are superseded by
    those of the same uid or else cancelled.
    """
    turn_over = max(plan.start, timezone.now())
    turnouts = {turnout.key: turnout for turnout in Turnout.objects.filter(city=plan.city_id)}
    earlier = ValveRun.objects.filter(turnout__city=plan.city_id).exclude(plan=plan).select_related("turnout")
    standing = list(earlier.filter(status=Status.SCHEDULED, end__gt=turn_over))
    # A cancelled one too: its controller may have opened it, and what was said of it must not be taken for a later run.
    begun = earlier.filter(status__in=[Status.SCHEDULED, Status.CANCELLED], start__lt=turn_over)
    rows = [_cut(run, plan, turn_over) for run in standing if run.start < turn_over]
    rows += _numbered(plan, _openings(parts, turnouts, turn_over), begun)
    _count_revisions(rows, earlier)
    uids = {row.uid for row in rows}
    earlier.filter(uid__in=uids, status__in=[Status.SCHEDULED, Status.CANCELLED], end__gt=turn_over).update(
        status=Status.SUPERSEDED
    )
    gone = [run.pk for run in standing if run.uid not in uids]
    ValveRun.objects.filter(pk__in=gone).update(status=Status.CANCELLED, rev=F("rev") + 1)
    ValveRun.objects.bulk_create(rows)


def withdraw_runs(plan: Plan) -> None:
    """Cancels what has not ended yet, also of the plan before where this one had not begun."""
    to_come = ValveRun.objects.filter(turnout__city=plan.city_id, status=Status.SCHEDULED, end__gt=timezone.now())
    to_come.update(status=Status.CANCELLED, rev=F("rev") + 1)


def _openings(parts: Iterable[PlanPart], turnouts: dict[str, Turnout], turn_over: datetime) -> list[Opening]:
    """What the parts say is to be opened after the turn-over, by turnout and time; a late publish loses the rest."""
    found = []
    for part in parts:
        for run in (part.result or {}).get("runs", []):
            start, end = datetime.fromisoformat(run["start"]), datetime.fromisoformat(run["end"])
            if end > turn_over and run["turnout"] in turnouts:
                found.append(Opening(turnouts[run["turnout"]], start, end, run["volume_m3"]).within(turn_over))
    return sorted(found, key=lambda opening: (opening.turnout.key, opening.start))


def _numbered(plan: Plan, openings: Iterable[Opening], begun: Iterable[ValveRun]) -> list[ValveRun]:
    """Runs with their uids: the first of their day that neither a run that has begun nor one of these bears."""
    taken = {run.uid for run in begun}
    rows = []
    for opening in openings:
        day = opening.start.astimezone(plan.city.zone).date()
        uids = (uid_of(plan.city.key, opening.turnout.key, day, ordinal) for ordinal in count())
        uid = next(uid for uid in uids if uid not in taken)
        taken.add(uid)
        rows.append(_row(plan, opening, uid))
    return rows


def uid_of(city: str, turnout: str, day: date, ordinal: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"headgate:{city}/{turnout}/{day.isoformat()}/{ordinal}")


def _cut(run: ValveRun, plan: Plan, turn_over: datetime) -> ValveRun:
    """A run under way goes on in the new plan's documents, but only until the new plan's own turns begin."""
    opening = Opening(run.turnout, run.start, run.end, run.volume_m3)
    return _row(plan, opening.within(run.start, turn_over), run.uid)


def _row(plan: Plan, opening: Opening, uid: UUID) -> ValveRun:
    return ValveRun(
        uid=uid,
        plan=plan,
        turnout=opening.turnout,
        start=opening.start,
        end=opening.end,
        volume_m3=opening.volume_m3,
    )


def _count_revisions(rows: Sequence[ValveRun], earlier: QuerySet[ValveRun]) -> None:
    """A run that means the same keeps its revision; a controller need not be told again."""
    latest: dict[UUID, ValveRun] = {}
    for run in earlier.filter(uid__in=[row.uid for row in rows]).order_by("rev", "pk"):
        latest[run.uid] = run
    for row in rows:
        before = latest.get(row.uid)
        if before is not None:
            row.rev = before.rev + (0 if _means_the_same(row, before) else 1)


def _means_the_same(row: ValveRun, before: ValveRun) -> bool:
    return (
        before.status == Status.SCHEDULED
        and (row.start, row.end) == (before.start, before.end)
        and abs(row.volume_m3 - before.volume_m3) < SAME_M3
    )
