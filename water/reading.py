"""What the builders of water parts read from, with what was planned before, and the sheet they write on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NotRequired, TypedDict

from django.db.models import Q

from cities.models import City
from forecasting.rain import RainPaths
from planning import sheet
from planning.horizons import horizon_of
from planning.models import Plan

from .kernel.daily_eto import DayEto
from .kernel.ensembles import DEPENDABLE
from .models import Conduit, TreatmentPlant, WaterSource, Weir

SERIES = "series"
"""Where an ETo comes from that no station's weather was known for."""


@dataclass(frozen=True)
class Before:
    """Rates of links and levels of stores that the plan in force had in mind for a moment; empty without one."""

    links: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading(sheet.Reading):
    """`rain` by series id, over the local days of the horizon; `basis` is what irrigation counts on of it. `eto` is by
    weather station id, of the days of which its weather is enough known."""

    before: Before = field(default_factory=Before)
    rain: Mapping[int, RainPaths] = field(default_factory=dict)
    basis: str = DEPENDABLE
    eto: Mapping[int, Mapping[date, DayEto]] = field(default_factory=dict)


class Why(TypedDict):
    """Why a turnout is watered or not, told of its field that asks for most."""

    crop: str
    """A name of water/kernel/crops.py."""
    stage: str
    """"fallow", "soaking", "initial", "development", "mid" or "late"."""
    deficit_mm: float
    """What the root zone, or the water on rice, lacks when the plan's first day begins."""
    allowed_mm: float
    """How much it may lack before it is watered."""
    overdue_days: float
    """How many days ago it came to lack that much; below 0 it can still wait so long."""
    kept_as: NotRequired[str]
    """How rice is kept (kernel/fields.py); other crops have none."""
    standing_mm: NotRequired[float]
    """Water on rice when the plan's first day begins; below 0 what its mud lacks."""
    applied_mm: NotRequired[float]
    """What it has got since then; left out where that is nothing."""
    rain_mm: float
    """Rain to be relied on in the first three local days."""
    days_since: int | None
    """Local days since the turnout was last opened; None if it never was."""


class Evaporation(TypedDict):
    """A system's reference evapotranspiration by local day of the horizon, and from what."""

    station: str
    """The key of the weather station, "" for none."""
    mm: list[float]
    basis: list[str]
    """"hours" or "day" (kernel/daily_eto.py), or "series" where the station's weather was not known."""


class TurnoutDay(TypedDict):
    """What a turnout's fields want in the first 24 hours, counted where the system takes its water."""

    km3: float
    tier: int
    """1 for rice in flower, 2 for all else: missing water costs most then (yield response 0.69 to 1.13)."""
    why: NotRequired[Why]


@dataclass
class Sheet(sheet.Sheet):
    turnouts: dict[str, dict[str, TurnoutDay]] = field(default_factory=dict)
    """By lateral and turnout: what the first day asks for."""
    irrigation: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """By lateral a `Spread` (kernel/ensembles.py) of what it asks for; the plan counts on `planned`, by day."""
    eto: dict[str, Evaporation] = field(default_factory=dict)
    """By irrigation system."""


def in_force(city: City, at: datetime, known_at: datetime) -> Before:
    """What the plan that was in force at `known_at` has its links and stores do at a moment, if it reaches that far."""
    stood = Q(ended_at=None) | Q(ended_at__gt=known_at)
    plans = Plan.objects.select_related("city").filter(stood, city=city, published_at__lte=known_at)
    plan = plans.order_by("published_at").last()
    if plan is None or not plan.result:
        return Before()
    ends = [step.end for step in horizon_of(plan).steps]
    passed = sum(end <= at + timedelta(seconds=1) for end in ends)
    if not 0 < passed < len(ends):
        return Before()
    links = {name: rates[passed] for name, rates in plan.result["links"].items()}
    levels = {name: store["level"][passed - 1] for name, store in plan.result["stores"].items()}
    return Before(links, levels)


def power_used(asset: Weir | WaterSource | TreatmentPlant | Conduit, share: float = 1.0) -> dict[str, float]:
    """MW per 10³ m³/h on the asset's power bus, which is its kWh per m³: 1 kWh/m³ × 1000 m³/h = 1 MW.

    `share` is the part of the flow that the energy is counted on.
    """
    if not asset.kwh_per_m3 or not asset.power_bus:
        return {}
    return {asset.power_bus: asset.kwh_per_m3 * share}
