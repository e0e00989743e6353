"""What the utility engineer sees of measurements and forecasts: fresh or stale, real or synthetic, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cities.scoping import ADMIN_EDITORS, CityScopedAdmin, ReadOnlyAdmin, cities_of

from .charts import sparkline
from .models import NEWEST_FIRST, Alert, Forecast, Observation, Series, unit_label
from .reports import BAD, age_badge, badge, chart_of, cleaning_table, driver_links, series_context, synthetic_badge
from .words import alert_text, method_text, rests_on

# What is announced for later is no last value.
COME = Observation.objects.filter(series=OuterRef("pk"), valid_at__lte=Now())
LATEST = COME.order_by("-valid_at", "synthetic", "-recorded_at")
OPEN = Alert.objects.filter(series=OuterRef("pk"), until=None).values("series").annotate(count=Count("pk"))
NEWEST = Forecast.objects.filter(series=OuterRef("pk")).order_by(*NEWEST_FIRST)


class CappedPaginator(Paginator):
    """Counts to 10,000 and no further: counting millions of rows costs seconds for a number nobody reads."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:10_000].count())  # type: ignore[attr-defined]


class UnitFilter(admin.AllValuesFieldListFilter):
    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": unit_label(str(choice["display"]))}


@admin.register(Series)
class SeriesAdmin(CityScopedAdmin, admin.ModelAdmin):
    list_display = ("label", "unit_shown", "last_value", "age", "alerts", "expectation", "key")
    list_filter = ("city", ("unit", UnitFilter), "assumption")
    search_fields = ("name", "name_zh", "key")
    ordering = ("city", "key")
    list_per_page = 60

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine: QuerySet[Any] = super().get_queryset(request).select_related("city")
        annotated: QuerySet[Any] = mine.annotate(
            last_at=Subquery(LATEST.values("valid_at")[:1]),
            last=Subquery(LATEST.values("value")[:1]),
            last_synthetic=Subquery(LATEST.values("synthetic")[:1]),
            mean=Subquery(NEWEST.values("mean")[:1]),
            open_alerts=Subquery(OPEN.values("count")),
        )
        return annotated

    @admin.display(description=gettext_lazy("unit"), ordering="unit")
    def unit_shown(self, series: Series) -> str:
        return series.unit_label

    @admin.display(description=gettext_lazy("last value"))
    def last_value(self, series: Any) -> SafeString | str:
        if series.last_at is None:
            return "–"
        return format_html("{} {}", f"{series.last:.5g}", synthetic_badge(series.last_synthetic))

    @admin.display(description=gettext_lazy("age"))
    def age(self, series: Any) -> SafeString | str:
        if series.is_schedule:
            return "–"
        if series.last_at is None:
            return badge(_("no value"), BAD)
        return age_badge(series, series.last_at, timezone.now())

    @admin.display(description=gettext_lazy("open alerts"))
    def alerts(self, series: Any) -> SafeString | str:
        return badge(str(series.open_alerts), BAD) if series.open_alerts else "–"

    @admin.display(description=gettext_lazy("expected"))
    def expectation(self, series: Any) -> SafeString:
        return mark_safe(sparkline(series.mean or []))  # noqa: S308 - numbers only

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "drivers":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        names = {row.key: f"{row.label} ({row.key})" for row in _possible_drivers(request)}
        told = _("What explains it: weather, schedules.")
        widget = forms.CheckboxSelectMultiple(attrs={"class": "columns"})
        return forms.MultipleChoiceField(
            choices=list(names.items()), required=False, widget=widget, help_text=told, label=_("drivers").capitalize()
        )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who only reads gets the drivers by name."""
        found: Any = super().get_fieldsets(request, obj)
        words = {} if self.has_change_permission(request, obj) else {"drivers": "drivers_said"}
        return [(title, {**rest, "fields": [words.get(f, f) for f in rest["fields"]]}) for title, rest in found]

    @admin.display(description=gettext_lazy("drivers"))
    def drivers_said(self, series: Series) -> SafeString | str:
        return driver_links(series) or "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        series = self.get_object(request, object_id)
        shown = {**(extra_context or {}), **(series_context(series) if series else {})}
        return super().change_view(request, object_id, form_url, shown)


def _possible_drivers(request: HttpRequest) -> QuerySet[Series]:
    """Those of the city of the series that is shown; for a new one, those of all cities that the person may edit."""
    mine = Series.objects.filter(city__in=cities_of(request.user, ADMIN_EDITORS)).order_by("key")
    shown = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
    return mine.filter(city__in=Series.objects.filter(pk=shown).values("city")) if shown else mine


@admin.register(Observation)
class ObservationAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    city_path = "series__city"
    list_display = ("series", "local_time", "amount", "recorded_at")
    list_filter = ("series__city", "synthetic", "series")
    list_select_related = ("series__city",)
    # The order of the index, backwards.
    ordering = ("-series_id", "-valid_at")
    paginator = CappedPaginator
    show_full_result_count = False
    fields = ("series", "local_time", "amount", "recorded_at")

    @admin.display(description=gettext_lazy("local time"))
    def local_time(self, row: Observation) -> str:
        return f"{row.valid_at.astimezone(row.series.city.zone):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("value"))
    def amount(self, row: Observation) -> SafeString:
        return format_html("{} {} {}", f"{row.value:.6g}", row.series.unit_label, synthetic_badge(row.synthetic))


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    city_path = "series__city"
    list_display = ("series", "issued_at", "start", "made_by", "based_on")
    list_filter = ("series__city", "synthetic", "series")
    list_select_related = ("series__city",)
    ordering = ("-issued_at",)
    list_per_page = 40  # each says its method in a sentence
    paginator = CappedPaginator
    show_full_result_count = False
    fields = (
        "chart",
        "series",
        "issued_at",
        "known_at",
        "start",
        "step_minutes",
        "made_by",
        "cleaning",
        "based_on",
    )
    readonly_fields = ("chart", "made_by", "cleaning", "based_on")

    @admin.display(description=gettext_lazy("rests on"))
    def based_on(self, row: Forecast) -> SafeString | str:
        return synthetic_badge(row.synthetic) or rests_on(row)

    @admin.display(description=gettext_lazy("method"))
    def made_by(self, row: Forecast) -> str:
        return method_text(row.weights, row.method)

    @admin.display(description=gettext_lazy("cleaning"))
    def cleaning(self, row: Forecast) -> SafeString:
        return cleaning_table(row)

    @admin.display(description=gettext_lazy("chart"))
    def chart(self, row: Forecast) -> SafeString:
        return chart_of(row.series, row, row.known_at)


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("open")), ("no", gettext_lazy("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        value = self.value()
        return queryset.filter(until__isnull=value == "yes") if value else queryset


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    city_path = "series__city"
    list_display = ("series", "kind", "since", "until", "told", "acknowledged")
    list_filter = ("series__city", OpenFilter, "kind", "series")
    list_select_related = ("series__city", "acknowledged_by")
    # What stands open first.
    ordering = (F("until").desc(nulls_first=True), "-since")
    actions = ("acknowledge",)
    fields = ("series", "kind", "since", "until", "told", "acknowledged")
    readonly_fields = ("told", "acknowledged")

    @admin.display(description=gettext_lazy("what is the matter"))
    def told(self, alert: Alert) -> str:
        return alert_text(alert)

    @admin.display(description=gettext_lazy("acknowledged"))
    def acknowledged(self, alert: Alert) -> str:
        if alert.acknowledged_at is None:
            return "–"
        at = alert.acknowledged_at.astimezone(alert.series.city.zone)
        return f"{alert.acknowledged_by or '–'}, {at:%Y-%m-%d %H:%M}"

    @admin.action(description=gettext_lazy("Acknowledge the chosen alerts"), permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, chosen: QuerySet[Alert]) -> None:
        """Says that a person has seen them; the first one stays named. Viewers' cities are left out."""
        mine = chosen.filter(series__city__in=cities_of(request.user, ADMIN_EDITORS), acknowledged_at=None)
        count = mine.update(acknowledged_by=request.user.pk, acknowledged_at=timezone.now())
        self.message_user(request, _("Alerts acknowledged: %(count)d.") % {"count": count})

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return cities_of(request.user, ADMIN_EDITORS).exists()
