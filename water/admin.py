"""Water assets as the utility engineer sees them, city by city."""

from __future__ import annotations

from django.contrib import admin

from . import device_admin  # noqa: F401  registers controllers, turnouts and what they do
from .asset_admin import WHAT, WHENCE, AssetAdmin
from .models import (
    Conduit,
    IrrigationSystem,
    Lateral,
    Reservoir,
    River,
    TreatmentPlant,
    WaterBus,
    WaterSource,
    WaterUser,
    WeatherStation,
    Weir,
)


@admin.register(WaterBus)
class WaterBusAdmin(AssetAdmin):
    list_display = (*WHAT, "kind", "city")
    list_filter = ("city", "kind")


@admin.register(River)
class RiverAdmin(AssetAdmin):
    list_display = (*WHAT, "bus", "environmental_flow_m3s", "downstream", *WHENCE)
    list_select_related = ("bus", "downstream", "city")


@admin.register(Weir)
class WeirAdmin(AssetAdmin):
    list_display = (*WHAT, "river", "to_bus", "capacity_km3_per_day", "kwh_per_m3", *WHENCE)
    list_select_related = ("river", "to_bus", "city")


@admin.register(WaterSource)
class WaterSourceAdmin(AssetAdmin):
    list_display = (*WHAT, "kind", "bus", "kwh_per_m3", "cost_per_m3", *WHENCE)
    list_filter = ("city", "kind", "assumption")
    list_select_related = ("bus", "city")


@admin.register(Reservoir)
class ReservoirAdmin(AssetAdmin):
    list_display = (*WHAT, "bus", "capacity_km3", "minimum_km3", "emptied_from", "emptied_until", *WHENCE)
    list_select_related = ("bus", "city")


@admin.register(TreatmentPlant)
class TreatmentPlantAdmin(AssetAdmin):
    list_display = (*WHAT, "from_bus", "to_bus", "capacity_km3_per_day", "kwh_per_m3", *WHENCE)
    list_select_related = ("from_bus", "to_bus", "city")


@admin.register(Conduit)
class ConduitAdmin(AssetAdmin):
    list_display = (*WHAT, "kind", "from_bus", "to_bus", "capacity_km3_per_day", "lag_hours", *WHENCE)
    list_filter = ("city", "kind", "assumption")
    list_select_related = ("from_bus", "to_bus", "city")


@admin.register(WaterUser)
class WaterUserAdmin(AssetAdmin):
    list_display = (*WHAT, "kind", "bus", "user_class", "penalty_per_m3", "tank_km3", *WHENCE)
    list_filter = ("city", "kind", "user_class", "assumption")
    list_select_related = ("bus", "city")


@admin.register(WeatherStation)
class WeatherStationAdmin(AssetAdmin):
    list_display = (*WHAT, "elevation_m", "wind_height_m", "temperature", "radiation", *WHENCE)
    list_select_related = ("temperature", "radiation", "city")


@admin.register(IrrigationSystem)
class IrrigationSystemAdmin(AssetAdmin):
    list_display = (*WHAT, "bus", "conveyance_efficiency", "user_class", *WHENCE)
    list_select_related = ("bus", "city")


@admin.register(Lateral)
class LateralAdmin(AssetAdmin):
    list_display = (*WHAT, "system", "capacity_m3s", "max_open", *WHENCE)
    list_filter = ("city", "system", "assumption")
    list_select_related = ("system", "city")
