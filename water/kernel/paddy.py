"""How much water stands on flooded rice: a daily balance W,i = W,i−1 + P + I − ETc − percolation − drainage, mm.

Below 0 no water stands and the number tells how much the soil lacks to be saturated: before transplanting what soaking
still has to bring, later what the crop took from the mud.
"""

from __future__ import annotations

from dataclasses import dataclass

from .crops import Crop, Paddy, kc, stage

MOST_USED = 0.9
"""Of what the mud gives a crop, so much may be used before it is watered: at the end of it the balance stands still."""


@dataclass(frozen=True)
class PaddyDay:
    """A day's end: water on the field, and what percolated and ran off over the bund or the outlet."""

    ponding_mm: float
    percolated_mm: float
    drained_mm: float


@dataclass(frozen=True)
class Keeping:
    """How the field is to be kept on a day. `low_mm` None: it is left dry. `refill_mm` is how far it is then filled."""

    low_mm: float | None
    refill_mm: float
    high_mm: float


def keeping(crop: Crop, paddy: Paddy, age: int, awd_mm: float = 0.0) -> Keeping:
    """The water of an age in days after transplanting.

    With alternate wetting and drying (`awd_mm` above 0) the water table may fall that far below the surface while the
    rice tillers and ripens; never while it takes root or flowers, and never so far that the mud gives no more.
    """
    initial, development, _mid, _late = crop.stage_days
    now = stage(crop, age)
    low, high = paddy.bands_mm[now]
    before_mid = initial + development - paddy.dry_days_before_mid <= age < initial + development
    if before_mid or age >= crop.season_days - paddy.dry_days_before_harvest:
        return Keeping(None, 0.0, high)
    drained = min(paddy.mud_share * awd_mm, MOST_USED * paddy.soil_mm)
    return Keeping(-drained if awd_mm and now in (1, 3) else low, low, high)


def first_ponding_mm(crop: Crop, paddy: Paddy, age: int) -> float:
    """Where nothing is known: soaking on schedule, the middle of the band, 0 when the field is left dry."""
    if age < 0:
        return -paddy.soaking_mm * min(1.0, -age / paddy.soaking_days)
    kept = keeping(crop, paddy, age)
    return 0.0 if kept.low_mm is None else (kept.low_mm + kept.high_mm) / 2


def next_day(
    crop: Crop,
    paddy: Paddy,
    age: int,
    ponding_mm: float,
    rain_mm: float,
    water_mm: float,
    eto_mm: float,
    seep_mm: float,
) -> PaddyDay:
    """The balance of a day; all rain counts, for bunds hold it. `seep_mm` percolates while water stands."""
    if age < 0:  # what the soil drinks and loses is in the soaking volume
        return PaddyDay(min(0.0, ponding_mm + rain_mm + water_mm), 0.0, max(0.0, ponding_mm + rain_mm + water_mm))
    water = ponding_mm + rain_mm + water_mm - kc(crop, age) * eto_mm
    seeped = min(seep_mm, max(0.0, water))
    left = water - seeped
    high = keeping(crop, paddy, age).high_mm
    return PaddyDay(min(high, max(-paddy.soil_mm, left)), seeped, max(0.0, left - high))


def need_mm(
    crop: Crop,
    paddy: Paddy,
    age: int,
    ponding_mm: float,
    rain_mm: float,
    eto_mm: float,
    seep_mm: float,
    awd_mm: float = 0.0,
) -> float:
    """Net irrigation of a day: an even share of the soaking that is left, or what brings the water up to its band."""
    if age < 0:
        return max(0.0, -ponding_mm / -age - rain_mm)
    kept = keeping(crop, paddy, age, awd_mm)
    without = next_day(crop, paddy, age, ponding_mm, rain_mm, 0.0, eto_mm, seep_mm)
    if kept.low_mm is None or without.ponding_mm >= kept.low_mm - 1e-9:
        return 0.0
    losses = kc(crop, age) * eto_mm + seep_mm
    lacking = max(0.0, kept.refill_mm - ponding_mm - rain_mm + losses)
    drying = kept.low_mm < kept.refill_mm
    return lacking if drying else min(lacking, max(0.0, losses - rain_mm) + paddy.deepening_mm_per_day)
