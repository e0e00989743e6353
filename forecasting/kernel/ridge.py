"""The calendar expert: one ridge regression per block ahead (a day of hours, or one long step) on lags and calendar.

Rows are the past origins at the same time of day as the real one, so that the lead and the hour of the day stay tied
together and no row sees more than the forecast will.
"""

from __future__ import annotations

import numpy as np

from .calendars import FAR_FROM_LNY
from .linear import expanding_ridge
from .panel import Panel
from .regressors import stand_ins
from .series import Array

PENALTY = 3.0
HARMONICS = 6
LNY_EDGES = (-6, -2, 0, 3, 5, 8, 15)
"""Days from Lunar New Year that behave alike: run-up, eve, the feast, and the slow way back."""


def ridge(panel: Panel, asking: Panel | None = None) -> Array:
    """S × (K + 1) × H: linear in features known at the origin, fitted anew for every origin.

    asking  the panel that the forecasts are made with, where it is not the one learnt from
    """
    block, steps = panel.plan.block, panel.steps
    groups = -(-steps // block)
    ahead = [_one_block(panel, asking or panel, group) for group in range(groups)]
    return np.concatenate(ahead, axis=2)[:, :, :steps]


def _one_block(panel: Panel, asking: Panel, group: int) -> Array:
    """The forecasts for leads group·block … (group + 1)·block - 1."""
    block, origins = panel.plan.block, panel.plan.origins
    width = min(block, panel.steps - group * block)
    rows = _row_origins(panel, group)
    features, level = _features(panel, group, rows, width)
    targets, usable = _targets(panel, group, rows, width)
    series, count = features.shape[0], len(rows)
    # Rows are in order of time and end with the origins K … 0; a row may teach only when its last target has come.
    ends = (count - 1 - np.arange(origins + 1) - group) * width
    coefficients = expanding_ridge(
        features.reshape(series, count * width, -1),
        (targets - level).reshape(series, -1),
        usable.reshape(series, -1).astype(float),
        ends,
        PENALTY,
    )
    told = features if asking is panel else _features(asking, group, rows, width)[0]
    asked = told[:, count - 1 - np.arange(origins + 1)]
    expected = np.einsum("skbp,skp->skb", asked, coefficients)
    return np.asarray(expected + level[:, count - 1 - np.arange(origins + 1)])


def _row_origins(panel: Panel, group: int) -> Array:
    """Columns of the past origins, oldest first, whose features exist for the longest series."""
    block = panel.plan.block
    most = (panel.length - _reach(panel, group)) // block
    return panel.origins_back(max(most, panel.plan.origins))[::-1]


def _reach(panel: Panel, group: int) -> int:
    """Steps of history that features look back on from the origin."""
    return max([2 * _window(panel), *(lag - group * panel.plan.block for lag in _target_lags(panel, group))])


def _window(panel: Panel) -> int:
    """Steps of the mean that is the level: a week when there are several, else a day or a few steps."""
    plan = panel.plan
    if plan.block == 1:
        return plan.day if plan.cycle else min(4, max(1, panel.shortest // 4))
    return 7 * plan.block if plan.week else plan.block


def _target_lags(panel: Panel, group: int) -> list[int]:
    """Lags of the target that lie before the origin for every lead of the block."""
    plan = panel.plan
    lags = []
    if plan.block > 1:
        lags += [(group + 1) * plan.block, (group + 2) * plan.block]
    elif plan.cycle:
        lags += [plan.day * (group // plan.day + 1)]
    if plan.week:
        weeks = -(-(group + 1) * plan.block // plan.week)
        lags += [week * plan.week for week in (weeks, weeks + 1) if week * plan.week <= panel.shortest // 2]
    return [lag for lag in lags if lag - group * plan.block <= panel.shortest]


def _targets(panel: Panel, group: int, rows: Array, width: int) -> tuple[Array, Array]:
    """Values and whether they may teach, S × rows × width; False for what has not come or rests on padding."""
    at = rows[:, None] + group * panel.plan.block + np.arange(width)
    come = at < panel.length
    at = np.minimum(at, panel.length - 1)
    complete = rows[None, :, None] - _reach(panel, group) >= panel.begin[:, None, None]
    return panel.values[:, at], panel.observed[:, at] & come & complete


def _features(panel: Panel, group: int, rows: Array, width: int) -> tuple[Array, Array]:
    """Features S × rows × width × p and the level they are relative to, S × rows × 1."""
    at = rows[:, None] + group * panel.plan.block + np.arange(width)
    level = _mean_before(panel, rows, _window(panel))
    lagged = [panel.values[:, np.clip(at - lag, 0, None)] - level for lag in _target_lags(panel, group)]
    columns = [*lagged, *_state(panel, group, rows, level, width), *_calendar(panel, at)]
    if lagged:
        columns.append(_with_day(panel, at, lagged[0], _target_lags(panel, group)[0]))
    if panel.regressors.shape[2]:
        columns += _regressors(panel, rows, at, panel.plan.block * (group + 1))
    # Filled column by column: numpy's own stacking would choose an order in memory that has to be copied later.
    features = np.empty((len(panel.values), *at.shape, len(columns)))
    for p, column in enumerate(columns):
        features[..., p] = column
    return features, level


def _mean_before(panel: Panel, rows: Array, window: int) -> Array:
    """The mean of the `window` steps before each row's origin, S × rows × 1."""
    sums = np.pad(np.cumsum(panel.values, axis=1), ((0, 0), (1, 0)))
    begin = np.clip(rows - window, 0, None)
    return np.asarray((sums[:, rows] - sums[:, begin]) / (rows - begin))[:, :, None]


def _state(panel: Panel, group: int, rows: Array, level: Array, width: int) -> list[Array]:
    """Where the series stands at the origin: level, its drift, the last steps; the last ones fade with the lead."""
    block, window = panel.plan.block, _window(panel)
    before = _mean_before(panel, np.clip(rows - window, 1, None), window)
    recent = _mean_before(panel, rows, max(1, block if block > 1 else 2)) - level
    last = panel.values[:, rows - 1][:, :, None] - level
    step = (panel.values[:, rows - 1] - panel.values[:, np.clip(rows - 2, 0, None)])[:, :, None]
    usual = panel.values[:, np.clip(rows - 1 - block, 0, None)][:, :, None] - level if block > 1 else 0 * last
    lead = np.arange(width) + 1.0
    states = [level, level - before, recent]
    if group == 0 or block == 1:
        fading = [np.exp(-8 * lead / block), np.exp(-2 * lead / block)] if block > 1 else [np.ones(width)]
        states += [(last - usual) * fade for fade in fading] + [step * fading[0]]
    else:
        states += [last - usual]
    return [np.broadcast_to(state, (*level.shape[:2], width)) for state in states]


def _calendar(panel: Panel, at: Array) -> list[Array]:
    """Columns rows × width: constant, time of day (on working days and days off), day of the week, Lunar New Year."""
    days = panel.days
    columns = [np.ones(at.shape)]
    weekday = days.weekday[at]
    if panel.plan.block > 1 and days.clock is not None:
        angle = 2 * np.pi * days.clock[at]
        waves = [
            wave(k * angle) for k in range(1, min(HARMONICS, panel.plan.block // 2) + 1) for wave in (np.sin, np.cos)
        ]
        columns += waves + [wave * (weekday >= 5) for wave in waves]
    if panel.plan.week or (panel.plan.block == 1 and panel.plan.cycle):
        columns += [(weekday == day).astype(float) for day in range(7)]
    lny = days.lny
    if (lny != FAR_FROM_LNY).any():
        columns += [
            ((lny[at] >= a) & (lny[at] < b)).astype(float) for a, b in zip(LNY_EDGES, LNY_EDGES[1:], strict=False)
        ]
    return columns


def _with_day(panel: Panel, at: Array, lagged: Array, lag: int) -> Array:
    """The lagged value once more, where its day is of another kind than the target's: Sunday says little of Monday."""
    off = panel.days.weekday >= 5
    other = off[at] != off[np.clip(at - lag, 0, None)]
    return np.asarray(lagged * other)


def _regressors(panel: Panel, rows: Array, at: Array, lag: int) -> list[Array]:
    """Each regressor, its square (people cool and heat) and its change since the lagged step."""
    asked = (at, at - lag)
    now, before = (panel.regressors[:, np.clip(steps, 0, None)] for steps in asked)
    for s, r in np.ndindex(now.shape[0], now.shape[3]):
        if (reach := panel.reach(s, r)) is not None:
            for found, steps in zip((now, before), asked, strict=True):
                known = np.clip(stand_ins(steps, rows, reach, panel.plan.block), 0, None)
                found[s, :, :, r] = panel.regressors[s, known, r]
    return [*np.moveaxis(now, 3, 0), *np.moveaxis(now**2, 3, 0), *np.moveaxis(now - before, 3, 0)]
