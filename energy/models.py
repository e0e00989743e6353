"""Power assets of a city. Power in MW, energy in MWh, shares 0 to 1, money in the city's currency."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cities.models import Asset
from forecasting.models import Series

NOT_NEGATIVE = (MinValueValidator(0.0),)
SHARE = (MinValueValidator(0.0), MaxValueValidator(1.0))


class PowerBus(Asset):
    """Where power is bought, made and used under one meter or in one grid area."""

    class Meta(Asset.Meta):
        verbose_name = _("power bus")
        verbose_name_plural = _("power buses")


class Tariff(Asset):
    """A time-of-use tariff as data; `energy.kernel.tariff` reads it."""

    data = models.JSONField(_("tariff"))

    class Meta(Asset.Meta):
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")


class GridConnection(Asset):
    """A purchase of grid power with a contract capacity; what exceeds it costs a multiple of the basic fee."""

    bus = models.ForeignKey(PowerBus, models.RESTRICT, verbose_name=_("bus"))
    tariff = models.ForeignKey(Tariff, models.RESTRICT, verbose_name=_("tariff"))
    contract_mw = models.FloatField(_("contract capacity, MW"), validators=NOT_NEGATIVE)
    limit_mw = models.FloatField(_("physical limit, MW"), validators=NOT_NEGATIVE)
    carbon_kg_per_kwh = models.FloatField(_("carbon, kg CO₂e per kWh"), validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("grid connection")
        verbose_name_plural = _("grid connections")


class SolarPark(Asset):
    bus = models.ForeignKey(PowerBus, models.RESTRICT, verbose_name=_("bus"))
    capacity_mw = models.FloatField(_("capacity, MW"), validators=NOT_NEGATIVE)
    capacity_factor = models.ForeignKey(Series, models.RESTRICT, verbose_name=_("capacity factor series"))

    class Meta(Asset.Meta):
        verbose_name = _("solar park")
        verbose_name_plural = _("solar parks")


class Battery(Asset):
    bus = models.ForeignKey(PowerBus, models.RESTRICT, verbose_name=_("bus"))
    capacity_mwh = models.FloatField(_("capacity, MWh"), validators=NOT_NEGATIVE)
    power_mw = models.FloatField(_("power, MW"), validators=NOT_NEGATIVE)
    charge_efficiency = models.FloatField(_("charge efficiency"), default=0.95, validators=SHARE)
    discharge_efficiency = models.FloatField(_("discharge efficiency"), default=0.95, validators=SHARE)
    state_of_charge = models.ForeignKey(
        Series, models.RESTRICT, null=True, blank=True, verbose_name=_("state of charge series, MWh")
    )
    reserve_share = models.FloatField(_("least state of charge, share"), default=0.1, validators=SHARE)
    loss_per_hour = models.FloatField(_("loss per hour, share"), default=0.0, validators=SHARE)
    wear_cost_per_mwh = models.FloatField(_("wear, money per MWh discharged"), default=0.0, validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("battery")
        verbose_name_plural = _("batteries")


class PowerLoad(Asset):
    """A sector's or a large user's load. `user_class` finds its tier in the policy in force."""

    class Kind(models.TextChoices):
        SECTOR = "sector", _("sector")
        FAB = "fab", _("fab")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.SECTOR)
    bus = models.ForeignKey(PowerBus, models.RESTRICT, verbose_name=_("bus"))
    load = models.ForeignKey(Series, models.RESTRICT, verbose_name=_("load series, MW"))
    user_class = models.SlugField(_("user class"))
    penalty_per_mwh = models.FloatField(_("value of lost load, money per MWh"), validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("power load")
        verbose_name_plural = _("power loads")


class BusDepot(Asset):
    """A depot of electric buses that charge between `plug_in_hour` and `plug_out_hour` (local, may pass midnight) and
    drive at the other hours. Their energy is counted at the meter.
    """

    bus = models.ForeignKey(PowerBus, models.RESTRICT, verbose_name=_("bus"))
    buses = models.PositiveIntegerField(_("buses"))
    energy_mwh_per_day = models.FloatField(_("energy, MWh a day"), validators=NOT_NEGATIVE)
    charger_mw = models.FloatField(_("chargers together, MW"), validators=NOT_NEGATIVE)
    plug_in_hour = models.PositiveSmallIntegerField(_("plugged in from hour"), validators=[MaxValueValidator(23)])
    plug_out_hour = models.PositiveSmallIntegerField(_("driving from hour"), validators=[MaxValueValidator(23)])
    penalty_per_mwh = models.FloatField(_("value of lost charge, money per MWh"), validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("bus depot")
        verbose_name_plural = _("bus depots")
        constraints = [
            *Asset.Meta.constraints,
            # Nothing would say whether the buses charge all day or drive all day.
            models.CheckConstraint(
                condition=~Q(plug_in_hour=models.F("plug_out_hour")),
                name="buses_are_not_plugged_in_and_out_at_once",
                violation_error_message=_("The buses must be plugged in and out at different hours."),
            ),
        ]


class PowerLine(Asset):
    from_bus = models.ForeignKey(PowerBus, models.RESTRICT, related_name="lines_out", verbose_name=_("from"))
    to_bus = models.ForeignKey(PowerBus, models.RESTRICT, related_name="lines_in", verbose_name=_("to"))
    capacity_mw = models.FloatField(_("capacity, MW"), validators=NOT_NEGATIVE)
    loss_share = models.FloatField(_("loss, share"), default=0.0, validators=SHARE)

    class Meta(Asset.Meta):
        verbose_name = _("power line")
        verbose_name_plural = _("power lines")
