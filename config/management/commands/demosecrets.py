"""`manage.py demosecrets`: writes var/demo.env with fresh secrets unless it exists."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo import write_secrets


class Command(BaseCommand):
    help = "Writes the demo's secrets (var/demo.env, readable by you alone) unless they exist."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("HEADGATE_PRODUCTION is set: production takes its secrets from the environment.")
        if write_secrets(settings.DEMO_ENV):
            self.stdout.write(f"Wrote the demo's secrets to {settings.DEMO_ENV}.")
