"""Shares of experts judged for months, and how the regression by lead takes its own errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.forecast import Calendar, backtest
from forecasting.kernel.leads import FIRST_ERROR, WILD, Misses
from forecasting.kernel.seasons import Plan
from forecasting.kernel.stacking import CAUTION, convex, stacked_shares

from .worlds import HOUR, hourly


def test_an_expert_with_twice_the_error_gets_a_quarter_of_the_share():
    # Independent errors of mean squares 1 and 4: the best combination is 4 : 1. Caution moves it by little.
    np.testing.assert_allclose(convex(np.diag([1.0, 4.0])[None])[0], [0.8, 0.2], atol=CAUTION)


def test_twins_share_the_place_of_one():
    # The first two err alike, the third independently, all by the same size: half for the third.
    products = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(convex(products[None])[0], [0.25, 0.25, 0.5], atol=CAUTION)


def test_no_share_is_negative():
    # The second expert is the first with its errors doubled: without the limit it would be taken away from it.
    np.testing.assert_allclose(convex(np.array([[[1.0, 2.0], [2.0, 4.0]]]))[0], [1.0, 0.0], atol=1e-9)


def test_experts_that_never_erred_share_alike():
    np.testing.assert_allclose(convex(np.zeros((1, 4, 4)))[0], [0.25] * 4)


def two_experts(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stack 2 × 1 × (K + 1) × 2 and truth 1 × K × 2 of zeros; errors K × 2 (experts), the latest first."""
    stack = np.zeros((2, 1, len(errors) + 1, 2))
    stack[:, 0, 1:] = errors.T[:, :, None]
    return stack, np.zeros((1, len(errors), 2))


def test_shares_know_only_days_that_were_over():
    # The second expert begins to be wrong at the latest past origin: the leads of the first day know it, those of the
    # second, which is not over yet, do not.
    errors = np.tile([[1.0, -1.0], [1.0, 1.0]], (10, 1))
    errors[0] = [1.0, 100.0]
    shares = stacked_shares(*two_experts(errors), block=1, rhythm=1, count=2)
    assert shares[1, 0, 0, 0] < 0.05 < shares[1, 0, 0, 1]
    np.testing.assert_allclose(shares[:, 0, 1, 0], [0.5, 0.5], atol=0.05)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0)


def test_the_same_day_of_the_week_counts_more():
    # The first expert is right on this day of the week and wrong on the others, the second the other way round.
    today = np.arange(1, 57) % 7 == 0
    errors = np.stack([np.where(today, 0.0, 1.0), np.where(today, 1.0, 0.0)], axis=1)
    weekly, alike = (stacked_shares(*two_experts(errors), 1, rhythm, 1)[0, 0, 0, 0] for rhythm in (7, 1))
    # Six other days against one day that counts once, or three times: 1/7 or 3/9 of the squares are the second's.
    assert alike == pytest.approx(1 / 7, abs=0.03)
    assert weekly == pytest.approx(3 / 9, abs=0.03)


def test_the_day_of_the_week_returns_after_seven_origins_of_days_only():
    hours, days, weeks = (
        Plan(block, day, week, 9, True, True) for block, day, week in ((24, 24, 168), (1, 7, 0), (1, 52, 0))
    )
    assert (hours.rhythm, days.rhythm, weeks.rhythm) == (7, 7, 1)


def test_a_wild_day_counts_as_much_less_as_it_is_wild():
    misses = Misses(width=2, first=3)
    errors = np.zeros((6, 2))
    errors[5] = [10 * FIRST_ERROR, FIRST_ERROR]
    shares = misses.believed(errors, np.ones((6, 2)), row=0)
    # Ten times the mean error, of which WILD times is still plain; what came before the first forecast is no error.
    np.testing.assert_allclose(shares[5], [WILD / 10, 1.0])
    np.testing.assert_allclose(shares[:5], 1.0)
    # Three forecasts are noted, beside the error that stood in: (0.1 + 0 + 0 + 1) / 4 and (0.1 + 0 + 0 + 0.1) / 4.
    np.testing.assert_allclose(misses.mean, [11 * FIRST_ERROR / 4, 2 * FIRST_ERROR / 4])


def test_weather_that_explains_nothing_does_not_drive_out_the_calendar():
    # Ordinary days and Sundays, and a "warmth" of pure noise: the calendar alone gets the greater share.
    rng = np.random.default_rng(4)
    days = 400
    level = np.where(np.arange(days) % 7 == 6, 80.0, 100.0)[:, None] + rng.standard_normal((days, 24))
    history = hourly(level.ravel())
    table = pd.DataFrame({"warmth": rng.standard_normal(24 * days)}, index=history.index)
    calendar = Calendar(off={pd.Timestamp("2020-01-01").date(): True})
    answer = backtest(history[:-24], 24, 1, step=HOUR, regressors=table, calendar=calendar)[0]
    assert answer.weights["ridge (lead, calendar)"] > answer.weights.get("ridge (lead)", 0.0)
    assert np.abs(answer.mean - history.to_numpy()[-24:]).mean() < 1.2
