"""The rules of the house hold in every file: who may import whom, pure kernels, short functions, small files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "cities": set(),
    "forecasting": {"cities"},
    "planning": {"cities"},
    "energy": {"cities", "forecasting", "planning"},
    "water": {"cities", "forecasting", "planning"},
    "config": {"cities", "forecasting", "planning", "energy", "water"},
    "bench": {"cities", "forecasting", "planning", "energy", "water"},
}
KERNEL_ROOMS = ("cities", "forecasting", "planning", "energy", "water")
FRAMEWORKS = {"django", "rest_framework", "drf_spectacular", "celery", "kombu", "redis"}
LONGEST_FUNCTION = 80
LONGEST_FILE = 400


def files(*folders: str) -> list[Path]:
    """The Python files below some folders, migrations left out: they are generated."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts and "var" not in path.parts)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """The full dotted names that a module imports, relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield from (f"{module}.{name.name}" for name in node.names)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room: str):
    others = MAY_IMPORT.keys() - MAY_IMPORT[room] - {room}
    wrong = [
        f"{place(path)} imports {name}"
        for path in files(room)
        for name in imports(path)
        if name.split(".")[0] in others
    ]
    assert wrong == []


@pytest.mark.parametrize("room", KERNEL_ROOMS)
def test_a_kernel_imports_no_framework_and_no_room_but_kernels(room: str):
    wrong = []
    for path in files(f"{room}/kernel"):
        for name in imports(path):
            head, *rest = name.split(".")
            if head in FRAMEWORKS or (head in MAY_IMPORT and rest[:1] != ["kernel"]):
                wrong.append(f"{place(path)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("room", KERNEL_ROOMS)
def test_a_kernel_asks_no_clock_and_opens_no_file(room: str):
    wrong = []
    for path in files(f"{room}/kernel"):
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in {"now", "utcnow", "today", "open", "read_text", "write_text"}:
                wrong.append(f"{place(path)}:{node.lineno} calls {name}")
    assert wrong == []


@pytest.mark.parametrize("room", KERNEL_ROOMS)
def test_a_kernel_loads_without_django(room: str):
    """In a process of its own where Django cannot be imported at all."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files(f"{room}/kernel")]
    assert modules
    code = (
        "import importlib, sys\n"
        f"for name in {sorted(FRAMEWORKS | {'config'})!r}: sys.modules[name] = None\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_functions_are_short():
    long = []
    for path in files(*MAY_IMPORT, "tests"):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{place(path)}: {node.name} has {lines} lines")
    assert long == []


def test_files_are_small():
    lengths = {place(path): len(path.read_text("utf-8").splitlines()) for path in files(*MAY_IMPORT, "tests")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_every_function_says_what_it_returns():
    silent = []
    for path in files(*MAY_IMPORT):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is None:
                silent.append(f"{place(path)}:{node.lineno} {node.name}")
    assert silent == []


def test_no_file_names_a_place_on_somebodys_machine():
    """A path under a home directory works for one person only."""
    private = re.compile(r"/(?:home|Users|root|work)/\w")
    texts = [*files(*MAY_IMPORT, "tests"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "Makefile"]
    named = [
        place(path) for path in texts if path.name != "test_architecture.py" and private.search(path.read_text("utf-8"))
    ]
    assert named == []
