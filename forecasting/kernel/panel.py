"""Many series side by side, ready for batched linear algebra.

Axes, everywhere in this room: S series, T steps of history (right-aligned: the last column is the last step of
all), K + 1 origins (0 is the real one, k lies k blocks earlier), H steps ahead, p features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .calendars import FAR_FROM_LNY, Calendar
from .cleaning import Cleaned
from .regressors import Columns
from .seasons import Plan
from .series import Array, Ruler


@dataclass(frozen=True)
class Days:
    """What kind of time every step of history and horizon is (and of a day or a step more, for the eve of a holiday).

    clock    0 … below 1 within the short cycle; None when a step is the whole of it
    weekday  0 … 6 as loads see it, -1 when unknown
    lny      days from Lunar New Year
    holiday  a day off that is no weekend
    year     0 … below 1 within the year; None when unknown
    """

    clock: Array | None
    weekday: Array
    lny: Array
    holiday: Array | None = None
    year: Array | None = None


@dataclass(frozen=True)
class Panel:
    """Values on the scale on which errors are alike: logarithms where the plan says so, mean 0 and deviation 1.

    values     S × T; columns before `begin` are padding
    observed   S × T; False where padding or filled in
    begin      S
    regressors S × (T + H) × R, standardised
    columns    what they are, of every series
    """

    values: Array
    observed: Array
    begin: Array
    centre: Array
    spread: Array
    plan: Plan
    steps: int
    days: Days
    regressors: Array
    columns: Sequence[Columns] = ()

    @property
    def length(self) -> int:
        return int(self.values.shape[1])

    @property
    def shortest(self) -> int:
        """Steps of history of the shortest series before the earliest origin."""
        return self.length - int(self.begin.max()) - self.plan.origins * self.plan.block

    @property
    def origins(self) -> Array:
        """The column of the first step ahead, for every origin: T, T - block, …"""
        return self.origins_back(self.plan.origins)

    def origins_back(self, count: int) -> Array:
        """`origins` for `count` past ones, the latest first."""
        return np.asarray(self.length - self.plan.block * np.arange(count + 1))

    def known_before(self, origin: int) -> Array:
        """Which truths (K × H) had come at the given origin (0 the real one): only they may judge its forecast."""
        ends = self.origins[1:, None] + np.arange(self.steps)
        return np.asarray(ends < self.origins[origin])

    def reach(self, s: int, r: int) -> int | None:
        """Steps that a regressor is known for from every origin on; None for all that are asked.

        Guesses count as known where there are only weeks: what weather does cannot be told from so few of them (see
        `unaware`). Over years they would be believed like measurements, and err more than none.
        """
        if not self.columns or r >= len(self.columns[s].reaches):
            return None
        reach = self.columns[s].reaches[r]
        is_known = reach >= self.steps or (self.columns[s].guessed[r] and not self.plan.thorough)
        return None if is_known else reach

    @property
    def unaware(self) -> Panel | None:
        """The panel of one who has no guesses; None where there are none that count."""
        if self.plan.thorough or not any(any(one.guessed) for one in self.columns):
            return None
        known = [replace(one, guessed=(False,) * len(one.guessed)) for one in self.columns]
        return replace(self, columns=known)

    def truth(self) -> Array:
        """What came at the past origins, S × K × H; NaN where it is not known."""
        measured = np.where(self.observed, self.values, np.nan)
        padded = np.pad(measured, ((0, 0), (0, self.steps)), constant_values=np.nan)
        return np.asarray(padded[:, self.origins[1:, None] + np.arange(self.steps)])

    def back(self, scaled: Array) -> Array:
        """From the common scale to the unit of each series; the first axis is S."""
        shape = (-1,) + (1,) * (scaled.ndim - 1)
        values = scaled * self.spread.reshape(shape) + self.centre.reshape(shape)
        return np.asarray(np.exp(values) if self.plan.logs else values)

    def back_one(self, s: int, scaled: Array) -> Array:
        """From the common scale to the unit of series s, any shape."""
        values = scaled * self.spread[s] + self.centre[s]
        return np.asarray(np.exp(values) if self.plan.logs else values)


def panel_of(
    cleaned: Sequence[Cleaned],
    plan: Plan,
    steps: int,
    days: Days,
    regressors: Sequence[Columns],
) -> Panel:
    """Stacks series of one plan that end at the same time. `regressors` have T_s + H rows each."""
    length = max(len(one.values) for one in cleaned)
    # Where past forecasts are asked for, their scale must not know what came after the first of them.
    later = plan.block * (plan.asked - 1)
    values, observed = np.zeros((len(cleaned), length)), np.zeros((len(cleaned), length), dtype=bool)
    begin = np.array([length - len(one.values) for one in cleaned])
    centre, spread = np.zeros(len(cleaned)), np.ones(len(cleaned))
    for s, one in enumerate(cleaned):
        line = np.log(one.values) if plan.logs else one.values
        past = line[: len(line) - later]
        centre[s], spread[s] = past.mean(), past.std() or 1.0
        values[s, begin[s] :] = (line - centre[s]) / spread[s]
        observed[s, begin[s] :] = one.observed
    stacked = _stacked([one.values for one in regressors], length + steps)
    return Panel(values, observed, begin, centre, spread, plan, steps, days, stacked, regressors)


def _stacked(regressors: Sequence[Array | None], width: int) -> Array:
    """Standardised and right-aligned; a series without regressors, or with fewer, has zeros."""
    most = max((one.shape[1] for one in regressors if one is not None), default=0)
    stacked = np.zeros((len(regressors), width, most))
    for s, one in enumerate(regressors):
        if one is not None:
            spread = one.std(axis=0)
            stacked[s, width - len(one) :, : one.shape[1]] = (one - one.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return stacked


def days_of(ruler: Ruler, last: int, length: int, steps: int, plan: Plan, calendar: Calendar) -> Days:
    """The kinds of time of `length` steps up to `last`, of `steps` more, and of one block behind them."""
    positions = np.arange(last - length + 1, last + steps + plan.block + 1)
    if ruler.step is None:
        return _counted(positions, plan)
    index = pd.DatetimeIndex(ruler.times(positions))
    clock = calendar.clock(index) if plan.week or plan.block > 1 else None
    if ruler.step > pd.Timedelta(days=1):
        unknown = np.full(len(index), -1)
        return Days(clock, unknown, calendar.days_from_lunar_new_year(index), year=calendar.share_of_year(index))
    return Days(
        clock,
        calendar.weekdays(index),
        calendar.days_from_lunar_new_year(index),
        calendar.holidays(index),
        calendar.share_of_year(index),
    )


def _counted(positions: Array, plan: Plan) -> Days:
    """Integer times know no calendar; their place in the cycles is all there is."""
    clock = (positions % plan.day) / plan.day if plan.block > 1 else None
    weekday = np.full(len(positions), -1)
    if plan.week:
        weekday = (positions // plan.day) % 7
    elif plan.day == 7:
        weekday = positions % 7
    return Days(clock, weekday, np.full(len(positions), FAR_FROM_LNY))
