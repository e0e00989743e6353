"""Pages and files for people outside the admin: a farmer's turns by secret link, and reports for members of a city."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from cities.scoping import city_or_404
from planning import report_pages
from planning.reports import in_force

from . import calendars, fab, fab_document, farmer
from .models import Turnout, WaterUser

FARMERS_LANGUAGE = "zh-hant"
"""Where neither link nor browser says otherwise."""


@require_safe
def turns(request: HttpRequest, token: str) -> HttpResponse:
    """A turnout's turns: no login, no script, one small page."""
    turnout = _turnout_or_404(token)
    language = _language(request)
    with translation.override(language):
        found = farmer.turns(turnout, timezone.now())
        context = {
            "turns": found,
            "language": language,
            "languages": settings.LANGUAGES,
            "zone": turnout.city.time_zone,
        }
        response = render(request, "water/turns.html", context)
    return _secret(response, language)


@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The same turns as a calendar feed, with an ETag: clients ask often and little changes."""
    turnout = _turnout_or_404(token)
    language = _language(request)
    with translation.override(language):
        body = calendars.feed(turnout, farmer.calendar_runs(turnout, timezone.now()))
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="turns.ics"'
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    response["ETag"] = etag
    return _secret(get_conditional_response(request, etag=etag, response=response) or response, language)


def _turnout_or_404(token: str) -> Turnout:
    turnout = farmer.turnout_of(token)
    if turnout is None:
        raise Http404("no such link")
    return turnout


def _language(request: HttpRequest) -> str:
    """The language of the link's `lang`, else the first of the browser's that we speak, else the farmers'."""
    known = dict(settings.LANGUAGES)
    asked = request.GET.get("lang", "")
    if asked in known:
        return asked
    for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()[:500]):
        for language in known:
            if code.split("-")[0] == language.split("-")[0]:
                return language
    return FARMERS_LANGUAGE


def _secret(response: HttpResponse, language: str) -> HttpResponse:
    """The address is the key: no search engine may list it and no other site may hear of it."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-cache"
    response["Content-Language"] = language
    return response


# --- reports -------------------------------------------------------------------------------------------------
@login_required
@require_safe
def fab_report(request: HttpRequest, city_key: str, key: str) -> HttpResponse:
    user = _user_or_404(request, city_key, key)
    found = fab.report(user)
    if found is None:
        warning = in_force(user.city).warning
        context = {**report_pages.frame(request, user.city), "user_label": user.label, "warning": warning}
        return report_pages.private(render(request, "reports/none.html", context))
    files = report_pages.file_links("fab-report", city_key, key)
    return report_pages.page(request, fab_document.document(found), files)


@login_required
@require_safe
def fab_file(request: HttpRequest, city_key: str, key: str, ending: str) -> HttpResponse:
    found = fab.report(_user_or_404(request, city_key, key))
    if found is None:
        raise Http404("no plan in force")
    return report_pages.file(fab_document.document(found), ending)


def _user_or_404(request: HttpRequest, city_key: str, key: str) -> WaterUser:
    """Unknown and foreign users get the same answer."""
    for user in fab.readable(request.user, city_or_404(request.user, city_key)):
        if user.key == key:
            return user
    raise Http404("no such report")
