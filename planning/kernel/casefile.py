"""A network and its horizon as one text, YAML or JSON, and back (docs/case-file.md is the reader's page).

Reading collects every problem of a file before it gives up, each with its place, value and what was expected.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import yaml

from cities.kernel.said import Said

from . import strict_yaml
from .casefile_fields import LONE_SURROGATE, PARTS, WHOLE_CHARACTERS, Reading, part_as_dict, read_part
from .horizon import Horizon, Step
from .network import Network
from .problems import InvalidCase, Problem
from .validation import A_BUS, PER_STEP, problems, problems_of_parts

VERSION = 1
MAX_CHARACTERS = 64 * 1024 * 1024
MAX_STEPS = 100_000
"""More than eleven years of hours; beyond it a slip of the pen in `count` would fill the memory."""
MAX_HOURS = 100_000
PROBABILITY_EDGE = 1e-6
LENGTHS_AND_SHARES = (".hours", ".probability", ".parent")
"""Keys of a step that say nothing about how many steps there are."""
ANY_START = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for a start that could not be read."""
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read(text: str, format: str | None = None) -> tuple[Network, Horizon]:
    """Reads YAML or JSON; without a format, a text that begins with "{" is tried as JSON first.

    Raises InvalidCase with every problem.
    """
    if len(text) > MAX_CHARACTERS:
        found_length = Said("%(count)d characters", count=len(text))
        raise InvalidCase([Problem("file", found_length, Said("at most %(most)d", most=MAX_CHARACTERS))])
    if half := LONE_SURROGATE.search(text):
        raise InvalidCase([Problem(_line_of(text, half.start()), half.group(), WHOLE_CHARACTERS)])
    if format == "json" or (format is None and text.lstrip().startswith("{")):
        data, found = _from_json(text)
        if data is None and format is None:  # a YAML flow mapping begins with "{" too
            data, found = strict_yaml.load(text)
    else:
        data, found = strict_yaml.load(text)
    if data is None:
        raise InvalidCase(found or [Problem("file", None, Said("a case file"))])
    return _from_data(data, found)


def from_dict(data: object) -> tuple[Network, Horizon]:
    """The network and horizon of a case file's data. Raises InvalidCase with every problem."""
    return _from_data(data, [])


def to_dict(network: Network, horizon: Horizon) -> dict[str, Any]:
    """A case file's data in plain lists, mappings, texts and numbers; `from_dict` makes the same network of it."""
    written: dict[str, Any] = {"headgate": VERSION, "horizon": _horizon_as_dict(horizon)}
    for kind in PARTS:
        parts = getattr(network, kind)
        if parts:
            written[kind] = {part.name: part_as_dict(kind, part) for part in parts}
    return written


def write(network: Network, horizon: Horizon) -> str:
    """The case file as YAML."""
    data = to_dict(network, horizon)
    text: str = yaml.dump(data, Dumper=_DUMPER, sort_keys=False, default_flow_style=None, width=120, allow_unicode=True)
    return text


def _line_of(text: str, at: int) -> str:
    return strict_yaml.position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _from_json(text: str) -> tuple[object, list[Problem]]:
    found: list[Problem] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(key for key, _ in pairs)
        twice = (key for key, count in times.items() if count > 1 and not LONE_SURROGATE.search(key))
        found.extend(Problem(key, key, Said("each key once")) for key in twice)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique), found
    except json.JSONDecodeError as error:
        return None, [Problem(strict_yaml.position(error.lineno, error.colno), error.msg, Said("valid JSON"))]
    except (RecursionError, ValueError) as error:  # ValueError: an integer of thousands of digits
        return None, [Problem("file", str(error), Said("valid JSON"))]


def _from_data(data: object, found: list[Problem]) -> tuple[Network, Horizon]:
    reading = Reading(list(found))
    required = {"headgate": True, "horizon": True, "buses": True}
    case = reading.mapping("file", data, required | dict.fromkeys((kind for kind in PARTS if kind != "buses"), False))
    if case.get("headgate", VERSION) != VERSION:
        reading.refuse("headgate", case["headgate"], Said("%(version)d, the version of this format", version=VERSION))
    horizon = _read_horizon(reading, case["horizon"]) if "horizon" in case else None
    network = Network(**{kind: _read_parts(reading, kind, case.get(kind)) for kind in PARTS})
    if reading.problems or horizon is None:
        known = [problem.place for problem in reading.problems]
        checked = problems_of_parts(network, horizon or _stand_in(network))
        raise InvalidCase([*reading.problems, *(p for p in checked if not any(_causes(k, p) for k in known))])
    broken = problems(network, horizon)
    if broken:
        raise InvalidCase(broken)
    return network, horizon


def _stand_in(network: Network) -> Horizon:
    """For a horizon whose steps cannot be counted: as many as most series have numbers, to check their limits over."""
    parts = (part for kind in PARTS for part in getattr(network, kind))
    lengths = Counter(len(x) for part in parts for x in vars(part).values() if isinstance(x, tuple) and len(x) > 0)
    return Horizon.path(ANY_START, [(lengths.most_common(1)[0][0] if lengths else 1, 1.0)])


def _causes(known: str, problem: Problem) -> bool:
    """Whether a problem is at a place that is already complained about, or may only follow from a misread one."""
    place = problem.place
    if place == known or place.startswith((f"{known}.", f"{known}[")):
        return True
    if known.startswith((f"{place}[", f"{place}.", f"{place}_by_step")):
        return True
    if problem.expected == A_BUS:
        return known.split(".")[0] == "buses"
    return problem.expected.endswith(PER_STEP) and _miscounts_steps(known)


def _miscounts_steps(known: str) -> bool:
    return known in ("file", "horizon") or known.startswith("horizon.steps") and not known.endswith(LENGTHS_AND_SHARES)


def _read_parts(reading: Reading, kind: str, value: object) -> tuple[Any, ...]:
    if value is None:
        return ()
    return tuple(read_part(reading, kind, str(name), part) for name, part in reading.mapping(kind, value).items())


def _read_horizon(reading: Reading, value: object) -> Horizon | None:
    """None when the number of steps cannot be known; otherwise what is misread has a stand-in."""
    found = reading.mapping("horizon", value, {"start": True, "steps": True})
    start = _read_start(reading, found.get("start")) if "start" in found else None
    items = reading.items("horizon.steps", found["steps"]) if "steps" in found else []
    if not items:
        if isinstance(found.get("steps"), list):
            reading.refuse("horizon.steps", [], Said("at least one step"))
        return None
    is_tree = any(isinstance(item, dict) and "id" in item for item in items)
    try:
        return (_read_tree if is_tree else _read_blocks)(reading, start or ANY_START, items)
    except OverflowError:
        reading.refuse("horizon", found.get("start"), Said("steps that end before the year 10000"))
        return None


def _read_start(reading: Reading, value: object) -> datetime | None:
    expected = Said("a time with its offset, such as 2026-01-01T00:00:00+08:00")
    try:
        start = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        start = None
    if start is None or start.tzinfo is None:
        reading.refuse("horizon.start", value, expected)
        return None
    return start


def _read_blocks(reading: Reading, start: datetime, items: list[Any]) -> Horizon | None:
    blocks: list[tuple[int, float]] = []
    countable = True
    for i, item in enumerate(items):
        place = f"horizon.steps[{i}]"
        found = reading.mapping(place, item, {"count": True, "hours": True})
        count = reading.whole(f"{place}.count", found["count"]) if "count" in found else None
        if count is not None and count < 1:
            reading.refuse(f"{place}.count", count, Said("at least %(low)g", low=1))
        countable = countable and count is not None and count >= 1
        blocks.append((count or 0, _read_hours(reading, place, found)))
    if sum(count for count, _ in blocks) > MAX_STEPS:
        reading.refuse(
            "horizon.steps", sum(count for count, _ in blocks), Said("at most %(most)d steps", most=MAX_STEPS)
        )
        return None
    return Horizon.path(start, blocks) if countable else None


def _read_hours(reading: Reading, place: str, found: dict[str, Any]) -> float:
    if "hours" not in found:
        return 1.0
    hours = reading.number(f"{place}.hours", found["hours"])
    if 0 < hours < MAX_HOURS:
        return hours
    if not math.isnan(hours):
        reading.refuse(f"{place}.hours", hours, Said("more than 0 and less than %(high)d", high=MAX_HOURS))
    return 1.0


def _read_tree(reading: Reading, start: datetime, items: list[Any]) -> Horizon | None:
    """Steps with ids. In the file a probability is that of the step given its parent; a Step's is the product."""
    if len(items) > MAX_STEPS:
        reading.refuse("horizon.steps", items, Said("at most %(most)d steps", most=MAX_STEPS))
        return None
    steps: list[Step] = []
    index: dict[str, int] = {}
    shares: dict[int | None, float] = {}
    for i, item in enumerate(items):
        place = f"horizon.steps[{i}]"
        found = reading.mapping(place, item, {"id": True, "hours": True, "parent": False, "probability": False})
        name = reading.text(f"{place}.id", found["id"]) if "id" in found else ""
        if name in index:
            reading.refuse(f"{place}.id", name, Said("each id once"))
        parent = _read_parent(reading, f"{place}.parent", found.get("parent"), index)
        share = _read_share(reading, f"{place}.probability", found.get("probability", 1.0))
        shares[parent] = shares.get(parent, 0.0) + share
        before = steps[parent] if parent is not None else None
        chance = share * (before.probability if before else 1.0)
        steps.append(Step(name, parent, before.end if before else start, _read_hours(reading, place, found), chance))
        index.setdefault(name, i)
    if not reading.problems:  # a misread parent or share would make a sum of its own
        _check_shares(reading, steps, shares)
    return Horizon(tuple(steps))


def _read_parent(reading: Reading, place: str, value: object, index: dict[str, int]) -> int | None:
    if value is None:
        return None
    name = reading.text(place, value)
    if name and name not in index:
        reading.refuse(place, name, Said("the id of a step above it in the list"))
    return index.get(name)


def _read_share(reading: Reading, place: str, value: object) -> float:
    share = reading.number(place, value)
    if not math.isnan(share) and not 0 < share <= 1:
        reading.refuse(place, share, Said("more than 0 and at most 1"))
    return share


def _check_shares(reading: Reading, steps: list[Step], shares: dict[int | None, float]) -> None:
    for parent, total in shares.items():
        if abs(total - 1) > PROBABILITY_EDGE:
            of_roots = Said("probabilities of the steps without a parent that add up to 1")
            of = "" if parent is None else steps[parent].name
            of_children = Said("probabilities of the children of %(step)s that add up to 1", step=of)
            reading.refuse("horizon.steps", total, of_roots if parent is None else of_children)


def _horizon_as_dict(horizon: Horizon) -> dict[str, Any]:
    start = horizon.start.isoformat()
    blocks = [(len(list(same)), hours) for hours, same in groupby(horizon.hours)]
    if horizon == Horizon.path(horizon.start, blocks):
        return {"start": start, "steps": [{"count": count, "hours": hours} for count, hours in blocks]}
    return {"start": start, "steps": [_step_as_dict(horizon, step) for step in horizon.steps]}


def _step_as_dict(horizon: Horizon, step: Step) -> dict[str, Any]:
    parent = horizon.steps[step.parent] if step.parent is not None else None
    share = step.probability / parent.probability if parent else step.probability
    written: dict[str, Any] = {"id": step.name, "hours": step.hours}
    if parent is not None:
        written["parent"] = parent.name
    return written | ({"probability": share} if share != 1 else {})
