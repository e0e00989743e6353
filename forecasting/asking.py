"""Asks the kernel: series at their own step, and those finer than an hour at two.

The minutes of a day are told by the last weeks, what a hot day or a holiday is by years of hourly means. Of a series
finer than an hour with such a history the kernel is therefore asked twice, and the fine answer is moved to the hourly
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .drivers import YEARS, Influences
from .kernel.answer import Forecast
from .kernel.calendars import Calendar
from .kernel.forecast import forecast_many
from .kernel.profiles import Profile
from .kernel.series import Limits, Refusal, Rule
from .models import Series

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HOUR = pd.Timedelta(hours=1)
FINE_DAYS = pd.Timedelta(days=60)
SURE_OF_HOURS = 6.0
"""From so far ahead the hourly forecast is believed wholly, before that in proportion: the last minutes know more."""


@dataclass(frozen=True)
class Task:
    """A series to be forecast from a usable history at full running, with what drives it."""

    series: Series
    history: pd.Series
    influences: Influences | None
    synthetic: bool

    @property
    def name(self) -> str:
        return str(self.series.pk)

    @property
    def is_scaled(self) -> bool:
        return self.influences is not None and bool((self.influences.scale != 1.0).any())

    @property
    def limits(self) -> Limits:
        """At less or more than full running the limits are others; what is left of them is the sign."""
        if not self.is_scaled:
            return Limits(self.series.minimum, self.series.maximum)
        never_negative = self.series.minimum is not None and self.series.minimum >= 0
        return Limits(0.0 if never_negative else None)

    @property
    def is_long_and_fine(self) -> bool:
        is_fine = 60 % self.series.step_minutes == 0 and self.series.step_minutes < 60
        return is_fine and len(self.history) > 1 and self.history.index[-1] - self.history.index[0] >= YEARS

    def of_late(self) -> Task:
        """The task with no more than its last weeks."""
        history = self.history
        return replace(self, history=history[history.index > history.index[-1] - FINE_DAYS]) if len(history) else self

    def by_hour(self) -> Task:
        """The task in hourly means."""
        said = self.influences
        hourly = said and replace(said, table=said.table.resample("h").mean())
        return replace(self, history=self.history.resample("h").mean().dropna(), influences=hourly)


def answered(tasks: Sequence[Task], starts: pd.DatetimeIndex, calendar: Calendar) -> dict[str, Forecast]:
    """Forecasts of series of one step by name; those that can neither be forecast nor have a profile are left out."""
    step = pd.Timedelta(tasks[0].series.step)
    found = _asked([task.of_late() for task in tasks] if step < HOUR else tasks, step, starts, calendar)
    long = [task for task in tasks if task.is_long_and_fine and task.name in found]
    if long:
        hours = pd.date_range(starts[0].ceil("h"), starts[-1], freq="h")
        hourly = _asked([task.by_hour() for task in long], HOUR, hours, calendar)
        found |= {name: _moved(found[name], answer) for name, answer in hourly.items()}
    return {task.name: _at_its_running(task, found[task.name]) for task in tasks if task.name in found}


def _asked(
    tasks: Sequence[Task], step: pd.Timedelta, starts: pd.DatetimeIndex, calendar: Calendar
) -> dict[str, Forecast]:
    answers = forecast_many(
        {task.name: task.history for task in tasks},
        len(starts),
        step=step,
        quantiles=QUANTILES,
        regressors={task.name: task.influences.table for task in tasks if task.influences},
        guessed={task.name: task.influences.guessed for task in tasks if task.influences},
        calendar=calendar,
        profiles={task.name: Profile.from_dict(task.series.profile) for task in tasks if task.series.profile},
        limits={task.name: task.limits for task in tasks},
        start=starts[0],
    )
    return {name: answer for name, answer in answers.items() if not isinstance(answer, Refusal)}


def _moved(fine: Forecast, hourly: Forecast) -> Forecast:
    """The fine forecast moved hour by hour to the hourly one, whose bands it takes; minutes keep their shape."""
    index = pd.DatetimeIndex(fine.index)
    hours = index.floor("h")
    trust = np.clip((index - index[0]) / HOUR / SURE_OF_HOURS, 0.0, 1.0) * hours.isin(hourly.index)

    def spread(values: np.ndarray) -> np.ndarray:
        return pd.Series(values, hourly.index).reindex(hours).fillna(0.0).to_numpy()

    own = pd.Series(fine.mean, index).groupby(hours).transform("mean").to_numpy()
    mean = fine.mean + trust * (spread(hourly.mean) - own)
    bands = {
        level: mean + (1 - trust) * (line - fine.mean) + trust * spread(hourly.quantiles[level] - hourly.mean)
        for level, line in fine.quantiles.items()
    }
    told = {note.did for note in fine.notes}
    # Both were cleaned alike, but only beside years is a guess left out.
    drivers = (note for note in hourly.notes if note.rule == Rule.REGRESSOR and note.did not in told)
    return replace(hourly, index=fine.index, mean=mean, quantiles=bands, notes=(*fine.notes, *drivers))


def _at_its_running(task: Task, answer: Forecast) -> Forecast:
    """The answer at the announced share of full running, within the limits of the series."""
    limits = Limits(task.series.minimum, task.series.maximum)

    def put(values: np.ndarray) -> np.ndarray:
        there = task.influences.put_back(values, answer.index) if task.influences else values
        return limits.clip(there)

    bands = {level: put(line) for level, line in answer.quantiles.items()}
    return replace(answer, mean=put(answer.mean), quantiles=bands)
