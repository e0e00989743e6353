"""M4 Hourly, the odd-numbered series, 48 hours ahead.

Fixed on windows of the training series only (their last 144 hours): the experts, the power and fading of weights, and
the bands. OWA is relative to Naive2 on the same series.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasting.kernel.forecast import Forecast, forecast_many
from forecasting.kernel.scores import coverage, mase, smape

from .row import Row, at_most, cpu_seconds
from .shared import m4_hourly

WORK = "M4 Hourly, 207 odd series, 48 h"
NAIVE2_SMAPE, NAIVE2_MASE = 18.2245, 2.4317
LOW, HIGH = 0.025, 0.975
STEPS, DAY = 48, 24


Lines = dict[str, tuple[np.ndarray, ...]]


def measure() -> list[Row]:
    train, test = m4_hourly()
    lines, cpu_s = forecast_all(train)
    found = scored(lines, train, test)
    return [
        at_most(WORK, "OWA", 0.41, "0.4096 Doornik et al. (all 414)", found["owa"]),
        at_most(WORK, "MSIS", 6.0, "6.139 Doornik et al. (all 414)", found["msis"]),
        at_most(WORK, "ACD", 0.01, "0.002 Doornik et al. (all 414)", abs(found["held"] - 0.95)),
        at_most(WORK, "CPU s", 8.0, "", cpu_s, cpu_s),
    ]


def forecast_all(train: dict[str, np.ndarray]) -> tuple[Lines, float]:
    """Mean, low and high line of every series, and the CPU seconds of all."""
    histories = {name: pd.Series(values, index=range(1, len(values) + 1)) for name, values in train.items()}
    with cpu_seconds() as spent:
        answers = forecast_many(histories, STEPS, step=None, quantiles=(LOW, 0.5, HIGH))
    good = {name: answer for name, answer in answers.items() if isinstance(answer, Forecast)}
    return {name: (one.mean, one.quantiles[LOW], one.quantiles[HIGH]) for name, one in good.items()}, spent()


def scored(lines: Lines, train: dict[str, np.ndarray], test: dict[str, np.ndarray]) -> dict[str, float]:
    """Means over the series given of sMAPE, MASE, OWA, MSIS and the share that the 95 % band holds."""
    rows = []
    for name, (mean, low, high) in lines.items():
        truth = test[name]
        missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
        scale = float(np.mean(np.abs(train[name][DAY:] - train[name][:-DAY])))
        interval = float(np.mean(high - low + 2 / (1 - 0.95) * missed)) / scale
        rows.append((smape(truth, mean), mase(truth, mean, train[name], DAY), interval, coverage(truth, low, high)))
    of = dict(zip(("smape", "mase", "msis", "held"), np.mean(rows, axis=0).tolist(), strict=True))
    return of | {"owa": (of["smape"] / NAIVE2_SMAPE + of["mase"] / NAIVE2_MASE) / 2}
