"""Rows → parts of the network: rivers and reservoirs, works and mains, users and fields of a city."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy

from cities.models import City, policy_in_force
from forecasting.models import Series
from forecasting.rain import RainPaths, rain_paths
from forecasting.readers import NothingKnown, expected_many
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, at
from planning.models import Plan, PlanPart
from planning.sectors import InputsMissing, Parts, Sector
from planning.sheet import rows_of

from .charts import charts, part_charts
from .details import details, headline
from .fab import links
from .fields import fields_of, keep, standing
from .intakes import WATER, add_river, add_source, add_weir
from .irrigation import add_system, local_days, tell_of_weather
from .kernel.units import HOURS_PER_DAY
from .models import (
    Conduit,
    IrrigationSystem,
    Lateral,
    Reservoir,
    River,
    TreatmentPlant,
    WaterBus,
    WaterSource,
    WaterUser,
    Weir,
)
from .reading import Reading, Sheet, in_force
from .reports import summary
from .runs import withdraw_runs, write_runs
from .schedules import write_schedules
from .shortages import missing
from .skies import WEATHER_ROWS, skies_of
from .turns import follow_ups, run
from .users import add_users
from .weather import Ahead, eto_ahead
from .works import add_conduit, add_plant, add_reservoir

COURSES = 40
"""Courses of rain that irrigation is balanced with: two lie beyond each 5 % line."""


@dataclass(frozen=True)
class Rows:
    """All water assets of a city, each read with what it refers to."""

    buses: Sequence[WaterBus]
    rivers: Sequence[River]
    weirs: Sequence[Weir]
    sources: Sequence[WaterSource]
    reservoirs: Sequence[Reservoir]
    plants: Sequence[TreatmentPlant]
    conduits: Sequence[Conduit]
    users: Sequence[WaterUser]
    systems: Sequence[IrrigationSystem]
    laterals: Sequence[Lateral]

    @classmethod
    def of(cls, city: City) -> Rows:
        laterals = Lateral.objects.filter(city=city).select_related("system").prefetch_related("turnouts__blocks")
        return cls(
            rows_of(WaterBus, city),
            rows_of(River, city, "bus", "downstream", "flow"),
            rows_of(Weir, city, "river__bus", "river__flow", "to_bus"),
            rows_of(WaterSource, city, "bus"),
            rows_of(Reservoir, city, "bus", "storage", "inflow"),
            rows_of(TreatmentPlant, city, "from_bus", "to_bus"),
            rows_of(Conduit, city, "from_bus", "to_bus"),
            rows_of(WaterUser, city, "bus", "demand"),
            rows_of(IrrigationSystem, city, "bus", *WEATHER_ROWS),
            list(laterals.order_by("key")),
        )

    def series(self, *more: Series) -> Iterable[Series]:
        """Every series that the parts are made from, and `more`, each once."""
        found = [river.flow for river in self.rivers] + [user.demand for user in self.users]
        found += [reservoir.storage for reservoir in self.reservoirs]
        found += [reservoir.inflow for reservoir in self.reservoirs if reservoir.inflow]
        found += [series for system in self.systems for series in (system.reference_eto, system.rain)]
        found += more
        return {series.pk: series for series in found}.values()


def parts(city: City, horizon: Horizon, known_at: datetime) -> Parts:
    """The city's water network over a horizon, as known at a moment."""
    rows = Rows.of(city)
    starts = [step.start for step in horizon.steps]
    # Before all else: of what stations measure the last day is forecast to its end, and so no forecast is made twice.
    weather = _weather(rows.systems, horizon, known_at)
    forecast = [series for ahead in weather.values() for series in ahead.series]
    try:
        expected = expected_many(rows.series(*forecast), starts, horizon.hours, known_at)
    except NothingKnown as error:
        raise InputsMissing(*error.args) from error
    policy = policy_in_force(city)
    reading = Reading(city, horizon, known_at, expected, policy, in_force(city, horizon.start, known_at))
    eto = {key: ahead.days for key, ahead in weather.items()}
    reading = replace(reading, rain=_rain(reading, rows.systems), basis=settings.HEADGATE_IRRIGATION_DEMAND, eto=eto)
    sheet = Sheet()
    _write(sheet, reading, rows)
    sheet.synthetic |= any(paths.synthetic for paths in reading.rain.values())
    extra = {"policy": policy.key, "turnouts": sheet.turnouts, "irrigation": _irrigation(sheet, reading)}
    return sheet.share(reading, extra)


def publish(plan: Plan, parts_done: Sequence[PlanPart]) -> None:
    """The plan's valve runs, every controller's document and how the fields stood, in the publishing transaction."""
    write_runs(plan, parts_done)
    write_schedules(plan)
    keep(plan.city, timezone.now())


def withdraw(plan: Plan) -> None:
    """Cancels the valve runs that are still to come and tells every controller."""
    withdraw_runs(plan)
    write_schedules(plan)


def _write(sheet: Sheet, reading: Reading, rows: Rows) -> None:
    for bus in rows.buses:
        sheet.put(Bus(bus.key, WATER), bus, "bus")
    for river in rows.rivers:
        add_river(sheet, reading, river, rows.rivers)
    for weir in rows.weirs:
        add_weir(sheet, reading, weir)
    for source in rows.sources:
        add_source(sheet, reading, source)
    for reservoir in rows.reservoirs:
        add_reservoir(sheet, reading, reservoir)
    add_users(sheet, reading, rows.users)
    _add_systems(sheet, reading, rows)
    demands = [part for part in sheet.parts if isinstance(part, Demand)]
    in_use = _share_in_use(rows, demands)
    for plant in rows.plants:
        add_plant(sheet, reading, plant, in_use)
    for conduit in rows.conduits:
        add_conduit(sheet, reading, conduit, demands)


def _add_systems(sheet: Sheet, reading: Reading, rows: Rows) -> None:
    today, start, known_at = local_days(reading)[0], reading.horizon.start, reading.known_at
    skies = skies_of(rows.systems, known_at)
    for system in rows.systems:
        mine = [lateral for lateral in rows.laterals if lateral.system_id == system.pk]
        found = standing(fields_of(system, mine), today, start, known_at, skies[system.pk])
        add_system(sheet, reading, system, mine, found)
    for station in {system.weather.pk: system.weather for system in rows.systems if system.weather}.values():
        tell_of_weather(sheet, reading, station)


def _weather(systems: Sequence[IrrigationSystem], horizon: Horizon, known_at: datetime) -> dict[int, Ahead]:
    """What the stations' weather says of the horizon's local days, by station id."""
    stations = {system.weather.pk: system.weather for system in systems if system.weather}
    return {key: eto_ahead(station, horizon, known_at) for key, station in stations.items()}


def _rain(reading: Reading, systems: Sequence[IrrigationSystem]) -> dict[int, RainPaths]:
    """Courses of rain over the horizon's local days, by series id."""
    days = local_days(reading)
    series = {system.rain_id: system.rain for system in systems}
    found = {key: rain_paths(row, days, reading.known_at, COURSES) for key, row in series.items()}
    return {key: paths for key, paths in found.items() if paths is not None}


def _irrigation(sheet: Sheet, reading: Reading) -> dict[str, object]:
    """What the plan counts on of the rain, and what the laterals would ask for under each course of it."""
    return {
        "counted_on": reading.basis,
        "courses": COURSES,
        "rain": sorted({paths.source for paths in reading.rain.values()}),
        "days": [day.isoformat() for day in local_days(reading)],
        "eto": sheet.eto,
        "laterals": sheet.irrigation,
    }


def _share_in_use(rows: Rows, demands: Sequence[Demand]) -> float:
    """What share of all treatment the users' first hour needs: how hard plants run before the first plan."""
    capacity = sum(plant.capacity_km3_per_day for plant in rows.plants) / HOURS_PER_DAY
    wanted = sum(at(demand.amount, 0) for demand in demands if demand.name.startswith("water."))
    return min(1.0, wanted / capacity) if capacity else 0.0


SECTOR = Sector(
    name="water",
    label=gettext_lazy("Water"),
    parts=parts,
    follow_ups=follow_ups,
    run=run,
    missing=missing,
    publish=publish,
    withdraw=withdraw,
    summary=summary,
    charts=charts,
    part_charts=part_charts,
    headline=headline,
    details=details,
    reports=links,
)
