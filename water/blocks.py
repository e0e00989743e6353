"""Crop blocks as the kernel knows them: which crop, which season, which soil."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cities.kernel.said import Said
from planning.kernel.problems import InvalidNetwork, Problem

from .kernel.crops import CROPS, Crop, climate_adjusted, with_season
from .kernel.daily_eto import Climate
from .kernel.fields import Block
from .kernel.soil import SOILS, Policy
from .models import CropBlock, IrrigationSystem, Lateral


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
    crop = CROPS[_known(block, "crop", CROPS)]
    return with_season(crop, block.season_days) if block.season_days else crop


def kernel_block(
    block: CropBlock, system: IrrigationSystem, lateral: Lateral, planted: date, climate: Climate | None = None
) -> Block:
    """With coefficients adjusted to a climate, where it is known: FAO-56 lists those of 45 % and 2 m/s."""
    crop = crop_of(block)
    return Block(
        block.key,
        climate_adjusted(crop, climate.wind_m_s, climate.rh_min_pct) if climate else crop,
        block.area_ha,
        planted,
        block.application_efficiency,
        system.conveyance_efficiency * lateral.efficiency,
        block.percolation_mm_per_day,
        SOILS[_known(block, "soil", SOILS)],
        Policy(block.water_at_share, block.water_to_share, system.turn_days),
        block.awd_mm,
    )


def _known(block: CropBlock, field: str, names: Mapping[str, object]) -> str:
    value: str = getattr(block, field)
    if value not in names:
        raise InvalidNetwork(
            [Problem(f"crop_blocks.{block.key}.{field}", value, Said("one of %(names)s", names=", ".join(names)))]
        )
    return value
