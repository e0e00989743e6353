from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cities.models import City
from config.citypack.pack import folder_of, read_pack
from config.citypack.problems import InvalidPack
from config.citypack.rows import Written, write_pack
from forecasting.synthetic import demo_history


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Checks a city pack whole, then writes it in one transaction. Loading it again changes nothing."
        )
        parser.add_argument("city", metavar="NAME|PATH", help=_("a pack of config/cities/, or a folder"))
        parser.add_argument(
            "--demo-history",
            action="store_true",
            help=_("also invent 60 days of SYNTHETIC measurements up to now, to try the product without feeds"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            city, written = write_pack(read_pack(folder_of(options["city"])))
        except InvalidPack as invalid:
            lines = [*map(str, invalid.problems), _("%(errors)s; nothing was written") % {"errors": invalid}]
            raise CommandError("\n".join(lines), returncode=2) from None
        self.stdout.write(f"{city.label} ({city.key})")
        self._report(written)
        if options["demo_history"]:
            self._invent(city)

    def _report(self, written: Sequence[Written]) -> None:
        if all(section.is_quiet for section in written):
            self.stdout.write("  " + _("nothing changed"))
            return
        for section in written:
            if section.new or section.changed or section.same or section.removed:
                self.stdout.write(f"  {section.section:20} {_counted(section)}")

    def _invent(self, city: City) -> None:
        counts = demo_history(city, timezone.now())
        if not city.settings.get("demo_history"):
            city.settings["demo_history"] = True
            city.save(update_fields=["settings"])
        told = _(
            "SYNTHETIC history: %(count)d invented measurements added up to now. They are no observations; every plan "
            "and forecast that rests on them says so."
        )
        self.stdout.write("  " + told % {"count": counts.new})


_COUNTED = {
    "new": gettext_noop("%(count)d new"),
    "changed": gettext_noop("%(count)d changed"),
    "same": gettext_noop("%(count)d unchanged"),
    "removed": gettext_noop("%(count)d removed"),
}


def _counted(section: Written) -> str:
    counts = {word: getattr(section, word) for word in _COUNTED}
    return _(", ").join(_(_COUNTED[word]) % {"count": count} for word, count in counts.items() if count)
