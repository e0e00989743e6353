"""What was measured, when it was known, and what is expected."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cities.models import Asset

from .kernel import profiles


class Series(Asset):
    """One quantity over time: a load, a flow, a level, a price or the weather."""

    unit = models.CharField(_("unit"), max_length=24)
    step_minutes = models.PositiveIntegerField(_("step, minutes"), default=60, validators=[MinValueValidator(5)])
    minimum = models.FloatField(_("least possible value"), null=True, blank=True)
    maximum = models.FloatField(_("greatest possible value"), null=True, blank=True)
    stale_after_hours = models.FloatField(_("stale after, hours"), default=24)
    profile = models.JSONField(_("profile"), default=dict, blank=True)
    """The published shape of the series: the fallback forecast without a history and the root of its synthetic
    history. forecasting/synthetic.py documents the fields."""

    class Meta(Asset.Meta):
        verbose_name = _("series")
        verbose_name_plural = _("series")

    def clean(self) -> None:
        """Raises ValidationError with everything that is wrong with the profile."""
        problems = profiles.problems_of(self.profile) if self.profile else []
        if problems:
            lines = [
                _("%(field)s: %(value)r, expected %(expected)s") % {"field": name, "value": value, "expected": expected}
                for name, value, expected in problems
            ]
            raise ValidationError({"profile": lines})

    @property
    def step(self) -> timedelta:
        return timedelta(minutes=self.step_minutes)


class Observation(models.Model):
    """A value of a series as it was known at `recorded_at`. Revisions are further rows; nothing is overwritten."""

    series = models.ForeignKey(Series, models.CASCADE, related_name="observations", verbose_name=_("series"))
    valid_at = models.DateTimeField(_("valid at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    value = models.FloatField(_("value"))
    synthetic = models.BooleanField(_("synthetic"), default=False)

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        constraints = [
            # Also the index of every history query: leading with the series keeps charts fast among millions of rows.
            models.UniqueConstraint(
                # A synthetic and a real value may be recorded at the same moment; the real one is then believed.
                fields=["series", "valid_at", "recorded_at", "synthetic"],
                name="one_value_per_recording",
            )
        ]


class Forecast(models.Model):
    """What was expected of a series, issued once and never changed."""

    series = models.ForeignKey(Series, models.CASCADE, related_name="forecasts", verbose_name=_("series"))
    issued_at = models.DateTimeField(_("issued at"), default=timezone.now)
    known_at = models.DateTimeField(_("made from what was known at"))
    start = models.DateTimeField(_("start"))
    step_minutes = models.PositiveIntegerField(_("step, minutes"))
    mean = models.JSONField(_("mean"))
    """One number per step from `start`."""
    quantiles = models.JSONField(_("quantiles"), default=dict)
    """{"0.05": [one number per step], …}"""
    method = models.CharField(_("method"), max_length=200)
    weights = models.JSONField(_("weights"), default=dict, blank=True)
    notes = models.JSONField(_("notes"), default=list, blank=True)
    """What cleaning and fallbacks did: [{"rule", "count", "first", "did"}]."""
    synthetic = models.BooleanField(_("rests on synthetic data"), default=False)

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        indexes = [models.Index(fields=["series", "-issued_at"], name="latest_forecast_of_a_series")]

    def __str__(self) -> str:
        return f"{self.series} · {self.issued_at:%Y-%m-%d %H:%M}"

    @property
    def step(self) -> timedelta:
        return timedelta(minutes=self.step_minutes)

    @property
    def times(self) -> list[datetime]:
        """The start of every step."""
        return [self.start + k * self.step for k in range(len(self.mean))]
