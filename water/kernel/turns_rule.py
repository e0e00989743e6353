"""A rule that hands out turns without an optimiser, and says which limit keeps a valve from more.

It serves valves in the order of their tiers and then of the list, each as early and in as few runs as the limits allow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from water.kernel.lateral import ROUNDING, Reason, Run, Short, TurnCase, Valve

_HARDEST_FIRST = (Reason.WINDOW, Reason.INFLOW, Reason.CAPACITY, Reason.MAX_OPEN, Reason.QUIET)
"""How hard a limit is to change. Of several that hold a valve at once the hardest is named."""


EVEN_SHARES = (0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)


class Room:
    """What the runs placed so far leave of a lateral."""

    def __init__(self, case: TurnCase, runs: Iterable[Run] = ()) -> None:
        self.case = case
        self.runs: dict[str, list[Run]] = defaultdict(list)
        self._used_m3s = [0.0] * case.slots
        self._open = [0] * case.slots
        valves = {valve.name: valve for valve in case.valves}
        for run in runs:
            self.place(valves[run.valve], run.first_slot, run.slots)

    def place(self, valve: Valve, first_slot: int, slots: int) -> None:
        """Adds a run; slots that touch a run of the valve lengthen it."""
        lag = self.case.lag_slots(valve)
        for slot in range(first_slot, first_slot + slots):
            self._used_m3s[slot - lag] += valve.flow_m3s
            self._open[slot] += 1
        touching = [run for run in self.runs[valve.name] if self._touches(run, first_slot, slots)]
        self.runs[valve.name] = [run for run in self.runs[valve.name] if run not in touching]
        first = min([first_slot, *(run.first_slot for run in touching)])
        until = max([first_slot + slots, *(run.until_slot for run in touching)])
        self.runs[valve.name].append(self.case.run(valve, first, until - first))

    def held_by(self, valve: Valve, first_slot: int, slots: int) -> frozenset[Reason]:
        """The limits that forbid these further slots."""
        case, window = self.case, self.case.window(valve)
        if not (window and window[0] <= first_slot and first_slot + slots - 1 <= window[-1]):
            return frozenset({Reason.WINDOW})
        found, lag = set(), case.lag_slots(valve)
        for slot in range(first_slot, first_slot + slots):
            if case.is_quiet(slot):
                found.add(Reason.QUIET)
            if self._open[slot] >= case.lateral.max_open:
                found.add(Reason.MAX_OPEN)
            if self._used_m3s[slot - lag] + valve.flow_m3s > case.limit_m3s(slot - lag) + ROUNDING:
                dry = case.inflow_m3s[slot - lag] < case.lateral.capacity_m3s
                found.add(Reason.INFLOW if dry else Reason.CAPACITY)
        return frozenset(found)

    def missing_slots(self, valve: Valve) -> int:
        return self.case.wanted_slots(valve) - sum(run.slots for run in self.runs[valve.name])

    def best(self, valve: Valve) -> tuple[int, int] | None:
        """What to give a valve next, (first slot, slots): the longest new run that has room, the earliest of equals, or
        else a slot more at an end of a run.
        """
        longest = self._longest(valve)
        new = ((self._free_slots(valve, first, longest), -first) for first in self.case.window(valve))
        slots, earlier = max(new, default=(0, 0))
        if slots >= valve.min_run_slots:
            return -earlier, slots
        return next((way for way in self._longer(valve) if not self.held_by(valve, *way)), None)

    def shortest_ways(self, valve: Valve) -> Iterator[tuple[int, int]]:
        """The shortest ways to more water within the valve's own run lengths: whatever forbids these forbids longer."""
        if self._longest(valve) >= valve.min_run_slots:
            for first in self.case.window(valve):
                if not any(self._touches(run, first, valve.min_run_slots) for run in self.runs[valve.name]):
                    yield first, valve.min_run_slots
        if self.missing_slots(valve) > 0:
            yield from self._longer(valve)

    def _longest(self, valve: Valve) -> int:
        return min(self.missing_slots(valve), valve.max_run_slots or self.case.slots)

    def _free_slots(self, valve: Valve, first_slot: int, most: int) -> int:
        """How many slots, at most so many, a new run that begins here has room for."""
        for run in self.runs[valve.name]:
            if first_slot <= run.until_slot:
                most = min(most, run.first_slot - first_slot - 1)
        until = min(first_slot + most, self.case.window(valve).stop)
        slot = first_slot
        while slot < until and self._has_room(valve, slot):
            slot += 1
        return slot - first_slot

    def _has_room(self, valve: Valve, slot: int) -> bool:
        at_headgate = slot - self.case.lag_slots(valve)
        fits = self._used_m3s[at_headgate] + valve.flow_m3s <= self.case.limit_m3s(at_headgate) + ROUNDING
        return fits and self._open[slot] < self.case.lateral.max_open and not self.case.is_quiet(slot)

    def earliest(self, valve: Valve, run: Run) -> int:
        """The first slot, not after its own, in which a run of this length has room."""
        for first in range(self.case.window(valve).start, run.first_slot):
            joins = any(self._touches(other, first, run.slots) for other in self.runs[valve.name])
            if not joins and not self.held_by(valve, first, run.slots):
                return first
        return run.first_slot

    def all_runs(self) -> tuple[Run, ...]:
        runs = [run for runs in self.runs.values() for run in runs]
        return tuple(sorted(runs, key=lambda run: (run.first_slot, run.valve)))

    def _longer(self, valve: Valve) -> Iterator[tuple[int, int]]:
        """One slot more after a run or before it, where that does not join two runs into one too long."""
        runs = sorted(self.runs[valve.name], key=lambda run: run.first_slot)
        for run in runs:
            if valve.max_run_slots is None or run.slots < valve.max_run_slots:
                others = [other for other in runs if other is not run]
                if not any(self._touches(other, run.first_slot, run.slots + 1) for other in others):
                    yield run.until_slot, 1
                if not any(self._touches(other, run.first_slot - 1, run.slots + 1) for other in others):
                    yield run.first_slot - 1, 1

    @staticmethod
    def _touches(run: Run, first_slot: int, slots: int) -> bool:
        return run.first_slot <= first_slot + slots and first_slot <= run.until_slot


def by_rule(case: TurnCase, runs: Iterable[Run] = ()) -> tuple[Run, ...]:
    """The runs given, and what the rule still finds room for beside them."""
    room = Room(case, runs)
    for valve in sorted(case.valves, key=lambda valve: valve.tier):
        _fill(room, valve)
    return room.all_runs()


def best_by_rule(case: TurnCase, fairness_cost: float) -> tuple[Run, ...]:
    """The rule in several orders, with and without holding valves to an even share first.

    Of the turns within `fairness_cost` (a share) of the most delivered volume, lower tiers first, the fairest.
    """
    orders: list[Callable[[Valve], float]] = [
        lambda valve: 0.0,
        lambda valve: -valve.flow_m3s,
        lambda valve: -case.lag_slots(valve),
        lambda valve: -case.wanted_slots(valve),
    ]
    cases = [replace(case, valves=tuple(sorted(case.valves, key=order))) for order in orders]
    tries = [rule(ordered) for ordered in cases for rule in (by_rule, _evenly_by_rule)]
    for tier in sorted({valve.tier for valve in case.valves}):
        names = {valve.name for valve in case.valves if valve.tier == tier}
        volumes = [sum(run.volume_m3 for run in runs if run.valve in names) for runs in tries]
        enough = max(volumes) * (1 - fairness_cost) - ROUNDING
        tries = [runs for runs, volume in zip(tries, volumes, strict=True) if volume >= enough]
    return min(tries, key=lambda runs: max(missing_shares(case, runs).values(), default=0.0))


def missing_shares(case: TurnCase, runs: Sequence[Run]) -> dict[str, float]:
    """By valve, the share of the wanted whole slots that the runs leave out."""
    given: dict[str, int] = defaultdict(int)
    for run in runs:
        given[run.valve] += run.slots
    wanted = {valve.name: case.wanted_slots(valve) for valve in case.valves}
    return {name: 1 - given[name] / slots if slots else 0.0 for name, slots in wanted.items()}


def _evenly_by_rule(case: TurnCase) -> tuple[Run, ...]:
    """The largest of a few shares that every valve can have is handed out first, then what room is left."""
    for share in EVEN_SHARES:
        held = replace(case, valves=tuple(replace(v, wanted_m3=share * v.wanted_m3) for v in case.valves))
        runs = by_rule(held)
        if max(missing_shares(held, runs).values(), default=0.0) <= 0:
            return by_rule(case, runs)
    return by_rule(case)


def moved_earlier(case: TurnCase, runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs, each as early as the others leave room, the first ones first."""
    valves = {valve.name: valve for valve in case.valves}
    settled = sorted(runs, key=lambda run: (run.first_slot, run.valve))
    for n, run in enumerate(settled):
        room = Room(case, settled[:n] + settled[n + 1 :])
        first = room.earliest(valves[run.valve], run)
        settled[n] = case.run(valves[run.valve], first, run.slots)
    return tuple(settled)


def shortages(case: TurnCase, runs: Sequence[Run]) -> tuple[Short, ...]:
    """What each valve misses, and why. The runs must be filled up by the rule: nothing more fits beside them."""
    room = Room(case, runs)
    found = []
    for valve in case.valves:
        short_m3 = valve.wanted_m3 - sum(run.volume_m3 for run in runs if run.valve == valve.name)
        if short_m3 > ROUNDING * max(1.0, valve.wanted_m3):
            found.append(Short(valve.name, short_m3, _reason(room, valve)))
    return tuple(found)


def _fill(room: Room, valve: Valve) -> None:
    while room.missing_slots(valve) > 0:
        found = room.best(valve)
        if found is None:
            break
        room.place(valve, *found)


def _reason(room: Room, valve: Valve) -> Reason:
    """What to change first: of all ways to more water, the one that the fewest and softest limits hold."""
    ways = [room.held_by(valve, first, slots) for first, slots in room.shortest_ways(valve)]
    if not ways and room.missing_slots(valve) < valve.min_run_slots:
        return Reason.REMAINDER
    within = [way for way in ways if Reason.WINDOW not in way] or [frozenset({Reason.WINDOW})]
    softest = min(within, key=lambda way: (len(way), -_hardness(way)))
    return _HARDEST_FIRST[_hardness(softest)]


def _hardness(way: frozenset[Reason]) -> int:
    return min(_HARDEST_FIRST.index(reason) for reason in way)
