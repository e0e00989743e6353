"""`manage.py backtest CITY --from ISO --to ISO`: what would have been expected then, and how good it was."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from cities.lookup import city_named
from cities.output import check_target, write_whole
from forecasting.models import Series
from forecasting.replay import Result, replay

BAD_INPUT = 2


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Replays a period with what was known then, and scores it (docs/scores.md). Stores nothing."
        )
        parser.add_argument("city", help=_("key of the city"))
        parser.add_argument("--series", action="append", metavar="KEY", help=_("repeat for several; default all"))
        parser.add_argument("--from", dest="begin", type=_moment, required=True, metavar="ISO", help=_("first origin"))
        parser.add_argument(
            "--to", dest="end", type=_moment, required=True, metavar="ISO", help=_("no origin from here on")
        )
        parser.add_argument(
            "--every", type=_hours, default=24.0, metavar="HOURS", help=_("between origins; default 24")
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help=_("the same figures for programs"))

    def handle(self, *args: Any, **options: Any) -> None:
        series = _series(options["city"], options["series"])
        begin, end = options["begin"], min(options["end"], timezone.now())
        if not begin < end:
            raise CommandError(_("--from must lie before --to and before now."), returncode=BAD_INPUT)
        target = options["json"]
        if target:
            check_target(target)
        results = replay(series, begin, end, timedelta(hours=options["every"]), timezone.now())
        if not results:
            raise CommandError(_("Nothing was known then, or nothing was measured afterwards."), returncode=BAD_INPUT)
        self._print(results)
        if target:
            write_whole(target, [_as_json(results, options["city"], begin, end, options["every"])])

    def _print(self, results: Sequence[Result]) -> None:
        width = max(len(result.series.key) for result in results)
        heads = ("lead", "origins", "steps", "MAE", "naive", "skill", "in 50 %", "in 90 %", "bias", "unit")
        self.stdout.write("  ".join([" " * width, *(f"{_(head):>9}" for head in heads)]))
        for result in results:
            cells = [
                result.lead.value,
                str(result.origins),
                str(result.tally.count),
                *_cells(result),
                result.series.unit_label,
            ]
            mark = f"  {_('synthetic')}" if result.synthetic else ""
            self.stdout.write("  ".join([f"{result.series.key:<{width}}", *(f"{cell:>9}" for cell in cells)]) + mark)


def _cells(result: Result) -> list[str]:
    tally = result.tally
    amounts = [f"{value:.4g}" if value is not None else "-" for value in (tally.mae, tally.naive_mae)]
    shares = [
        f"{100 * value:.0f} %" if value is not None else "-"
        for value in (tally.skill, tally.covered_50, tally.covered_90)
    ]
    return [*amounts, *shares, f"{tally.bias:+.3g}" if tally.bias is not None else "-"]


def _as_json(results: Sequence[Result], city: str, begin: datetime, end: datetime, every: float) -> str:
    rows = [
        {
            "series": result.series.key,
            "unit": result.series.unit,
            "lead": result.lead.value,
            "origins": result.origins,
            "synthetic": result.synthetic,
            **result.tally.figures(),
            "skill": result.tally.skill,
        }
        for result in results
    ]
    head = {"city": city, "from": begin.isoformat(), "to": end.isoformat(), "every_hours": every}
    return json.dumps({**head, "scores": rows}, indent=1) + "\n"


def _series(city_key: str, keys: list[str] | None) -> list[Series]:
    city = city_named(city_key)
    found = {row.key: row for row in Series.objects.filter(city=city).select_related("city").order_by("key")}
    unknown = [key for key in keys or () if key not in found]
    if unknown:
        raise CommandError(
            _("No series %(unknown)s; there are: %(known)s")
            % {"unknown": ", ".join(unknown), "known": ", ".join(found) or "-"},
            returncode=BAD_INPUT,
        )
    return [found[key] for key in dict.fromkeys(keys)] if keys else list(found.values())


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ArgumentTypeError(
            _("%(text)s is not an ISO time with an offset, such as 2026-05-01T00:00+08:00") % {"text": text}
        )
    return moment


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0.25 <= hours <= 24 * 366:
        raise ArgumentTypeError(_("%(text)s is not a number of hours from 0.25 on") % {"text": text})
    return hours
