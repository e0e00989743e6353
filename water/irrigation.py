"""What the fields behind each lateral want: crop water by day, as a demand on the canal system's bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from forecasting.models import Series
from planning.kernel.network import Demand
from planning.kernel.problems import InvalidNetwork, Problem

from .kernel.crops import CROPS, Block, Crop, daily_demand, with_season
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3
from .models import CropBlock, IrrigationSystem, Lateral
from .reading import Reading, Sheet, TurnoutDay

FLOWERING_TIER = 1
OTHER_TIER = 2


def add_system(sheet: Sheet, reading: Reading, system: IrrigationSystem, laterals: Sequence[Lateral]) -> None:
    """One demand "irrigation.…" per lateral, counted where the system takes its water, even over each local day."""
    days = local_days(reading)
    eto, rain = (by_day(reading, series) for series in (system.reference_eto, system.rain))
    tier = reading.tier(system.user_class)
    for lateral in laterals:
        blocks = {
            block.key: (turnout.key, _kernel_block(block, system, lateral, days[0], days[-1]))
            for turnout in lateral.turnouts.all()
            for block in turnout.blocks.all()
        }
        wanted = daily_demand([block for _, block in blocks.values()], days[0], eto, rain)
        total = [sum(volumes) for volumes in zip(*wanted.values(), strict=True)] or [0.0] * len(days)
        rates = dict(zip(days, (volume / HOURS_PER_DAY for volume in total), strict=True))
        amount = tuple(rates[day] for day in _day_of_steps(reading))
        penalty = system.penalty_per_m3 * M3_PER_KM3
        demand = Demand(f"irrigation.{lateral.key}", system.bus.key, amount, tier=tier, penalty=penalty)
        sheet.put(demand, lateral, "irrigation")
        sheet.turnouts[lateral.key] = _first_day(reading, blocks, wanted)


def _first_day(
    reading: Reading, blocks: Mapping[str, tuple[str, Block]], wanted: Mapping[str, Sequence[float]]
) -> dict[str, TurnoutDay]:
    """What each turnout wants in the first 24 hours, which may lie in two local days."""
    first_day, hours_of_day = local_days(reading)[0], _first_hours(reading)
    found: dict[str, TurnoutDay] = {}
    for key, (turnout, block) in blocks.items():
        volume = sum(a * hours / HOURS_PER_DAY for a, hours in zip(wanted[key], hours_of_day, strict=True))
        tier = FLOWERING_TIER if _flowers(block, first_day) else OTHER_TIER
        before = found.get(turnout, TurnoutDay(km3=0.0, tier=OTHER_TIER))
        found[turnout] = TurnoutDay(km3=before["km3"] + volume, tier=min(before["tier"], tier))
    return found


def _first_hours(reading: Reading) -> list[float]:
    """How many of the first 24 hours lie in each local day of the horizon."""
    hours = dict.fromkeys(local_days(reading), 0.0)
    left = HOURS_PER_DAY
    for step, day in zip(reading.horizon.steps, _day_of_steps(reading), strict=True):
        hours[day] += min(left, step.hours)
        left -= min(left, step.hours)
    return list(hours.values())


def _flowers(block: Block, day: date) -> bool:
    """Rice in its mid season, when heading and flowering fall."""
    initial, development, mid, _late = block.crop.stage_days
    age = (day - block.planted).days
    return block.crop.paddy is not None and initial + development <= age < initial + development + mid


def local_days(reading: Reading) -> list[date]:
    return sorted(set(_day_of_steps(reading)))


def by_day(reading: Reading, series: Series) -> list[float]:
    """The mean of a series of daily amounts over the part of each local day that the horizon covers."""
    hours: dict[date, float] = {}
    amounts: dict[date, float] = {}
    values = reading.values(series)
    for step, day, value in zip(reading.horizon.steps, _day_of_steps(reading), values, strict=True):
        hours[day] = hours.get(day, 0.0) + step.hours
        amounts[day] = amounts.get(day, 0.0) + step.hours * value
    return [amounts[day] / hours[day] for day in sorted(hours)]


def planting(block: CropBlock, crop: Crop, first_day: date, last_day: date) -> date:
    """The latest planting day that the days can know of: past, or near enough that a paddy is already being soaked."""
    soaking = crop.paddy.soaking_days if crop.paddy else 0
    month, day = (int(part) for part in block.planted.split("-"))
    for year in (last_day.year + 1, last_day.year, last_day.year - 1):
        planted = date(year, month, min(day, 28) if month == 2 else day)
        if (planted - last_day).days <= soaking:
            break
    # A crop that still stands on the first day is not yet the next one.
    before = planted.replace(year=planted.year - 1)
    still_stands = not crop.perennial and (first_day - before).days < crop.season_days
    return before if still_stands and planted > last_day else planted


def crop_of(block: CropBlock) -> Crop:
    """Raises InvalidNetwork for a crop that the kernel does not know."""
    if block.crop not in CROPS:
        raise InvalidNetwork([Problem(f"crop_blocks.{block.key}.crop", block.crop, f"one of {', '.join(CROPS)}")])
    crop = CROPS[block.crop]
    return with_season(crop, block.season_days) if block.season_days else crop


def _kernel_block(
    block: CropBlock, system: IrrigationSystem, lateral: Lateral, first_day: date, last_day: date
) -> Block:
    crop = crop_of(block)
    return Block(
        block.key,
        crop,
        block.area_ha,
        planting(block, crop, first_day, last_day),
        block.application_efficiency,
        system.conveyance_efficiency * lateral.efficiency,
        block.percolation_mm_per_day,
    )


def _day_of_steps(reading: Reading) -> list[date]:
    return [step.start.astimezone(reading.city.zone).date() for step in reading.horizon.steps]
