"""Quantiles from what the combined forecast got wrong at past origins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .series import Array
from .weights import smoothed

ENOUGH = 120
"""Errors from which a 5 % quantile is worth reading: six lie beyond it."""
OPTIMISM = 1.5
"""Bands are widened by 1 + OPTIMISM / origins: the shares were chosen on the very errors that the band is read from."""

BELIEVED_BIAS = 0.5
"""Share of the past median error by which the whole band is moved: the bias of a month is half weather, half habit."""


def error_quantiles(errors: Array, levels: Sequence[float], block: int) -> Array:
    """Offsets to the forecast (levels × S × H) from out-of-sample errors S × K × H; NaN where truth is not known.

    Errors are put on a common scale per lead (their mean size there), pooled over neighbouring leads until there
    are enough, and scaled back. Offsets never cross.
    """
    scale = np.maximum(smoothed(np.abs(errors), max(1, block // 8)), 1e-12)
    pooled, centres = _pooled(errors / scale[:, None], block)
    middle = _quantiles(pooled, [0.5])
    wider = 1 + OPTIMISM / errors.shape[1]
    at_centres = wider * (_quantiles(pooled, levels) - middle) + BELIEVED_BIAS * middle
    steps = np.arange(errors.shape[2])
    offsets = _between(at_centres, centres, steps) * scale
    return np.sort(offsets, axis=0)


def _between(values: Array, centres: Array, steps: Array) -> Array:
    """Values at the centres, … × bins, on straight lines between them at all steps, flat beyond the ends."""
    at = np.interp(steps, centres, np.arange(len(centres)))
    low = at.astype(int)
    high = np.minimum(low + 1, len(centres) - 1)
    return np.asarray(values[..., low] + (at - low) * (values[..., high] - values[..., low]))


def _pooled(relative: Array, block: int) -> tuple[Array, Array]:
    """Errors of neighbouring leads in one bin: S × bins × (K · width), NaN for none, and the bins' middle leads."""
    series, origins, steps = relative.shape
    width = int(np.clip(-(-ENOUGH // origins), max(1, block // 4), max(block, 7)))
    bins = -(-steps // width)
    padded = np.pad(relative, ((0, 0), (0, 0), (0, bins * width - steps)), constant_values=np.nan)
    grouped = padded.reshape(series, origins, bins, width).transpose(0, 2, 1, 3).reshape(series, bins, -1)
    return _filled_forward(grouped), np.arange(bins) * width + (width - 1) / 2


def _filled_forward(grouped: Array) -> Array:
    """Bins that saw too little take the errors of the last bin that saw enough: far leads of a short history."""
    counts = np.isfinite(grouped).sum(axis=2)
    enough = counts >= np.minimum(ENOUGH / 3, counts[:, :1])
    last = np.maximum.accumulate(np.where(enough, np.arange(grouped.shape[1]), 0), axis=1)
    return np.take_along_axis(grouped, last[:, :, None], axis=1)


def _quantiles(samples: Array, levels: Sequence[float]) -> Array:
    """levels × …: the (n + 1)·q-th smallest of the n finite samples on the last axis, 0 when there are none.

    With n + 1 in place of n a new error falls below the level as often as the level says, even for few samples.
    """
    ordered = np.sort(samples, axis=-1)
    count = np.isfinite(samples).sum(axis=-1)
    found = []
    for level in levels:
        rank = np.clip((count + 1) * level - 1, 0, np.maximum(count - 1, 0))
        low = np.floor(rank).astype(int)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        below = np.take_along_axis(ordered, low[..., None], axis=-1)[..., 0]
        above = np.take_along_axis(ordered, high[..., None], axis=-1)[..., 0]
        found.append(np.where(count > 0, below + (rank - low) * (above - below), 0.0))
    return np.array(found)
