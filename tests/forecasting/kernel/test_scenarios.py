from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.forecast import Forecast, forecast_many
from forecasting.kernel.scenarios import paths, reduce

from .worlds import HOUR, MONDAY, hourly, noisy_wave

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
Z = {0.05: -1.6449, 0.25: -0.6745, 0.5: 0.0, 0.75: 0.6745, 0.95: 1.6449}


def normal(mean: float, spread: float, errors: np.ndarray) -> Forecast:
    """A forecast whose bands are those of a normal distribution, the same at every step."""
    steps = errors.shape[1]
    bands = {level: np.full(steps, mean + spread * Z[level]) for level in LEVELS}
    return Forecast(pd.date_range(MONDAY, periods=steps, freq="h"), np.full(steps, mean), bands, "", errors=errors)


def test_paths_keep_to_the_bands_in_every_hour():
    rng = np.random.default_rng(1)
    drawn = paths([normal(100, 10, rng.standard_normal((200, 3)))], 1000)
    for level in LEVELS:
        np.testing.assert_allclose(np.quantile(drawn[:, 0], level, axis=0), 100 + 10 * Z[level], atol=0.3)


def test_hours_and_series_that_erred_together_do_so_in_every_path():
    # The second hour repeats the first's error; the second series errs the other way round; the third by itself.
    rng = np.random.default_rng(1)
    error, own = rng.standard_normal((300, 1)), rng.standard_normal((300, 1))
    world = [
        normal(0, 1, np.hstack([error, error])),
        normal(0, 1, np.hstack([-error, -error])),
        normal(0, 1, np.hstack([own, own])),
    ]
    drawn = paths(world, 300)
    assert drawn.shape == (300, 3, 2)
    found = np.corrcoef(np.vstack([drawn[:, 0, 0], drawn[:, 0, 1], drawn[:, 1, 0], drawn[:, 2, 0]]))
    np.testing.assert_allclose(found[0, :3], [1, 1, -1], atol=0.01)
    assert abs(found[0, 3]) < 0.2


def test_sums_of_hours_that_err_together_spread_more_than_of_hours_that_do_not():
    # Two hours of deviation 10: the sum deviates by 20 when they err alike, by 14 when they err by themselves.
    rng = np.random.default_rng(1)
    error = rng.standard_normal((500, 1))
    alike = paths([normal(100, 10, np.hstack([error, error]))], 500).sum(axis=2).std()
    apart = paths([normal(100, 10, rng.standard_normal((500, 2)))], 500).sum(axis=2).std()
    assert alike == pytest.approx(20, rel=0.05) and apart == pytest.approx(14.1, rel=0.08)


def test_without_past_errors_everything_errs_together():
    drawn = paths([normal(100, 10, np.empty((0, 0)).reshape(0, 2)), normal(50, 5, np.empty((0, 2)))], 99)
    np.testing.assert_allclose(np.corrcoef(drawn.reshape(99, -1).T), 1.0, atol=1e-9)


def test_paths_of_real_forecasts_are_repeatable_and_ordered_like_their_bands():
    answers = forecast_many({"a": hourly(noisy_wave(40, 1)), "b": hourly(noisy_wave(40, 2))}, 48, step=HOUR)
    good = [answer for answer in answers.values() if isinstance(answer, Forecast)]
    drawn = paths(good, 100, seed=3)
    np.testing.assert_array_equal(drawn, paths(good, 100, seed=3))
    low, high = np.quantile(drawn[:, 0], [0.05, 0.95], axis=0)
    np.testing.assert_allclose(low, good[0].quantiles[0.05], atol=0.6)
    np.testing.assert_allclose(high, good[0].quantiles[0.95], atol=0.6)


def test_a_tree_keeps_the_mean_and_tells_wet_from_dry():
    # Six of ten paths are wet from step 2 on (30 a step), four dry (10); before that all are at 20.
    wet, dry = [20.0, 20.0, 30.0, 30.0], [20.0, 20.0, 10.0, 10.0]
    nodes = reduce(np.array([[wet]] * 6 + [[dry]] * 4)[:, 0][:, None], [(2, 2)])
    assert [(node.step, node.parent) for node in nodes] == [(0, None), (1, 0), (2, 1), (2, 1), (3, 2), (3, 3)]
    assert sorted((node.probability, node.values[0]) for node in nodes if node.step == 3) == [(0.4, 10.0), (0.6, 30.0)]
    assert sum(node.probability * node.values[0] for node in nodes if node.step == 2) == pytest.approx(22.0)


def test_a_tree_has_no_empty_branch():
    # Two different paths can make two branches at most, however many are asked for.
    nodes = reduce(np.array([[[1.0, 2.0]], [[1.0, 3.0]]]), [(1, 5)])
    assert [node.probability for node in nodes] == [1.0, 0.5, 0.5]


def test_branches_out_of_order_are_refused():
    with pytest.raises(ValueError, match="ascending"):
        reduce(np.zeros((2, 1, 3)), [(2, 2), (1, 2)])
