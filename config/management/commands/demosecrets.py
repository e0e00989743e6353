"""`manage.py demosecrets`: writes var/demo.env with fresh secrets unless it exists."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.demo import write_secrets


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Writes the demo's secrets (var/demo.env, readable by you alone) unless they exist.")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(_("HEADGATE_PRODUCTION is set: production takes its secrets from the environment."))
        try:
            is_new = write_secrets(settings.DEMO_ENV)
        except OSError as error:
            raise CommandError(
                f"{settings.DEMO_ENV}: {error.strerror}; " + _("see HEADGATE_VAR"), returncode=2
            ) from None
        if is_new:
            self.stdout.write(_("Wrote the demo's secrets to %(file)s.") % {"file": settings.DEMO_ENV})
