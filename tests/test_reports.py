"""Reports of a real plan of a small town over HTTP: who gets which in which format, and that all say the same."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pypdf import PdfReader

from cities.models import City, Membership
from planning import pdf
from planning.figures import figure
from planning.models import Plan
from planning.numbers import Numbers
from planning.spans import previous
from planning.words import status_warning
from tests.worlds.whole import whole_city

pytestmark = pytest.mark.django_db
EVIL = '=1+1 #eval("x") $y$ *b* _i_ [c] @d \\ <script>alert(1)</script>'
"""Markup of everything that a report is made of."""
FORMATS = ("utility/", "utility.xlsx", "utility.pdf")


@pytest.fixture(scope="module")
def plan(django_db_setup: None, django_db_blocker: Any) -> Iterator[Plan]:
    """The published plan of a town in which one source has an evil name; gone at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        whole = whole_city()
        found = Plan.objects.get(city=whole.city, state=Plan.State.PUBLISHED)
        source = _sources(found)[0].name
        found.snapshot["labels"][source] |= {"en": EVIL, "zh": EVIL}
        found.synthetic = True  # as if the town had a demo history; its pack's profiles alone are none
        found.save()
        yield found
        transaction.set_rollback(True)


def _sources(plan: Plan) -> list[Any]:
    """What the water of a plan comes from, the most first."""
    numbers = Numbers(plan)
    rows = [*numbers.links("intake"), *numbers.supplies("source")]
    return sorted(rows, key=lambda row: -numbers.amount(row.rates))


def client_of(city: City, role: str, language: str = "en") -> Client:
    person, _made = User.objects.get_or_create(username=f"{role}-{city.key}")
    keys = ["fab"] if role == Membership.Role.FAB else []
    Membership.objects.get_or_create(user=person, city=city, defaults={"role": role, "asset_keys": keys})
    client = Client(headers={"Accept-Language": language})
    client.force_login(person)
    return client


def ask(plan: Plan, what: str, role: str = "viewer", language: str = "en") -> Any:
    return client_of(plan.city, role, language).get(f"/reports/{plan.city.key}/{what}")


def pages_of(plan: Plan, language: str = "en", what: str = "utility.pdf") -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(ask(plan, what, language=language).content)).pages]


# --- who gets what -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", FORMATS)
@pytest.mark.parametrize(
    ("role", "status"),
    [("engineer", 200), ("viewer", 200), ("fab", 404), ("stranger", 404), ("anonymous", 302)],
)
def test_the_utility_report_is_for_the_utility(plan: Plan, what: str, role: str, status: int) -> None:
    place = f"/reports/{plan.city.key}/{what}"
    if role == "anonymous":
        assert Client().get(place)["Location"].startswith("/admin/login/?next=/reports/")
    elif role == "stranger":
        elsewhere = City.objects.create(key="elsewhere", name="E", time_zone="UTC", latitude=0, longitude=0)
        assert client_of(elsewhere, "engineer").get(place).status_code == status
    else:
        assert ask(plan, what, role).status_code == status


@pytest.mark.parametrize("what", ["fab/fab/", "fab/fab.xlsx", "fab/fab.pdf"])
@pytest.mark.parametrize("role", ["engineer", "viewer", "fab"])
def test_a_fabs_report_is_for_its_manager_too(plan: Plan, what: str, role: str) -> None:
    assert ask(plan, what, role).status_code == 200


def test_every_plan_with_numbers_has_a_report_that_says_what_it_is(plan: Plan) -> None:
    proposed = Plan.objects.get(city=plan.city, state=Plan.State.PROPOSED)
    page = ask(plan, f"plans/{proposed.uid}/").content.decode()
    assert "This plan is not in force: it is proposed." in page
    assert "not in force" not in ask(plan, f"plans/{plan.uid}/").content.decode()
    Plan.objects.filter(pk=proposed.pk).update(result=None)
    assert ask(plan, f"plans/{proposed.uid}/").status_code == 404


def test_a_plan_whose_valve_turns_broke_a_limit_says_so_and_why_it_failed(plan: Plan) -> None:
    failed = Plan.objects.get(city=plan.city, state=Plan.State.PROPOSED)
    failed.parts.update(state="failed", broken_limits=["upper runs twice at once"])
    Plan.objects.filter(pk=failed.pk).update(state="failed", failure="The follow-up work for lateral failed.")
    page = ask(plan, f"plans/{failed.uid}/").content.decode()
    assert page.count("The follow-up work for lateral failed.") == 2  # before all figures, and where it was checked
    assert "lateral: upper runs twice at once" in page
    assert "no broken limits" not in page
    assert "no broken limits" in ask(plan, "utility/").content.decode()


def test_a_waiting_plan_is_compared_with_the_plan_in_force(plan: Plan) -> None:
    waiting = Plan.objects.get(city=plan.city, state=Plan.State.PROPOSED)
    # published after the other was asked for, as when an earlier request was approved late
    Plan.objects.filter(pk=plan.pk).update(published_at=waiting.requested_at + timedelta(hours=1))
    assert previous(waiting) == plan
    Plan.objects.filter(pk=plan.pk).update(state="withdrawn")
    assert previous(waiting) is None


@pytest.mark.parametrize("status", ["fallback", "feasible"])
def test_a_plan_that_is_not_proven_best_says_so_once(plan: Plan, status: str) -> None:
    Plan.objects.filter(pk=plan.pk).update(status=status)
    assert ask(plan, "utility/").content.decode().count(status_warning(status)) == 1


def test_without_a_plan_in_force_the_page_says_so_and_there_are_no_files() -> None:
    city = City.objects.create(key="new", name="New", time_zone="UTC", latitude=0, longitude=0)
    engineer = client_of(city, "engineer")
    assert "No plan is in force." in engineer.get("/reports/new/utility/").content.decode()
    assert {engineer.get(f"/reports/new/utility.{ending}").status_code for ending in ("xlsx", "pdf")} == {404}


def test_the_list_has_what_the_reader_may_open(plan: Plan) -> None:
    engineer = client_of(plan.city, "engineer").get("/reports/").content.decode()
    fab = client_of(plan.city, "fab").get("/reports/").content.decode()
    for link, of_fab in (
        ("utility/", False),
        (f"plans/{plan.uid}.pdf", False),
        ("fab/fab/", True),
        ("fab/fab.pdf", True),
    ):
        place = f'href="/reports/{plan.city.key}/{link}"'
        assert (place in engineer, place in fab) == (True, of_fab)
    assert Client().get("/reports/")["Location"].startswith("/admin/login/?next=/reports/")


def test_files_have_names_that_sort_and_no_cache_keeps_them(plan: Plan) -> None:
    day = f"{plan.start.astimezone(plan.city.zone):%Y-%m-%d}"
    for ending in ("xlsx", "pdf"):
        name = f"headgate-{plan.city.key}-utility-{day}-rev{plan.pk:04d}.{ending}"
        assert ask(plan, f"utility.{ending}")["Content-Disposition"] == f'attachment; filename="{name}"'
    for what in (*FORMATS, "", "fab/fab.pdf"):
        assert ask(plan, what)["Cache-Control"] == "private, no-store"


# --- all formats say the same --------------------------------------------------------------------------------
def totals(plan: Plan) -> dict[str, float]:
    """From the plan's JSON: rate × hours of every source that gives anything."""
    numbers = Numbers(plan)
    amounts = {row.label: numbers.amount(row.rates) for row in _sources(plan)}
    return {label: amount for label, amount in amounts.items() if amount >= 0.05}


def test_the_workbook_adds_up_to_the_plan(plan: Plan) -> None:
    book = openpyxl.load_workbook(io.BytesIO(ask(plan, "utility.xlsx").content))
    rows = list(book["Water"].iter_rows(values_only=True))
    first = next(k for k, row in enumerate(rows) if row[0] == "Water by source by day, 10³ m³")
    days = rows[first + 2 : first + 2 + len(totals(plan))]
    assert {row[0].lstrip("'"): sum(row[1:8]) for row in days} == pytest.approx(totals(plan))
    assert {row[0].lstrip("'"): row[8] for row in days} == pytest.approx(totals(plan))
    # and step by step, rate × hours
    steps = list(book["Water by source"].iter_rows(values_only=True))
    hours = [(row[1] - row[0]).total_seconds() / 3600 for row in steps[1:]]
    by_source = {
        header.removesuffix(", 10³ m³/h"): sum(row[k] * h for row, h in zip(steps[1:], hours, strict=True))
        for k, header in enumerate(steps[0])
        if k > 1
    }
    assert {label: by_source["'" + label if label == EVIL else label] for label in totals(plan)} == pytest.approx(
        totals(plan)
    )


def test_a_city_that_wants_no_water_gets_a_report_in_every_format(plan: Plan) -> None:
    found = Plan.objects.get(pk=plan.pk)
    for name, demand in found.result["demands"].items():
        if name.startswith("water."):
            demand |= {"served": [0.0] * len(demand["served"]), "short": [0.0] * len(demand["short"])}
    found.save()
    assert {what: ask(plan, what).status_code for what in FORMATS} == dict.fromkeys(FORMATS, 200)
    assert "no demand" in ask(plan, "utility/").content.decode()  # for so many days lasts what is stored


def test_page_and_pdf_show_the_same_totals(plan: Plan) -> None:
    page, printed = ask(plan, "utility/").content.decode(), "\n".join(pages_of(plan))
    for amount in totals(plan).values():
        assert figure(amount, 1) in page
        assert figure(amount, 1) in printed
    assert figure(plan.cost) in page
    assert figure(plan.cost) in printed


def test_the_workbook_says_what_it_is_of(plan: Plan) -> None:
    book = openpyxl.load_workbook(io.BytesIO(ask(plan, "utility.xlsx").content))
    about = dict(row[:2] for row in book["About"].iter_rows(values_only=True) if row[0])
    assert (about["Plan"], about["Revision"]) == (str(plan), str(plan.pk))
    assert about["Plan number (UUID)"] == str(plan.uid)
    assert about["Data"] == "Synthetic demo data: no real day"
    assert "Assumptions" in [row[0] for row in book["Inputs"].iter_rows(values_only=True)]


# --- names are only names ------------------------------------------------------------------------------------
def test_a_name_is_never_markup(plan: Plan) -> None:
    assert "<script>alert" not in ask(plan, "utility/").content.decode()
    # Lines break in tables, and the text layer keeps the breaks.
    assert EVIL.replace(" ", "") in "".join(pages_of(plan)).replace(" ", "").replace("\n", "")


def test_a_name_is_never_a_formula(plan: Plan) -> None:
    book = openpyxl.load_workbook(io.BytesIO(ask(plan, "utility.xlsx").content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert f"'{EVIL}" in {cell.value for cell in cells}
    assert not [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("letter", ["\x08", "\ue000", "\ufffe", "💧"], ids=["control", "private", "none", "emoji"])
def test_a_name_with_a_letter_that_cannot_be_printed_spoils_no_report(plan: Plan, letter: str) -> None:
    found = Plan.objects.get(pk=plan.pk)
    found.snapshot["labels"][_sources(plan)[0].name]["en"] = f"Pump {letter} house"
    found.save()
    assert {what: ask(plan, what).status_code for what in FORMATS} == dict.fromkeys(FORMATS, 200)
    assert "Pump" in "".join(pages_of(plan))


# --- what cannot be printed ----------------------------------------------------------------------------------
def not_printed(plan: Plan, language: str, words: str) -> None:
    answer = ask(plan, "utility.pdf", language=language)
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "60", "private, no-store")
    assert words in answer.content.decode()


def test_while_others_print_a_reader_is_asked_to_come_back(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "WAIT_SECONDS", 0.01)
    with pdf._turns, pdf._turns:
        not_printed(plan, "en", "Please try again in a minute")
        not_printed(plan, "zh-TW", "請一分鐘後再試")
        assert ask(plan, "utility.xlsx").status_code == 200
    assert ask(plan, "utility.pdf").status_code == 200


def test_a_report_that_takes_too_long_gives_its_turn_back(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hurried:
        hurried.setattr(pdf, "PATIENCE_SECONDS", 0.001)
        for _turn in range(pdf.AT_ONCE + 1):
            not_printed(plan, "en", "took too long")
    assert ask(plan, "utility.pdf").status_code == 200


def test_a_report_that_cannot_be_set_is_noted_with_its_reason(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pdf, "_printable", lambda data: {**data, "title": "\ue000"})  # which PDF/A forbids
    not_printed(plan, "en", "This report could not be printed")
    not_printed(plan, "zh-TW", "這份報告無法列印")
    assert "e000" in caplog.text


# --- the printed report --------------------------------------------------------------------------------------
def test_every_page_says_what_it_belongs_to(plan: Plan) -> None:
    pages = pages_of(plan)
    for number, text in enumerate(pages, start=1):
        assert f"page {number} of {len(pages)}" in text
        assert "Synthetic demo data: no real day" in text
        assert str(plan) in text and f"revision {plan.pk}" in text


def test_a_plan_of_real_data_is_not_called_synthetic(plan: Plan) -> None:
    Plan.objects.filter(pk=plan.pk).update(synthetic=False)
    assert "Synthetic demo data" not in "".join(pages_of(plan))
    assert "Synthetic demo data" not in ask(plan, "utility/").content.decode()


@pytest.mark.parametrize("what", ["utility.pdf", "fab/fab.pdf"])
def test_the_text_layer_holds_the_chinese_that_is_printed(plan: Plan, what: str) -> None:
    reader = PdfReader(io.BytesIO(ask(plan, what, language="zh-TW").content))
    texts = [page.extract_text() for page in reader.pages]
    whole = "".join(texts).replace("\n", "")
    title = {"utility.pdf": "水電調度報告", "fab/fab.pdf": "供水報告"}[what]
    assert title in whole and "計畫缺水" in whole and "推估水情燈號" in whole
    assert all(f"第 {number} 頁，共 {len(texts)} 頁" in text for number, text in enumerate(texts, start=1))
    # the Traditional forms of the collection, and nothing that a reader's machine would have to bring
    fonts = {str(font["/BaseFont"]) for page in reader.pages for font in _fonts(page)}
    assert any("NotoSansCJKtc" in name for name in fonts)
    assert all("+" in name for name in fonts), "every font is embedded as a subset"


def _fonts(page: Any) -> list[Any]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def test_the_pdf_is_tagged_archivable_and_knows_its_title(plan: Plan) -> None:
    reader = PdfReader(io.BytesIO(ask(plan, "utility.pdf", language="zh-TW").content))
    catalog, about = reader.trailer["/Root"], reader.xmp_metadata
    assert catalog["/MarkInfo"]["/Marked"] and catalog["/Lang"] == "zh-TW"
    assert reader.metadata.title.endswith(str(plan))
    xmp = about.stream.get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp and "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert reader.pages[0].mediabox.width == pytest.approx(595.28, abs=0.1)  # A4
