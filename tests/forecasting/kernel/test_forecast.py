from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.adaptive import adaptive_offsets
from forecasting.kernel.forecast import (
    Calendar,
    Forecast,
    Limits,
    Refusal,
    Refused,
    backtest,
    forecast,
    forecast_many,
)
from forecasting.kernel.profiles import Profile
from forecasting.kernel.scores import coverage, mae
from forecasting.kernel.series import Rule

from .worlds import HOUR, MONDAY, daily_wave, hourly, noisy_wave

DAY = pd.Timedelta(days=1)


def test_a_wave_without_noise_goes_on():
    answer = forecast(hourly(daily_wave(30)), 48, step=HOUR)
    np.testing.assert_allclose(answer.mean, daily_wave(2), atol=0.5)
    assert list(answer.index) == list(pd.date_range(MONDAY + 30 * DAY, periods=48, freq="h"))


def test_a_constant_series_stays_constant():
    answer = forecast(hourly(np.full(24 * 14, 7.0)), 24, step=HOUR)
    np.testing.assert_allclose(answer.mean, 7.0)
    np.testing.assert_allclose(answer.quantiles[0.95], 7.0, atol=1e-6)


def test_working_days_and_weekends_are_told_apart():
    # Weekdays 100, Saturdays and Sundays 60; four weeks from a Monday, then Friday to Monday are asked.
    days = np.repeat([100.0 if k % 7 < 5 else 60.0 for k in range(32)], 24)
    noise = np.random.default_rng(3).standard_normal(len(days))
    answer = forecast(hourly(days + noise), 96, step=HOUR)
    assert answer.mean.reshape(4, 24).mean(axis=1) == pytest.approx([100, 60, 60, 100], abs=4)


def test_quantiles_never_cross_and_keep_to_the_limits():
    answer = forecast(hourly(noisy_wave(21, seed=2, spread=12.0)), 72, step=HOUR, limits=Limits(70.0, 125.0))
    bands = np.array([answer.quantiles[level] for level in sorted(answer.quantiles)])
    assert (np.diff(bands, axis=0) >= 0).all()
    assert bands.min() >= 70.0 and bands.max() <= 125.0


def test_the_90_percent_band_holds_about_90_percent():
    # 40 series of the wave with normal noise, a day ahead each: 960 steps. The best possible band is ±1.645·3.
    histories = {str(seed): hourly(noisy_wave(43, seed)) for seed in range(40)}
    answers = forecast_many({key: line[:-24] for key, line in histories.items()}, 24, step=HOUR)
    shares, widths = [], []
    for key, answer in answers.items():
        assert isinstance(answer, Forecast)
        low, high = answer.quantiles[0.05], answer.quantiles[0.95]
        shares.append(coverage(histories[key].to_numpy()[-24:], low, high))
        widths.append(float(np.mean(high - low)))
    assert 0.86 < np.mean(shares) < 0.95
    # Wider than the best by what 21 origins cannot know: the mean of an hour, and the tail of 126 errors.
    assert np.mean(widths) == pytest.approx(2 * 1.645 * 3, rel=0.20)


def test_shares_add_up_and_are_told():
    answer = forecast(hourly(noisy_wave(30, seed=1)), 24, step=HOUR)
    assert sum(answer.weights.values()) == pytest.approx(1.0)
    best = max(answer.weights, key=lambda name: answer.weights[name])
    assert answer.method.startswith(f"{best} {100 * answer.weights[best]:.0f} %")


def test_a_river_is_not_forecast_by_yesterdays_hours():
    # 300 m³/s more every ten days, falling to 37 % in 72 hours: the recession goes on, no hour of the day repeats.
    hours = np.arange(24 * 60)
    flow = 20 + sum(np.where(hours >= at, 300 * np.exp(-(hours - at) / 72), 0.0) for at in range(-40, 1440, 240))
    answer = forecast(hourly(flow)[:1230], 24, step=HOUR)  # 70 hours after the sixth storm
    assert not any(name.startswith(("seasonal", "week")) for name in answer.weights)
    assert mae(flow[1230:1254], answer.mean) < 0.5 * mae(flow[1230:1254], flow[1206:1230])


def test_a_known_influence_is_used():
    # The load is 50 plus twice a temperature that wanders without a cycle; the coming temperature is given.
    steps = 24 * 40
    warmth = 20 + np.cumsum(np.random.default_rng(5).standard_normal(steps)) / 3
    load = hourly(50 + 2 * warmth + 0.1 * np.random.default_rng(6).standard_normal(steps))
    table = pd.DataFrame({"warmth": warmth}, index=load.index)
    blind = forecast(load[:-48], 48, step=HOUR)
    seeing = forecast(load[:-48], 48, step=HOUR, regressors=table)
    assert mae(load.to_numpy()[-48:], seeing.mean) < 0.5 * mae(load.to_numpy()[-48:], blind.mean)


def test_a_late_feed_is_bridged():
    # The last value is 6 hours old: the forecast begins at the start asked for, not behind the last value.
    answer = forecast(hourly(daily_wave(30)[:-6]), 24, step=HOUR, start=MONDAY + 30 * DAY)
    assert answer.index[0] == MONDAY + 30 * DAY
    np.testing.assert_allclose(answer.mean, daily_wave(1), atol=0.5)
    assert [(note.rule, note.count) for note in answer.notes] == [(Rule.LATE, 6)]


def test_nothing_behind_the_start_is_looked_at():
    history = hourly(noisy_wave(30, seed=1))
    known = forecast(history[: 24 * 25], 24, step=HOUR)
    asked = forecast(history, 24, step=HOUR, start=MONDAY + 25 * DAY)
    assert asked.mean.tolist() == known.mean.tolist()


def test_the_past_of_another_series_changes_nothing():
    alone = forecast(hourly(noisy_wave(30, seed=1)), 24, step=HOUR)
    histories = {"a": hourly(noisy_wave(30, seed=1)), "b": hourly(50 * noisy_wave(30, seed=2))}
    together = forecast_many(histories, 24, step=HOUR)["a"]
    assert isinstance(together, Forecast)
    np.testing.assert_allclose(together.mean, alone.mean, rtol=1e-9)


@pytest.mark.parametrize("step", ["5min", "15min", "1h", "3h", "1D", "7D"])
def test_steps_from_minutes_to_weeks_are_forecast(step: str):
    index = pd.date_range(MONDAY, periods=1200 if step != "7D" else 120, freq=step)
    days = (index - MONDAY) / DAY
    values = 100 + 20 * np.sin(2 * np.pi * days) + 5 * np.sin(2 * np.pi * days / 7)
    values = values + np.random.default_rng(1).standard_normal(len(index))
    answer = forecast(pd.Series(values[:-8], index=index[:-8]), 8, step=pd.Timedelta(step))
    assert list(answer.index) == list(index[-8:])
    assert mae(values[-8:], answer.mean) < 3.0


def test_whole_numbers_count_steps_and_their_cycle_is_found():
    history = pd.Series(daily_wave(20), index=range(1, 481))
    answer = forecast(history, 24, step=None)
    assert list(answer.index) == list(range(481, 505))
    np.testing.assert_allclose(answer.mean, daily_wave(1), atol=0.5)


# --- too little to go by ---------------------------------------------------------------------------------------
CYCLE = Profile.from_dict({"kind": "cycle", "level": 100.0, "hour": [0.5] * 12 + [1.5] * 12, "noise": 0.1})
TAIPEI = Calendar(ZoneInfo("Asia/Taipei"))


def test_without_a_history_the_profile_stands_in_at_local_time():
    # 16:00 UTC is midnight in Taipei, where the profile has twelve hours of 50 and twelve of 150.
    start = MONDAY + 16 * HOUR
    nothing = pd.Series(dtype=float, index=pd.DatetimeIndex([], tz="UTC"))
    answer = forecast(nothing, 24, step=HOUR, profile=CYCLE, calendar=TAIPEI, start=start)
    assert answer.mean.tolist() == pytest.approx([50.0] * 12 + [150.0] * 12)
    assert answer.method == "profile"
    assert answer.notes[0].rule == Rule.PROFILE and "no value at all" in answer.notes[0].did
    assert (answer.quantiles[0.05] < answer.mean).all() and (answer.mean < answer.quantiles[0.95]).all()


def test_a_few_values_move_the_level_of_the_profile():
    # One day of values 20 % above the profile; a day is half of the two days that would be trusted: 10 %.
    history = hourly(1.2 * np.array([50.0] * 12 + [150.0] * 12))
    answer = forecast(history, 24, step=HOUR, profile=CYCLE)
    assert answer.mean.tolist() == pytest.approx([55.0] * 12 + [165.0] * 12)
    assert [note.rule for note in answer.notes] == [Rule.PROFILE, Rule.SHORT]


@pytest.mark.parametrize(
    ("history", "start", "reason"),
    [
        (hourly(np.array([])), None, "no value at all"),
        (hourly(np.full(48, np.nan)), None, "no value at all"),
        (hourly(np.full(30, -1.0)), None, "no usable value .impossible value: 30."),
        (hourly(daily_wave(2)), None, "48 usable values are too few, at least 96 are needed"),
        (hourly(daily_wave(10)), MONDAY + 40 * DAY, "720 steps before the start"),
    ],
)
def test_too_little_without_a_profile_is_refused_with_the_reason(history, start, reason: str):
    with pytest.raises(Refused, match=reason):
        forecast(history, 24, step=HOUR, limits=Limits(minimum=0.0), start=start)


def test_one_refused_series_does_not_stop_the_others():
    answers = forecast_many({"bad": hourly(np.ones(3)), "good": hourly(daily_wave(20))}, 24, step=HOUR)
    assert isinstance(answers["bad"], Refusal) and isinstance(answers["good"], Forecast)
    assert list(answers) == ["bad", "good"]


# --- what would have been forecast -----------------------------------------------------------------------------
def test_a_backtest_forecasts_every_day_as_it_would_have_been():
    # Ten midnights; changing what came after the sixth must not move the first six forecasts or their bands.
    values = noisy_wave(50, seed=4)
    later = values.copy()
    later[24 * 46 :] += 30.0
    one, other = (backtest(hourly(line), 24, 10, step=HOUR) for line in (values, later))
    assert [answer.index[0] for answer in one] == [MONDAY + k * DAY for k in range(41, 51)]
    for before, after in zip(one[:6], other[:6], strict=True):
        np.testing.assert_allclose(before.mean, after.mean, rtol=1e-9)
        np.testing.assert_allclose(before.quantiles[0.95], after.quantiles[0.95], rtol=1e-9)
    assert not np.allclose(one[-1].mean, other[-1].mean)


def test_a_year_of_weather_and_holidays_is_learnt_lead_by_lead():
    # 100, and 10 more per degree above 20 at noon only: an effect that one slope for all hours cannot hold.
    days, zone = 420, ZoneInfo("Asia/Taipei")
    warmth = 20 + 5 * np.random.default_rng(2).standard_normal(days)
    noon = np.arange(24) == 12
    load = 100 + 10 * np.maximum(warmth - 20, 0)[:, None] * noon + np.random.default_rng(3).standard_normal((days, 24))
    history = hourly(load.ravel(), MONDAY.tz_localize(None).tz_localize(zone).tz_convert("UTC"))
    table = pd.DataFrame({"warmth": np.repeat(warmth, 24)}, index=history.index)
    calendar = Calendar(zone, off={date(2026, 10, 10): True})
    answers = backtest(history[:-24], 24, 30, step=HOUR, regressors=table, calendar=calendar)
    # The midnights are those of the days 390 to 419; the noise of 1 alone gives an error of 0.8.
    assert mae(load[390:], np.stack([answer.mean for answer in answers])) < 1.3
    assert "ridge (lead)" in answers[-1].weights


def test_days_keep_their_hours_where_the_clock_changes():
    # Melbourne: 100 by night, 200 from 7 to 19 h on the wall clock, which goes forward on 4 October 2026.
    zone = ZoneInfo("Australia/Melbourne")
    index = pd.date_range("2026-08-17", "2026-10-09", freq="h", tz=zone, inclusive="left")
    load = pd.Series(np.where((index.hour >= 7) & (index.hour < 19), 200.0, 100.0), index=index.tz_convert("UTC"))
    answer = forecast(load[:-24], 24, step=HOUR, calendar=Calendar(zone))
    np.testing.assert_allclose(answer.mean, load.to_numpy()[-24:], atol=15)


def by_the_wall_clock(first: str, end: str, freq: str = "h") -> pd.Series:
    """Rome: 300 at 7 o'clock, else 100."""
    index = pd.date_range(first, end, freq=freq, tz="Europe/Rome", inclusive="left")
    return pd.Series(np.where(index.hour == 7, 300.0, 100.0), index=index.tz_convert("UTC"))


@pytest.mark.parametrize("change", ["2026-10-25", "2027-03-28"])
@pytest.mark.parametrize("days_before", [0, 3])
def test_seven_in_the_morning_stays_seven_when_the_clock_changes(change: str, days_before: int):
    # The clock goes back (forward) on the day named; the forecast begins at its midnight, or 3 days before.
    rome = ZoneInfo("Europe/Rome")
    start = pd.Timestamp(change, tz=rome) - pd.DateOffset(days=days_before)
    load = by_the_wall_clock(str(start.date() - pd.Timedelta(days=60)), str(start.date() + pd.Timedelta(days=8)))
    answer = forecast(load, 168, step=HOUR, calendar=Calendar(rome), start=start)
    assert (answer.index == pd.date_range(start.tz_convert("UTC"), periods=168, freq="h")).all()
    np.testing.assert_allclose(answer.mean, load.reindex(answer.index), atol=1)


def test_the_day_after_the_clock_went_back_knows_the_hours_of_the_week_before():
    load = by_the_wall_clock("2026-08-31", "2026-10-26")
    answer = forecast(load, 168, step=HOUR, calendar=Calendar(ZoneInfo("Europe/Rome")))
    assert [time.hour for time in answer.index[answer.mean > 200].tz_convert("Europe/Rome")] == [7] * 7
    assert not answer.notes


def test_a_forecast_may_begin_within_the_hour_that_comes_twice():
    load = by_the_wall_clock("2026-09-20", "2026-10-26", "15min")
    start = pd.Timestamp("2026-10-25T01:00Z")  # 2 o'clock, the second time
    answer = forecast(load, 96, step=pd.Timedelta(minutes=15), calendar=Calendar(ZoneInfo("Europe/Rome")), start=start)
    assert answer.index[0] == start and answer.index[-1] == start + pd.Timedelta(minutes=95 * 15)
    assert answer.index[answer.mean > 200].tz_convert("Europe/Rome").hour.tolist() == [7] * 4


def test_past_forecasts_begin_at_local_midnight_on_both_sides_of_a_change():
    load = by_the_wall_clock("2026-08-31", "2026-10-28")
    answers = backtest(load[:-24], 24, 5, step=HOUR, calendar=Calendar(ZoneInfo("Europe/Rome")))
    assert [answer.index[0].tz_convert("Europe/Rome").hour for answer in answers] == [0] * 5
    for answer in answers:
        np.testing.assert_allclose(answer.mean, load.reindex(answer.index), atol=1)


def test_a_regressor_is_not_missing_in_the_hour_that_the_clock_skips():
    load = by_the_wall_clock("2027-01-25", "2027-03-27")
    table = pd.DataFrame(
        {"warmth": 20.0 + np.arange(len(load) + 72) % 5}, pd.date_range(load.index[0], periods=len(load) + 72, freq="h")
    )
    answer = forecast(load, 72, step=HOUR, regressors=table, calendar=Calendar(ZoneInfo("Europe/Rome")))
    assert not answer.notes


def test_adaptive_bands_hold_what_they_say_though_errors_double():
    # 700 days of normal errors whose spread doubles half way: each band is read before its error is seen.
    rng = np.random.default_rng(7)
    errors = rng.standard_normal(700) * np.where(np.arange(700) < 350, 1.0, 2.0)
    latest_first = errors[::-1][None, :, None]
    offsets = adaptive_offsets(latest_first, (0.05, 0.95), 501)[:, 0, 1:, 0]
    truth = errors[::-1][:500]
    held = (truth >= offsets[0]) & (truth <= offsets[1])
    assert held.mean() == pytest.approx(0.90, abs=0.02)
