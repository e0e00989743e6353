"""A worker's way through one plan: claim, inputs, solve in a child thread, verify, follow-up work.

The solver runs in a thread of its own because HiGHS does not return to Python: in the main thread neither a soft time
limit nor a cancel would ever be noticed, and the best plan found so far would be lost. That thread is always waited
for: HiGHS aborts a process that ends around it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from . import lifecycle, snapshot
from .kernel.explain import explain
from .kernel.outcome import Answer, Progress, Status
from .kernel.problems import InvalidInput
from .kernel.solve import solve
from .models import Plan, PlanPart
from .sectors import FollowUp, InputsMissing, sector, sectors
from .words import why_refused

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
POLL_SECONDS = 0.2
Listener = Callable[[Progress], None]
T = TypeVar("T")


def _do_nothing() -> None:
    return None


def run(plan_id: int, listener: Listener | None = None) -> Plan | None:
    """Solves a waiting plan up to its follow-up work. None where there is nothing to claim."""
    plan = lifecycle.claim(plan_id)
    if plan is None:
        return None
    _solve_held(plan, listener)
    return plan


def _solve_held(plan: Plan, listener: Listener | None) -> None:
    try:
        _solve(plan, listener)
    except lifecycle.LostLease as lost:
        log.warning("Plan %s is no longer this worker's, which stops: %s", plan.pk, lost)
    except (InvalidInput, InputsMissing) as error:
        lifecycle.fail(plan, gettext_noop("The inputs are not valid:") + f"\n{error}", why_refused(error))
    except Exception as error:
        # A bug, not a refusal: the plan must not stay "solving" for ever, and the trace must reach the log.
        lifecycle.fail(plan, gettext_noop("An unexpected error stopped the solve: %(error)s") % {"error": repr(error)})
        raise


def run_part(part_id: int, tick: Callable[[], object] = _do_nothing) -> None:
    """Does one piece of follow-up work, and proposes the plan if it was the last. `tick` is called beside the work."""
    part = lifecycle.claim_part(part_id)
    if part is None:
        return
    try:
        lifecycle.part_done(part, **_work_of(part, tick))
    except lifecycle.LostLease as lost:
        log.warning("Part %s is no longer this worker's, which stops: %s", part.pk, lost)
        return
    except KeyboardInterrupt:
        lifecycle.release_part(part)
        raise
    lifecycle.join(part.plan_id)


def run_waiting_parts(plan: Plan, listener: Listener | None = None) -> int:
    """Does the follow-up work of a solved plan that nobody has taken yet. Returns how many pieces were waiting."""
    waiting = plan.parts.filter(state=PlanPart.State.REQUESTED).order_by("sector", "key")
    found = list(waiting.values_list("pk", flat=True))
    # A plan of the foreground is held by its process through its parts; of another one only the part is ours.
    keep = _Renewal(lambda: lifecycle.renew(plan, lifecycle.PARTS, 1.0)) if plan.foreground else _do_nothing
    for done, pk in enumerate(found):
        if listener:
            listener(Progress(lifecycle.PARTS, done / len(found)))
        run_part(pk, keep)
    return len(found)


def run_here(plan: Plan, listener: Listener | None = None) -> Plan:
    """The whole way in this process, for the command line and tests: the same code, without a queue."""
    try:
        if plan.foreground:
            _solve_held(plan, listener)
        else:
            run(plan.pk, listener)
        run_waiting_parts(plan, listener)
    except KeyboardInterrupt:
        lifecycle.interrupted(plan)
        raise
    return lifecycle.join(plan.pk)


def _solve(plan: Plan, listener: Listener | None) -> None:
    started = time.process_time()
    _tell(plan, listener, Progress("inputs", 0.0))
    # A plan of a past week is a replay: it may know only what had been recorded when that week began.
    with _kept(plan):
        inputs = snapshot.take(plan, min(timezone.now(), plan.start))
    lifecycle.keep_inputs(plan, snapshot=inputs.snapshot, snapshot_sha256=inputs.sha256, synthetic=inputs.synthetic)
    inputs_seconds = time.process_time() - started
    answer = _Solve(plan, inputs, listener).wait()
    if Plan.objects.values_list("cancel_requested", flat=True).get(pk=plan.pk):
        lifecycle.fail(plan, gettext_noop("Cancelled while it was being solved."))
        return
    if not answer.is_accepted:
        if answer.status is Status.NONE:
            lifecycle.keep_inputs(plan, facts=[asdict(reason) for reason in answer.reasons])
        lifecycle.fail(plan, _why_not(answer))
        return
    plan.snapshot, plan.result = inputs.snapshot, answer.as_dict(inputs.network, inputs.horizon)
    fields = _fields(answer, plan, inputs, inputs_seconds)
    lifecycle.solved(plan, fields, _follow_ups(plan))
    lifecycle.join(plan.pk)  # a plan without follow-up work is ready at once


class _Solve:
    """The solve in its thread, watched from the main one."""

    def __init__(self, plan: Plan, inputs: snapshot.Inputs, listener: Listener | None) -> None:
        self.plan, self.inputs, self.listener = plan, inputs, listener
        self.cancelled = threading.Event()
        self.news = Progress("build", 0.0)
        self.keep = _Renewal(self._renew)

    def wait(self) -> Answer:
        """Raises what the solve raised, and LostLease when another worker took over."""
        return _beside(self._work, self._watch, f"plan-{self.plan.pk}", self.cancelled)

    def _work(self) -> Answer:
        return solve(
            self.inputs.network,
            self.inputs.horizon,
            time_limit=settings.HEADGATE_SOLVE_SECONDS,
            progress=self._hear,
            cancelled=self.cancelled,
        )

    def _hear(self, news: Progress) -> None:
        self.news = news

    def _watch(self) -> None:
        if self.listener:
            self.listener(self.news)
        self.keep()

    def _renew(self) -> None:
        if not lifecycle.renew(self.plan, self.news.stage, self.news.fraction):
            self.cancelled.set()


@contextmanager
def _kept(plan: Plan) -> Iterator[None]:
    """Renews the lease from a thread while this one reads inputs and forecasts: that may take longer than a lease."""
    ended = threading.Event()

    renewal = _Renewal(lambda: lifecycle.renew(plan, "inputs", 0.0))

    def keep() -> None:
        try:
            while not ended.wait(POLL_SECONDS):
                renewal()
        except lifecycle.LostLease as error:  # the next write of the plan meets the same, and says so
            log.warning("The lease of plan %s was not renewed: %r", plan.pk, error)
        finally:
            connection.close()  # this thread's own

    thread = threading.Thread(target=keep, name=f"lease-{plan.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class _Renewal:
    """Calls `renew` when it is called itself, but not more often than a lease needs.

    An error such as a lock passes: a lease is longer than several renewals. Raises LostLease when the lease is
    another's, and when it ran out before the database could be reached again.
    """

    def __init__(self, renew: Callable[[], object]) -> None:
        self.renew = renew
        self.last = 0.0
        self.until = time.monotonic() + lifecycle.LEASE.total_seconds()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.last <= RENEW_SECONDS:
            return
        self.last = now
        try:
            self.renew()
        except DatabaseError as error:
            self._put_up_with(error)
        else:
            self.until = now + lifecycle.LEASE.total_seconds()

    def _put_up_with(self, error: DatabaseError) -> None:
        if time.monotonic() > self.until:
            raise lifecycle.LostLease(f"it ran out before it could be renewed: {error!r}") from error
        log.warning("A lease was not renewed, and is tried again: %r", error)
        connection.close_if_unusable_or_obsolete()  # a broken one would stay broken


def _beside(work: Callable[[], T], watch: Callable[[], object], name: str, stop: threading.Event) -> T:
    """Does the work in a thread and watches it from this one; raises what either raises, once the thread has ended.

    `stop` asks the work to end early: when this thread is interrupted or meets its soft time limit.
    """
    done: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            watch()
    except SoftTimeLimitExceeded:
        log.warning("%s met the soft time limit; the best found so far is used.", name)
    finally:
        stop.set()
        thread.join()
    if errors:
        raise errors[0]
    return done[0]


def _work_of(part: PlanPart, tick: Callable[[], object]) -> dict[str, Any]:
    """What became of a part, as fields of its row."""
    started = time.process_time()
    keep = _Renewal(lambda: lifecycle.renew_part(part))

    def watch() -> None:
        keep()
        tick()

    try:
        found = _beside(
            lambda: sector(part.sector).run(part.input),
            watch,
            f"part {part.key} of plan {part.plan_id}",
            threading.Event(),
        )
        fields = {"result": found.result, "broken_limits": list(found.broken_limits)}
    except lifecycle.LostLease:
        raise
    except Exception as error:
        log.exception("Part %s of plan %s failed", part.key, part.plan_id)
        fields = {"failure": repr(error)}
    return {**fields, "seconds": time.process_time() - started}


def _tell(plan: Plan, listener: Listener | None, news: Progress) -> None:
    lifecycle.renew(plan, news.stage, news.fraction)
    if listener:
        listener(news)


def _follow_ups(plan: Plan) -> list[tuple[str, FollowUp]]:
    return [(found.name, work) for found in sectors() for work in found.follow_ups(plan)]


def _fields(answer: Answer, plan: Plan, inputs: snapshot.Inputs, inputs_seconds: float) -> dict[str, Any]:
    facts = explain(inputs.network, inputs.horizon, answer)
    return {
        "result": plan.result,
        "facts": [asdict(fact) for fact in facts],
        "status": answer.status.value,
        "objective": answer.objective,
        "cost": answer.cost,
        "broken_limits": list(answer.broken_limits),
        "seconds": {"inputs": inputs_seconds, **answer.seconds},
    }


def _why_not(answer: Answer) -> str:
    if answer.broken_limits:
        return gettext_noop("The answer did not pass verification:") + "\n" + "\n".join(answer.broken_limits)
    return answer.why
