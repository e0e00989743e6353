"""A small city with one lateral, two turnouts and a controller, and plans that are published through the front door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cities.models import City
from forecasting.models import Series
from planning import lifecycle
from planning.models import Plan, PlanPart
from water.devices import issue_key
from water.models import Controller, IrrigationSystem, Lateral, Turnout, ValveRun, WaterBus

Opening = tuple[str, float, float]
"""Turnout, from hour, until hour of the plan."""


@dataclass(frozen=True)
class Fields:
    city: City
    lateral: Lateral
    controller: Controller
    upper: Turnout
    lower: Turnout


def fields(key: str = "small") -> Fields:
    """A lateral with the turnouts "upper" and "lower" on one controller. Nothing is published yet."""
    city = City.objects.create(
        key=key, name=key.title(), name_zh="小城", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5
    )
    bus = WaterBus.objects.create(city=city, key="field", name="Field", kind="irrigation")
    eto, rain = (Series.objects.create(city=city, key=name, name=name, unit="mm/d") for name in ("eto", "rain"))
    system = IrrigationSystem.objects.create(
        city=city, key="fields", name="Fields", bus=bus, reference_eto=eto, rain=rain, penalty_per_m3=4
    )
    lateral = Lateral.objects.create(
        city=city, key="lateral", name="Long lateral", name_zh="長支線", system=system, capacity_m3s=0.5, max_open=2
    )
    box = Controller.objects.create(city=city, key=f"{key}-box", name="Box", lateral=lateral)
    upper, lower = (
        Turnout.objects.create(
            city=city, key=name, name=f"{name} gate", lateral=lateral, controller=box, flow_m3s=0.2, max_run_minutes=300
        )
        for name in ("upper", "lower")
    )
    return Fields(city, lateral, box, upper, lower)


def quarter(hours: float = 0.0) -> datetime:
    """A full quarter hour that is to come, and some hours after it."""
    return lifecycle.next_quarter(timezone.now()) + timedelta(hours=hours)


def published(
    where: Fields, *openings: Opening, start: datetime | None = None, short: Sequence[dict[str, Any]] = (), **plan: Any
) -> Plan:
    """A published plan of a week with these openings, each of 100 m³ an hour."""
    made = approved(where, *openings, start=start, short=short, **plan)
    lifecycle.publish(made)
    return made


def approved(
    where: Fields, *openings: Opening, start: datetime | None = None, short: Sequence[dict[str, Any]] = (), **plan: Any
) -> Plan:
    start = start or quarter()
    made = Plan.objects.create(
        city=where.city,
        state=Plan.State.APPROVED,
        start=start,
        horizon=[[96, 0.25], [144, 1.0]],
        valid_until=start + timedelta(days=7),
        **plan,
    )
    runs = [_run(start, opening) for opening in openings]
    result = {"runs": runs, "short": list(short), "left_m3": 0.0}
    PlanPart.objects.create(
        plan=made, sector="water", key=where.lateral.key, input={}, result=result, state=PlanPart.State.DONE
    )
    return made


def _run(start: datetime, opening: Opening) -> dict[str, Any]:
    turnout, first, last = opening
    return {
        "turnout": turnout,
        "start": (start + timedelta(hours=first)).isoformat(),
        "end": (start + timedelta(hours=last)).isoformat(),
        "volume_m3": 100.0 * (last - first),
    }


def runs_of(plan: Plan) -> list[ValveRun]:
    return list(ValveRun.objects.filter(plan=plan).order_by("start", "turnout__key"))


def key_of(where: Fields) -> str:
    return issue_key(where.controller)
