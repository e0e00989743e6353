"""Who a controller is: bearer keys of which only a hash is kept, and what a controller may see."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from .models import Controller, DeviceKey

LIVE_KEYS = 2
"""Two, so that a device can be given its next key before the old one is revoked."""
SEEN_EVERY = timedelta(seconds=60)
_TOKEN = re.compile(r"(hg_[0-9a-f]{8})\.([A-Za-z0-9_-]{43})")


class TooManyKeys(ValueError):
    """A controller already has as many live keys as it may."""


def issue_key(controller: Controller) -> str:
    """A new bearer key. The text is returned once and kept nowhere. Raises TooManyKeys."""
    prefix, secret = f"hg_{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    with transaction.atomic():
        # Two engineers at once take their turn here, or a controller would end with three keys.
        Controller.objects.select_for_update().get(pk=controller.pk)
        if controller.keys.filter(revoked_at=None).count() >= LIVE_KEYS:
            raise TooManyKeys(controller.key)
        DeviceKey.objects.create(controller=controller, prefix=prefix, secret_sha256=sha256(secret))
    return f"{prefix}.{secret}"


def controller_of(authorization: str) -> Controller | None:
    """The controller whose live key an Authorization header carries. None for anything else."""
    scheme, _, token = authorization.partition(" ")
    found = _TOKEN.fullmatch(token.strip())
    if scheme.lower() != "bearer" or found is None:
        return None
    prefix, secret = found.groups()
    key = DeviceKey.objects.select_related("controller__city").filter(prefix=prefix, revoked_at=None).first()
    # Compared also without a row, so that a stranger cannot time which prefixes exist.
    matches = hmac.compare_digest(key.secret_sha256 if key else sha256(""), sha256(secret))
    return key.controller if key and matches else None


def prefix_of(authorization: str) -> str:
    """The public half of a key that `controller_of` has accepted."""
    return authorization.partition(" ")[2].strip().partition(".")[0]


def seen(controller: Controller, applied_revision: int | None) -> None:
    """Notes that a controller was here; at most one write a minute unless it has applied something new."""
    now = timezone.now()
    fields = {"last_seen_at": now}
    news = Q(last_seen_at=None) | Q(last_seen_at__lt=now - SEEN_EVERY)
    if applied_revision is not None and applied_revision != controller.applied_revision:
        fields["applied_revision"] = applied_revision  # type: ignore[assignment]
        news = Q()
    elif controller.last_seen_at and controller.last_seen_at > now - SEEN_EVERY:
        return
    Controller.objects.filter(news, pk=controller.pk).update(**fields)


def sha256(text: str) -> str:
    """The hex digest under which a secret of 128 bits or more may be kept."""
    return hashlib.sha256(text.encode()).hexdigest()
