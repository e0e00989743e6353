"""Power assets: MW, MWh, money in the city's currency."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from .fields import (
    Efficiency,
    Figures,
    Hour,
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
)

Section = Literal["peak", "semi_peak", "saturday_semi_peak", "off_peak"]
ContractKind = Literal["regular", "semi_peak", "saturday_semi_peak", "off_peak"]


class PowerBus(Thing):
    pass


class Band(Part):
    """Local hours [from_hour, to_hour) of a day type; hours in no band are off-peak."""

    day_type: Literal["weekday", "saturday", "off_day"]
    from_hour: Annotated[float, Field(ge=0, lt=24)]
    to_hour: Annotated[float, Field(gt=0, le=24)]
    section: Section

    @model_validator(mode="after")
    def _runs_forward(self) -> Any:
        if self.from_hour >= self.to_hour:
            raise ValueError(_("from_hour before to_hour (two bands for one that passes midnight)"))
        return self


class Season(Part):
    name: Key
    first: MonthDay
    last: MonthDay
    """Included; a season may pass New Year."""
    bands: list[Band]
    energy_per_kwh: dict[Section, NotNegative]
    """Money per kWh by section."""
    contract_per_kw_month: dict[ContractKind, NotNegative]
    """Basic fee, money per kW of contract and month."""

    @model_validator(mode="after")
    def _has_its_prices(self) -> Any:
        missing = {"off_peak", *(band.section for band in self.bands)} - set(self.energy_per_kwh)
        if missing:
            raise ValueError(_("energy_per_kwh for %(sections)s") % {"sections": ", ".join(sorted(missing))})
        if "regular" not in self.contract_per_kw_month:
            raise ValueError(_("contract_per_kw_month for regular"))
        return self


class OverContract(Part):
    first_share: Share = 0.10
    first_multiple: NotNegative = 2.0
    beyond_multiple: NotNegative = 3.0


class TariffData(Part):
    seasons: Annotated[list[Season], Field(min_length=1)]
    """Together they hold every day of the year, once."""
    over_contract: OverContract = OverContract()
    customer_fee_per_month: NotNegative = 0.0
    valid_from: IsoDate | None = None
    holidays: list[IsoDate] = []
    """Dates billed like a Sunday, beside the public holidays of the city's calendar."""


class Tariff(Figures):
    data: TariffData


class GridConnection(Figures):
    bus: PowerBusRef
    tariff: Annotated[Key, Ref("tariffs")]
    contract_mw: Positive
    limit_mw: Positive
    carbon_kg_per_kwh: NotNegative

    @model_validator(mode="after")
    def _contract_within_limit(self) -> Any:
        if self.contract_mw > self.limit_mw:
            raise ValueError(_("contract_mw ≤ limit_mw"))
        return self


class SolarPark(Figures):
    bus: PowerBusRef
    capacity_mw: Positive
    capacity_factor: Annotated[Key, Ref("series", unit="share")]


class Battery(Figures):
    bus: PowerBusRef
    capacity_mwh: Positive
    power_mw: Positive
    charge_efficiency: Efficiency = 0.95
    discharge_efficiency: Efficiency = 0.95
    state_of_charge: Annotated[Key, Ref("series", unit="MWh")] | None = None
    reserve_share: Share = 0.1
    loss_per_hour: Share = 0.0
    wear_cost_per_mwh: NotNegative = 0.0


class PowerLoad(Figures):
    kind: Literal["sector", "fab"] = "sector"
    bus: PowerBusRef
    load: Annotated[Key, Ref("series", unit="MW")]
    user_class: Key
    penalty_per_mwh: Positive


class BusDepot(Figures):
    bus: PowerBusRef
    buses: Annotated[int, Field(ge=1)]
    energy_mwh_per_day: Positive
    charger_mw: Positive
    plug_in_hour: Hour
    plug_out_hour: Hour
    penalty_per_mwh: Positive

    @model_validator(mode="after")
    def _charges_in_time(self) -> Any:
        hours = (self.plug_out_hour - self.plug_in_hour) % 24
        if self.charger_mw * hours < self.energy_mwh_per_day:
            raise ValueError(_("charger_mw × %(hours)d h plugged in ≥ energy_mwh_per_day") % {"hours": hours})
        return self


class PowerLine(Figures):
    from_bus: PowerBusRef
    to_bus: PowerBusRef
    capacity_mw: Positive
    loss_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
