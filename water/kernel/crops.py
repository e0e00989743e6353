"""What fields need: the single crop coefficient of FAO-56 and the extra water of flooded rice.

First version without a soil-moisture state: each day's need stands alone, so rain beyond the day's need is not carried
into the next and demand after storms is on the high side. `Block` is where a state will enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from planning.kernel.problems import InvalidInput, Problem
from water.kernel.units import km3_from_mm_ha

LEAST_USEFUL_RAIN_MM = 5.0
"""Assumption: less than this on a day wets leaves and dust only."""
USEFUL_RAIN_SHARE = 0.8
"""Assumption: the share of a useful rain that stays on the field; FAO Training Manual 3 has 0.8 for wet months."""


@dataclass(frozen=True)
class Paddy:
    """Water that flooded rice needs beyond evapotranspiration.

    Depths are those of FAO Irrigation Water Management, Training Manual 3, § 4.4: 200 mm soak the soil in the month
    before transplanting, 100 mm make the water layer. The days of the layer and of the drying before harvest are
    assumptions.
    """

    soaking_mm: float = 200.0
    soaking_days: int = 30
    layer_mm: float = 100.0
    layer_days: int = 10
    dry_days: int = 14


@dataclass(frozen=True)
class Crop:
    """Crop coefficients and stage lengths in days (initial, development, mid, late) with the crop's height.

    A perennial begins its stages anew when they are over. With `paddy` the field is kept under water.
    """

    name: str
    kc_ini: float
    kc_mid: float
    kc_end: float
    stage_days: tuple[int, int, int, int]
    height_m: float
    perennial: bool = False
    paddy: Paddy | None = None
    note: str = ""

    @property
    def season_days(self) -> int:
        return sum(self.stage_days)


_TREES = (60, 90, 120, 95)

CROPS: dict[str, Crop] = {
    crop.name: crop
    for crop in (
        Crop("rice", 1.05, 1.20, 0.75, (30, 30, 60, 30), 1.0, paddy=Paddy()),
        Crop("sugarcane_virgin", 0.40, 1.25, 0.75, (50, 70, 220, 140), 3.0),
        Crop("sugarcane_ratoon", 0.40, 1.25, 0.75, (30, 50, 180, 60), 3.0, perennial=True),
        Crop("banana_first_year", 0.50, 1.10, 1.00, (120, 90, 120, 60), 3.0),
        Crop("banana_second_year", 1.00, 1.20, 1.10, (120, 60, 180, 5), 4.0, perennial=True),
        Crop("pineapple", 0.50, 0.30, 0.30, (60, 120, 600, 10), 0.9),
        Crop("cabbage", 0.70, 1.05, 0.95, (40, 60, 50, 15), 0.4),
        Crop("tomato", 0.60, 1.15, 0.80, (30, 40, 40, 25), 0.6),
        Crop("sweet_potato", 0.50, 1.15, 0.65, (15, 30, 50, 30), 0.4),
        Crop("soybean", 0.50, 1.15, 0.50, (15, 15, 40, 15), 0.75),
        Crop("watermelon", 0.40, 1.00, 0.75, (10, 20, 20, 30), 0.4),
        Crop("citrus", 0.70, 0.65, 0.70, _TREES, 4.0, perennial=True),
        Crop("guava", 0.70, 0.65, 0.70, _TREES, 4.0, perennial=True, note="assumption: FAO-56 has no guava; as citrus"),
    )
}
"""FAO-56 tables 11 (stage lengths, the row nearest the tropics) and 12 (coefficients, height). Generic values, not
calibrated in southern Taiwan; `with_season` fits the stages to the local calendar."""


@dataclass(frozen=True)
class Block:
    """Fields of one crop planted on one day and watered from one turnout.

    `application_efficiency` is the share of water on the field that reaches the roots (about 0.6 for furrows and
    basins, 0.75 sprinklers, 0.9 drip; near 1 for paddy, whose percolation is counted by itself);
    `conveyance_efficiency` the share that the canal brings there (0.95 lined, 0.6 to 0.9 earth) (FAO Training Manual 4,
    annex I).
    """

    name: str
    crop: Crop
    area_ha: float
    planted: date
    application_efficiency: float
    conveyance_efficiency: float
    percolation_mm_per_day: float = 0.0


def with_season(crop: Crop, days: int) -> Crop:
    """The crop with its four stages shortened or stretched in proportion to a season of `days` days."""
    borders = [round(days * sum(crop.stage_days[: n + 1]) / crop.season_days) for n in range(4)]
    first, second, third, fourth = borders
    return replace(crop, stage_days=(first, second - first, third - second, fourth - third))


def climate_adjusted(crop: Crop, wind_m_s: float, rh_min_pct: float) -> Crop:
    """FAO-56 eq. 62 and 65: Kc + [0.04 (u2 − 2) − 0.004 (RHmin − 45)] (h/3)^0.3 for mid season, and for the end where
    it is at least 0.45. The means are those of the stage; they are held to the ranges the equations were made for.
    """
    wind, humidity = min(6.0, max(1.0, wind_m_s)), min(80.0, max(20.0, rh_min_pct))
    height = min(10.0, max(0.1, crop.height_m))
    change = (0.04 * (wind - 2) - 0.004 * (humidity - 45)) * (height / 3) ** 0.3
    end = crop.kc_end + change if crop.kc_end >= 0.45 else crop.kc_end
    return replace(crop, kc_mid=crop.kc_mid + change, kc_end=end)


def kc(crop: Crop, days_after_planting: int) -> float:
    """The crop coefficient (FAO-56 eq. 66: flat, rising, flat, falling); 0 before planting and after harvest."""
    day = days_after_planting % crop.season_days if crop.perennial else days_after_planting
    initial, development, mid, late = crop.stage_days
    if days_after_planting < 0 or day >= crop.season_days:
        return 0.0
    if day < initial:
        return crop.kc_ini
    if day < initial + development:
        return crop.kc_ini + (day - initial) / development * (crop.kc_mid - crop.kc_ini)
    if day < initial + development + mid:
        return crop.kc_mid
    return crop.kc_mid + (day - initial - development - mid) / late * (crop.kc_end - crop.kc_mid)


def effective_rain_mm(rain_mm: float) -> float:
    """The part of a day's rain that a field can use, mm; the day's need limits it further."""
    return USEFUL_RAIN_SHARE * rain_mm if rain_mm >= LEAST_USEFUL_RAIN_MM else 0.0


def demand_mm(
    crop: Crop, day: date, planted: date, eto_mm: float, useful_rain_mm: float, percolation_mm: float = 0.0
) -> float:
    """Net irrigation need of a day, mm: Kc ETo − Pe, and for paddy + soaking + layer + percolation; never below 0."""
    age = (day - planted).days
    need = kc(crop, age) * eto_mm
    if crop.paddy is not None:
        need = _paddy_need_mm(crop.paddy, crop.season_days, age, need, percolation_mm)
    return max(0.0, need - useful_rain_mm)


def gross_km3(block: Block, net_mm: float) -> float:
    """What must leave the headgate: net / (application × conveyance efficiency) × area, 10³ m³."""
    gross_mm = net_mm / (block.application_efficiency * block.conveyance_efficiency)
    return km3_from_mm_ha(gross_mm, block.area_ha)


def daily_demand(
    blocks: Sequence[Block], first_day: date, eto_mm: Sequence[float], rain_mm: Sequence[float]
) -> dict[str, tuple[float, ...]]:
    """Gross volume of each block by name, 10³ m³ per day, one value per day from `first_day`.

    `eto_mm` and `rain_mm` are per day. Raises InvalidInput with every impossible block.
    """
    found = block_problems(blocks)
    if found:
        raise InvalidInput(found)
    days = [(first_day + timedelta(days=n), *pair) for n, pair in enumerate(zip(eto_mm, rain_mm, strict=True))]
    return {
        block.name: tuple(gross_km3(block, _block_mm(block, day, eto, rain)) for day, eto, rain in days)
        for block in blocks
    }


def block_problems(blocks: Sequence[Block]) -> list[Problem]:
    """Everything about the blocks that cannot be; empty when good."""
    found = []
    seen: set[str] = set()
    for block in blocks:
        if block.name in seen:
            found.append(Problem(f"blocks.{block.name}", block.name, "a name used once"))
        seen.add(block.name)
        for field in ("application_efficiency", "conveyance_efficiency"):
            value = getattr(block, field)
            if not 0 < value <= 1:
                found.append(Problem(f"blocks.{block.name}.{field}", value, "above 0, at most 1"))
        for field in ("area_ha", "percolation_mm_per_day"):
            value = getattr(block, field)
            if not 0 <= value < float("inf"):
                found.append(Problem(f"blocks.{block.name}.{field}", value, "a number not below 0"))
    return found


def _block_mm(block: Block, day: date, eto_mm: float, rain_mm: float) -> float:
    useful = effective_rain_mm(rain_mm)
    return demand_mm(block.crop, day, block.planted, eto_mm, useful, block.percolation_mm_per_day)


def _paddy_need_mm(paddy: Paddy, season_days: int, age: int, crop_mm: float, percolation_mm: float) -> float:
    if -paddy.soaking_days <= age < 0:
        return paddy.soaking_mm / paddy.soaking_days
    if not 0 <= age < season_days - paddy.dry_days:
        return 0.0
    layer = paddy.layer_mm / paddy.layer_days if age < paddy.layer_days else 0.0
    return crop_mm + percolation_mm + layer
