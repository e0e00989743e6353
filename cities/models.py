"""The city that every row belongs to, and who may see it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .languages import is_chinese

LATITUDE = (MinValueValidator(-90.0), MaxValueValidator(90.0))
LONGITUDE = (MinValueValidator(-180.0), MaxValueValidator(180.0))


class Named(models.Model):
    """A row with a name in English and in Traditional Chinese."""

    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("Chinese name"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    @admin.display(description=_("name"), ordering="name")
    def label(self) -> str:
        """The name in the active language."""
        return self.name_zh if is_chinese() and self.name_zh else self.name


class City(Named):
    key = models.SlugField(_("key"), unique=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    currency = models.CharField(_("currency"), max_length=8, default="NT$")
    latitude = models.FloatField(_("latitude"), validators=LATITUDE)
    longitude = models.FloatField(_("longitude"), validators=LONGITUDE)
    calendar = models.JSONField(_("calendar"), default=dict, blank=True)
    """{"country": "TW", "extra_holidays": ["2026-12-25", …], "working_days": [...]}"""
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    """Sector settings of the pack that belong to no asset."""

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def holidays(self, years: Iterable[int]) -> frozenset[date]:
        """Public holidays of the calendar's country and its extra ones, without those that are worked."""
        country = self.calendar.get("country")
        found = set(holidays.country_holidays(country, years=years)) if country else set()
        found |= {date.fromisoformat(day) for day in self.calendar.get("extra_holidays", ())}
        return frozenset(found - {date.fromisoformat(day) for day in self.calendar.get("working_days", ())})


class Membership(models.Model):
    """A person's place in a city. Without one, nothing of the city is seen."""

    class Role(models.TextChoices):
        ENGINEER = "engineer", _("utility engineer")
        FAB = "fab", _("fab water manager")
        VIEWER = "viewer", _("viewer")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    city = models.ForeignKey(City, models.CASCADE, related_name="memberships", verbose_name=_("city"))
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    asset_keys = models.JSONField(_("assets"), default=list, blank=True)
    """For a fab water manager: keys of the water users whose reports are theirs."""

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["user", "city"], name="one_membership_per_city")]

    def __str__(self) -> str:
        return f"{self.user} · {self.city} · {self.get_role_display()}"


class Asset(Named):
    """Something of a city's networks: where it is, and where its figures come from."""

    city = models.ForeignKey(City, models.CASCADE, verbose_name=_("city"))
    key = models.SlugField(_("key"), max_length=80)
    latitude = models.FloatField(_("latitude"), null=True, blank=True, validators=LATITUDE)
    longitude = models.FloatField(_("longitude"), null=True, blank=True, validators=LONGITUDE)
    source = models.CharField(_("source of the figures"), max_length=300, blank=True)
    assumption = models.BooleanField(_("assumption"), default=False)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="%(class)s_key_is_unique_in_its_city")]

    def clean(self) -> None:
        """Raises ValidationError with every reference to a row of another city, and for a row that changes its city:
        whoever sees two cities could else join their networks, and rows that refer to this one would stay behind.
        """
        super().clean()
        if self.city_id is None:
            return  # the city's own error says so
        problems = {name: _("Choose a row of %(city)s.") % {"city": self.city} for name in self._references_abroad()}
        if type(self)._default_manager.filter(pk=self.pk).exclude(city=self.city_id).exists():
            problems["city"] = str(_("A row stays in the city that it was made in."))
        if problems:
            raise ValidationError(problems)

    def _references_abroad(self) -> list[str]:
        fields = [field for field in self._meta.concrete_fields if isinstance(field, models.ForeignKey)]
        rows = {field.name: getattr(self, field.name) for field in fields if getattr(self, field.attname) is not None}
        return [name for name, row in rows.items() if isinstance(row, Asset) and row.city_id != self.city_id]


class PriorityPolicy(Asset):
    """Who is served first: {user class: tier}, lower first. One policy of a city is in force."""

    tiers = models.JSONField(_("tiers by user class"))
    in_force = models.BooleanField(_("in force"), default=False)

    class Meta(Asset.Meta):
        verbose_name = _("priority policy")
        verbose_name_plural = _("priority policies")
        constraints = [
            *Asset.Meta.constraints,
            models.UniqueConstraint(fields=["city"], condition=Q(in_force=True), name="one_policy_in_force_per_city"),
        ]


def policy_in_force(city: City) -> PriorityPolicy:
    """Raises PriorityPolicy.DoesNotExist where the pack names none."""
    return PriorityPolicy.objects.get(city=city, in_force=True)
