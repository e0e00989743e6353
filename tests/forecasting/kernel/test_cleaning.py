from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.cleaning import Cleaned, clean
from forecasting.kernel.series import Limits, Refused, Rule, on_grid

from .worlds import HOUR, MONDAY, hourly, noisy_wave


def cleaned(history: pd.Series, limits: Limits = Limits(), day: int = 24) -> Cleaned:  # noqa: B008
    return clean(on_grid(history, HOUR, "UTC"), limits, day, 1.0)


def only_note(answer: Cleaned, rule: Rule) -> tuple[int, object]:
    (note,) = [note for note in answer.notes if note.rule == rule]
    return note.count, note.first


def test_a_clean_series_is_left_as_it_is():
    values = noisy_wave(10, seed=1)
    answer = cleaned(hourly(values))
    assert answer.values.tolist() == values.tolist()
    assert answer.observed.all() and answer.notes == ()


def test_a_gap_is_closed_by_the_course_of_the_day():
    # The wave is the same every day, so the hours 6 to 11 missing on the fifth day are those of the other days.
    history = hourly(noisy_wave(10, seed=1, spread=0.0)).drop(
        pd.date_range(MONDAY + pd.Timedelta(days=4, hours=6), periods=6, freq="h")
    )
    answer = cleaned(history)
    assert only_note(answer, Rule.GAP) == (6, MONDAY + pd.Timedelta(days=4, hours=6))
    np.testing.assert_allclose(answer.values[102:108], answer.values[6:12])
    assert not answer.observed[102:108].any() and answer.observed.sum() == 234


def test_an_impossible_value_is_not_used():
    history = hourly(noisy_wave(10, seed=1))
    history.iloc[50] = -5.0
    answer = cleaned(history, Limits(minimum=0.0))
    assert only_note(answer, Rule.IMPOSSIBLE) == (1, MONDAY + pd.Timedelta(hours=50))
    assert not answer.observed[50] and 70 < answer.values[50] < 130


def test_the_raw_history_is_never_altered():
    history = hourly(noisy_wave(10, seed=1))
    history.iloc[50] = -5.0
    before = history.copy()
    cleaned(history, Limits(minimum=0.0))
    pd.testing.assert_series_equal(history, before)


def test_a_single_leap_away_and_back_is_a_spike():
    history = hourly(noisy_wave(10, seed=1))
    history.iloc[100] += 200.0
    answer = cleaned(history)
    assert only_note(answer, Rule.SPIKE) == (1, MONDAY + pd.Timedelta(hours=100))


def test_a_flood_that_recedes_slowly_is_no_spike():
    # Base flow 10 with small noise; from hour 100 on 500 more that falls to 37 % in 48 hours.
    hours = np.arange(240)
    flood = np.where(hours >= 100, 500 * np.exp(-(hours - 100) / 48), 0.0)
    flow = 10 + 0.2 * np.random.default_rng(1).standard_normal(240) + flood
    assert cleaned(hourly(flow), day=0).observed.all()


def test_a_pump_that_starts_at_the_same_hour_every_day_is_no_spike():
    values = noisy_wave(30, seed=1, spread=1.0)
    values[5::24] += 150.0
    assert cleaned(hourly(values)).observed.all()


def test_a_value_that_stands_still_is_a_stuck_sensor():
    values = noisy_wave(10, seed=1)
    values[100:112] = values[99]
    answer = cleaned(hourly(values))
    # The first of the equal values counts too: nobody knows when the sensor stuck.
    assert only_note(answer, Rule.FLAT) == (13, MONDAY + pd.Timedelta(hours=99))


def test_nights_without_sun_are_no_stuck_sensor():
    sun = np.maximum(0.0, np.sin(2 * np.pi * (np.arange(240) % 24 - 6) / 24)) * np.tile(np.linspace(0.9, 1.1, 10), 24)
    assert cleaned(hourly(sun)).observed.all()


def test_the_last_of_two_values_for_one_time_counts():
    history = pd.concat([hourly(noisy_wave(5, seed=1)), pd.Series([111.0], index=[MONDAY])])
    answer = cleaned(history)
    assert answer.values[0] == 111.0
    assert only_note(answer, Rule.DUPLICATE) == (1, MONDAY)


def test_finer_values_are_averaged_over_the_step():
    # 0, 1, 2, 3, … every 20 minutes: hours hold (0, 1, 2), (3, 4, 5), … with means 1, 4, 7, …
    index = pd.date_range(MONDAY, periods=72, freq="20min")
    grid = on_grid(pd.Series(np.arange(72.0), index=index), HOUR, "UTC")
    assert grid.values.tolist() == [1.0 + 3 * k for k in range(24)]


def test_finer_values_lose_their_spikes_before_the_mean():
    index = pd.date_range(MONDAY, periods=600, freq="10min")
    values = 100 + np.random.default_rng(1).standard_normal(600)
    values[300] = 1000.0
    grid = on_grid(pd.Series(values, index=index), HOUR, "UTC")
    assert grid.values[50] < 105
    assert [note.rule for note in grid.notes if note.count == 1] == [Rule.SPIKE]


def test_days_are_local_days_where_the_clock_changes():
    # Local midnights in Melbourne: summer time begins on 2026-10-04, a day of 23 hours.
    index = pd.date_range("2026-09-28", periods=14, freq="D", tz="Australia/Melbourne")
    grid = on_grid(pd.Series(np.arange(14.0), index=index), pd.Timedelta(days=1), "Australia/Melbourne")
    assert grid.values.tolist() == list(range(14)) and grid.notes == ()
    assert grid.time_of(13) == index[13].tz_convert("UTC")


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (pd.date_range("2026-06-01", periods=48, freq="h"), "times must carry a timezone"),
        (pd.RangeIndex(48), "times must carry a timezone"),
    ],
)
def test_times_of_unknown_zone_are_refused(index: pd.Index, reason: str):
    with pytest.raises(Refused, match=reason):
        on_grid(pd.Series(np.zeros(48), index=index), HOUR, "UTC")


# --- flat lines of rivers ------------------------------------------------------------------------------------
def quiet_river(hours: int = 720) -> np.ndarray:
    """A recession with a storm at hour 400, m³/s."""
    at = np.arange(hours)
    storm = np.where(at >= 400, 300 * np.exp(-(at - 400) / 30), 0.0)
    return 20 * np.exp(-at / 400) + storm


def test_a_river_that_rests_between_readings_is_not_stuck():
    flow = quiet_river()
    flow[100:112] = flow[100]
    assert cleaned(hourly(flow)).observed.all()


def test_a_gauge_that_comes_loose_with_a_leap_was_stuck():
    flow = quiet_river()
    flow[392:410] = flow[391]
    # The storm came at hour 400; at hour 410 it still stood at 222 m³/s.
    assert only_note(cleaned(hourly(flow)), Rule.FLAT) == (19, MONDAY + pd.Timedelta(hours=391))


def test_a_gauge_that_has_stood_still_for_days_is_stuck():
    flow = quiet_river()
    flow[-60:] = flow[-61]
    assert only_note(cleaned(hourly(flow)), Rule.FLAT)[0] == 61


# --- wrong units ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("factor", [1000.0, 0.001, 60.0, 1 / 60, 3.6, 1 / 3.6, 10.0])
def test_a_day_in_another_unit_is_not_used(factor: float):
    values = noisy_wave(30, seed=1)
    values[200:230] *= factor
    answer = cleaned(hourly(values))
    assert only_note(answer, Rule.UNIT) == (30, MONDAY + pd.Timedelta(hours=200))
    assert 70 < answer.values[200:230].min() <= answer.values[200:230].max() < 130
    assert [note.did for note in answer.notes if note.rule == Rule.UNIT] == [f"{factor:.4g} times too high, not used"]


def test_a_feed_that_changed_its_unit_yesterday_is_not_used_until_it_is_put_right():
    values = noisy_wave(30, seed=1)
    values[-20:] *= 1000
    assert only_note(cleaned(hourly(values)), Rule.UNIT) == (20, MONDAY + pd.Timedelta(hours=700))


def test_a_flood_that_has_just_come_is_no_wrong_unit():
    flow = quiet_river()[:410]
    flow[400:] = 10 * flow[399]
    assert not [note for note in cleaned(hourly(flow)).notes if note.rule == Rule.UNIT]


def test_a_pump_that_runs_at_two_rates_has_no_wrong_unit():
    values = noisy_wave(30, seed=1)
    for begin in range(50, 700, 90):
        values[begin : begin + 20] *= 3.6
    assert cleaned(hourly(values)).observed.all()


# --- shifts of the level -------------------------------------------------------------------------------------
def test_a_level_that_changed_for_good_lifts_what_came_before():
    values = noisy_wave(80, seed=1)
    values[60 * 24 :] *= 1.5
    answer = cleaned(hourly(values))
    # By the 20 days behind it the shift is known; the 60 before are half as much again.
    (note,) = [note for note in answer.notes if note.rule == Rule.SHIFT]
    assert (note.count, note.first) == (1440, MONDAY + pd.Timedelta(days=60))
    assert answer.values[:1440].mean() == pytest.approx(answer.values[1440:].mean(), rel=0.01)
    assert answer.observed.all()


def test_ten_days_of_holidays_are_no_shift():
    values = noisy_wave(80, seed=1)
    values[65 * 24 : 75 * 24] *= 0.7
    assert not [note for note in cleaned(hourly(values)).notes if note.rule == Rule.SHIFT]


def test_a_season_is_no_shift():
    values = noisy_wave(365, seed=1) * (1 + 0.4 * np.sin(2 * np.pi * np.arange(365 * 24) / 8766))
    assert not [note for note in cleaned(hourly(values)).notes if note.rule == Rule.SHIFT]
