"""Cities and people, for superusers; an engineer works inside a city and does not make one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.contrib import admin
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.deletion import Collector, RestrictedError
from django.http import HttpRequest

from .models import City, Membership, PriorityPolicy
from .scoping import CityScopedAdmin


class SuperuserAdmin(admin.ModelAdmin):
    """Pages that only a superuser finds."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request)

    def _may(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


@admin.register(City)
class CityAdmin(SuperuserAdmin):
    list_display = ("label", "key", "time_zone", "currency")
    search_fields = ("name", "name_zh", "key")

    def get_deleted_objects(
        self, objs: Iterable[City], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes with a city, as numbers: Django's own page would read and list every measurement."""
        cities = list(objs)
        collector = Collector(using=DEFAULT_DB_ALIAS)
        try:
            collector.collect(cities)
        except RestrictedError as error:
            return [], {}, set(), [str(row) for row in error.restricted_objects]
        found = Counter({model: len(rows) for model, rows in collector.data.items()})
        for rows in collector.fast_deletes:
            found[rows.model] += rows.count()
        counts = {str(model._meta.verbose_name_plural): count for model, count in found.items() if count}
        return [str(city) for city in cities], counts, set(), []


@admin.register(Membership)
class MembershipAdmin(SuperuserAdmin):
    list_display = ("user", "city", "role")
    list_filter = ("city", "role")
    autocomplete_fields = ("user",)
    list_select_related = ("user", "city")


@admin.register(PriorityPolicy)
class PriorityPolicyAdmin(CityScopedAdmin, admin.ModelAdmin):
    list_display = ("label", "city", "in_force", "assumption")
    list_filter = ("city", "in_force")
    search_fields = ("name", "name_zh", "key")
