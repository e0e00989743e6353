"""What only the demo has: generated secrets in a private file, and people to log in as."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from cities.models import City, Membership
from water.models import WaterUser

ADMIN = "demo"


def write_secrets(path: Path) -> bool:
    """Writes fresh secrets (mode 0600) unless the file exists; says whether it did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Secrets of this demo, made once. Delete the file to get new ones; production never reads it.",
        f"SECRET_KEY={secrets.token_urlsafe(50)}",
        f"SCHEDULE_SIGNING_KEY={base64.b64encode(secrets.token_bytes(32)).decode()}",
        f"SCHEDULE_SIGNING_KEY_ID=demo-{secrets.token_hex(4)}",
        f"HEADGATE_DEMO_PASSWORD={secrets.token_urlsafe(9)}",
    ]
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return True


def ensure_people(password: str) -> list[str]:
    """A superuser and one person per role in every city, all with the demo password; returns their names.

    People that exist keep their password when it fits, and get the demo's otherwise: a new var/demo.env must
    not lock the demo out of an old database.
    """
    everyone = [_person(ADMIN, password, is_superuser=True)]
    for role in Membership.Role.values:
        person = _person(f"{ADMIN}-{role}", password, is_superuser=False)
        for city in City.objects.all():
            defaults = {"role": role, "asset_keys": _fabs(city) if role == Membership.Role.FAB else []}
            Membership.objects.get_or_create(user=person, city=city, defaults=defaults)
        everyone.append(person)
    return [person.username for person in everyone]


def _fabs(city: City) -> list[str]:
    """The fab manager of the demo answers for every fab of the city."""
    fabs = WaterUser.objects.filter(city=city, kind=WaterUser.Kind.FAB)
    return list(fabs.order_by("key").values_list("key", flat=True))


def _person(username: str, password: str, is_superuser: bool) -> User:
    person, _ = get_user_model().objects.get_or_create(
        username=username, defaults={"is_staff": True, "is_superuser": is_superuser}
    )
    if not person.check_password(password):
        person.set_password(password)
        person.save(update_fields=["password"])
    return person
