"""Bands of rivers hold as often as they say, at low water as in the rain, and before the first flood."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasting.kernel.analogues import _unseen, _weighted_quantiles
from forecasting.kernel.forecast import Calendar, Forecast, Limits, forecast
from forecasting.kernel.profiles import Profile, sampled

HOUR = pd.Timedelta(hours=1)
START = pd.Timestamp("2025-01-01", tz="UTC")
WEEK = 168


def river(days: int) -> pd.Series:
    """A base of 5 m³/s with three storms a month of 40, which fall to a third in 30 hours."""
    profile = Profile("river", base_by_month=(5.0,) * 12, storm_rate_per_month=(3.0,) * 12, storm_peak=40.0,
                      recession_hours=30.0, persistence=0.97)  # fmt: skip
    index = pd.date_range(START, periods=24 * days, freq=HOUR)
    return pd.Series(sampled(profile, "a river", Calendar(ZoneInfo("Asia/Taipei")), index, 60), index)


def expected(flow: pd.Series, origin: int, history: int, rain: bool = False) -> Forecast:
    dry = pd.DataFrame({"rain:upper": np.zeros(history + WEEK)}, flow.index[origin - history : origin + WEEK])
    past = flow.iloc[origin - history : origin]
    return forecast(past, WEEK, step=HOUR, regressors=dry if rain else None, limits=Limits(0.0))


def held(flow: pd.Series, history_days: int) -> tuple[float, float]:
    """How much of day 2, and of days 3 to 7, lay within the 90 % bands, from 40 origins nine days apart."""
    inside = []
    for origin in range(24 * history_days, len(flow) - WEEK, 9 * 24)[:40]:
        answer = expected(flow, origin, 24 * history_days)
        came = flow.iloc[origin : origin + WEEK].to_numpy()
        inside.append((came >= answer.quantiles[0.05]) & (came <= answer.quantiles[0.95]))
    return float(np.mean([one[24:48] for one in inside])), float(np.mean([one[48:] for one in inside]))


def test_the_bands_of_a_river_with_two_months_of_history_hold_nine_times_in_ten():
    # by the errors of the last four weeks they held 70 %
    day_2, later = held(river(430), 60)
    assert 0.85 < day_2 < 0.97 and 0.85 < later < 0.97


def ripples(days: int) -> pd.Series:
    """A river at low water: 10 m³/s that swell by half once a week."""
    swell = 10 * (1 + 0.5 * np.exp(-(np.arange(24 * days) % WEEK) / 24))
    return pd.Series(swell, pd.date_range(START, periods=24 * days, freq=HOUR))


def test_weeks_of_low_water_do_not_promise_that_no_flood_comes():
    flow = ripples(45 + 7)
    week_ahead = expected(flow, 45 * 24, 45 * 24, rain=True)
    # two unseen weeks beside four and a half seen ones, half of which rise by e² in the mean: a twentieth by 3.4 times
    assert week_ahead.quantiles[0.95][-1] > 25 > 15 > week_ahead.mean.max()


def test_years_of_low_water_do():
    flow = ripples(700)
    later = expected(flow, 690 * 24, 690 * 24, rain=True)
    assert later.quantiles[0.95].max() < 20


def test_what_was_not_seen_grows_with_the_lead():
    day, week = _unseen(24.0), _unseen(WEEK)
    assert np.all(np.abs(week) > np.abs(day)) and (week > 0).sum() == (week < 0).sum() == 20
    # exponential rises of a factor of e² in the mean, all of it within a week
    assert abs(week[week > 0].mean() - 2.0) < 0.1


def test_values_of_more_weight_count_more():
    # 1 weighs three times as much as 2: the middle of its share lies at 3/8, that of 2 at 7/8
    found = _weighted_quantiles(np.array([2.0, 1.0]), np.array([1.0, 3.0]), [3 / 8, 5 / 8, 7 / 8])
    np.testing.assert_allclose(found, [1.0, 1.5, 2.0])
