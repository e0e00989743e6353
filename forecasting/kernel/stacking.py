"""Shares of experts that were judged for months: the convex combination whose past errors were smallest together.

Experts that err alike share one place, one that errs otherwise gets a place though it is not the best (stacked
regression, Breiman 1996, with shares that are not negative and sum to 1, a plan's "how much of each").
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from .series import Array

JUDGING = 180
"""Past origins that shares rest on at most."""
FADING = 0.99
"""Each older origin counts so much less."""
SAME_DAY = 3.0
"""Origins whole weeks back count so many times: what is good on a Monday need not be good on a Sunday."""
CAUTION = 0.005
"""Of the mean squared error is added to every expert's own, which draws the shares together where errors are alike."""


def stacked_shares(stack: Array, truth: Array, block: int, rhythm: int, count: int) -> Array:
    """Shares (experts × S × count × H, sum 1 over experts) at the `count` latest origins, the latest first.

    stack   experts × S × (K + 1) × H, forecasts from the latest origin and K past ones
    truth   S × K × H of the past ones, NaN where unknown
    block   steps between origins; leads of one block share their shares
    rhythm  origins after which the same kind of day returns, 1 for none
    """
    experts, series, _, steps = stack.shape
    shares = np.empty((experts, series, count, steps))
    for day in range(-(-steps // block)):
        leads = slice(day * block, min((day + 1) * block, steps))
        for s in range(series):
            products, counts = _products(stack[:, s, 1:, leads], truth[s, :, leads])
            found = _of_day(products, counts, day, rhythm, count)
            shares[:, s, :, leads] = found.T[:, :, None]
    return shares


def _products(expected: Array, truth: Array) -> tuple[Array, Array]:
    """Sums over the leads of the experts' errors times each other, K × experts × experts, and how many were known."""
    known = np.isfinite(truth)
    errors = np.where(known, expected - truth, 0.0)
    return np.einsum("ekh,fkh->kef", errors, errors), known.sum(axis=1)


def _of_day(products: Array, counts: Array, day: int, rhythm: int, count: int) -> Array:
    """Shares count × experts for the leads `day` blocks ahead: origins teach from `day` + 1 blocks back on."""
    experts, ages = products.shape[1], day + 1 + np.arange(max(0, JUDGING - day))
    weights = FADING**ages * np.where(ages % rhythm == 0, SAME_DAY, 1.0)
    lines = products.reshape(len(products), -1)
    means = np.empty((count, experts, experts))
    for origin in range(count):
        rows = slice(origin + day, origin + JUDGING)
        judged = weights[: len(counts[rows])]
        known = max(float(judged @ counts[rows]), 1e-9)
        means[origin] = (judged @ lines[rows]).reshape(experts, experts) / known
    return convex(means)


def convex(products: Array) -> Array:
    """The x with x ≥ 0 and Σ x = 1 for which x·P·x is smallest, for every P (n × experts × experts) of the experts'
    mean products of errors.

    Least squares with one more row that asks for Σ x = 1: its weight only scales the answer.
    """
    count, experts, _ = products.shape
    own = np.trace(products, axis1=1, axis2=2)[:, None, None] / experts
    # Without any error all are as good.
    scaled = np.where(own > 0, products / np.where(own > 0, own, 1.0), 0.0) + CAUTION * np.eye(experts)
    asked = np.ones((count, experts + 1, experts))
    asked[:, :experts] = np.swapaxes(np.linalg.cholesky(scaled), 1, 2)
    sought = np.append(np.zeros(experts), 1.0)
    found = np.array([nnls(one, sought)[0] for one in asked])
    return np.asarray(found / found.sum(axis=1, keepdims=True))
