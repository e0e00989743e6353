"""Influences that are known for some way ahead, or not at all: past origins must not know more of them than now."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.forecast import Calendar, backtest, forecast
from forecasting.kernel.regressors import stand_ins
from forecasting.kernel.ridge import _regressors
from forecasting.kernel.scores import coverage, mae
from forecasting.kernel.series import Rule

from .worlds import HOUR, MONDAY, daily_wave, hourly, noisy_wave

DAY = pd.Timedelta(days=1)
ONE_HOLIDAY = Calendar(off={date(2026, 10, 10): True})
"""Days off make a series one that is learnt from thoroughly."""


def warm_days(days: int) -> np.ndarray:
    """Degrees of each day, in no order."""
    return np.random.default_rng(5).normal(20, 5, days)


def load_of(degrees: np.ndarray) -> np.ndarray:
    """10 MW a degree of the day on top of the daily wave, with a noise of 1 MW."""
    noise = np.random.default_rng(6).standard_normal(24 * len(degrees))
    return np.asarray(daily_wave(len(degrees)) + 10 * np.repeat(degrees, 24) + noise)


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (0, [6, 7, 4, 5, 6, 7, 4, 5]),
        (2, [6, 7, 8, 9, 6, 7, 8, 9]),
        (-3, [2, 3, 4, 1, 2, 3, 4, 1]),
    ],
)
def test_the_same_step_of_the_last_day_known_stands_in(reach: int, expected: list[int]):
    # Days of four steps, seen from step 8: with a reach of -3 step 4 is the last one known.
    assert stand_ins(np.arange(6, 14)[None], np.array([8]), reach, 4).tolist() == [expected]


def test_a_late_influence_is_not_known_at_the_lagged_steps_either():
    # As above: step 4 is the last one known, so that 5 to 7, a day before 9 to 11, take the values of 1 to 3.
    panel: Any = SimpleNamespace(
        regressors=np.arange(16.0).reshape(1, 16, 1), reach=lambda s, r: -3, plan=SimpleNamespace(block=4)
    )
    now, _square, change = _regressors(panel, np.array([8]), np.arange(8, 12)[None], lag=4)
    assert (now.tolist(), change.tolist()) == ([[[4, 1, 2, 3]]], [[[0, 0, 0, 0]]])


def test_an_influence_that_ends_with_the_series_is_told():
    load = hourly(noisy_wave(20, seed=1))
    table = pd.DataFrame({"warmth": np.arange(480.0)}, index=load.index)
    (note,) = forecast(load, 24, step=HOUR, regressors=table).notes
    assert (note.rule, note.count, note.first) == (Rule.REGRESSOR, 24, MONDAY + 20 * DAY)
    assert note.did == "warmth is not known from there on: the last day known stands in"


def test_one_that_is_not_known_for_a_third_of_the_past_is_left_out_and_told():
    load = hourly(noisy_wave(21, seed=1))
    table = pd.DataFrame({"cycle:warmth": np.arange(24.0 * 14)}, index=load.index[: 24 * 14])
    (note,) = forecast(load, 24, step=HOUR, regressors=table).notes
    assert note.did == "warmth is not known there and was not used"


def test_what_the_weather_of_today_says_of_tomorrow_is_learnt():
    """Tomorrow's load follows today's warmth: known for the first day ahead, for the second nobody can know it."""
    warm = warm_days(302)
    load, table = hourly(load_of(warm[:-1])), pd.DataFrame({"warmth": np.repeat(warm[1:], 24)})
    table.index = load.index
    history, truth = load[: 24 * 299], load.to_numpy()[24 * 299 :]
    answer = forecast(history, 48, step=HOUR, regressors=table[: len(history)], calendar=ONE_HOLIDAY)
    assert mae(truth[:24], answer.mean[:24]) < 5
    widths = answer.quantiles[0.95] - answer.quantiles[0.05]
    # Normal days: 90 % of them lie within 2 · 1.645 · 50 MW.
    assert widths[:24].mean() < 25
    assert widths[24:].mean() == pytest.approx(164, rel=0.25)


@pytest.mark.parametrize("days", [60, 300])
def test_a_weather_forecast_of_one_day_is_used_for_that_day_alone(days: int):
    warm = warm_days(days + 2)
    load = hourly(load_of(warm))
    table = pd.DataFrame({"warmth": np.repeat(warm, 24)}, index=load.index)[:-24]
    answer = forecast(load[:-48], 48, step=HOUR, regressors=table, calendar=ONE_HOLIDAY)
    widths = answer.quantiles[0.95] - answer.quantiles[0.05]
    assert mae(load.to_numpy()[-48:-24], answer.mean[:24]) < 10
    assert widths[:24].mean() < 60 < 100 < widths[24:].mean()


def test_bands_hold_what_they_say_of_days_whose_weather_nobody_knows():
    warm = warm_days(450)
    load = hourly(load_of(warm))
    history = load[:-24]
    table = pd.DataFrame({"warmth": np.repeat(warm, 24)}, index=load.index)[: len(history)]
    answers = backtest(history, 24, 60, step=HOUR, regressors=table, calendar=ONE_HOLIDAY)
    low, high = (np.stack([answer.quantiles[level] for answer in answers]) for level in (0.05, 0.95))
    truth = np.stack([load.reindex(answer.index).to_numpy() for answer in answers])
    assert coverage(truth, low, high) == pytest.approx(0.9, abs=0.06)


def test_beside_weeks_a_guess_is_used_and_the_bands_do_not_rely_on_it():
    warm = warm_days(61)
    load = hourly(load_of(warm))
    history, table = load[:-24], pd.DataFrame({"warmth": np.repeat(warm, 24)}, index=load.index)
    known = forecast(history, 24, step=HOUR, regressors=table)
    guess = forecast(history, 24, step=HOUR, regressors=table, guessed={"warmth": history.index[-1] + HOUR})
    assert guess.mean.tolist() == known.mean.tolist()
    widths = [answer.quantiles[0.95].mean() - answer.quantiles[0.05].mean() for answer in (known, guess)]
    assert widths[0] < 60 < 100 < widths[1]
    assert not guess.notes


def test_beside_years_a_guess_counts_as_if_it_were_not_given():
    warm = warm_days(301)
    load = hourly(load_of(warm))
    history, table = load[:-24], pd.DataFrame({"warmth": np.repeat(warm, 24)}, index=load.index)
    start = history.index[-1] + HOUR
    guess = forecast(history, 24, step=HOUR, regressors=table, guessed={"warmth": start}, calendar=ONE_HOLIDAY)
    without = forecast(history, 24, step=HOUR, regressors=table[:-24], calendar=ONE_HOLIDAY)
    np.testing.assert_allclose(guess.mean, without.mean, rtol=1e-3)
    assert [(note.count, note.first, note.did) for note in guess.notes] == [
        (24, start, "warmth is not known from there on: the last day known stands in")
    ]
    assert guess.notes == without.notes
