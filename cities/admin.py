"""Cities and people, for superusers; an engineer works inside a city and does not make one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.deletion import Collector, RestrictedError
from django.forms import Textarea
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

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


class MembershipFields(admin.options.BaseModelAdmin):
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "asset_keys":
            kwargs["help_text"] = _(
                'Of a fab water manager: the keys of their water users, such as ["fab_1", "fab_2"].'
            )
            kwargs["widget"] = Textarea(attrs={"rows": 2, "cols": 40})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Membership)
class MembershipAdmin(MembershipFields, SuperuserAdmin):
    list_display = ("user", "city", "role")
    list_filter = ("city", "role")
    autocomplete_fields = ("user",)
    list_select_related = ("user", "city")


class MembershipInline(MembershipFields, admin.TabularInline):
    model = Membership
    extra = 0


# Rights come from memberships: Django's lists of permissions and groups would change nothing and only mislead.
admin.site.unregister([Group, User])


@admin.register(User)
class PersonAdmin(SuperuserAdmin, UserAdmin):
    """Django's own permissions, which an older database may still hold, open nothing here either."""

    list_display = ("username", "last_name", "first_name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "memberships__city", "memberships__role")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    inlines = (MembershipInline,)
    fieldsets: ClassVar = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("last_name", "first_name", "email")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )


@admin.register(PriorityPolicy)
class PriorityPolicyAdmin(CityScopedAdmin, admin.ModelAdmin):
    list_display = ("label", "city", "in_force", "assumption")
    list_filter = ("city", "in_force")
    search_fields = ("name", "name_zh", "key")
