"""The front door of the kernel: a network and a horizon in, a checked answer out."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from . import elastic
from .compiled import MODELLING, Compiled, Floats, Places, compile_model
from .fallback import RULES, held_by
from .horizon import Horizon
from .model import build
from .network import Network, joined_buses
from .outcome import Answer, Fact, Progress, Rates, Status
from .problems import InvalidNetwork
from .readout import read_answer
from .reasons import in_english
from .solver import Ending, Solver, SolverFailure
from .steadiness import LAST_STAGE, changes
from .tiers import NOTHING, Tiers, lowest_money
from .validation import problems
from .verify import broken_limits
from .wishes import Wish, wishes

SEARCH_PART = 0.9
"""Of the time left, what the search for the least money may take with on/off parts: prices need some too."""
FIRST_SEARCH_PART = 0.7
"""The same for a search that starts without any plan: what is left is for a plan by rule, should it find none."""
FALLBACK_LEAST = 5.0
"""Seconds for a plan by rule even when the time limit is used up: the solver may have overstepped it."""
STEADY_PART = 0.5
"""Of the time left, what the search for the least changes may take; past that the plan stays as it is."""
SAME_MONEY = 1e-7
"""Plans whose money differs by this share cost the same."""
RANK_DIGITS = 3
"""Shortages that differ by less are the same when plans by rule are compared."""
WISH_COLUMNS, LEVEL_COLUMNS = ("served", "final_short"), ("tier_total", "ratio", "worst_step", "commodity_worst")
SHARING_ROWS = ("evenness", "fairness", "commodity_share")
"""What tiers pin of a wish, what they reached, and the laws by which they share."""
EXPLAIN_LEAST = 5.0
"""Seconds for finding the reason even when the time limit is used up: a failure without a reason helps nobody."""


def solve(
    network: Network,
    horizon: Horizon,
    *,
    time_limit: float = 120,
    gap: float = 1e-3,
    progress: Callable[[Progress], None] | None = None,
    cancelled: threading.Event | None = None,
) -> Answer:
    """Plans the network over the horizon: tiers in order, then money, then prices; verified before it is returned.

    `time_limit` is in seconds and counts for everything; `gap` is relative, for searches with on/off parts.
    Never raises for what cannot be met or in time: the status says so. Raises InvalidNetwork with every problem.
    """
    found = problems(network, horizon)
    if found:
        raise InvalidNetwork(found)
    run = _Run(network, horizon, time.monotonic() + time_limit, gap, progress, cancelled or threading.Event())
    answer = run.answer()
    with run.timed("verify"):
        run.tell("verify", 0.98)
        broken = [] if answer.status is Status.NONE else broken_limits(network, horizon, answer)
    run.tell("verify", 1.0)
    return replace(answer, why=in_english(answer.reasons), broken_limits=tuple(broken), seconds=dict(run.seconds))


class _Run:
    """One solve: what all its stages share."""

    def __init__(
        self,
        network: Network,
        horizon: Horizon,
        deadline: float,
        gap: float,
        progress: Callable[[Progress], None] | None,
        cancelled: threading.Event,
    ) -> None:
        self.network, self.horizon = network, horizon
        self.deadline, self.gap, self.cancelled = deadline, gap, cancelled
        self.seconds = {"build": 0.0, "compile": 0.0, "solve": 0.0, "verify": 0.0}
        self._progress = progress
        self._stage = ("build", 0.0)

    def tell(self, stage: str, fraction: float, gap: float | None = None) -> None:
        fraction = max(fraction, self._stage[1])  # a plan by rule goes through the stages again
        self._stage = (stage, fraction)
        if self._progress is not None:
            self._progress(Progress(stage, fraction, gap))

    def tell_gap(self, gap: float) -> None:
        self.tell(*self._stage, gap if math.isfinite(gap) else None)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Counts CPU seconds of this thread, HiGHS included: a busy machine does not make a solve look slow."""
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds[what] += time.thread_time() - began

    def answer(self) -> Answer:
        compiled = self.compile(self.network)
        try:
            with self.timed("solve"):
                return self._optimise(compiled)
        except SolverFailure as failure:
            return Answer(Status.NONE, reasons=(Fact("solver_failed", "", {"what": str(failure)}),))

    def compile(self, network: Network) -> Compiled:
        with MODELLING:
            with self.timed("build"):
                self.tell("build", 0.0)
                model = build(network, self.horizon)
            with self.timed("compile"):
                self.tell("compile", 0.05)
                return compile_model(model, LAST_STAGE)

    def _optimise(self, compiled: Compiled) -> Answer:
        """The best plan in time; failing that one by rule; failing that none, with the reason."""
        answer, ending = self._plan(compiled)
        if answer is None and len(compiled.integral) and not (ending.infeasible or self.cancelled.is_set()):
            answer = self._plan_by_rule(compiled, ending)
        return answer or Answer(Status.NONE, reasons=tuple(self._why(ending)))

    def _plan(self, compiled: Compiled) -> tuple[Answer | None, Ending]:
        """All stages on one model: the answer, if any, and the ending of the last stage."""
        listed = wishes(self.network, self.horizon)
        solver = Solver(compiled, self.deadline, self.gap, self.cancelled, self.tell_gap)
        tiers = Tiers(solver, listed, lambda stage, part: self.tell(stage, 0.1 + 0.5 * part))
        ending, money = tiers.run() if listed else None, None
        if ending is None or tiers.may_go_on(ending):
            self.tell("cost", 0.6)
            ending = money = self._minimise_money(solver, tiers.values)
        values = ending.values if ending.values is not None else tiers.values
        if values is None:
            return None, ending
        prices: Rates = {}
        steady = None
        if money is not None and (money.ended_well or solver.is_mip):
            held = self._with_states_held(solver, money, values)
            if held.values is not None and held.row_duals is not None and held.ended_well:
                values, prices = held.values, self._prices(compiled, _marginal(solver, held))
                steady = self._steady(solver, held, held.values)
        answer = self._read(listed, compiled, values, steady)
        return replace(_graded(answer, compiled, ending, money, tiers), prices=prices), ending

    def _read(self, listed: Sequence[Wish], compiled: Compiled, values: Floats, steady: Floats | None) -> Answer:
        """The answer of the steady point, unless that breaks a limit: what it gains is never worth a plan."""
        if steady is not None:
            answer = read_answer(self.network, self.horizon, listed, compiled, steady)
            if not broken_limits(self.network, self.horizon, answer):
                return answer
        return read_answer(self.network, self.horizon, listed, compiled, values)

    def _plan_by_rule(self, compiled: Compiled, ending: Ending) -> Answer | None:
        """Of the plans with the on/off parts held by a rule, the one with the least shortages, then the least money."""
        end = max(self.deadline, time.monotonic() + FALLBACK_LEAST)
        found: dict[str, Answer] = {}
        for done, rule in enumerate(RULES):
            now = time.monotonic()
            self.deadline = now + (end - now) / (len(RULES) - done)
            answer, _ = self._plan(held_by(rule, compiled, self.network, self.horizon))
            if answer is not None:
                found[rule] = answer
        self.deadline = end
        if not found:
            return None
        rule = min(found, key=lambda rule: _rank(found[rule]))
        return _marked(found[rule], rule, ending if not found[rule].tiers else None)

    def _minimise_money(self, solver: Solver, start: Floats | None) -> Ending:
        """The last stage. Its optimum has to be a vertex, for prices that belong to one plan."""
        cost, offset = solver.compiled.cost, solver.compiled.offset
        if not solver.is_mip:
            return solver.minimise(cost, offset)
        if start is not None:
            solver.start_from(start)
        part, now = SEARCH_PART if start is not None else FIRST_SEARCH_PART, time.monotonic()
        solver.deadline = now + part * (self.deadline - now)
        ending = solver.minimise(cost, offset)
        solver.deadline = self.deadline
        return ending

    def _with_states_held(self, solver: Solver, money: Ending, values: Floats) -> Ending:
        """The least money with the on/off parts as they are: an LP, whose duals are prices without start costs."""
        self.tell("prices", 0.9)
        if not solver.is_mip:
            return money
        solver.fix_integers(values)
        return solver.minimise(solver.compiled.cost, solver.compiled.offset)

    def _prices(self, compiled: Compiled, row_duals: Floats) -> Rates:
        """The money that one more unit of use would cost at each bus and step: dual of the balance ÷ (hours × chance).

        The tiers stay locked: at a bus that is short, the price is what one more unit brought there would save in
        money (its penalty, and whatever it replaces), not in shortage.
        """
        weights = np.array([step.hours * step.probability for step in self.horizon.steps])
        duals = row_duals[compiled.rows["balance"]].reshape(-1, len(weights)) / weights
        prices = {bus.name: (0.0,) * len(weights) for bus in self.network.buses}
        return prices | dict(zip(joined_buses(self.network), map(tuple, duals.tolist()), strict=True))

    def _steady(self, solver: Solver, best: Ending, values: Floats) -> Floats | None:
        """Of the points that cost the same, the one with the least changes. None where the time is too short for it."""
        self.tell("steadiness", 0.95)
        solver.hold_optimum(best)
        solver.add_last_stage()
        now = time.monotonic()
        solver.deadline = now + STEADY_PART * (self.deadline - now)
        ending = solver.minimise(changes(solver.compiled, self.network, self.horizon, values))
        if not ending.ended_well or ending.values is None:
            return None
        dearer = float(solver.compiled.cost @ (ending.values - values))
        return ending.values if dearer <= SAME_MONEY * max(1.0, abs(best.objective)) else None

    def _why(self, ending: Ending) -> list[Fact]:
        if self.cancelled.is_set():
            return [Fact("cancelled", "", {})]
        if ending.infeasible:
            return self._clashes()
        if ending.limited:
            return [Fact("out_of_time", "", {})]
        return [Fact("solver_ended", "", {"what": ending.what})]

    def _clashes(self) -> list[Fact]:
        """Which hard limits clash, from the elastic network, and from it less one family of limits at a time."""
        self.deadline = max(self.deadline, time.monotonic() + EXPLAIN_LEAST)
        soft = elastic.elastic(self.network)
        found = self._elastic_clashes(soft)
        if found is not None:
            return found
        for family, less in elastic.without_family(soft):
            if self._elastic_clashes(less) is not None:
                return [Fact(family, "", {})]
        return [Fact("clash_unexplained", "", {})]

    def _elastic_clashes(self, soft: Network) -> list[Fact] | None:
        compiled = self.compile(soft)
        solver = Solver(compiled, self.deadline, self.gap, self.cancelled, self.tell_gap)
        ending = solver.minimise(compiled.cost, compiled.offset)
        if ending.values is None:
            return None
        answer = read_answer(soft, self.horizon, [], compiled, ending.values)
        return elastic.clashes(self.horizon, soft, answer)


def _marginal(solver: Solver, money: Ending) -> Floats:
    """Duals of the least money where only the levels that the tiers reached are held, not who is served when.

    The optimal faces of the tiers' stages pin wishes at the amounts of today: at a bus where nobody is served, one
    more unit would then save nothing, though it would save the penalty. With on/off parts the tiers pin no wish.
    """
    assert money.values is not None and money.row_duals is not None
    columns, rows = solver.compiled.columns, solver.compiled.rows
    wishes, levels = (_joined(columns, names) for names in (WISH_COLUMNS, LEVEL_COLUMNS))
    if solver.is_mip or not (money.values[levels] > NOTHING).any():
        return money.row_duals
    found = solver.released_duals(wishes, levels, _joined(rows, SHARING_ROWS))
    return money.row_duals if found is None else found


def _joined(places: Mapping[str, Places], names: Sequence[str]) -> Places:
    here = np.concatenate([np.array([], dtype=int), *(np.ravel(places[name]) for name in names if name in places)])
    return here[here >= 0]


def _graded(answer: Answer, compiled: Compiled, ending: Ending, money: Ending | None, tiers: Tiers) -> Answer:
    """Status, bound and gap. Before money has a bound of its own, the cheapest bound of every column serves."""
    optimal = ending.ended_well and not tiers.unproven and not tiers.unshared
    bound = money.bound if money is not None and math.isfinite(money.bound) else -math.inf
    bound = min(answer.objective, max(bound, lowest_money(compiled)))
    if optimal and not len(compiled.integral):
        bound = answer.objective
    gap = (answer.objective - bound) / max(abs(answer.objective), 1e-9) if answer.objective > bound else 0.0
    status = Status.OPTIMAL if optimal else Status.FEASIBLE
    return replace(answer, status=status, bound=bound, gap=gap, reasons=tuple(_cut_short(ending, tiers)))


def _cut_short(ending: Ending, tiers: Tiers) -> Iterator[Fact]:
    """What an answer that is feasible only lacks."""
    if not ending.ended_well:
        yield Fact("ended_early", "", {"what": ending.what})
    for kind, lacking in (("unproven", tiers.unproven), ("unshared", tiers.unshared)):
        if lacking:
            yield Fact(kind, "", {"tiers": ", ".join(map(str, lacking))})


def _rank(answer: Answer) -> tuple[float, ...]:
    return (*(round(shortage, RANK_DIGITS) for _, shortage in sorted(answer.tiers.items())), answer.objective)


def _marked(answer: Answer, rule: str, search: Ending | None) -> Answer:
    """A plan by rule, with the bound that the search for the least money left, if it left one."""
    bound = search.bound if search is not None else -math.inf
    known = math.isfinite(bound)
    gap = max(0.0, answer.objective - bound) / max(abs(answer.objective), 1e-9) if known else math.inf
    doubts = () if known else (Fact("gap_unknown", "", {}),)
    reasons = (Fact(rule, "", {}), *doubts, *answer.reasons)
    return replace(answer, status=Status.FALLBACK, bound=bound, gap=gap, reasons=reasons)
