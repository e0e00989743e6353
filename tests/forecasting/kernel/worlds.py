"""Series small enough to know what their forecast must be."""

from __future__ import annotations

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(hours=1)
MONDAY = pd.Timestamp("2026-06-01T00:00Z")


def hourly(values: np.ndarray, start: pd.Timestamp = MONDAY) -> pd.Series:
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="h"))


def daily_wave(days: int) -> np.ndarray:
    """100 at midnight, 120 at 6, 80 at 18, the same every day."""
    return 100 + 20 * np.sin(2 * np.pi * np.arange(24 * days) / 24)


def noisy_wave(days: int, seed: int, spread: float = 3.0) -> np.ndarray:
    """The daily wave with independent normal noise of the given standard deviation."""
    return daily_wave(days) + spread * np.random.default_rng(seed).standard_normal(24 * days)
