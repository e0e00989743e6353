"""Reports over HTTP: the list of what a person may open, and the utility's report as page, spreadsheet and PDF.

`page`, `file` and `private` serve the reports of sectors too, so that all look and behave alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cities.models import City
from cities.scoping import ADMIN_READERS, Person, cities_of, city_or_404, role_in

from .documents import Chapter, Document, Picture
from .models import Plan
from .pdf import NotNow, NotPrinted, pdf
from .reports import InForce, in_force
from .sectors import ReportLink, sectors
from .tables import Shown, shown
from .utility import utility_report
from .workbook import workbook

log = logging.getLogger(__name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES: Mapping[str, tuple[str, Callable[[Document], bytes]]] = {
    "xlsx": (XLSX, workbook),
    "pdf": ("application/pdf", pdf),
}
LAST_PLANS = 8
RETRY_SECONDS = 60
NO_REPORT = (Plan.State.REQUESTED, Plan.State.SOLVING)


@dataclass(frozen=True)
class CityReports:
    """What a person may open of one city. `plans` are the newest ones with numbers, for those who may see plans."""

    city: City
    in_force: InForce
    sees_plans: bool
    plans: tuple[Plan, ...]
    links: tuple[ReportLink, ...]


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The reports of all cities of the person who asks."""
    return _listed(request, list(cities_of(request.user).order_by("key")))


@login_required
@require_safe
def city_reports(request: HttpRequest, city_key: str) -> HttpResponse:
    return _listed(request, [city_or_404(request.user, city_key)])


@login_required
@require_safe
def utility_in_force(request: HttpRequest, city_key: str) -> HttpResponse:
    """The report of the plan in force; without one a page that says so."""
    city = _reader_city(request, city_key)
    now = in_force(city)
    if now.plan is None or not now.plan.result:
        return private(render(request, "reports/none.html", {**frame(request, city), "warning": now.warning}))
    links = file_links("utility", city.key)
    return page(request, utility_report(now.plan, now.warning), links)


@login_required
@require_safe
def utility_in_force_file(request: HttpRequest, city_key: str, ending: str) -> HttpResponse:
    now = in_force(_reader_city(request, city_key))
    if now.plan is None or not now.plan.result:
        raise Http404("no plan in force")
    return file(utility_report(now.plan, now.warning), ending)


@login_required
@require_safe
def utility_of_plan(request: HttpRequest, city_key: str, uid: str) -> HttpResponse:
    plan = _plan_or_404(request, city_key, uid)
    links = file_links("utility-plan", city_key, plan.uid)
    return page(request, utility_report(plan), links)


@login_required
@require_safe
def utility_of_plan_file(request: HttpRequest, city_key: str, uid: str, ending: str) -> HttpResponse:
    return file(utility_report(_plan_or_404(request, city_key, uid)), ending)


# --- what every report's answer needs ------------------------------------------------------------------------
def page(request: HttpRequest, document: Document, files: tuple[tuple[str, str], ...]) -> HttpResponse:
    """A report as a page, with links to itself as files: (format, address)."""
    chapters = [(chapter.title, _items(chapter)) for chapter in document.chapters]
    context = {**frame(request, document.plan.city), "document": document, "chapters": chapters, "files": files}
    return private(render(request, "reports/document.html", context))


def file(document: Document, ending: str) -> HttpResponse:
    """A report as a file to keep; `ending` is one of FILES. A plain page with 503 where it cannot be printed."""
    content_type, write = FILES[ending]
    try:
        response = HttpResponse(write(document), content_type=content_type)
    except NotNow as error:
        log.warning("%s was not printed: %s", document.file_name, error)
        return _unavailable(
            _(
                "Other reports are being printed, or this one took too long. Please try again in a minute; "
                "the page and the spreadsheet are there at once."
            )
        )
    except NotPrinted:
        log.exception("%s was not printed", document.file_name)
        return _unavailable(
            _(
                "This report could not be printed. The fault has been noted; "
                "the report is still there as a page and as a spreadsheet."
            )
        )
    response["Content-Disposition"] = f'attachment; filename="{document.file_name}.{ending}"'
    return private(response)


def _unavailable(why: str) -> HttpResponse:
    body = render_to_string("reports/not_printed.html", {"why": why})
    return private(HttpResponse(body, status=503, headers={"Retry-After": str(RETRY_SECONDS)}))


def file_paths(place: str, view: Callable[..., HttpResponse], name: str) -> list[URLPattern]:
    """A route for every kind of file; the view gets it as `ending`."""
    return [path(f"{place}.{ending}", view, {"ending": ending}, name=f"{name}-{ending}") for ending in FILES]


def file_links(name: str, *place: object) -> tuple[tuple[str, str], ...]:
    """(format, address) of a report as files, whose routes `file_paths` made."""
    return tuple((ending.upper(), reverse(f"{name}-{ending}", args=place)) for ending in FILES)


def private(response: HttpResponse) -> HttpResponse:
    """For one person and this moment: no cache between may keep it, and none on a shared computer."""
    response["Cache-Control"] = "private, no-store"
    return response


def frame(request: HttpRequest, city: City | None) -> dict[str, Any]:
    """What the frame around every report needs."""
    sees_admin = cities_of(request.user, ADMIN_READERS).exists()
    return {"city": city, "languages": settings.LANGUAGES, "sees_admin": sees_admin}


def _items(chapter: Chapter) -> list[tuple[Shown | None, Picture | None, SafeString | None]]:
    """Tables and pictures as a template tells them apart; pictures are drawn and escaped by us."""
    return [
        (None, item, mark_safe(item.svg)) if isinstance(item, Picture) else (shown(item), None, None)  # noqa: S308
        for item in chapter.items
    ]


# --- who may open what ---------------------------------------------------------------------------------------
def _listed(request: HttpRequest, cities: list[City]) -> HttpResponse:
    found = [_reports_of(request.user, city) for city in cities]
    only = cities[0] if len(cities) == 1 else None
    return private(render(request, "reports/index.html", {**frame(request, only), "found": found}))


def _reports_of(person: Person, city: City) -> CityReports:
    sees_plans = role_in(person, city) in ADMIN_READERS
    links = [link for found in sectors() for link in found.reports(person, city)]
    plans = _plans(city)[:LAST_PLANS] if sees_plans else ()
    return CityReports(city, in_force(city), sees_plans, tuple(plans), tuple(links))


def _plans(city: City) -> Any:
    """Plans with numbers, newest first, without their megabytes."""
    solved = Plan.objects.filter(city=city, result__isnull=False).exclude(state__in=NO_REPORT)
    return solved.select_related("city").defer("snapshot", "result", "facts").order_by("-requested_at")


def _reader_city(request: HttpRequest, city_key: str) -> City:
    """Raises Http404 for an unknown city, a foreign one, and one whose plans are not this person's to read."""
    city = city_or_404(request.user, city_key)
    if role_in(request.user, city) not in ADMIN_READERS:
        raise Http404("no such report")
    return city


def _plan_or_404(request: HttpRequest, city_key: str, uid: str) -> Plan:
    solved = _plans(_reader_city(request, city_key)).defer(None).select_related("city", "supersedes", "approved_by")
    plan: Plan = get_object_or_404(solved, uid=uid)
    return plan
