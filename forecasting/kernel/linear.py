"""Ridge regressions that grow with time: one solution per origin from one pass over the rows."""

from __future__ import annotations

import numpy as np

from .series import Array


def expanding_ridge(features: Array, targets: Array, weights: Array, ends: Array, penalty: float) -> Array:
    """Coefficients (S × origins × p) of the rows before ends[k], for every origin k.

    Minimises Σ w (y - x·b)² + penalty·|b|² over features S × N × p, targets and weights S × N, rows in order of
    time. `ends` may be in any order; an origin without rows gets zeros.
    """
    series, rows, width = features.shape
    gram = np.tile(penalty * np.eye(width), (series, 1, 1))
    right = np.zeros((series, width, 1))
    coefficients = np.empty((series, len(ends), width))
    done = 0
    # Solved as they come: the matrices of all origins together would not fit the processor's cache.
    for k in np.argsort(ends, kind="stable"):
        end = int(np.clip(ends[k], 0, rows))
        if end > done:
            part = features[:, done:end]
            weighted = np.swapaxes(part * weights[:, done:end, None], 1, 2)
            gram += weighted @ part
            right += weighted @ targets[:, done:end, None]
            done = end
        coefficients[:, k] = np.linalg.solve(gram, right)[..., 0]
    return coefficients
