"""Bands that learn from the bands before them: adaptive conformal quantiles over a year of daily errors.

Every lead and level has a working level of its own. Each time an error falls below its line the working level is
lowered, else raised, by so much that in the long run the line holds as often as it says, whatever the errors do
(adaptive conformal inference, Gibbs & Candès 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .series import Array

WINDOW = 365
"""Errors, one a day, that the quantiles are read from."""
RATE = 0.02
"""How far one miss moves a working level."""
FEWEST = 90
"""Origins from which a level per lead can be adapted; with fewer, leads must lend each other their errors."""


def known_errors(errors: Array, block: int) -> Array:
    """Errors … × K × H of past origins (latest first), moved so that row k holds the latest one known at origin k.

    Leads of the second day are known a day later than those of the first, and so on; NaN behind the end.
    """
    count, steps = errors.shape[-2:]
    at = np.arange(count)[:, None] + np.arange(steps) // block
    taken = np.take_along_axis(errors, np.broadcast_to(np.minimum(at, count - 1), errors.shape), axis=-2)
    return np.asarray(np.where(at < count, taken, np.nan))


def adaptive_offsets(errors: Array, levels: Sequence[float], asked: int) -> Array:
    """Offsets (levels × S × asked × H) for the `asked` latest origins from S × K × H errors of `known_errors`.

    What is known at origin k are errors[:, k:]; the levels adapt from the oldest origin to the latest.
    """
    nominal = np.array(levels)[:, None, None]
    working = np.broadcast_to(nominal, (len(levels), len(errors), errors.shape[2]))
    offsets = np.empty((len(levels), len(errors), asked, errors.shape[2]))
    for k in range(errors.shape[1] - min(FEWEST, errors.shape[1]), -1, -1):
        window = errors[:, k : k + WINDOW]
        if k < asked:
            offsets[:, :, k] = _read(np.sort(window, axis=1), np.clip(working, 0.001, 0.999))
        if k:
            latest = errors[:, k - 1]
            above = _rank_of(latest, window) > working
            moved = np.where(np.isfinite(latest), nominal - 1 + above, 0.0)
            working = np.clip(working + RATE * moved, 0.0, 1.0)
    return np.sort(offsets, axis=0)


def _rank_of(error: Array, window: Array) -> Array:
    """The level (0 … 1) at which `error` (S × H) would stand among the window S × n × H."""
    count = np.isfinite(window).sum(axis=1)
    return np.asarray(((window < error[:, None]).sum(axis=1) + 1) / (count + 1))


def _read(window: Array, at: Array) -> Array:
    """The (n + 1)·q-th smallest of n sorted errors (S × n × H, NaN last) for levels q (levels × S × H)."""
    count = np.isfinite(window).sum(axis=1)
    rank = np.clip((count + 1) * at - 1, 0, np.maximum(count - 1, 0))
    low = np.floor(rank).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    ordered = np.nan_to_num(window)[None]
    below = np.take_along_axis(ordered, low[:, :, None], axis=2)[:, :, 0]
    above = np.take_along_axis(ordered, high[:, :, None], axis=2)[:, :, 0]
    return np.asarray(below + (rank - low) * (above - below))
