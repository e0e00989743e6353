"""Wiring as an app: it brings the commands that span rooms and the Celery application."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"

    def ready(self) -> None:
        # Without this, a web process would send tasks through Celery's default app, to a broker nobody reads.
        from config import celery  # noqa: F401
