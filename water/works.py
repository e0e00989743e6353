"""What keeps, treats and moves water: reservoirs, treatment plants, canals, pipes and pumped mains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.translation import gettext_noop as _

from forecasting.readers import latest
from planning.kernel.network import Demand, Final, Link, Store, Supply, at

from .intakes import UNBOUNDED_KM3_PER_HOUR
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3, km3_per_hour_from_cms
from .models import Conduit, Reservoir, TreatmentPlant
from .reading import Reading, Sheet, power_used

DRAWDOWN_DAYS = 30
"""A reservoir that is emptied every year is drawn down over the month before."""
EMPTY_SHARE = 0.1
"""What an "emptied" reservoir still holds: Agongdian's mean fill from June to August, 2014-2026, is 7 to 11 %."""
DRAIN_DAYS = 10
"""A reservoir above its ceiling comes down no faster than its whole capacity in this time; a gate is no hole."""

LEAST_WATER_VALUE_PER_M3 = 0.01
"""Water kept is never worth nothing: a plan that gains nothing by keeping it could as well pour it away."""


def add_reservoir(sheet: Sheet, reading: Reading, reservoir: Reservoir) -> None:
    """A store on its bus, its inflow, and a spillway to the sea.

    Every measured level must be possible, or the plan would be refused in just the flood or drought it is made for: a
    level above the surveyed capacity raises the capacity, and one below the least storage lowers that.
    """
    key, bus = reservoir.key, reservoir.bus.key
    level = _measured_level(sheet, reading, reservoir)
    capacity = _ceilings(reading, reservoir, level)
    minimum = _floors(reading, reservoir, level, capacity)
    store = Store(
        f"reservoir.{key}",
        bus,
        capacity,
        level,
        min=minimum,
        final=_target(reading, reservoir, capacity[-1]),
        loss_per_hour=_loss_per_hour(reservoir),
        end_value=max(LEAST_WATER_VALUE_PER_M3, reservoir.water_value_per_m3) * M3_PER_KM3,
    )
    sheet.put(store, reservoir, "reservoir")
    spillway = Link(f"spillway.{key}", bus, UNBOUNDED_KM3_PER_HOUR)
    sheet.put(spillway, reservoir, "spill", _("Spillway of {name}"))
    if reservoir.inflow:
        inflow = tuple(km3_per_hour_from_cms(flow) for flow in reading.values(reservoir.inflow))
        sheet.put(Supply(f"inflow.{key}", bus, inflow, min=inflow), reservoir, "river", _("Inflow of {name}"))


def add_plant(sheet: Sheet, reading: Reading, plant: TreatmentPlant, in_use_share: float) -> None:
    """A link that gives its capacity in clean water and loses the rest as sludge; energy and chemicals per m³ given.

    `in_use_share` of the capacity is what it is taken to run at before the horizon when no plan in force says.
    """
    if not plant.recovery_share:
        return
    most = plant.capacity_km3_per_day / HOURS_PER_DAY / plant.recovery_share
    change = plant.max_change_per_hour_share
    name = f"plant.{plant.key}"
    link = Link(
        name,
        plant.from_bus.key,
        most,
        to={plant.to_bus.key: plant.recovery_share},
        uses=power_used(plant, plant.recovery_share),
        cost=plant.cost_per_m3 * M3_PER_KM3 * plant.recovery_share,
        initial_rate=min(most, reading.before.links.get(name, most * in_use_share)),
        max_change_per_hour=None if change is None else most * change,
        # Works stop at once when their river fails or clouds; held to the ramp, the plan of that hour would have none.
        may_drop=True,
    )
    sheet.put(link, plant, "plant")


def add_conduit(sheet: Sheet, reading: Reading, conduit: Conduit, demands: Sequence[Demand]) -> None:
    """A link with its loss, travel time and pumping, counted on what leaves its head.

    What is under way when the horizon begins is what the plan in force sent, or else what the demands on its lower
    bus want in the first step: a canal does not start dry.
    """
    most = conduit.capacity_km3_per_day / HOURS_PER_DAY
    arrives = 1.0 - conduit.loss_share
    role = "canal" if conduit.kind == Conduit.Kind.CANAL else "conduit"
    name = f"{role}.{conduit.key}"
    wanted = sum(at(demand.amount, 0) for demand in demands if demand.bus == conduit.to_bus.key)
    usual = wanted / arrives if arrives else 0.0
    link = Link(
        name,
        conduit.from_bus.key,
        most,
        to={conduit.to_bus.key: arrives},
        uses=power_used(conduit),
        cost=conduit.cost_per_m3 * M3_PER_KM3,
        lag_hours=conduit.lag_hours,
        initial_rate=min(most, reading.before.links.get(name, usual)) if conduit.lag_hours else 0.0,
    )
    sheet.put(link, conduit, role)
    if conduit.lag_hours:
        _add_escape(sheet, conduit, most)


def _add_escape(sheet: Sheet, canal: Conduit, most: float) -> None:
    """Where a canal's water of the last hours goes when those it was sent for want less of it than before.

    Without it every plan after a rain would break a hard limit. It costs the least value of water, so that nothing is
    let go for ease.
    """
    cost = LEAST_WATER_VALUE_PER_M3 * M3_PER_KM3
    sheet.put(
        Link(f"escape.{canal.key}", canal.to_bus.key, most, cost=cost), canal, "spill", _("Tail escape of {name}")
    )


def full_share(reservoir: Reservoir, day: date) -> float:
    """The share of the capacity that may be used on a day: 1, falling over a month to EMPTY_SHARE while emptied."""
    if not reservoir.emptied_from or not reservoir.emptied_until:
        return 1.0
    begins, ends = (_on(text, day.year) for text in (reservoir.emptied_from, reservoir.emptied_until))
    emptied = begins <= day <= ends if begins <= ends else day >= begins or day <= ends
    if emptied:
        return EMPTY_SHARE
    if begins < day:
        begins = _on(reservoir.emptied_from, day.year + 1)
    days_left = (begins - day).days
    return min(1.0, EMPTY_SHARE + (1.0 - EMPTY_SHARE) * days_left / DRAWDOWN_DAYS)


def _measured_level(sheet: Sheet, reading: Reading, reservoir: Reservoir) -> float:
    """10³ m³, from the latest observation; without one, what the series' forecast or profile expects."""
    series = reservoir.storage
    seen = latest(series, reading.known_at)
    if seen is None:
        sheet.note("warning", _("{name}: no storage was measured; it is taken as expected."), name=reservoir)
        return reading.values(series)[0]
    age = reading.known_at - seen.valid_at
    if age > timedelta(hours=series.stale_after_hours):
        words = _("{name}: the storage is {hours:.0f} hours old.")
        sheet.note("warning", words, name=reservoir, hours=age.total_seconds() / 3600)
    if seen.synthetic:
        sheet.note("info", _("{name}: the storage is synthetic, not measured."), name=reservoir)
    if seen.value > reservoir.capacity_km3:
        sheet.note("info", _("{name}: measured above the surveyed capacity; the measurement counts."), name=reservoir)
    if seen.value < reservoir.minimum_km3:
        sheet.note("warning", _("{name}: already below its least storage."), name=reservoir)
    return max(0.0, float(seen.value))


def _ceilings(reading: Reading, reservoir: Reservoir, level: float) -> tuple[float, ...]:
    """The most it may hold at the end of each step; above the emptied ceiling it comes down as a gate allows."""
    capacity = max(reservoir.capacity_km3, level)
    drain_per_hour = capacity / (DRAIN_DAYS * HOURS_PER_DAY)
    ceilings = []
    for step in reading.horizon.steps:
        share = full_share(reservoir, step.end.astimezone(reading.city.zone).date())
        hours = (step.end - reading.horizon.start).total_seconds() / 3600
        ceilings.append(max(capacity * share, min(capacity, level - drain_per_hour * hours)))
    return tuple(ceilings)


def _floors(reading: Reading, reservoir: Reservoir, level: float, ceilings: Sequence[float]) -> tuple[float, ...]:
    """The least it may hold: never more than what remains of the first level when nothing comes and nobody draws."""
    kept_per_hour = 1.0 - _loss_per_hour(reservoir)
    floors = []
    for step, ceiling in zip(reading.horizon.steps, ceilings, strict=True):
        hours = (step.end - reading.horizon.start).total_seconds() / 3600
        # A hair below the remainder: the solver multiplies the loss step by step and rounds otherwise.
        floors.append(min(reservoir.minimum_km3, level * kept_per_hour**hours * (1 - 1e-6), ceiling))
    return tuple(floors)


def _target(reading: Reading, reservoir: Reservoir, ceiling: float) -> Final | None:
    """The wished level at the end of the horizon, by the month it ends in."""
    if not reservoir.target_share:
        return None
    month = reading.horizon.end.astimezone(reading.city.zone).month
    wished = reservoir.target_share[month - 1] * reservoir.capacity_km3
    return Final(min=min(wished, ceiling), tier=reading.tier("storage"))


def _loss_per_hour(reservoir: Reservoir) -> float:
    """The hourly share that adds up to the daily one: 1 − (1 − daily)^(1/24)."""
    return float(1.0 - (1.0 - reservoir.loss_per_day) ** (1 / HOURS_PER_DAY))


def _on(month_day: str, year: int) -> date:
    month, day = (int(part) for part in month_day.split("-"))
    # A 29 February of the pack means the 28th in other years.
    return date(year, month, min(day, 28) if month == 2 else day)
