"""The engineer's pages of plans: who sees what, who may do what, and what each state offers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cities.models import City, Membership
from planning import lifecycle
from planning.admin_pages import work_of
from planning.horizons import next_quarter
from planning.kernel import casefile
from planning.kernel.solve import solve
from planning.models import Plan, PlanEvent, PlanPart
from planning.run import run_here
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db
LIST = "/admin/planning/plan/"
State = Plan.State


def person(city: City, role: str) -> Client:
    user = User.objects.create_user(f"{role}-{city.key}", password="x", is_staff=True)
    Membership.objects.create(user=user, city=city, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def engineer(city: City) -> Client:
    return person(city, Membership.Role.ENGINEER)


@pytest.fixture
def viewer(city: City) -> Client:
    return person(city, Membership.Role.VIEWER)


@pytest.fixture
def stranger(city: City) -> Client:
    other = City.objects.create(key="elsewhere", name="Elsewhere", latitude=0, longitude=0)
    return person(other, Membership.Role.ENGINEER)


@pytest.fixture
def proposed(city: City, toy_sector: Behaviour) -> Plan:
    return run_here(lifecycle.request(city))


def page(plan: Plan) -> str:
    return f"{LIST}{plan.pk}/change/"


def step(plan: Plan, name: str) -> str:
    return f"{LIST}{plan.pk}/do/{name}/"


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def state_of(plan: Plan) -> str:
    return Plan.objects.get(pk=plan.pk).state


# --- the list ------------------------------------------------------------------------------------------------
def test_the_panel_shows_what_is_in_force_and_what_waits(engineer: Client, city: City, proposed: Plan) -> None:
    lifecycle.approve(proposed)
    lifecycle.publish(proposed)
    waiting = run_here(lifecycle.request(city))
    failed = lifecycle.request(city)
    lifecycle.fail(failed, "no water")
    shown = text_of(engineer, LIST)
    panel = shown[shown.index('class="plan-panel"') : shown.index('id="changelist"')]
    assert page(proposed) in panel and page(waiting) in panel
    assert "The previous plan stays in force" in panel and "no water" in panel


def test_a_replay_waits_for_nobodys_decision_and_is_offered_for_no_approval(
    engineer: Client, city: City, toy_sector: Behaviour
) -> None:
    replay = run_here(lifecycle.request(city, start=next_quarter(timezone.now() - timedelta(days=2))))
    shown = text_of(engineer, LIST)
    assert page(replay) not in shown[shown.index('class="plan-panel"') : shown.index('id="changelist"')]
    shown = text_of(engineer, page(replay))
    assert "It is a replay" in shown
    assert step(replay, "approve") not in shown and step(replay, "withdraw") in shown


def test_the_list_counts_the_shortages_and_marks_invented_data(
    engineer: Client, city: City, toy_sector: Behaviour
) -> None:
    toy_sector.demand = 7.0  # the river gives 5
    run_here(lifecycle.request(city))
    shown = text_of(engineer, LIST)
    assert '<td class="field-shortages">1</td>' in shown
    assert '<span class="state state-synthetic">synthetic</span>' in shown
    assert '<span class="state state-proposed">proposed</span>' in shown


def test_nobody_adds_edits_or_deletes_plans_by_hand(engineer: Client, proposed: Plan) -> None:
    assert engineer.get(f"{LIST}add/").status_code == 403
    assert engineer.post(page(proposed), {"state": "published"}).status_code == 405
    assert engineer.post(f"{LIST}{proposed.pk}/delete/", {"post": "yes"}).status_code == 403
    assert state_of(proposed) == State.PROPOSED


def test_a_new_plan_is_asked_for_with_its_reason_and_by_whom(engineer: Client, city: City) -> None:
    answer = engineer.post(f"{LIST}new/", {"city": city.key, "reason": "storm", "publish": "on"})
    plan = Plan.objects.get()
    assert answer["Location"] == page(plan)
    assert (plan.reason, plan.publish_when_ready, plan.requested_by.username) == ("storm", True, "engineer-toytown")


def test_a_new_plan_needs_a_post_with_a_token(city: City, engineer: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="engineer-toytown"))
    assert strict.post(f"{LIST}new/", {"city": city.key}).status_code == 403
    assert engineer.get(f"{LIST}new/").status_code == 405
    assert not Plan.objects.exists()


# --- who may what --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["cancel", "approve", "publish", "withdraw", "again"])
def test_a_viewer_reads_and_does_nothing(viewer: Client, proposed: Plan, name: str) -> None:
    assert "plan-steps" not in text_of(viewer, page(proposed))
    assert "plan-new" not in text_of(viewer, LIST)
    assert viewer.post(step(proposed, name), {"confirmed": "yes", "note": "x"}).status_code == 403
    assert viewer.post(f"{LIST}new/", {"city": proposed.city.key}).status_code == 403
    assert state_of(proposed) == State.PROPOSED
    assert Plan.objects.count() == 1


def test_an_engineer_of_another_city_finds_nothing(stranger: Client, proposed: Plan) -> None:
    assert str(proposed) not in text_of(stranger, LIST)
    assert proposed.city.name not in text_of(stranger, LIST)
    part = proposed.parts.get()
    for address in (
        page(proposed),
        f"{LIST}{proposed.pk}/progress.json",
        f"{LIST}{proposed.pk}/charts/toy-river.svg",
        f"{LIST}{proposed.pk}/result.json",
        f"{LIST}{proposed.pk}/case.yaml",
        f"/admin/planning/planpart/{part.pk}/change/",
    ):
        assert stranger.get(address).status_code == 404, address
    assert stranger.post(step(proposed, "approve")).status_code == 404
    assert stranger.post(f"{LIST}new/", {"city": proposed.city.key}).status_code == 404
    assert state_of(proposed) == State.PROPOSED


def test_a_fab_manager_finds_nothing(city: City, proposed: Plan) -> None:
    fab = person(city, Membership.Role.FAB)
    assert fab.get(LIST).status_code == 403
    assert fab.get(page(proposed)).status_code == 404
    assert fab.post(step(proposed, "approve")).status_code == 404
    assert fab.post(f"{LIST}new/", {"city": city.key}).status_code == 403


# --- steps ---------------------------------------------------------------------------------------------------
def test_a_step_is_a_post(engineer: Client, proposed: Plan) -> None:
    assert engineer.get(step(proposed, "approve")).status_code == 405
    assert engineer.post(step(proposed, "explode")).status_code == 404
    assert state_of(proposed) == State.PROPOSED


def test_a_plan_is_approved_then_published_after_a_question(
    engineer: Client, proposed: Plan, toy_sector: Behaviour
) -> None:
    engineer.post(step(proposed, "approve"))
    assert state_of(proposed) == State.APPROVED
    question = engineer.post(step(proposed, "publish"))
    assert "puts this plan in force" in question.content.decode()
    assert state_of(proposed) == State.APPROVED
    engineer.post(step(proposed, "publish"), {"confirmed": "yes"})
    assert state_of(proposed) == State.PUBLISHED
    assert toy_sector.published == [proposed]
    assert PlanEvent.objects.get(what="published").by.username == "engineer-toytown"


def test_a_plan_is_withdrawn_only_with_a_reason(engineer: Client, proposed: Plan) -> None:
    asked = engineer.post(step(proposed, "withdraw"), {"confirmed": "yes", "note": "  "})
    assert "Say why" in asked.content.decode()
    assert state_of(proposed) == State.PROPOSED
    engineer.post(step(proposed, "withdraw"), {"confirmed": "yes", "note": "wrong inflow"})
    assert state_of(proposed) == State.WITHDRAWN
    assert "wrong inflow" in text_of(engineer, page(proposed))


def test_what_the_state_does_not_allow_is_said_and_changes_nothing(engineer: Client, proposed: Plan) -> None:
    answer = engineer.post(step(proposed, "publish"), {"confirmed": "yes"}, follow=True)
    assert "that step is not open to it" in answer.content.decode()
    assert state_of(proposed) == State.PROPOSED


def test_a_plan_at_work_that_is_cancelled_is_said_to_be_stopping(engineer: Client, city: City) -> None:
    plan = lifecycle.claim(lifecycle.request(city).pk)
    assert plan is not None
    assert f"Stopping {plan}." in engineer.post(step(plan, "cancel"), follow=True).content.decode()
    lifecycle.fail(plan, "Cancelled while it was being solved.")
    assert [event.what for event in plan.events.all()] == ["requested", "cancelled", "cancelled"]
    assert '<span class="state state-failed">cancelled</span>' in text_of(engineer, LIST)


def test_a_waiting_plan_can_be_cancelled_and_planned_again(engineer: Client, city: City) -> None:
    plan = lifecycle.request(city)
    assert f'action="{step(plan, "again")}"' not in text_of(engineer, page(plan))
    engineer.post(step(plan, "cancel"))
    assert state_of(plan) == State.FAILED
    shown = text_of(engineer, page(plan))
    assert "Cancelled before a worker had solved it." in shown
    assert f'action="{step(plan, "again")}"' in shown
    engineer.post(step(plan, "again"))
    assert Plan.objects.filter(state=State.REQUESTED).get().reason == f"again, after {plan}"


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.REQUESTED, {"cancel"}),
        (State.SOLVING, {"cancel"}),
        (State.PROPOSED, {"approve", "withdraw", "again"}),
        (State.APPROVED, {"publish", "withdraw", "again"}),
        (State.PUBLISHED, {"withdraw", "again"}),
        (State.SUPERSEDED, {"again"}),
        (State.EXPIRED, {"again"}),
        (State.WITHDRAWN, {"again"}),
        (State.FAILED, {"again"}),
    ],
)
def test_each_state_offers_its_steps(engineer: Client, city: City, state: str, offered: set[str]) -> None:
    plan = lifecycle.request(city)
    Plan.objects.filter(pk=plan.pk).update(state=state)
    shown = text_of(engineer, page(plan))
    every = ("cancel", "approve", "publish", "withdraw", "again")
    assert {name for name in every if f'action="{step(plan, name)}"' in shown} == offered


# --- the page ------------------------------------------------------------------------------------------------
def test_the_page_says_who_is_short_and_that_it_was_verified(
    engineer: Client, city: City, toy_sector: Behaviour
) -> None:
    toy_sector.demand = 7.0  # 2 of 7 an hour are missing: 336 of the week's 1176
    plan = run_here(lifecycle.request(city))
    shown = text_of(engineer, page(plan))
    assert "336.0" in shown and "28.6%" in shown
    assert "Homes: short of 336" in shown
    assert "no broken limits" in shown
    assert plan.snapshot_sha256 in shown
    targets = re.findall(r'<li><a href="#([^"]+)">', shown)
    assert len(targets) >= 5 and all(f'id="{target}"' in shown for target in targets)


def test_progress_is_json_that_ends(engineer: Client, proposed: Plan, city: City) -> None:
    waiting = lifecycle.request(city)
    news = engineer.get(reverse("admin:planning_plan_progress", args=[waiting.pk])).json()
    assert news == {
        "state": "requested",
        "state_words": "requested",
        "at_work": True,
        "percent": 0,
        "text": "waiting for a worker",
        "hint": "",
    }
    Plan.objects.filter(pk=waiting.pk).update(state=State.SOLVING, stage="tier 2", progress=0.4)
    news = engineer.get(reverse("admin:planning_plan_progress", args=[waiting.pk])).json()
    assert (news["percent"], news["text"]) == (32, "meeting wishes of tier 2")
    assert not engineer.get(reverse("admin:planning_plan_progress", args=[proposed.pk])).json()["at_work"]


def test_progress_never_goes_backwards(city: City) -> None:
    plan = lifecycle.request(city)
    shown = []
    for stage, progress in [("build", 0.1), ("cost", 0.6), ("verify", 1.0), ("parts", 1.0)]:
        plan.state, plan.stage, plan.progress = State.SOLVING, stage, progress
        shown.append(work_of(plan).percent)
    first, second = (
        PlanPart.objects.create(plan=plan, sector="water", key=key, input={}, state=PlanPart.State.REQUESTED)
        for key in ("first", "second")
    )
    for part in (first, second):
        PlanPart.objects.filter(pk=part.pk).update(state=PlanPart.State.DONE)
        shown.append(work_of(plan).percent)
    assert shown == [8, 48, 80, 80, 90, 100]


def test_a_request_that_nobody_takes_makes_the_page_ask_for_the_worker(engineer: Client, city: City) -> None:
    plan = lifecycle.request(city)
    hint = "is the solve worker running?"
    Plan.objects.filter(pk=plan.pk).update(sent_at=timezone.now())
    assert hint not in text_of(engineer, LIST)
    Plan.objects.filter(pk=plan.pk).update(requested_at=timezone.now() - timedelta(seconds=61))
    assert hint in text_of(engineer, LIST)
    Plan.objects.filter(pk=plan.pk).update(sent_at=None)
    assert "The message broker is out of reach" in text_of(engineer, page(plan))


def test_a_request_behind_another_plan_says_so(engineer: Client, city: City) -> None:
    ahead, plan = lifecycle.request(city), lifecycle.request(city)
    Plan.objects.filter(pk=ahead.pk).update(state=State.SOLVING)
    assert "Another plan of this city is being made" in text_of(engineer, page(plan))


def test_the_case_file_solves_to_the_same_cost(engineer: Client, proposed: Plan) -> None:
    answer = engineer.get(f"{LIST}{proposed.pk}/case.yaml")
    solved = solve(*casefile.read(answer.content.decode()))
    assert solved.cost == pytest.approx(proposed.cost)
    assert engineer.get(f"{LIST}{proposed.pk}/result.json").json()["cost"] == pytest.approx(proposed.cost)


def test_what_was_not_solved_has_no_files(engineer: Client, city: City) -> None:
    plan = lifecycle.request(city)
    assert engineer.get(f"{LIST}{plan.pk}/case.yaml").status_code == 404
    assert engineer.get(f"{LIST}{plan.pk}/result.json").status_code == 404


def test_a_failure_is_shown_in_full(engineer: Client, city: City) -> None:
    plan = lifecycle.request(city)
    lifecycle.fail(plan, "first line\n<b>second line</b>")
    assert "first line\n&lt;b&gt;second line&lt;/b&gt;" in text_of(engineer, page(plan))


def test_a_part_has_a_page_of_its_own(engineer: Client, viewer: Client, proposed: Plan) -> None:
    part = proposed.parts.get()
    address = f"/admin/planning/planpart/{part.pk}/change/"
    assert address in text_of(engineer, page(proposed))
    assert "lateral-0" in text_of(viewer, address)
    assert engineer.post(f"/admin/planning/planpart/{part.pk}/delete/", {"post": "yes"}).status_code == 403
