"""Damped exponential smoothing from statsmodels, for series of daily and longer steps.

Its parameters are estimated once, on what lies before the earliest origin; the states at every later origin follow
from one pass of the filter. A fit for each origin would cost a hundred times more and change little.
"""

from __future__ import annotations

import warnings

import numpy as np

from .panel import Panel
from .series import Array


def exponential_smoothing(panel: Panel) -> Array:
    """S × (K + 1) × H by the additive damped Holt-Winters method (Gardner & McKenzie 1985)."""
    return np.stack([_one(panel, s) for s in range(len(panel.values))])


def _one(panel: Panel, s: int) -> Array:
    begin = int(panel.begin[s])
    values = panel.values[s, begin:]
    origins = panel.origins - begin
    season = panel.plan.day if panel.plan.cycle else 0
    fitted = _states(values, int(origins.min()), season)
    if fitted is None:
        return np.repeat(values[origins - 1][:, None], panel.steps, axis=1)
    level, trend, seasons, damping = fitted
    ahead = np.cumsum(damping ** np.arange(1, panel.steps + 1))
    expected = level[origins - 1][:, None] + trend[origins - 1][:, None] * ahead
    if season:
        expected = expected + seasons[origins[:, None] - season + np.arange(panel.steps) % season]
    return np.asarray(expected)


def _states(values: Array, training: int, season: int) -> tuple[Array, Array, Array, float] | None:
    """Level, trend and season after every step, and the damping; None when the estimation fails."""
    # Here, not above: the import takes a second or two, and most cities have no series of daily steps.
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    shape = {"trend": "add", "damped_trend": True, "seasonal": "add" if season else None}
    if season:
        shape["seasonal_periods"] = season
    try:
        with warnings.catch_warnings():
            # A failed search for parameters is judged by its errors like any other expert.
            warnings.simplefilter("ignore")
            first = ExponentialSmoothing(values[:training], initialization_method="estimated", **shape).fit()
            found = first.params
            start = {"initial_level": found["initial_level"], "initial_trend": found["initial_trend"]}
            rates = {
                "smoothing_level": found["smoothing_level"],
                "smoothing_trend": found["smoothing_trend"],
                "damping_trend": found["damping_trend"],
            }
            if season:
                start["initial_seasonal"] = found["initial_seasons"]
                rates["smoothing_seasonal"] = found["smoothing_seasonal"]
            whole = ExponentialSmoothing(values, initialization_method="known", **shape, **start)
            states = whole.fit(optimized=False, **rates)
    except (ValueError, np.linalg.LinAlgError):
        return None
    seasons = np.asarray(states.season) if season else np.zeros(len(values))
    return np.asarray(states.level), np.asarray(states.trend), seasons, float(found["damping_trend"])
