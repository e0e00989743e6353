"""A whole pack: read, checked object by object, then checked across objects. Without a database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cities.expectations import expected

from . import schema_common as common
from .checks import cross_problems
from .fields import Part, Thing
from .problems import InvalidPack, Problem
from .reading import Item, read_folder
from .sections import BY_NAME, CITY, SECTIONS


@dataclass(frozen=True)
class Pack:
    """A pack without errors."""

    city: common.City
    things: dict[str, tuple[Thing, ...]]
    """By section; every section is there."""


def folder_of(name: str) -> Path:
    """The folder of a pack given by its name (one of config/cities/) or by a path. Raises InvalidPack."""
    shipped = settings.BASE_DIR / "config" / "cities"
    if name.replace("_", "").replace("-", "").isalnum() and (shipped / name).is_dir():
        return Path(shipped / name)
    if Path(name).is_dir():
        return Path(name)
    known = ", ".join(sorted(path.name for path in shipped.iterdir() if path.is_dir()))
    wanted = _("the folder of a city pack, or one of: %(names)s") % {"names": known}
    raise InvalidPack([Problem(name, 0, "", "", "", wanted)])


def read_pack(folder: Path) -> Pack:
    """Raises InvalidPack with every error of the folder."""
    items, problems = read_folder(folder)
    problems += _unknown_sections(items)
    parsed = [(item, *_parse(item)) for item in items if item.section == "city" or item.section in BY_NAME]
    for _item, _part, wrong in parsed:
        problems += wrong
    good = [(item, part) for item, part, _wrong in parsed if part is not None]
    if items or not problems:  # a folder that could not be read misses everything
        problems += _one_city(items, str(folder))
    problems += cross_problems(items, good)
    if problems:
        raise InvalidPack(problems)
    city = next(part for _item, part in good if isinstance(part, common.City))
    return Pack(
        city,
        {
            section.name: tuple(part for item, part in good if item.section == section.name and isinstance(part, Thing))
            for section in SECTIONS
        },
    )


def _unknown_sections(items: list[Item]) -> Iterator[Problem]:
    for name in dict.fromkeys(item.section for item in items):
        if name != "city" and name not in BY_NAME:
            first = next(item for item in items if item.section == name)
            wanted = _("a section: %(names)s") % {"names": ", ".join(["city", *BY_NAME])}
            yield Problem(first.file, first.line, name, "", "", wanted)


def _one_city(items: list[Item], folder: str) -> Iterator[Problem]:
    cities = [item for item in items if item.section == "city"]
    if not cities:
        yield Problem(folder, 0, "city", "", "", _("one section `city`"))
    for item in cities[1:]:
        yield item.problem("", None, _("one section `city`, but %(file)s has one") % {"file": cities[0].file})


def _parse(item: Item) -> tuple[Part | None, list[Problem]]:
    schema = CITY if item.section == "city" else BY_NAME[item.section].schema
    try:
        return schema.model_validate(item.data), []
    except ValidationError as error:
        return None, [_problem(item, detail) for detail in error.errors()]


def _problem(item: Item, detail: ErrorDetails) -> Problem:
    # A reference that may be empty is a union; the branch pydantic tried is no part of the pack.
    place = [step for step in detail["loc"] if not str(step).startswith(("constrained-str", "literal[", "function-"))]
    kind: str = detail["type"]
    value: Any = None if kind == "missing" or isinstance(detail["input"], dict) else detail["input"]
    return item.problem(".".join(map(str, place)), value, expected(detail))
