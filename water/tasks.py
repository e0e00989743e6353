"""The queue's doors of the water room. Names are called from the beat schedule."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from cities.models import City

from . import fields, watch
from .pruning import prune_messages

log = logging.getLogger(__name__)


@shared_task
def balance() -> None:
    """Stores how the fields stood at the end of the days that are over; a city's trouble does not stop the others."""
    for city in City.objects.all():
        try:
            fields.keep(city, timezone.now())
        except Exception:
            log.exception("The fields of %s could not be balanced", city.key)


@shared_task
def watch_controllers() -> None:
    """The minutely look after the devices: alarms that begin or end are logged."""
    watch.watch(timezone.now())


@shared_task
def prune() -> None:
    """The daily tidying of what controllers said."""
    log.info("%d old device messages deleted.", prune_messages(timezone.now(), settings.HEADGATE_MESSAGE_DAYS))
