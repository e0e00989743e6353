from __future__ import annotations

import numpy as np
import pytest

from forecasting.kernel import scores

TRUTH, EXPECTED = np.array([100.0, 200.0, np.nan]), np.array([110.0, 180.0, 5.0])


def test_errors_leave_out_what_is_not_known():
    assert scores.mae(TRUTH, EXPECTED) == 15.0  # (10 + 20) / 2
    assert scores.mape(TRUTH, EXPECTED) == pytest.approx(10.0)  # (10 % + 10 %) / 2
    assert scores.smape(TRUTH, EXPECTED) == pytest.approx(100 * (10 / 210 + 20 / 380))


def test_mase_measures_in_errors_of_the_seasonal_naive_forecast():
    # One cycle apart the history differs by 5 on average, so an error of 15 is 3.
    assert scores.mase(TRUTH, EXPECTED, np.array([1.0, 2.0, 6.0, 7.0]), 2) == 3.0


def test_a_quantile_pays_more_on_the_side_it_should_not_be_missed():
    assert scores.pinball(np.array([10.0]), np.array([8.0]), 0.9) == pytest.approx(1.8)
    assert scores.pinball(np.array([8.0]), np.array([10.0]), 0.9) == pytest.approx(0.2)


def test_coverage_counts_the_known_steps_within_the_band():
    assert scores.coverage(np.array([1.0, 5.0, np.nan]), np.zeros(3), np.full(3, 2.0)) == 0.5
