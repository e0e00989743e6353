"""What happens to a plan when two workers want it, or one dies with it."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from cities.models import City
from planning import lifecycle
from planning.kernel.solve import solve
from planning.lifecycle import LostLease
from planning.models import Plan, PlanPart
from planning.run import run, run_here
from planning.sectors import Missing, Sector, sectors
from tests.planning.test_lifecycle import proposed
from tests.worlds import toy
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db
State = Plan.State


def let_the_lease_run_out(plan: Plan) -> None:
    Plan.objects.filter(pk=plan.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_only_one_of_two_workers_claims_a_plan(city: City) -> None:
    plan = lifecycle.request(city)
    assert lifecycle.claim(plan.pk) is not None
    assert lifecycle.claim(plan.pk) is None


def test_a_city_solves_one_plan_at_a_time_and_the_other_waits(city: City) -> None:
    first, second = lifecycle.request(city), lifecycle.request(city)
    lifecycle.claim(first.pk)
    assert lifecycle.claim(second.pk) is None
    second.refresh_from_db()
    assert second.state == State.REQUESTED


def test_a_dead_workers_plan_is_taken_back_and_solved_by_another(city: City, toy_sector: Behaviour) -> None:
    plan = lifecycle.request(city)
    dead = lifecycle.claim(plan.pk)
    assert dead is not None
    let_the_lease_run_out(plan)
    assert lifecycle.reap() == 1
    run(plan.pk)
    with pytest.raises(LostLease):  # the dead one wakes up and must not write over the living one's work
        lifecycle.keep_inputs(dead, snapshot={"stale": True})
    plan.refresh_from_db()
    assert plan.snapshot is not None
    assert "stale" not in plan.snapshot


@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_its_plan_however_long_the_inputs_take(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planning.run.RENEW_SECONDS", 0.01)

    def slowly() -> list[Sector]:
        Plan.objects.update(lease_until=timezone.now())
        patience = time.monotonic() + 60
        while Plan.objects.get().lease_until <= timezone.now():  # type: ignore[operator]
            assert time.monotonic() < patience, "nobody renews the lease"
            time.sleep(0.01)
        return sectors()

    monkeypatch.setattr("planning.snapshot.sectors", slowly)
    assert proposed(city).state == State.PROPOSED


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_passes_does_not_end_the_renewal_of_a_lease(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planning.run.RENEW_SECONDS", 0.01)
    renew, kept = lifecycle.renew, threading.Event()
    tries: list[str] = []

    def locked_once(plan: Plan, stage: str, progress: float) -> bool:
        if threading.current_thread().name.startswith("lease-"):
            tries.append(stage)
            if len(tries) == 1:
                raise OperationalError("database is locked")
            kept.set()
        return renew(plan, stage, progress)

    def slowly() -> list[Sector]:
        assert kept.wait(60), "nobody renews the lease"
        return sectors()

    monkeypatch.setattr("planning.lifecycle.renew", locked_once)
    monkeypatch.setattr("planning.snapshot.sectors", slowly)
    assert proposed(city).state == State.PROPOSED


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_passes_ends_neither_the_solve_nor_a_part(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, locked = lifecycle.renew, dict.fromkeys(("build", lifecycle.PARTS), 0)

    def locked_once_a_stage(plan: Plan, stage: str, progress: float) -> bool:
        locked[stage] = locked.get(stage, 0) + 1
        if locked[stage] == 1 and stage != "inputs":
            raise OperationalError("database is locked")
        return renew(plan, stage, progress)

    def patient(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def waits(*args: Any, **options: Any) -> Any:
            patience = time.monotonic() + 60
            while locked[stage] < 2:
                assert time.monotonic() < patience, "nobody renews the lease"
                time.sleep(0.01)
            return work(*args, **options)

        return waits

    monkeypatch.setattr("planning.run.RENEW_SECONDS", -1.0)
    monkeypatch.setattr("planning.lifecycle.renew", locked_once_a_stage)
    monkeypatch.setattr("planning.run.solve", patient("build", solve))
    slow = replace(toy.SECTOR, run=patient(lifecycle.PARTS, toy.run))
    monkeypatch.setattr("planning.run.sector", lambda name: slow)
    assert run_here(lifecycle.begin(city, publish=True)).state == State.PUBLISHED


def test_a_lease_that_ran_out_while_the_database_was_away_is_lost(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(plan: Plan, stage: str, progress: float) -> bool:
        if stage == "inputs":
            return True
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("planning.run.RENEW_SECONDS", -1.0)
    monkeypatch.setattr("planning.lifecycle.renew", away)
    monkeypatch.setattr(
        "planning.run.time", SimpleNamespace(monotonic=hours().__next__, process_time=time.process_time)
    )
    with pytest.raises(CommandError, match="out of reach") as ending:
        call_command("plan", "toytown")
    assert ending.value.returncode == 3
    assert Plan.objects.get().result is None


def hours() -> Iterator[float]:
    """A clock that every look at it puts forward by an hour."""
    return (3600.0 * hour for hour in itertools.count(1))


def test_a_living_workers_plan_is_not_taken_back(city: City) -> None:
    lifecycle.claim(lifecycle.request(city).pk)
    assert lifecycle.reap() == 0


def test_a_plan_that_killed_three_workers_fails(city: City) -> None:
    plan = lifecycle.request(city)
    for _ in range(lifecycle.ATTEMPTS):
        assert lifecycle.claim(plan.pk) is not None
        let_the_lease_run_out(plan)
        lifecycle.reap()
    plan.refresh_from_db()
    assert plan.state == State.FAILED
    assert "3" in plan.failure


def test_a_cancelled_plan_whose_worker_dies_is_over(city: City) -> None:
    plan = lifecycle.request(city)
    lifecycle.claim(plan.pk)
    lifecycle.cancel(plan)
    let_the_lease_run_out(plan)
    assert lifecycle.reap() == 1
    plan.refresh_from_db()
    assert (plan.state, plan.failure) == (State.FAILED, "Cancelled while it was being solved.")
    assert [event.what for event in plan.events.order_by("pk")][-1] == "cancelled"


def test_a_dead_workers_part_is_done_by_another(city: City, toy_sector: Behaviour) -> None:
    plan = lifecycle.request(city)
    run(plan.pk)
    part = lifecycle.claim_part(plan.parts.get().pk)
    assert part is not None
    PlanPart.objects.filter(pk=part.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert lifecycle.reap() == 1
    assert run_here(plan).state == State.PROPOSED


def test_a_plan_waits_for_its_last_part(city: City, toy_sector: Behaviour) -> None:
    toy_sector.follow_ups = 2
    plan = lifecycle.request(city)
    run(plan.pk)
    one, two = plan.parts.all()
    held = lifecycle.claim_part(one.pk)
    assert held is not None
    lifecycle.part_done(held, result={})
    assert lifecycle.join(plan.pk).state == State.SOLVING
    held = lifecycle.claim_part(two.pk)
    assert held is not None
    lifecycle.part_done(held, result={})
    assert lifecycle.join(plan.pk).state == State.PROPOSED


def solved_here_and_elsewhere(city: City) -> list[Plan]:
    """Two cities' plans that wait for their follow-up work."""
    other = City.objects.create(key="elsewhere", name="Elsewhere", latitude=0, longitude=0)
    plans = [lifecycle.request(city), lifecycle.request(other)]
    for plan in plans:
        run(plan.pk)
    return plans


def test_a_sector_that_cannot_sum_up_its_work_fails_that_plan_and_holds_up_no_other_city(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = solved_here_and_elsewhere(city)
    PlanPart.objects.update(state=PlanPart.State.DONE)

    def missing(plan: Plan, parts: object) -> Missing:
        if plan.city_id == city.pk:
            raise ZeroDivisionError("no water")
        return Missing()

    monkeypatch.setattr("planning.lifecycle.sectors", lambda: [replace(toy.SECTOR, missing=missing)])
    lifecycle.reap()
    for plan in plans:
        plan.refresh_from_db()
    assert [plan.state for plan in plans] == [State.FAILED, State.PROPOSED]
    assert "no water" in plans[0].failure


def test_a_plan_that_cannot_be_joined_now_holds_up_no_other_city(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = solved_here_and_elsewhere(city)
    tried: list[int] = []

    def join(plan_id: int) -> None:
        tried.append(plan_id)
        raise OperationalError("database is locked")

    monkeypatch.setattr("planning.lifecycle.join", join)
    assert lifecycle.reap() == 0
    assert sorted(tried) == sorted(plan.pk for plan in plans)


@pytest.mark.parametrize("over", ["week", "request"])
def test_a_plan_that_cannot_be_ended_keeps_no_other_from_it(
    city: City, toy_sector: Behaviour, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    other = City.objects.create(key="elsewhere", name="Elsewhere", latitude=0, longitude=0)
    if over == "week":
        stuck, free = proposed(city), proposed(other)
        Plan.objects.update(valid_until=timezone.now())
    else:
        stuck, free = lifecycle.request(city), lifecycle.request(other)
        Plan.objects.update(requested_at=timezone.now() - timedelta(hours=2))
    record = lifecycle._record

    def locked(plan: Plan, *said: Any) -> None:
        if plan == stuck:
            raise OperationalError("database is locked")
        record(plan, *said)

    with monkeypatch.context() as patch:
        patch.setattr("planning.lifecycle._record", locked)
        assert lifecycle.expire() == 1
    free.refresh_from_db()
    stuck.refresh_from_db()
    assert free.is_ended and not stuck.is_ended
    assert lifecycle.expire() == 1


def test_a_row_that_the_database_refuses_is_not_called_a_busy_city(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    known = lifecycle.request(city)
    monkeypatch.setattr("planning.lifecycle._taken", lambda token: {"uid": known.uid})  # a number given twice
    with pytest.raises(IntegrityError):
        lifecycle.begin(city)


def test_a_token_of_another_worker_opens_nothing(city: City) -> None:
    held = lifecycle.claim(lifecycle.request(city).pk)
    assert held is not None
    held.token = uuid.uuid4()
    with pytest.raises(LostLease):
        lifecycle.renew(held, "build", 0.5)
