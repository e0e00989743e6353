"""What the admin pages of all water assets share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin

from cities.scoping import CityScopedAdmin

WHAT = ("label",)
WHENCE = ("assumption", "city")


class AssetAdmin(CityScopedAdmin, admin.ModelAdmin):
    list_filter: ClassVar[tuple[Any, ...]] = ("city", "assumption")
    search_fields = ("key", "name", "name_zh", "source", "note")
    ordering = ("city", "key")
    list_per_page = 50
