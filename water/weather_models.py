"""Where the weather is measured and expected that crops use water by."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cities.models import Asset
from forecasting.models import Series


class WeatherStation(Asset):
    """Weather for the reference evapotranspiration of fields. A series that nobody measures stays empty.

    With temperature, humidity, wind and radiation by the hour it is computed by the hour; else by the day, which needs
    no more than the temperature by the hour, or its highest and lowest by the day.
    """

    elevation_m = models.FloatField(
        _("elevation, m"), validators=[MinValueValidator(-450.0), MaxValueValidator(6000.0)]
    )
    wind_height_m = models.FloatField(
        _("height of the wind gauge over ground, m"), default=10.0, validators=[MinValueValidator(0.5)]
    )
    coastal = models.BooleanField(_("by the sea"), default=False)
    """Where radiation is estimated from temperature, a day by the sea that warms as little has more sun."""
    temperature = models.ForeignKey(
        Series, models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("temperature series, °C")
    )
    temperature_max = models.ForeignKey(
        Series,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("series of the day's highest temperature, °C"),
    )
    temperature_min = models.ForeignKey(
        Series,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("series of the day's lowest temperature, °C"),
    )
    humidity = models.ForeignKey(
        Series,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("relative humidity series, share"),
    )
    wind = models.ForeignKey(
        Series, models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("wind series, m/s")
    )
    radiation = models.ForeignKey(
        Series, models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("solar radiation series, W/m²")
    )

    class Meta(Asset.Meta):
        verbose_name = _("weather station")
        verbose_name_plural = _("weather stations")
