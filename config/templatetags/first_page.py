"""What the first page of the admin says before its list of tables: plans, alarms of controllers, alerts of series."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from cities.scoping import ADMIN_READERS, Person, cities_of, in_cities_of
from forecasting.models import Alert
from planning.admin_pages import Panel, panels
from water.models import Controller
from water.watch import watched, with_alarm

register = template.Library()


@register.simple_tag
def plan_panels(person: Person) -> list[Panel]:
    """What is in force and what waits in the cities whose plans a person may see."""
    return panels(person)


@register.simple_tag
def device_alarms(person: Person) -> list[Any]:
    """The controllers with an alarm in the cities that a person may look after."""
    mine = in_cities_of(Controller.objects.select_related("city"), person, ADMIN_READERS).order_by("city", "key")
    return with_alarm(watched(mine), timezone.now())


@register.simple_tag
def open_alerts(person: Person) -> int:
    """How many alerts of series stand open in them."""
    return Alert.objects.filter(series__city__in=cities_of(person, ADMIN_READERS), until=None).count()
