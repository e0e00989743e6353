"""Water assets. Rivers, canals and valves in m³/s, works in 10³ m³ a day, volumes in 10³ m³ (km3), money in the
city's currency."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from .fields import (
    Efficiency,
    Figures,
    IsoDate,
    Key,
    MonthDay,
    NotNegative,
    Part,
    Positive,
    PowerBusRef,
    Ref,
    Share,
    Thing,
    TimeOfDay,
    WaterBusRef,
)

FlowSeries = Annotated[Key, Ref("series", unit="m3/s")]
DepthSeries = Annotated[Key, Ref("series", unit="mm/d")]
TemperatureSeries = Annotated[Key, Ref("series", unit="degC")]


class WaterBus(Thing):
    kind: Literal["river", "raw", "clean", "reclaimed", "irrigation"]


class River(Figures):
    bus: WaterBusRef
    flow: FlowSeries
    environmental_flow_m3s: NotNegative = 0.0
    downstream: WaterBusRef | None = None
    """Without one the river runs to the sea."""


class Pumped(Figures):
    """What may draw power: a pump without a power bus would run for nothing."""

    kwh_per_m3: NotNegative = 0.0
    power_bus: PowerBusRef | Literal[""] = ""

    @model_validator(mode="after")
    def _pays_its_power(self) -> Any:
        if self.kwh_per_m3 > 0 and not self.power_bus:
            raise ValueError(_("a power_bus beside kwh_per_m3"))
        return self


class Weir(Pumped):
    river: Annotated[Key, Ref("rivers")]
    to_bus: WaterBusRef
    capacity_km3_per_day: Positive
    turbid_points: list[Annotated[list[Positive], Field(min_length=2, max_length=2)]] = []
    """[[recent flow, intake that can still be cleared], …] in m³/s, by rising flow; none for no limit."""
    turbid_half_life_hours: Positive = 48.0

    @model_validator(mode="after")
    def _flows_rise(self) -> Any:
        flows = [flow for flow, _intake in self.turbid_points]
        if flows != sorted(set(flows)):
            raise ValueError(_("turbid_points by rising flow, each flow once"))
        return self


class Phase(Part):
    from_: Annotated[IsoDate, Field(alias="from")]
    km3_per_day: NotNegative


class WaterSource(Pumped):
    kind: Literal["riverbed", "well", "transfer", "desalination", "reclaimed"]
    bus: WaterBusRef
    capacity_phases: Annotated[list[Phase], Field(min_length=1)]
    """Capacity, 10³ m³ a day, from each date on; before the first date nothing."""
    cost_per_m3: NotNegative = 0.0

    @model_validator(mode="after")
    def _phases_in_order(self) -> Any:
        dates = [phase.from_ for phase in self.capacity_phases]
        if dates != sorted(set(dates)):
            raise ValueError(_("capacity_phases by rising date, each date once"))
        return self


class Reservoir(Figures):
    bus: WaterBusRef
    capacity_km3: Positive
    minimum_km3: NotNegative = 0.0
    storage: Annotated[Key, Ref("series", unit="km3")]
    inflow: FlowSeries | None = None
    loss_per_day: Share = 0.0
    target_share: list[Share] = []
    """Twelve shares of capacity, January first; empty for no target."""
    emptied_from: MonthDay | Literal[""] = ""
    emptied_until: MonthDay | Literal[""] = ""
    water_value_per_m3: NotNegative = 0.0

    @model_validator(mode="after")
    def _is_consistent(self) -> Any:
        if self.minimum_km3 > self.capacity_km3:
            raise ValueError(_("minimum_km3 ≤ capacity_km3"))
        if len(self.target_share) not in (0, 12):
            raise ValueError(_("target_share with twelve shares, or none"))
        if bool(self.emptied_from) != bool(self.emptied_until):
            raise ValueError(_("emptied_from and emptied_until together, or neither"))
        return self


class TreatmentPlant(Pumped):
    from_bus: WaterBusRef
    to_bus: WaterBusRef
    capacity_km3_per_day: Positive
    recovery_share: Efficiency = 0.97
    cost_per_m3: NotNegative = 0.0
    max_change_per_hour_share: Annotated[float, Field(gt=0, le=1)] | None = None


class Conduit(Pumped):
    kind: Literal["canal", "pipe", "pump", "transfer"]
    from_bus: WaterBusRef
    to_bus: WaterBusRef
    capacity_km3_per_day: Positive
    loss_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    lag_hours: NotNegative = 0.0
    cost_per_m3: NotNegative = 0.0


class WaterUser(Figures):
    kind: Literal["zone", "fab", "industry"]
    bus: WaterBusRef
    demand: Annotated[Key, Ref("series", unit="km3/h")]
    user_class: Key
    penalty_per_m3: Positive
    tank_km3: NotNegative = 0.0
    tank_reserve_share: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """What normal operation leaves in the tanks; a shortage may use it."""


class WeatherStation(Figures):
    """Reference evapotranspiration is computed from as many of its series as there are."""

    elevation_m: Annotated[float, Field(ge=-450, le=6000)]
    wind_height_m: Annotated[float, Field(ge=0.5)] = 10.0
    coastal: bool = False
    temperature: TemperatureSeries | None = None
    temperature_max: TemperatureSeries | None = None
    temperature_min: TemperatureSeries | None = None
    humidity: Annotated[Key, Ref("series", unit="share")] | None = None
    wind: Annotated[Key, Ref("series", unit="m/s")] | None = None
    radiation: Annotated[Key, Ref("series", unit="W/m2")] | None = None

    @model_validator(mode="after")
    def _knows_temperatures(self) -> Any:
        if self.temperature is None and (self.temperature_max is None or self.temperature_min is None):
            raise ValueError(_("temperature, or temperature_max and temperature_min"))
        return self


class IrrigationSystem(Figures):
    bus: WaterBusRef
    reference_eto: DepthSeries
    rain: DepthSeries
    weather: Annotated[Key, Ref("weather_stations")] | None = None
    """Whose weather comes before `reference_eto` where it is known."""
    conveyance_efficiency: Efficiency = 0.8
    turn_days: Positive | None = None
    """In how many days the water comes round; fields never lack more than they use in them."""
    user_class: Key = "agriculture"
    penalty_per_m3: Positive


class Lateral(Figures):
    system: Annotated[Key, Ref("irrigation_systems")]
    capacity_m3s: Positive
    max_open: Annotated[int, Field(ge=1)]
    quiet_windows: list[Annotated[list[TimeOfDay], Field(min_length=2, max_length=2)]] = []
    """[["22:00", "05:00"], …] local: no valve opens inside, none stays open into one."""
    efficiency: Efficiency = 0.9


class Controller(Figures):
    lateral: Annotated[Key, Ref("laterals")]
    poll_seconds: Annotated[int, Field(ge=30, le=86400)] = 300
    feeds: list[Key] | None = None
    """Series that it measures; those that the admin names where this is left out."""


class Turnout(Figures):
    lateral: Annotated[Key, Ref("laterals")]
    controller: Annotated[Key, Ref("controllers")]
    flow_m3s: Positive
    min_run_minutes: Annotated[int, Field(ge=0)] = 30
    max_run_minutes: Annotated[int, Field(ge=1)] | None = None
    travel_minutes: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _run_lengths_in_order(self) -> Any:
        if self.max_run_minutes is not None and self.min_run_minutes > self.max_run_minutes:
            raise ValueError(_("min_run_minutes ≤ max_run_minutes"))
        return self


class CropBlock(Figures):
    turnout: Annotated[Key, Ref("turnouts")]
    crop: Key
    area_ha: Positive
    planted: MonthDay
    season_days: Annotated[int, Field(ge=20, le=800)] | None = None
    """From planting to harvest; without it the crop's usual season."""
    application_efficiency: Efficiency = 0.7
    percolation_mm_per_day: NotNegative = 0.0
    soil: Key = "loam"
    water_at_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Watered when this share of what the field may lack is gone."""
    water_to_share: Share = 1.0
    """What share of it may still be gone afterwards; 0 fills to field capacity."""
    awd_mm: NotNegative = 0.0
    """How far water may fall below the surface of a rice field; 0 keeps it flooded."""

    @model_validator(mode="after")
    def _fills_up(self) -> Any:
        if self.water_to_share > self.water_at_share:
            raise ValueError(_("water_to_share ≤ water_at_share"))
        return self
