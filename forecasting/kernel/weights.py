"""How much each expert is believed, lead by lead, from its errors at the series' own past origins."""

from __future__ import annotations

import numpy as np

from .series import Array

POWER = 4.0
"""Weights are (mean absolute error) ** -POWER: 1 averages, much more picks the winner."""
FADING = 0.9
"""Each older origin counts so much less: a week of days ago by half. Experts take turns as the weather does."""
LEAST_SHARE = 0.05
"""Smaller shares are dropped: an expert that fails in this series must not blur the others."""


def weights_of(forecasts: Array, truth: Array, reach: int) -> Array:
    """Shares (experts × S × H, sum 1 over experts) from forecasts experts × S × K × H and truth S × K × H.

    Errors of `reach` leads on either side count too, so that shares change smoothly with the lead.
    """
    errors = np.abs(forecasts - truth)
    mean = smoothed(errors, reach, FADING)
    floor = 1e-9 + 1e-3 * mean.mean(axis=0, keepdims=True)
    shares = _normalised(np.maximum(mean, floor) ** -POWER)
    return _normalised(np.where(shares < LEAST_SHARE, 0.0, shares))


def smoothed(errors: Array, reach: int, fading: float = 1.0) -> Array:
    """Means over origins (latest first) and neighbouring leads, … × K × H → … × H.

    NaN is left out; leads that nobody saw take the last one seen.
    """
    known = np.isfinite(errors) * fading ** np.arange(errors.shape[-2])[:, None]
    totals = np.where(known > 0, errors * known, 0.0).sum(axis=-2)
    counts = known.sum(axis=-2)
    totals, counts = _moving_sum(totals, reach), _moving_sum(counts, reach)
    mean = np.divide(totals, counts, out=np.full_like(totals, np.nan), where=counts > 0)
    return _held(mean)


def _moving_sum(values: Array, reach: int) -> Array:
    steps = values.shape[-1]
    # Near the origin errors grow fast from lead to lead: the window opens with the lead.
    reaches = np.minimum(reach, np.arange(steps))
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    at = np.arange(steps)
    return np.asarray(sums[..., np.minimum(at + reaches + 1, steps)] - sums[..., at - reaches])


def _held(mean: Array) -> Array:
    """NaN replaced by the last number before it; all NaN by 1."""
    seen = np.isfinite(mean)
    last = np.maximum.accumulate(np.where(seen, np.arange(mean.shape[-1]), 0), axis=-1)
    return np.asarray(np.nan_to_num(np.take_along_axis(mean, last, axis=-1), nan=1.0))


def _normalised(shares: Array) -> Array:
    return np.asarray(shares / shares.sum(axis=0, keepdims=True))
