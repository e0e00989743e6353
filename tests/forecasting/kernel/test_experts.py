from __future__ import annotations

import numpy as np
import pytest

from forecasting.kernel import experts
from forecasting.kernel.calibration import error_quantiles
from forecasting.kernel.cleaning import Cleaned
from forecasting.kernel.linear import expanding_ridge
from forecasting.kernel.panel import Days, Panel, panel_of
from forecasting.kernel.regressors import Columns
from forecasting.kernel.seasons import Plan, cycles, plan_for, repetition
from forecasting.kernel.series import Refused
from forecasting.kernel.weights import weights_of

from .worlds import HOUR, daily_wave


def panel(values: list[float], day: int, steps: int, origins: int = 2) -> Panel:
    """One series of steps without calendar, on its own scale."""
    plan = Plan(block=1, day=day, week=0, origins=origins, cycle=day > 0, logs=False)
    line = np.array(values)
    unknown = np.full(len(line) + steps, -1)
    made = panel_of(
        [Cleaned(line, np.full(len(line), True), ())], plan, steps, Days(None, unknown, unknown), [Columns()]
    )
    return made


def test_persistence_repeats_the_last_value_before_every_origin():
    world = panel([1, 2, 3, 4, 5], day=0, steps=2)
    # Origins: behind 5 (now), behind 4 and behind 3.
    np.testing.assert_allclose(world.back(experts.persistence(world))[0], [[5, 5], [4, 4], [3, 3]])


def test_seasonal_naive_repeats_the_last_cycle():
    world = panel([1, 2, 3, 4, 5, 6], day=3, steps=4)
    np.testing.assert_allclose(
        world.back(experts.seasonal_naive(world, 3))[0], [[4, 5, 6, 4], [3, 4, 5, 3], [2, 3, 4, 2]]
    )


def test_seasonal_mean_averages_the_last_cycles():
    world = panel([1, 10, 3, 30, 5, 50], day=2, steps=2, origins=1)
    np.testing.assert_allclose(world.back(experts.seasonal_mean(world, 2, 2))[0, 0], [4, 40])


def test_the_truth_at_past_origins_ends_with_the_history():
    world = panel([1, 2, 3, 4, 5], day=0, steps=2)
    np.testing.assert_allclose(world.back(world.truth())[0], [[5, np.nan], [4, 5]])


def test_an_autoregression_runs_a_halving_forward():
    # Every value is half the one before it, and every fourth is 64 again: the lag of four steps says it all.
    world = panel([64.0, 32.0, 16.0, 8.0] * 30, day=4, steps=6)
    ahead = world.back(experts.autoregression(world, 4))[0, 0]
    np.testing.assert_allclose(ahead, [64, 32, 16, 8, 64, 32], rtol=1e-6)


def test_every_origin_learns_only_from_the_rows_before_it():
    # Rows 0 and 1 say 1, rows 2 and 3 say 3; without a penalty the answers are their means.
    features, targets = np.ones((1, 4, 1)), np.array([[1.0, 1.0, 3.0, 3.0]])
    found = expanding_ridge(features, targets, np.ones((1, 4)), np.array([4, 2, 3]), 1e-12)
    np.testing.assert_allclose(found[0, :, 0], [2.0, 1.0, 5 / 3])


def test_a_row_of_weight_zero_teaches_nothing():
    features, targets = np.ones((1, 3, 1)), np.array([[1.0, 100.0, 3.0]])
    found = expanding_ridge(features, targets, np.array([[1.0, 0.0, 1.0]]), np.array([3]), 1e-12)
    np.testing.assert_allclose(found[0, 0], 2.0)


def test_no_expert_sees_what_comes_after_its_origin():
    # Changing the last day must not move what any expert said from the origin before it.
    values = daily_wave(40) + np.random.default_rng(1).standard_normal(960)
    changed = values.copy()
    changed[-24:] += 5 * np.random.default_rng(2).standard_normal(24)
    before, after = (experts.forecasts(hours(line))[0] for line in (values, changed))
    for name in before:
        np.testing.assert_allclose(before[name][0, 1:], after[name][0, 1:], rtol=1e-9, err_msg=name)
    assert not np.allclose(before["ridge"][0, 0], after["ridge"][0, 0])


def hours(values: np.ndarray) -> Panel:
    """A panel of hours in raw units: the scale of the whole series would carry the last day backwards."""
    plan = Plan(block=24, day=24, week=168, origins=10, cycle=True, logs=False)
    at = np.arange(len(values) + 48)
    days = Days((at % 24) / 24, (at // 24) % 7, np.full(len(at), 99))
    known = np.full((1, len(values)), True)
    scale = np.zeros(1), np.ones(1)
    return Panel((values[None] - 100) / 15, known, np.zeros(1, int), *scale, plan, 48, days, np.zeros((1, len(at), 0)))


# --- weights and calibration -----------------------------------------------------------------------------------
def test_an_expert_with_half_the_error_gets_sixteen_times_the_share():
    good, poor = np.full((1, 4, 3), 1.0), np.full((1, 4, 3), -2.0)
    shares = weights_of(np.stack([good, poor]), np.zeros((1, 4, 3)), reach=0)
    # 1 / 1⁴ against 1 / 2⁴: 16 to 1.
    np.testing.assert_allclose(shares[:, 0], [[16 / 17] * 3, [1 / 17] * 3])


def test_a_hopeless_expert_gets_nothing():
    forecasts = np.stack([np.full((1, 4, 3), 1.0), np.full((1, 4, 3), 3.0)])  # 1/81 is below 5 %
    np.testing.assert_allclose(weights_of(forecasts, np.zeros((1, 4, 3)), reach=0)[:, 0, 0], [1.0, 0.0])


def test_quantiles_of_errors_are_read_off_their_order():
    # 99 origins with errors -49 … 49 at every one of 4 leads: the 5 % quantile is the fifth smallest, -45, and the band
    # is wider by 1.5 / 99 since the shares were chosen on these errors.
    errors = np.repeat(np.arange(-49.0, 50.0)[None, :, None], 4, axis=2)
    offsets = error_quantiles(errors, (0.05, 0.5, 0.95), block=1)
    wider = 1 + 1.5 / 99
    np.testing.assert_allclose(offsets[:, 0, 0], [-45.0 * wider, 0.0, 45.0 * wider], atol=1e-12)


def test_half_of_a_past_bias_moves_the_band():
    # Every error is 10 too high or 10 ± 1; the median 10 is believed by half.
    errors = np.tile(np.array([9.0, 10.0, 11.0])[None, :, None], (1, 33, 4))
    assert error_quantiles(errors, (0.5,), block=1)[0, 0, 0] == 5.0


# --- cycles ----------------------------------------------------------------------------------------------------
def test_repetition_compares_a_cycle_with_half_of_it():
    # 0, 1, 0, 1: two steps apart nothing changes, one step apart everything does.
    assert repetition(np.array([0.0, 1.0, 0.0, 1.0]), 2) == 0.0
    # A line: over two steps it changes twice as much as over one.
    assert repetition(np.arange(6.0), 2) == 2.0


def test_the_step_tells_the_cycles():
    assert cycles(np.zeros(9), HOUR) == (24, 168)
    assert cycles(np.zeros(9), 24 * HOUR) == (7, 0)
    assert cycles(np.zeros(9), 7 * 24 * HOUR) == (52, 0)
    assert cycles(daily_wave(20), None) == (24, 168)
    assert cycles(np.arange(500.0), None) == (0, 0)


def test_a_plan_needs_enough_to_judge_by():
    with pytest.raises(Refused, match="72 usable values are too few, at least 96 are needed"):
        plan_for(daily_wave(3), 72, HOUR)
    with pytest.raises(Refused, match="20 usable values"):  # the other 220 were filled in
        plan_for(daily_wave(10), 20, HOUR)
    plan = plan_for(daily_wave(60), 1440, HOUR)
    assert plan == Plan(block=24, day=24, week=168, origins=28, cycle=True, logs=True)
