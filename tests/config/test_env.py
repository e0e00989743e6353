"""Nonsense in the environment stops the start and says where."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import Env

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "HEADGATE_PRODUCTION": "1",
    "SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz",
    "SCHEDULE_SIGNING_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SCHEDULE_SIGNING_KEY_ID": "k1",
    "ALLOWED_HOSTS": "headgate.example",
    "DATABASE_URL": "postgres://headgate@localhost/headgate",
    "REDIS_URL": "redis://localhost:6379/0",
}


def load_settings(
    environment: dict[str, str], code: str = "import config.settings"
) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-c", code], env=bare, cwd=ROOT, capture_output=True, text=True)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "demo.env"
    file.write_text("# a comment\nCOLOUR=green\nSHAPE = round \n")
    monkeypatch.setenv("COLOUR", "blue")
    env = Env(file)
    assert (env.text("COLOUR"), env.text("SHAPE")) == ("blue", "round")


def test_words_are_split_at_commas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOSTS", "a.example, b.example,")
    assert Env().words("HOSTS", []) == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda env: env.flag("KEY"), "maybe", "one of 1, true"),
        (lambda env: env.integer("KEY", 5, least=1), "0", "at least 1"),
        (lambda env: env.integer("KEY", 5), "five", "whole number"),
        (lambda env: env.choice("KEY", ("a", "b"), "a"), "c", "one of a, b"),
        (lambda env: env.text("KEY"), "", "required"),
    ],
)
def test_nonsense_is_refused_with_key_value_and_what_was_expected(read, value, expected, monkeypatch):
    monkeypatch.setenv("KEY", value)
    with pytest.raises(ImproperlyConfigured, match=f"KEY is '{value}', expected .*{expected}"):
        read(Env())


def test_a_bad_secret_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEY", "c2hvcnQ=")
    with pytest.raises(ImproperlyConfigured, match="32 bytes in base64") as refusal:
        Env().key_bytes("KEY", 32)
    assert "c2hvcnQ" not in str(refusal.value)


def test_production_loads_when_everything_is_given():
    assert load_settings(PRODUCTION).returncode == 0


@pytest.mark.parametrize("missing", sorted(PRODUCTION.keys() - {"HEADGATE_PRODUCTION"}))
def test_production_does_not_start_without(missing: str):
    result = load_settings({key: value for key, value in PRODUCTION.items() if key != missing})
    assert result.returncode != 0
    assert f"{missing} is ''" in result.stderr


@pytest.mark.parametrize(("key", "value"), [("DATABASE_URL", "hunter2"), ("REDIS_URL", "http://:hunter2@host")])
def test_an_address_that_is_none_is_refused_without_its_password(key: str, value: str):
    told = load_settings({**PRODUCTION, key: value}).stderr
    assert f"{key} is '(hidden)', expected a URL such as" in told
    assert "hunter2" not in told.splitlines()[-1]


def test_production_does_not_read_the_demo_file(tmp_path: Path):
    (tmp_path / "demo.env").write_text(f"SECRET_KEY={PRODUCTION['SECRET_KEY']}\n")
    given = {key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"}
    assert "SECRET_KEY is ''" in load_settings({**given, "HEADGATE_VAR": str(tmp_path)}).stderr


def test_production_refuses_debug():
    assert "DEBUG is '1'" in load_settings({**PRODUCTION, "DEBUG": "1"}).stderr


def test_the_demo_needs_no_variable_at_all(tmp_path: Path):
    code = (
        "from config.settings import DATABASES, SECRET_KEY; print(DATABASES['default']['ENGINE'], len(SECRET_KEY) > 49)"
    )
    result = load_settings({"HEADGATE_VAR": str(tmp_path / "not there yet")}, code)
    assert result.stdout.split() == ["django.db.backends.sqlite3", "True"], result.stderr
    assert not (tmp_path / "not there yet").exists()


def test_workers_wait_for_the_queue_however_long_it_is_away():
    code = "from config.celery import app; assert app.conf.broker_connection_max_retries is None"
    assert load_settings(PRODUCTION, code).returncode == 0


def test_a_task_is_not_delivered_again_while_it_may_still_run():
    code = (
        "from config import settings as s; limits = (s.HEADGATE_SOLVE_SECONDS, s.CELERY_TASK_SOFT_TIME_LIMIT,"
        "s.CELERY_TASK_TIME_LIMIT, s.CELERY_BROKER_TRANSPORT_OPTIONS['visibility_timeout']);"
        "assert list(limits) == sorted(set(limits)), limits"
    )
    for seconds in ("1", "120", "7200"):
        result = load_settings({"HEADGATE_SOLVE_SECONDS": seconds}, code)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("start", ["config.settings", "config.celery", "config.wsgi", "config.frontdoor"])
def test_linear_algebra_has_one_thread_unless_the_environment_gives_more(start: str):
    first = "import sys, os, config; assert 'numpy' not in sys.modules"
    code = f"{first}; import {start}; print(os.environ['OMP_NUM_THREADS'])"
    said = [load_settings(given, code).stdout.strip() for given in ({}, {"OMP_NUM_THREADS": "2"})]
    assert said == ["1", "2"]
