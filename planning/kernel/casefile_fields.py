"""The fields of a case file: which keys each part has, how a value is read and how it is written back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from cities.kernel.said import Said

from .network import Bus, Commitment, Demand, Final, Link, PeakCharge, Store, Supply
from .problems import Problem

LARGEST = 1e300
"""Below the largest float, above which an integer of the file could not be converted."""
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: JSON and Python can hold one, but no file, database or page can."""
WHOLE_CHARACTERS = Said("whole characters; this holds half of a surrogate pair")
MISREAD = math.nan
"""Stands for a number that could not be read: compared with anything it makes no second complaint."""


@dataclass
class Reading:
    """What is wrong with a file so far."""

    problems: list[Problem] = field(default_factory=list)

    def refuse(self, place: str, value: object, expected: Said) -> None:
        self.problems.append(Problem(place, _shown(value), expected))

    def mapping(self, place: str, value: object, keys: Mapping[str, bool] | None = None) -> dict[str, Any]:
        """A mapping's content. With `keys` {key: required}, others are refused and missing ones named."""
        if not isinstance(value, dict):
            self.refuse(place, value, Said("a mapping"))
            return {}
        inner = f"{place}." if place != "file" else ""
        value = {key: item for key, item in value.items() if self._is_writable(inner + escaped(key), key)}
        if keys is not None:
            for key in value:
                if key not in keys:
                    self.refuse(
                        f"{inner}{key}", value[key], Said("no such key; known are %(keys)s", keys=", ".join(keys))
                    )
            for key, required in keys.items():
                if required and key not in value:
                    self.refuse(f"{inner}{key}", None, Said("a value; the key is missing"))
        return value

    def items(self, place: str, value: object) -> list[Any]:
        if isinstance(value, list):
            return value
        self.refuse(place, value, Said("a list"))
        return []

    def number(self, place: str, value: object) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST:
            return float(value)
        self.refuse(place, value, Said("a finite number"))
        return MISREAD

    def series(self, place: str, value: object) -> float | tuple[float, ...]:
        """A number for all steps, or a list with one per step."""
        if isinstance(value, list):
            return tuple(self.number(f"{place}[{i}]", item) for i, item in enumerate(value))
        if isinstance(value, (int, float)):
            return self.number(place, value)
        self.refuse(place, value, Said("a number, or a list with one number per step"))
        return MISREAD

    def whole(self, place: str, value: object) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.refuse(place, value, Said("a whole number"))
        return None

    def text(self, place: str, value: object) -> str:
        """A name. A whole number is one too, because `bus: 1` is what people write for a bus called 1."""
        if isinstance(value, str) and value:
            return value if self._is_writable(place, value) else ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self.refuse(place, value, Said("a name"))
        return ""

    def _is_writable(self, place: str, text: object) -> bool:
        if isinstance(text, str) and LONE_SURROGATE.search(text):
            self.refuse(place, text, WHOLE_CHARACTERS)
            return False
        return True

    def flag(self, place: str, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("on", "off"):
            return value == "on"
        self.refuse(place, value, Said("on or off (or true or false)"))
        return False

    def coefficients(self, place: str, value: object) -> dict[str, float]:
        return {bus: self.number(f"{place}.{bus}", number) for bus, number in self.mapping(place, value).items()}

    def final(self, place: str, value: object) -> Final:
        read: dict[str, Callable[[str, object], Any]] = {
            "min": self.number,
            "max": self.number,
            "tier": self.whole,
            "penalty": self.number,
        }
        found = self.mapping(place, value, dict.fromkeys(read, False))
        return Final(**{key: read[key](f"{place}.{key}", x) for key, x in found.items() if key in read})

    def peak(self, place: str, value: object) -> tuple[PeakCharge, ...]:
        charges = []
        for i, item in enumerate(self.items(place, value)):
            found = self.mapping(f"{place}[{i}]", item, {"above": True, "cost": True})
            above, cost = (self.number(f"{place}[{i}].{key}", found.get(key, 0.0)) for key in ("above", "cost"))
            charges.append(PeakCharge(above, cost))
        return tuple(charges)

    def owner(self, place: str, value: object) -> tuple[str, str]:
        """{supply: name} or {link: name}."""
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("supply", "link"):
            kind, name = next(iter(value.items()))
            return kind, self.text(f"{place}.{kind}", name)
        self.refuse(place, value, Said("one supply or one link, such as {supply: gas1}"))
        return "supply", ""


def escaped(text: object) -> str:
    return str(text).encode("utf-8", "backslashreplace").decode()


def _shown(value: object) -> object:
    """A value short enough for a message, however large the file made it."""
    if isinstance(value, dict):
        return Said("a mapping of %(count)d", count=len(value))
    if isinstance(value, list):
        return Said("a list of %(count)d", count=len(value))
    return value[:80] if isinstance(value, str) else value


@dataclass(frozen=True)
class Key:
    """A key of a part in the file. `name` is the part's attribute where it is called otherwise there."""

    key: str
    read: Callable[[Reading, str, object], Any]
    name: str = ""
    required: bool = False

    @property
    def attribute(self) -> str:
        return self.name or self.key


def _series_of_step(reading: Reading, place: str, value: object) -> tuple[float, ...]:
    return tuple(reading.number(f"{place}[{i}]", item) for i, item in enumerate(reading.items(place, value)))


_TEXT, _NUMBER, _SERIES, _WHOLE = Reading.text, Reading.number, Reading.series, Reading.whole
_SUPPLY_LIMITS = (Key("max", _SERIES, required=True), Key("min", _SERIES), Key("cost", _SERIES))

# The later of two keys for one attribute wins: `capacity_by_step` over `capacity`.
PARTS: dict[str, tuple[type, tuple[Key, ...]]] = {
    "buses": (Bus, (Key("commodity", _TEXT, required=True),)),
    "supplies": (Supply, (Key("bus", _TEXT, required=True), *_SUPPLY_LIMITS, Key("peak", Reading.peak))),
    "demands": (
        Demand,
        (
            Key("bus", _TEXT, required=True),
            Key("amount", _SERIES, required=True),
            Key("tier", _WHOLE),
            Key("penalty", _SERIES),
            Key("firm", Reading.flag),
        ),
    ),
    "stores": (
        Store,
        (
            Key("bus", _TEXT, required=True),
            Key("capacity", _SERIES, required=True),
            Key("capacity_by_step", _series_of_step, "capacity"),
            Key("initial", _NUMBER, required=True),
            Key("min", _SERIES),
            Key("min_by_step", _series_of_step, "min"),
            Key("final", Reading.final),
            Key("loss_per_hour", _NUMBER),
            Key("end_value", _NUMBER),
        ),
    ),
    "links": (
        Link,
        (
            Key("from", _TEXT, "source", required=True),
            Key("to", Reading.coefficients, required=True),
            Key("uses", Reading.coefficients),
            *_SUPPLY_LIMITS,
            Key("lag_hours", _NUMBER),
            Key("initial_rate", _NUMBER),
            Key("max_change_per_hour", _NUMBER),
            Key("may_drop", Reading.flag),
        ),
    ),
    "commitments": (
        Commitment,
        (
            Key("of", Reading.owner, required=True),
            Key("min_rate", _NUMBER),
            Key("min_up_hours", _NUMBER),
            Key("min_down_hours", _NUMBER),
            Key("start_cost", _NUMBER),
            Key("on_cost", _NUMBER),
            Key("initially", Reading.flag),
            Key("initial_hours", _NUMBER),
        ),
    ),
}
_MISREAD_BY_TYPE: dict[Any, Any] = {_TEXT: "", Reading.coefficients: {}, Reading.owner: ("supply", "")}


def read_part(reading: Reading, kind: str, name: str, value: object) -> Any:
    """The part, with stand-ins for what could not be read, so that the rest of it can still be checked."""
    made, keys = PARTS[kind]
    found = reading.mapping(f"{kind}.{name}", value, _allowed(keys, value))
    values = {key.attribute: _MISREAD_BY_TYPE.get(key.read, MISREAD) for key in keys if key.required}
    for key in keys:
        if key.key in found:
            values[key.attribute] = key.read(reading, f"{kind}.{name}.{key.key}", found[key.key])
    if "of" in values:
        values["of_kind"], values["of_name"] = values.pop("of")
    return made(name=name, **values)


def _allowed(keys: tuple[Key, ...], value: object) -> dict[str, bool]:
    """{key: required}. What is given by step need not be given as a constant."""
    given = value if isinstance(value, dict) else {}
    return {key.key: key.required and f"{key.key}_by_step" not in given for key in keys}


def part_as_dict(kind: str, part: Any) -> dict[str, Any]:
    """What `read_part` reads, without what is at its default."""
    made, keys = PARTS[kind]
    defaults = {f.name: f.default if f.default is not MISSING else None for f in fields(made)}
    by_step = {key.attribute for key in keys if key.key.endswith("_by_step")}
    written: dict[str, Any] = {}
    for key in keys:
        value = {part.of_kind: part.of_name} if key.key == "of" else getattr(part, key.attribute)
        is_series = key.attribute in by_step and isinstance(value, tuple)
        if is_series != key.key.endswith("_by_step"):
            continue
        if key.required or is_series or (value != defaults[key.attribute] and value != {}):
            written[key.key] = _plain(value)
    return written


def _plain(value: Any) -> Any:
    """Lists, mappings and numbers only."""
    if isinstance(value, Final):
        default = Final()
        return {k: v for k, v in vars(value).items() if v != getattr(default, k)}
    if isinstance(value, PeakCharge):
        return {"above": value.above, "cost": value.cost}
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
