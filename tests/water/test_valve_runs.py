"""Laterals share the water of a solved plan by turns, and valve runs keep their names from plan to plan."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from cities.models import City
from forecasting.models import Series
from planning.models import Plan, PlanPart
from water.kernel.sharing import Claim, share_out
from water.models import (
    Controller,
    ControllerSchedule,
    IrrigationSystem,
    Lateral,
    Turnout,
    ValveRun,
    WaterBus,
)
from water.network import SECTOR
from water.reading import TurnoutDay
from water.runs import withdraw_runs, write_runs
from water.turns import follow_ups, run

Status = ValveRun.Status


# --- after the solve -----------------------------------------------------------------------------------------
@pytest.fixture
def lateral(db: None) -> Lateral:
    """Two turnouts of 0.2 m³/s on a lateral of 0.5 m³/s where two may be open at once."""
    city = City.objects.create(key="small", name="Small", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5)
    field = WaterBus.objects.create(city=city, key="field", name="Field", kind="irrigation")
    eto, rain = (Series.objects.create(city=city, key=key, name=key, unit="mm/d") for key in ("eto", "rain"))
    system = IrrigationSystem.objects.create(
        city=city,
        key="fields",
        name="Fields",
        bus=field,
        reference_eto=eto,
        rain=rain,
        conveyance_efficiency=0.8,
        penalty_per_m3=4,
    )
    made = Lateral.objects.create(
        city=city, key="lateral", name="Lateral", system=system, capacity_m3s=0.5, max_open=2, efficiency=0.9
    )
    box = Controller.objects.create(city=city, key="box", name="Box", lateral=made)
    for key in ("upper", "lower"):
        Turnout.objects.create(city=city, key=key, name=key, lateral=made, controller=box, flow_m3s=0.2)
    return made


def a_plan(lateral: Lateral, start: datetime, served: float = 0.25) -> Plan:
    """A solved plan of one day that serves the lateral evenly; the upper turnout wants two thirds of it."""
    wanted = {"upper": TurnoutDay(km3=4.0, tier=2), "lower": TurnoutDay(km3=2.0, tier=2)}
    return Plan.objects.create(
        city=lateral.city,
        start=start,
        horizon=[[96, 0.25]],
        valid_until=start + timedelta(days=1),
        snapshot={"extra": {"water": {"turnouts": {"lateral": wanted}}}},
        result={"demands": {"irrigation.lateral": {"served": [served] * 96, "short": [0.0] * 96}}},
    )


def tomorrow(hours: float = 0.0) -> datetime:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    return now + timedelta(days=1, hours=hours)


def test_the_turns_share_out_all_water_that_the_plan_serves(lateral: Lateral):
    (work,) = follow_ups(a_plan(lateral, tomorrow()))
    done = run(json.loads(json.dumps(work.input)))
    # 0.25 × 24 h = 6 × 10³ m³ leave the headgate; 0.8 × 0.9 of them = 4,320 m³ reach the turnouts: 2,880 and 1,440,
    # which are 16 and 8 slots of 180 m³
    delivered = {
        key: sum(r["volume_m3"] for r in done.result["runs"] if r["turnout"] == key) for key in ("upper", "lower")
    }
    assert delivered == {"upper": pytest.approx(2880), "lower": pytest.approx(1440)}
    assert (done.broken_limits, done.result["short"], done.result["left_m3"]) == ((), [], pytest.approx(0.0))


def test_what_the_turns_cannot_deliver_is_stated(lateral: Lateral):
    # 5 an hour: 120 × 0.72 = 86,400 m³ at the turnouts, but one valve gives 0.2 × 86,400 s = 17,280 at most
    (work,) = follow_ups(a_plan(lateral, tomorrow(), served=5.0))
    done = run(work.input)
    delivered = sum(run["volume_m3"] for run in done.result["runs"])
    missing = sum(item["short_m3"] for item in done.result["short"])
    assert done.broken_limits == ()
    assert delivered <= 2 * 17_280
    assert delivered + missing + done.result["left_m3"] == pytest.approx(86_400)


@pytest.mark.parametrize("lost_m3", [100.0, -100.0])
def test_water_that_is_lost_or_given_twice_breaks_the_turns(
    lateral: Lateral, monkeypatch: pytest.MonkeyPatch, lost_m3: float
):
    (work,) = follow_ups(a_plan(lateral, tomorrow()))
    shared = share_out([Claim(**claim) for claim in work.input["claims"]], work.input["water_m3"])
    wrong = replace(shared, left_m3=shared.left_m3 - lost_m3)
    monkeypatch.setattr("water.turns.share_out", lambda _claims, _water_m3: wrong)
    (broken,) = run(work.input).broken_limits
    assert "4320 m3 delivered" in broken and "not the 4320 m3 of the day" in broken


def test_a_turnout_whose_fields_want_nothing_takes_no_part(lateral: Lateral):
    plan = a_plan(lateral, tomorrow())
    plan.snapshot["extra"]["water"]["turnouts"]["lateral"]["lower"]["km3"] = 0.0
    (work,) = follow_ups(plan)
    assert [claim["name"] for claim in work.input["claims"]] == ["upper"]


def test_a_lateral_that_gets_nothing_needs_no_turns(lateral: Lateral):
    assert follow_ups(a_plan(lateral, tomorrow(), served=0.0)) == []


# --- valve runs from plan to plan ----------------------------------------------------------------------------
def publish(plan: Plan, *openings: tuple[str, float, float]) -> list[ValveRun]:
    """Writes runs (turnout, from hour, to hour) of a plan, of 100 m³ an hour; returns them in order."""
    runs = [
        {
            "turnout": turnout,
            "start": (plan.start + timedelta(hours=first)).isoformat(),
            "end": (plan.start + timedelta(hours=last)).isoformat(),
            "volume_m3": 100.0 * (last - first),
        }
        for turnout, first, last in openings
    ]
    write_runs(plan, [PlanPart(plan=plan, sector="water", key="lateral", input={}, result={"runs": runs})])
    return list(ValveRun.objects.filter(plan=plan).order_by("start", "turnout__key"))


def tonight() -> datetime:
    """An hour after local midnight of tomorrow, so that a few hours stay within one local day."""
    return datetime.combine(timezone.now().date() + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=17)


def test_a_run_that_is_only_moved_keeps_its_uid_and_counts_up(lateral: Lateral):
    (first,) = publish(a_plan(lateral, tonight()), ("upper", 1, 2))
    (same,) = publish(a_plan(lateral, tonight()), ("upper", 1, 2))
    (moved,) = publish(a_plan(lateral, tonight()), ("upper", 3, 4))
    assert first.uid == same.uid == moved.uid
    assert (first.rev, same.rev, moved.rev) == (1, 1, 2)
    first.refresh_from_db()
    same.refresh_from_db()
    assert (first.status, same.status, moved.status) == (Status.SUPERSEDED, Status.SUPERSEDED, Status.SCHEDULED)


def test_a_run_that_no_longer_happens_is_cancelled_not_deleted(lateral: Lateral):
    runs = publish(a_plan(lateral, tonight()), ("upper", 1, 2), ("upper", 3, 4), ("lower", 1, 2))
    publish(a_plan(lateral, tonight()), ("upper", 1, 2))
    for row in runs:
        row.refresh_from_db()
    found = {(row.turnout.key, row.start - row.plan.start): (row.status, row.rev) for row in runs}
    assert found == {
        ("upper", timedelta(hours=1)): (Status.SUPERSEDED, 1),
        ("upper", timedelta(hours=3)): (Status.CANCELLED, 2),
        ("lower", timedelta(hours=1)): (Status.CANCELLED, 2),
    }


def test_a_cancelled_run_that_comes_back_is_news(lateral: Lateral):
    (first,) = publish(a_plan(lateral, tonight()), ("upper", 1, 2))
    publish(a_plan(lateral, tonight()))
    (back,) = publish(a_plan(lateral, tonight()), ("upper", 1, 2))
    first.refresh_from_db()
    # 1 as first planned, 2 as cancelled, 3 as planned again; the cancel no longer stands beside it
    assert (back.uid, back.rev, first.status) == (first.uid, 3, Status.SUPERSEDED)


def test_a_new_plan_leaves_what_has_ended_and_cuts_what_is_under_way(lateral: Lateral):
    done, under_way = publish(a_plan(lateral, tonight()), ("upper", 0, 1), ("upper", 2, 4))
    cut, new = publish(a_plan(lateral, tonight() + timedelta(hours=3)), ("upper", 1, 2))
    done.refresh_from_db()
    under_way.refresh_from_db()
    assert (done.status, under_way.status) == (Status.SCHEDULED, Status.SUPERSEDED)
    # the run under way goes on under its name until the new plan's turns begin, with half of its 200 m³
    assert (cut.uid, cut.rev, cut.end) == (under_way.uid, 2, new.plan.start)
    assert cut.volume_m3 == pytest.approx(100)
    # and the new run is the third of the day, not the first again
    assert new.uid not in {done.uid, under_way.uid} and new.rev == 1


def test_a_plan_published_late_writes_only_what_is_still_to_come(lateral: Lateral):
    start = timezone.now() - timedelta(hours=2)
    (rest,) = publish(a_plan(lateral, start), ("upper", 0, 1), ("upper", 1, 4))
    assert rest.start >= start + timedelta(hours=2)
    assert rest.volume_m3 == pytest.approx(200, abs=1)


def test_a_run_after_a_cancelled_one_is_another(lateral: Lateral):
    """What the controller said of the first, that it was open for a part of the time, is not said of the second."""
    plan = a_plan(lateral, tonight())
    (first,) = publish(plan, ("upper", 0, 2))
    withdraw_runs(plan)
    (second,) = publish(a_plan(lateral, tonight() + timedelta(hours=1)), ("upper", 2, 3))
    first.refresh_from_db()
    assert (second.uid != first.uid, second.rev, first.status) == (True, 1, Status.CANCELLED)


def test_a_run_never_takes_the_uid_of_a_cancelled_one_whose_hour_has_come(lateral: Lateral):
    """A controller that heard of the first plan alone has opened that one, and what it says is said of no other."""
    _moved, cancelled = publish(a_plan(lateral, tonight()), ("upper", 0, 1), ("upper", 2, 3))
    (later,) = publish(a_plan(lateral, tonight()), ("upper", 5, 6))
    (same,) = publish(a_plan(lateral, tonight() + timedelta(hours=4)), ("upper", 1, 2))
    assert (same.uid, same.rev) == (later.uid, later.rev)
    cancelled.refresh_from_db()
    assert cancelled.status == Status.CANCELLED


def test_a_withdrawn_plan_cancels_its_runs_to_come(lateral: Lateral):
    plan = a_plan(lateral, tonight())
    publish(plan, ("upper", 1, 2))
    withdraw_runs(plan)
    assert [(row.status, row.rev) for row in ValveRun.objects.all()] == [(Status.CANCELLED, 2)]


def test_publishing_and_withdrawing_tell_the_controllers(lateral: Lateral):
    plan = a_plan(lateral, tomorrow())
    (work,) = follow_ups(plan)
    part = PlanPart(plan=plan, sector="water", key=work.key, input=work.input, result=run(work.input).result)
    SECTOR.publish(plan, [part])
    first = ControllerSchedule.objects.get(current=True)
    SECTOR.withdraw(plan)
    second = ControllerSchedule.objects.get(current=True)
    told = [json.loads(bytes(schedule.body)) for schedule in (first, second)]
    assert [document["idle"] for document in told] == [False, True]
    # a cancel is never just an absence: the same runs stay listed until they would have ended
    assert {entry["status"] for entry in told[1]["entries"]} == {"cancelled"}
    assert [e["id"] for e in told[0]["entries"]] == [e["id"] for e in told[1]["entries"]]
