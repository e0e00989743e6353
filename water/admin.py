"""Water assets as the utility engineer sees them, city by city."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from cities.scoping import CityScopedAdmin

from .models import (
    Conduit,
    Controller,
    CropBlock,
    IrrigationSystem,
    Lateral,
    Reservoir,
    River,
    TreatmentPlant,
    Turnout,
    ValveRun,
    WaterBus,
    WaterSource,
    WaterUser,
    Weir,
)

WHAT = ("label", "key")
WHENCE = ("assumption", "city")


class AssetAdmin(CityScopedAdmin, admin.ModelAdmin):
    list_filter: ClassVar[tuple[str, ...]] = ("city", "assumption")
    search_fields = ("key", "name", "name_zh", "source", "note")
    ordering = ("city", "key")
    list_per_page = 50


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
    list_display = (*WHAT, "kind", "bus", "user_class", "penalty_per_m3", "tank_km3", "tank_reserve_share", *WHENCE)
    list_filter = ("city", "kind", "user_class", "assumption")
    list_select_related = ("bus", "city")


@admin.register(IrrigationSystem)
class IrrigationSystemAdmin(AssetAdmin):
    list_display = (*WHAT, "bus", "conveyance_efficiency", "user_class", *WHENCE)
    list_select_related = ("bus", "city")


@admin.register(Lateral)
class LateralAdmin(AssetAdmin):
    list_display = (*WHAT, "system", "capacity_m3s", "max_open", *WHENCE)
    list_filter = ("city", "system", "assumption")
    list_select_related = ("system", "city")


@admin.register(Controller)
class ControllerAdmin(AssetAdmin):
    list_display = (*WHAT, "lateral", "last_seen_at", "applied_revision", "city")
    list_filter = ("city", "lateral")
    list_select_related = ("lateral", "city")
    readonly_fields = ("last_seen_at", "applied_revision")


class CropBlockInline(CityScopedAdmin, admin.TabularInline):
    model = CropBlock
    extra = 0
    fields = ("key", "name", "crop", "area_ha", "planted", "season_days", "application_efficiency")
    show_change_link = True


@admin.register(Turnout)
class TurnoutAdmin(AssetAdmin):
    list_display = (*WHAT, "lateral", "controller", "flow_m3s", "travel_minutes", *WHENCE)
    list_filter = ("city", "lateral", "assumption")
    list_select_related = ("lateral", "controller", "city")
    inlines = (CropBlockInline,)


@admin.register(CropBlock)
class CropBlockAdmin(AssetAdmin):
    list_display = (*WHAT, "turnout", "crop", "area_ha", "planted", *WHENCE)
    list_filter = ("city", "crop", "assumption")
    list_select_related = ("turnout", "city")


@admin.register(ValveRun)
class ValveRunAdmin(CityScopedAdmin, admin.ModelAdmin):
    """Runs are written by plans and changed by nobody: a controller may already have them."""

    city_path = "turnout__city"
    list_display = ("start", "end", "turnout", "volume_m3", "status", "rev", "plan")
    list_filter = ("status", "turnout__lateral")
    list_select_related = ("turnout", "plan__city")
    date_hierarchy = "start"
    ordering = ("-start", "turnout__key")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
