from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from cities.models import City

from .alerts import watch_city
from .models import Forecast, Series
from .pruning import prune_city
from .readers import current_forecasts
from .scoring import score_city
from .synthetic import demo_history

log = logging.getLogger(__name__)

AHEAD = timedelta(days=7, hours=1)
"""A week from the latest start that a plan asked for within the hour can have."""


@shared_task(name="forecasting.tasks.refresh")
def refresh() -> None:
    """The hourly tick: demo feeds go on, and every series gets its forecast before a plan asks for it."""
    _in_every_city(refresh_city, "Forecasts of %s could not be made.")


@shared_task(name="forecasting.tasks.score")
def score() -> None:
    """The hourly look back, after refresh: forecasts whose truth has come are judged, and alerts raised and cleared."""
    _in_every_city(score_city, "Forecasts of %s could not be scored.")
    _in_every_city(watch_city, "The series of %s could not be watched.")


@shared_task(name="forecasting.tasks.prune")
def prune() -> None:
    """The daily tidying: old forecasts go, but one a day."""
    days = settings.HEADGATE_FORECAST_DAYS
    _in_every_city(lambda city, now: prune_city(city, now, days), "Old forecasts of %s could not be deleted.")


def _in_every_city(act: Callable[[City, datetime], object], complaint: str) -> None:
    now = timezone.now()
    for city in City.objects.all():
        try:
            act(city, now)
        except Exception:
            # One city's bad data must not cost the others their forecasts.
            log.exception(complaint, city.key)


def refresh_city(city: City, now: datetime) -> dict[int, Forecast]:
    """Extends a synthetic city's history to `now` and makes the coming week's forecasts, by series id."""
    if city.settings.get("demo_history"):
        demo_history(city, now)
    series = list(Series.objects.filter(city=city).select_related("city"))
    return current_forecasts(series, now, now + AHEAD, now)
