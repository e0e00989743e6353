"""Signatures over published bytes, so that a controller can tell our schedule from anybody else's."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def signature_of(body: bytes) -> str:
    """The value of the `Schedule-Signature` header: key id, algorithm and Ed25519 signature over the exact bytes."""
    sign = base64.b64encode(_private_key().sign(body)).decode()
    return f"kid={settings.SCHEDULE_SIGNING_KEY_ID};alg=ed25519;sig={sign}"


def public_key() -> str:
    """What controllers verify with: the raw 32 bytes in base64."""
    raw = _private_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def _private_key() -> Ed25519PrivateKey:
    if not settings.SCHEDULE_SIGNING_KEY:
        raise ImproperlyConfigured("SCHEDULE_SIGNING_KEY is empty, expected 32 bytes in base64: `make` writes one")
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.SCHEDULE_SIGNING_KEY))
