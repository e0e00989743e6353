"""Every transition of a plan, and no other place makes one.

Each is a conditional update that asks for the state it leaves (and, while a worker holds the plan, for the worker's
token), so that of two who try the same thing one wins and the other is told.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from cities.languages import ENGLISH
from cities.models import City

from .horizons import WEEK, is_replay, next_quarter, week_end
from .models import Plan, PlanEvent, PlanPart
from .refusals import Busy, LostLease, Refused, never_published, why_a_person_decides
from .sectors import FollowUp, sectors

log = logging.getLogger(__name__)

State = Plan.State
LEASE = timedelta(seconds=60)
"""A worker that has not renewed for this long is taken for dead; it renews every few seconds."""
TOO_LATE = timedelta(hours=1)
"""Work that no worker took for so long fails its plan: a plan that comes much later is one that nobody expects."""
ATTEMPTS = 3
"""So often is work taken up again after a worker died with it. What kills three workers would kill the fourth."""
PARTS = "parts"
"""The stage of a solved plan that waits for its follow-up work; no worker holds it then."""

Person = User | None
W = TypeVar("W", Plan, PlanPart)


def request(
    city: City, *, start: datetime | None = None, by: Person = None, reason: str = "", publish: bool = False
) -> Plan:
    """A new plan of the coming week, waiting for a worker."""
    return _new(city, start, requested_by=by, reason=reason, publish_when_ready=publish)


def begin(city: City, *, start: datetime | None = None, reason: str = "", publish: bool = False) -> Plan:
    """A new plan in the hands of this process, which solves it at once. Raises Busy, and makes none, for a busy city.

    No worker ever takes it up: it ends with this process, for nobody expects it any more when its command was killed.
    """
    taken = {"state": State.SOLVING, "stage": "claimed", "foreground": True, **_taken(uuid.uuid4()), "attempt": 1}
    try:
        return _new(city, start, reason=reason, publish_when_ready=publish, **taken)
    except IntegrityError:
        holder = Plan.objects.select_related("city").filter(city=city, state=State.SOLVING).first()
        if holder is None:  # another constraint, or one that ended in this moment: no waiting would mend the first
            raise
        raise Busy(holder) from None


def request_due() -> list[Plan]:
    """Asks for the regular plan of every city whose settings say "plan_every_hours" and whose last request is older.

    Such a plan is proposed, never published unasked: on what no person looked at, no person's valves open.
    """
    now = timezone.now()
    asked = []
    for city in City.objects.all():
        hours = city.settings.get("plan_every_hours")
        if hours and not Plan.objects.filter(city=city, requested_at__gt=now - timedelta(hours=hours)).exists():
            asked.append(request(city, reason=gettext_noop("regular plan")))
    return asked


def claim(plan_id: int) -> Plan | None:
    """Takes a waiting plan for this worker. None where another worker has it, it was cancelled, or its city is busy."""
    token = uuid.uuid4()
    waiting = Plan.objects.filter(pk=plan_id, state=State.REQUESTED, cancel_requested=False)
    try:
        with transaction.atomic():
            taken = waiting.update(state=State.SOLVING, stage="claimed", progress=0.0, **_taken(token))
    except IntegrityError:  # one solving plan per city: this one waits for the next dispatch
        return None
    return Plan.objects.select_related("city").get(pk=plan_id, token=token) if taken else None


def claim_part(part_id: int) -> PlanPart | None:
    """Takes a waiting part for this worker, unless another worker has it."""
    token = uuid.uuid4()
    waiting = PlanPart.objects.filter(pk=part_id, state=PlanPart.State.REQUESTED, plan__state=State.SOLVING)
    taken = waiting.update(state=PlanPart.State.SOLVING, **_taken(token))
    return PlanPart.objects.get(pk=part_id, token=token) if taken else None


def renew(plan: Plan, stage: str, progress: float) -> bool:
    """Keeps the lease and tells how far the work is. True while nobody has asked to cancel."""
    _held(plan, lease_until=timezone.now() + LEASE, stage=stage, progress=progress)
    return not Plan.objects.values_list("cancel_requested", flat=True).get(pk=plan.pk)


def keep_inputs(plan: Plan, **fields: Any) -> None:
    """Writes what the plan is made from, while the worker holds it."""
    _held(plan, **fields)


def solved(plan: Plan, fields: dict[str, Any], follow_ups: Sequence[tuple[str, FollowUp]]) -> None:
    """Writes an accepted answer, releases the plan and leaves the follow-up work (sector, work) waiting.

    A plan of the foreground stays with its process, which does that work too.
    """
    released = {} if plan.foreground else {"token": None, "lease_until": None}
    with transaction.atomic():
        _held(plan, stage=PARTS, **released, **fields)
        PlanPart.objects.filter(plan=plan).delete()
        PlanPart.objects.bulk_create(
            PlanPart(plan=plan, sector=name, key=work.key, input=work.input) for name, work in follow_ups
        )
        _record(plan, "solved", None, "")
    plan.refresh_from_db()


def renew_part(part: PlanPart) -> None:
    """Keeps the lease on a part that takes its time."""
    _held(part, lease_until=timezone.now() + LEASE)


def release_part(part: PlanPart) -> None:
    """Leaves a part that was interrupted to the next who comes."""
    PlanPart.objects.filter(pk=part.pk, token=part.token).update(state=PlanPart.State.REQUESTED, **_FREE)


def part_done(part: PlanPart, **fields: Any) -> None:
    """Writes a part's result, while the worker holds it. Broken limits make the part, and with it the plan, fail."""
    state = PlanPart.State.FAILED if fields.get("broken_limits") or fields.get("failure") else PlanPart.State.DONE
    _held(part, state=state, **_FREE, **fields)


def join(plan_id: int) -> Plan:
    """Proposes a plan whose parts have all ended well, or fails it when one has not; otherwise changes nothing."""
    plan = Plan.objects.select_related("city").get(pk=plan_id)
    if plan.state != State.SOLVING or plan.stage != PARTS:
        return plan
    failed = plan.parts.filter(state=PlanPart.State.FAILED).first()
    if failed:
        reason = failed.failure or "; ".join(failed.broken_limits)
        fail(plan, gettext_noop("The follow-up work for %(key)s failed: %(why)s") % {"key": failed.key, "why": reason})
    elif not plan.parts.exclude(state=PlanPart.State.DONE).exists():
        _propose(plan)
    plan.refresh_from_db()
    return plan


def approve(plan: Plan, by: Person = None, note: str = "") -> None:
    """Where the city's settings say `four_eyes`, by a person, and not by the one who asked for the plan."""
    if plan.city.settings.get("four_eyes") and by in (None, plan.requested_by):
        raise Refused(_("In this city a second person approves: not the one who asked for the plan."))
    with transaction.atomic():
        _move(plan, [State.PROPOSED], State.APPROVED, approved_at=timezone.now(), approved_by=by)
        _record(plan, "approved", by, note)


def publish(plan: Plan, by: Person = None) -> None:
    """Puts an approved plan in force, with the documents of every sector, in one transaction.

    Refused for a plan that broke a limit, has run out or is a replay; then the plan in force stays in force.
    """
    now = timezone.now()
    if plan.broken_limits or plan.parts.exclude(state=PlanPart.State.DONE).exists():
        raise Refused(_("A plan that did not pass verification cannot be published."))
    if plan.valid_until <= now:
        raise Refused(_("The plan has run out: its week is over."))
    if is_replay(plan.start, plan.requested_at):
        raise Refused(never_published())
    with transaction.atomic():
        # Two engineers who publish at once take their turn here; the second then supersedes the first.
        City.objects.select_for_update().get(pk=plan.city_id)
        before = Plan.objects.filter(city_id=plan.city_id, state=State.PUBLISHED).first()
        if before:
            _move(before, [State.PUBLISHED], State.SUPERSEDED, ended_at=now)
            _record(before, "superseded", by, str(plan))
        _move(plan, [State.APPROVED], State.PUBLISHED, published_at=now, supersedes=before)
        parts = list(plan.parts.order_by("sector", "key"))
        for found in sectors():
            found.publish(plan, [part for part in parts if part.sector == found.name])
        _record(plan, "published", by, "")


def withdraw(plan: Plan, by: Person = None, note: str = "") -> None:
    """Takes a plan back. Of a published one the sectors withdraw their documents too: valves that wait stay closed."""
    with transaction.atomic():
        was_published = plan.state == State.PUBLISHED
        sources = [State.PUBLISHED] if was_published else [State.PROPOSED, State.APPROVED]
        _move(plan, sources, State.WITHDRAWN, ended_at=timezone.now())
        if was_published:
            for found in sectors():
                found.withdraw(plan)
        _record(plan, "withdrawn", by, note)


def cancel(plan: Plan, by: Person = None) -> None:
    """Stops a plan that waits or is being solved. A solving worker sees the flag within seconds and fails the plan."""
    if not Plan.objects.filter(pk=plan.pk, state__in=[State.REQUESTED, State.SOLVING]).update(cancel_requested=True):
        raise Refused(_("Only a plan that waits or is being solved can be cancelled."))
    _record(plan, "cancelled", by, "")
    plan.refresh_from_db()
    if plan.state == State.REQUESTED or plan.stage == PARTS:
        fail(plan, gettext_noop("Cancelled before a worker had solved it."))


def fail(plan: Plan, why: str, facts: Sequence[dict[str, Any]] = ()) -> None:
    """Ends a plan that cannot become one, for a reason in English, and as facts. The plan in force stays in force."""
    _fail(plan, why, _ours(plan), **({"facts": list(facts)} if facts else {}))


def interrupted(plan: Plan) -> None:
    """Ends a plan whose command was interrupted. It counts as cancelled: nobody misses it."""
    _fail(plan, gettext_noop("Cancelled by hand: its command was interrupted."), _ours(plan), cancel_requested=True)


def reap() -> int:
    """Frees the work of dead workers, so that `dispatch` sends it again; after the last attempt the plan fails."""
    now = timezone.now()
    freed = _each(Plan.objects.filter(state=State.SOLVING, lease_until__lt=now), lambda plan: _free_plan(plan, now))
    parts = PlanPart.objects.filter(state=PlanPart.State.SOLVING, lease_until__lt=now)
    freed += _each(parts, lambda part: _free_part(part, now))
    _each(_waiting_for_parts(), lambda plan: join(plan.pk))  # a worker may have died between its last part and the join
    return freed


def expire() -> int:
    """Ends plans whose week is over, and those whose work nobody took up in time."""
    now = timezone.now()
    late = now - TOO_LATE
    expired = _each(Plan.objects.filter(state__in=_IN_TIME, valid_until__lte=now), _expire)
    untaken = Plan.objects.filter(state=State.REQUESTED, requested_at__lt=late)
    why_untaken = gettext_noop("No worker took it up in time.")
    expired += _each(untaken, lambda plan: _fail(plan, why_untaken, Q(state=State.REQUESTED)))
    solved_only = _waiting_for_parts().filter(events__what="solved", events__at__lt=late)
    why = gettext_noop("It was solved, but no worker took up its follow-up work in time.")
    return expired + _each(solved_only, lambda plan: _fail(plan, why, Q(stage=PARTS)))


def _each(found: Iterable[W], end: Callable[[W], object]) -> int:
    """Frees or ends one after the other and counts where that did something. An error keeps no other from its turn."""
    ended = 0
    for work in found:
        try:
            ended += bool(end(work))
        except Exception:
            log.exception("%s could not be freed or ended", work)
    return ended


@transaction.atomic
def _expire(plan: Plan) -> bool:
    _move(plan, _IN_TIME, State.EXPIRED, ended_at=timezone.now())
    _record(plan, "expired", None, "")
    return True


def _new(city: City, start: datetime | None, **fields: Any) -> Plan:
    start = start or next_quarter(timezone.now())
    span = {"start": start, "valid_until": week_end(start), "horizon": [list(block) for block in WEEK]}
    with transaction.atomic():
        plan = Plan.objects.create(city=city, **span, **fields)
        _record(plan, "requested", plan.requested_by, plan.reason)
    return plan


def _waiting_for_parts() -> QuerySet[Plan]:
    """Solved plans whose follow-up work is the workers'. A plan of the foreground is its process's alone."""
    return Plan.objects.filter(state=State.SOLVING, stage=PARTS, foreground=False)


def _ours(plan: Plan) -> Q:
    return Q(token=plan.token) if plan.token else Q()


@transaction.atomic
def _fail(plan: Plan, why: str, still: Q, **fields: Any) -> int:
    """Fails the plan where `still` holds of its row. Returns how many plans that were."""
    ended = Plan.objects.filter(still, pk=plan.pk, state__in=[State.REQUESTED, State.SOLVING]).update(
        state=State.FAILED, failure=why, ended_at=timezone.now(), **_FREE, **fields
    )
    plan.refresh_from_db()
    if ended:
        _record(plan, "cancelled" if plan.cancel_requested else "failed", None, why)
    return ended


def _propose(plan: Plan) -> None:
    try:
        missing = _missing(plan)
    except DatabaseError:  # it passes: the next join tries again
        raise
    except Exception as error:
        log.exception("What plan %s leaves undelivered could not be told", plan.pk)
        why = gettext_noop("Its follow-up work could not be summed up: %(error)s") % {"error": repr(error)}
        _fail(plan, why, Q(stage=PARTS))
        return
    with transaction.atomic():
        mine = Plan.objects.filter(pk=plan.pk, state=State.SOLVING, stage=PARTS).update(
            state=State.PROPOSED, stage="", progress=1.0, proposed_at=timezone.now(), **_FREE, **missing
        )
        if not mine:  # another worker's join came first
            return
        _record(plan, "proposed", None, "")
    plan.refresh_from_db()
    if plan.publish_when_ready:
        _publish_unasked(plan)


def _missing(plan: Plan) -> dict[str, Any]:
    """The plan's shortages and facts with those of its follow-up work: who reads of one must read of the other."""
    parts = list(plan.parts.order_by("sector", "key"))
    found = [own.missing(plan, [part for part in parts if part.sector == own.name]) for own in sectors()]
    shortages = [asdict(short) for missing in found for short in missing.shortages]
    facts = [asdict(fact) for missing in found for fact in missing.facts]
    if not shortages and not facts:
        return {}
    result = {**plan.result, "shortages": [*plan.result["shortages"], *shortages]}
    return {"result": result, "facts": [*facts, *plan.facts]}


def _publish_unasked(plan: Plan) -> None:
    """Publishes without a person, but never over a plan that was asked for later, and none by rule over any plan."""
    if why_not := why_a_person_decides(plan):
        _record(plan, "left as proposed", None, why_not)
        return
    try:
        with override(ENGLISH), transaction.atomic():  # a refusal is written down, in the language of rows
            approve(plan, note=gettext_noop("without asking, as requested"))
            publish(plan)
    except Exception as error:
        # Whatever stopped it (a refusal, a sector's document, a missing key), the plan itself is good: it waits for a
        # person, with the reason on record, and the plan in force stays in force.
        log.exception("Plan %s could not publish itself", plan.pk)
        plan.refresh_from_db()
        _record(plan, "left as proposed", None, str(error))


@transaction.atomic
def _free_plan(plan: Plan, now: datetime) -> int:
    is_dead = Q(state=State.SOLVING, token=plan.token, lease_until__lt=now)
    if plan.foreground:
        return _fail(plan, gettext_noop("The command that was making it ended before it was done."), is_dead)
    if plan.cancel_requested:  # nobody may take it up any more
        return _fail(plan, gettext_noop("Cancelled while it was being solved."), is_dead)
    if plan.attempt >= ATTEMPTS:
        return _fail(plan, gettext_noop("Its worker died %(count)d times.") % {"count": plan.attempt}, is_dead)
    freed = Plan.objects.filter(is_dead, pk=plan.pk).update(state=State.REQUESTED, sent_at=None, stage="", **_FREE)
    if freed:
        _record(plan, "taken back", None, gettext_noop("Its worker stopped renewing the lease."))
    return freed


def _free_part(part: PlanPart, now: datetime) -> int:
    dead = PlanPart.objects.filter(pk=part.pk, state=PlanPart.State.SOLVING, token=part.token, lease_until__lt=now)
    if part.attempt >= ATTEMPTS:
        why = gettext_noop("Its worker died %(count)d times.") % {"count": part.attempt}
        return dead.update(state=PlanPart.State.FAILED, failure=why, **_FREE)
    return dead.update(state=PlanPart.State.REQUESTED, sent_at=None, **_FREE)


_FREE: dict[str, Any] = {"token": None, "lease_until": None}
_IN_TIME = (State.PUBLISHED, State.PROPOSED, State.APPROVED)
"""States that end with the plan's week."""


def _taken(token: uuid.UUID) -> dict[str, Any]:
    return {"token": token, "lease_until": timezone.now() + LEASE, "attempt": F("attempt") + 1}


def _held(work: Plan | PlanPart, **fields: Any) -> None:
    """Writes only while this worker's token still stands on the row. Raises LostLease otherwise."""
    if type(work).objects.filter(pk=work.pk, token=work.token, state="solving").update(**fields) != 1:
        raise LostLease(str(work))


def _move(plan: Plan, sources: Sequence[str], target: str, **fields: Any) -> None:
    if Plan.objects.filter(pk=plan.pk, state__in=sources).update(state=target, **fields) != 1:
        plan.refresh_from_db()
        raise Refused(_("The plan is %(state)s; that step is not open to it.") % {"state": plan.get_state_display()})
    plan.refresh_from_db()


def _record(plan: Plan, what: str, by: Person, note: str) -> None:
    PlanEvent.objects.create(plan=plan, what=what, by=by, note=note)
    level = logging.WARNING if what in ("failed", "taken back", "left as proposed") else logging.INFO
    text = f"Plan {plan}: {what}" + (f" ({note.splitlines()[0]})" if note else "")
    # Only what stands is told: a refused publication takes back what it had begun.
    transaction.on_commit(lambda: log.log(level, "%s", text, extra={"plan": plan.pk}))
