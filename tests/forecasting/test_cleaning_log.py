"""A dirty feed is kept as it came, and the page of its series says what was not believed."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.conf import settings

from config.words import compile_all
from forecasting.ingest import Row, ingest
from forecasting.models import Forecast, Observation
from forecasting.readers import expected

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 11, 2, tzinfo=ROME)
"""The clock went back on 25 October."""
HOUR = timedelta(hours=1)
DAYS = 40


def clean_values() -> np.ndarray:
    at = np.arange(24 * DAYS)
    return 100 + 20 * np.sin(2 * np.pi * at / 24) + np.random.default_rng(1).normal(0, 2, len(at))


@pytest.fixture
def dirty(city, make_series):
    city.time_zone = "Europe/Rome"
    city.save()
    load = make_series("load", maximum=500_000)
    values = clean_values()
    values[300:330] *= 1000  # kW for MW
    values[400:420] = values[400]  # a stuck sensor
    values[500] += 300  # a spike
    values[600:610] = np.nan  # nothing came
    values[-5:] = np.nan  # late
    start = NOW.astimezone(ZoneInfo("UTC")) - DAYS * 24 * HOUR
    rows = [Row("load", start + k * HOUR, value) for k, value in enumerate(values) if np.isfinite(value)]
    rows = [row._replace(recorded_at=row.valid_at + HOUR) for row in rows]
    assert ingest(city, rows, now=NOW).refused == {}
    return load, rows


def test_every_fault_is_named_on_the_page_in_both_languages(dirty, admin_client):
    load, _rows = dirty
    expected(load, [NOW + k * HOUR for k in range(48)], [1.0] * 48, NOW)
    page = f"/admin/forecasting/series/{load.pk}/change/"
    told = admin_client.get(page).content.decode()
    for rule in ("wrong unit", "flat line", "spike", "gap", "late"):
        assert f"<td>{rule}</td>" in told
    assert "1000 times too high, not used" in told
    compile_all(settings.BASE_DIR)
    told = admin_client.get(page, headers={"Accept-Language": "zh-hant"}).content.decode()
    for rule in ("單位錯誤", "數值停滯", "突跳值", "缺漏", "資料延遲"):
        assert f"<td>{rule}</td>" in told


def test_faults_do_not_bend_the_forecast_and_stay_in_the_raw_data(dirty):
    load, rows = dirty
    found = expected(load, [NOW + k * HOUR for k in range(48)], [1.0] * 48, NOW)
    truth = 100 + 20 * np.sin(2 * np.pi * np.arange(48) / 24)
    assert np.abs(np.array(found.values) - truth).mean() < 4
    stored = Observation.objects.filter(series=load).order_by("valid_at").values_list("value", flat=True)
    assert list(stored) == [row.value for row in rows]
    by_rule = {note["rule"]: note["count"] for note in Forecast.objects.get().notes}
    assert by_rule == {"wrong unit": 30, "flat line": 20, "spike": 1, "gap": 10, "late": 5}
