"""Forecasts the series of a CSV file without any database: the forecasting kernel from the command line."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cities.output import check_target, write_whole
from forecasting.kernel.forecast import Calendar, Forecast, Refusal
from forecasting.kernel.table import Listed, answered, listed, problems_of, rows_of
from forecasting.words import method_text, rule_label, said

UNREADABLE = 2
"""Exit code when nothing could be forecast; a few refused series are told on standard error and are no failure."""
QUANTILES = (0.05, 0.5, 0.95)
EXAMPLES = 5
"""Problems shown of one series; the rest is counted."""


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they would ask for what this command does without

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _("Forecasts every series of a CSV file (docs/forecasting.md) without any database.")
        parser.add_argument("file", metavar="IN.csv", help=_("columns series,time,value[,any regressors]"))
        parser.add_argument("--horizon", type=_steps, required=True, metavar="N", help=_("steps to forecast"))
        parser.add_argument(
            "--quantiles", type=_quantiles, default=QUANTILES, metavar="Q,Q", help=_("default 0.05,0.5,0.95")
        )
        parser.add_argument("--out", required=True, metavar="OUT.csv", help="series,time,mean,q0.05,…")
        parser.add_argument("--zone", type=_zone, default="UTC", help=_("local time of days and weeks; default UTC"))
        parser.add_argument("--country", help=_("code such as TW, for its public holidays"))

    def handle(self, *args: Any, **options: Any) -> None:
        target = Path(options["out"])
        check_target(target)
        calendar = _calendar(options["zone"], options["country"])
        found = listed(_read(Path(options["file"])), options["zone"])
        answers = answered(found, options["horizon"], options["quantiles"], calendar)
        refused = {name: answer.reason for name, answer in answers.items() if isinstance(answer, Refusal)}
        forecasts = {name: answer for name, answer in answers.items() if isinstance(answer, Forecast)}
        for name, reason in refused.items():
            self.stderr.write("\n".join(_refusal(name, reason)))
        if not forecasts:
            raise CommandError(_("No series could be forecast."), returncode=UNREADABLE)
        write_whole(target, _lines(found, forecasts, options["quantiles"], options["zone"]))
        self._report(forecasts)

    def _report(self, forecasts: Mapping[str, Forecast]) -> None:
        for name, forecast in forecasts.items():
            self.stdout.write(f"{name}: {method_text(forecast.weights, forecast.method)}")
            for note in forecast.notes:
                self.stdout.write(f"  {rule_label(note.rule)}: {note.count} × {said(note.did)} ({note.first})")
        count = len(forecasts)
        self.stdout.write(
            ngettext("%(count)d series forecast.", "%(count)d series forecast.", count) % {"count": count}
        )


def _refusal(name: str, reason: str) -> list[str]:
    """A line for the series, and where several cells are bad one for each, but not for thousands of them."""
    problems = [said(problem) for problem in reason.splitlines()]
    if len(problems) == 1:
        return [_("%(series)s: refused: %(reason)s") % {"series": name, "reason": problems[0]}]
    count = ngettext("%(count)d problem", "%(count)d problems", len(problems)) % {"count": len(problems)}
    head = _("%(series)s: refused: %(reason)s") % {"series": name, "reason": count}
    return [head, *(f"  {problem}" for problem in _capped(problems))]


def _capped(problems: list[str]) -> list[str]:
    more = len(problems) - EXAMPLES
    return [*problems[:EXAMPLES], _("and %(more)d more") % {"more": more}] if more > 0 else problems


def _steps(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(_("%(text)s is not a whole number above 0") % {"text": text})
    return int(text)


def _quantiles(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        levels = ()
    if not levels or not all(0 < level < 1 for level in levels):
        raise ArgumentTypeError(_("%(text)s is not a list of numbers between 0 and 1") % {"text": text})
    return levels


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ArgumentTypeError(_("%(text)s is not a time zone such as Asia/Taipei") % {"text": text})
    return text


def _calendar(zone: str, country: str | None) -> Calendar:
    calendar = Calendar(ZoneInfo(zone), country)
    try:
        calendar.is_off(pd.Timestamp(2026, 1, 1).date())
    except NotImplementedError:
        raise CommandError(
            _("%(code)s is not a country code with known holidays") % {"code": country}, returncode=UNREADABLE
        ) from None
    return calendar


def _read(path: Path) -> pd.DataFrame:
    """All cells as text, the line in the file as index. Every line that does not fit the header is told."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        why = _("byte %(at)d: expected text in UTF-8") % {"at": error.start}
        raise CommandError(f"{path}: {why}", returncode=UNREADABLE) from None
    except (OSError, csv.Error) as error:
        raise CommandError(f"{path}: {getattr(error, 'strerror', error)}", returncode=UNREADABLE) from None
    problems = [said(problem) for problem in problems_of(header)]
    problems += _capped(
        [
            _("line %(line)d has %(found)d cells, expected %(expected)d")
            % {"line": line, "found": len(row), "expected": len(header)}
            for line, row in rows
            if len(row) != len(header)
        ]
    )
    if not rows:
        problems.append(_("there is no row"))
    if problems:
        raise CommandError("\n".join(f"{path}: {problem}" for problem in problems), returncode=UNREADABLE)
    cells = [[cell.strip() for cell in row] for _line, row in rows]
    return pd.DataFrame(cells, index=[line for line, _row in rows], columns=header, dtype=str)


def _lines(
    found: Mapping[str, Listed | Refusal], forecasts: Mapping[str, Forecast], quantiles: Sequence[float], zone: str
) -> Iterator[str]:
    yield _csv_line(["series", "time", "mean", *(f"q{level:g}" for level in quantiles)])
    for name, forecast in forecasts.items():
        one = found[name]
        naive = isinstance(one, Listed) and one.naive
        yield from map(_csv_line, rows_of(name, forecast, zone if naive else None))


def _csv_line(cells: Sequence[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
