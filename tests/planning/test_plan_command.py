"""`manage.py plan`: the same plan as a worker's, in this process, for people and scripts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cities.models import City
from planning import lifecycle
from planning.models import Plan
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


def test_interrupted_it_leaves_the_city_free_for_the_next_plan(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(CommandError) as ending:
        patch.setattr("planning.run._Solve.wait", interrupted)
        call_command("plan", "toytown")
    assert ending.value.returncode == 130
    assert Plan.objects.get().state == State.FAILED
    call_command("plan", "toytown")
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1


def test_a_busy_city_is_told_at_once_and_nothing_is_left_waiting(city: City, toy_sector: Behaviour) -> None:
    busy = lifecycle.claim(lifecycle.request(city).pk)
    assert busy is not None
    with pytest.raises(CommandError, match="busy"):
        call_command("plan", "toytown")
    assert not Plan.objects.filter(state=State.REQUESTED).exists()


def test_a_killed_command_does_not_block_the_city_for_longer_than_its_lease(city: City, toy_sector: Behaviour) -> None:
    killed = lifecycle.claim(lifecycle.request(city).pk)
    assert killed is not None
    Plan.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    call_command("plan", "toytown")
    assert Plan.objects.filter(state=State.PUBLISHED).count() == 1


def test_a_request_that_nobody_takes_up_for_an_hour_fails(city: City, toy_sector: Behaviour) -> None:
    plan = lifecycle.request(city)
    Plan.objects.update(requested_at=timezone.now() - timedelta(minutes=61))
    assert lifecycle.expire() == 1
    plan.refresh_from_db()
    assert plan.state == State.FAILED
