"""A command that cannot begin says why in one line and ends with 2; nobody is shown a traceback for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PERIOD = ("--from", "2026-01-01T00:00+08:00", "--to", "2026-02-01T00:00+08:00")


def manage(*arguments: object, **environment: object) -> subprocess.CompletedProcess[str]:
    """manage.py in a process of its own, in the demo's environment but for what is given."""
    bare = {"PATH": os.environ["PATH"], **{key: str(value) for key, value in environment.items()}}
    command = [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)]
    return subprocess.run(command, env=bare, capture_output=True, text=True, timeout=120)


def told(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that did not begin."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "kaohsiung"),
        ("loadcity", "tinytown"),
        ("exportcity", "kaohsiung", "pack"),
        ("loadhistory", "kaohsiung", "history.csv"),
        ("backtest", "kaohsiung", *PERIOD),
        ("serve",),
    ],
    ids=lambda command: command[0],
)
def test_before_the_migration_every_command_names_it(command: tuple[str, ...], tmp_path: Path):
    assert "manage.py migrate" in told(manage(*command, HEADGATE_VAR=tmp_path))


@pytest.mark.parametrize("command", [("plan", "x"), ("migrate",), ("demosecrets",), ("serve",)], ids=lambda c: c[0])
def test_a_var_directory_that_cannot_be_used_is_named(command: tuple[str, ...], tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    assert str(file) in told(manage(*command, HEADGATE_VAR=file))
    assert "/proc/none" in told(manage(*command, HEADGATE_VAR="/proc/none"))


def test_a_database_that_is_out_of_reach_is_named():
    line = told(manage("plan", "x", DATABASE_URL="postgres://nobody@127.0.0.1:1/none"))
    assert "none" in line and "Connection refused" in line


def test_a_setting_that_is_missing_is_named():
    assert "SECRET_KEY" in told(manage("migrate", HEADGATE_PRODUCTION=1))


@pytest.mark.parametrize("port", ["0", "99999", "http", "-1"])
def test_a_port_that_is_none_is_refused(port: str):
    result = manage("serve", "--port", port)
    assert result.returncode == 2
    assert "--port" in result.stderr and "Traceback" not in result.stderr


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path):
    command = f"{sys.executable} {ROOT / 'manage.py'} help --commands | true"
    result = subprocess.run(["bash", "-c", command], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert result.stderr == ""
