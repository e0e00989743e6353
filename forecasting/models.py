"""What was measured, when it was known, and what is expected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from cities.languages import in_words
from cities.models import Asset

from .kernel import driving, profiles

# Files and the API keep the codes; "km3" must not be read as cubic kilometres.
UNIT_LABELS = {
    "km3": "10³ m³",
    "km3/h": "10³ m³/h",
    "m3/s": "m³/s",
    "degC": "°C",
    "W/m2": "W/m²",
    "mm/d": gettext_noop("mm a day"),
    "mm/h": gettext_noop("mm an hour"),
    "share": gettext_noop("share"),
}


def unit_label(code: str) -> str:
    """How people write a unit, in the active language; other codes are written as they are."""
    return gettext(UNIT_LABELS[code]) if code in UNIT_LABELS else code


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
    drivers = models.JSONField(_("drivers"), default=list, blank=True)
    """Keys of series of the city that explain this one: weather, schedules."""

    class Meta(Asset.Meta):
        verbose_name = _("series")
        verbose_name_plural = _("series")

    def clean(self) -> None:
        """Raises ValidationError with everything that is wrong with the profile and the drivers."""
        super().clean()
        problems = {"profile": self._profile_problems(), "drivers": self._driver_problems()}
        found = {field: lines for field, lines in problems.items() if lines}
        if found:
            raise ValidationError(found)

    def _profile_problems(self) -> list[str]:
        return [
            _("%(field)s: %(value)r, expected %(expected)s")
            % {"field": name, "value": value, "expected": in_words(expected)}
            for name, value, expected in (profiles.problems_of(self.profile) if self.profile else [])
        ]

    def _driver_problems(self) -> list[str]:
        if not self.drivers or self.city_id is None:
            return []
        known = {row.key: row.drivers for row in Series.objects.filter(city=self.city_id).exclude(pk=self.pk)}
        unknown = [key for key in self.drivers if key not in known and key != self.key]
        if unknown:
            return [_("No series %(unknown)s in this city.") % {"unknown": ", ".join(map(str, unknown))}]
        way = driving.circle({**known, self.key: self.drivers}, self.key)
        return [_("A series cannot drive itself: %(way)s.") % {"way": " ← ".join(way)}] if way else []

    @property
    def unit_label(self) -> str:
        return unit_label(self.unit)

    @property
    def is_schedule(self) -> bool:
        """Whether people decide its values ahead, so that they may be recorded before they are valid."""
        return bool(self.profile.get("kind") == "schedule")

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

    def __str__(self) -> str:
        return f"{self.series} · {timezone.localtime(self.valid_at, self.series.city.zone):%Y-%m-%d %H:%M}"


NEWEST_FIRST = ("-known_at", "-issued_at")
"""The order of forecasts: one of an old day that was replayed today is not the newest."""


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
    recordings = models.PositiveIntegerField(_("recordings known"), default=0)
    """How many there were when it was made: one more, even a backdated one, and it no longer knows all."""
    synthetic = models.BooleanField(_("rests on synthetic data"), default=False)

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        indexes = [
            models.Index(fields=["series", "-issued_at"], name="latest_forecast_of_a_series"),
            models.Index(fields=["series", "known_at"], name="forecasts_by_what_was_known"),
        ]

    def __str__(self) -> str:
        return f"{self.series} · {timezone.localtime(self.issued_at, self.series.city.zone):%Y-%m-%d %H:%M}"

    @property
    def step(self) -> timedelta:
        return timedelta(minutes=self.step_minutes)

    @property
    def times(self) -> list[datetime]:
        """The start of every step. Steps of days begin at local midnights, however long the days are."""
        zone = self.series.city.zone if self.step_minutes % 1440 == 0 else UTC
        first = self.start.astimezone(zone)
        # Adding to a local time moves its wall clock.
        return [(first + k * self.step).astimezone(UTC) for k in range(len(self.mean))]


class Lead(models.TextChoices):
    """How far ahead a step was expected: from the moment of what was known to the end of the step."""

    HOURS_6 = "0-6h", _("0–6 h")
    HOURS_24 = "6-24h", _("6–24 h")
    DAY_2 = "day2", _("day 2")
    DAYS_7 = "days3-7", _("days 3–7")

    @property
    def span(self) -> tuple[timedelta, timedelta]:
        """Leads above the first and up to the second."""
        low, high = {"0-6h": (0, 6), "6-24h": (6, 24), "day2": (24, 48), "days3-7": (48, 168)}[self.value]
        return timedelta(hours=low), timedelta(hours=high)


class Score(models.Model):
    """What a forecast was worth in one group of leads, once the truth had come. docs/scores.md defines the figures.

    All are means over the `count` steps of known truth; None when there is none.
    """

    series = models.ForeignKey(Series, models.CASCADE, related_name="scores", verbose_name=_("series"))
    forecast = models.ForeignKey(Forecast, models.CASCADE, related_name="scores", verbose_name=_("forecast"))
    known_at = models.DateTimeField(_("made from what was known at"))
    lead = models.CharField(_("lead"), max_length=8, choices=Lead.choices)
    wanted = models.PositiveIntegerField(_("steps"))
    count = models.PositiveIntegerField(_("steps with a measurement"))
    mae = models.FloatField(_("mean absolute error"), null=True)
    bias = models.FloatField(_("bias"), null=True)
    pinball = models.FloatField(_("pinball loss"), null=True)
    covered_50 = models.FloatField(_("share within the 50 % band"), null=True)
    covered_90 = models.FloatField(_("share within the 90 % band"), null=True)
    naive_mae = models.FloatField(_("mean absolute error of the seasonal naive forecast"), null=True)
    synthetic = models.BooleanField(_("scored on synthetic values"), default=False)
    scored_at = models.DateTimeField(_("scored at"), default=timezone.now)

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [models.UniqueConstraint(fields=["forecast", "lead"], name="one_score_per_forecast_and_lead")]
        indexes = [models.Index(fields=["series", "known_at"], name="scores_of_a_series")]


class Alert(models.Model):
    """Something about a series that a person should look at: open until the hourly watch finds it gone."""

    class Kind(models.TextChoices):
        STALE = "stale", _("stale feed")
        DRIFT = "drift", _("forecast drifts")
        FLAT = "flat", _("flat line")
        IMPOSSIBLE = "impossible", _("impossible values")

    series = models.ForeignKey(Series, models.CASCADE, related_name="alerts", verbose_name=_("series"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    figures = models.JSONField(_("figures"), default=dict, blank=True)
    """What words.alert_text says of it, by name: in the unit of the series, hours, counts."""
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("acknowledged by"),
    )  # fmt: skip
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["series", "kind"], condition=models.Q(until=None), name="one_open_alert_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.series} · {self.get_kind_display()}"
