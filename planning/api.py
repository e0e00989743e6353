"""Plans over HTTP: ask for one, watch it, read it, decide on it. Errors are problem+json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response

from cities.models import City, Membership
from cities.scoping import city_or_404, role_in

from . import lifecycle
from .horizons import FARTHEST_AHEAD, is_replay, start_problem
from .models import Plan
from .outbox import send_plan
from .reports import in_force
from .summary import sections

POLL_SECONDS = 2
MOST_PLANS = 1000


class PlanSerializer(serializers.ModelSerializer[Plan]):
    """A plan without its numbers."""

    city = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Plan
        fields = (
            "uid", "city", "state", "start", "valid_until", "requested_at", "reason", "stage", "progress", "status",
            "objective", "cost", "synthetic", "failure", "broken_limits", "seconds", "proposed_at", "approved_at",
            "published_at", "ended_at",
        )  # fmt: skip


class PlanRequestSerializer(serializers.Serializer[Any]):
    """What a new plan may be asked for."""

    start = serializers.DateTimeField(required=False, help_text="default: the next full quarter hour")
    reason = serializers.CharField(required=False, max_length=300, default="")
    publish = serializers.BooleanField(required=False, default=False, help_text="publish without asking when verified")

    def validate_start(self, start: Any) -> Any:
        now = timezone.now()
        if is_replay(start, now) or start - now > FARTHEST_AHEAD:
            expected = _("a time from an hour ago to %(days)d days ahead") % {"days": FARTHEST_AHEAD.days}
            raise serializers.ValidationError(expected)
        problem = start_problem(start, now)
        if problem:
            raise serializers.ValidationError(problem)
        return start

    def to_internal_value(self, data: Any) -> Any:
        strange = set(data) - set(self.fields) if isinstance(data, dict) else set()
        unknown = {key: [_("no such field")] for key in strange}
        try:
            known = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **unknown}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return known


class PageSerializer(serializers.Serializer[Any]):
    """Which plans are wanted."""

    state = serializers.ChoiceField(Plan.State.choices, required=False)
    limit = serializers.IntegerField(
        required=False, default=100, min_value=1, max_value=MOST_PLANS, help_text="plans on a page"
    )
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)


InForceSerializer = inline_serializer(
    "InForce", {"plan": PlanSerializer(allow_null=True), "warning": serializers.CharField()}
)


PlanPageSerializer = inline_serializer(
    "PlanPage",
    {
        "count": serializers.IntegerField(),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": PlanSerializer(many=True),
    },
)


@extend_schema(
    methods=["GET"],
    operation_id="list_plans",
    description="The plans of a city, newest first.",
    parameters=[PageSerializer],
    responses=PlanPageSerializer,
)
@extend_schema(
    methods=["POST"],
    operation_id="request_plan",
    description="Asks for a new plan; then poll its `Location`.",
    request=PlanRequestSerializer,
    responses={202: PlanSerializer},
)
@api_view(["GET", "POST"])
def plans(request: Request, city_key: str) -> Response:
    """The plans of a city, newest first; or ask for a new one (202, then poll its `Location`)."""
    city = _city(request, city_key)
    if request.method == "GET":
        # A page of plans needs none of their megabytes of numbers.
        light = Plan.objects.filter(city=city).select_related("city").defer("snapshot", "result", "facts")
        return _page(request, light)
    _require_engineer(request, city)
    asked = PlanRequestSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    wanted = asked.validated_data
    plan = lifecycle.request(
        city, start=wanted.get("start"), by=request.user, reason=wanted["reason"], publish=wanted["publish"]
    )
    send_plan(plan)
    place = reverse("api-plan", args=[city.key, plan.uid])
    headers = {"Location": place, "Retry-After": str(POLL_SECONDS)}
    return Response(PlanSerializer(plan).data, status=status.HTTP_202_ACCEPTED, headers=headers)


@extend_schema(operation_id="read_plan_in_force", responses=InForceSerializer)
@api_view(["GET"])
def plan_in_force(request: Request, city_key: str) -> Response:
    """The published plan, and a warning where a newer one failed."""
    now = in_force(_city(request, city_key))
    return Response({"plan": PlanSerializer(now.plan).data if now.plan else None, "warning": now.warning})


@extend_schema(operation_id="read_plan", responses=PlanSerializer)
@api_view(["GET"])
def plan_detail(request: Request, city_key: str, uid: str) -> Response:
    """One plan. While it is being made, `Retry-After` says when to look again."""
    plan = _plan(request, city_key, uid)
    waits = plan.state in (Plan.State.REQUESTED, Plan.State.SOLVING)
    return Response(PlanSerializer(plan).data, headers={"Retry-After": str(POLL_SECONDS)} if waits else None)


@extend_schema(operation_id="read_plan_result", responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def plan_result(request: Request, city_key: str, uid: str) -> Response:
    """Every number of a solved plan, in the shape of `solve --json`; 409 before it is solved."""
    return Response(_solved(request, city_key, uid).result)


@extend_schema(operation_id="read_plan_shortages", responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def plan_shortages(request: Request, city_key: str, uid: str) -> Response:
    """Who is short, where, when and how much, and what would change it."""
    plan = _solved(request, city_key, uid)
    return Response({"shortages": plan.result["shortages"], "facts": plan.facts})


@extend_schema(operation_id="read_plan_summary", responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def plan_summary(request: Request, city_key: str, uid: str) -> Response:
    """The plan in small tables, in the language of the request."""
    plan = _solved(request, city_key, uid)
    tables = [
        {"title": table.title, "headers": table.headers, "rows": table.rows, "note": table.note}
        for table in sections(plan)
    ]
    return Response({"plan": str(plan.uid), "tables": tables})


@extend_schema(
    operation_id="decide_on_plan",
    parameters=[
        OpenApiParameter("action", str, OpenApiParameter.PATH, enum=["approve", "publish", "withdraw", "cancel"])
    ],
    request=None,
    responses=PlanSerializer,
)
@api_view(["POST"])
def plan_action(request: Request, city_key: str, uid: str, action: str) -> Response:
    """approve, publish, withdraw or cancel; 409 where the plan's state does not allow it."""
    plan = _plan(request, city_key, uid)
    _require_engineer(request, plan.city)
    _ACTIONS[action](plan, request.user)
    plan.refresh_from_db()
    return Response(PlanSerializer(plan).data)


_ACTIONS: dict[str, Callable[..., None]] = {
    "approve": lifecycle.approve,
    "publish": lifecycle.publish,
    "withdraw": lifecycle.withdraw,
    "cancel": lifecycle.cancel,
}


def _city(request: Request, key: str) -> City:
    """The city, 404 for strangers; a fab's people read their reports, not the city's plans."""
    city = city_or_404(request.user, key)
    if role_in(request.user, city) == Membership.Role.FAB:
        raise PermissionDenied
    return city


def _require_engineer(request: Request, city: City) -> None:
    if role_in(request.user, city) != Membership.Role.ENGINEER:
        raise PermissionDenied


def _plan(request: Request, city_key: str, uid: str) -> Plan:
    city = _city(request, city_key)
    return get_object_or_404(Plan.objects.select_related("city"), city=city, uid=uid)


def _solved(request: Request, city_key: str, uid: str) -> Plan:
    plan = _plan(request, city_key, uid)
    if plan.result is None:
        raise lifecycle.Refused(_("The plan has no result."))
    return plan


def _page(request: Request, found: QuerySet[Plan]) -> Response:
    """The framework's own paging would take what it cannot read for the default."""
    asked = PageSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    if "state" in asked.validated_data:
        found = found.filter(state=asked.validated_data["state"])
    pages = LimitOffsetPagination()
    rows = pages.paginate_queryset(found, request)
    return pages.get_paginated_response(PlanSerializer(rows, many=True).data)
