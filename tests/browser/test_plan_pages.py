"""An engineer makes, approves and publishes a plan in a real browser, with a real worker behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from playwright.sync_api import expect

from cities.models import City, Membership
from config.processes import Child
from forecasting.models import Forecast
from planning.models import Plan

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PATIENCE_MS = 120_000
"""Far more than needed: nothing here is decided by how fast the machine is."""


@pytest.fixture
def tinytown(transactional_db: None) -> City:
    call_command("loadcity", "tinytown", demo_history=True, verbosity=0)
    return City.objects.get(key="tinytown")


@pytest.fixture
def engineer(page: Page, tinytown: City) -> Page:
    """The page of somebody who has logged in, and the complaints of their browser."""
    user = User.objects.create_user("night-shift", password="something", is_staff=True)
    Membership.objects.create(user=user, city=tinytown, role=Membership.Role.ENGINEER)
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto("/admin/login/?next=/admin/planning/plan/")
    page.fill("input[name=username]", "night-shift")
    page.fill("input[name=password]", "something")
    page.click("input[type=submit]")
    return page


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser refuses: blocked scripts, missing files, errors."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def test_a_plan_from_the_button_to_being_in_force(
    complaints: list[str], engineer: Page, start_celery: Callable[..., Child]
) -> None:
    engineer.fill("input[name=reason]", "storm")
    engineer.get_by_role("button", name="Make a new plan").click()
    expect(engineer.locator(".plan-work .text")).to_have_text("waiting for a worker")

    start_celery("worker", "-Q", "solve,light", "-c", "1", "--without-gossip")
    # Nobody touches the page: it follows the worker by itself and loads what came of it.
    expect(engineer.locator(".state").first).to_have_text("proposed")
    images = engineer.locator(".plan-charts img")
    for k in range(images.count()):
        images.nth(k).scroll_into_view_if_needed()
        expect(images.nth(k)).to_have_js_property("complete", True)
        assert images.nth(k).evaluate("image => image.naturalWidth") > 0

    engineer.get_by_role("button", name="Approve").click()
    expect(engineer.locator(".state").first).to_have_text("approved")
    engineer.get_by_role("button", name="Publish").click()
    expect(engineer.get_by_text("puts this plan in force")).to_be_visible()
    engineer.get_by_role("button", name="Publish").click()
    expect(engineer.locator(".state").first).to_have_text("published")

    plan = Plan.objects.get()
    assert (plan.state, plan.reason) == (Plan.State.PUBLISHED, "storm")
    engineer.goto("/admin/planning/plan/")
    expect(engineer.locator(".plan-panel")).to_contain_text(re.compile(f"In force\\s+{plan}"))
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_the_screen_of_a_phone_and_of_a_desk(engineer: Page, tinytown: City, width: int) -> None:
    call_command("plan", "tinytown", verbosity=0)
    engineer.set_viewport_size({"width": width, "height": 900})
    for address in ("/admin/planning/plan/", f"/admin/planning/plan/{Plan.objects.get().pk}/change/"):
        engineer.goto(address)
        assert engineer.evaluate("document.documentElement.scrollWidth") <= width


def test_no_list_of_the_admin_is_cut_off_on_a_laptop(engineer: Page, tinytown: City) -> None:
    call_command("plan", "tinytown", verbosity=0)
    engineer.set_viewport_size({"width": 1366, "height": 768})
    engineer.goto("/admin/")
    lists = engineer.locator("#content-main th a").evaluate_all("links => links.map(link => link.href)")
    assert len(lists) > 25
    for address in lists:
        engineer.goto(address)
        cut = engineer.locator(".results").evaluate_all("found => found.filter(e => e.scrollWidth > e.clientWidth + 1)")
        assert not cut, address


def test_the_page_of_a_series_fits_a_phone(engineer: Page, tinytown: City) -> None:
    call_command("plan", "tinytown", verbosity=0)
    engineer.set_viewport_size({"width": 390, "height": 844})
    engineer.goto(f"/admin/forecasting/series/{Forecast.objects.all()[0].series_id}/change/")
    assert engineer.get_by_text("Next 24 hours").is_visible()
    assert engineer.evaluate("document.documentElement.scrollWidth") <= 390
