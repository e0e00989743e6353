from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from cities.lookup import city_named
from cities.models import City
from config.citypack.rows import export_pack


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _("Writes a city back as a pack, into a new or empty folder.")
        parser.add_argument("city", metavar="CITY", help=_("key of the city"))
        parser.add_argument("folder", metavar="DIR", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        for path in _exported(city_named(options["city"]), options["folder"]):
            self.stdout.write(str(path))


def _exported(city: City, folder: Path) -> list[Path]:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            wrong = _("%(folder)s is not an empty folder; expected a new or empty one") % {"folder": folder}
            raise CommandError(wrong, returncode=2)
        return export_pack(city, folder)
    except OSError as error:
        raise CommandError(f"{error.filename or folder}: {error.strerror}", returncode=2) from None
