"""Fields through the days: what each needs to stay within its limits, and how it stands after a day.

A block's `state` is one number: the depletion of an upland crop, the ponding of rice (see soil.py and paddy.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cities.kernel.said import Said
from planning.kernel.problems import InvalidInput, Problem

from . import paddy, soil
from .crops import STAGES, Crop, age_in_season, kc, root_depth_m, stage
from .soil import Policy, RootZone, Soil
from .units import HOURS_PER_DAY, km3_from_mm_ha

FIRST_SHARE = 0.5
"""Assumption: of what it may lack, a field of which nothing is known lacks half, and so does a newly planted one."""


@dataclass(frozen=True)
class Block:
    """Fields of one crop planted on one day and watered from one turnout.

    `application_efficiency` is the share of water on the field that reaches the roots (about 0.6 for furrows and
    basins, 0.75 sprinklers, 0.9 drip; near 1 for paddy, whose percolation is counted by itself);
    `conveyance_efficiency` the share that the canal brings there (0.95 lined, 0.6 to 0.9 earth) (FAO Training Manual 4,
    annex I). `awd_mm` above 0 allows alternate wetting and drying of rice.
    """

    name: str
    crop: Crop
    area_ha: float
    planted: date
    application_efficiency: float
    conveyance_efficiency: float
    percolation_mm_per_day: float = 0.0
    soil: Soil = soil.SOILS["loam"]
    policy: Policy = Policy()
    awd_mm: float = 0.0


@dataclass(frozen=True)
class Weather:
    """A day's reference evapotranspiration and rain, mm. `usual_eto_mm` is the mean of the days around it: what a field
    uses until the next turn. With the day's own value a hot day would allow more dryness and ask for less water.
    """

    day: date
    eto_mm: float
    rain_mm: float
    usual_eto_mm: float


@dataclass(frozen=True)
class Asked:
    """What is asked of a lateral on a day, gross 10³ m³ by block, and where each block then stands at the day's end."""

    km3: Mapping[str, float]
    states: Mapping[str, float]


def age_of(block: Block, day: date) -> int | None:
    """Days since planting within the season; negative while a paddy is soaked; None when nothing grows."""
    days = (day - block.planted).days
    if block.crop.paddy and -block.crop.paddy.soaking_days <= days < 0:
        return days
    return age_in_season(block.crop, days)


def stage_name(block: Block, day: date) -> str:
    """ "fallow", "soaking" or one of STAGES."""
    age = age_of(block, day)
    if age is None:
        return "fallow"
    return "soaking" if age < 0 else STAGES[stage(block.crop, age)]


def kept_as(block: Block, day: date) -> str:
    """How rice is kept on a day: "soaking", "flooded", "drying" (it may fall dry before it is watered) or "dry".

    Empty for other crops and where nothing grows.
    """
    age = age_of(block, day)
    if age is None or block.crop.paddy is None:
        return ""
    if age < 0:
        return "soaking"
    kept = paddy.keeping(block.crop, block.crop.paddy, age, block.awd_mm)
    if kept.low_mm is None:
        return "dry"
    return "drying" if kept.low_mm < kept.refill_mm else "flooded"


def first_state(block: Block, weather: Weather) -> float:
    """Where a block of which nothing is known stands before a day; 0 when nothing grows."""
    age = age_of(block, weather.day)
    if age is None:
        return 0.0
    if block.crop.paddy:
        return paddy.first_ponding_mm(block.crop, block.crop.paddy, age)
    return FIRST_SHARE * allowed_mm(block, age, weather)


def allowed_mm(block: Block, age: int, weather: Weather) -> float:
    """What the roots of an upland block may lack at an age."""
    usual = kc(block.crop, age) * weather.usual_eto_mm
    return block.policy.allowed_mm(zone_of(block, age, weather.eto_mm), usual)


def zone_of(block: Block, age: int, eto_mm: float) -> RootZone:
    etc = kc(block.crop, age) * eto_mm
    return soil.root_zone(block.soil, root_depth_m(block.crop, age), block.crop.depletion_share, etc)


def need_mm(block: Block, state_mm: float, weather: Weather) -> float:
    """Net irrigation that keeps the block within its limits on a day."""
    age = age_of(block, weather.day)
    if age is None:
        return 0.0
    crop, eto, rain = block.crop, weather.eto_mm, weather.rain_mm
    state = _before(block, age, state_mm, weather)
    if crop.paddy:
        seep = block.percolation_mm_per_day
        return paddy.need_mm(crop, crop.paddy, age, state, rain, eto, seep, block.awd_mm)
    useful = soil.useful_rain_mm(rain, eto)
    etc, usual = (kc(crop, age) * mm for mm in (eto, weather.usual_eto_mm))
    return soil.need_mm(zone_of(block, age, eto), state, useful, etc, block.policy, usual)


def after(block: Block, state_mm: float, weather: Weather, water_mm: float) -> float:
    """The block's state at the end of a day that brought `water_mm` net irrigation."""
    age = age_of(block, weather.day)
    if age is None:
        return 0.0
    crop, eto, rain = block.crop, weather.eto_mm, weather.rain_mm
    state = _before(block, age, state_mm, weather)
    if crop.paddy:
        seep = block.percolation_mm_per_day
        return paddy.next_day(crop, crop.paddy, age, state, rain, water_mm, eto, seep).ponding_mm
    useful = soil.useful_rain_mm(rain, eto)
    return soil.next_day(zone_of(block, age, eto), state, useful, water_mm, kc(crop, age) * eto).depletion_mm


def shortfall(block: Block, state_mm: float, weather: Weather) -> tuple[float, float]:
    """What a field lacks, and how much it may lack before it is watered, mm: of the root zone, or of rice's water."""
    age = age_of(block, weather.day)
    if age is None:
        return 0.0, 0.0
    state = _before(block, age, state_mm, weather)
    if block.crop.paddy is None:
        return state, block.policy.at * allowed_mm(block, age, weather)
    if age < 0:
        # Land is soaked through a month: what is still to come by then does not make it overdue.
        return max(0.0, -state), -paddy.first_ponding_mm(block.crop, block.crop.paddy, age)
    kept = paddy.keeping(block.crop, block.crop.paddy, age, block.awd_mm)
    low = kept.refill_mm if kept.low_mm is None else kept.low_mm
    return max(0.0, kept.refill_mm - state), kept.refill_mm - low


def overdue_days(block: Block, state_mm: float, weather: Weather, applied_mm: float = 0.0) -> float:
    """How many days ago the field reached what it may lack, at its usual use; below 0 it can still wait so long.

    `applied_mm` is what it has got since the day of `state_mm` began.
    """
    lacks, allowed = shortfall(block, state_mm, weather)
    use = _usual_use_mm(block, weather)
    return (lacks - applied_mm - allowed) / use if use else 0.0


def ask(
    blocks: Sequence[Block],
    states: Mapping[str, float],
    weather: Weather,
    applied_mm: Mapping[str, float],
    hours: float,
    most_km3: float,
) -> Asked:
    """What the blocks of a lateral ask for in the `hours` of a day that are left to plan.

    What was already applied that day is not asked for again. The rate is that of the whole day's need, so that a plan
    made in the evening does not press the day into its last hours; what does not fit, nor into the `most_km3` that the
    lateral can carry, is left to the next day, whose need is then the greater.
    """
    asked: dict[str, float] = {}
    for block in blocks:
        need = need_mm(block, states[block.name], weather)
        asked[block.name] = min(max(0.0, need - applied_mm.get(block.name, 0.0)), need * hours / HOURS_PER_DAY)
    gross = {block.name: gross_km3(block, asked[block.name]) for block in blocks}
    total = sum(gross.values())
    share = min(1.0, most_km3 / total) if total else 1.0
    ends = {
        block.name: after(
            block, states[block.name], weather, applied_mm.get(block.name, 0.0) + share * asked[block.name]
        )
        for block in blocks
    }
    return Asked({name: share * volume for name, volume in gross.items()}, ends)


def gross_km3(block: Block, net_mm: float) -> float:
    """What must leave the headgate: net / (application × conveyance efficiency) × area, 10³ m³."""
    gross_mm = net_mm / (block.application_efficiency * block.conveyance_efficiency)
    return km3_from_mm_ha(gross_mm, block.area_ha)


def check(blocks: Sequence[Block]) -> None:
    """Raises InvalidInput with everything about the blocks that cannot be."""
    found = block_problems(blocks)
    if found:
        raise InvalidInput(found)


def block_problems(blocks: Sequence[Block]) -> list[Problem]:
    """Everything about the blocks that cannot be; empty when good."""
    found = []
    seen: set[str] = set()
    for block in blocks:
        if block.name in seen:
            found.append(Problem(f"blocks.{block.name}", block.name, Said("a name used once")))
        seen.add(block.name)
        for field in ("application_efficiency", "conveyance_efficiency"):
            value = getattr(block, field)
            if not 0 < value <= 1:
                found.append(Problem(f"blocks.{block.name}.{field}", value, Said("above 0, at most 1")))
        for field in ("area_ha", "percolation_mm_per_day", "awd_mm"):
            value = getattr(block, field)
            if not 0 <= value < float("inf"):
                found.append(Problem(f"blocks.{block.name}.{field}", value, Said("a number not below %(low)g", low=0)))
    return found


def _usual_use_mm(block: Block, weather: Weather) -> float:
    """What a field uses on a usual day: its crop, and for rice what percolates, or an even share of the soaking."""
    age = age_of(block, weather.day)
    if age is None:
        return 0.0
    if age < 0 and block.crop.paddy:
        return block.crop.paddy.soaking_mm / block.crop.paddy.soaking_days
    seep = block.percolation_mm_per_day if block.crop.paddy else 0.0
    return kc(block.crop, age) * weather.usual_eto_mm + seep


def _before(block: Block, age: int, state_mm: float, weather: Weather) -> float:
    """A newly planted upland field begins as one of which nothing is known; so does a paddy whose soaking begins."""
    if block.crop.paddy:
        begins = age == -block.crop.paddy.soaking_days
        return paddy.first_ponding_mm(block.crop, block.crop.paddy, age) if begins else state_mm
    begins = age == 0 and not block.crop.perennial
    return FIRST_SHARE * allowed_mm(block, age, weather) if begins else state_mm
