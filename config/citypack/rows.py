"""A checked pack ↔ the rows of a city."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext as _
from pydantic import BaseModel

from cities.models import City, PriorityPolicy
from forecasting.models import Series

from .fields import Part, Thing
from .links import LINKS, linked, write_links
from .pack import Pack
from .problems import InvalidPack, Problem
from .reading import PackDumper
from .schema_common import City as CityPart
from .sections import SECTIONS, Section

RUNTIME_SETTINGS = ("demo_history",)
"""City settings that commands write; a pack neither holds nor clears them."""


@dataclass(frozen=True)
class Written:
    """How many objects of a section were new, changed, the same as before, or removed."""

    section: str
    new: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0

    @property
    def is_quiet(self) -> bool:
        return not (self.new or self.changed or self.removed)


def write_pack(pack: Pack) -> tuple[City, list[Written]]:
    """Makes the city's rows those of the pack, in one transaction; rows that are right already are not touched.

    Raises InvalidPack, and writes nothing, when a row that the pack no longer has is still referred to.
    """
    with transaction.atomic():
        city, city_counts = _write_city(pack.city)
        # Two policies may not be in force at once, not even for the moment between two updates.
        PriorityPolicy.objects.filter(city=city, in_force=True).exclude(key=_policy_in_force(pack)).update(
            in_force=False
        )
        keys: dict[str, dict[str, int]] = {}
        counts = [_write_section(city, section, pack.things[section.name], keys) for section in SECTIONS]
        removed = _remove_others(city, pack)
    counted = [Written(c.section, c.new, c.changed, c.same, removed.get(c.section, 0)) for c in counts]
    return city, [city_counts, *counted]


def _policy_in_force(pack: Pack) -> str:
    return next(policy.key for policy in pack.things["policies"] if getattr(policy, "in_force", False))


def _write_city(part: CityPart) -> tuple[City, Written]:
    row = City.objects.select_for_update().filter(key=part.key).first()
    values = part.model_dump(mode="json")
    kept = {name: row.settings[name] for name in RUNTIME_SETTINGS if name in row.settings} if row else {}
    values["settings"] = {**values["settings"], **kept}
    if row is None:
        return City.objects.create(**values), Written("city", new=1)
    changed = _update(row, values)
    return row, Written("city", changed=int(changed), same=int(not changed))


def _write_section(city: City, section: Section, things: tuple[Thing, ...], keys: dict[str, dict[str, int]]) -> Written:
    """Writes the objects of a section; `keys` gains model label → key → id for the sections that refer to it."""
    model = apps.get_model(section.model)
    rows = {row.key: row for row in model._default_manager.filter(city=city)}
    fresh = {}
    changed = set()
    for thing in things:
        values = _row_values(model, thing, keys)
        if thing.key not in rows:
            fresh[thing.key] = model(city=city, **values)
        elif _update(rows[thing.key], values):
            changed.add(thing.key)
    model._default_manager.bulk_create(fresh.values())
    keys[model._meta.label] = dict(model._default_manager.filter(city=city).values_list("key", "id"))
    ids, every = keys[Series._meta.label], {**rows, **fresh}
    changed |= {thing.key for thing in things if write_links(every[thing.key], thing, ids)} - set(fresh)
    return Written(section.name, len(fresh), len(changed), len(things) - len(fresh) - len(changed))


def _row_values(model: type[models.Model], thing: Thing, keys: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Field values for the model: references by key become ids, the rest is stored as the pack says it."""
    values = {}
    for name, value in thing.model_dump(mode="json", by_alias=True, exclude=set(LINKS)).items():
        field = model._meta.get_field(name)
        if isinstance(field, models.ForeignKey):
            target = field.related_model._meta.label
            values[field.attname] = keys[target][value] if value else None
        else:
            values[name] = value
    return values


def _update(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Saves the fields that differ; says whether any did."""
    different = [name for name, value in values.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, values[name])
    if different:
        row.save(update_fields=different)
    return bool(different)


def _remove_others(city: City, pack: Pack) -> dict[str, int]:
    """Deletes rows that the pack does not hold, users before what they use."""
    removed = {}
    problems: list[Problem] = []
    for section in reversed(SECTIONS):
        kept = [thing.key for thing in pack.things[section.name]]
        rows = apps.get_model(section.model)._default_manager.filter(city=city).exclude(key__in=kept)
        problems += _still_used(section, rows)
        if rows and not problems:
            removed[section.name] = len(rows)
            rows.delete()
    if problems:
        raise InvalidPack(problems)
    return removed


def _still_used(section: Section, rows: models.QuerySet[Any]) -> Iterator[Problem]:
    """One problem for every row that measurements, plans or schedules refer to. What is synthetic may go."""
    of_packs = {apps.get_model(other.model) for other in SECTIONS}
    for row in rows:
        users = []
        for relation in row._meta.related_objects:
            other = relation.related_model
            if other in of_packs or relation.name in LINKS:
                continue  # checked as a removed row itself, or it stays and was updated to refer to something else
            found = other._base_manager.filter(**{relation.field.name: row})
            if any(field.name == "synthetic" for field in other._meta.fields):
                found = found.filter(synthetic=False)
            if count := found.count():
                users.append(f"{count} × {other._meta.verbose_name}")
        if users:
            expected = _("kept in the pack, for it is referred to by %(users)s") % {"users": ", ".join(users)}
            yield Problem(_("(database)"), 0, f"{section.name}.{row.key}", "", "", expected)


def export_pack(city: City, folder: Path) -> list[Path]:
    """Writes the city as a pack: files of sections, fields at their defaults left out. Returns the files' paths."""
    files: dict[str, dict[str, Any]] = {"city.yaml": {"city": _city_entry(city)}}
    for section in SECTIONS:
        rows = apps.get_model(section.model)._default_manager.filter(city=city).order_by("id")
        entries = [_entry(section.schema, row) for row in rows]
        if entries:
            files.setdefault(section.file, {})[section.name] = entries
    folder.mkdir(parents=True, exist_ok=True)
    for name, sections in files.items():
        text = yaml.dump(sections, Dumper=PackDumper, allow_unicode=True, sort_keys=False, width=120)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _city_entry(city: City) -> dict[str, Any]:
    entry = _entry(CityPart, city)
    settings = {name: value for name, value in city.settings.items() if name not in RUNTIME_SETTINGS}
    entry.pop("settings", None)
    return {**entry, "settings": settings} if settings else entry


def _entry(schema: type[Part], row: models.Model) -> dict[str, Any]:
    entry = {}
    for name, info in schema.model_fields.items():
        value = (linked(row, name) or None) if name in LINKS else getattr(row, name)
        if isinstance(value, models.Model):
            value = value.key  # type: ignore[attr-defined]
        default = info.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            default = default.model_dump(mode="json")
        if value != default:
            entry[name] = value
    return entry
