"""The life of a plan: who may move it where, and what fails it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import override

from cities.models import City
from planning import lifecycle, snapshot
from planning.horizons import next_quarter
from planning.kernel.solve import solve
from planning.lifecycle import Refused
from planning.models import Plan
from planning.reports import in_force
from planning.run import run, run_here
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db
State = Plan.State


def proposed(city: City) -> Plan:
    return run_here(lifecycle.request(city))


def published(city: City) -> Plan:
    return run_here(lifecycle.request(city, publish=True))


def test_a_plan_goes_from_request_to_publication(city: City, toy_sector: Behaviour) -> None:
    plan = proposed(city)
    assert plan.state == State.PROPOSED
    lifecycle.approve(plan)
    lifecycle.publish(plan)
    assert plan.state == State.PUBLISHED
    assert toy_sector.published == [plan]
    assert [event.what for event in plan.events.all()] == ["requested", "solved", "proposed", "approved", "published"]
    # 2 an hour for 7 × 24 hours at 10 a unit
    assert plan.objective == pytest.approx(2 * 168 * 10)


@pytest.mark.django_db(transaction=True)
def test_the_log_tells_every_step_of_a_plan_and_none_that_was_taken_back(
    city: City, toy_sector: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "planning.lifecycle"):
        first, plan = published(city), proposed(city)
        with pytest.raises(Refused):
            lifecycle.publish(plan)  # nobody has approved it: the one in force is superseded, and then is not
        lifecycle.withdraw(plan, note="main break")
        lifecycle.fail(lifecycle.request(city), "no water")
    told = [f"{record.levelname} {record.message}" for record in caplog.records]
    assert f"INFO Plan {plan}: proposed" in told
    assert f"INFO Plan {plan}: withdrawn (main break)" in told
    assert told[-1].startswith("WARNING") and told[-1].endswith("failed (no water)")
    assert [line for line in told if f"{first}: superseded" in line] == []


def test_a_plan_asked_to_publish_itself_does(city: City, toy_sector: Behaviour) -> None:
    assert published(city).state == State.PUBLISHED


def test_a_new_publication_supersedes_the_plan_in_force(city: City, toy_sector: Behaviour) -> None:
    first, second = published(city), published(city)
    first.refresh_from_db()
    assert first.state == State.SUPERSEDED
    assert second.supersedes == first
    assert in_force(city).plan == second


def test_the_database_itself_refuses_a_second_published_plan(city: City, toy_sector: Behaviour) -> None:
    published(city)
    other = proposed(city)
    with pytest.raises(IntegrityError), transaction.atomic():
        Plan.objects.filter(pk=other.pk).update(state=State.PUBLISHED)


def test_a_plan_that_was_not_approved_is_not_published(city: City, toy_sector: Behaviour) -> None:
    plan = proposed(city)
    with pytest.raises(Refused):
        lifecycle.publish(plan)
    assert plan.state == State.PROPOSED


def test_when_a_sector_cannot_write_its_documents_nothing_is_published(city: City, toy_sector: Behaviour) -> None:
    before = published(city)
    plan = proposed(city)
    lifecycle.approve(plan)
    toy_sector.publish_error = RuntimeError("disk full")
    with pytest.raises(RuntimeError):
        lifecycle.publish(plan)
    before.refresh_from_db()
    plan.refresh_from_db()
    assert (before.state, plan.state) == (State.PUBLISHED, State.APPROVED)


def test_where_four_eyes_are_wanted_nobody_approves_a_plan_of_their_own(city: City, toy_sector: Behaviour) -> None:
    city.settings = {"four_eyes": True}
    city.save()
    asker, other = User.objects.create(username="asker"), User.objects.create(username="other")
    plan = run_here(lifecycle.request(city, by=asker))
    for person in (asker, None):
        with pytest.raises(Refused, match="second person"):
            lifecycle.approve(plan, person)
    assert plan.state == State.PROPOSED
    lifecycle.approve(plan, other)
    assert plan.approved_by == other


def test_where_four_eyes_are_wanted_no_plan_publishes_itself(city: City, toy_sector: Behaviour) -> None:
    """Whatever language the worker speaks, the reason is written in English, for every reader to have in their own."""
    City.objects.update(settings={"four_eyes": True})
    with override("zh-hant"):
        plan = run_here(lifecycle.request(City.objects.get(), publish=True))
    assert plan.state == State.PROPOSED
    last = plan.events.last()
    assert last is not None and "second person" in last.note


def test_the_refusal_of_an_own_approval_is_told_in_chinese_too(city: City, toy_sector: Behaviour) -> None:
    city.settings = {"four_eyes": True}
    city.save()
    asker = User.objects.create(username="asker")
    plan = run_here(lifecycle.request(city, by=asker))
    with override("zh-hant"), pytest.raises(Refused, match="第二人"):
        lifecycle.approve(plan, asker)


def test_a_plan_whose_week_is_over_cannot_be_published(city: City, toy_sector: Behaviour) -> None:
    plan = proposed(city)
    lifecycle.approve(plan)
    Plan.objects.filter(pk=plan.pk).update(valid_until=timezone.now())
    plan.refresh_from_db()
    with pytest.raises(Refused):
        lifecycle.publish(plan)


def test_a_replay_is_published_neither_by_itself_nor_by_a_person(city: City, toy_sector: Behaviour) -> None:
    before = published(city)
    start = next_quarter(timezone.now()) - timedelta(hours=2)
    plan = run_here(lifecycle.request(city, start=start, publish=True))
    assert plan.state == State.PROPOSED
    last = plan.events.last()
    assert last is not None and "replay" in last.note
    lifecycle.approve(plan)
    with pytest.raises(Refused, match="replay"):
        lifecycle.publish(plan)
    assert in_force(city).plan == before


def test_a_plan_that_waited_long_for_a_person_can_still_be_published(city: City, toy_sector: Behaviour) -> None:
    plan = proposed(city)
    long_ago = timedelta(days=2)
    Plan.objects.update(start=plan.start - long_ago, requested_at=plan.requested_at - long_ago)
    plan.refresh_from_db()
    lifecycle.approve(plan)
    lifecycle.publish(plan)
    assert plan.state == State.PUBLISHED


def test_a_part_that_breaks_a_limit_fails_the_plan_and_the_previous_one_stays(
    city: City, toy_sector: Behaviour
) -> None:
    before = published(city)
    toy_sector.broken_limits = ("valve 7 is open in a quiet window",)
    plan = published(city)
    assert plan.state == State.FAILED
    assert "valve 7" in plan.failure
    now = in_force(city)
    assert now.plan == before
    assert "valve 7" in now.warning


def test_an_answer_that_fails_verification_is_never_proposed(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published(city)
    monkeypatch.setattr("planning.kernel.solve.broken_limits", lambda *parts: ["bus town: out by 3"])
    plan = published(city)
    assert plan.state == State.FAILED
    assert "bus town: out by 3" in plan.failure
    assert in_force(city).plan == before


def test_a_cancelled_plan_and_a_failed_replay_warn_of_nothing(city: City, toy_sector: Behaviour) -> None:
    before = published(city)
    lifecycle.cancel(lifecycle.request(city))
    lifecycle.fail(lifecycle.request(city, start=before.start - timedelta(days=3)), "no water")
    now = in_force(city)
    assert (now.plan, now.warning) == (before, "")
    assert now.plan is not None and now.plan.get_deferred_fields() == {"snapshot", "result", "facts"}
    lifecycle.fail(lifecycle.request(city), "a flood")
    assert "a flood" in in_force(city).warning


def test_a_time_limit_without_any_solution_leaves_the_previous_plan_in_force(
    city: City, toy_sector: Behaviour, settings: Any
) -> None:
    before = published(city)
    settings.HEADGATE_SOLVE_SECONDS = 0.0
    plan = published(city)
    assert plan.state == State.FAILED
    assert plan.result is None
    assert in_force(city).plan == before
    assert in_force(city).warning


def test_an_impossible_target_gives_a_plan_that_says_who_is_short(city: City, toy_sector: Behaviour) -> None:
    toy_sector.demand = 8.0  # 3 of 8 cannot be served
    plan = published(city)
    assert plan.state == State.PUBLISHED
    (short,) = plan.result["shortages"]
    assert short["wish"] == "homes"
    assert short["amount"] == pytest.approx(3 * 168)
    assert short["share"] == pytest.approx(3 / 8)


def test_inputs_that_make_no_network_fail_with_every_reason(city: City, toy_sector: Behaviour) -> None:
    toy_sector.demand, toy_sector.capacity = float("nan"), float("nan")
    plan = run_here(lifecycle.request(city))
    assert plan.state == State.FAILED
    assert "demands.homes" in plan.failure
    assert "supplies.river" in plan.failure


def test_a_bug_fails_the_plan_instead_of_leaving_it_solving(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("planning.run.solve", broken)
    plan = lifecycle.request(city)
    with pytest.raises(ZeroDivisionError):
        run(plan.pk)
    plan.refresh_from_db()
    assert plan.state == State.FAILED


def test_solving_the_snapshot_again_gives_the_same_objective(city: City, toy_sector: Behaviour) -> None:
    plan = published(city)
    again = solve(*snapshot.read(plan.snapshot))
    assert again.objective == pytest.approx(plan.objective, rel=1e-9)


def test_cancelling_a_waiting_plan_ends_it(city: City) -> None:
    plan = lifecycle.request(city)
    lifecycle.cancel(plan)
    assert plan.state == State.FAILED
    assert lifecycle.claim(plan.pk) is None


def test_cancelling_while_it_is_solved_ends_without_a_proposal(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = lifecycle.request(city)

    def solve_and_be_cancelled(*args: object, **options: object) -> object:
        Plan.objects.filter(pk=plan.pk).update(cancel_requested=True)
        return solve(*args, **options)

    monkeypatch.setattr(
        "planning.run._Solve.wait", lambda self: solve_and_be_cancelled(self.inputs.network, self.inputs.horizon)
    )
    run(plan.pk)
    plan.refresh_from_db()
    assert plan.state == State.FAILED


def test_a_published_plan_expires_when_its_week_is_over(city: City, toy_sector: Behaviour) -> None:
    plan = published(city)
    Plan.objects.filter(pk=plan.pk).update(valid_until=timezone.now())
    assert lifecycle.expire() == 1
    plan.refresh_from_db()
    assert plan.state == State.EXPIRED
    assert in_force(city).plan is None


def test_a_withdrawn_plan_is_no_longer_in_force_and_its_documents_are_taken_back(
    city: City, toy_sector: Behaviour
) -> None:
    plan = published(city)
    lifecycle.withdraw(plan, note="main break")
    assert plan.state == State.WITHDRAWN
    assert toy_sector.withdrawn == [plan]
    assert in_force(city).plan is None
    with pytest.raises(Refused):
        lifecycle.approve(plan)


def test_an_older_request_does_not_publish_itself_over_a_newer_plan(city: City, toy_sector: Behaviour) -> None:
    old = lifecycle.request(city, publish=True)
    newer = published(city)
    assert run_here(old).state == State.PROPOSED
    assert in_force(city).plan == newer


def test_a_city_gets_its_regular_plan_as_a_proposal_and_no_two_of_them(city: City, toy_sector: Behaviour) -> None:
    assert lifecycle.request_due() == []  # its pack says nothing of regular plans
    City.objects.update(settings={"plan_every_hours": 6})
    (plan,) = lifecycle.request_due()
    assert lifecycle.request_due() == []
    assert run_here(plan).state == State.PROPOSED
    Plan.objects.update(requested_at=timezone.now() - timedelta(hours=7))
    assert len(lifecycle.request_due()) == 1
