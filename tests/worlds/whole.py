"""A whole city with a row of every kind, whose names all carry a mark, for tests of who may see what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from cities.models import City
from energy.models import BusDepot, PowerBus, PowerLine, SolarPark
from forecasting.models import Alert, Observation, Series
from planning import lifecycle
from planning.models import Plan, PlanPart
from planning.run import run_here
from water.devices import issue_key
from water.farmer import make_link
from water.models import (
    Controller,
    CropBlock,
    DeviceMessage,
    FieldState,
    Turnout,
    ValveRun,
    WaterBus,
    WaterSource,
    WeatherStation,
)

MARK = "Onlyours"
"""Stands in the name of every row of the city: who is no member must not read it anywhere."""


@dataclass(frozen=True)
class Whole:
    city: City
    plan: Plan
    """Proposed, so that every step is open to an engineer; another one is published."""
    controller: Controller
    turnout: Turnout
    token: str
    """Of the farmer's link of the turnout."""


def whole_city() -> Whole:
    """Tinytown and what it lacks, with two plans, a device key, a farmer's link and something of every other table."""
    call_command("loadcity", "tinytown", verbosity=0)
    city = City.objects.get(key="tinytown")
    _add_assets(city)
    _mark_names(city)
    city.refresh_from_db()
    box, gate = Controller.objects.get(city=city), Turnout.objects.get(city=city, key="upper")
    issue_key(box)
    published = run_here(lifecycle.request(city, publish=True, reason=MARK))
    assert published.state == Plan.State.PUBLISHED, published.failure
    _add_reports(published, box, gate)
    return Whole(city, _another(published), box, gate, make_link(gate))


def _add_assets(city: City) -> None:
    grid, clean = PowerBus.objects.get(city=city), WaterBus.objects.get(city=city, key="clean")
    second = PowerBus.objects.create(city=city, key="second", name="Second")
    sun = Series.objects.create(city=city, key="sun", name="Sun", unit="share", profile={"kind": "flat", "level": 0.2})
    SolarPark.objects.create(city=city, key="park", name="Park", bus=grid, capacity_mw=1, capacity_factor=sun)
    PowerLine.objects.create(city=city, key="line", name="Line", from_bus=grid, to_bus=second, capacity_mw=1)
    BusDepot.objects.create(
        city=city, key="depot", name="Depot", bus=grid, buses=1, energy_mwh_per_day=0.1, charger_mw=1, plug_in_hour=20,
        plug_out_hour=5, penalty_per_mwh=1,
    )  # fmt: skip
    phases = [{"from": "2020-01-01", "km3_per_day": 1}]
    WeatherStation.objects.create(city=city, key="station", name="Station", elevation_m=3)
    WaterSource.objects.create(city=city, key="well", name="Well", kind="well", bus=clean, capacity_phases=phases)


def _add_reports(plan: Plan, box: Controller, gate: Turnout) -> None:
    now = timezone.now()
    river = Series.objects.get(city=plan.city, key="river")
    Observation.objects.create(series=river, valid_at=now, value=2, recorded_at=now)
    Alert.objects.create(series=river, kind=Alert.Kind.STALE, since=now, figures={"hours": 30})
    DeviceMessage.objects.create(controller=box, kind="hello", seq=1, at=now, data={"firmware": MARK})
    end = plan.start + timedelta(hours=1)
    ValveRun.objects.create(uid=uuid4(), plan=plan, turnout=gate, start=plan.start, end=end, volume_m3=100)
    block = CropBlock.objects.filter(turnout=gate).earliest("pk")
    FieldState.objects.create(block=block, day=now.date() - timedelta(days=1), depletion_mm=5, source="modelled")
    Group.objects.create(name="group")


def _another(published: Plan) -> Plan:
    """A copy that waits for a decision."""
    plan = Plan.objects.get(pk=published.pk)
    plan.pk, plan.uid, plan.state, plan.published_at = None, uuid4(), Plan.State.PROPOSED, None
    plan.save(force_insert=True)
    result: dict[str, list[object]] = {"runs": [], "short": []}
    PlanPart.objects.create(
        plan=plan, sector="water", key="lateral", input={}, result=result, state=PlanPart.State.DONE
    )
    return plan


def _mark_names(city: City) -> None:
    City.objects.filter(pk=city.pk).update(name=f"{MARK} town", name_zh=MARK)
    for model in apps.get_models():
        if {"city", "name", "name_zh"} <= {field.name for field in model._meta.get_fields()}:
            rows = model._default_manager.filter(city=city)
            rows.update(name=Concat(Value(f"{MARK} "), "name"), name_zh=MARK)
