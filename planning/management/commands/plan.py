"""One plan, synchronously, through the same code as the worker."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cities.models import City
from planning import lifecycle
from planning.kernel.outcome import Progress as News
from planning.models import Plan
from planning.printout import print_plan
from planning.run import run_here
from planning.summary import failure


class Command(BaseCommand):
    help = "Forecasts, solves, verifies and publishes the coming week of a city, and prints the plan."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("city", help="key of a loaded city, such as kaohsiung")
        parser.add_argument("--start", help="ISO 8601 time with offset; default: the next full quarter hour")
        parser.add_argument("--json", metavar="FILE", help='also write the answer as JSON ("-" for standard output)')
        parser.add_argument("--propose-only", action="store_true", help="leave the plan for an engineer to approve")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = lifecycle.request(
            _city(options["city"]),
            start=_start(options["start"]),
            reason=_("from the command line"),
            publish=not options["propose_only"],
        )
        _run(plan)
        if plan.state == Plan.State.REQUESTED:
            # Nobody may be there to take it up later, and then it would come as a surprise.
            lifecycle.fail(plan, _("The city was busy with another plan."))
            raise CommandError(_("The city is busy with another plan; try again in a minute."), returncode=3)
        if plan.state == Plan.State.FAILED:
            raise CommandError(_("No plan: %(why)s") % {"why": failure(plan)}, returncode=3)
        if plan.state == Plan.State.PROPOSED and plan.publish_when_ready:
            raise CommandError(
                _("The plan is solved but was not published: %(why)s") % {"why": _last_word(plan)}, returncode=3
            )
        if options["json"] == "-":
            self.stdout.write(json.dumps(plan.result))
            return
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(plan.result), encoding="utf-8")
        print_plan(plan)


def _last_word(plan: Plan) -> str:
    event = plan.events.last()
    return event.note if event else ""


def _city(key: str) -> City:
    try:
        return City.objects.get(key=key)
    except City.DoesNotExist:
        known = ", ".join(City.objects.values_list("key", flat=True)) or _("none")
        raise CommandError(
            _("There is no city %(key)r; loaded are: %(known)s.") % {"key": key, "known": known}, returncode=2
        ) from None


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
    return start


def _run(plan: Plan) -> None:
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, transient=False) as bars:
        task = bars.add_task(_("inputs and forecasts"), total=1.0)

        def show(news: News) -> None:
            bars.update(task, completed=news.fraction, description=_stage(news.stage))

        lifecycle.reap()  # without a beat, nobody else takes back what a killed command left behind
        try:
            run_here(plan, show)
        except KeyboardInterrupt:
            raise CommandError(_("Interrupted; the plan in force stays in force."), returncode=130) from None
        bars.update(task, completed=1.0, description=_("done"))
    plan.refresh_from_db()


def _stage(stage: str) -> str:
    names = {
        "inputs": _("inputs and forecasts"),
        "build": _("building the model"),
        "compile": _("compiling the model"),
        "cost": _("least cost"),
        "prices": _("prices"),
        "verify": _("verifying"),
    }
    return names.get(stage) or _("wishes of %(stage)s") % {"stage": stage}
