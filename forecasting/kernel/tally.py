"""How a forecast compares with the truth and with the plainest forecast there is, by how far ahead it looked.

docs/scores.md defines every figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from . import scores

BAND_50, BAND_90 = ("0.25", "0.75"), ("0.05", "0.95")
DAY = pd.Timedelta(days=1)

Array = np.ndarray


@dataclass(frozen=True)
class Told:
    """A forecast as it was told at `known_at`: one mean, and one number per quantile ("0.05", …), for every step."""

    times: pd.DatetimeIndex
    step: timedelta
    known_at: datetime
    mean: Sequence[float]
    quantiles: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Tally:
    """Sums over steps, so that tallies add up; the properties are the means that people read (None for no step).

    wanted, count    steps expected, and those of them whose truth is known
    compared         |error| over the steps for which there is a seasonal naive forecast, and `naive` the error of that
    """

    wanted: int = 0
    count: int = 0
    absolute: float = 0.0
    signed: float = 0.0
    pinballs: float = 0.0
    inside_50: float = 0.0
    inside_90: float = 0.0
    compared: float = 0.0
    naive: float = 0.0
    naive_count: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def _mean(self, total: float) -> float | None:
        return total / self.count if self.count else None

    @property
    def mae(self) -> float | None:
        return self._mean(self.absolute)

    @property
    def bias(self) -> float | None:
        """Above 0: more was expected than came."""
        return self._mean(self.signed)

    @property
    def pinball(self) -> float | None:
        return self._mean(self.pinballs)

    @property
    def covered_50(self) -> float | None:
        return self._mean(self.inside_50)

    @property
    def covered_90(self) -> float | None:
        return self._mean(self.inside_90)

    @property
    def naive_mae(self) -> float | None:
        return self.naive / self.naive_count if self.naive_count else None

    @property
    def skill(self) -> float | None:
        """1 - MAE / MAE of the seasonal naive forecast: 1 is perfect, below 0 is worse than repeating the past."""
        return 1 - self.compared / self.naive if self.naive > 0 else None

    def figures(self) -> dict[str, float | None]:
        """For rows and JSON."""
        names = ("mae", "bias", "pinball", "covered_50", "covered_90", "naive_mae")
        return {"wanted": self.wanted, "count": self.count, **{name: getattr(self, name) for name in names}}


def tally(forecast: Told, span: tuple[timedelta, timedelta], truth: pd.Series, history: pd.Series) -> Tally:
    """Compares the forecast's steps of one group of leads with the truth.

    span      leads above the first and up to the second
    truth     measured values by the start of their step (UTC)
    history   what was known when the forecast was made; the seasonal naive forecast is made from it
    """
    here = steps_of(forecast, span)
    wanted = forecast.times[here]
    measured = truth.reindex(wanted).to_numpy(dtype=float)
    naive = seasonal_naive(history, forecast.times, pd.Timedelta(forecast.step))[here]
    known = np.isfinite(measured)
    count = int(known.sum())
    if not count:
        return Tally(wanted=len(wanted))
    y, mean = measured[known], np.asarray(forecast.mean)[here][known]
    lines = {level: np.asarray(line)[here][known] for level, line in forecast.quantiles.items()}
    error = scores.mae(y, mean)
    has_naive = bool(np.isfinite(naive).all())
    return Tally(
        wanted=len(wanted),
        count=count,
        absolute=count * error,
        signed=float(np.sum(mean - y)),
        pinballs=count * float(np.mean([scores.pinball(y, line, float(level)) for level, line in lines.items()])),
        inside_50=count * scores.coverage(y, lines[BAND_50[0]], lines[BAND_50[1]]),
        inside_90=count * scores.coverage(y, lines[BAND_90[0]], lines[BAND_90[1]]),
        compared=count * error if has_naive else 0.0,
        naive=count * scores.mae(y, naive[known]) if has_naive else 0.0,
        naive_count=count if has_naive else 0,
    )


def steps_of(forecast: Told, span: tuple[timedelta, timedelta]) -> Array:
    """Marks the steps whose end lies as far ahead of what was known as the span says."""
    low, high = (end / timedelta(hours=1) for end in span)
    ahead = (forecast.times - pd.Timestamp(forecast.known_at) + forecast.step) / pd.Timedelta(hours=1)
    return np.asarray((ahead > low) & (ahead <= high))


def seasonal_naive(history: pd.Series, times: pd.DatetimeIndex, step: pd.Timedelta) -> Array:
    """y(t) = y(t - p·c) with the smallest c that lies before the first step; NaN without any history.

    p is a day or a week (a step or seven of them for steps of a day and longer): the one that would have erred less
    over the history. Where that value is missing the other period's stands in, then the last value.
    """
    past = history[(history.index < times[0]) & (history.index >= times[0] - pd.Timedelta(days=history_days(step)))]
    if past.empty:
        return np.full(len(times), np.nan)
    periods = sorted([max(DAY, step), 7 * max(DAY, step)], key=lambda period: _misses(past, period))
    found = np.full(len(times), np.nan)
    for period in periods:
        cycles = (times - times[0]) // period + 1
        values = past.reindex(times - cycles * period).to_numpy(dtype=float)
        found = np.where(np.isfinite(found), found, values)
    return np.where(np.isfinite(found), found, float(past.iloc[-1]))


def _misses(past: pd.Series, period: pd.Timedelta) -> float:
    """The mean absolute change over a period; infinite when no two values lie that far apart."""
    changes = np.abs(
        past.to_numpy(dtype=float) - past.reindex(pd.DatetimeIndex(past.index) - period).to_numpy(dtype=float)
    )
    return float(np.nanmean(changes)) if np.isfinite(changes).any() else float("inf")


def history_days(step: timedelta) -> float:
    """How much history the seasonal naive forecast looks at: enough for two weeks' comparison."""
    return max(15.0, 15 * step / timedelta(days=1))
