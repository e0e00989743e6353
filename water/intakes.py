"""Where water comes from: rivers, weirs, and sources with a capacity of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.translation import gettext_noop as _

from forecasting.readers import history
from planning.kernel.horizon import Horizon, means_over
from planning.kernel.network import Bus, Demand, Link, Supply

from .kernel.intake import HourLimit, TurbidCurve, intake_limit
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3, cms_from_km3_per_hour, km3_per_hour_from_cms
from .models import River, WaterSource, Weir
from .reading import Reading, Sheet, power_used

WATER = "water"
UNBOUNDED_KM3_PER_HOUR = 500_000.0
"""What must pass always can: 140 000 m³/s, beyond the flood of any river that a city stands on."""
CLOSING_SHARE = 0.7
"""A flood that leaves less of the intake than this is worth a warning: tanks and reservoirs can be filled before it."""
MEMORY_DAYS = 10
"""How far back floods still muddy an intake; with a half-life of two days a flood ten days ago counts for 3 %."""


def add_river(sheet: Sheet, reading: Reading, river: River, rivers: Sequence[River]) -> None:
    """The river's water must be taken in and what nobody takes passes on to the downstream bus or the sea.

    The environmental flow is a wish, and its water runs on like any other: the link "pass.…" carries each unit to the
    downstream bus and one unit more to "….passed", a bus that only counts, where the demand "environment.…" takes it.
    So a shortage there says exactly how much of the wished flow the plan did not let pass. Nothing more is wished than
    the rivers bring: a lack that nature made is no choice of the plan.
    """
    bus, passed = river.bus.key, f"{river.key}.passed"
    onward = {river.downstream.key: 1.0} if river.downstream else {}
    flow = _flow_km3_per_hour(reading, river)
    sheet.put(Supply(f"river.{river.key}", bus, max=flow, min=flow), river, "river")
    spill = Link(f"spill.{river.key}", bus, UNBOUNDED_KM3_PER_HOUR, to=onward)
    sheet.put(spill, river, "spill", _("Water passing {name}"))
    if not river.environmental_flow_m3s:
        return
    wished = km3_per_hour_from_cms(river.environmental_flow_m3s)
    amount = tuple(min(wished, comes) for comes in _arriving(reading, river.bus.key, rivers))
    words = _("Environmental flow of {name}")
    sheet.put(Bus(passed, WATER), river, "environment", words)
    sheet.put(Link(f"pass.{river.key}", bus, wished, to={passed: 1.0, **onward}), river, "environment", words)
    demand = Demand(f"environment.{river.key}", passed, amount, tier=reading.tier("environment"))
    sheet.put(demand, river, "environment", words)


def add_weir(sheet: Sheet, reading: Reading, weir: Weir) -> None:
    """An intake, held down hour by hour by its structure, the river and mud.

    The environmental flow is not taken off here: it is a wish with a tier of its own (see `add_river`), and a city's
    policy may put households before it.
    """
    most = intake_km3_per_hour(reading, weir, reading.values(weir.river.flow))
    _tell_of_mud(sheet, reading, weir, most)
    link = Link(f"intake.{weir.key}", weir.river.bus.key, most, to={weir.to_bus.key: 1.0}, uses=power_used(weir))
    sheet.put(link, weir, "intake")


def add_source(sheet: Sheet, reading: Reading, source: WaterSource) -> None:
    """A supply of at most its capacity; one that draws power gets a bus of its own and a link that lifts the water."""
    days = [step.start.astimezone(reading.city.zone).date() for step in reading.horizon.steps]
    most = tuple(capacity_on(source, day) / HOURS_PER_DAY for day in days)
    name, cost = f"source.{source.key}", source.cost_per_m3 * M3_PER_KM3
    uses = power_used(source)
    bus = f"{source.key}.head" if uses else source.bus.key
    sheet.put(Supply(name, bus, most, cost=cost), source, "source")
    if uses:
        sheet.put(Bus(bus, WATER), source, "source")
        # Twice the capacity: the limit is the supply's, and one limit stated twice would share its price at random.
        link = Link(name, bus, 2 * max(most) + 1.0, to={source.bus.key: 1.0}, uses=uses)
        sheet.put(link, source, "source")


def capacity_on(source: WaterSource, day: date) -> float:
    """10³ m³ a day by the latest phase that has begun; nothing before the first."""
    begun = [phase for phase in source.capacity_phases if date.fromisoformat(phase["from"]) <= day]
    return float(max(begun, key=lambda phase: phase["from"])["km3_per_day"]) if begun else 0.0


def _flow_km3_per_hour(reading: Reading, river: River) -> tuple[float, ...]:
    return tuple(km3_per_hour_from_cms(flow) for flow in reading.values(river.flow))


def _arriving(reading: Reading, bus: str, rivers: Sequence[River]) -> list[float]:
    """All river water that can reach a bus at each step: of its own rivers and of those that run on to it."""
    above = {river.bus.key for river in rivers if river.downstream and river.downstream.key == bus} - {bus}
    others = [river for river in rivers if river.bus.key != bus]
    flows: list[Sequence[float]] = [_flow_km3_per_hour(reading, river) for river in rivers if river.bus.key == bus]
    flows += [_arriving(reading, upstream, others) for upstream in sorted(above)]
    return [sum(at_step) for at_step in zip(*flows, strict=True)]


def intake_km3_per_hour(reading: Reading, weir: Weir, flows_m3s: Sequence[float]) -> tuple[float, ...]:
    """The most that a weir may take at each step, 10³ m³/h, when its river brings the flow of every step."""
    capacity = weir.capacity_km3_per_day / HOURS_PER_DAY
    limits = [km3_per_hour_from_cms(hour.limit_m3s) for hour in hourly_limits(reading, weir, flows_m3s)]
    hours = [reading.horizon.start + timedelta(hours=k) for k in range(len(limits))]
    return tuple(min(capacity, limit) for limit in means_over(reading.horizon, hours, limits, 1.0))


def hourly_limits(reading: Reading, weir: Weir, flows_m3s: Sequence[float]) -> tuple[HourLimit, ...]:
    """What the weir may take in each hour of the horizon, by the flow of every step, after the floods before it."""
    capacity = cms_from_km3_per_hour(weir.capacity_km3_per_day / HOURS_PER_DAY)
    points = tuple((flow, intake) for flow, intake in weir.turbid_points) or ((1.0, capacity),)
    curve = TurbidCurve(points, weir.turbid_half_life_hours)
    past = _recent_flows(reading, weir)
    flows = past + hourly(reading.horizon, flows_m3s)
    return intake_limit(flows, 0.0, capacity, curve)[len(past) :]


def _tell_of_mud(sheet: Sheet, reading: Reading, weir: Weir, most: Sequence[float]) -> None:
    """The plan counts on the mean flow. Where a flood that comes once in twenty times would muddy the intake, it says
    so: the forecast's 95 % at every hour together, which is more than any one flood.
    """
    flood = intake_km3_per_hour(reading, weir, reading.high(weir.river.flow))
    lost = [step for step, (usual, muddy) in enumerate(zip(most, flood, strict=True)) if muddy < CLOSING_SHARE * usual]
    if not lost:
        return
    at = reading.horizon.steps[lost[0]].start.astimezone(reading.city.zone)
    words = _(
        "{name}: if the river rises as it does once in twenty times (95 % of the forecast), mud would hold the intake "
        "down to {least:.1f} instead of {usual:.1f} 10³ m³/h from {at:%m-%d %H:%M}. The plan counts on the mean flow."
    )
    worst = min(lost, key=lambda step: flood[step])
    sheet.note("warning", words, name=weir, least=flood[worst], usual=most[worst], at=at)


def _recent_flows(reading: Reading, weir: Weir) -> list[float]:
    measured, _synthetic = history(weir.river.flow, reading.known_at, MEMORY_DAYS)
    return [float(flow) for flow in measured.resample("1h").mean().ffill().dropna()] if len(measured) else []


def hourly(horizon: Horizon, values: Sequence[float]) -> list[float]:
    """The mean of a series on steps over each hour from the start; an hour is judged by the part the steps cover."""
    amounts: dict[int, float] = {}
    covered: dict[int, float] = {}
    for step, value in zip(horizon.steps, values, strict=True):
        at, end = ((time - horizon.start).total_seconds() / 3600 for time in (step.start, step.end))
        while at < end - 1e-9:
            hour = int(at + 1e-9)
            upto = min(end, hour + 1.0)
            amounts[hour] = amounts.get(hour, 0.0) + value * (upto - at)
            covered[hour] = covered.get(hour, 0.0) + upto - at
            at = upto
    return [amounts[hour] / covered[hour] for hour in sorted(amounts)]
