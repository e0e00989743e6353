"""What a day's value may depend on, as columns: the kind of day, the season, the weather and the series' own past.

One series at a time: values and regressors are lines of T (+ H) steps. `rows` are origins (columns of the first step
ahead), `at` the steps asked for, rows × width; every column comes as rows × width.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .calendars import FAR_FROM_LNY, LNY_AFTER, LNY_BEFORE
from .panel import Days, Panel
from .regressors import stand_ins
from .series import Array

KNOTS = (-0.7, 0.0, 0.7, 1.4)
"""Where the effect of a regressor may bend, in its standard deviations: people heat, and cool."""
KNOTS_OF_MEANS = (-0.7, 0.3, 1.3)
MEMORY_DAYS = 7
MEANS_OF_DAY = (0.25, 1.0, 3.0, float(MEMORY_DAYS))
"""Days of weather that a building remembers."""
HOURS_BEFORE = (1, 2, 3, 6)
YEAR_ENDS = ((0.973, 0.012), (0.973, 0.033))
"""Shares of the year between which many are on holiday: 22 December to 5 January, and to 12 January."""
LAST_STEPS = (1, 2, 4)
"""Steps before the origin that tell where the series stands, counted in hours or, for longer steps, in steps."""
LAST_DAYS = 7


def farthest(panel: Panel, group: int) -> int:
    """Steps of history that the columns look back on from an origin."""
    return max(_lags(panel, group)[-1] - group * panel.plan.block, 7 * panel.plan.block)


def columns_of(panel: Panel, s: int, group: int, rows: Array, at: Array) -> Array:
    """Everything known at the origins about the steps asked for, rows × width × p."""
    parts = [
        *_kind_of_day(panel.days, at, panel.plan.block),
        *_own_past(panel, s, group, rows, at),
        *_neighbours(panel, s, group, at),
    ]
    off = panel.days.weekday[at] >= 5
    for r in range(panel.regressors.shape[2]):
        parts += _weather(panel.plan.block, _lags(panel, group)[0], off, *_as_known(panel, s, r, group, rows, at))
    return np.stack([np.broadcast_to(part, at.shape) for part in parts], axis=2)


def _kind_of_day(days: Days, at: Array, block: int) -> Iterator[Array]:
    weekday, lny = days.weekday[at], days.lny[at]
    yield np.ones(at.shape)
    for day in range(7):
        yield weekday == day
    if days.holiday is not None:
        off = days.holiday
        before, after = off[np.clip(at - block, 0, None)], off[np.minimum(at + block, len(off) - 1)]
        yield from (off[at], before & ~off[at], after & ~off[at])
    if days.year is not None:
        share = days.year[at]
        for k in (1, 2):
            yield from (np.sin(2 * np.pi * k * share), np.cos(2 * np.pi * k * share))
        for begin, end in YEAR_ENDS:
            yield (share >= begin) | (share < end)
    if (days.lny != FAR_FROM_LNY).any():
        for offset in range(-LNY_BEFORE, LNY_AFTER + 1):
            yield lny == offset


def _lags(panel: Panel, group: int) -> list[int]:
    """Lags whole days and weeks before the steps asked for, all before the origin, ascending."""
    block = panel.plan.block
    week = panel.plan.week or 7 * block
    weeks = -(-(group + 1) * block // week)
    near = [(group + k) * block for k in (range(1, 3) if block > 1 else range(1, LAST_DAYS + 1))]
    return sorted({*near, weeks * week, (weeks + 1) * week})


def _own_past(panel: Panel, s: int, group: int, rows: Array, at: Array) -> Iterator[Array]:
    values, block = panel.values[s], panel.plan.block
    for lag in _lags(panel, group):
        yield values[np.clip(at - lag, 0, None)]
    if block > 1:
        unit = max(1, block // 24)
        for k in LAST_STEPS:
            yield values[np.clip(rows - k * unit, 0, None)][:, None]
    for begin, end in ((0, 1), (1, 2), (0, 7)) if block > 1 else ((0, 7), (0, 28)):
        yield means(values, rows - begin * block, (end - begin) * block)[:, None]


def _neighbours(panel: Panel, s: int, group: int, at: Array) -> Iterator[Array]:
    """What kind of day the lagged days were: a Sunday says little of a Monday."""
    values, days, block = panel.values[s], panel.days, panel.plan.block
    off = days.weekday >= 5
    lags = _lags(panel, group)
    then = np.clip(at - lags[0], 0, None)
    yield off[then]
    yield values[then] * (off[then] != off[at])
    if days.holiday is not None:
        weeks = [lag for lag in lags if lag % (panel.plan.week or 7 * block) == 0]
        yield days.holiday[np.clip(at - weeks[0], 0, None)]


def _as_known(panel: Panel, s: int, r: int, group: int, rows: Array, at: Array) -> tuple[Array, Array, Array]:
    """The line of a regressor, and where on it the origins and the steps asked for are. One that is not known ahead
    becomes a row of stretches, one as it was known at every origin."""
    line, reach, block = panel.regressors[s, :, r], panel.reach(s, r), panel.plan.block
    if reach is None:
        return line, rows, at
    back, ahead = (MEMORY_DAYS + 1) * block, (group + 1) * block
    steps = rows[:, None] + np.arange(-back, ahead)
    stretches = line[np.clip(stand_ins(steps, rows, reach, block), 0, None)]
    origins = np.arange(len(rows)) * (back + ahead) + back
    return stretches.reshape(-1), origins, origins[:, None] + at - rows[:, None]


def _weather(block: int, lag: int, off: Array, line: Array, rows: Array, at: Array) -> Iterator[Array]:
    """The regressor now, over the last hours and days, on days off, and when the lagged values were measured."""
    yield from _bent(line[at], KNOTS)
    spans = sorted({max(2, round(days * block)) for days in MEANS_OF_DAY})
    for span in spans:
        yield from _bent(means(line, at + 1, span), KNOTS_OF_MEANS)
    for hours in HOURS_BEFORE if block > 1 else (1,):
        yield line[np.clip(at - hours * max(1, block // 24), 0, None)]
    yield off * line[at]
    yield off * np.maximum(line[at] - KNOTS[2], 0)
    yield from _bent(line[np.clip(at - lag, 0, None)], KNOTS_OF_MEANS)
    week = line[np.clip(at - MEMORY_DAYS * block, 0, None)]
    yield from (week, np.maximum(week - KNOTS_OF_MEANS[-1], 0), line[rows - 1][:, None])


def _bent(x: Array, knots: tuple[float, ...]) -> Iterator[Array]:
    """x and what of it lies above every knot: a line that may bend there."""
    yield x
    for knot in knots:
        yield np.maximum(x - knot, 0)


def means(line: Array, ends: Array, count: int) -> Array:
    """Means of the `count` steps before every end, of fewer where the line begins later."""
    sums = np.concatenate([[0.0], np.cumsum(line)])
    ends = np.clip(ends, 1, len(line))
    begin = np.clip(ends - count, 0, None)
    return np.asarray((sums[ends] - sums[begin]) / (ends - begin))
