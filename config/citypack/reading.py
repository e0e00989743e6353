"""YAML files → items with the place they stand at. Knows nothing of what the sections mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from .problems import Problem, shown

MAX_BYTES = 5_000_000
"""Of one file. Kaohsiung's largest has 50,000; more is not a pack but data, which `loadhistory` reads."""
MAX_DEPTH = 20
"""A tariff's bands need 9."""


class PackLoader(yaml.SafeLoader):
    """Plain data without YAML's surprises: 22:00 is text and not 1320, 2026-01-01 is text, `no` is text."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):  # it may contain itself, or stand for gigabytes
            raise yaml.composer.ComposerError(None, None, _("an alias; write the value out"), mark)
        if getattr(event, "tag", None):
            raise yaml.composer.ComposerError(None, None, _("a tag; write plain values"), mark)
        if self.depth > MAX_DEPTH:  # or the interpreter's stack ends first
            too_deep = _("deeper than %(most)d levels") % {"most": MAX_DEPTH}
            raise yaml.composer.ComposerError(None, None, too_deep, mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class PackDumper(yaml.SafeDumper):
    """Writes what PackLoader reads back as the same values."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


PackLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"(?:true|false)$", "tf"),
    ("int", r"[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"(?:null|~|)$", ["n", "~", ""]),
):
    PackLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
PackDumper.yaml_implicit_resolvers = PackLoader.yaml_implicit_resolvers


@dataclass(frozen=True)
class Item:
    """One object of a section, as written."""

    section: str
    file: str
    line: int
    data: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)
    """The line of every field."""

    @property
    def key(self) -> str:
        return str(self.data.get("key", f"line {self.line}"))

    @property
    def part(self) -> str:
        return self.section if self.section == "city" else f"{self.section}.{self.key}"

    def problem(self, field_name: str, value: object, expected: str) -> Problem:
        line = self.lines.get(re.split(r"[.\[]", field_name)[0], self.line)
        return Problem(self.file, line, self.part, field_name, "" if value is None else shown(value), expected)


def read_folder(folder: Path) -> tuple[list[Item], list[Problem]]:
    """All items of the folder's *.yaml files, in file order, and what could not be read."""
    items: list[Item] = []
    problems: list[Problem] = []
    root = folder.resolve()
    paths = sorted(root.glob("*.yaml"))
    if not paths:
        problems.append(Problem(str(folder), 0, "", "", "", _("a folder with *.yaml files")))
    for path in paths:
        if not path.resolve().is_relative_to(root):
            wanted = _("a file of the pack's own folder, not a link out of it")
            problems.append(Problem(path.name, 0, "", "", "", wanted))
            continue
        found, wrong = read_file(path)
        items += found
        problems += wrong
    return items, problems


def read_file(path: Path) -> tuple[list[Item], list[Problem]]:
    """The items of one file. A file that is not YAML gives one problem and no items."""
    name = path.name
    if path.stat().st_size > MAX_BYTES:
        return [], [Problem(name, 0, "", "", "", _("a file of at most %(most)d bytes") % {"most": MAX_BYTES})]
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=PackLoader)
    except UnicodeDecodeError as error:
        wanted = _("UTF-8 text (%(reason)s at byte %(at)d)") % {"reason": error.reason, "at": error.start}
        return [], [Problem(name, 0, "", "", "", wanted)]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        wanted = _("readable YAML (%(reason)s)") % {"reason": reason}
        return [], [Problem(name, mark.line + 1 if mark else 0, "", "", "", wanted)]
    if root is None:
        return [], []
    if not isinstance(root, yaml.MappingNode):
        return [], [Problem(name, 1, "", "", "", _("sections, such as `rivers:` with a list of objects"))]
    once = _("a key that stands once in its mapping")
    problems = [Problem(name, line, "", key, "", once) for key, line in _doubles(root)]
    if problems:
        return [], problems
    items: list[Item] = []
    for section, node in root.value:
        _read_section(name, str(section.value), node, items, problems)
    return items, problems


def _read_section(name: str, section: str, node: yaml.Node, items: list[Item], problems: list[Problem]) -> None:
    nodes = [node] if section == "city" else node.value if isinstance(node, yaml.SequenceNode) else None
    if nodes is None:
        wanted = _("a list of objects, each beginning with `- key:`")
        problems.append(Problem(name, _line(node), section, "", "", wanted))
        return
    for entry in nodes:
        if isinstance(entry, yaml.MappingNode):
            try:
                items.append(_item(name, section, entry))
            except (yaml.YAMLError, ValueError) as error:
                reason = getattr(error, "problem", None) or str(error)
                wanted = _("plain data (%(reason)s)") % {"reason": reason}
                problems.append(Problem(name, _line(entry), section, "", "", wanted))
        else:
            problems.append(Problem(name, _line(entry), section, "", shown(entry.value), _("an object with fields")))


def _item(name: str, section: str, node: yaml.MappingNode) -> Item:
    """Raises yaml.YAMLError or ValueError for what is no plain data: a list as a key, a number of 5,000 digits."""
    data = PackLoader("").construct_document(node)
    lines = {str(key.value): _line(key) for key, _value in node.value}
    return Item(section, name, _line(node), {str(key): value for key, value in data.items()}, lines)


def _doubles(node: yaml.Node) -> Iterator[tuple[str, int]]:
    """(key, line) of every key that stands twice in one mapping, at any depth."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            text = str(key.value)
            if text in seen:
                yield text, _line(key)
            seen.add(text)
            yield from _doubles(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _doubles(value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
