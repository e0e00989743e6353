"""Makes forecasts: from the history where there is a usable one, else from the published profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from .asking import QUANTILES, Task, answered
from .drivers import NATURAL, Driver, influences, scheduled
from .kernel.answer import Forecast as Answer
from .kernel.calendars import Calendar
from .kernel.fallback import PROFILE
from .models import Forecast, Series
from .steps import calendar_of, covering

FARTHEST_GAP = timedelta(days=14)
"""Beyond this a history says less about today than the published profile does."""
CLIMATE = "climate"
"""The method of rain: its published climate is what is expected, and no fallback."""
UNMEASURED = (PROFILE, CLIMATE)
"""Methods that tell what is usual at that time of the year, not what is coming."""
DIGITS = 6

Histories = Mapping[int, tuple[pd.Series, bool]]
SCHEDULE = "schedule"
"""The method of what people decide."""


@dataclass(frozen=True)
class Asked:
    """What forecasts are wanted: to cover [low, high), from what was known at `known_at`."""

    low: datetime
    high: datetime
    known_at: datetime


def computed(
    series: Sequence[Series], histories: Histories, drivers: Mapping[int, Sequence[Driver]], asked: Asked
) -> dict[int, Forecast]:
    """New forecasts by series id, not stored; series of which nothing is known are left out."""
    made = {row.pk: _announced(row, histories[row.pk], asked) for row in series if row.is_schedule}
    groups: dict[tuple[int, int, bool], list[Series]] = defaultdict(list)
    for row in series:
        if row.pk not in made:
            groups[row.city_id, row.step_minutes, row.profile.get("kind") in NATURAL].append(row)
    for group in groups.values():
        made.update(_of_one_step(group, histories, drivers, asked))
    return made


def is_too_old(last: datetime, start: datetime) -> bool:
    """Whether a history that ends with `last` is too old to forecast from `start` on."""
    return start - last > FARTHEST_GAP


def _announced(series: Series, history: tuple[pd.Series, bool], asked: Asked) -> Forecast:
    values = scheduled(series, history[0], covering(series, asked.low, asked.high))
    line = _plain(values.to_numpy())
    return Forecast(
        series=series,
        known_at=asked.known_at,
        start=values.index[0].to_pydatetime(),
        step_minutes=series.step_minutes,
        mean=line,
        quantiles={str(level): line for level in QUANTILES},
        method=SCHEDULE,
        weights={SCHEDULE: 1.0},
    )


def _of_one_step(
    series: Sequence[Series], histories: Histories, drivers: Mapping[int, Sequence[Driver]], asked: Asked
) -> dict[int, Forecast]:
    """All series belong to one city and have one step, so that the kernel computes them together."""
    starts = covering(series[0], asked.low, asked.high)
    tasks = [_task(row, histories[row.pk], drivers[row.pk], starts) for row in series]
    city, is_natural = series[0].city, series[0].profile.get("kind") in NATURAL
    answers = answered(tasks, starts, Calendar(city.zone) if is_natural else calendar_of(city))
    return {task.series.pk: _row(task, answers[task.name], starts[0], asked) for task in tasks if task.name in answers}


def _task(series: Series, history: tuple[pd.Series, bool], drivers: Sequence[Driver], starts: pd.DatetimeIndex) -> Task:
    values = _usable(series, history[0], starts[0])
    if not series.drivers:
        return Task(series, values, None, history[1])
    said = influences(series, drivers, values, starts)
    return Task(series, said.taken_out(values), said, history[1] or any(driver.is_invented for driver in drivers))


def _usable(series: Series, history: pd.Series, start: pd.Timestamp) -> pd.Series:
    """Nothing instead of a history that ended long ago, so that the profile stands in.

    Nor of rain: a storm last week says nothing of next week, while averages of the days before carry it forward.
    """
    is_rain = series.profile.get("kind") == "rain"
    if is_rain or (len(history) and is_too_old(history.index[-1], start)):
        return history[:0]
    return _joined(series, history) if series.profile.get("kind") == "storage" and len(history) > 1 else history


def _joined(series: Series, history: pd.Series) -> pd.Series:
    """A store's readings joined by straight lines: read four times a month, it would else seem to leap between days."""
    index = pd.DatetimeIndex(history.index).as_unit("s")
    steps = covering(series, index[0], index[-1] + series.step).as_unit("s")
    return pd.Series(np.interp(steps.asi8, index.asi8, history.to_numpy()), index=steps)


def _row(task: Task, answer: Answer, start: pd.Timestamp, asked: Asked) -> Forecast:
    series = task.series
    is_climate = answer.method == PROFILE and series.profile["kind"] == "rain"
    notes = (*answer.notes, *(task.influences.notes if task.influences else ()))
    return Forecast(
        series=series,
        known_at=asked.known_at,
        start=start.to_pydatetime(),
        step_minutes=series.step_minutes,
        mean=_plain(answer.mean),
        quantiles={str(level): _plain(values) for level, values in answer.quantiles.items()},
        method=CLIMATE if is_climate else answer.method,
        weights={CLIMATE: 1.0} if is_climate else answer.weights,
        notes=[] if is_climate else [note.as_dict() for note in notes],
        synthetic=task.synthetic,
    )


def _plain(values: np.ndarray) -> list[float]:
    """Numbers for JSON, no longer than they are meant."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
