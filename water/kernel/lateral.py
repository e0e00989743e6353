"""A lateral canal, its valves, and the turns that share its water among them.

Time is counted in slots from 0. Slots of a run are on the clock at the valve; the water of slot t left the headgate
`lag` slots before. Flows are in m³/s and volumes in m³, the units of a turnout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cities.kernel.said import Said
from planning.kernel.outcome import Status
from planning.kernel.problems import Problem
from water.kernel.units import m3_from_cms_minutes

ROUNDING = 1e-9
"""Volumes and times that miss a whole slot by less are whole: sums of floats are."""

MOST_SUMS = 5000
"""Of different sums of valves' flows, for which it is still worth looking for the fullest."""
MOST_PAIRS = 250_000
"""Of sums of valves at different distances, for the same."""


class Reason(StrEnum):
    """The limit that keeps a valve from more water."""

    WINDOW = "window"
    """Horizon, travel time, earliest and latest slot leave too little time."""
    QUIET = "quiet"
    MAX_OPEN = "max_open"
    CAPACITY = "capacity"
    INFLOW = "inflow"
    REMAINDER = "remainder"
    """What is left is less than a slot, or than the shortest run."""


@dataclass(frozen=True)
class Lateral:
    """A lateral: what it can carry, and how it may be operated.

    `travel_minutes` is the time from the headgate to the lateral's head. No valve is open in a `quiet` window (slots
    [first, until)): none is opened inside, and none stays open into one.
    """

    capacity_m3s: float
    max_open: int
    travel_minutes: float = 0.0
    slot_minutes: float = 15.0
    quiet: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Valve:
    """A turnout that is either shut or gives its design flow.

    `travel_minutes` is the time from the lateral's head to the valve; it may be open from `earliest_slot` to
    `latest_slot` (both included; None is the end of the horizon). Lower tiers are served first.
    """

    name: str
    flow_m3s: float
    wanted_m3: float
    min_run_slots: int = 1
    max_run_slots: int | None = None
    travel_minutes: float = 0.0
    earliest_slot: int = 0
    latest_slot: int | None = None
    tier: int = 1


@dataclass(frozen=True)
class Run:
    """A valve open for `slots` slots from `first_slot` on."""

    valve: str
    first_slot: int
    slots: int
    flow_m3s: float
    volume_m3: float

    @property
    def until_slot(self) -> int:
        return self.first_slot + self.slots


@dataclass(frozen=True)
class Short:
    """What a valve does not get, and the limit that stands in the way."""

    valve: str
    short_m3: float
    reason: Reason


@dataclass(frozen=True)
class Turns:
    """The runs of a lateral in order of time. `gap` is the share by which more might have been delivered."""

    runs: tuple[Run, ...]
    short: tuple[Short, ...]
    status: Status
    gap: float
    broken_limits: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnCase:
    """One lateral's question: `inflow_m3s` is what reaches its headgate, one value per slot of the horizon."""

    lateral: Lateral
    valves: tuple[Valve, ...]
    inflow_m3s: tuple[float, ...]

    @property
    def slots(self) -> int:
        return len(self.inflow_m3s)

    def limit_m3s(self, headgate_slot: int) -> float:
        """The most that may enter the lateral in a slot: min(capacity, inflow)."""
        return min(self.lateral.capacity_m3s, self.inflow_m3s[headgate_slot])

    def slot_m3(self, valve: Valve) -> float:
        return m3_from_cms_minutes(valve.flow_m3s, self.lateral.slot_minutes)

    def canal_m3(self, last_tier: float = math.inf) -> float:
        """The most that the valves up to a tier can take together: what fits into the canal, and what so many open
        valves pass.
        """
        widest: dict[int, list[float]] = {}
        for valve in self._asking(last_tier):
            for slot in self.open_slots(valve):
                widest.setdefault(slot, []).append(valve.flow_m3s)
        passed = sum(sum(sorted(flows, reverse=True)[: self.lateral.max_open]) for flows in widest.values())
        flow = min(sum(self.fillings_m3s(last_tier).values()), passed)
        return m3_from_cms_minutes(flow, self.lateral.slot_minutes)

    def fillings_m3s(self, last_tier: float = math.inf) -> dict[int, float]:
        """By headgate slot, what the fullest set of valves up to a tier takes of the water that enters in it.

        A valve counts in slots in which the water leaves that reaches it while it may be open. Valves with the same lag
        are then open at once, others are not.
        """
        useful: dict[int, dict[int, list[float]]] = {}
        for valve in self._asking(last_tier):
            lag = self.lag_slots(valve)
            for slot in self.open_slots(valve):
                useful.setdefault(slot - lag, {}).setdefault(lag, []).append(valve.flow_m3s)
        places = {slot: (self.limit_m3s(slot), tuple(map(tuple, by_lag.values()))) for slot, by_lag in useful.items()}
        most = {(limit, sets): fullest_m3s(sets, limit, self.lateral.max_open) for limit, sets in set(places.values())}
        return {slot: most[place] for slot, place in places.items()}

    def _asking(self, last_tier: float) -> list[Valve]:
        return [valve for valve in self.valves if valve.tier <= last_tier and self.wanted_slots(valve)]

    def lag_slots(self, valve: Valve) -> int:
        """Slots between headgate and valve, rounded up: water promised too early would not be there."""
        minutes = self.lateral.travel_minutes + valve.travel_minutes
        return math.ceil(minutes / self.lateral.slot_minutes - ROUNDING)

    def window(self, valve: Valve) -> range:
        """The slots from the first to the last in which the valve may be open, quiet ones included."""
        last = self.slots - 1 if valve.latest_slot is None else min(valve.latest_slot, self.slots - 1)
        return range(max(valve.earliest_slot, self.lag_slots(valve)), last + 1)

    def open_slots(self, valve: Valve) -> list[int]:
        """The slots in which the valve may be open."""
        return [slot for slot in self.window(valve) if not self.is_quiet(slot)]

    def wanted_slots(self, valve: Valve) -> int:
        """Whole slots within the wanted volume; 0 when they do not make one shortest run."""
        slots = math.floor(valve.wanted_m3 / self.slot_m3(valve) + ROUNDING)
        return slots if slots >= valve.min_run_slots else 0

    def is_quiet(self, slot: int) -> bool:
        return any(first <= slot < until for first, until in self.lateral.quiet)

    def run(self, valve: Valve, first_slot: int, slots: int) -> Run:
        return Run(valve.name, first_slot, slots, valve.flow_m3s, slots * self.slot_m3(valve))


def fullest_m3s(sets_m3s: Sequence[Sequence[float]], limit_m3s: float, max_open: int) -> float:
    """The most that valves, at most `max_open` of each set, take together without passing the limit.

    A valve is open or shut: three of 0.2 do not fill a canal of 0.5. With very many different sums it is the limit
    itself, a bound still.
    """
    sums = {0.0}
    for flows in sets_m3s:
        fewest = {0.0: 0}
        for flow in flows:
            for taken, count in list(fewest.items()):
                if count < max_open and taken + flow <= limit_m3s + ROUNDING:
                    more = round(taken + flow, 9)
                    fewest[more] = min(fewest.get(more, max_open), count + 1)
            # With every valve the sums may double.
            if len(fewest) > MOST_SUMS or len(fewest) * len(sums) > MOST_PAIRS:
                return limit_m3s
        sums = {total for one in sums for two in fewest if (total := round(one + two, 9)) <= limit_m3s + ROUNDING}
        if len(sums) > MOST_SUMS:
            return limit_m3s
    return max(sums)


def case_problems(case: TurnCase) -> list[Problem]:
    """Everything about a question that cannot be; empty when good."""
    lateral = case.lateral
    found = [
        *_not_below("lateral.capacity_m3s", lateral.capacity_m3s, 0),
        *_not_below("lateral.max_open", lateral.max_open, 0),
        *_not_below("lateral.travel_minutes", lateral.travel_minutes, 0),
    ]
    if not 0 < lateral.slot_minutes <= 1440:
        found.append(Problem("lateral.slot_minutes", lateral.slot_minutes, Said("above 0, at most 1440")))
    for n, inflow in enumerate(case.inflow_m3s):
        found += _not_below(f"inflow_m3s[{n}]", inflow, 0)
    found += [Problem("valves", name, Said("a name used once")) for name in _repeated([v.name for v in case.valves])]
    for valve in case.valves:
        found += _valve_problems(valve)
    return found


def _valve_problems(valve: Valve) -> list[Problem]:
    place = f"valves.{valve.name}"
    found = [
        *_not_below(f"{place}.wanted_m3", valve.wanted_m3, 0),
        *_not_below(f"{place}.min_run_slots", valve.min_run_slots, 1),
        *_not_below(f"{place}.travel_minutes", valve.travel_minutes, 0),
        *_not_below(f"{place}.earliest_slot", valve.earliest_slot, 0),
    ]
    if not 0 < valve.flow_m3s < math.inf:
        found.append(Problem(f"{place}.flow_m3s", valve.flow_m3s, Said("above 0")))
    if valve.max_run_slots is not None and valve.max_run_slots < valve.min_run_slots:
        found.append(
            Problem(f"{place}.max_run_slots", valve.max_run_slots, Said("at least %(low)g", low=valve.min_run_slots))
        )
    return found


def _not_below(place: str, value: float, low: float) -> list[Problem]:
    return [] if low <= value < math.inf else [Problem(place, value, Said("a number not below %(low)g", low=low))]


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
