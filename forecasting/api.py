"""Series, their measurements and their forecasts over HTTP, for the people of the city. Errors are problem+json."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from cities.models import City, Membership
from cities.scoping import city_or_404, role_in

from .models import NEWEST_FIRST, Forecast, Lead, Series
from .readers import history, is_stale, last_times
from .scoring import SHOWN_DAYS, Record, daily_records, records

MOST_DAYS = 366
"""A chart of a year; whoever wants all of a series reads it year by year."""


class SeriesSerializer(serializers.ModelSerializer[Series]):
    """One quantity over time, and how fresh it is."""

    drivers = serializers.ListField(child=serializers.CharField(), help_text="keys of the series that explain this one")
    last_value_at = serializers.SerializerMethodField()
    stale = serializers.SerializerMethodField()

    class Meta:
        model = Series
        fields = (
            "key", "name", "name_zh", "unit", "step_minutes", "minimum", "maximum", "stale_after_hours", "drivers",
            "source", "assumption", "last_value_at", "stale",
        )  # fmt: skip

    def get_last_value_at(self, series: Series) -> datetime | None:
        found: datetime | None = self.context["last"].get(series.pk)
        return found

    def get_stale(self, series: Series) -> bool:
        last = self.context["last"].get(series.pk)
        return last is None or is_stale(series, last, self.context["now"])


class ForecastSerializer(serializers.ModelSerializer[Forecast]):
    """What was expected, as it was issued: one number per step from `start`."""

    series = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Forecast
        fields = (
            "id", "series", "issued_at", "known_at", "start", "step_minutes", "mean", "quantiles", "method", "weights",
            "notes", "synthetic",
        )  # fmt: skip


class SpanSerializer(serializers.Serializer[Any]):
    """Which measurements are wanted."""

    days = serializers.FloatField(required=False, default=7, min_value=0, max_value=MOST_DAYS)
    known_at = serializers.DateTimeField(required=False, help_text="as known then; default now")


class ScoredDaysSerializer(serializers.Serializer[Any]):
    """How far back."""

    days = serializers.FloatField(required=False, default=SHOWN_DAYS, min_value=0, max_value=MOST_DAYS)


class HistorySerializer(serializers.Serializer[Any]):
    """Measurements as known at a moment, ascending."""

    series = serializers.CharField()
    unit = serializers.CharField()
    known_at = serializers.DateTimeField()
    synthetic = serializers.BooleanField(help_text="whether any of the values is invented")
    times = serializers.ListField(child=serializers.DateTimeField())
    values = serializers.ListField(child=serializers.FloatField())


class ScoreSerializer(serializers.Serializer[Any]):
    """How good the forecasts were in one group of leads: figures over `count` measured steps, null for none."""

    lead = serializers.ChoiceField(Lead.values)
    day = serializers.DateField(required=False, help_text="local day on which the forecasts were made")
    forecasts = serializers.IntegerField()
    wanted = serializers.IntegerField(help_text="steps expected")
    count = serializers.IntegerField(help_text="steps of which the truth is known")
    mae = serializers.FloatField(allow_null=True)
    bias = serializers.FloatField(allow_null=True, help_text="above 0: more was expected than came")
    pinball = serializers.FloatField(allow_null=True)
    covered_50 = serializers.FloatField(allow_null=True)
    covered_90 = serializers.FloatField(allow_null=True)
    naive_mae = serializers.FloatField(allow_null=True)
    skill = serializers.FloatField(allow_null=True, help_text="1 - mae / naive_mae")
    synthetic = serializers.BooleanField(help_text="whether any of the truth is invented")


class ScoresSerializer(serializers.Serializer[Any]):
    """How good the forecasts of the last days were, over all days and day by day."""

    series = serializers.CharField()
    unit = serializers.CharField()
    days = serializers.FloatField()
    leads = ScoreSerializer(many=True)
    by_day = ScoreSerializer(many=True)


@extend_schema(operation_id="list_series", responses=SeriesSerializer(many=True))
@api_view(["GET"])
def series_list(request: Request, city_key: str) -> Response:
    """All series of a city."""
    rows = list(Series.objects.filter(city=_city(request, city_key)).order_by("key"))
    return Response(SeriesSerializer(rows, many=True, context=_freshness(rows)).data)


@extend_schema(operation_id="read_series", responses=SeriesSerializer)
@api_view(["GET"])
def series_detail(request: Request, city_key: str, key: str) -> Response:
    """One series."""
    series = _series(request, city_key, key)
    return Response(SeriesSerializer(series, context=_freshness([series])).data)


@extend_schema(operation_id="read_history", parameters=[SpanSerializer], responses=HistorySerializer)
@api_view(["GET"])
def series_history(request: Request, city_key: str, key: str) -> Response:
    """The last days of measurements; `known_at` answers what was known at an earlier moment."""
    series = _series(request, city_key, key)
    asked = SpanSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    known_at = asked.validated_data.get("known_at") or timezone.now()
    values, synthetic = history(series, known_at, asked.validated_data["days"])
    body = {
        "series": series.key,
        "unit": series.unit,
        "known_at": known_at,
        "synthetic": synthetic,
        "times": [at.isoformat() for at in values.index],
        "values": values.tolist(),
    }
    return Response(body)


@extend_schema(
    operation_id="read_forecast",
    parameters=[OpenApiParameter("issued_before", datetime, description="the newest one issued before; default now")],
    responses=ForecastSerializer,
)
@api_view(["GET"])
def series_forecast(request: Request, city_key: str, key: str) -> Response:
    """The newest forecast of a series."""
    series = _series(request, city_key, key)
    asked = _Moment(data=request.query_params)
    asked.is_valid(raise_exception=True)
    before = asked.validated_data.get("issued_before") or timezone.now() + timedelta(seconds=1)
    found = Forecast.objects.filter(series=series, issued_at__lt=before).order_by(*NEWEST_FIRST).first()
    if found is None:
        raise NotFound
    return Response(ForecastSerializer(found).data)


@extend_schema(operation_id="read_scores", parameters=[ScoredDaysSerializer], responses=ScoresSerializer)
@api_view(["GET"])
def series_scores(request: Request, city_key: str, key: str) -> Response:
    """How good the forecasts of a series were, by how far ahead they looked."""
    series = _series(request, city_key, key)
    asked = ScoredDaysSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    days, now = asked.validated_data["days"], timezone.now()
    body = {
        "series": series.key,
        "unit": series.unit,
        "days": days,
        "leads": [_score(record) for record in records(series, now, days)],
        "by_day": [_score(record) for record in daily_records(series, now, days)],
    }
    return Response(body)


def _score(record: Record) -> dict[str, Any]:
    day = {"day": record.day.isoformat()} if record.day else {}
    figures = {**record.tally.figures(), "skill": record.tally.skill}
    return {"lead": record.lead, **day, "forecasts": record.forecasts, **figures, "synthetic": record.synthetic}


class _Moment(serializers.Serializer[Any]):
    issued_before = serializers.DateTimeField(required=False)


def _city(request: Request, key: str) -> City:
    """The city, 404 for strangers; a fab's people read their reports, not the city's series."""
    city = city_or_404(request.user, key)
    if role_in(request.user, city) == Membership.Role.FAB:
        raise PermissionDenied
    return city


def _series(request: Request, city_key: str, key: str) -> Series:
    return get_object_or_404(Series.objects.select_related("city"), city=_city(request, city_key), key=key)


def _freshness(rows: list[Series]) -> dict[str, Any]:
    now = timezone.now()
    return {"now": now, "last": last_times(rows, now)}
