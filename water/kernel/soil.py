"""How much water the roots of an upland crop have left: the daily balance of FAO-56, chapter 8.

Depths in mm. Depletion is how far the root zone is below field capacity: 0 is field capacity, TAW is wilting. Capillary
rise is left out (no water table near the roots), and what a crop does not take evaporates with it (single coefficient).
"""

from __future__ import annotations

from dataclasses import dataclass

MM_PER_M = 1000.0
LEAST_RAIN_OF_ETO = 0.2
"""Rain of less than a fifth of ETo evaporates from leaves (FAO-56 p. 170)."""
RUNOFF_SHARE = 0.2
"""Assumption: a fifth of the rain runs off flat fields; FAO Training Manual 3 counts 0.8 of a wet month's rain."""
LEAST_P, MOST_P = 0.1, 0.8
DAYS_PER_MONTH = 30.4


@dataclass(frozen=True)
class Soil:
    """Water held at field capacity and at wilting point, m³ per m³."""

    field_capacity: float
    wilting_point: float


SOILS: dict[str, Soil] = {
    "sand": Soil(0.12, 0.045),
    "loamy_sand": Soil(0.15, 0.065),
    "sandy_loam": Soil(0.23, 0.11),
    "loam": Soil(0.25, 0.12),
    "silt_loam": Soil(0.29, 0.15),
    "silty_clay_loam": Soil(0.335, 0.205),
    "clay": Soil(0.36, 0.22),
}
"""Middle of the ranges of FAO-56 table 19."""


@dataclass(frozen=True)
class RootZone:
    """Water that roots can take at all (TAW) and without stress (RAW), mm."""

    taw_mm: float
    raw_mm: float


@dataclass(frozen=True)
class Policy:
    """When a field is watered and how far, as shares of what it may lack: past `at` it asks for water down to `to`.

    1 and 1 keep the depletion at the limit day by day; 1 and 0 fill to field capacity each time it is used up. What it
    may lack is RAW, and where water comes by turns no more than the crop takes in `turn_days`.
    """

    at: float = 1.0
    to: float = 1.0
    turn_days: float | None = None

    def allowed_mm(self, zone: RootZone, usual_etc_mm: float) -> float:
        return zone.raw_mm if self.turn_days is None else min(zone.raw_mm, self.turn_days * usual_etc_mm)


@dataclass(frozen=True)
class SoilDay:
    """A day's end: the depletion, what the crop took, and what drained below the roots."""

    depletion_mm: float
    et_mm: float
    drained_mm: float


def root_zone(soil: Soil, depth_m: float, depletion_share: float, etc_mm: float) -> RootZone:
    """TAW = 1000 (θFC − θWP) Zr (eq. 82), RAW = p TAW (eq. 83), p = p_table + 0.04 (5 − ETc), 0.1 to 0.8 (table 22)."""
    taw = MM_PER_M * (soil.field_capacity - soil.wilting_point) * depth_m
    p = min(MOST_P, max(LEAST_P, depletion_share + 0.04 * (5.0 - etc_mm)))
    return RootZone(taw, p * taw)


def stress(zone: RootZone, depletion_mm: float) -> float:
    """Ks = (TAW − Dr) / (TAW − RAW) beyond RAW, else 1 (eq. 84)."""
    return min(1.0, max(0.0, (zone.taw_mm - depletion_mm) / (zone.taw_mm - zone.raw_mm)))


def useful_rain_mm(rain_mm: float, eto_mm: float) -> float:
    """P − RO: what of a day's rain reaches the soil."""
    return (1.0 - RUNOFF_SHARE) * rain_mm if rain_mm >= LEAST_RAIN_OF_ETO * eto_mm else 0.0


def dependable_share(mean_rain_mm: float) -> float:
    """The share of a forecast rain, given as its mean per day, that a schedule may rely on.

    FAO's formula for rain that falls in four years of five, P a month: 0.6 P − 10 up to 70 mm, 0.8 P − 24 above (M.
    Smith, CROPWAT, FAO Paper 46). Rain comes in few wet days: its mean is seldom what falls.
    """
    month = DAYS_PER_MONTH * mean_rain_mm
    dependable = 0.6 * month - 10.0 if month <= 70.0 else 0.8 * month - 24.0
    return max(0.0, dependable) / month if month else 0.0


def next_day(zone: RootZone, depletion_mm: float, useful_mm: float, water_mm: float, etc_mm: float) -> SoilDay:
    """Dr,i = Dr,i−1 − (P − RO) − I + Ks ETc + DP, 0 ≤ Dr ≤ TAW; DP is what is above field capacity (eq. 85, 88)."""
    et = stress(zone, depletion_mm) * etc_mm
    left = depletion_mm - useful_mm - water_mm + et
    return SoilDay(min(zone.taw_mm, max(0.0, left)), et, max(0.0, -left))


def need_mm(
    zone: RootZone, depletion_mm: float, useful_mm: float, etc_mm: float, policy: Policy, usual_etc_mm: float
) -> float:
    """Net irrigation of a day that keeps to the policy."""
    without = next_day(zone, depletion_mm, useful_mm, 0.0, etc_mm).depletion_mm
    allowed = policy.allowed_mm(zone, usual_etc_mm)
    # A hair of room: a field kept exactly at its limit must not ask again for what rounding took.
    return without - policy.to * allowed if without > policy.at * allowed + 1e-9 else 0.0
