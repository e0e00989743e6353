"""Crop blocks and how their fields stand, as the utility engineer sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from cities.scoping import ADMIN_READERS, CityScopedAdmin, ReadOnlyAdmin, in_cities_of

from .asset_admin import WHAT, WHENCE, AssetAdmin
from .device_words import CROPS, crop_in_words
from .models import CropBlock, FieldState

SOILS = {
    "sand": gettext_lazy("sand"),
    "loamy_sand": gettext_lazy("loamy sand"),
    "sandy_loam": gettext_lazy("sandy loam"),
    "loam": gettext_lazy("loam"),
    "silt_loam": gettext_lazy("silt loam"),
    "silty_clay_loam": gettext_lazy("silty clay loam"),
    "clay": gettext_lazy("clay"),
}
CHOICES = {"crop": CROPS, "soil": SOILS}


class ChosenFields(admin.options.BaseModelAdmin):
    """A crop and a soil are chosen: of a misspelt one no plan could be made."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name not in CHOICES:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ChoiceField(choices=list(CHOICES[db_field.name].items()), label=capfirst(db_field.verbose_name))


class CropFilter(admin.AllValuesFieldListFilter):
    """Offers the crops of the person's cities; Django's own lists those of every city."""

    def __init__(
        self, field: Any, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        mine = in_cities_of(CropBlock.objects.order_by("crop"), request.user, ADMIN_READERS)
        self.lookup_choices = mine.values_list("crop", flat=True).distinct()

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": crop_in_words(str(choice["display"]))}


class CropBlockInline(ChosenFields, CityScopedAdmin, admin.StackedInline):
    """Blocks are made on their own page: a new one or a new key must be checked against the whole city's."""

    model = CropBlock
    extra = 0
    fields = (("key", "name"), ("crop", "area_ha", "application_efficiency"), ("planted", "season_days"))
    readonly_fields = ("key",)
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CropBlock)
class CropBlockAdmin(ChosenFields, AssetAdmin):
    list_display = (*WHAT, "turnout", "crop_said", "area_ha", "planted", *WHENCE)
    list_filter = ("city", ("crop", CropFilter), "assumption")
    list_select_related = ("turnout", "city")

    @admin.display(description=gettext_lazy("crop"), ordering="crop")
    def crop_said(self, block: CropBlock) -> str:
        return crop_in_words(block.crop)


@admin.register(FieldState)
class FieldStateAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """How the fields stood at the end of each day: what the plans reckon with."""

    city_path = "block__city"
    list_display = ("day", "block", "lacks", "ponding", "applied", "source", "synthetic")
    list_filter = ("source", "synthetic", ("block__crop", CropFilter), "block__turnout__lateral")
    list_select_related = ("block",)
    search_fields = ("block__key", "block__name", "block__name_zh")
    date_hierarchy = "day"
    ordering = ("-day", "block__key")
    fields = ("block", "day", "lacks", "ponding", "applied", "source", "synthetic", "stored_at")

    @admin.display(description=gettext_lazy("lacks, mm"), ordering="depletion_mm")
    def lacks(self, state: FieldState) -> str:
        """Of rice, what the mud lacks to be saturated."""
        lacks = -min(0.0, state.state_mm) if state.depletion_mm is None else state.depletion_mm
        return f"{lacks:z.1f}"

    @admin.display(description=gettext_lazy("water on the field, mm"), ordering="ponding_mm")
    def ponding(self, state: FieldState) -> str:
        return "" if state.ponding_mm is None else f"{max(0.0, state.ponding_mm):z.1f}"

    @admin.display(description=gettext_lazy("applied, mm"), ordering="applied_mm")
    def applied(self, state: FieldState) -> str:
        return f"{state.applied_mm:z.1f}"
