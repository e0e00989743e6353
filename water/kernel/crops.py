"""Crops: their coefficients, stages and roots (FAO-56 tables 11, 12 and 22), and what flooded rice needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

YOUNG_ROOTS_M = 0.3
"""Assumption: how deep roots are when a crop is planted; FAO-56 gives no table of it."""
STAGES = ("initial", "development", "mid", "late")


@dataclass(frozen=True)
class Paddy:
    """How flooded rice is kept, depths in mm.

    `soaking_mm` in the month before transplanting is that of FAO Irrigation Water Management, Training Manual 3, § 4.4.
    All else is an assumption after what is usual in Taiwan: shallow water while the crop takes root and tillers, a few
    dry days before panicles form, deeper water at heading and flowering, and none before harvest.
    """

    soaking_mm: float = 200.0
    soaking_days: int = 30
    bands_mm: tuple[tuple[float, float], ...] = ((20.0, 60.0), (20.0, 60.0), (50.0, 100.0), (20.0, 60.0))
    """Lowest and highest water by stage. Below the first it is watered, above the second it drains."""
    deepening_mm_per_day: float = 10.0
    """By how much the water may be raised in a day beyond what is lost."""
    dry_days_before_mid: int = 7
    dry_days_before_harvest: int = 14
    soil_mm: float = 60.0
    """What the puddled soil still gives to the crop when no water stands on it."""
    mud_share: float = 0.2
    """How much water the mud has lost when its water table is so deep below the surface. With 0.2 the usual 150 mm of
    alternate wetting and drying are 30 mm, which rice uses in a week."""


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
    roots_m: float
    """Greatest depth of roots: the lesser figure of table 22, as FAO-56 advises for irrigation schedules."""
    depletion_share: float
    """p of table 22: how much of the available water roots take without stress at ETc = 5 mm a day."""
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
        Crop("rice", 1.05, 1.20, 0.75, (30, 30, 60, 30), 1.0, 0.5, 0.20, paddy=Paddy()),
        Crop("sugarcane_virgin", 0.40, 1.25, 0.75, (50, 70, 220, 140), 3.0, 1.2, 0.65),
        Crop("sugarcane_ratoon", 0.40, 1.25, 0.75, (30, 50, 180, 60), 3.0, 1.2, 0.65, perennial=True),
        Crop("banana_first_year", 0.50, 1.10, 1.00, (120, 90, 120, 60), 3.0, 0.5, 0.35),
        Crop("banana_second_year", 1.00, 1.20, 1.10, (120, 60, 180, 5), 4.0, 0.5, 0.35, perennial=True),
        Crop("pineapple", 0.50, 0.30, 0.30, (60, 120, 600, 10), 0.9, 0.3, 0.50),
        Crop("cabbage", 0.70, 1.05, 0.95, (40, 60, 50, 15), 0.4, 0.5, 0.45),
        Crop("tomato", 0.60, 1.15, 0.80, (30, 40, 40, 25), 0.6, 0.7, 0.40),
        Crop("sweet_potato", 0.50, 1.15, 0.65, (15, 30, 50, 30), 0.4, 1.0, 0.65),
        Crop("soybean", 0.50, 1.15, 0.50, (15, 15, 40, 15), 0.75, 0.6, 0.50),
        Crop("watermelon", 0.40, 1.00, 0.75, (10, 20, 20, 30), 0.4, 0.8, 0.40),
        Crop("citrus", 0.70, 0.65, 0.70, _TREES, 4.0, 1.2, 0.50, perennial=True),
        Crop(
            "guava",
            0.70,
            0.65,
            0.70,
            _TREES,
            4.0,
            1.2,
            0.50,
            perennial=True,
            note="assumption: FAO-56 has no guava; as citrus",
        ),
    )
}
"""FAO-56 tables 11 (stage lengths, the row nearest the tropics), 12 (coefficients, height) and 22 (roots). Generic
values, not calibrated in southern Taiwan; `with_season` fits the stages to the local calendar."""


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


def age_in_season(crop: Crop, days_after_planting: int) -> int | None:
    """Days since the season began, which a perennial begins anew; None before planting and after harvest."""
    age = days_after_planting % crop.season_days if crop.perennial else days_after_planting
    return age if days_after_planting >= 0 and age < crop.season_days else None


def stage(crop: Crop, age: int) -> int:
    """The stage of an age within the season, 0 (initial) to 3 (late)."""
    borders = (sum(crop.stage_days[:n]) for n in (1, 2, 3))
    return sum(age >= border for border in borders)


def kc(crop: Crop, days_after_planting: int) -> float:
    """The crop coefficient (FAO-56 eq. 66: flat, rising, flat, falling); 0 before planting and after harvest."""
    age = age_in_season(crop, days_after_planting)
    if age is None:
        return 0.0
    initial, development, mid, late = crop.stage_days
    now = stage(crop, age)
    if now == 1:
        return crop.kc_ini + (age - initial) / development * (crop.kc_mid - crop.kc_ini)
    if now == 3:
        return crop.kc_mid + (age - initial - development - mid) / late * (crop.kc_end - crop.kc_mid)
    return crop.kc_ini if now == 0 else crop.kc_mid


def root_depth_m(crop: Crop, age: int) -> float:
    """Roots deepen evenly through the development stage (FAO-56 p. 279); those of a perennial are always deep."""
    least = min(YOUNG_ROOTS_M, crop.roots_m)
    if crop.perennial or stage(crop, age) >= 2:
        return crop.roots_m
    initial, development, _mid, _late = crop.stage_days
    return least + max(0, age - initial) / development * (crop.roots_m - least)
