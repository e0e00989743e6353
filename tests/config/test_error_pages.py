"""Whoever meets an error reads in both languages what it means and whom to ask."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.views import defaults

from cities.models import City, Membership

pytestmark = pytest.mark.django_db


def test_a_link_that_is_not_valid_says_so_and_whom_to_ask(client: Client) -> None:
    answer = client.get(f"/turns/{'A' * 32}/", headers={"Accept-Language": "zh-TW"})
    text = answer.content.decode()
    assert answer.status_code == 404
    assert '<html lang="zh-Hant">' in text
    assert 'name="viewport"' in text
    assert "請向給您連結的水利工作站索取新的連結" in text
    assert "This link is not valid" in text
    assert "<a href" not in text  # a farmer has no account to go on with


def test_a_report_that_waits_for_a_plan_says_so(client: Client) -> None:
    city = City.objects.create(key="new", name="New", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5)
    user = User.objects.create_user("engineer", password="x")
    Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    client.force_login(user)
    waiting, unknown = (client.get(f"/reports/{path}") for path in ("new/utility.pdf", "nowhere/utility/"))
    assert (waiting.status_code, unknown.status_code) == (404, 404)
    assert "目前沒有生效的計畫" in waiting.content.decode()
    assert '<a href="/reports/">All reports</a>' in waiting.content.decode()
    assert "There is no such page" in unknown.content.decode()
    assert '<a href="/">To the first page</a>' in unknown.content.decode()


def test_other_failures_are_told_in_both_languages() -> None:
    request = RequestFactory().get("/admin/")
    answers = [
        defaults.permission_denied(request, Exception()),
        defaults.bad_request(request, Exception()),
        defaults.server_error(request),
    ]
    texts = [answer.content.decode() for answer in answers]
    assert [answer.status_code for answer in answers] == [403, 400, 500]
    assert ["您無權進行此操作" in texts[0], "無法讀取這個請求" in texts[1], "系統發生錯誤" in texts[2]] == [True] * 3
    assert ["You may not" in texts[0], "cannot be read" in texts[1], "server failed" in texts[2]] == [True] * 3
