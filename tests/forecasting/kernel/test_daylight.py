"""A solar park's forecast: nothing by night, never above a clear sky, and less in winter."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.daylight import ceiling
from forecasting.kernel.forecast import Calendar, Forecast, Limits, forecast
from forecasting.kernel.profiles import Profile, sampled

ZONE = ZoneInfo("Asia/Taipei")
CALENDAR = Calendar(ZONE, "TW")
HOUR = pd.Timedelta(hours=1)
HOURS = (0.0,) * 6 + (0.03, 0.13, 0.25, 0.33, 0.37, 0.4, 0.41, 0.37, 0.33, 0.26, 0.17, 0.08) + (0.0,) * 6
MONTHS = (0.7, 0.8, 1.0, 1.1, 1.2, 1.2, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7)
PARK = Profile("solar", month=MONTHS, hour=HOURS, noise=0.25, persistence=0.5)


def measured(start: pd.Timestamp, days: int = 60) -> pd.Series:
    index = pd.date_range(start - pd.Timedelta(days=days), start, freq="1h", inclusive="left").tz_convert("UTC")
    return pd.Series(sampled(PARK, "park", CALENDAR, index, 60), index)


def expected(day: str, at: str = "00:00") -> tuple[Forecast, pd.Series]:
    start = pd.Timestamp(f"{day} {at}", tz=ZONE)
    history = measured(start)
    answer = forecast(history, 168, step=HOUR, calendar=CALENDAR, limits=Limits(0.0, 1.0))
    return answer, history


@pytest.mark.parametrize("at", ["00:00", "13:00"])
@pytest.mark.parametrize("day", ["2026-03-20", "2026-11-21"])
def test_nothing_comes_by_night_in_any_quantile(day: str, at: str) -> None:
    answer, _ = expected(day, at)
    hour = answer.index.tz_convert(ZONE).hour
    night = (hour < 6) | (hour >= 18)
    assert night.sum() == 7 * 12
    assert (answer.mean[night] == 0).all()
    assert all((line[night] == 0).all() for line in answer.quantiles.values())
    assert (answer.mean[~night] > 0).all()


def test_no_hour_is_brighter_than_a_clear_sky() -> None:
    answer, history = expected("2026-06-21")
    clear = history.groupby(history.index.tz_convert(ZONE).hour).max()
    most = 1.05 * clear.reindex(answer.index.tz_convert(ZONE).hour).to_numpy()
    assert (answer.quantiles[0.95] <= most + 1e-12).all()


def test_a_winter_week_brings_less_than_a_summer_week() -> None:
    winter, summer = (expected(day)[0].mean.sum() for day in ("2026-12-20", "2026-06-21"))
    # the months say 0.7 and 1.2; single weeks are cloudier or clearer than that
    assert 0.4 * summer < winter < 0.8 * summer


def test_a_load_that_rests_for_an_hour_has_no_night() -> None:
    day = np.array([0.0, *range(1, 24)], dtype=float)
    assert ceiling(np.tile(day, 10), np.ones(240, dtype=bool), 24) is None


def test_an_hour_never_measured_is_not_called_night() -> None:
    day = np.array([0.0] * 12 + [5.0] * 12)
    seen = np.tile(np.arange(24) != 3, 10)
    most = ceiling(np.tile(day, 10), seen, 24)
    assert most is not None
    assert most[3] == np.inf and most[4] == 0.0 and most[20] == pytest.approx(5.25)
