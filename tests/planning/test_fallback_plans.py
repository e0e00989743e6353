"""A plan that a rule made is better than none, and says so wherever people meet it."""

from __future__ import annotations

import io
from typing import Any

import polib
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from rich.console import Console

from cities.models import City, Membership
from planning import lifecycle, words
from planning.models import Plan
from planning.printout import _print_section, print_plan
from planning.reports import in_force
from planning.run import run_here
from planning.sectors import Section
from planning.summary import explanation, failure
from tests.planning.test_words import CATALOG
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db
State = Plan.State
RULE = "A rule switched the on/off parts of this plan"


@pytest.fixture
def in_a_hurry(settings: Any, toy_sector: Behaviour) -> Behaviour:
    """A pump to switch and no time to search."""
    settings.HEADGATE_SOLVE_SECONDS = 0
    toy_sector.switched = True
    return toy_sector


def solved(city: City, publish: bool = False) -> Plan:
    return run_here(lifecycle.request(city, publish=publish))


def test_without_time_to_search_a_rule_makes_the_plan(city: City, in_a_hurry: Behaviour) -> None:
    # The pump runs all week: 2 an hour at 10.
    plan = solved(city)
    assert (plan.state, plan.status) == (State.PROPOSED, "fallback")
    assert plan.objective == pytest.approx(2 * 168 * 10)
    assert (plan.result["gap"], plan.result["bound"]) == (None, None)
    told = [row[0] for row in explanation(plan).rows]
    assert told[0].startswith("The search found no plan in time. A rule took over: every on/off part runs")


def test_it_never_takes_the_place_of_a_plan_in_force_unasked(city: City, in_a_hurry: Behaviour) -> None:
    first = solved(city, publish=True)
    assert first.state == State.PUBLISHED  # better than none
    second = solved(city, publish=True)
    assert second.state == State.PROPOSED
    assert "a person decides" in second.events.last().note
    lifecycle.approve(second)
    lifecycle.publish(second)
    assert in_force(city).plan == second


def test_every_page_and_report_says_so(city: City, in_a_hurry: Behaviour) -> None:
    plan = solved(city, publish=True)
    assert RULE in in_force(city).warning
    user = User.objects.create_user("engineer", is_staff=True)
    Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    browser = Client()
    browser.force_login(user)
    assert RULE in browser.get(f"/admin/planning/plan/{plan.pk}/change/").content.decode()
    assert RULE in browser.get("/admin/planning/plan/").content.decode()
    assert browser.get(f"/api/v1/cities/{city.key}/plans/{plan.uid}/").json()["status"] == "fallback"


def test_the_printed_plan_says_so_above_its_tables(city: City, in_a_hurry: Behaviour) -> None:
    page = io.StringIO()
    print_plan(solved(city), Console(file=page, width=400))
    head = page.getvalue().split("Shortages")[0]
    assert "solver: fallback by rule" in head and RULE in head


def test_a_chinese_finding_is_printed_whole_where_it_has_no_space_to_break_at() -> None:
    page, told = io.StringIO(), "台積電晶圓二十二廠配水池調節容量有一小時達容量上限，最早為凌晨。"
    _print_section(Section("原因", ("發現",), ((told,),)), Console(file=page, width=30))
    assert told in "".join(page.getvalue().replace("•", "").split())


def test_a_plan_that_is_proven_best_carries_no_warning(city: City, toy_sector: Behaviour) -> None:
    solved(city, publish=True)
    assert in_force(city).warning == ""


def test_a_plan_that_is_good_only_says_so_too() -> None:
    assert "not proven" in words.status_warning("feasible")
    assert words.status_warning("optimal") == ""


def test_why_there_is_no_plan_is_said_in_the_readers_language(
    city: City, settings: Any, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HEADGATE_SOLVE_SECONDS = 0  # nothing to switch: no rule can help
    plan = solved(city)
    english = "The time limit was reached before a first plan was found."
    assert (plan.state, plan.failure, failure(plan)) == (State.FAILED, english, english)
    chinese = {entry.msgid: entry.msgstr for entry in polib.pofile(str(CATALOG))}
    monkeypatch.setattr(words, "_", lambda text: chinese[text])
    with translation.override("zh-hant"):
        assert failure(plan) == "在找到第一個計畫之前已達時間上限。"
