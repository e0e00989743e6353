"""What every request has around it: headers of its answer, and in the admin the time zone of the person's cities."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cities.scoping import Person, cities_of


def content_security_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Adds the policy from settings. Own code because only Django 6 brings one and Python 3.11 runs 5.2."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response

    return middleware


def admin_time_zone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Admin pages show and take times in the zone that all cities of the person share; without one, in UTC."""

    def middleware(request: HttpRequest) -> HttpResponse:
        zone = _shared_zone(request.user) if request.path.startswith("/admin/") else None
        with timezone.override(zone) if zone else nullcontext():
            return get_response(request)

    return middleware


def _shared_zone(user: Person) -> ZoneInfo | None:
    names = set(cities_of(user).values_list("time_zone", flat=True))
    if len(names) != 1:
        return None
    try:
        return ZoneInfo(names.pop())
    except (ZoneInfoNotFoundError, ValueError):
        return None  # or the page on which the misspelt zone is corrected would fail, too
