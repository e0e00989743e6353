"""A worker's way through one plan: claim, inputs, solve in a child thread, verify, follow-up work.

The solver runs in a thread of its own because HiGHS does not return to Python: in the main thread neither a soft time
limit nor a cancel would ever be noticed, and the best plan found so far would be lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from . import lifecycle, snapshot
from .kernel.explain import explain
from .kernel.outcome import Answer, Progress, Status
from .kernel.problems import InvalidInput
from .kernel.solve import solve
from .models import Plan, PlanPart
from .sectors import FollowUp, InputsMissing, sector, sectors

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
POLL_SECONDS = 0.2
Listener = Callable[[Progress], None]


def run(plan_id: int, listener: Listener | None = None) -> Plan | None:
    """Solves a waiting plan up to its follow-up work. None where there is nothing to claim."""
    plan = lifecycle.claim(plan_id)
    if plan is None:
        return None
    try:
        _solve(plan, listener)
    except lifecycle.LostLease:
        log.warning("Plan %s was taken over by another worker; this one stops.", plan.pk)
    except (InvalidInput, InputsMissing) as error:
        lifecycle.fail(plan, _("The inputs are not valid:") + f"\n{error}")
    except KeyboardInterrupt:
        lifecycle.fail(plan, _("Interrupted by hand."))
        raise
    except Exception as error:
        # A bug, not a refusal: the plan must not stay "solving" for ever, and the trace must reach the log.
        lifecycle.fail(plan, _("An unexpected error stopped the solve: %(error)s") % {"error": repr(error)})
        raise
    return plan


def run_part(part_id: int) -> None:
    """Does one piece of follow-up work, and proposes the plan if it was the last."""
    part = lifecycle.claim_part(part_id)
    if part is None:
        return
    started = time.process_time()
    try:
        done = sector(part.sector).run(part.input)
        fields = {"result": done.result, "broken_limits": list(done.broken_limits)}
    except Exception as error:
        log.exception("Part %s of plan %s failed", part.key, part.plan_id)
        fields = {"failure": repr(error)}
    try:
        lifecycle.part_done(part, seconds=time.process_time() - started, **fields)
    except lifecycle.LostLease:
        log.warning("Part %s was taken over by another worker.", part.pk)
        return
    lifecycle.join(part.plan_id)


def run_here(plan: Plan, listener: Listener | None = None) -> Plan:
    """The whole way in this process, for the command line and tests: the same code, without a queue."""
    run(plan.pk, listener)
    for part in PlanPart.objects.filter(plan=plan, state=PlanPart.State.REQUESTED).order_by("sector", "key"):
        run_part(part.pk)
    return lifecycle.join(plan.pk)


def _solve(plan: Plan, listener: Listener | None) -> None:
    started = time.process_time()
    _tell(plan, listener, Progress("inputs", 0.0))
    # A plan of a past week is a replay: it may know only what had been recorded when that week began.
    inputs = snapshot.take(plan, min(timezone.now(), plan.start))
    lifecycle.keep_inputs(plan, snapshot=inputs.snapshot, snapshot_sha256=inputs.sha256, synthetic=inputs.synthetic)
    inputs_seconds = time.process_time() - started
    answer = _Solve(plan, inputs, listener).wait()
    if Plan.objects.values_list("cancel_requested", flat=True).get(pk=plan.pk):
        lifecycle.fail(plan, _("Cancelled while it was being solved."))
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
        self.answer: Answer | None = None
        self.error: Exception | None = None

    def wait(self) -> Answer:
        """Raises what the solve raised, and LostLease when another worker took over."""
        thread = threading.Thread(target=self._work, name=f"plan-{self.plan.pk}", daemon=True)
        thread.start()
        try:
            self._watch(thread)
        except SoftTimeLimitExceeded:
            log.warning("Plan %s met the soft time limit; the best plan found so far is used.", self.plan.pk)
        finally:
            self.cancelled.set()
            thread.join()
        if self.error:
            raise self.error
        assert self.answer is not None
        return self.answer

    def _work(self) -> None:
        try:
            self.answer = solve(
                self.inputs.network,
                self.inputs.horizon,
                time_limit=settings.HEADGATE_SOLVE_SECONDS,
                progress=self._hear,
                cancelled=self.cancelled,
            )
        except Exception as error:
            self.error = error

    def _hear(self, news: Progress) -> None:
        self.news = news

    def _watch(self, thread: threading.Thread) -> None:
        renewed = 0.0
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            if self.listener:
                self.listener(self.news)
            if time.monotonic() - renewed > RENEW_SECONDS:
                renewed = time.monotonic()
                if not lifecycle.renew(self.plan, self.news.stage, self.news.fraction):
                    self.cancelled.set()


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
        return _("The answer did not pass verification:") + "\n" + "\n".join(answer.broken_limits)
    return answer.why
