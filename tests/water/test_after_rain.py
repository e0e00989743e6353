"""After rain fields want little water each: what the turns make of it, and what the plan says of it everywhere."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from cities.models import City
from planning import lifecycle
from planning.models import Plan
from planning.run import run_here
from planning.sectors import Section
from planning.summary import sections
from water.details import details
from water.models import Conduit, CropBlock, FieldState, IrrigationSystem, Lateral
from water.shortages import missing

pytestmark = pytest.mark.django_db

DAY = date(2026, 1, 10)
"""Guava then has Kc 0.70 and takes 3.5 of the 5 mm; at turns of four days it may lack 14 mm."""


@pytest.fixture
def city(db: None) -> City:
    """Tinytown with 20 ha of guava behind each turnout, whose shortest run of half an hour gives 360 m³."""
    call_command("loadcity", "tinytown", verbosity=0)
    CropBlock.objects.update(crop="guava", area_ha=20.0)
    IrrigationSystem.objects.update(turn_days=4.0)
    return City.objects.get(key="tinytown")


def planned(city: City, day: date = DAY, **depletion_mm: float) -> Plan:
    """A plan of the week from a midnight on, before which the fields behind the turnouts stood so."""
    for key, depletion in depletion_mm.items():
        block = CropBlock.objects.get(turnout__key=key)
        before = day - timedelta(days=1)
        midnight = datetime.combine(day, time(), city.zone)
        FieldState.objects.create(
            block=block, day=before, depletion_mm=depletion, source="modelled", stored_at=midnight
        )
    plan = run_here(lifecycle.request(city, start=datetime.combine(day, time(), city.zone)))
    assert plan.state == Plan.State.PROPOSED, plan.failure
    return plan


def tables(plan: Plan) -> dict[str, Section]:
    with translation.override("en"):
        return {table.title: table for table in sections(plan)}


def delivered(plan: Plan) -> dict[str, float]:
    (part,) = plan.parts.all()
    found: dict[str, float] = {}
    for run in part.result["runs"]:
        found[run["turnout"]] = found.get(run["turnout"], 0.0) + run["volume_m3"]
    return {turnout: pytest.approx(volume) for turnout, volume in found.items()}  # type: ignore[misc]


# --- too little for every gate --------------------------------------------------------------------------------
def test_water_for_one_gate_goes_to_the_needier_field_and_the_other_is_said_to_wait(city: City) -> None:
    # 12 + 3.5 - 14 = 1.5 mm on 20 ha = 300 m³, and 11.5 + 3.5 - 14 = 1 mm = 200 m³: 500 m³ open one gate, 140 are left
    plan = planned(city, upper=12.0, lower=11.5)
    assert delivered(plan) == {"upper": 360}
    assert plan.result["shortages"] == []
    found = tables(plan)
    assert found["Shortages"].note.startswith("Nobody is short. 1 turnout must wait for the next day")
    assert found["Valve runs"].rows[0][1::2] == ("1", "360", "1")
    assert found["Valve runs"].rows[0][-1] == "140"
    told = [text for (text,) in found["Why, and what would change it"].rows]
    assert told[0].startswith("Lateral, at the turnouts: 1 of 2 turnouts must wait for the next day")


def test_who_was_left_out_is_served_on_the_next_day(city: City) -> None:
    # After that day: 12 + 3.5 - 1.8 = 13.7 and 11.5 + 3.5 = 15; now 3.2 mm = 640 m³ and 4.5 mm = 900 m³ are wanted
    plan = planned(city, DAY + timedelta(days=1), upper=13.7, lower=15.0)
    # 3 slots of 180 m³ and 5; of the 100 m³ over no slot can be made
    assert delivered(plan) == {"upper": 540, "lower": 900}
    assert tables(plan)["Shortages"].note == "Nobody is short."


def test_water_for_no_gate_at_all_is_stated_and_nobody_called_short(city: City) -> None:
    # 0.5 mm and 0.3 mm on 20 ha: 100 and 60 m³
    plan = planned(city, upper=11.0, lower=10.8)
    assert delivered(plan) == {}
    assert plan.result["shortages"] == []
    runs = tables(plan)["Valve runs"]
    assert runs.rows[0] == ("Lateral", "0", "", "0", "0", "2", "160")
    assert runs.note.startswith("No valve opens in the next 24 h.")


def test_fields_that_ask_for_nothing_open_no_valve_and_the_plan_says_why(city: City) -> None:
    # dry to 5 mm of the 14 that they may lack: nothing is wanted on the first day
    plan = planned(city, upper=5.0, lower=5.0)
    why = "No valve opens in the next 24 h: no field asks for water."
    assert (tables(plan)["Valve runs"].rows, tables(plan)["Valve runs"].note) == ((), why)
    turns = {table.title: table for table in details(plan)}["Irrigation turns of the next 24 h"]
    assert (turns.rows, turns.note) == ((), why)


def test_a_plan_that_brings_the_fields_no_water_says_so_where_the_valves_stand(city: City) -> None:
    Conduit.objects.update(capacity_km3_per_day=0.0)
    plan = planned(city, upper=30.0, lower=30.0)
    assert plan.result["shortages"]
    assert "the plan brings the laterals none" in tables(plan)["Valve runs"].note


# --- what the canal cannot deliver ----------------------------------------------------------------------------
@pytest.fixture
def short(city: City) -> Plan:
    """Gates may be open between 23:00 and midnight alone, one at a time: 720 of the 1,080 m³ that the canal brings."""
    Lateral.objects.update(quiet_windows=[["00:00", "23:00"]])
    return planned(city, upper=30.0, lower=30.0)


def test_what_the_turns_cannot_deliver_is_a_shortage_of_the_plan(short: Plan) -> None:
    # 540 m³ or three slots for each, but there is time for four slots
    assert sum(volume.expected for volume in delivered(short).values()) == pytest.approx(720)  # type: ignore[attr-defined]
    (told,) = short.result["shortages"]
    assert (told["wish"], told["bus"], told["tier"]) == ("turnouts.lateral", "field", 2)
    assert (told["amount"], told["share"]) == (pytest.approx(0.36), pytest.approx(1 / 3))
    assert (told["first_step"], told["last_step"]) == (0, 95)


def test_of_turns_that_do_not_know_their_water_all_of_it_counts_as_short(short: Plan) -> None:
    part = short.parts.get()
    del part.input["water_m3"]  # as plans of an earlier day have stored it
    (told,) = missing(short, [part]).shortages
    assert (told.amount, told.share) == (pytest.approx(0.36), 1.0)


def test_the_shortage_stands_in_every_table(short: Plan) -> None:
    found = tables(short)
    assert found["Shortages"].rows == (("Lateral, at the turnouts", "2", "0.4", "33.3%", "01-10 00:00", "01-11 00:00"),)
    assert "Nobody" not in found["Shortages"].note
    assert found["Valve runs"].rows[0][3:] == ("720", "360", "0", "0")
    users = {row[0]: row for row in found["Users"].rows}
    assert users["Lateral"][2] == "0.4"
    (first, *_others) = (text for (text,) in found["Why, and what would change it"].rows)
    assert first.startswith(
        "Lateral, at the turnouts: 0.36 10³ m³, 33.3% of what there is, cannot be delivered between"
    )
    with translation.override("zh-hant"):
        rows = next(table for table in sections(short) if table.title == "短缺").rows
    assert rows[0][0] == "支線（給水門）"


def test_the_shortage_is_told_over_http(short: Plan) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("engineer"))
    place = f"/api/v1/cities/tinytown/plans/{short.uid}/"
    told: dict[str, Any] = client.get(place + "shortages/").json()
    assert [item["wish"] for item in told["shortages"]] == ["turnouts.lateral"]
    assert told["facts"][0]["kind"] == "part_shortage"
    assert client.get(place + "result/").json()["shortages"] == told["shortages"]
