"""5,000 hourly series of two years, 48 hours ahead, 9 quantiles, in one call: made-up loads with a day, a week, a year
and noise that wanders. Without holidays and weather, which would be learnt from thoroughly, about a second a series."""

from __future__ import annotations

import resource
import sys

import numpy as np
import pandas as pd

from forecasting.kernel.forecast import Forecast, forecast_many

from .row import Row, at_most, cpu_seconds

WORK = "5,000 hourly series × 2 years, 48 h, 9 quantiles"
SERIES, DAYS, STEPS = 5000, 730, 48
LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
HOUR = pd.Timedelta(hours=1)


def measure() -> list[Row]:
    histories = made_up(SERIES)
    with cpu_seconds() as spent:
        answers = forecast_many(histories, STEPS, step=HOUR, quantiles=LEVELS)
    assert all(isinstance(answer, Forecast) for answer in answers.values())
    # Linux counts kilobytes, macOS bytes; the histories themselves are 0.7 GB of it.
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    return [
        at_most(WORK, "CPU s", 60.0, "", spent(), spent()),
        at_most(WORK, "peak memory of the whole process, GB", 4.0, "", peak_gb),
    ]


def made_up(count: int) -> dict[str, pd.Series]:
    rng = np.random.default_rng(0)
    hours = np.arange(24 * DAYS)
    index = pd.date_range("2024-01-01", periods=len(hours), freq="h", tz="UTC")
    weekend = (hours // 24) % 7 >= 5
    year = 0.1 * np.sin(2 * np.pi * hours / 8766)
    made = {}
    for k in range(count):
        level, swing, rest, phase = rng.uniform([50, 0.1, 0.02, 0], [5000, 0.4, 0.2, 2 * np.pi])
        day = np.sin(2 * np.pi * hours / 24 + phase) + 0.3 * np.sin(4 * np.pi * hours / 24)
        made[str(k)] = pd.Series(
            level * np.exp(swing * day - rest * weekend + year + _wandering(rng, len(hours))), index
        )
    return made


def _wandering(rng: np.random.Generator, steps: int) -> np.ndarray:
    """Noise of deviation 0.05 that forgets half within seven hours: a moving average in place of a slow recursion."""
    return 0.02 * np.convolve(rng.standard_normal(steps + 47), 0.9 ** np.arange(48), mode="valid")
