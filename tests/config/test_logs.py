"""Log lines are in UTC and keep what the code adds to them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

from django.conf import settings

from config.logs import JsonFormatter, PlainFormatter


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("planning.run", logging.INFO, __file__, 1, message, ("plan",), None)
    made.__dict__.update(extra)
    made.created = 0.0  # 1970-01-01 in UTC, wherever the machine stands
    return made


def test_a_plain_line_is_for_people():
    line = PlainFormatter().format(record("solved the %s", plan=7))
    assert line == "1970-01-01T00:00:00Z INFO planning.run solved the plan plan=7"


def test_a_json_line_is_for_collectors():
    line = JsonFormatter().format(record("%s 已發布", plan=7))
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00Z",
        "level": "INFO",
        "logger": "planning.run",
        "message": "plan 已發布",
        "plan": 7,
    }


def test_a_traceback_stays_in_its_json_line():
    failed = record("no %s")
    try:
        raise ValueError("broken")
    except ValueError:
        failed.exc_info = sys.exc_info()
    line = JsonFormatter().format(failed)
    assert "\n" not in line
    assert "ValueError: broken" in json.loads(line)["traceback"]


IN_A_WORKER = """
import django, logging
django.setup()
from config.celery import app
app.log.setup_logging_subsystem(loglevel=logging.WARNING)
logging.getLogger("planning.lifecycle").info("Plan 7: solved")
logging.getLogger("celery.worker").info("a tick")
"""


def test_a_worker_logs_the_life_of_plans_however_quiet_celery_itself_is(tmp_path):
    given = {**os.environ, "HEADGATE_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", IN_A_WORKER]
    done = subprocess.run(command, env=given, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    assert [line.split(" ", 1)[1] for line in done.stderr.splitlines()] == ["INFO planning.lifecycle Plan 7: solved"]
