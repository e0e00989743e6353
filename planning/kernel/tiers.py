"""Wishes in order of their tiers, fairly inside a tier; money comes after all of them.

For each tier, lowest number first: (1) the least expected shortage; if there is any, (2) shared in equal ratio
(lexicographic max-min: Ogryczak, Luss, Pióro, Nace, Tomaszewski, "Fair optimization and networks: a survey", J. Appl.
Math. 2014), and (3) spread evenly over time. What a stage reached is locked before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .compiled import Compiled, Floats, Places
from .solver import Ending, Solver
from .wishes import Wish

LOCK = 1e-7
"""Slack left in a lock, as a share of its value and at least of 1: HiGHS' feasibility tolerance, so that the point that
reached the value stays inside, and a tenth of what an answer reports as a shortage, so that money cannot buy one."""
NOTHING = 1e-7
"""A tier's shortage up to this share of what it wants counts as none."""
FAIR_ROUNDS = 6
"""Rounds of max-min per tier: each fixes the worst-off wishes; the others end with the last ratio as their limit."""
STUCK = 1e-7
"""A fairness row with at least this dual cannot be improved: only then is its wish fixed."""
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

    def run(self) -> Ending:
        """Solves all tiers. Returns the last run's ending; `values` holds the point to go on from, if there is one."""
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
        if ending.ended_well and self._falls_short(total, members):
            self._lock(np.array([total]))
            ending = self._share(tier, members)
        self._lock(self.columns["ratio"][members])
        return ending

    def _falls_short(self, total: int, members: Sequence[int]) -> bool:
        return float(self.values_now[total]) > NOTHING * sum(self.wishes[k].wanted for k in members)

    def _share(self, tier: int, members: list[int]) -> Ending:
        """Fairness and evenness. On/off parts stay as they are: max-min needs the duals of an LP."""
        if self.solver.is_mip:
            self.solver.fix_integers(self.values_now)
        ending = self._share_fairly(tier, members)
        if ending.ended_well:
            self._lock(self.columns["ratio"][members])
            ending = self._spread_evenly(members)
        if self.solver.is_mip:
            self.solver.free_integers(self.values_now)
        return ending

    def _share_fairly(self, tier: int, members: list[int]) -> Ending:
        """Max-min: minimise the worst ratio, fix those that hold it there, and go on with the others."""
        worst = self.columns["tier_worst"][self.tiers.index(tier)]
        rows, ratios = self.rows["fairness"], self.columns["ratio"]
        active = list(members)
        ending = self._minimise(np.array([worst]))
        for _ in range(FAIR_ROUNDS):
            if not ending.ended_well or ending.row_duals is None:
                break
            level = float(self.values_now[worst])
            duals = ending.row_duals
            stuck = [k for k in active if abs(duals[rows[k]]) > STUCK]
            done = not stuck or len(stuck) == len(active) or level <= LOCK
            self._cap(ratios[active if done else stuck], level)
            if done:
                break
            active = [k for k in active if k not in stuck]
            self.solver.release_rows(rows[stuck])
            ending = self._minimise(np.array([worst]))
        return ending

    def _spread_evenly(self, members: list[int]) -> Ending:
        """Evenness: minimise Σ worst step ratio over the tier's demands that fall short."""
        short = [k for k in members if k in self.demands and self.values_now[self.columns["ratio"][k]] > NOTHING]
        worst = self.columns["worst_step"][[self.demands.index(k) for k in short]]
        if not short:
            return self._ended
        ending = self._minimise(worst)
        if ending.ended_well:
            self._lock(worst)
        return ending

    @property
    def values_now(self) -> Floats:
        assert self.values is not None, "a stage goes on only from a point"
        return self.values

    def _minimise(self, columns: Places) -> Ending:
        cost = np.zeros(len(self.solver.compiled.cost))
        cost[columns] = 1.0
        self._ended = self.solver.minimise(cost, gap=TIER_GAP)
        if self._ended.values is not None:
            self.values = self._ended.values
        return self._ended

    def _lock(self, columns: Places) -> None:
        """What these columns have now is the most they may have from now on."""
        reached = np.maximum(self.values_now[columns], 0.0)
        self.solver.set_bounds(columns, np.zeros(len(columns)), reached + LOCK * np.maximum(1.0, reached))

    def _cap(self, columns: Places, level: float) -> None:
        limit = np.full(len(columns), max(level, 0.0) * (1 + LOCK) + LOCK)
        self.solver.set_bounds(columns, np.zeros(len(columns)), limit)


def lowest_money(compiled: Compiled) -> float:
    """The money with every column at its cheapest bound: below any plan, for a run that ends without a bound."""
    cost = compiled.cost
    at_bounds = np.where(cost > 0, compiled.col_lower, compiled.col_upper)
    priced = cost != 0
    return compiled.offset + float(cost[priced] @ at_bounds[priced])
