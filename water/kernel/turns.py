"""Turns of one lateral: deliver the most water, share what is missing, then open valves seldom and early.

Stages of one MILP, each held while the next is solved: per tier the volume and the worst missing share, then the
openings. The rule's turns are the first solution offered to the search, and the answer when the search leaves none.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Sequence
from itertools import count

import numpy as np

from planning.kernel.compiled import MODELLING, Floats, Places, compile_model
from planning.kernel.outcome import Status
from planning.kernel.problems import InvalidInput
from planning.kernel.solver import Ending, Solver, SolverFailure
from water.kernel.lateral import Run, TurnCase, Turns, Valve, case_problems
from water.kernel.turns_model import turns_model
from water.kernel.turns_rule import best_by_rule, by_rule, missing_shares, moved_earlier, shortages
from water.kernel.turns_verify import broken_limits

EARLY = 0.5
"""An opening costs 1, and up to this much more the later it is: one opening less is worth any delay."""
WHOLE_SHARE = 0.4
"""The part of a stage's time that the search of the whole model gets; it also gives the bound."""
PART_VALVES, PART_WORST_OFF, PART_SECONDS = 5, 2, 1.5
"""Valves freed at a time, how many of them are those that miss most, and the time a part gets."""
HELD = 1e-6
"""By what share a held stage may slip: the solver's own rounding."""


def plan_turns(
    case: TurnCase,
    *,
    time_limit: float = 30.0,
    gap: float = 0.01,
    fairness_cost: float = 0.02,
    cancelled: threading.Event | None = None,
) -> Turns:
    """Runs for every valve within all limits of the lateral, checked; raises InvalidInput for an impossible question.

    Up to the share `fairness_cost` of the volume is given up where that leaves nobody without: packing the last percent
    into a full canal often costs a small valve its whole turn. "optimal" is within `gap` of the most volume; "feasible"
    has the wider gap that it states; "fallback" is the rule's answer, because the search left none.
    """
    found = case_problems(case)
    if found:
        raise InvalidInput(found)
    began = time.monotonic()
    ruled = best_by_rule(case, fairness_cost)
    if _is_all_delivered_at_once(case, ruled):
        return _checked(case, ruled, Status.OPTIMAL, 0.0, {"build": 0.0, "solve": time.monotonic() - began})
    try:
        search = _Search(case, ruled, began + time_limit, gap, fairness_cost, cancelled or threading.Event())
        built = time.monotonic()
        search.run()
    except SolverFailure:
        return _checked(
            case, ruled, Status.FALLBACK, _gap(ruled, _most_m3(case)), {"build": time.monotonic() - began, "solve": 0.0}
        )
    seconds = {"build": built - began, "solve": time.monotonic() - built}
    if not search.found:
        return _checked(case, ruled, Status.FALLBACK, _gap(ruled, _most_m3(case)), seconds)
    runs = search.turns()
    reached = search.gap(runs)
    return _checked(case, runs, Status.OPTIMAL if reached <= gap + HELD else Status.FEASIBLE, reached, seconds)


def _is_all_delivered_at_once(case: TurnCase, runs: Sequence[Run]) -> bool:
    """Nothing is left to search for: every whole slot is delivered in as few runs as run lengths allow."""
    for valve in case.valves:
        own = [run for run in runs if run.valve == valve.name]
        wanted = case.wanted_slots(valve)
        if sum(run.slots for run in own) < wanted or len(own) > _fewest_runs(case, valve):
            return False
    return True


def _gap(runs: Sequence[Run], most_m3: float) -> float:
    return max(0.0, 1 - sum(run.volume_m3 for run in runs) / most_m3) if most_m3 > 0 else 0.0


def _most_m3(case: TurnCase) -> float:
    """What the canal can bring of what is asked for, which no search can beat."""
    asked = sum(case.slot_m3(valve) * case.wanted_slots(valve) for valve in case.valves)
    return min(asked, case.canal_m3())


def _fewest_runs(case: TurnCase, valve: Valve) -> int:
    """Runs that the wanted slots take when nothing else stands in the way."""
    wanted = case.wanted_slots(valve)
    return math.ceil(wanted / (valve.max_run_slots or max(1, wanted)))


def _checked(case: TurnCase, runs: Sequence[Run], status: Status, gap: float, seconds: dict[str, float]) -> Turns:
    began = time.monotonic()
    runs = tuple(sorted(by_rule(case, moved_earlier(case, runs)), key=lambda run: (run.first_slot, run.valve)))
    short = shortages(case, runs)
    broken = tuple(broken_limits(case, runs, short))
    return Turns(runs, short, status, gap, broken, {**seconds, "verify": time.monotonic() - began})


class _Search:
    """The model of a case in a solver, and the best solution so far."""

    def __init__(
        self,
        case: TurnCase,
        ruled: Sequence[Run],
        deadline: float,
        gap: float,
        fairness_cost: float,
        cancelled: threading.Event,
    ) -> None:
        with MODELLING:
            model = turns_model(case)
            compiled = compile_model(model)
        self._case, self._deadline = case, deadline
        self._on, self._starts, self._tiers = list(model.on), list(model.start), list(model.tiers)
        self._columns = compiled.columns
        self._ruled = self._values = self._values_of(ruled, len(compiled.cost))
        self._solver = Solver(compiled, deadline, gap, cancelled, lambda _: None)
        self._best_m3 = self._delivered_m3 = 0.0
        self._gap, self._fairness_cost, self._cancelled = gap, fairness_cost, cancelled
        self._bounds: list[tuple[Places, float, float]] = []
        self._names = list(model.valves)
        self.found = False

    def gap(self, runs: Sequence[Run]) -> float:
        """How far the runs' volume is from the bound, as a share of the bound: that of the search or of the canal."""
        return _gap(runs, min(self._best_m3, _most_m3(self._case)))

    def run(self) -> None:
        """All stages, as far as time goes: a stage may use half of what is left, the last one all."""
        for n, tier in enumerate(self._tiers):
            volume = self._columns["delivered"][[n]]
            if self._deliver(tier, volume):
                self._share(self._columns["worst"][[n]])
            self._keep(volume)
        if self._openings() > sum(_fewest_runs(self._case, valve) for valve in self._case.valves):
            lateness = np.array([slot for _, slot in self._starts]) / max(1, self._case.slots)
            self._minimise(self._columns["start"], 1 + EARLY * lateness, part=1.0)

    def turns(self) -> list[Run]:
        """The runs of the best solution."""
        valves = {valve.name: valve for valve in self._case.valves}
        on = {key for key, value in zip(self._on, self._values[self._columns["on"]], strict=True) if value > 0.5}
        runs = []
        for name, first in sorted(key for key in on if (key[0], key[1] - 1) not in on):
            slots = next(n for n in count(1) if (name, first + n) not in on)
            runs.append(self._case.run(valves[name], first, slots))
        return runs

    def _deliver(self, tier: int, column: Places) -> bool:
        """The most volume for a tier, of which fairness may give up a little. Is any missing that was asked for?"""
        case = self._case
        asked = sum(case.slot_m3(valve) * case.wanted_slots(valve) for valve in case.valves if valve.tier == tier)
        most = min(asked, case.canal_m3(tier) - self._delivered_m3)
        bound = min(most, -self._minimise(column, np.full(1, -1.0), part=0.5, bound=-most))
        delivered = float(self._values[column][0])
        self._best_m3 += bound
        self._bound(column, delivered * (1 - self._fairness_cost) - HELD * max(1.0, delivered), math.inf)
        return delivered < asked - HELD * max(1.0, asked)

    def _share(self, column: Places) -> None:
        """The smallest worst missing share within a tier; the rule's turns may be the fairer ones to go on from."""
        if self._is_within_bounds(self._ruled) and self._ruled[column][0] < self._values[column][0]:
            self._values = self._ruled
        self._minimise(column, np.ones(1), part=0.5)
        self._bound(column, 0.0, min(1.0, float(self._values[column][0]) + HELD))

    def _keep(self, column: Places) -> None:
        """What fairness has given up may not go to a higher tier."""
        delivered = float(self._values[column][0])
        self._delivered_m3 += delivered
        self._bound(column, delivered - HELD * max(1.0, delivered), math.inf)

    def _bound(self, column: Places, low: float, high: float) -> None:
        """What a stage has reached, held from now on."""
        self._bounds.append((column, low, high))
        self._solver.set_bounds(column, np.full(1, low), np.full(1, high))

    def _is_within_bounds(self, values: Floats) -> bool:
        return all(low <= values[column][0] <= high for column, low, high in self._bounds)

    def _minimise(self, columns: Places, cost: Floats, part: float, bound: float = -math.inf) -> float:
        """One stage: the whole model first, then few valves at a time around the best. Returns a lower bound."""
        costs = np.zeros(len(self._values))
        costs[columns] = cost
        now = time.monotonic()
        until = now + part * (self._deadline - now)
        ending = self._improve(costs, now + WHOLE_SHARE * (until - now))
        if not ending.ended_well:
            self._improve_by_parts(costs, until, max(bound, ending.bound))
        return max(bound, ending.bound)

    def _improve(self, costs: Floats, until: float) -> Ending:
        self._solver.deadline = until
        self._solver.start_from(self._values)
        ending = self._solver.minimise(costs)
        if ending.values is not None:
            self.found = True
            if costs @ ending.values <= costs @ self._values:
                self._values = ending.values
        return ending

    def _improve_by_parts(self, costs: Floats, until: float, bound: float) -> None:
        """Frees a few valves, holds the others, and goes on while time is left: far faster than the whole at once."""
        order = random.Random(0)
        while time.monotonic() < until and costs @ self._values > bound + self._gap * abs(bound) + HELD:
            if self._cancelled.is_set():
                break
            missing = missing_shares(self._case, self.turns())
            worst_off = sorted(self._names, key=lambda name: -missing[name])[:PART_WORST_OFF]
            free = {*worst_off, *order.sample(self._names, min(PART_VALVES - PART_WORST_OFF, len(self._names)))}
            self._hold([name not in free for name, _ in self._on], self._columns["on"])
            self._hold([name not in free for name, _ in self._starts], self._columns["start"])
            self._improve(costs, min(until, time.monotonic() + PART_SECONDS))
        self._hold([False] * len(self._on), self._columns["on"])
        self._hold([False] * len(self._starts), self._columns["start"])

    def _hold(self, held: Sequence[bool], columns: Places) -> None:
        values, fixed = np.round(self._values[columns]), np.array(held)
        self._solver.set_bounds(columns, np.where(fixed, values, 0.0), np.where(fixed, values, 1.0))

    def _openings(self) -> float:
        return float(np.round(self._values[self._columns["start"]]).sum())

    def _values_of(self, runs: Sequence[Run], size: int) -> Floats:
        """The model's variables for given runs, to start the search from."""
        on = {(run.valve, slot) for run in runs for slot in range(run.first_slot, run.until_slot)}
        starts = {(run.valve, run.first_slot) for run in runs}
        values = np.zeros(size)
        values[self._columns["on"]] = [key in on for key in self._on]
        values[self._columns["start"]] = [key in starts for key in self._starts]
        for n, tier in enumerate(self._tiers):
            valves = [valve for valve in self._case.valves if valve.tier == tier and self._case.wanted_slots(valve)]
            volumes = [sum(run.volume_m3 for run in runs if run.valve == valve.name) for valve in valves]
            missing = [1 - volume / valve.wanted_m3 for volume, valve in zip(volumes, valves, strict=True)]
            values[self._columns["delivered"][n]] = sum(volumes)
            values[self._columns["worst"][n]] = max(0.0, *missing)
        return values
