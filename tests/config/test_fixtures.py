"""The ground the other tests stand on holds."""

from __future__ import annotations

import re
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from django.contrib.auth.models import User
from django.db import connection


def test_the_database_is_postgresql(db):
    assert connection.vendor == "postgresql"


def test_a_real_worker_takes_a_task_from_valkey(celery_worker, broker):
    from config.celery import app

    replies = app.control.ping(timeout=20, destination=None, limit=1)
    assert [list(reply.values()) for reply in replies] == [[{"ok": "pong"}]]


def test_the_web_server_reads_the_rows_of_the_test(live, transactional_db):
    User.objects.create_superuser("someone", password="something")
    browser = build_opener(HTTPCookieProcessor())
    with browser.open(f"{live}/admin/login/") as response:
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())[1]
    form = {"csrfmiddlewaretoken": token, "username": "someone", "password": "something", "next": "/admin/"}
    with browser.open(f"{live}/admin/login/", urlencode(form).encode()) as response:
        assert response.url == f"{live}/admin/"
        assert "someone" in response.read().decode()
