"""`manage.py plan`: the same plan as a worker's, in this process, for people and scripts."""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.module_loading import import_string

from cities.models import City
from planning import lifecycle, outbox
from planning.horizons import next_quarter
from planning.models import Plan, PlanEvent
from planning.reports import InForce, in_force
from planning.run import run, run_here
from planning.sectors import FollowUp
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db
State = Plan.State


def test_it_publishes_and_prints_and_writes_the_numbers(
    city: City, toy_sector: Behaviour, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("plan", "toytown", json=str(tmp_path / "plan.json"))
    plan = Plan.objects.get()
    assert plan.state == State.PUBLISHED
    assert json.loads((tmp_path / "plan.json").read_text()) == plan.result
    printed = capsys.readouterr().out
    assert "synthetic" in printed
    assert "Toy" in printed


def test_it_can_leave_the_decision_to_an_engineer(city: City, toy_sector: Behaviour) -> None:
    call_command("plan", "toytown", propose_only=True)
    assert Plan.objects.get().state == State.PROPOSED


@pytest.mark.parametrize(
    ("key", "options", "told"),
    [
        ("atlantis", {}, "toytown"),
        ("toytown", {"start": "tomorrow"}, "ISO 8601"),
        ("toytown", {"start": "2026-11-21T00:00:00"}, "offset"),
        ("toytown", {"start": "2026-02-30T00:00:00+08:00"}, "ISO 8601"),
    ],
)
def test_what_it_does_not_understand_makes_no_plan(city: City, key: str, options: dict[str, str], told: str) -> None:
    with pytest.raises(CommandError, match=told) as refusal:
        call_command("plan", key, **options)
    assert refusal.value.returncode == 2
    assert not Plan.objects.exists()


@pytest.mark.parametrize("where", ["no such folder/plan.json", "."])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_planned(
    city: City, toy_sector: Behaviour, tmp_path: Path, where: str
) -> None:
    with pytest.raises(CommandError, match="folder") as refusal:
        call_command("plan", "toytown", json=str(tmp_path / where))
    assert refusal.value.returncode == 2
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("9999-12-31T23:45:00+00:00", "14 days ahead"),
        ("0001-01-01T00:00:00+08:00", "days ago"),
        ("2026-11-21T00:00:07+08:00", "quarter hour"),
        ("2026-11-21T00:10:00+08:00", "quarter hour"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(city: City, toy_sector: Behaviour, start: str, told: str) -> None:
    with pytest.raises(CommandError, match=told) as refusal:
        call_command("plan", "toytown", start=start)
    assert refusal.value.returncode == 2
    assert not Plan.objects.exists()


def test_a_week_that_is_over_is_replayed_and_not_published(
    city: City, toy_sector: Behaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    quarter = next_quarter(timezone.now() - timedelta(days=30))
    call_command("plan", "toytown", start=quarter.isoformat(), json="-")
    plan = Plan.objects.get()
    assert (plan.state, plan.start) == (State.PROPOSED, quarter)
    heard = capsys.readouterr()
    assert json.loads(heard.out) == plan.result
    assert "replay" in heard.err


def test_a_start_some_days_ago_is_a_replay_that_leaves_the_plan_in_force_alone(
    city: City, toy_sector: Behaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run_here(lifecycle.request(city, publish=True))
    call_command("plan", "toytown", start=next_quarter(timezone.now() - timedelta(days=3)).isoformat())
    assert in_force(city).plan == before
    assert Plan.objects.exclude(pk=before.pk).get().state == State.PROPOSED
    assert "replay" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("stage", ["planning.snapshot.sectors", "planning.run.solve", "planning.run.sector"])
def test_interrupted_at_any_stage_it_leaves_the_city_free_for_the_next_plan(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch, stage: str, number: int, code: int
) -> None:
    goes_on = import_string(stage)

    def interrupted(*args: Any, **options: Any) -> Any:
        for _ in range(2):  # an impatient person does it twice
            os.kill(os.getpid(), number)
        return goes_on(*args, **options)

    with monkeypatch.context() as patch, pytest.raises(CommandError, match=r"Interrupted; .* is cancelled") as ending:
        patch.setattr(stage, interrupted)
        call_command("plan", "toytown")
    assert ending.value.returncode == code
    plan = Plan.objects.get()
    assert (plan.state, plan.get_state_display()) == (State.FAILED, "cancelled")
    assert [event.what for event in plan.events.all()][-1] == "cancelled"
    call_command("plan", "toytown")
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1


def test_a_plan_that_a_person_ended_is_not_said_to_have_failed(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("plan", "toytown")
    before = Plan.objects.get()
    monkeypatch.setattr("planning.run.solve", lambda *parts, **options: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(CommandError):
        call_command("plan", "toytown")
    assert in_force(city) == InForce(before)


def test_interrupted_before_it_began_a_plan_the_command_says_so(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planning.lifecycle.reap", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(CommandError, match="before a plan was begun"):
        call_command("plan", "toytown")
    assert not Plan.objects.exists()


def test_a_busy_city_is_told_with_until_when_and_nothing_is_left_waiting(
    city: City, toy_sector: Behaviour, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = lifecycle.claim(lifecycle.request(city).pk)
    assert busy is not None and busy.lease_until is not None
    settings.CELERY_TASK_TIME_LIMIT = -lifecycle.LEASE.total_seconds() - 1  # no patience at all
    with pytest.raises(CommandError, match=str(busy)) as refusal:
        call_command("plan", "toytown")
    assert refusal.value.returncode == 3
    assert f"{timezone.localtime(busy.lease_until, city.zone):%H:%M:%S}" in str(refusal.value)
    assert not Plan.objects.filter(state=State.REQUESTED).exists()


def test_a_busy_city_is_waited_for(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    busy = lifecycle.claim(lifecycle.request(city).pk)
    assert busy is not None
    monkeypatch.setattr("planning.management.commands.plan.time.sleep", lambda seconds: lifecycle.fail(busy, "flood"))
    call_command("plan", "toytown")
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1
    assert capsys.readouterr().err.count("Waiting for it") == 1


def test_a_killed_command_does_not_block_the_city_for_longer_than_its_lease(city: City, toy_sector: Behaviour) -> None:
    killed = lifecycle.begin(city)
    Plan.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    call_command("plan", "toytown")
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1
    killed.refresh_from_db()
    assert killed.state == State.FAILED


@pytest.mark.parametrize("stage", ["claimed", lifecycle.PARTS])
def test_what_a_killed_command_began_does_not_come_to_life_again(city: City, toy_sector: Behaviour, stage: str) -> None:
    killed = lifecycle.begin(city, publish=True)
    if stage == lifecycle.PARTS:
        lifecycle.solved(killed, {"status": "optimal"}, [("toy", FollowUp("lateral-0", {"number": 0}))])
    assert outbox.dispatch() == 0
    Plan.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert lifecycle.reap() == 1
    killed.refresh_from_db()
    assert killed.state == State.FAILED
    assert "command" in killed.failure
    assert outbox.dispatch() == 0


def test_two_commands_make_two_plans_one_after_the_other(city: City, toy_sector: Behaviour) -> None:
    first = lifecycle.begin(city, publish=True)
    with pytest.raises(lifecycle.Busy) as busy:
        lifecycle.begin(city, publish=True)
    assert busy.value.plan == first
    assert Plan.objects.count() == 1
    run_here(first)
    assert run_here(lifecycle.begin(city, publish=True)).supersedes == first


def test_the_follow_up_work_that_a_worker_left_is_done_first(city: City, toy_sector: Behaviour) -> None:
    """`serve` ended between the solve and the valves: without a worker the plan would hold the city for ever."""
    left = lifecycle.request(city)
    run(left.pk)
    call_command("plan", "toytown")
    left.refresh_from_db()
    assert left.state == State.PROPOSED
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1


def test_follow_up_work_that_a_worker_is_at_is_not_done_twice(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = lifecycle.request(city)
    run(left.pk)
    part = lifecycle.claim_part(left.parts.get().pk)
    assert part is not None

    def done_meanwhile(seconds: float) -> None:
        lifecycle.part_done(part, result={"by": "the worker"})
        lifecycle.join(left.pk)

    monkeypatch.setattr("planning.management.commands.plan.time.sleep", done_meanwhile)
    call_command("plan", "toytown")
    assert left.parts.get().result == {"by": "the worker"}
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1


def test_follow_up_work_that_nobody_takes_up_for_an_hour_fails_the_plan(city: City, toy_sector: Behaviour) -> None:
    plan = lifecycle.request(city)
    run(plan.pk)
    assert lifecycle.expire() == 0
    PlanEvent.objects.update(at=timezone.now() - timedelta(minutes=61))
    assert lifecycle.expire() == 1
    plan.refresh_from_db()
    assert plan.state == State.FAILED
    assert "follow-up work" in plan.failure


def test_a_request_that_nobody_takes_up_for_an_hour_fails(city: City, toy_sector: Behaviour) -> None:
    plan = lifecycle.request(city)
    Plan.objects.update(requested_at=timezone.now() - timedelta(minutes=61))
    assert lifecycle.expire() == 1
    plan.refresh_from_db()
    assert plan.state == State.FAILED
