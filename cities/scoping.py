"""Who sees what: a person sees the cities they are a member of and nothing of any other.

Every room uses these functions for HTTP and `CityScopedAdmin` for its admin pages. Rights come from the role of the
membership, not from Django's model permissions: one engineer in two cities may have different rights in each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.admin import RelatedFieldListFilter, display
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import City, Membership

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin as AdminBase
    from django.utils.functional import _StrPromise as StrPromise
else:
    AdminBase = object

Person = AbstractBaseUser | AnonymousUser
ADMIN_READERS = (Membership.Role.ENGINEER, Membership.Role.VIEWER)
ADMIN_EDITORS = (Membership.Role.ENGINEER,)
WHENCE = ("latitude", "longitude", "source", "assumption", "note")


def cities_of(user: Person, roles: tuple[str, ...] | None = None) -> QuerySet[City]:
    """The cities a person belongs to, in one of `roles` if given; a superuser belongs to all as an engineer."""
    if not user.is_authenticated or not user.is_active:
        return City.objects.none()
    if getattr(user, "is_superuser", False):
        return City.objects.all()
    mine = Membership.objects.filter(user=user.pk)
    if roles is not None:
        mine = mine.filter(role__in=roles)
    return City.objects.filter(pk__in=mine.values("city"))


def city_or_404(user: Person, key: str) -> City:
    """Raises Http404 for an unknown city and for a foreign one alike: that a city exists is nobody's business."""
    city = cities_of(user).filter(key=key).first()
    if city is None:
        raise Http404("no such city")
    return city


def role_in(user: Person, city: City) -> str | None:
    """The person's role; "engineer" for a superuser, None for a stranger."""
    if not user.is_authenticated or not user.is_active:
        return None
    if getattr(user, "is_superuser", False):
        return Membership.Role.ENGINEER
    return Membership.objects.filter(user=user.pk, city=city).values_list("role", flat=True).first()


def in_cities_of(queryset: QuerySet[Any], user: Person, roles: tuple[str, ...] | None = None) -> QuerySet[Any]:
    """The rows of a person's cities. Rows of a model that belongs to no city stay as they are."""
    if queryset.model is City:
        return queryset.filter(pk__in=cities_of(user, roles).values("pk"))
    try:
        queryset.model._meta.get_field("city")
    except FieldDoesNotExist:
        return queryset
    return queryset.filter(city__in=cities_of(user, roles))


class CityScopedAdmin(AdminBase):
    """Mix into a ModelAdmin or an inline, before Django's class: rows, choices, filters and rights by membership.

    `city_path` leads from the row to its city, such as "series__city".
    """

    city_path = "city"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = cities_of(request.user, ADMIN_READERS)
        return super().get_queryset(request).filter(**{f"{self.city_path}__in": mine})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> ModelChoiceField | None:
        rows = kwargs.get("queryset", db_field.remote_field.model._default_manager.all())
        kwargs["queryset"] = in_cities_of(rows, request.user, ADMIN_EDITORS)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        found = super().formfield_for_dbfield(db_field, request, **kwargs)
        if found and hasattr(found.widget, "can_delete_related"):
            found.widget.can_delete_related = False  # nobody deletes a bus on the way past it
        return found

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        rows = kwargs.get("queryset", db_field.remote_field.model._default_manager.all())
        kwargs["queryset"] = in_cities_of(rows, request.user, ADMIN_EDITORS)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Whose rows are all of one city needs no column that says so on every line."""
        columns: list[Any] = list(super().get_list_display(request))  # type: ignore[misc]
        return columns if len(_cities_asked_for(request, ADMIN_READERS)) > 1 else [c for c in columns if c != "city"]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Where rows are only read, Django links every foreign key: what the reader may not open stays a plain name."""
        found: Any = _grouped(super().get_fieldsets(request, obj))
        if self.has_change_permission(request, obj):
            return found
        return [(title, {**options, "fields": self._named(request, options["fields"])}) for title, options in found]

    def _named(self, request: HttpRequest, fields: Any) -> list[Any]:
        model: Any = self.model
        return [_name_of(model, field) if self._is_shut(request, field) else field for field in fields]

    def _is_shut(self, request: HttpRequest, name: Any) -> bool:
        known = {field.name: field for field in self.model._meta.concrete_fields}
        target = getattr(known.get(name), "related_model", None)
        page = self.admin_site._registry.get(target) if target else None
        return page is not None and not page.has_view_permission(request)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]  # type: ignore[misc]

    def _scoped_filter(self, item: Any) -> Any:
        # Django's own filter lists the rows of every city beside the table.
        if isinstance(item, str) and isinstance(get_fields_from_path(self.model, item)[-1], ForeignKey):
            return item, ScopedRelatedFilter
        return item

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(_cities_asked_for(request, ADMIN_READERS))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj, ADMIN_READERS)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj, ADMIN_EDITORS)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj, ADMIN_EDITORS)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj, ADMIN_EDITORS)

    def _may(self, request: HttpRequest, obj: Model | None, roles: tuple[str, ...]) -> bool:
        mine = _cities_asked_for(request, roles)
        city = None if obj is None else self._city_pk(obj)
        return bool(mine) if city is None else city in mine

    def _city_pk(self, obj: Model) -> Any:
        """The city of a row, or of the parent row that Django hands to an inline."""
        if isinstance(obj, City):
            return obj.pk
        found: Any = obj
        for name in self.city_path.split("__") if isinstance(obj, self.model) else ["city"]:
            found = getattr(found, name, None)
        return getattr(found, "pk", None)


def _cities_asked_for(request: HttpRequest, roles: tuple[str, ...]) -> frozenset[Any]:
    """Asked of the database once per request: every admin page asks for each right on each model, a hundred times."""
    known: dict[Any, frozenset[Any]] = request.__dict__.setdefault("_headgate_cities", {})
    if (request.user.pk, roles) not in known:
        known[request.user.pk, roles] = frozenset(cities_of(request.user, roles).values_list("pk", flat=True))
    return known[request.user.pk, roles]


def _grouped(fieldsets: Any) -> Any:
    """What an asset is and does comes first; where it stands and where its figures come from follows."""
    if len(fieldsets) != 1 or "assumption" not in fieldsets[0][1]["fields"]:
        return fieldsets
    fields = fieldsets[0][1]["fields"]
    first, last = ([name for name in fields if (name in WHENCE) == is_last] for is_last in (False, True))
    return [(None, {"fields": first}), (_("Place and source"), {"fields": last})]


@cache
def _name_of(model: Any, field: str) -> Callable[[Any], str]:
    """A column that says what a foreign key leads to. The same one each time: Django looks for it among the fields."""

    def named(row: Any) -> str:
        return str(getattr(row, field) or "–")

    return display(description=model._meta.get_field(field).verbose_name)(named)


class ReadOnlyAdmin(CityScopedAdmin):
    """Rows that nobody edits: what was measured, planned, sent or heard."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A filter beside a list that offers the rows of the person's cities only."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | StrPromise]]:
        rows = in_cities_of(field.remote_field.model._default_manager.all(), request.user, ADMIN_READERS)
        return [(row.pk, str(row)) for row in rows]
