"""The device protocol: poll a schedule, report what was done. See docs/device-protocol.md.

The poll path needs the database alone: published bytes are served while Redis and Celery are down.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from planning.problem_json import problem

from .devices import controller_of, prefix_of, seen
from .feeds import take_in
from .messages import BATCH, keep
from .models import Controller, ControllerSchedule, DeviceMessage
from .rates import Calls
from .signing import public_key

_METHODS = {"GET": ("GET", "HEAD"), "POST": ("POST",)}
DeviceView = Callable[[HttpRequest, Controller], HttpResponse]
_CALLS = Calls()
BODY_BYTES = 256 * 1024
"""Far more than 200 items need; larger bodies are refused unread."""


def device(method: str) -> Callable[[DeviceView], Callable[[HttpRequest], HttpResponse]]:
    """Lets a known controller in. Strangers get the same 404 whatever they ask for, and however."""

    def decorate(view: DeviceView) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        @csrf_exempt
        def guarded(request: HttpRequest) -> HttpResponse:
            controller = controller_of(request.headers.get("Authorization", ""))
            if controller is None:
                return problem(404, "unknown-device", _("This address knows no such device."))
            if request.method not in _METHODS[method]:
                return _wrong_method(method)
            # Asking and reporting are counted apart: a flood of reports may not cost a device its schedule.
            wait = _CALLS.wait(f"{prefix_of(request.headers['Authorization'])}:{method}")
            if wait:
                return _too_often(wait)
            seen(controller, _revision(request.headers.get("Applied-Revision", "")))
            return _answer(request, view(request, controller))

        return guarded

    return decorate


@device("GET")
def schedule(request: HttpRequest, controller: Controller) -> HttpResponse:
    """The current signed document, or 304 where the device has it already."""
    found = ControllerSchedule.objects.filter(controller=controller, current=True).first()
    if found is None:
        response = problem(404, "no-schedule", _("No schedule has been published for this device yet."))
        response["X-Poll-After"] = str(controller.poll_seconds)
        return response
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    known = "*" in tags or found.etag in [tag.removeprefix("W/") for tag in tags]
    response = HttpResponse(status=304) if known else _document(found)
    response["ETag"] = found.etag
    response["Schedule-Revision"] = str(found.revision)
    response["Schedule-Signature"] = found.signature
    response["X-Poll-After"] = str(controller.poll_seconds)
    response["Cache-Control"] = "private, no-cache"
    return response


@device("POST")
def acks(request: HttpRequest, controller: Controller) -> HttpResponse:
    return _batch(request, controller, DeviceMessage.Kind.ACK, "acks")


@device("POST")
def telemetry(request: HttpRequest, controller: Controller) -> HttpResponse:
    return _batch(request, controller, DeviceMessage.Kind.TELEMETRY, "telemetry")


@device("POST")
def hello(request: HttpRequest, controller: Controller) -> HttpResponse:
    return _batch(request, controller, DeviceMessage.Kind.HELLO, "hello")


@csrf_exempt
def keys(request: HttpRequest) -> HttpResponse:
    """The public key that schedules are signed with; open to everybody."""
    if request.method not in _METHODS["GET"]:
        return _wrong_method("GET")
    key = {"kid": settings.SCHEDULE_SIGNING_KEY_ID, "alg": "ed25519", "public": public_key()}
    return _answer(request, JsonResponse({"keys": [key]}))


def _too_often(wait: float) -> HttpResponse:
    response = problem(429, "too-often", _("This device calls too often; come again after Retry-After seconds."))
    response["Retry-After"] = str(math.ceil(wait))
    return response


def _wrong_method(method: str) -> HttpResponse:
    response = problem(
        405, "wrong-method", _("This address answers: %(methods)s.") % {"methods": ", ".join(_METHODS[method])}
    )
    response["Allow"] = ", ".join(_METHODS[method])
    return response


def _answer(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """To HEAD what GET would answer, with the length of the body but without it."""
    if request.method == "HEAD":
        response["Content-Length"] = str(len(response.content))
        response.content = b""
    return response


def _document(found: ControllerSchedule) -> HttpResponse:
    body = bytes(found.body)
    response = HttpResponse(body, content_type="application/json")
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    response["Content-Digest"] = f"sha-256=:{digest}:"
    return response


def _batch(request: HttpRequest, controller: Controller, kind: str, field: str) -> HttpResponse:
    """{"<field>": [1 to 200 items]}; answers {"results": [one per item, in order]}."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES:
        return problem(413, "too-large", _("A body has at most %(most)d bytes.") % {"most": BODY_BYTES})
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return problem(400, "not-json", _("The body is not JSON."))
    items = body.get(field) if isinstance(body, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH or set(body) != {field}:
        shape = _('Expected {"%(field)s": [1 to %(most)d items]} and nothing else.') % {"field": field, "most": BATCH}
        return problem(400, "bad-batch", shape)
    return JsonResponse({"results": keep(controller, kind, items, take_in)})


def _revision(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
