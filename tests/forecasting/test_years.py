"""Years of history are read in production, and are worth it: half-hourly load of Victoria, 2012 to 2014."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasting import readers
from forecasting.ingest import Measured, append
from forecasting.models import Forecast, Series
from forecasting.readers import history, replayed

ORIGINS = [datetime(2014, month, 12, 14, tzinfo=UTC) for month in (2, 4, 6, 8, 10, 12)]
"""Midnights of Melbourne, give or take the clock's change."""
TWO_DAYS = timedelta(days=2)


@pytest.fixture
def victoria(city, make_series, shared_data: Path) -> Series:
    path = shared_data / "forecasting" / "vic_elec_30min.parquet"
    if not path.is_file():
        pytest.skip(f"needs {path}, which is not part of the repository")
    table = pd.read_parquet(path)
    city.time_zone, city.calendar = "Australia/Melbourne", {"country": "AU"}
    city.save()
    load: Series = make_series("load", step_minutes=30, minimum=0)
    append(_measured(load, table[table["utc"] > "2012-03"]), synthetic=False)
    return load


def _measured(load: Series, table: pd.DataFrame) -> Iterator[Measured]:
    for at, value in zip(table["utc"].dt.tz_localize("UTC").dt.to_pydatetime(), table["demand"], strict=True):
        yield Measured(load.pk, at, at + load.step, float(value))


def test_two_years_of_half_hours_teach_more_than_two_months(victoria, monkeypatch):
    truth, _synthetic = history(victoria, datetime(2015, 2, 1, tzinfo=UTC))
    long = [_forecast(victoria, origin) for origin in ORIGINS]
    monkeypatch.setattr(readers, "HISTORY_DAYS", 60)
    short = [_forecast(victoria, origin) for origin in ORIGINS]
    assert all("ridge (lead)" in made.weights for made in long)
    assert not any("ridge (lead)" in made.weights for made in short)
    assert all(made.step_minutes == 30 for made in long)
    assert _error(long, truth) < _error(short, truth)


def _forecast(load: Series, origin: datetime) -> Forecast:
    return replayed([load], origin, origin + TWO_DAYS, origin)[load.pk]


def _error(made: list[Forecast], truth: pd.Series) -> float:
    """Mean absolute error of two days ahead."""
    return float(np.mean([np.abs(truth.reindex(one.times[:96]).to_numpy() - one.mean[:96]).mean() for one in made]))
