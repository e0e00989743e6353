"""What turnouts really got: what their controllers reported, and else what the plan in force had them open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from .messages import acks_of, run_statuses
from .models import ValveRun

NO_WORD = ("", "received", "started", "cancelled", "superseded")
"""What a controller may say of a run without telling whether its water flowed; a run that stands is then believed."""


@dataclass(frozen=True)
class Delivery:
    """What a turnout got on a local day, m³; `measured` if its controller confirmed every run of it."""

    m3: float
    measured: bool


def deliveries(
    turnouts: Sequence[int], since: datetime, until: datetime, zone: ZoneInfo, known_at: datetime
) -> dict[tuple[int, date], Delivery]:
    """By turnout id and local day, what flowed from `since` to `until` as known at a moment; a run under way counts
    with its past part. What a controller brought by a run that had been cancelled flowed all the same: it was under
    way, or the controller heard too late.
    """
    stood = _stood(known_at)
    cancelled = Q(status=ValveRun.Status.CANCELLED)
    listed = _published(turnouts, known_at).filter(stood | cancelled, start__lt=until, end__gt=since)
    runs = list(listed.annotate(stood=ExpressionWrapper(stood, BooleanField())))
    said = _said([run.uid for run in runs], known_at)
    found: dict[tuple[int, date], Delivery] = {}
    for run in runs:
        reported = said.get(run.uid)
        if not run.stood and (reported is None or not reported.volume_of(run)):
            continue
        whole = run.volume_m3 if reported is None else reported.volume_of(run)
        for day, share in _shares(run, since, until, zone):
            before = found.get((run.turnout_id, day), Delivery(0.0, True))
            measured = before.measured and reported is not None
            found[run.turnout_id, day] = Delivery(before.m3 + whole * share, measured)
    return found


def reports(
    turnouts: Sequence[int], since: datetime, zone: ZoneInfo, known_at: datetime
) -> dict[int, list[tuple[date, datetime]]]:
    """By turnout id of which local days controllers told what flowed, and when each word was received."""
    runs = ValveRun.objects.filter(turnout__in=turnouts, start__gte=since).values_list("uid", "turnout", "start")
    of = {uid: (turnout, start.astimezone(zone).date()) for uid, turnout, start in runs}
    found: dict[int, list[tuple[date, datetime]]] = {}
    told = acks_of(of, known_at).exclude(status__in=NO_WORD)
    for uid, received_at in told.values_list("run_uid", "received_at"):
        assert uid is not None, "the filter names runs"
        turnout, day = of[uid]
        found.setdefault(turnout, []).append((day, received_at))
    return found


def runs_known(turnouts: Iterable[int], known_at: datetime) -> QuerySet[ValveRun]:
    """The runs that were to happen by what was known: of plans published by then, and cancelled no sooner.

    When a run was cancelled is not kept; it is when its plan ended.
    """
    return _published(turnouts, known_at).filter(_stood(known_at))


def _published(turnouts: Iterable[int], known_at: datetime) -> QuerySet[ValveRun]:
    return ValveRun.objects.filter(turnout__in=turnouts, plan__published_at__lte=known_at)


def _stood(known_at: datetime) -> Q:
    return Q(status=ValveRun.Status.SCHEDULED) | Q(plan__ended_at__gt=known_at)


@dataclass(frozen=True)
class _Report:
    status: str
    volume_m3: float | None
    duration_s: float | None

    def volume_of(self, run: ValveRun) -> float:
        """A run that ended early without a figure counts as nothing: better to water a crop twice than to forget it."""
        if self.volume_m3 is not None:
            return self.volume_m3
        if self.status == "completed":
            return run.volume_m3
        if self.duration_s is None:
            return 0.0
        return run.volume_m3 * min(1.0, self.duration_s / (run.end - run.start).total_seconds())


def _said(uids: Iterable[UUID], known_at: datetime) -> dict[UUID, _Report]:
    statuses = {uid: status for uid, status in run_statuses(uids, known_at).items() if status not in NO_WORD}
    acks = acks_of(statuses, known_at).order_by("at", "pk")
    figures: dict[UUID, dict[str, float]] = {}
    for uid, data in acks.values_list("run_uid", "data"):
        # Controllers count a run's water up, so the last figure of each kind is the whole.
        assert uid is not None, "the filter names runs"
        figures.setdefault(uid, {}).update({key: data[key] for key in ("volume_m3", "duration_s") if key in data})
    return {
        uid: _Report(status, figures.get(uid, {}).get("volume_m3"), figures.get(uid, {}).get("duration_s"))
        for uid, status in statuses.items()
    }


def _shares(run: ValveRun, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[tuple[date, float]]:
    """The local days that a run touches between two moments, each with its share of the run's time."""
    length = run.end - run.start
    day = run.start.astimezone(zone).date()
    while length > timedelta(0) and datetime.combine(day, time(), zone) < min(run.end, until):
        begin = max(run.start, since, datetime.combine(day, time(), zone))
        end = min(run.end, until, datetime.combine(day + timedelta(days=1), time(), zone))
        if end > begin:
            yield day, (end - begin) / length
        day += timedelta(days=1)
