"""Writes a plan's case as a tree over the futures of its rivers, for `solve`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from cities.lookup import city_named
from cities.output import check_target, write_whole
from planning.models import Plan
from water.trees import river_paths, tree_case

PATHS = 60
A_DAY_THEN_THREE = [(96, 3)]


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Writes the case of a city's latest plan as a tree over what its rivers may bring, for `solve`."
        )
        parser.add_argument("city", metavar="CITY")
        parser.add_argument("--out", metavar="FILE", required=True, help=_("case file to write, JSON"))
        parser.add_argument(
            "--branch",
            metavar="STEP:CHILDREN",
            type=_branch,
            action="append",
            help=_("before that step every future splits into so many; default 96:3, three after the first day"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target = Path(options["out"])
        check_target(target)
        city = city_named(options["city"])
        plans = Plan.objects.filter(city=city, snapshot__isnull=False).select_related("city")
        plan = plans.order_by("-pk").first()
        if plan is None:
            raise CommandError(_("%(city)s has no plan yet.") % {"city": city.label}, returncode=2)
        try:
            case = tree_case(plan.snapshot, river_paths(plan, PATHS), options["branch"] or A_DAY_THEN_THREE)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        write_whole(target, [json.dumps(case)])
        steps = len(case["horizon"]["steps"])
        self.stdout.write(_("%(steps)d steps written to %(file)s.") % {"steps": steps, "file": target})


def _branch(text: str) -> tuple[int, int]:
    step, _colon, children = text.partition(":")
    if not (step.isdecimal() and children.isdecimal() and int(children) > 0):
        raise ArgumentTypeError(_("%(given)r, expected STEP:CHILDREN such as 96:3") % {"given": text})
    return int(step), int(children)
