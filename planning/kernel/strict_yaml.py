"""YAML read strictly: the data of one document, every complaint with its place, and nothing clever.

Read from the parser's events and not through PyYAML's loaders, because those keep the last of two equal keys,
take `no` and `on` for booleans and `1:30` for 90, leave `1e3` a text, and crash the process on deep nesting.
Anchors, aliases and tags are refused: a few lines of them can stand for gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from cities.kernel.said import Said

from .problems import Problem

MAX_DEPTH = 20
"""A case file needs 6 levels; the stack of the process holds some thousands."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times as fast, where it is built
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}


def load(text: str) -> tuple[object, list[Problem]]:
    """The document's data (None where it cannot be read) and every problem of its writing."""
    problems: list[Problem] = []
    try:
        events = yaml.parse(text, Loader=_LOADER)
        next(events)
        if isinstance(next(events), yaml.StreamEndEvent):
            return None, [Problem("file", "", Said("a YAML document"))]
        data = _value(next(events), events, "", 0, problems)
        next(events)
        if not isinstance(next(events), yaml.StreamEndEvent):
            problems.append(Problem("file", "---", Said("one document")))
    except yaml.MarkedYAMLError as error:
        problems.append(Problem(_line(error.problem_mark), _first_line(error), Said("valid YAML")))
        return None, problems
    except (yaml.YAMLError, _Unreadable) as error:
        problems.append(Problem("file", _first_line(error), Said("valid YAML")))
        return None, problems
    return data, problems


class _Unreadable(Exception):
    """YAML that no case file needs; its argument is Said."""


def _value(event: yaml.Event, events: Iterator[yaml.Event], place: str, depth: int, problems: list[Problem]) -> object:
    if depth > MAX_DEPTH:
        raise _Unreadable(Said("%(place)s: nested deeper than %(most)d levels", place=place[:40], most=MAX_DEPTH))
    if isinstance(event, yaml.AliasEvent):
        expected = Said("no alias (%(line)s)", line=_line(event.start_mark))
        problems.append(Problem(place or "file", f"*{event.anchor}", expected))
        return None
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
        if event.anchor is not None:
            expected = Said("no anchor (%(line)s)", line=_line(event.start_mark))
            problems.append(Problem(place or "file", event.anchor, expected))
        if event.tag is not None:
            expected = Said("no tag (%(line)s)", line=_line(event.start_mark))
            problems.append(Problem(place or "file", event.tag, expected))
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event.value) if event.implicit[0] else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, place, depth, problems)
    return _mapping(events, place, depth, problems)


def _sequence(events: Iterator[yaml.Event], place: str, depth: int, problems: list[Problem]) -> list[object]:
    items: list[object] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        items.append(_value(event, events, f"{place}[{len(items)}]", depth + 1, problems))
    return items


def _mapping(events: Iterator[yaml.Event], place: str, depth: int, problems: list[Problem]) -> dict[str, object]:
    found: dict[str, object] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise _Unreadable(Said("%(line)s: a key must be a text", line=_line(event.start_mark)))
        inner = f"{place}.{event.value}" if place else event.value
        if event.value in found:
            expected = Said("each key once (again at %(line)s)", line=_line(event.start_mark))
            problems.append(Problem(inner, event.value, expected))
        found[event.value] = _value(next(events), events, inner, depth + 1, problems)
    return found


def _scalar(text: str) -> object:
    """The core schema of YAML 1.2: null, true, false, integers, floats; everything else is text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) < 20 else float(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def position(line: int, column: int) -> Said:
    """A place in a text, both counted from 1."""
    return Said("line %(line)d, column %(column)d", line=line, column=column)


def _line(mark: Any) -> str:
    return "file" if mark is None else position(mark.line + 1, mark.column + 1)


def _first_line(error: Exception) -> str:
    if isinstance(error, _Unreadable):
        said: Said = error.args[0]
        return said
    return str(getattr(error, "problem", None) or error).splitlines()[0]
