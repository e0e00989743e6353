"""Errors of the JSON API as RFC 9457 problem details, with every bad field at once."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .lifecycle import Refused

API = "/api/"
SIGN_IN = 'Session realm="headgate"'
"""RFC 9110 wants a challenge with every 401; this scheme makes no browser ask for a password."""


class Conflict(exceptions.APIException):
    """The row's state does not allow what was asked."""

    status_code = 409
    default_code = "conflict"


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. None (a bug, hence 500) for what it does not know."""
    if isinstance(error, Refused):
        error = Conflict(str(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    known = _known(error)
    if isinstance(known, exceptions.NotAuthenticated):
        response.status_code = 401  # the framework says 403, because signing in by session has no challenge
        response["WWW-Authenticate"] = SIGN_IN
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase if _has_gaps(known) else str(known.default_detail),
        "status": response.status_code,
        "code": known.default_code,
        "instance": context["request"].path,
    }
    if isinstance(known, exceptions.ValidationError):
        body["errors"] = list(_flat("", known.detail))
    else:
        body["detail"] = str(known.detail)
    response.data = body
    response.content_type = "application/problem+json"
    return response


def problem(status: int, code: str, detail: str) -> HttpResponse:
    """A problem outside of the framework's views. Machines go by `code`; `detail` is for people, in their language."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem(400, "bad-request", _("The request cannot be read."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Also answers addresses that no room has: a machine that mistyped one must not have to read HTML."""
    if request.path.startswith(API):
        return problem(404, "no-such-address", _("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API):
        return problem(500, "server-error", _("The server failed; the fault has been noted."))
    return defaults.server_error(request)


def length_required(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware, behind the one that finds the language. A body sent in chunks would look like none at all, and a
    plan be asked for with nothing of what the caller wanted."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(API) and "Transfer-Encoding" in request.headers:
            return problem(411, "length-required", _("Send the body with a Content-Length, not in chunks."))
        return get_response(request)

    return middleware


def _known(error: Exception) -> exceptions.APIException:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    assert isinstance(error, exceptions.APIException)
    return error


def _has_gaps(error: exceptions.APIException) -> bool:
    """Some of the framework's titles have a place for a value, which it fills in the detail alone."""
    return "{" in str(error.default_detail)


def _flat(place: str, detail: Any) -> Any:
    """Every complaint with the path to its field."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _flat(f"{place}.{key}" if place else str(key), inner)
    elif isinstance(detail, list):
        for k, inner in enumerate(detail):
            yield from _flat(f"{place}[{k}]" if isinstance(inner, dict | list) else place, inner)
    else:
        yield {"place": place, "expected": str(detail)}
