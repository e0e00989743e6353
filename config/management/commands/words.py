"""`manage.py words`: compiles the catalogs; `--check` lists what is not translated yet."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config import words


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _(
            "Compiles the catalogs of every room; --check fails when a text has no Traditional Chinese."
        )
        parser.add_argument("--check", action="store_true", help=_("list texts without a translation, exit 1 if any"))

    def handle(self, *args: Any, **options: Any) -> None:
        root = settings.BASE_DIR
        if not options["check"]:
            words.compile_all(root)
            return
        missing = words.untranslated(root)
        for word in missing:
            self.stdout.write(f"{word.file.relative_to(root)}:{word.line}: {word.text!r}")
        if missing:
            raise CommandError(_("Texts without Traditional Chinese: %(count)d") % {"count": len(missing)})
