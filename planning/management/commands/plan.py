"""One plan, synchronously, through the same code as the worker."""

from __future__ import annotations

import json
import logging
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cities.lookup import city_named
from cities.models import City
from cities.output import check_target, write_whole
from planning import lifecycle
from planning.horizons import is_replay, start_problem
from planning.interrupts import interruptible
from planning.kernel.outcome import Progress as News
from planning.models import Plan
from planning.printout import print_plan
from planning.run import POLL_SECONDS, run_here, run_waiting_parts
from planning.summary import failure
from planning.words import retold, stage_words

NO_PLAN, INTERRUPTED = 3, 130
"""Exit codes of a city without a new plan in force, and of Ctrl-C."""


class Command(BaseCommand):
    plan: Plan | None = None
    """The plan that this process is making."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Forecasts, solves, verifies and publishes the coming week of a city, and prints the plan."
        )
        parser.add_argument("city", help=_("key of a loaded city, such as kaohsiung"))
        start = _(
            "ISO 8601 time with offset; default: the next full quarter hour; more than an hour ago: a replay with what "
            "was known then, never published"
        )
        parser.add_argument("--start", help=start)
        parser.add_argument("--json", metavar="FILE", help=_('also write the answer as JSON ("-" for standard output)'))
        parser.add_argument("--propose-only", action="store_true", help=_("leave the plan for an engineer to approve"))

    def handle(self, *args: Any, **options: Any) -> None:
        city, start = city_named(options["city"]), _start(options["start"])
        target = None if options["json"] in (None, "-") else Path(options["json"])
        if target:
            check_target(target)
        replay = start is not None and is_replay(start, timezone.now())
        if replay:
            self.stderr.write(_("It starts more than an hour ago: this is a replay, and is not published."))
        with _quiet(lifecycle.log), interruptible():
            try:
                plan = self._made(city, start, publish=not (options["propose_only"] or replay))
                self._tell(plan, options["json"])
            except KeyboardInterrupt as interrupt:
                code = getattr(interrupt, "returncode", INTERRUPTED)
                raise CommandError(_interrupted(self.plan), returncode=code) from None

    def _tell(self, plan: Plan, target: str | None) -> None:
        if target == "-":
            self.stdout.write(json.dumps(plan.result))
            return
        if target:
            write_whole(Path(target), [json.dumps(plan.result)])
        print_plan(plan)

    def _made(self, city: City, start: datetime | None, publish: bool) -> Plan:
        """The plan as it ended well. Raises CommandError with what stopped it."""
        plan = self.plan = self._begun(city, start, publish)
        _run(plan)
        if plan.state == Plan.State.FAILED:
            raise CommandError(_("No plan: %(why)s") % {"why": failure(plan)}, returncode=NO_PLAN)
        if plan.state == Plan.State.SOLVING:
            raise CommandError(_("No plan: the database was out of reach for too long."), returncode=NO_PLAN)
        if plan.state == Plan.State.PROPOSED and plan.publish_when_ready:
            why = {"why": _last_word(plan)}
            raise CommandError(_("The plan is solved but was not published: %(why)s") % why, returncode=NO_PLAN)
        return plan

    def _begun(self, city: City, start: datetime | None, publish: bool) -> Plan:
        """A plan in our hands. A busy city is waited for, but not for longer than any plan takes."""
        until = time.monotonic() + settings.CELERY_TASK_TIME_LIMIT + lifecycle.LEASE.total_seconds()
        told: Plan | None = None
        while True:
            # Without a beat, nobody else takes back what a killed command or worker left behind.
            lifecycle.reap()
            lifecycle.expire()
            try:
                return lifecycle.begin(city, start=start, reason=gettext_noop("from the command line"), publish=publish)
            except lifecycle.Busy as busy:
                if busy.plan and not busy.plan.foreground and run_waiting_parts(busy.plan):
                    continue
                why, holder = str(busy), busy.plan
            if time.monotonic() > until:
                raise CommandError(why, returncode=NO_PLAN)
            if holder and holder != told:
                told = holder
                self.stderr.write(why + " " + _("Waiting for it; Ctrl-C gives up."))
            time.sleep(POLL_SECONDS)


@contextmanager
def _quiet(log: logging.Logger) -> Iterator[None]:
    """What a worker logs of a plan's life, the terminal shows as it goes."""
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _interrupted(plan: Plan | None) -> str:
    if plan:
        plan.refresh_from_db()
    if plan is None:
        return _("Interrupted before a plan was begun; nothing has changed.")
    if plan.state == Plan.State.FAILED:
        return _("Interrupted; %(plan)s is cancelled, and nothing else has changed.") % {"plan": plan}
    return _("Interrupted; %(plan)s is left as it was: %(state)s.") % {"plan": plan, "state": plan.get_state_display()}


def _last_word(plan: Plan) -> str:
    event = plan.events.last()
    return retold(event.note) if event else ""


def _start(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        start = parse_datetime(text)
    except ValueError:
        start = None
    if start is None or timezone.is_naive(start):
        raise CommandError(
            _("--start is %(text)r; expected an ISO 8601 time with offset, such as 2026-11-21T00:00:00+08:00.")
            % {"text": text},
            returncode=2,
        )
    problem = start_problem(start, timezone.now())
    if problem:
        raise CommandError(_("--start is %(text)s: %(problem)s.") % {"text": text, "problem": problem}, returncode=2)
    return start


def _run(plan: Plan) -> None:
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(_("inputs and forecasts"), total=1.0)

        def show(news: News) -> None:
            bars.update(task, completed=news.fraction, description=stage_words(news.stage))

        run_here(plan, show)
        bars.update(task, completed=1.0, description=_("done"))
    plan.refresh_from_db()
