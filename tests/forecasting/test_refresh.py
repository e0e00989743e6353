"""The hourly tick: demo feeds go on and forecasts lie ready before a plan asks for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cities.models import City
from forecasting.models import Forecast, Observation, Series
from forecasting.readers import expected
from forecasting.tasks import refresh, refresh_city

NOW = datetime(2026, 3, 2, 4, 5, tzinfo=UTC)
PROFILE = {"kind": "cycle", "level": 100, "noise": 0.05}


@pytest.fixture
def demo(city):
    city.settings = {"demo_history": True}
    city.save()
    return city


def test_a_demo_city_gets_its_history_and_a_week_of_forecasts(demo, make_series):
    load = make_series("load", profile=PROFILE)
    refresh_city(demo, NOW)
    assert Observation.objects.latest("valid_at").valid_at == datetime(2026, 3, 2, 3, tzinfo=UTC)
    made = Forecast.objects.get()
    starts = [NOW.replace(minute=15) + timedelta(hours=k) for k in range(168)]
    assert expected(load, starts, [1.0] * 168, NOW + timedelta(minutes=3)).forecast_id == made.pk


def test_the_next_tick_goes_on_where_the_last_one_stopped(demo, make_series):
    make_series("load", profile=PROFILE)
    refresh_city(demo, NOW)
    before = Observation.objects.count()
    refresh_city(demo, NOW + timedelta(hours=1))
    assert Observation.objects.count() == before + 1
    assert Forecast.objects.count() == 2


def test_a_city_with_feeds_of_its_own_gets_no_synthetic_values(city, make_series):
    make_series("load", profile=PROFILE)
    refresh_city(city, NOW)
    assert not Observation.objects.exists()
    assert Forecast.objects.get().method == "profile"


def test_a_series_of_which_nothing_is_known_stops_no_other(demo, make_series):
    make_series("blind")
    load = make_series("load", profile=PROFILE)
    assert list(refresh_city(demo, NOW)) == [load.pk]


def test_one_citys_bad_data_costs_no_other_city_its_forecasts(demo, make_series):
    make_series("load", profile={"kind": "nonsense"})
    other = City.objects.create(key="other", name="Other", latitude=0, longitude=0)
    good = Series.objects.create(city=other, key="load", name="Load", unit="MW", profile=PROFILE)
    refresh()
    assert list(Forecast.objects.values_list("series", flat=True)) == [good.pk]
