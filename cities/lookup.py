"""The city that a command was given."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from .models import City


def city_named(key: str) -> City:
    """The loaded city of that key. Raises CommandError with exit code 2 and the keys that there are."""
    found = City.objects.filter(key=key).first()
    if found is None:
        known = ", ".join(City.objects.order_by("key").values_list("key", flat=True)) or _("none is loaded")
        raise CommandError(_("No city %(key)r; there are: %(known)s") % {"key": key, "known": known}, returncode=2)
    return found
