"""How good a forecast was. All arrays are one number per step; steps with unknown truth (NaN) are left out."""

from __future__ import annotations

import numpy as np

from .series import Array


def mae(truth: Array, expected: Array) -> float:
    """Mean |y - f|, in the unit of the series."""
    return float(np.nanmean(np.abs(truth - expected)))


def mape(truth: Array, expected: Array) -> float:
    """100 · mean |y - f| / |y|, in per cent; infinite when a true value is 0."""
    with np.errstate(divide="ignore"):
        return float(100 * np.nanmean(np.abs(truth - expected) / np.abs(truth)))


def smape(truth: Array, expected: Array) -> float:
    """200 · mean |y - f| / (|y| + |f|), in per cent, 0 where both are 0 (Makridakis et al. 2020)."""
    size = np.abs(truth) + np.abs(expected)
    return float(200 * np.nanmean(np.abs(truth - expected) / np.where(size == 0, 1.0, size)))


def mase(truth: Array, expected: Array, history: Array, period: int) -> float:
    """MAE over the mean |y(t) - y(t - period)| of the history (Hyndman & Koehler 2006)."""
    return mae(truth, expected) / float(np.nanmean(np.abs(history[period:] - history[:-period])))


def pinball(truth: Array, expected: Array, level: float) -> float:
    """Mean of q·(y - f) above and (1 - q)·(f - y) below the forecast f of quantile q."""
    miss = truth - expected
    return float(np.nanmean(np.maximum(level * miss, (level - 1) * miss)))


def coverage(truth: Array, low: Array, high: Array) -> float:
    """The share of true values within [low, high]."""
    known = np.isfinite(truth)
    return float(np.mean((truth[known] >= low[known]) & (truth[known] <= high[known])))
