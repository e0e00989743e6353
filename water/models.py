"""Water assets of a city: rivers, works, users and fields.

Flows of canals and rivers in m³/s, works in 10³ m³ a day, volumes in 10³ m³ (`_km3` = thousand m³), shares 0 to 1,
money in the city's currency. `power_bus` is the key of the power bus that a pump or plant draws on.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cities.models import Asset
from forecasting.models import Series

# Rows of devices and of weather stand in files of their own; who reads rows finds all of them here.
from .device_models import DeviceFeed as DeviceFeed
from .device_models import DeviceKey as DeviceKey
from .device_models import DeviceMessage as DeviceMessage
from .device_models import FarmerLink as FarmerLink
from .weather_models import WeatherStation as WeatherStation

NOT_NEGATIVE = (MinValueValidator(0.0),)
POSITIVE = (MinValueValidator(0.001),)
SHARE = (MinValueValidator(0.0), MaxValueValidator(1.0))
MONTH_DAY = (RegexValidator(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", _("a date as MM-DD, such as 06-01")),)


class WaterBus(Asset):
    """A place in the water network where what comes in equals what goes out."""

    class Kind(models.TextChoices):
        RIVER = "river", _("river")
        RAW = "raw", _("raw water")
        CLEAN = "clean", _("clean water")
        RECLAIMED = "reclaimed", _("reclaimed water")
        IRRIGATION = "irrigation", _("irrigation water")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)

    class Meta(Asset.Meta):
        verbose_name = _("water bus")
        verbose_name_plural = _("water buses")


class River(Asset):
    """A river reach: its inflow must be taken; what nobody takes passes on. Its environmental flow is a wish."""

    bus = models.ForeignKey(WaterBus, models.RESTRICT, verbose_name=_("bus"))
    flow = models.ForeignKey(Series, models.RESTRICT, verbose_name=_("flow series, m³/s"))
    environmental_flow_m3s = models.FloatField(_("environmental flow, m³/s"), default=0.0, validators=NOT_NEGATIVE)
    downstream = models.ForeignKey(
        WaterBus, models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("downstream bus")
    )
    """Without one the river runs to the sea."""

    class Meta(Asset.Meta):
        verbose_name = _("river")
        verbose_name_plural = _("rivers")


class Weir(Asset):
    """An intake from a river, limited by its structure and by turbidity after storms."""

    river = models.ForeignKey(River, models.RESTRICT, verbose_name=_("river"))
    to_bus = models.ForeignKey(WaterBus, models.RESTRICT, verbose_name=_("to"))
    capacity_km3_per_day = models.FloatField(_("intake, 10³ m³ a day"), validators=NOT_NEGATIVE)
    turbid_points = models.JSONField(_("intake in muddy water"), default=list, blank=True)
    """[[recent flow, intake that can still be cleared], …] in m³/s, rising; empty for no limit."""
    turbid_half_life_hours = models.FloatField(_("half-life of the mud, h"), default=48.0, validators=POSITIVE)
    kwh_per_m3 = models.FloatField(_("pumping, kWh per m³"), default=0.0, validators=NOT_NEGATIVE)
    power_bus = models.SlugField(_("power bus"), max_length=80, blank=True)

    class Meta(Asset.Meta):
        verbose_name = _("weir intake")
        verbose_name_plural = _("weir intakes")


class WaterSource(Asset):
    """A supply with a capacity of its own: riverbed water, wells, a purchase from a neighbour, desalination."""

    class Kind(models.TextChoices):
        RIVERBED = "riverbed", _("riverbed water")
        WELL = "well", _("wells")
        TRANSFER = "transfer", _("transfer from a neighbour")
        DESALINATION = "desalination", _("desalination")
        RECLAIMED = "reclaimed", _("reclaimed-water plant")

    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    bus = models.ForeignKey(WaterBus, models.RESTRICT, verbose_name=_("bus"))
    capacity_phases = models.JSONField(_("capacity, 10³ m³ a day, from a date"))
    """[{"from": "2026-01-01", "km3_per_day": 30.0}, …]; before the first date it gives nothing."""
    kwh_per_m3 = models.FloatField(_("energy, kWh per m³"), default=0.0, validators=NOT_NEGATIVE)
    power_bus = models.SlugField(_("power bus"), max_length=80, blank=True)
    cost_per_m3 = models.FloatField(_("cost per m³"), default=0.0, validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("water source")
        verbose_name_plural = _("water sources")


class Reservoir(Asset):
    bus = models.ForeignKey(WaterBus, models.RESTRICT, verbose_name=_("bus"))
    capacity_km3 = models.FloatField(_("effective capacity, 10³ m³"), validators=NOT_NEGATIVE)
    minimum_km3 = models.FloatField(_("least storage, 10³ m³"), default=0.0, validators=NOT_NEGATIVE)
    storage = models.ForeignKey(Series, models.RESTRICT, related_name="+", verbose_name=_("storage series, 10³ m³"))
    inflow = models.ForeignKey(
        Series, models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("inflow series, m³/s")
    )
    loss_per_day = models.FloatField(_("evaporation and seepage per day, share"), default=0.0, validators=SHARE)
    target_share = models.JSONField(_("target by month, share of capacity"), default=list, blank=True)
    """Twelve shares, January first; empty for no target. A wish of the class "storage"."""
    emptied_from = models.CharField(_("emptied from (MM-DD)"), max_length=5, blank=True, validators=MONTH_DAY)
    emptied_until = models.CharField(_("emptied until (MM-DD)"), max_length=5, blank=True, validators=MONTH_DAY)
    water_value_per_m3 = models.FloatField(_("value of water kept, money per m³"), default=0.0, validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("reservoir")
        verbose_name_plural = _("reservoirs")


class TreatmentPlant(Asset):
    from_bus = models.ForeignKey(WaterBus, models.RESTRICT, related_name="plants_out", verbose_name=_("from"))
    to_bus = models.ForeignKey(WaterBus, models.RESTRICT, related_name="plants_in", verbose_name=_("to"))
    capacity_km3_per_day = models.FloatField(_("capacity, 10³ m³ a day"), validators=NOT_NEGATIVE)
    recovery_share = models.FloatField(_("recovery, share"), default=0.97, validators=SHARE)
    kwh_per_m3 = models.FloatField(_("energy, kWh per m³"), default=0.0, validators=NOT_NEGATIVE)
    power_bus = models.SlugField(_("power bus"), max_length=80, blank=True)
    cost_per_m3 = models.FloatField(_("chemicals, money per m³"), default=0.0, validators=NOT_NEGATIVE)
    max_change_per_hour_share = models.FloatField(
        _("greatest change per hour, share of capacity"), null=True, blank=True, validators=SHARE
    )

    class Meta(Asset.Meta):
        verbose_name = _("treatment plant")
        verbose_name_plural = _("treatment plants")


class Conduit(Asset):
    """A canal, a pipe, a pumped main or a transfer between zones, in one direction."""

    class Kind(models.TextChoices):
        CANAL = "canal", _("canal")
        PIPE = "pipe", _("pipe")
        PUMP = "pump", _("pumped main")
        TRANSFER = "transfer", _("transfer")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    from_bus = models.ForeignKey(WaterBus, models.RESTRICT, related_name="conduits_out", verbose_name=_("from"))
    to_bus = models.ForeignKey(WaterBus, models.RESTRICT, related_name="conduits_in", verbose_name=_("to"))
    capacity_km3_per_day = models.FloatField(_("capacity, 10³ m³ a day"), validators=NOT_NEGATIVE)
    loss_share = models.FloatField(_("loss, share"), default=0.0, validators=SHARE)
    lag_hours = models.FloatField(_("travel time, h"), default=0.0, validators=NOT_NEGATIVE)
    kwh_per_m3 = models.FloatField(_("pumping, kWh per m³"), default=0.0, validators=NOT_NEGATIVE)
    power_bus = models.SlugField(_("power bus"), max_length=80, blank=True)
    cost_per_m3 = models.FloatField(_("cost per m³"), default=0.0, validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("conduit")
        verbose_name_plural = _("conduits")


class WaterUser(Asset):
    """A municipal zone, a fab, a park or a plant. `user_class` finds its tier in the policy in force."""

    class Kind(models.TextChoices):
        ZONE = "zone", _("supply zone")
        FAB = "fab", _("fab")
        INDUSTRY = "industry", _("industry")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    bus = models.ForeignKey(WaterBus, models.RESTRICT, verbose_name=_("bus"))
    demand = models.ForeignKey(Series, models.RESTRICT, verbose_name=_("demand series, 10³ m³ an hour"))
    user_class = models.SlugField(_("user class"))
    penalty_per_m3 = models.FloatField(_("value of water not served, money per m³"), validators=NOT_NEGATIVE)
    tank_km3 = models.FloatField(_("own tanks, 10³ m³"), default=0.0, validators=NOT_NEGATIVE)
    tank_reserve_share = models.FloatField(_("reserve in the tanks, share"), default=0.3, validators=SHARE)
    """What normal operation leaves in the tanks; a shortage may use it. The default is an assumption."""

    class Meta(Asset.Meta):
        verbose_name = _("water user")
        verbose_name_plural = _("water users")


class IrrigationSystem(Asset):
    """A canal system with its weather and its bus; its laterals hang on it."""

    bus = models.ForeignKey(WaterBus, models.RESTRICT, verbose_name=_("bus"))
    reference_eto = models.ForeignKey(
        Series, models.RESTRICT, related_name="+", verbose_name=_("reference evapotranspiration series, mm a day")
    )
    rain = models.ForeignKey(Series, models.RESTRICT, related_name="+", verbose_name=_("rain series, mm a day"))
    weather = models.ForeignKey(
        WeatherStation, models.RESTRICT, null=True, blank=True, related_name="+", verbose_name=_("weather station")
    )
    """Reference evapotranspiration comes from its weather where that is known, and else from the series."""
    conveyance_efficiency = models.FloatField(_("conveyance efficiency, share"), default=0.8, validators=SHARE)
    turn_days = models.FloatField(_("water comes round in, days"), null=True, blank=True, validators=POSITIVE)
    """Fields by turns are kept so that they never lack more than they use until the next turn."""
    user_class = models.SlugField(_("user class"), default="agriculture")
    penalty_per_m3 = models.FloatField(_("value of water not served, money per m³"), validators=NOT_NEGATIVE)

    class Meta(Asset.Meta):
        verbose_name = _("irrigation system")
        verbose_name_plural = _("irrigation systems")


class Lateral(Asset):
    system = models.ForeignKey(IrrigationSystem, models.RESTRICT, related_name="laterals", verbose_name=_("system"))
    capacity_m3s = models.FloatField(_("capacity, m³/s"), validators=NOT_NEGATIVE)
    max_open = models.PositiveSmallIntegerField(_("valves open at once, at most"), validators=[MinValueValidator(1)])
    quiet_windows = models.JSONField(_("quiet windows, local time"), default=list, blank=True)
    """[["22:00", "05:00"], …]: no valve opens inside, and none stays open into one."""
    efficiency = models.FloatField(_("conveyance efficiency, share"), default=0.9, validators=SHARE)

    class Meta(Asset.Meta):
        verbose_name = _("lateral")
        verbose_name_plural = _("laterals")


class Controller(Asset):
    """A device in the field that polls for its schedule and opens valves."""

    class Alarm(models.TextChoices):
        SILENT = "silent", _("silent")
        LATE = "late", _("old schedule")

    lateral = models.ForeignKey(Lateral, models.RESTRICT, related_name="controllers", verbose_name=_("lateral"))
    poll_seconds = models.PositiveIntegerField(_("poll every, s"), default=300)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True, editable=False)
    applied_revision = models.PositiveIntegerField(_("applied revision"), null=True, blank=True, editable=False)
    alarm = models.CharField(_("alarm"), max_length=10, choices=Alarm.choices, blank=True, editable=False)
    """As the minutely watch (water/watch.py) last found it, so that a change is logged once."""

    class Meta(Asset.Meta):
        verbose_name = _("controller")
        verbose_name_plural = _("controllers")


class Turnout(Asset):
    """A valve from a lateral to fields. `travel_minutes` is the water's way from the head of the lateral."""

    lateral = models.ForeignKey(Lateral, models.RESTRICT, related_name="turnouts", verbose_name=_("lateral"))
    controller = models.ForeignKey(Controller, models.RESTRICT, related_name="turnouts", verbose_name=_("controller"))
    flow_m3s = models.FloatField(_("flow when open, m³/s"), validators=NOT_NEGATIVE)
    min_run_minutes = models.PositiveIntegerField(_("shortest run, minutes"), default=30)
    max_run_minutes = models.PositiveIntegerField(_("longest run, minutes"), null=True, blank=True)
    travel_minutes = models.PositiveIntegerField(_("travel time, minutes"), default=0)

    class Meta(Asset.Meta):
        verbose_name = _("turnout")
        verbose_name_plural = _("turnouts")


class CropBlock(Asset):
    """Fields with one crop behind one turnout."""

    turnout = models.ForeignKey(Turnout, models.RESTRICT, related_name="blocks", verbose_name=_("turnout"))
    crop = models.SlugField(_("crop"))
    area_ha = models.FloatField(_("area, ha"), validators=NOT_NEGATIVE)
    planted = models.CharField(_("planted on (MM-DD)"), max_length=5, validators=MONTH_DAY)
    season_days = models.PositiveIntegerField(_("season, days"), null=True, blank=True)
    """From planting to harvest; without it the crop's usual season."""
    application_efficiency = models.FloatField(_("application efficiency, share"), default=0.7, validators=SHARE)
    percolation_mm_per_day = models.FloatField(_("percolation, mm a day"), default=0.0, validators=NOT_NEGATIVE)
    soil = models.SlugField(_("soil"), default="loam")
    """One of water/kernel/soil.py."""
    water_at_share = models.FloatField(_("watered at, share of what it may lack"), default=1.0, validators=SHARE)
    """How much of what roots take without stress (or until the next turn) may be gone before water is asked for."""
    water_to_share = models.FloatField(_("watered down to, share"), default=1.0, validators=SHARE)
    """What may still be gone afterwards: 0 fills to field capacity, 1 only keeps to the limit, day by day."""
    awd_mm = models.FloatField(_("alternate wetting and drying, mm"), default=0.0, validators=NOT_NEGATIVE)
    """How far water may fall below the surface of a rice field; 0 keeps it flooded."""

    class Meta(Asset.Meta):
        verbose_name = _("crop block")
        verbose_name_plural = _("crop blocks")


class FieldState(models.Model):
    """How a crop block stood at the end of a local day, as far as was known at `stored_at`.

    Rice has a ponding (below 0: what the mud lacks), all else a depletion of the root zone, both in mm.
    """

    class Source(models.TextChoices):
        MEASURED = "measured", _("measured")
        """Weather was measured and every run confirmed by its controller."""
        MODELLED = "modelled", _("modelled")

    block = models.ForeignKey(CropBlock, models.CASCADE, related_name="states", verbose_name=_("crop block"))
    day = models.DateField(_("day"))
    depletion_mm = models.FloatField(_("depletion, mm"), null=True, blank=True)
    ponding_mm = models.FloatField(_("water on the field, mm"), null=True, blank=True)
    applied_mm = models.FloatField(_("applied, mm"), default=0.0)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    synthetic = models.BooleanField(_("synthetic"), default=False)
    stored_at = models.DateTimeField(_("stored at"), default=timezone.now)

    class Meta:
        verbose_name = _("field state")
        verbose_name_plural = _("field states")
        constraints = [
            models.UniqueConstraint(fields=["block", "day"], name="one_state_of_a_block_and_day"),
            models.CheckConstraint(
                condition=Q(depletion_mm__isnull=True) ^ Q(ponding_mm__isnull=True), name="either_depleted_or_ponded"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.block} · {self.day}"

    @property
    def state_mm(self) -> float:
        """The one number that the kernel carries from day to day."""
        found = self.depletion_mm if self.ponding_mm is None else self.ponding_mm
        return float(found or 0.0)


class ValveRun(models.Model):
    """One opening of a turnout in a plan. `uid` stays the same across revisions while the run means the same."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        CANCELLED = "cancelled", _("cancelled")
        SUPERSEDED = "superseded", _("superseded")

    uid = models.UUIDField(_("run"))
    rev = models.PositiveIntegerField(_("revision of the run"), default=1)
    plan = models.ForeignKey("planning.Plan", models.CASCADE, related_name="+", verbose_name=_("plan"))
    turnout = models.ForeignKey(Turnout, models.CASCADE, related_name="runs", verbose_name=_("turnout"))
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    volume_m3 = models.FloatField(_("volume, m³"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.SCHEDULED)

    class Meta:
        verbose_name = _("valve run")
        verbose_name_plural = _("valve runs")
        indexes = [models.Index(fields=["turnout", "start"], name="runs_of_a_turnout")]

    def __str__(self) -> str:
        """The turnout and when it opens, in the city's time."""
        return f"{self.turnout.label} · {timezone.localtime(self.start, self.turnout.city.zone):%Y-%m-%d %H:%M}"


class ControllerSchedule(models.Model):
    """A controller's document, serialised and signed once at publish, so that a poll only reads these bytes."""

    controller = models.ForeignKey(Controller, models.CASCADE, related_name="schedules", verbose_name=_("controller"))
    plan = models.ForeignKey("planning.Plan", models.CASCADE, related_name="+", verbose_name=_("plan"))
    revision = models.PositiveIntegerField(_("revision"))
    body = models.BinaryField()
    etag = models.CharField(max_length=64)
    signature = models.CharField(max_length=200)
    issued_at = models.DateTimeField(_("issued at"))
    valid_until = models.DateTimeField(_("valid until"))
    current = models.BooleanField(_("current"), default=True)

    class Meta:
        verbose_name = _("controller schedule")
        verbose_name_plural = _("controller schedules")
        constraints = [
            models.UniqueConstraint(fields=["controller", "revision"], name="revisions_count_up"),
            models.UniqueConstraint(
                fields=["controller"], condition=Q(current=True), name="one_current_schedule_per_controller"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.controller} · {self.revision}"
