"""`manage.py loadhistory CITY FILE.csv [--strict]`: measurements from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from cities.lookup import city_named
from cities.models import City
from forecasting.ingest import Counts, InvalidFile, ingest, read_csv


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Loads measurements: columns series,time,value[,recorded_at], times in ISO 8601 with an offset."
        )
        parser.add_argument("city", help=_("key of the city"))
        parser.add_argument("file", type=Path)
        parser.add_argument("--strict", action="store_true", help=_("write nothing when a row is refused (exit 2)"))

    def handle(self, *args: Any, city: str, file: Path, strict: bool, **options: Any) -> None:
        counts = _load(city_named(city), file, strict)
        self.stdout.write(
            _("%(new)d new, %(revised)d revised, %(unchanged)d unchanged, %(refused)d refused")
            % {"new": counts.new, "revised": counts.revised, "unchanged": counts.unchanged, "refused": counts.refusals}
        )
        for line in _refusals(counts):
            self.stderr.write(line)
        if strict and counts.refused:
            raise CommandError(_("Nothing was written, because --strict was given."), returncode=2)


def _load(city: City, file: Path, strict: bool) -> Counts:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return ingest(city, read_csv(stream), strict=strict)
    except (OSError, InvalidFile) as error:
        raise CommandError(f"{file}: {getattr(error, 'strerror', error)}", returncode=2) from None


def _refusals(counts: Counts) -> list[str]:
    """One line per reason with its count, and its first examples below."""
    lines = []
    for reason, count in counts.refused.items():
        lines.append(_("refused, %(reason)s: %(count)d") % {"reason": _(reason), "count": count})
        examples = [problem for problem in counts.problems if problem.reason == reason]
        lines += [f"  {problem}" for problem in examples]
        if count > len(examples):
            lines.append(_("  and %(more)d more") % {"more": count - len(examples)})
    return lines
