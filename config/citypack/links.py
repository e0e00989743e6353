"""What a pack says with a list of keys and the database with rows between two objects: the series of a controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from .fields import Thing

LINKS = {"feeds": "series"}
"""Field of a pack, which is the model's name for the rows between, and what these lead to."""


def write_links(row: models.Model, thing: Thing, ids: Mapping[str, int]) -> bool:
    """Makes the links of a row those of the pack and says whether any differed. What the pack leaves out stays.

    `ids` holds those of the linked objects by key.
    """
    changed = False
    for name, end in LINKS.items():
        wanted = getattr(thing, name, None)
        if wanted is not None and set(wanted) != set(linked(row, name)):
            links: Any = getattr(row, name)
            links.all().delete()
            ends = [ids[key] for key in dict.fromkeys(wanted)]
            links.bulk_create([links.model(**{links.field.name: row, f"{end}_id": pk}) for pk in ends])
            changed = True
    return changed


def linked(row: models.Model, name: str) -> list[str]:
    """The keys that a row's links lead to."""
    end = LINKS[name]
    return sorted(getattr(row, name).values_list(f"{end}__key", flat=True))
