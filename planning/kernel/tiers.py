"""Wishes in order of their tiers, fairly inside a tier; money comes after all of them.

For each tier, lowest number first: (1) the least expected shortage, where a tier wants several commodities first of the
one that is shortest in relation to what is wanted of it; if there is any, (2) shared in equal ratio
(lexicographic max-min: Ogryczak, Luss, Pióro, Nace, Tomaszewski, "Fair optimization and networks: a survey", J. Appl.
Math. 2014), and (3) spread evenly over time. What a stage reached is locked before the next one begins.

An LP is locked by its optimal face (Isermann, "Linear lexicographic optimization", OR Spektrum 1982): whatever has a
price stays at its limit. The last basis stays feasible, so that the next stage goes on from it, and no rounding adds up
over the stages as it does where each is only forbidden to be worse than its value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from .compiled import Compiled, Floats, Places
from .solver import PRICED, Ending, Solver
from .wishes import Wish, wanted_of

LOCK = 1e-6
"""Slack left in a lock of a shortage, as a share of its value and at least of 1, where a search has to find room: ten
times HiGHS' feasibility tolerance. The locks of an LP leave none: the point that reached the value stays inside, and
rounding of 1e-7 of a huge wish would be all of a small one.
What is not short at all is locked as it is, so that money cannot buy a trace of shortage."""
NOTHING = 1e-7
"""A tier's shortage up to this share of what it wants counts as none."""
FAIR_ENOUGH = 1e-3
"""Max-min ends when the worst ratio left is a thousandth of what a wish wants: sharing that out helps nobody."""
RATIO_WEIGHT = 1e4
"""What a ratio weighs in its stage: its price per unit is tiny where much is wanted, and must not pass for 0."""
TIER_WEIGHT = 10.0
"""What a unit of a tier weighs against one of the next where several are served at once: the result is then most often
what tier after tier would give, and their own stages have nothing left to do."""
SEARCH_PART = 0.25
"""Of the time left, what one search for a tier's total may take with on/off parts. Past that its best point holds, and
the answer says so: a proof of the last thousandth may take hours, and later tiers and money must get their turn."""
SHARING_PART = 0.3
"""Of the time left, what sharing out one tier may take. Past that the tier keeps the sharing it has."""
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
        self._serves_all = True
        """Whether the last run was for all tiers that are left, as the first one is."""
        self.unproven: list[int] = []
        """Tiers whose least shortage a search has not proven in its part of the time."""
        self.unshared: list[int] = []
        """Tiers whose sharing was cut short, by its part of the time or by the solver's rounding."""

    def run(self) -> Ending:
        """Solves all tiers. Returns the ending of the last run for a total; `values` is the point to go on from."""
        ending = self._minimise_total(self.columns["tier_total"])
        for number, tier in enumerate(self.tiers):
            if not self.may_go_on(ending):
                break
            self.tell(f"tier {tier}", number / len(self.tiers))
            ending = self._serve(number, ending)
        return ending

    def may_go_on(self, ending: Ending) -> bool:
        """A search that is cut short by its part of the time leaves a point to go on from; nothing else does."""
        return ending.ended_well or (ending.values is not None and not self.solver.stopped)

    def _serve(self, number: int, ending: Ending) -> Ending:
        """The three stages of one tier, and its locks.

        Sharing out a tier leaves those after it anyhow; all of them together are first served as far as possible.
        """
        tier, totals = self.tiers[number], self.columns["tier_total"][number:]
        members = [k for k, wish in enumerate(self.wishes) if wish.tier == tier]
        if not self._serves_all and self._falls_short(totals[:1], members):
            ending, self._serves_all = self._minimise_total(totals), True
        if self.may_go_on(ending) and self._falls_short(totals[:1], members):
            ending, self._serves_all = self._find_least(tier, totals[:1]), False
            if self.may_go_on(ending) and self._falls_short(totals[:1], members):
                self._share(tier, members, totals)
        if self.may_go_on(ending):
            self._lock(self.columns["ratio"][members])
        return ending

    def _find_least(self, tier: int, total: Places) -> Ending:
        """The tier's least shortage: of the commodity that is shortest, then of all."""
        for columns in (*self._worst_commodity(tier), total):
            ending = self._minimise_total(columns)
            if not self.may_go_on(ending):
                break
            if not ending.ended_well and tier not in self.unproven:
                self.unproven.append(tier)
            if columns is not total:
                self._lock(columns)
            self._hold(ending)
        return ending

    def _worst_commodity(self, tier: int) -> list[Places]:
        """The column of the worst commodity's share, if the tier wants more than one."""
        mixed = sorted({tier for tier, _ in wanted_of(self.wishes)})
        return [self.columns["commodity_worst"][[mixed.index(tier)]]] if tier in mixed else []

    def _falls_short(self, total: Places, members: Sequence[int]) -> bool:
        return float(self.values_now[total].sum()) > NOTHING * sum(self.wishes[k].wanted for k in members)

    def _share(self, tier: int, members: list[int], totals: Places) -> None:
        """Locks the tier's total, then fairness and evenness, within a part of the time left.

        On/off parts stay as they are: max-min needs the duals of an LP. A search's total is exact only to its own
        tolerance, so it is minimised once more as that LP before it is locked. Later tiers then get what these states
        leave them: should no search go on from here, that is the plan.
        """
        with self._within(SHARING_PART):
            well = True
            if self.solver.is_mip:
                self.solver.fix_integers(self.values_now)
                well = self._minimise(totals[:1]).ended_well
            self._lock(totals[:1])
            well = well and (len(members) == 1 or self._share_fairly(tier, members))
            self._lock(self.columns["ratio"][members])
            if not (well and self._spread_evenly(members)):
                self.unshared.append(tier)
            if self.solver.is_mip and len(totals) > 1:
                self._lock(self.columns["ratio"][members])
                self._minimise(totals[1:])
        if self.solver.is_mip:
            self.solver.free_integers(self.values_now)

    def _share_fairly(self, tier: int, members: list[int]) -> bool:
        """Max-min: minimise the worst ratio, fix those that hold it, go on with the others. Did it end well?

        A fairness row with a dual cannot be improved: only then is its wish fixed.
        """
        worst = self.columns["tier_worst"][[self.tiers.index(tier)]]
        rows, ratios = self.rows["fairness"], self.columns["ratio"]
        active = list(members)
        while active:
            ending = self._minimise(worst)
            if not ending.ended_well or ending.row_duals is None:
                return False
            level, duals = float(self.values_now[worst][0]), ending.row_duals
            stuck = [k for k in active if abs(duals[rows[k]]) > PRICED]
            self._hold(ending)
            if not stuck or level <= FAIR_ENOUGH:
                break
            self._cap(ratios[stuck], level)
            self.solver.release_rows(rows[stuck])
            active = [k for k in active if k not in stuck]
        self._cap(ratios[active], level)
        return True

    def _spread_evenly(self, members: list[int]) -> bool:
        """Evenness: minimise Σ worst step ratio over the tier's demands that fall short. Did it end well?"""
        short = [k for k in members if k in self.demands and self.values_now[self.columns["ratio"][k]] > NOTHING]
        worst = self.columns["worst_step"][[self.demands.index(k) for k in short]]
        if not short:
            return True
        ending = self._minimise(worst)
        self._lock(worst)
        self._hold(ending)
        return ending.ended_well

    def _minimise_total(self, columns: Places) -> Ending:
        """A search goes on from the best point so far and has its part of the time; an LP has all of it."""
        if not self.solver.is_mip:
            return self._minimise(columns)
        if self.values is not None:
            self.solver.start_from(self.values)
        with self._within(SEARCH_PART):
            return self._minimise(columns)

    @contextmanager
    def _within(self, part: float) -> Iterator[None]:
        """Runs that may take a part of the time left only."""
        deadline, now = self.solver.deadline, time.monotonic()
        self.solver.deadline = now + part * (deadline - now)
        try:
            yield
        finally:
            self.solver.deadline = deadline

    @property
    def values_now(self) -> Floats:
        assert self.values is not None, "a stage goes on only from a point"
        return self.values

    def _minimise(self, columns: Places) -> Ending:
        cost = np.zeros(len(self.solver.compiled.cost))
        cost[columns] = self._weights(columns)
        ending = self.solver.minimise(cost, gap=TIER_GAP, warm=True)
        if ending.values is not None:
            self.values = ending.values
        return ending

    def _weights(self, columns: Places) -> Floats:
        if not np.isin(columns, self.columns["tier_total"]).all():
            return np.full(len(columns), RATIO_WEIGHT)
        return TIER_WEIGHT ** (np.arange(len(columns), 0.0, -1.0) - (len(columns) + 1) / 2)  # around 1, for HiGHS

    def _hold(self, ending: Ending) -> None:
        """Leaves an LP only its optimal points. With on/off parts these depend on the states: their locks must do."""
        if ending.ended_well and not self.solver.is_mip:
            self.solver.hold_optimum(ending)

    def _lock(self, columns: Places) -> None:
        """What these columns have now is the most they may have from now on."""
        reached = np.maximum(self.values_now[columns], 0.0)
        room = np.where(reached <= NOTHING, 0.0, self._room * np.maximum(1.0, reached))
        self.solver.set_bounds(columns, np.zeros(len(columns)), reached + room)

    def _cap(self, columns: Places, level: float) -> None:
        most = np.full(len(columns), level + self._room * max(1.0, level))
        self.solver.set_bounds(columns, np.zeros(len(columns)), most)

    @property
    def _room(self) -> float:
        return LOCK if self.solver.is_mip else 0.0


def lowest_money(compiled: Compiled) -> float:
    """The money with every column at its cheapest bound: below any plan, for a run that ends without a bound."""
    cost = compiled.cost
    at_bounds = np.where(cost > 0, compiled.col_lower, compiled.col_upper)
    priced = cost != 0
    return compiled.offset + float(cost[priced] @ at_bounds[priced])
