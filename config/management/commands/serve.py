"""`manage.py serve`: the whole product on this machine, ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from redis import Redis
from redis.exceptions import RedisError

from cities.models import City
from config import processes
from config.demo import ensure_people
from config.processes import Child

STOP_SECONDS = 20.0
"""Longer than a page or a light task; a solve that is cut off is taken up again when its lease ends."""
EARLY_DEATHS = 5
"""A child that dies this often in a row within its first minute will not come right by itself."""
SETTLED_SECONDS = 60.0
LONGEST_SOCKET_PATH = 100
"""The kernel takes 108 bytes; a longer path is cut off and nobody finds the socket."""


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _("Runs web, workers, beat and (without REDIS_URL) Valkey until Ctrl-C.")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=_port, default=8000)
        parser.add_argument("--city", help=_("a pack to load, with demo history, when there is no city yet"))

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        _refuse_taken(host, port)
        _refuse_unmigrated()
        if options["city"] and not City.objects.exists():
            call_command("loadcity", options["city"], demo_history=True)
        people = self._people()
        address = _("Headgate is at %(address)s") % {"address": f"http://{_shown(host)}:{port}/"}
        welcome = [address, people, _("Ctrl-C ends everything.")]
        house = House(
            commands(host, port), _environment(host), _reachable(host, port), [line for line in welcome if line]
        )
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, house.end)
        # The children must not share our connection's socket or file locks.
        connection.close()
        house.run()

    def _people(self) -> str:
        if settings.PRODUCTION:
            return ""
        if not settings.DEMO_PASSWORD:
            raise CommandError(
                _("%(file)s is missing: run `manage.py demosecrets` first.") % {"file": settings.DEMO_ENV}
            )
        names = ensure_people(settings.DEMO_PASSWORD)
        words = {"names": _(" or ").join(names), "password": settings.DEMO_PASSWORD}
        return _("Log in as %(names)s, password %(password)s") % words


class House:
    """The children, kept alive until somebody asks for the end."""

    def __init__(
        self, commands: dict[str, list[str]], environment: dict[str, str], web: tuple[str, int], welcome: list[str]
    ) -> None:
        self.commands = commands
        self.environment = environment
        self.web = web
        self.welcome = welcome
        self.children: dict[str, Child] = {}
        self.deaths = dict.fromkeys(commands, 0)
        self.again_at: dict[str, float] = {}
        self.ending = False

    def end(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Asks for the end; also the handler of INT and TERM."""
        self.ending = True

    def run(self) -> None:
        """Starts everyone, says welcome once the web answers, restarts who dies; exits 1 when that is hopeless."""
        hopeless = ""
        try:
            hopeless = self._start_all() or self._watch()
        finally:
            _say(_("stopping …"))
            self._stop_all()
        if hopeless:
            raise CommandError(hopeless)

    def _start_all(self) -> str:
        if "valkey" in self.commands:
            self._start("valkey")
            if not self._wait_for_valkey():
                return "" if self.ending else _("valkey does not answer; see its lines above.")
        for name in self.commands.keys() - self.children.keys():
            self._start(name)
        return ""

    def _watch(self) -> str:
        while not self.ending:
            if self.welcome and _connects(self.web):
                for line in self.welcome:
                    _say(line)
                self.welcome = []
            dead = [child for child in self.children.values() if not child.alive]
            for child in dead:
                self._bury(child)
                if self.deaths[child.name] >= EARLY_DEATHS:
                    words = {"name": child.name, "count": EARLY_DEATHS}
                    return _("%(name)s died %(count)d times in a row: giving up.") % words
            for name in [name for name, at in self.again_at.items() if time.monotonic() >= at]:
                del self.again_at[name]
                self._start(name)
            time.sleep(0.2)
        return ""

    def _start(self, name: str) -> None:
        self.children[name] = processes.start(name, self.commands[name], self.environment)

    def _bury(self, child: Child) -> None:
        settled = child.age_seconds > SETTLED_SECONDS
        self.deaths[child.name] = 1 if settled else self.deaths[child.name] + 1
        delay = min(2.0 ** (self.deaths[child.name] - 1), 30.0)
        words = {"name": child.name, "code": child.process.returncode, "delay": delay}
        _say(_("%(name)s ended with %(code)s; starting it again in %(delay).0f s") % words)
        processes.stop([child], 0)
        del self.children[child.name]
        self.again_at[child.name] = time.monotonic() + delay

    def _wait_for_valkey(self, seconds: float = 10.0) -> bool:
        deadline = time.monotonic() + seconds
        client = Redis(unix_socket_path=str(settings.VALKEY_SOCKET))
        while time.monotonic() < deadline and not self.ending and self.children["valkey"].alive:
            try:
                return bool(client.ping())
            except RedisError:  # not there yet, or still reading its file
                time.sleep(0.05)
        return False

    def _stop_all(self) -> None:
        # Valkey last: workers acknowledge what they finished while they end.
        users = [child for name, child in self.children.items() if name != "valkey"]
        killed = processes.stop(users, STOP_SECONDS)
        killed += processes.stop([child for name, child in self.children.items() if name == "valkey"], 5.0)
        _say(_("stopped; had to kill %(names)s") % {"names": ", ".join(killed)} if killed else _("stopped"))


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(_("%(text)s is not a port from 1 to 65535") % {"text": text})
    return int(text)


def commands(host: str, port: int) -> dict[str, list[str]]:
    """What runs, by name."""
    # A demo in a container runs as root and need not be told so by every worker.
    quiet = [] if settings.PRODUCTION else ["-W", "ignore:You're running the worker with superuser"]
    celery = [sys.executable, *quiet, "-m", "celery", "--quiet", "-A", "config.celery"]
    worker = [
        *celery,
        "worker",
        "-l",
        "WARNING",
        "--prefetch-multiplier",
        "1",
        "-O",
        "fair",
        "--without-mingle",
        "--without-gossip",
    ]
    var = settings.VAR_DIR
    found = {
        "solve": [*worker, "-Q", "solve", "-n", "solve@%h", "-c", "1"],
        "light": [*worker, "-Q", "light", "-n", "light@%h", "-c", "1"],
        "beat": [*celery, "beat", "-l", "WARNING", "--pidfile=", "-s", settings.CELERY_BEAT_SCHEDULE_FILENAME],
        "web": [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
            *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--workers-kill-timeout", "5"),
            *("--log-level", "warning", "config.wsgi:application"),
        ],
    }
    if not settings.REDIS_URL:
        directory = var / "valkey"
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{directory}: {error.strerror}; " + _("see HEADGATE_VAR"), returncode=2) from None
        found["valkey"] = processes.valkey_command(_socket_path(), directory)
    return found


def _environment(host: str) -> dict[str, str]:
    """Ours, and in the demo the address that was asked for as an allowed host."""
    hosts = settings.ALLOWED_HOSTS if settings.PRODUCTION or _is_local(host) else [*settings.ALLOWED_HOSTS, "*"]
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(settings.BASE_DIR),
        "ALLOWED_HOSTS": ",".join(hosts),
    }


def _socket_path() -> Path:
    path: Path = settings.VALKEY_SOCKET
    if len(str(path)) > LONGEST_SOCKET_PATH:
        told = _("%(path)s is too long for a unix socket: set HEADGATE_VAR to a shorter directory.")
        raise CommandError(told % {"path": path})
    if path.exists() and _answers(path):
        raise CommandError(_("%(path)s is in use: another `serve` is running here.") % {"path": path})
    return path


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            words = {"address": f"{host}:{port}", "why": error.strerror}
            told = _("%(address)s cannot be used (%(why)s): choose another --port.")
            raise CommandError(told % words) from error


def _refuse_unmigrated() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError(_("The database is not up to date: run `manage.py migrate` first."), returncode=2)


def _reachable(host: str, port: int) -> tuple[str, int]:
    """Where we ourselves reach a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def _connects(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 0.5).close()
    except OSError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host in {"127.0.0.1", "localhost", "::1"}


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(line: str) -> None:
    print(f"{'serve':>7} | {line}", flush=True)
