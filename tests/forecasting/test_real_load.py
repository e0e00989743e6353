"""Real loads of Taiwan's southern region, summer 2024.

Choices were made on origins up to 12 August (docs/forecasting.md says how); measured are the 21 days from the 14th on.
"""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.forecast import Calendar, forecast
from forecasting.kernel.series import Rule

HOUR = pd.Timedelta(hours=1)
TAIWAN = Calendar(ZoneInfo("Asia/Taipei"), "TW")
MARGIN = 0.20
"""The combination must beat the better seasonal naive forecast by this share; 0.27 was measured."""


def region(shared_data: Path, file: str) -> pd.Series:
    """MW every 10 minutes. Full hours of some days are written "00" and not "00:00"."""
    path = shared_data / "kaohsiung" / "taipower_region" / file
    if not path.is_file():
        pytest.skip(f"needs {path}, which is not part of the repository")
    table = pd.read_csv(path)
    times = table["datetime_taipei"]
    times = times.where(times.str.len() == len("2024-07-03 00:10"), times + ":00")
    index = pd.DatetimeIndex(pd.to_datetime(times, format="%Y-%m-%d %H:%M")).tz_localize("Asia/Taipei")
    return pd.Series(table["load_south_mw"].to_numpy(float), index=index.tz_convert("UTC"))


@pytest.fixture(scope="module")
def hourly(shared_data: Path) -> pd.Series:
    return region(shared_data, "loadareas_10min_2024-07_09.csv").resample("h").mean().dropna()


def test_two_days_ahead_beat_the_better_seasonal_naive_by_a_fifth(hourly: pd.Series):
    origins = pd.date_range("2024-08-14", periods=21, freq="D", tz="Asia/Taipei").tz_convert("UTC")
    errors: dict[str, list[float]] = {"combined": [], "day": [], "week": []}
    covered: list[bool] = []
    for origin in origins:
        answer = forecast(hourly[hourly.index < origin], 48, step=HOUR, calendar=TAIWAN, start=origin)
        truth = hourly.reindex(answer.index).to_numpy()
        day = hourly.reindex(answer.index - pd.Timedelta(days=1)).to_numpy().copy()
        day[24:] = day[:24]  # the second day repeats the last day that was known, too
        week = hourly.reindex(answer.index - pd.Timedelta(days=7)).to_numpy()
        for name, expected in (("combined", answer.mean), ("day", day), ("week", week)):
            errors[name].append(float(np.nanmean(np.abs(truth - expected))))
        covered += list((truth >= answer.quantiles[0.05]) & (truth <= answer.quantiles[0.95]))
    mean = {name: float(np.mean(one)) for name, one in errors.items()}
    assert mean["combined"] < (1 - MARGIN) * min(mean["day"], mean["week"]), mean
    assert 0.80 < np.mean(covered) < 0.99


def test_the_glitch_of_the_feed_is_found_and_not_used(shared_data: Path):
    load = region(shared_data, "region_10min_2024-07_09.csv")
    glitch = pd.Timestamp("2024-08-26 11:10", tz="Asia/Taipei")
    assert load[glitch] == 7142.0
    around = load[glitch - pd.Timedelta(days=20) : glitch + pd.Timedelta(hours=6)]
    answer = forecast(around, 36, step=pd.Timedelta(minutes=10), calendar=TAIWAN)
    (note,) = [note for note in answer.notes if note.rule == Rule.SPIKE]
    assert (note.count, note.first) == (1, glitch)
