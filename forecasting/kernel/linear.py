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
    order = np.argsort(ends, kind="stable")
    gram = np.zeros((series, width, width))
    right = np.zeros((series, width, 1))
    grams, rights = np.empty((len(ends), series, width, width)), np.empty((len(ends), series, width, 1))
    done = 0
    for k in order:
        end = int(np.clip(ends[k], 0, rows))
        if end > done:
            part = features[:, done:end]
            weighted = np.swapaxes(part * weights[:, done:end, None], 1, 2)
            gram = gram + weighted @ part
            right = right + weighted @ targets[:, done:end, None]
            done = end
        grams[k], rights[k] = gram, right
    grams += penalty * np.eye(width)
    return np.asarray(np.swapaxes(np.linalg.solve(grams, rights)[..., 0], 0, 1))
