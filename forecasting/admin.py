"""What the utility engineer sees of measurements and forecasts: fresh or stale, real or synthetic, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cities.scoping import CityScopedAdmin, ReadOnlyAdmin

from .charts import fan_chart, sparkline
from .models import Forecast, Observation, Series
from .readers import history, is_stale

CHART_DAYS = 14
LATEST = Observation.objects.filter(series=OuterRef("pk")).order_by("-valid_at", "synthetic", "-recorded_at")
NEWEST = Forecast.objects.filter(series=OuterRef("pk")).order_by("-issued_at")


class CappedPaginator(Paginator):
    """Counts to 10,000 and no further: counting millions of rows costs seconds for a number nobody reads."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:10_000].count())  # type: ignore[attr-defined]


@admin.register(Series)
class SeriesAdmin(CityScopedAdmin, admin.ModelAdmin):
    list_display = ("label", "key", "unit", "last_value", "age", "expectation")
    list_filter = ("city", "unit", "assumption")
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
        )
        return annotated

    @admin.display(description=gettext_lazy("last value"))
    def last_value(self, series: Any) -> SafeString | str:
        if series.last_at is None:
            return "–"
        return format_html("{} {}", f"{series.last:.5g}", synthetic_badge(series.last_synthetic))

    @admin.display(description=gettext_lazy("age"))
    def age(self, series: Any) -> SafeString | str:
        if series.last_at is None:
            return badge(_("no value"), "#a33")
        now = timezone.now()
        text = age_text(now - series.last_at - series.step)
        return badge(_("stale: %(age)s") % {"age": text}, "#a33") if is_stale(series, series.last_at, now) else text

    @admin.display(description=gettext_lazy("expected"))
    def expectation(self, series: Any) -> SafeString:
        return mark_safe(sparkline(series.mean or []))  # noqa: S308 - numbers only

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        series = self.get_object(request, object_id)
        shown = {**(extra_context or {}), **(series_context(series) if series else {})}
        return super().change_view(request, object_id, form_url, shown)


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

    @admin.display(description=gettext_lazy("local time"))
    def local_time(self, row: Observation) -> str:
        return f"{row.valid_at.astimezone(row.series.city.zone):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("value"))
    def amount(self, row: Observation) -> SafeString:
        return format_html("{} {} {}", f"{row.value:.6g}", row.series.unit, synthetic_badge(row.synthetic))


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    city_path = "series__city"
    list_display = ("series", "issued_at", "start", "method", "based_on")
    list_filter = ("series__city", "synthetic", "series")
    list_select_related = ("series__city",)
    ordering = ("-issued_at",)
    paginator = CappedPaginator
    show_full_result_count = False
    fields = (
        "chart",
        "series",
        "issued_at",
        "known_at",
        "start",
        "step_minutes",
        "method",
        "weights",
        "notes",
        "based_on",
    )
    readonly_fields = ("chart", "based_on")

    @admin.display(description=gettext_lazy("rests on"))
    def based_on(self, row: Forecast) -> SafeString | str:
        return synthetic_badge(row.synthetic) or _("measurements")

    @admin.display(description=gettext_lazy("chart"))
    def chart(self, row: Forecast) -> SafeString:
        return chart_of(row.series, row, row.known_at)


def series_context(series: Series) -> dict[str, Any]:
    """What the page of a series shows above its fields."""
    newest = Forecast.objects.filter(series=series).order_by("-issued_at").first()
    known_at = newest.known_at if newest else timezone.now()
    _values, synthetic = history(series, known_at, CHART_DAYS)
    weights = sorted(newest.weights.items(), key=lambda item: -item[1]) if newest else []
    return {
        "chart": chart_of(series, newest, known_at),
        "forecast": newest,
        "weights": weights,
        "is_synthetic": synthetic or bool(newest and newest.synthetic),
    }


def chart_of(series: Series, forecast: Forecast | None, known_at: datetime) -> SafeString:
    """Two weeks of history and the forecast as SVG."""
    values, _synthetic = history(series, known_at, CHART_DAYS)
    drawn = fan_chart(
        list(zip(pd.DatetimeIndex(values.index).to_pydatetime(), values.tolist(), strict=True)),
        forecast.times if forecast else [],
        forecast.mean if forecast else [],
        forecast.quantiles if forecast else {},
        label=series.label,
        unit=series.unit,
        zone=series.city.zone,
    )
    return mark_safe(drawn)  # noqa: S308 - drawn here; names are escaped


def badge(text: str, colour: str) -> SafeString:
    style = f"background:{colour};color:#fff;border-radius:3px;padding:1px 6px;font-size:.85em;white-space:nowrap"
    return format_html('<span style="{}">{}</span>', style, text)


def synthetic_badge(synthetic: bool | None) -> SafeString:
    """The mark that stands wherever an invented value shows."""
    return badge(_("synthetic"), "#8a5a00") if synthetic else SafeString("")


def age_text(age: timedelta) -> str:
    hours = age / timedelta(hours=1)
    if hours < 1:
        return _("%(minutes)d min") % {"minutes": max(0, round(60 * hours))}
    return _("%(hours).0f h") % {"hours": hours} if hours < 72 else _("%(days).0f days") % {"days": hours / 24}
