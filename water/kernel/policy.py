"""Who gets water first, and what drought lights ask of whom: rules as data, so that another city brings its own.

Names here are keys; the words that people read belong to the faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class UserClass(StrEnum):
    """Classes of use: those of the Water Act, art. 18, and the river itself."""

    ENVIRONMENT = "environment"
    DOMESTIC = "domestic"
    AGRICULTURE = "agriculture"
    HYDROPOWER = "hydropower"
    INDUSTRY = "industry"
    NAVIGATION = "navigation"
    OTHER = "other"


@dataclass(frozen=True)
class Policy:
    """An order of classes: lower tiers are served first. Classes in `compensated` are paid for what they go without."""

    name: str
    tiers: Mapping[UserClass, int]
    compensated: frozenset[UserClass] = frozenset()
    source: str = ""

    def tier(self, user_class: UserClass) -> int:
        return self.tiers[user_class]


LAW_ORDER = Policy(
    name="law_order",
    tiers={
        UserClass.ENVIRONMENT: 0,
        UserClass.DOMESTIC: 1,
        UserClass.AGRICULTURE: 2,
        UserClass.HYDROPOWER: 3,
        UserClass.INDUSTRY: 4,
        UserClass.NAVIGATION: 5,
        UserClass.OTHER: 6,
    },
    source="Water Act (Taiwan), art. 18; that the environmental flow stands before all is an assumption",
)

DROUGHT_PRACTICE = Policy(
    name="drought_practice",
    tiers={
        UserClass.ENVIRONMENT: 0,
        UserClass.DOMESTIC: 1,
        UserClass.INDUSTRY: 2,
        UserClass.AGRICULTURE: 3,
        UserClass.HYDROPOWER: 4,
        UserClass.NAVIGATION: 5,
        UserClass.OTHER: 6,
    },
    compensated=frozenset({UserClass.AGRICULTURE}),
    source="droughts of 2021 and 2023: farming was cut first, with fallow pay, then large users by percent",
)

POLICIES = {policy.name: policy for policy in (LAW_ORDER, DROUGHT_PRACTICE)}


def compensation_per_km3(pay_per_ha: float, gross_duty_m3_per_ha: float) -> float:
    """What a cut to farming costs, money per 10³ m³: fallow pay spread over the water a hectare would have taken.

    Taiwan 2021: NT$82,000 per ha over 20,400 m³ (first crop rice) is about NT$4,000 per 10³ m³.
    """
    return pay_per_ha / gross_duty_m3_per_ha * 1000


class Light(IntEnum):
    """Drought lights in rising order; without a light all is normal."""

    NONE = 0
    GREEN = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


class Measure(StrEnum):
    """What a light brings; the measures of lower lights stay in force."""

    WATCH = "watch"
    NIGHT_PRESSURE_CUT = "night_pressure_cut"
    NO_FOUNTAINS_OR_STREET_WASHING = "no_fountains_or_street_washing"
    INDUSTRY_SAVES_VOLUNTARILY = "industry_saves_voluntarily"
    LARGE_USERS_CUT = "large_users_cut"
    POOLS_AND_CAR_WASHES_CUT = "pools_and_car_washes_cut"
    SUPPLY_BY_ZONES = "supply_by_zones"


_BROUGHT = {
    Light.NONE: (),
    Light.GREEN: (Measure.WATCH,),
    Light.YELLOW: (
        Measure.NIGHT_PRESSURE_CUT,
        Measure.NO_FOUNTAINS_OR_STREET_WASHING,
        Measure.INDUSTRY_SAVES_VOLUNTARILY,
    ),
    Light.ORANGE: (Measure.LARGE_USERS_CUT, Measure.POOLS_AND_CAR_WASHES_CUT),
    Light.RED: (Measure.SUPPLY_BY_ZONES,),
}


@dataclass(frozen=True)
class LightThresholds:
    """Where green, yellow, orange and red begin. Assumption: the agency sets lights by judgement, not by a formula.

    Storage and river begin a light when they fall below the figure, shortage when it reaches it. The river's figures
    give Kaohsiung's lights of 2021 back: an intake of 56 % of normal was yellow, 24 % orange.
    """

    days_of_storage: tuple[float, float, float, float] = (90, 60, 30, 10)
    river_share: tuple[float, float, float, float] = (0.9, 0.7, 0.4, 0.2)
    shortage_share: tuple[float, float, float, float] = (0.005, 0.01, 0.05, 0.15)


@dataclass(frozen=True)
class CutRules:
    """Shares cut under each light, with the range seen in 2021 and 2023."""

    large_user_m3_per_month: float = 1000.0
    night_pressure: float = 0.03
    """Yellow: lower pressure at night saves 1 to 5 %."""
    industry_voluntary: float = 0.05
    """Yellow: 5 to 7 %."""
    large_industry: float = 0.07
    """Orange: 7, 10, 11, then 15 to 20 %, as the drought goes on."""
    large_other: float = 0.10
    """Orange: pools, car washes, saunas, 10 to 20 %."""
    zone: float = 2 / 7
    """Red: five days with water, two without."""


@dataclass(frozen=True)
class Cut:
    """The share of a user's base (the mean of the last six months) that is not to be taken."""

    share: float
    voluntary: bool = False


NO_CUT = Cut(0.0)


def restriction_light(
    days_of_storage: float,
    river_share: float,
    shortage_share: float,
    thresholds: LightThresholds | None = None,
) -> Light:
    """The light that a state of supply suggests.

    `days_of_storage` is usable storage over daily use, `river_share` the river intake over the normal one,
    `shortage_share` what a plan leaves unserved of the demand. A low river with full reservoirs is no drought, nor
    empty reservoirs beside a full river (a desilting summer): of these two the milder light counts. A shortage speaks
    alone.
    """
    levels = thresholds or LightThresholds()
    storage = sum(days_of_storage < level for level in levels.days_of_storage)
    river = sum(river_share < level for level in levels.river_share)
    shortage = sum(shortage_share >= level for level in levels.shortage_share)
    return Light(max(shortage, min(storage, river)))


def measures(light: Light) -> tuple[Measure, ...]:
    """All measures in force under a light, mildest first."""
    return tuple(measure for lower in Light if lower <= light for measure in _BROUGHT[lower])


def cuts(light: Light, user_class: UserClass, monthly_use_m3: float, rules: CutRules | None = None) -> Cut:
    """What a light takes from a user of the public supply.

    Farming, hydropower and the river are not cut by lights but by a policy's tiers.
    """
    rule = rules or CutRules()
    if user_class not in (UserClass.DOMESTIC, UserClass.INDUSTRY, UserClass.OTHER) or light < Light.YELLOW:
        return NO_CUT
    large = monthly_use_m3 > rule.large_user_m3_per_month
    industry = user_class == UserClass.INDUSTRY
    if light == Light.YELLOW:
        return Cut(rule.industry_voluntary, voluntary=True) if industry else Cut(rule.night_pressure)
    by_size = (rule.large_industry if industry else rule.large_other) if large else rule.night_pressure
    return Cut(by_size if light == Light.ORANGE else max(by_size, rule.zone))
