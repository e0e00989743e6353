"""Old forecasts go, but one a day stays: how good forecasts were remains known when their numbers are not needed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber, TruncDate

from cities.models import City

from .models import Forecast, Score

BATCH = 1000
"""Forecasts per transaction: writers wait no longer than for so many."""


def prune_city(city: City, now: datetime, days: int) -> int:
    """Deletes forecasts made more than `days` ago with their scores; returns how many.

    The first one of each series and local day stays. Plans hold the numbers they were solved with and need none.
    """
    order = Window(
        RowNumber(), partition_by=[F("series_id"), TruncDate("known_at", tzinfo=city.zone)], order_by=["known_at", "pk"]
    )
    old = Forecast.objects.filter(series__city=city, known_at__lt=now - timedelta(days=days))
    doomed = list(old.annotate(rank=order).filter(rank__gt=1).values_list("pk", flat=True))
    for begin in range(0, len(doomed), BATCH):
        batch = doomed[begin : begin + BATCH]
        with transaction.atomic():
            Score.objects.filter(forecast__in=batch).delete()
            # Without their numbers: Django reads what it deletes.
            Forecast.objects.filter(pk__in=batch).only("pk").delete()
    return len(doomed)
