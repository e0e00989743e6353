"""The drought light that a plan suggests, in figures and in words; agencies set lights by judgement."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from planning.numbers import Numbers

from .kernel.policy import Light, Measure, restriction_light

MAINS = ("zone", "fab", "industry")
DAY_HOURS = 24.0


@dataclass(frozen=True)
class Outlook:
    """What the light is suggested from. `river_share` is 1 where rivers bring all that the intakes can carry."""

    light: Light
    storage_km3: float
    days_of_storage: float
    river_share: float
    shortage_share: float


def outlook(numbers: Numbers) -> Outlook:
    """The state of the public supply over the plan's horizon.

    Storage is what the reservoirs hold now above their least level, over the mean daily demand of the mains.
    """
    wanted = sum(numbers.amount(row.rates) for row in [*numbers.served(*MAINS), *numbers.short(*MAINS)])
    missing = sum(numbers.amount(row.rates) for row in numbers.short(*MAINS))
    daily = wanted / (float(np.sum(numbers.hours)) / DAY_HOURS)
    storage = sum(_usable_now(numbers, row.name) for row in numbers.levels("reservoir"))
    days = storage / daily if daily else float("inf")
    river, shortage = _river_share(numbers), missing / wanted if wanted else 0.0
    return Outlook(restriction_light(days, river, shortage), storage, days, river, shortage)


def light_name(light: Light) -> str:
    return {
        Light.NONE: _("no light: normal supply"),
        Light.GREEN: _("green: watch the supply"),
        Light.YELLOW: _("yellow: lower pressure"),
        Light.ORANGE: _("orange: less water for large users"),
        Light.RED: _("red: supply by zones in turns"),
    }[light]


def measure_name(measure: Measure) -> str:
    return {
        Measure.WATCH: _("supply is watched and reported"),
        Measure.NIGHT_PRESSURE_CUT: _("lower pressure at night"),
        Measure.NO_FOUNTAINS_OR_STREET_WASHING: _("no fountains, no street washing"),
        Measure.INDUSTRY_SAVES_VOLUNTARILY: _("industry saves 5 to 7 % of its own accord"),
        Measure.LARGE_USERS_CUT: _("large users are cut by percent"),
        Measure.POOLS_AND_CAR_WASHES_CUT: _("pools and car washes are cut"),
        Measure.SUPPLY_BY_ZONES: _("supply by zones, some days with and some without"),
    }[measure]


def _usable_now(numbers: Numbers, name: str) -> float:
    store = numbers.case["stores"][name]
    least = numbers.stated("stores", name, "min_by_step", store.get("min", 0.0))[0]
    return max(0.0, float(store["initial"]) - float(least))


def _river_share(numbers: Numbers) -> float:
    """Of what the intakes of the public supply can carry, the share that their rivers bring; 1 without intakes."""
    carried, brought = 0.0, 0.0
    rivers = numbers.supplies("river")
    for intake in numbers.links("intake"):
        link = numbers.case["links"][intake.name]
        if not _leads_to_mains(numbers, next(iter(link["to"]))):
            continue
        most = numbers.stated("links", intake.name, "max")
        flow = sum(
            (row.rates for row in rivers if numbers.case["supplies"][row.name]["bus"] == link["from"]),
            start=np.zeros_like(most),
        )
        carried += numbers.amount(most)
        brought += numbers.amount(np.minimum(most, flow))
    return brought / carried if carried else 1.0


def _leads_to_mains(numbers: Numbers, bus: str) -> bool:
    """Can water of a bus reach a user of the public supply?"""
    users = {numbers.case["demands"][row.name]["bus"] for row in numbers.served(*MAINS)}
    seen, queue = {bus}, deque([bus])
    while queue:
        here = queue.popleft()
        if here in users:
            return True
        for link in numbers.case["links"].values():
            if link["from"] == here:
                queue.extend(other for other in link["to"] if other not in seen)
                seen.update(link["to"])
    return False
