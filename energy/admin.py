"""The power assets of an engineer's cities."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from cities.scoping import CityScopedAdmin

from .models import Battery, BusDepot, GridConnection, PowerBus, PowerLine, PowerLoad, SolarPark, Tariff
from .tariff_page import price_table


class PowerAdmin(CityScopedAdmin, admin.ModelAdmin):
    """What the pages of all power assets have in common."""

    search_fields = ("name", "name_zh", "key")
    list_filter: ClassVar[tuple[str, ...]] = ("city", "assumption")
    list_select_related: ClassVar[tuple[str, ...]] = ("city",)


@admin.register(PowerBus)
class PowerBusAdmin(PowerAdmin):
    list_display = ("label", "city", "key")
    list_filter = ("city",)


@admin.register(Tariff)
class TariffAdmin(PowerAdmin):
    """A price table is read here and changed in the city pack, whose check knows its rules."""

    list_display = ("label", "city", "source")
    exclude = ("data",)
    readonly_fields = ("prices",)

    @admin.display(description=gettext_lazy("tariff"))
    def prices(self, tariff: Tariff) -> SafeString:
        return price_table(tariff)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(GridConnection)
class GridConnectionAdmin(PowerAdmin):
    list_display = ("label", "city", "bus", "tariff", "contract_mw", "limit_mw", "assumption")
    list_select_related = ("city", "bus", "tariff")


@admin.register(SolarPark)
class SolarParkAdmin(PowerAdmin):
    list_display = ("label", "city", "bus", "capacity_mw", "assumption")
    list_select_related = ("city", "bus")


@admin.register(Battery)
class BatteryAdmin(PowerAdmin):
    list_display = ("label", "city", "bus", "capacity_mwh", "power_mw", "assumption")
    list_select_related = ("city", "bus")


@admin.register(PowerLoad)
class PowerLoadAdmin(PowerAdmin):
    list_display = ("label", "city", "bus", "kind", "user_class", "assumption")
    list_filter = ("city", "kind", "user_class", "assumption")
    list_select_related = ("city", "bus")


@admin.register(BusDepot)
class BusDepotAdmin(PowerAdmin):
    list_display = ("label", "city", "bus", "buses", "energy_mwh_per_day", "charger_mw", "assumption")
    list_select_related = ("city", "bus")


@admin.register(PowerLine)
class PowerLineAdmin(PowerAdmin):
    list_display = ("label", "city", "from_bus", "to_bus", "capacity_mw", "loss_share")
    list_select_related = ("city", "from_bus", "to_bus")
