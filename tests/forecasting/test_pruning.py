"""Old forecasts go, one a day and series stays with its scores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from forecasting.models import Forecast, Lead, Score
from forecasting.pruning import prune_city

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def forecast(series, known_at: datetime) -> Forecast:
    made = Forecast.objects.create(series=series, known_at=known_at, start=known_at, step_minutes=60, mean=[1.0])
    Score.objects.create(series=series, forecast=made, known_at=known_at, lead=Lead.HOURS_6, wanted=6, count=0)
    return made


def test_the_first_forecast_of_each_old_local_day_stays(city, make_series):
    load, flow = make_series("load"), make_series("flow")
    old = NOW - timedelta(days=20)
    # 16:00 UTC is midnight in Taiwan.
    first, second, next_day = (forecast(load, old + k * HOUR) for k in (1, 15, 16))
    other = forecast(flow, old + 2 * HOUR)
    assert prune_city(city, NOW, days=10) == 1
    assert set(Forecast.objects.all()) == {first, next_day, other}
    assert not Score.objects.filter(forecast=second.pk).exists()
    assert Score.objects.count() == 3


def test_what_is_younger_stays_whole(city, make_series):
    load = make_series("load")
    for k in range(3):
        forecast(load, NOW - timedelta(days=9) + k * HOUR)
    assert prune_city(city, NOW, days=10) == 0
    assert Forecast.objects.count() == 3


def test_many_go_in_batches(city, make_series, monkeypatch):
    monkeypatch.setattr("forecasting.pruning.BATCH", 2)
    load = make_series("load")
    for k in range(6):
        forecast(load, NOW - timedelta(days=20) + k * HOUR)
    assert prune_city(city, NOW, days=10) == 5
    assert prune_city(city, NOW, days=10) == 0
