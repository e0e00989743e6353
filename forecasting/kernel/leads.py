"""The thorough expert: one ridge regression per lead on everything known, over years, and a second on its own errors.

For series that weather or holidays explain and that are long enough to show it. Every lead of the day has coefficients
of its own, since warmth at 16 h is not warmth at 4 h. The first regression learns what a day is like; what it
misses for days on end (a school holiday, a plant that stands still) the second one reads off its latest errors.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dposv

from .influences import columns_of, farthest
from .linear import expanding_ridge
from .panel import Panel
from .series import Array

CAUTION = 25.0
"""The penalty, in squares of the mean error so far: the more noise, the less a coefficient is believed."""
FIRST_ERROR = 0.1
"""What the mean error is taken for, in standard deviations of the series, before there is any."""
WILD = 2.5
"""Beyond so many mean errors a day counts in proportion less: a burst main is not how the day is."""
MEMORY_DAYS = 365.0
"""A row of so many days ago counts half."""
REFIT_DAYS = 7
"""Past origins that only judge are refitted weekly; those that are asked for, every time."""
FIRST_ROWS = 60
"""Days before the first forecast."""
ERROR_PENALTY = 10.0


def ridge_by_lead(panel: Panel) -> Array:
    """S × (K + 1) × H."""
    block, steps = panel.plan.block, panel.steps
    return np.stack(
        [
            np.concatenate([_of_block(panel, s, group) for group in range(-(-steps // block))], axis=1)[:, :steps]
            for s in range(len(panel.values))
        ]
    )


def _of_block(panel: Panel, s: int, group: int) -> Array:
    """(K + 1) × width: the leads of one day ahead, from all origins."""
    plan = panel.plan
    width = min(plan.block, panel.steps - group * plan.block)
    count = (panel.length - int(panel.begin[s]) - farthest(panel, group)) // plan.block - 1
    rows = panel.origins_back(max(count, plan.origins))[::-1]
    at = rows[:, None] + group * plan.block + np.arange(width)
    features = columns_of(panel, s, group, rows, at)
    come = at < panel.length
    known = np.where(come, np.minimum(at, panel.length - 1), 0)
    targets = panel.values[s, known]
    teaches = (come & panel.observed[s, known]).astype(float)
    first = _first_stage(features, targets, teaches, group, plan.asked)
    # What the first days were forecast before anything was learnt is no error to learn from.
    seen = (np.arange(len(rows)) >= FIRST_ROWS + group + REFIT_DAYS)[:, None]
    errors = np.where(seen & (teaches > 0), targets - first, 0.0)
    second = _second_stage(errors, teaches * seen, group, plan.origins)
    return np.asarray((first[::-1][: plan.origins + 1]) + second)


def _first_stage(features: Array, targets: Array, teaches: Array, group: int, asked: int) -> Array:
    """Forecasts rows × width, each from coefficients of rows whose day was over by then."""
    rows, width, p = features.shape
    keep = 0.5 ** (1 / MEMORY_DAYS)
    gram, right = np.zeros((width, p, p)), np.zeros((width, p, 1))
    misses = Misses(width, FIRST_ROWS + group + REFIT_DAYS)
    by_lead = np.ascontiguousarray(features.transpose(1, 0, 2))
    answers, done = np.zeros((rows, width)), 0
    for row in _refits(rows, group, asked):
        end = row - group
        believed = misses.believed(targets[done:end] - answers[done:end], teaches[done:end], done)
        weight = (teaches[done:end] * believed).T * keep ** np.arange(end - done - 1, -1, -1)
        root, fade = np.sqrt(weight)[:, :, None], keep ** (end - done)
        part = root * by_lead[:, done:end]
        right = right * fade + np.swapaxes(part, 1, 2) @ (root * targets[done:end].T[:, :, None])
        _add_products(gram, part, fade)
        found = _solved(gram, CAUTION * misses.mean**2, right)
        # Rows behind this one use the same coefficients until the next refit replaces them.
        answers[row : row + REFIT_DAYS] = (by_lead[:, row : row + REFIT_DAYS] @ found)[:, :, 0].T
        done = end
    return answers


def _add_products(gram: Array, part: Array, fade: float) -> None:
    """gram · fade + partᵀ part for every lead, in the lower triangles alone: half the work, and in place."""
    for products, rows in zip(gram, part, strict=True):
        # BLAS counts columns first: its upper triangle is the lower one here.
        dsyrk(1.0, rows.T, beta=fade, c=products.T, overwrite_c=1)


def _solved(gram: Array, penalties: Array, right: Array) -> Array:
    """(gram + penalty)⁻¹ right for every lead, from lower triangles."""
    found, diagonal = np.empty_like(right), np.arange(gram.shape[1])
    left = gram.copy()
    left[:, diagonal, diagonal] += penalties[:, None]
    for k, matrix in enumerate(left):
        _, found[k], failed = dposv(matrix.T, right[k], overwrite_a=1)
        if failed:  # A series without noise has next to no penalty, and rounding may leave its matrix indefinite.
            lower = np.tril(gram[k], -1)
            found[k] = np.linalg.solve(lower + lower.T + np.diag(np.diag(gram[k]) + penalties[k]), right[k])
    return found


class Misses:
    """What every lead was wrong by so far, among the forecasts of rows from `first` on whose day is over."""

    def __init__(self, width: int, first: int) -> None:
        self.first = first
        self.total, self.count = np.full(width, FIRST_ERROR), np.ones(width)

    @property
    def mean(self) -> Array:
        return self.total / self.count

    def believed(self, errors: Array, teaches: Array, row: int) -> Array:
        """How much the rows from `row` on count, 0 to 1, by their errors rows × width, which are noted for later."""
        forecast = (row + np.arange(len(errors)) >= self.first)[:, None] & (teaches > 0)
        sizes = np.where(forecast, np.abs(errors), 0.0)
        shares = np.minimum(1.0, WILD * self.mean / np.maximum(sizes, 1e-12))
        self.total, self.count = self.total + sizes.sum(axis=0), self.count + forecast.sum(axis=0)
        return np.asarray(shares)


def _refits(rows: int, group: int, asked: int) -> list[int]:
    """Rows at which the coefficients are computed anew, oldest first; the last row is the real origin."""
    last = rows - 1
    weekly = range(last, FIRST_ROWS + group - 1, -REFIT_DAYS)
    daily = range(max(last - asked + 1, FIRST_ROWS + group), last + 1)
    return sorted({*weekly, *daily})


def _second_stage(errors: Array, teaches: Array, group: int, origins: int) -> Array:
    """What the errors of the last days say about the next, (K + 1) × width, the latest origin first."""
    rows, width = errors.shape
    columns = np.stack([np.broadcast_to(one, errors.shape) for one in _latest_errors(errors, group)], axis=2)
    asked = rows - 1 - np.arange(origins + 1)
    found = expanding_ridge(
        np.swapaxes(columns, 0, 1), errors.T, teaches.T, np.maximum(asked - group, 0), ERROR_PENALTY
    )
    return np.asarray(np.einsum("rhp,hrp->rh", columns[asked], found))


def _latest_errors(errors: Array, group: int) -> list[Array]:
    """Errors of the last day known at every row, and their means over a week, four weeks and four such weekdays."""
    rows = np.arange(len(errors))
    latest = rows - group  # Of this block ahead, the row whose day ended with the origin is group + 1 back.
    sums = np.pad(np.cumsum(errors, axis=0), ((1, 0), (0, 0)))
    week, month = ((sums[np.clip(latest, 0, None)] - sums[np.clip(latest - span, 0, None)]) / span for span in (7, 28))
    last = errors[np.clip(latest - 1, 0, None)]
    weeks = -(-(group + 1) // 7)
    weekday = np.mean([errors[np.clip(rows - 7 * (weeks + k), 0, None)] for k in range(4)], axis=0)
    evening = max(1, errors.shape[1] // 4)
    of_day = [line.mean(axis=1)[:, None] for line in (week, last, last[:, -evening:])]
    return [np.ones_like(errors), last, week, month, weekday, *of_day, last[:, -1:]]
