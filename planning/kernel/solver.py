"""The only module that knows HiGHS.

One `Solver` holds one model for all stages of a solve: a stage changes costs and bounds and goes on from the last
basis. HiGHS' thread pool is one per process, so `threads` is never set here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from .compiled import Compiled, Floats, Places

ModelStatus = highspy.HighsModelStatus
_LIMITS = (ModelStatus.kTimeLimit, ModelStatus.kInterrupt, ModelStatus.kIterationLimit)
_INFEASIBLE = (ModelStatus.kInfeasible, ModelStatus.kUnboundedOrInfeasible)

ITERATION_LIMIT = "Iteration limit reached"
NO_LIMIT = 2**31 - 1
TIGHT, LOOSE = 1e-7, 5e-7
"""HiGHS' feasibility tolerance, and what a second try may use: half of what verification allows."""
SAME_OBJECTIVE = 1e-6
"""Optima that differ by this share are the same: the solver's rounding."""
PRICED = 1e-7
"""Duals up to this are HiGHS' rounding of 0 (its dual feasibility tolerance)."""
PRIMAL_IF_FEASIBLE, DUAL = 0, 1
"""HiGHS' simplex strategies: another objective leaves a basis feasible, and only the primal simplex can use that."""
WARM_LEAST, WARM_SHARE = 500, 10
"""Iterations that a warm start may take, and one per so many rows: about the time that a start from presolve takes."""
COLD_LEAST, COLD_SHARE = 10_000, 2
"""Iterations that simplex may take before the interior point method is tried: enough for whatever it is good at."""


class SolverFailure(RuntimeError):
    """HiGHS refused the model or ended in a state that means neither an answer nor a limit."""


@dataclass(frozen=True)
class Ending:
    """How one run ended and what it left. The two questions are separate: a limit may come with or without values."""

    ended_well: bool
    infeasible: bool
    limited: bool
    values: Floats | None
    row_duals: Floats | None
    objective: float
    bound: float
    what: str
    col_duals: Floats | None = None


class Solver:
    """A warm HiGHS for one compiled model, at first for its core only.

    `deadline` is a reading of time.monotonic(), for all runs together.
    """

    def __init__(
        self,
        compiled: Compiled,
        deadline: float,
        gap: float,
        cancelled: threading.Event,
        on_gap: Callable[[float], None],
    ) -> None:
        self.compiled = compiled
        self.deadline = deadline
        self._cancelled = cancelled
        self._on_gap = on_gap
        self._highs = highspy.Highs()
        self._gap = gap
        self.is_searching = self.is_mip
        self._has_basis = False
        self._is_feasible = False
        self._start: Floats | None = None
        self._low, self._high = compiled.col_lower.copy(), compiled.col_upper.copy()
        self._row_low, self._row_high = compiled.row_lower.copy(), compiled.row_upper.copy()
        self._columns = compiled.core[1]
        """How many columns HiGHS knows: those of the last stage come when it does."""
        _must(self._highs.setOptionValue("output_flag", False), "option output_flag")
        _must(self._highs.passModel(_lp(compiled)), "the model")
        self._highs.cbSimplexInterrupt += self._look_up
        self._highs.cbIpmInterrupt += self._look_up
        self._highs.cbMipInterrupt += self._look_up_and_tell

    @property
    def is_mip(self) -> bool:
        return len(self.compiled.integral) > 0

    @property
    def stopped(self) -> bool:
        return self._cancelled.is_set() or time.monotonic() >= self.deadline

    def minimise(self, cost: Floats, offset: float = 0.0, gap: float | None = None, warm: bool = False) -> Ending:
        """Runs with other costs. An LP ends at a vertex; `warm` lets it start from where the last one ended."""
        columns = np.arange(self._columns, dtype=np.int32)
        _must(self._highs.changeColsCost(len(columns), columns, cost[: self._columns]), "costs")
        _must(self._highs.changeObjectiveOffset(offset), "offset")
        _must(self._highs.setOptionValue("mip_rel_gap", self._gap if gap is None else min(gap, self._gap)), "gap")
        if self.is_searching:
            return self._run_surely()
        if warm and self._has_basis:
            ending = self._from_last_basis()
            if ending.ended_well or self.stopped:
                return ending
        return self._from_presolve()

    def _from_last_basis(self) -> Ending:
        """Where the last optimum is held, its basis is feasible and often optimal at once (0.02 s against 1.5 s)."""
        _must(self._highs.setOptionValue("simplex_strategy", PRIMAL_IF_FEASIBLE), "option simplex_strategy")
        try:
            return self._run(max(WARM_LEAST, self.compiled.core[0] // WARM_SHARE))
        finally:
            _must(self._highs.setOptionValue("simplex_strategy", DUAL), "option simplex_strategy")

    def _from_presolve(self) -> Ending:
        """Simplex; where that stalls, an interior point that is then moved to a vertex; at last simplex to the end."""
        _must(self._highs.clearSolver(), "a cold start")
        ending = self._run_surely(max(COLD_LEAST, self.compiled.core[0] // COLD_SHARE))
        if ending.what == ITERATION_LIMIT:
            ending = self._run_inside()
            if not (ending.ended_well or self.stopped):
                _must(self._highs.clearSolver(), "a cold start")
                ending = self._run_surely()
        self._has_basis = ending.ended_well
        return ending

    def _run_inside(self) -> Ending:
        _must(self._highs.clearSolver(), "a cold start")
        _must(self._highs.setOptionValue("solver", "ipx"), "option solver")
        try:
            return self._run()
        finally:
            _must(self._highs.setOptionValue("solver", "choose"), "option solver")

    def set_bounds(self, columns: Places, low: Floats, high: Floats) -> None:
        places = columns.astype(np.int32)
        self._low[columns], self._high[columns] = low, high
        _must(self._highs.changeColsBounds(len(places), places, low, high), "column bounds")

    def hold_optimum(self, ending: Ending) -> None:
        """Leaves only points as good as this optimum of an LP: whatever has a price stays at the limit that sets it.

        A column with a reduced cost stays at its bound and a row with a dual at its side (complementary slackness).
        """
        assert ending.row_duals is not None and ending.col_duals is not None
        places = _priced(ending.col_duals, self._low, self._high)
        at = np.where(ending.col_duals[places] > 0, self._low[places], self._high[places])
        held = np.isfinite(at)
        self.set_bounds(places[held], at[held], at[held])
        rows = _priced(ending.row_duals, self._row_low, self._row_high)
        sides = np.where(ending.row_duals[rows] > 0, self._row_low[rows], self._row_high[rows])
        held = np.isfinite(sides)
        self._set_row_bounds(rows[held], sides[held], sides[held])

    def released_duals(self, free: Places, capped: Places, rows: Places) -> Floats | None:
        """Row duals of the last costs with `free` columns, and those of `rows` that are held at a side, limited as the
        model has them and `capped` columns by no more than their upper bounds; all is then held again as it was.

        None where the way there is too long, or leads to another objective: its duals belong to another answer.
        """
        columns, before = np.concatenate([free, capped]), self._highs.getInfo().objective_function_value
        rows = rows[self._row_low[rows] == self._row_high[rows]]
        low, high = self._low[columns], self._high[columns]
        row_low, row_high = self._row_low[rows], self._row_high[rows]
        model = self.compiled
        self.set_bounds(columns, model.col_lower[columns], np.concatenate([model.col_upper[free], self._high[capped]]))
        self._set_row_bounds(rows, model.row_lower[rows], model.row_upper[rows])
        ending = self._from_last_basis()
        self.set_bounds(columns, low, high)
        self._set_row_bounds(rows, row_low, row_high)
        same = abs(ending.objective - before) <= SAME_OBJECTIVE * max(1.0, abs(before))
        return ending.row_duals if ending.ended_well and same else None

    def add_last_stage(self) -> None:
        """Adds the rows and columns that stages before had better be without; what has been held and locked stays."""
        rows, columns = self.compiled.core
        count = self.compiled.matrix.shape[1] - columns
        low, high, nothing = self._low[columns:], self._high[columns:], np.array([], dtype=np.int32)
        _must(self._highs.addCols(count, np.zeros(count), low, high, 0, nothing, nothing, np.array([])), "columns")
        added = self.compiled.matrix[rows:].tocsr()
        low, high = self.compiled.row_lower[rows:], self.compiled.row_upper[rows:]
        shape = added.shape[0], low, high, added.nnz, added.indptr[:-1], added.indices, added.data
        _must(self._highs.addRows(*shape), "rows")
        self._columns = self.compiled.matrix.shape[1]

    def release_rows(self, rows: Places) -> None:
        """These rows limit nothing any more."""
        self._set_row_bounds(rows, np.full(len(rows), -np.inf), np.full(len(rows), np.inf))

    def _set_row_bounds(self, rows: Places, low: Floats, high: Floats) -> None:
        self._row_low[rows], self._row_high[rows] = low, high
        for row, least, most in zip(rows.tolist(), low, high, strict=True):
            _must(self._highs.changeRowBounds(row, least, most), "row bounds")

    def fix_integers(self, values: Floats) -> None:
        """Holds the integers at their values: what is left is an LP, with prices."""
        whole = np.round(values[self.compiled.integral])
        self.set_bounds(self.compiled.integral, whole, whole)
        self._set_integrality(highspy.HighsVarType.kContinuous)
        self.is_searching = self._has_basis = False

    def free_integers(self, start: Floats) -> None:
        """Lets them move again, and offers the search `start` to improve on."""
        places = self.compiled.integral
        self.set_bounds(places, self.compiled.col_lower[places], self.compiled.col_upper[places])
        self._set_integrality(highspy.HighsVarType.kInteger)
        self.is_searching = True
        self.start_from(start)

    def start_from(self, values: Floats) -> None:
        """Offers the next search a solution, handed over just before it runs: HiGHS drops it when costs change."""
        self._start = values

    def _set_integrality(self, kind: highspy.HighsVarType) -> None:
        places = self.compiled.integral.astype(np.int32)
        kinds = np.full(len(places), kind.value, dtype=np.uint8)
        _must(self._highs.changeColsIntegrality(len(places), places, kinds), "integrality")

    def _run_surely(self, iterations: int = NO_LIMIT) -> Ending:
        """Presolve may call a model infeasible whose locks leave less room than its rounding, though a point is known.

        A search then even calls its start optimal, with no bound. Without presolve, and with a little more room, it is
        solved as it is.
        """
        start = self._start
        ending = self._run(iterations)
        unsure = ending.infeasible or (ending.ended_well and not np.isfinite(ending.bound))
        if unsure and self._is_feasible:
            self._start = start
            self._set_care("off", LOOSE)
            ending = self._run()
            self._set_care("choose", TIGHT)
        return ending

    def _set_care(self, presolve: str, tolerance: float) -> None:
        _must(self._highs.setOptionValue("presolve", presolve), "option presolve")
        _must(self._highs.setOptionValue("primal_feasibility_tolerance", tolerance), "option tolerance")

    def _run(self, iterations: int = NO_LIMIT) -> Ending:
        left = self.deadline - time.monotonic()
        if self._cancelled.is_set() or left <= 0:
            return Ending(False, False, True, None, None, 0.0, -np.inf, "stopped before it began")
        limit = self._highs.getRunTime() + left  # HiGHS' clock runs on over all runs of one object
        _must(self._highs.setOptionValue("time_limit", limit), "option time_limit")
        _must(self._highs.setOptionValue("simplex_iteration_limit", iterations), "option simplex_iteration_limit")
        if self._start is not None and self.is_searching:
            columns = np.arange(self._columns, dtype=np.int32)
            start = np.clip(self._start, self._low, self._high)  # a value 1e-7 beyond its bound would be refused
            _must(self._highs.setSolution(len(columns), columns, start[: self._columns]), "start")
        self._start = None
        self._highs.run()
        ending = self._ending()
        self._is_feasible = self._is_feasible or ending.values is not None
        return ending

    def _ending(self) -> Ending:
        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        solution = self._highs.getSolution()
        has_solution = (
            solution.value_valid and info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        )
        values = self._in_all_columns(solution.col_value) if has_solution else None
        duals = np.array(solution.row_dual) if has_solution and solution.dual_valid else None
        objective = info.objective_function_value
        return Ending(
            ended_well=status == ModelStatus.kOptimal and has_solution,
            infeasible=status in _INFEASIBLE,
            limited=status in _LIMITS,
            values=values,
            row_duals=duals,
            objective=objective,
            bound=info.mip_dual_bound if self.is_searching else objective,
            what=self._highs.modelStatusToString(status),
            col_duals=np.array(solution.col_dual) if duals is not None else None,
        )

    def _in_all_columns(self, known: Sequence[float]) -> Floats:
        values = np.zeros(len(self._low))
        values[: self._columns] = known
        return values

    def _look_up(self, event: highspy.HighsCallbackEvent) -> None:
        """Only a cancel interrupts: HiGHS keeps an interrupt for all later runs. A deadline is an option of its own."""
        if self._cancelled.is_set():
            event.interrupt()

    def _look_up_and_tell(self, event: highspy.HighsCallbackEvent) -> None:
        self._look_up(event)
        self._on_gap(event.data_out.mip_gap)


def _priced(duals: Floats, low: Floats, high: Floats) -> Places:
    """Where a dual is not 0 and there is room left to hold."""
    count = len(duals)
    return np.flatnonzero((np.abs(duals) > PRICED) & (low[:count] < high[:count]))


def _must(status: highspy.HighsStatus, what: str) -> None:
    """HiGHS does not raise: an array of a wrong size would leave an empty model that solves to 0."""
    if status == highspy.HighsStatus.kError:
        raise SolverFailure(f"HiGHS refused {what}")


def _lp(compiled: Compiled) -> highspy.HighsLp:
    rows, columns = compiled.core
    matrix = compiled.matrix[:rows, :columns]
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = rows, columns
    lp.col_cost_, lp.offset_ = compiled.cost[:columns], compiled.offset
    lp.col_lower_, lp.col_upper_ = compiled.col_lower[:columns], compiled.col_upper[:columns]
    lp.row_lower_, lp.row_upper_ = compiled.row_lower[:rows], compiled.row_upper[:rows]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.num_row_, lp.a_matrix_.num_col_ = rows, columns
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data
    if len(compiled.integral):
        kinds = [highspy.HighsVarType.kContinuous] * columns
        for place in compiled.integral:
            kinds[place] = highspy.HighsVarType.kInteger
        lp.integrality_ = kinds
    return lp
