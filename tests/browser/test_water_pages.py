"""The pages of farmers, fabs and engineers in a real browser, on a phone and on a desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.water.fields import Fields, fields, published
from tests.water.test_fab_report import plan, user  # noqa: F401  `user` is a fixture
from water.devices import controller_of
from water.farmer import make_link

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def where(settings: Any) -> Fields:
    settings.HEADGATE_SECTORS = ["water.network.SECTOR"]
    return fields()


def complaints(page: Any) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def log_in(page: Any, name: str = "engineer") -> None:
    User.objects.create_superuser(name, password="something")
    page.goto("/admin/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", "something")
    page.click("input[type=submit]")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_farmer_reads_the_next_turn_on_any_screen(page: Any, where: Fields, width: int) -> None:
    published(where, ("upper", 1, 2.75), ("upper", 5, 6))
    heard = complaints(page)
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"/turns/{make_link(where.upper)}/?lang=en")
    assert page.get_by_text("Your next turn").is_visible()
    assert page.get_by_text("175 m³ in this turn").bounding_box()["y"] < 700  # without scrolling
    assert overflow(page) == 0
    page.get_by_role("link", name="繁體中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-hant"
    assert page.get_by_text("下次輪灌").is_visible()
    assert heard == []


def test_an_engineer_issues_a_key_and_revokes_it(page: Any, where: Fields) -> None:
    log_in(page)
    page.goto(f"/admin/water/controller/{where.controller.pk}/change/")
    page.get_by_role("button", name="Issue a key").click()
    token = page.locator("code").inner_text()
    assert controller_of(f"Bearer {token}") == where.controller
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Revoke").click()
    assert page.get_by_text("Whoever uses it gets no answer").is_visible()
    assert controller_of(f"Bearer {token}") is None


@pytest.mark.parametrize("width", [390, 1280])
def test_a_fab_manager_reads_the_report_and_switches_the_language(page: Any, user: Any, width: int) -> None:  # noqa: F811
    plan(user, short={10: 1.0})
    heard = complaints(page)
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page)
    page.goto("/reports/town/fab/fab/")
    assert page.locator("svg").count() == 2
    assert overflow(page) == 0
    page.get_by_role("button", name="繁體中文").click()
    assert page.get_by_role("heading", name="供水報告：晶圓廠").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename.startswith("headgate-town-fab-fab-")
    assert heard == []
