"""`manage.py serve` brings up the whole product and takes all of it down again."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from config import processes
from config.processes import Child

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90.0
"""Far more than needed: nothing here is decided by how fast the machine is."""


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.1)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def serving(child_environment: dict[str, str], lines: list[str], free_port: int, tmp_path: Path) -> Iterator[Child]:
    """The demo on the test's database, with a Valkey of its own."""
    environment = {**child_environment, "REDIS_URL": "", "HEADGATE_DEMO_PASSWORD": "demo"}
    command = [sys.executable, "manage.py", "serve", "--port", str(free_port)]
    child = processes.start("serve", command, {**environment, "HEADGATE_VAR": str(short(tmp_path))}, lines.append)
    yield child
    processes.stop([child], 40)


def short(path: Path) -> Path:
    """The same directory under a path that a unix socket can have."""
    link = Path(os.environ["HEADGATE_TEST_RUN_DIR"]) / f"serve-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    return link


def said(lines: list[str], pattern: str) -> bool:
    return any(re.search(pattern, line) for line in lines)


def test_everything_comes_up_comes_back_and_ends(serving: Child, lines: list[str], free_port: int):
    until(lambda: said(lines, "Log in as demo") or not serving.alive)
    assert serving.alive, "\n".join(lines)
    with urlopen(f"http://127.0.0.1:{free_port}/admin/login/") as response:
        assert response.status == 200

    family = psutil.Process(serving.process.pid).children(recursive=True)
    worker = next(process for process in family if "light@%h" in process.cmdline())
    worker.kill()
    until(lambda: said(lines, "light ended with -9; starting it again"))
    family += psutil.Process(serving.process.pid).children(recursive=True)

    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(PATIENCE_SECONDS) == 0
    until(lambda: said(lines, "serve | stopped"))
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_taken_port_is_named(serving: Child, lines: list[str], free_port: int, child_environment: dict[str, str]):
    until(lambda: said(lines, "Log in as demo") or not serving.alive)
    heard: list[str] = []
    command = [sys.executable, "manage.py", "serve", "--port", str(free_port)]
    second = processes.start("second", command, child_environment, heard.append)
    assert second.process.wait(PATIENCE_SECONDS) == 1
    until(lambda: said(heard, f"127.0.0.1:{free_port} cannot be used"))
