"""From the list of reports to a file of one, in a real browser, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_water_pages import complaints, log_in, overflow
from tests.worlds.whole import whole_city

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_engineer_reads_the_utility_report_and_takes_it_along(page: Any) -> None:
    city = whole_city().city
    heard = complaints(page)
    log_in(page)
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("link", name="Report of the plan in force").click()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0
    page.get_by_role("button", name="繁體中文").click()
    assert page.get_by_role("heading", name="水電調度報告").is_visible()
    assert overflow(page) == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename.startswith(f"headgate-{city.key}-utility-")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    assert heard == []
