from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cities.models import City
from config.citypack.pack import folder_of, read_pack
from config.citypack.problems import InvalidPack
from config.citypack.rows import Written, write_pack
from forecasting.synthetic import demo_history


class Command(BaseCommand):
    help = "Checks a city pack whole, then writes it in one transaction. Loading it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("city", metavar="NAME|PATH", help="a pack of config/cities/, or a folder")
        parser.add_argument(
            "--demo-history",
            action="store_true",
            help="also invent 60 days of SYNTHETIC measurements up to now, to try the product without feeds",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            city, written = write_pack(read_pack(folder_of(options["city"])))
        except InvalidPack as invalid:
            lines = [str(problem) for problem in invalid.problems]
            raise CommandError("\n".join([*lines, f"{invalid}; nothing was written"]), returncode=2) from None
        self.stdout.write(f"{city.name} ({city.key})")
        self._report(written)
        if options["demo_history"]:
            self._invent(city)

    def _report(self, written: Sequence[Written]) -> None:
        if all(section.is_quiet for section in written):
            self.stdout.write("  nothing changed")
            return
        for section in written:
            if section.new or section.changed or section.same or section.removed:
                counts = ((section.new, "new"), (section.changed, "changed"), (section.same, "unchanged"))
                said = [f"{count} {word}" for count, word in (*counts, (section.removed, "removed")) if count]
                self.stdout.write(f"  {section.section:20} {', '.join(said)}")

    def _invent(self, city: City) -> None:
        counts = demo_history(city, timezone.now())
        if not city.settings.get("demo_history"):
            city.settings["demo_history"] = True
            city.save(update_fields=["settings"])
        self.stdout.write(
            f"  SYNTHETIC history: {counts.new} invented measurements added up to now. They are no observations; "
            "every plan and forecast that rests on them says so."
        )
