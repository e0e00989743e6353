"""Errors of the JSON API as RFC 9457 problem details, with every bad field at once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .lifecycle import Refused


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
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": str(known.default_detail),
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


def _known(error: Exception) -> exceptions.APIException:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    assert isinstance(error, exceptions.APIException)
    return error


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
