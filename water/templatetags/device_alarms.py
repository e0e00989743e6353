"""The alarms of controllers on the first page of the admin."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from cities.scoping import ADMIN_READERS, Person, in_cities_of
from water.models import Controller
from water.watch import watched, with_alarm

register = template.Library()


@register.simple_tag
def device_alarms(person: Person) -> list[Any]:
    """The controllers with an alarm in the cities that a person may look after."""
    mine = in_cities_of(Controller.objects.select_related("city"), person, ADMIN_READERS).order_by("city", "key")
    return with_alarm(watched(mine), timezone.now())
