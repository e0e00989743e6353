"""The admin works in a real browser under our content security policy."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_person_logs_in_and_the_browser_refuses_nothing(page: Page, transactional_db: None) -> None:
    User.objects.create_superuser("someone", password="something")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/")
    page.fill("input[name=username]", "someone")
    page.fill("input[name=password]", "something")
    page.click("input[type=submit]")
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="someone").click()
    assert page.title().startswith("someone")
    assert complaints == []


def test_the_admin_speaks_traditional_chinese(page):
    page.set_extra_http_headers({"Accept-Language": "zh-TW,zh;q=0.9"})
    page.goto("/admin/login/")
    assert page.locator("html").get_attribute("lang") == "zh-hant"
    assert page.locator("input[type=submit]").get_attribute("value") == "登入"
