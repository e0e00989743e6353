"""The queue's doors: an id in, the row's work done. Names are called from `planning.outbox` and the beat schedule."""

from __future__ import annotations

from celery import shared_task

from . import lifecycle, outbox
from .run import run, run_part


@shared_task
def solve_plan(plan_id: int) -> None:
    plan = run(plan_id)
    if plan:
        outbox.send_parts(plan)


@shared_task
def solve_part(part_id: int) -> None:
    run_part(part_id)


@shared_task
def dispatch() -> None:
    outbox.dispatch()


@shared_task
def reap() -> None:
    lifecycle.reap()


@shared_task
def expire() -> None:
    lifecycle.expire()


@shared_task
def propose_regularly() -> None:
    for plan in lifecycle.request_due():
        outbox.send_plan(plan)
