"""Day-ahead load of Victoria, every midnight of 2014, with the temperature that came (ex post).

Fixed on origins of 2013: columns, knots, penalty, memory, the second stage, and the constants of the bands.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasting.kernel.forecast import Forecast, backtest
from forecasting.kernel.scenarios import paths
from forecasting.kernel.scores import pinball

from .row import Row, at_most, cpu_seconds, within
from .shared import victoria

HOUR = pd.Timedelta(hours=1)
LEVELS = tuple(float(level) for level in np.round(np.arange(0.05, 0.951, 0.05), 2))
BANDS = {50: (0.25, 0.75), 80: (0.1, 0.9), 90: (0.05, 0.95), 95: (0.025, 0.975)}
PATHS = 365
WORK = "load of Victoria 2014, 2 days ahead"


def measure() -> list[Row]:
    hourly, calendar = victoria()
    midnights = pd.date_range("2014-01-01", "2014-12-30", freq="D", tz=calendar.zone).tz_convert("UTC")
    levels = sorted({*LEVELS, *(level for band in BANDS.values() for level in band)})
    with cpu_seconds() as spent:
        answers = backtest(
            hourly["demand"][hourly.index < midnights[-1]],
            48,
            len(midnights),
            step=HOUR,
            quantiles=levels,
            regressors=hourly[["temperature"]],
            calendar=calendar,
            start=midnights[-1],
        )
    assert [answer.index[0] for answer in answers] == list(midnights)
    truth = np.stack([hourly["demand"].reindex(answer.index).to_numpy() for answer in answers])
    return [*_errors(answers, truth, spent()), *_coverage(answers, truth), *_daily_sums(answers, truth)]


def _errors(answers: list[Forecast], truth: np.ndarray, cpu_s: float) -> list[Row]:
    """Every fifth midnight from 1 January on: 73 origins, as in the figures that the goals were taken from."""
    mean = np.stack([answer.mean for answer in answers])
    percent = 100 * np.abs(mean - truth) / truth
    loss = np.mean([pinball(truth, np.stack([a.quantiles[q] for a in answers]), q) for q in LEVELS])
    days = slice(0, 24), slice(24, 48)
    by_day = [
        np.mean([pinball(truth[::5, day], np.stack([a.quantiles[q][day] for a in answers[::5]]), q) for q in LEVELS])
        for day in days
    ]
    return [
        at_most(WORK, "MAPE % day 1, 73 origins", 2.05, "2.07 ridge + LightGBM", float(percent[::5, days[0]].mean())),
        Row(WORK, "MAPE % day 2, 73 origins", "", "2.51", float(percent[::5, days[1]].mean())),
        Row(WORK, "MAPE % day 1, all 364 origins", "", "", float(percent[:, days[0]].mean())),
        at_most(WORK, "pinball MW day 1, 73 origins", 36.0, "36.9", float(by_day[0])),
        Row(WORK, "pinball MW day 2, 73 origins", "", "45.1", float(by_day[1])),
        Row(WORK, "pinball MW both days, 364 origins", "", "", float(loss)),
        at_most(WORK, "CPU s, 364 daily refits and a year of bands", 5.0, "1.8 ridge, 42 both", cpu_s, cpu_s),
    ]


def _coverage(answers: list[Forecast], truth: np.ndarray) -> list[Row]:
    return [
        within(
            WORK,
            f"{nominal} % band holds %, hours",
            nominal,
            _held(answers, truth, *levels),
            "89.6" if nominal == 90 else "",
        )
        for nominal, levels in BANDS.items()
    ]


def _daily_sums(answers: list[Forecast], truth: np.ndarray) -> list[Row]:
    """Energy of each of the two days: quantiles of the sums of whole paths."""
    sums = truth.reshape(len(truth), 2, 24).sum(axis=2)
    drawn = [
        paths([answer], PATHS, seed)[:, 0].reshape(PATHS, 2, 24).sum(axis=2) for seed, answer in enumerate(answers)
    ]
    rows = []
    for nominal, levels in BANDS.items():
        low, high = np.stack([np.quantile(one, levels, axis=0) for one in drawn], axis=1)
        held = 100 * float(np.mean((sums >= low) & (sums <= high)))
        rows.append(
            within(WORK, f"{nominal} % band holds %, daily sums", nominal, held, "86.5" if nominal == 90 else "")
        )
    return rows


def _held(answers: list[Forecast], truth: np.ndarray, low: float, high: float) -> float:
    bands = [np.stack([answer.quantiles[level] for answer in answers]) for level in (low, high)]
    return 100 * float(np.mean((truth >= bands[0]) & (truth <= bands[1])))
