from __future__ import annotations

import logging
from datetime import datetime, timedelta

from celery import shared_task
from django.utils import timezone

from cities.models import City

from .models import Forecast, Series
from .readers import current_forecasts
from .synthetic import demo_history

log = logging.getLogger(__name__)

AHEAD = timedelta(days=7, hours=1)
"""A week from the latest start that a plan asked for within the hour can have."""


@shared_task(name="forecasting.tasks.refresh")
def refresh() -> None:
    """The hourly tick: demo feeds go on, and every series gets its forecast before a plan asks for it."""
    now = timezone.now()
    for city in City.objects.all():
        try:
            refresh_city(city, now)
        except Exception:
            # One city's bad data must not cost the others their forecasts.
            log.exception("Forecasts of %s could not be made.", city.key)


def refresh_city(city: City, now: datetime) -> dict[int, Forecast]:
    """Extends a synthetic city's history to `now` and makes the coming week's forecasts, by series id."""
    if city.settings.get("demo_history"):
        demo_history(city, now)
    series = list(Series.objects.filter(city=city).select_related("city"))
    return current_forecasts(series, now, now + AHEAD, now)
