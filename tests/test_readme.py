"""The documents cannot lie: what they tell people to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def code(document: Path) -> str:
    """What stands in code: indented blocks, fences and `ticks`."""
    text = document.read_text("utf-8")
    blocks = re.findall(r"^(?: {4}|\t).+$|^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_named_exists(document: Path):
    named = set(re.findall(r"\bmake ([a-z]+)", code(document)))
    assert named <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_named_exists(document: Path):
    named = set(re.findall(r"manage\.py ([a-z]+)", code(document)))
    assert named <= get_commands().keys()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_linked_file_exists(document: Path):
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_front_door_has_its_seven_commands():
    assert {"plan", "test", "serve", "check", "bench", "words", "browser"} <= TARGETS


def test_operations_lists_exactly_the_variables_that_the_settings_read():
    source = (ROOT / "config" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'[eE]nv(?:\(\))?\.\w+\(\s*"([A-Z_]+)"', source))
    table = (ROOT / "docs" / "operations.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))
    assert listed == read


def test_every_pinned_package_has_its_reason():
    reasons = set(re.findall(r"[\w-]+", (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()))
    unexplained, loose = [], []
    for name in ("requirements.txt", "requirements-dev.txt"):
        own, _, brought = (ROOT / name).read_text("utf-8").partition("\n# Brought along")
        for line in (*own.splitlines(), *brought.splitlines()[1:]):
            if line and line[0] not in "#-" and "==" not in line:
                loose.append(line)
        packages = [re.split(r"[\[=]", line)[0].lower() for line in own.splitlines() if line and line[0] not in "#-"]
        unexplained += [package for package in packages if package not in reasons]
    assert (unexplained, loose) == ([], [])
