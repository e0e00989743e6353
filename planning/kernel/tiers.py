"""Wishes in order of their tiers, fairly inside a tier; money comes after all of them.

For each tier, lowest number first: (1) the least expected shortage; if there is any, (2) shared in equal ratio
(lexicographic max-min: Ogryczak, Luss, Pióro, Nace, Tomaszewski, "Fair optimization and networks: a survey", J. Appl.
Math. 2014), and (3) spread evenly over time. What a stage reached is locked before the next one begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from .compiled import Compiled, Floats, Places
from .solver import Ending, Solver
from .wishes import Wish

LOCK, WIDE_LOCK = 1e-7, 1e-6
"""Slack left in a lock of a shortage, as a share of its value and at least of 1: HiGHS' feasibility tolerance, so that
the point that reached the value stays inside; ten times that where the interior point method has to find room in it.
What is not short at all is locked as it is, so that money cannot buy a trace of shortage."""
NOTHING = 1e-7
"""A tier's shortage up to this share of what it wants counts as none."""
FAIR_ENOUGH = 1e-3
"""Max-min ends when the worst ratio left is a thousandth of what a wish wants: sharing that out helps nobody."""
FAIR_ROUNDS = 4
"""Rounds of max-min per tier: each fixes the worst-off wishes; the others end with the last ratio as their limit."""
STUCK = 1e-5
"""A fairness row with at least this dual (they add up to 1) cannot be improved: only then is its wish fixed."""
SHARING_PART = 0.1
"""Of the time left, what one run for sharing may take. Past that the tier keeps the sharing it has."""
TIER_GAP = 1e-4
"""Relative gap to which a tier's shortage is searched when there are on/off parts."""


class Tiers:
    """Runs the tiers' stages on a solver. `values` is the best point so far: it keeps every lock set so far."""

    def __init__(self, solver: Solver, wishes: Sequence[Wish], tell: Callable[[str, float], None]) -> None:
        self.solver = solver
        self.wishes = wishes
        self.tell = tell
        self.columns = solver.compiled.columns
        self.rows = solver.compiled.rows
        self.tiers = sorted({wish.tier for wish in wishes})
        self.demands = [k for k, wish in enumerate(wishes) if wish.kind == "demand"]
        self.values: Floats | None = None
        self.unshared: list[int] = []
        """Tiers whose sharing was cut short by its part of the time."""

    def run(self) -> Ending:
        """Solves all tiers. Returns the ending of the last run for a total; `values` is the point to go on from."""
        ending = self._minimise(self.columns["tier_total"])
        for number, tier in enumerate(self.tiers):
            if not ending.ended_well:
                break
            self.tell(f"tier {tier}", number / len(self.tiers))
            ending = self._serve(tier, ending)
        return ending

    def _serve(self, tier: int, ending: Ending) -> Ending:
        """The three stages of one tier, and its locks."""
        members = [k for k, wish in enumerate(self.wishes) if wish.tier == tier]
        total = self.columns["tier_total"][self.tiers.index(tier)]
        if self._falls_short(total, members):
            ending = self._minimise(np.array([total]))
            if not ending.ended_well:
                return ending
        if self._falls_short(total, members):
            self._lock(np.array([total]))
            self._share(tier, members)
        self._lock(self.columns["ratio"][members])
        return ending

    def _falls_short(self, total: int, members: Sequence[int]) -> bool:
        return float(self.values_now[total]) > NOTHING * sum(self.wishes[k].wanted for k in members)

    def _share(self, tier: int, members: list[int]) -> None:
        """Fairness and evenness. On/off parts stay as they are: max-min needs the duals of an LP."""
        if self.solver.is_mip:
            self.solver.fix_integers(self.values_now)
        well = len(members) == 1 or self._share_fairly(tier, members)
        self._lock(self.columns["ratio"][members])
        if not (self._spread_evenly(members) and well):
            self.unshared.append(tier)
        if self.solver.is_mip:
            self.solver.free_integers(self.values_now)

    def _share_fairly(self, tier: int, members: list[int]) -> bool:
        """Max-min: minimise the worst ratio, fix those that hold it, go on with the others. Did it end well?"""
        worst = self.columns["tier_worst"][self.tiers.index(tier)]
        rows, ratios = self.rows["fairness"], self.columns["ratio"]
        active = list(members)
        for _ in range(FAIR_ROUNDS):
            ending = self._minimise_sharing(np.array([worst]))
            if not ending.ended_well or ending.row_duals is None:
                return False
            level, duals = float(self.values_now[worst]), ending.row_duals
            stuck = [k for k in active if abs(duals[rows[k]]) > STUCK]
            if not stuck or len(stuck) == len(active) or level <= FAIR_ENOUGH:
                break
            self._cap(ratios[stuck], level)
            active = [k for k in active if k not in stuck]
            self.solver.release_rows(rows[stuck])
        self._cap(ratios[active], level)
        return True

    def _spread_evenly(self, members: list[int]) -> bool:
        """Evenness: minimise Σ worst step ratio over the tier's demands that fall short. Did it end well?"""
        short = [k for k in members if k in self.demands and self.values_now[self.columns["ratio"][k]] > NOTHING]
        worst = self.columns["worst_step"][[self.demands.index(k) for k in short]]
        if not short:
            return True
        ended_well = self._minimise_sharing(worst).ended_well
        self._lock(worst)
        return ended_well

    def _minimise_sharing(self, columns: Places) -> Ending:
        """A run that may take its part of the time only."""
        deadline, now = self.solver.deadline, time.monotonic()
        self.solver.deadline = now + SHARING_PART * (deadline - now)
        try:
            return self._minimise(columns)
        finally:
            self.solver.deadline = deadline

    @property
    def values_now(self) -> Floats:
        assert self.values is not None, "a stage goes on only from a point"
        return self.values

    def _minimise(self, columns: Places) -> Ending:
        cost = np.zeros(len(self.solver.compiled.cost))
        cost[columns] = 1.0
        ending = self.solver.minimise(cost, gap=TIER_GAP, vertex=False)
        if ending.values is not None:
            self.values = ending.values
        return ending

    def _lock(self, columns: Places) -> None:
        """What these columns have now is the most they may have from now on."""
        reached = np.maximum(self.values_now[columns], 0.0)
        room = np.where(reached <= NOTHING, 0.0, self._room * np.maximum(1.0, reached))
        self.solver.set_bounds(columns, np.zeros(len(columns)), reached + room)

    def _cap(self, columns: Places, level: float) -> None:
        self.solver.set_bounds(
            columns, np.zeros(len(columns)), np.full(len(columns), level + self._room * max(1.0, level))
        )

    @property
    def _room(self) -> float:
        return WIDE_LOCK if self.solver.simplex_stalls else LOCK


def lowest_money(compiled: Compiled) -> float:
    """The money with every column at its cheapest bound: below any plan, for a run that ends without a bound."""
    cost = compiled.cost
    at_bounds = np.where(cost > 0, compiled.col_lower, compiled.col_upper)
    priced = cost != 0
    return compiled.offset + float(cost[priced] @ at_bounds[priced])
