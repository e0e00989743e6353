"""What drives a series moves its forecast, as far as it was known."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from cities.models import City, Membership
from forecasting.drivers import Driver, on_steps
from forecasting.ingest import Row, ingest
from forecasting.models import Forecast, Observation, Series
from forecasting.readers import expected
from forecasting.scoring import score_city
from forecasting.synthetic import demo_history

TAIPEI = ZoneInfo("Asia/Taipei")
NOW = datetime(2026, 3, 5, tzinfo=TAIPEI)
"""A Thursday."""
TUESDAY = datetime(2026, 3, 10, tzinfo=TAIPEI)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RAMP = {"kind": "schedule", "level": 1.0}


def hours(days: int, start: datetime = NOW) -> tuple[list[datetime], list[float]]:
    return [start + k * HOUR for k in range(24 * days)], [1.0] * 24 * days


def steady(key: str, days: int, level: float = 400.0) -> list[Row]:
    """A fab's load up to NOW, level to 1 % more by the hour."""
    starts = [NOW - k * HOUR for k in range(24 * days, 0, -1)]
    return [Row(key, at, level * (1 + at.hour / 2400), at + HOUR) for at in starts]


@pytest.fixture
def fab(city, make_series):
    make_series("ramp", unit="share", step_minutes=1440, minimum=0, maximum=2, profile=RAMP)
    load = make_series("fab", drivers=["ramp"], minimum=0, maximum=700)
    ingest(city, steady("fab", 30), now=NOW)
    return load


def day_means(values: tuple[float, ...]) -> list[float]:
    return [float(np.mean(values[k : k + 24])) for k in range(0, len(values), 24)]


# --- schedules -----------------------------------------------------------------------------------------------
def test_a_shutdown_announced_today_empties_next_tuesday_and_no_other_day(city, fab):
    before = day_means(expected(fab, *hours(7), NOW).values)
    ingest(city, [Row("ramp", TUESDAY, 0.0, NOW)], now=NOW + HOUR)
    found = expected(fab, *hours(7), NOW)
    assert before == pytest.approx([402] * 7, abs=2)
    assert day_means(found.values) == pytest.approx([402, 402, 402, 402, 402, 0, 402], abs=2)
    assert max(found.high[120:144]) == 0
    (note,) = Forecast.objects.get(pk=found.forecast_id).notes
    assert (note["rule"], note["count"]) == ("schedule", 24)
    assert note["did"] == "multiplied by the schedule ramp, 0.00 to 1.00"


def test_a_shutdown_announced_tomorrow_is_not_known_today(city, fab):
    ingest(city, [Row("ramp", TUESDAY, 0.0, NOW + DAY)], now=NOW + DAY)
    assert day_means(expected(fab, *hours(7), NOW).values)[5] == pytest.approx(402, abs=2)
    assert day_means(expected(fab, *hours(6, NOW + DAY), NOW + DAY).values)[4] == 0


def test_a_shutdown_that_is_called_off_is_none(city, fab):
    ingest(city, [Row("ramp", TUESDAY, 0.0, NOW - DAY), Row("ramp", TUESDAY, 1.0, NOW)], now=NOW)
    assert day_means(expected(fab, *hours(7), NOW).values)[5] == pytest.approx(402, abs=2)


def test_a_past_shutdown_teaches_nothing_and_half_running_is_half(city, fab):
    """Last Tuesday stood still; without its schedule this Tuesday would be expected lower."""
    last = TUESDAY - 7 * DAY
    ingest(city, [Row("fab", last + k * HOUR, 0.0, NOW) for k in range(24)], now=NOW)
    ingest(city, [Row("ramp", last, 0.0, NOW), Row("ramp", TUESDAY, 0.5, NOW)], now=NOW)
    found = day_means(expected(fab, *hours(7), NOW).values)
    assert found == pytest.approx([402, 402, 402, 402, 402, 201, 402], abs=4)


def test_a_published_ramp_up_lifts_a_fab_that_was_never_measured(city, make_series):
    phases = [["2026-01-01", 0.5], ["2026-03-08", 1.0]]
    make_series("ramp", unit="share", step_minutes=1440, profile={**RAMP, "level": 0.0, "phases": phases})
    use = make_series("use", drivers=["ramp"], minimum=0, profile={"kind": "cycle", "level": 2.0, "noise": 0.0})
    assert day_means(expected(use, *hours(5), NOW).values) == pytest.approx([1, 1, 1, 2, 2])


def test_a_synthetic_history_ramps_up_as_published_and_a_schedule_is_never_invented(city, make_series):
    phases = [["2026-03-03", 0.5], ["2026-03-04", 1.0]]
    ramp = make_series("ramp", unit="share", step_minutes=1440, profile={**RAMP, "level": 0.0, "phases": phases})
    use = make_series("use", drivers=["ramp"], profile={"kind": "cycle", "level": 2.0, "noise": 0.0})
    demo_history(city, NOW, days=3)
    assert not Observation.objects.filter(series=ramp).exists()
    values = Observation.objects.filter(series=use).order_by("valid_at").values_list("value", flat=True)
    assert day_means(tuple(values)) == pytest.approx([0, 1, 2])


def test_only_schedules_may_be_recorded_before_they_are_valid(city, make_series):
    make_series("ramp", unit="share", step_minutes=1440, profile=RAMP)
    make_series("load")
    counts = ingest(city, [Row("ramp", TUESDAY, 0.5, NOW), Row("load", TUESDAY, 5.0, NOW)], now=NOW)
    assert (counts.new, counts.refused) == (1, {"in the future": 1})


def test_what_people_announce_is_not_judged(city, make_series):
    ramp = make_series("ramp", unit="share", step_minutes=1440, profile=RAMP)
    ingest(city, [Row("ramp", NOW + k * DAY, 1.0, NOW - DAY) for k in range(-9, 1)], now=NOW)
    assert expected(ramp, *hours(2, NOW - 2 * DAY), NOW - 2 * DAY).values == (1.0,) * 48
    assert score_city(city, NOW) == 0


# --- weather -------------------------------------------------------------------------------------------------
def warm_and_load(days: int) -> tuple[list[float], list[Row], list[Row]]:
    """Days of 20 to 30 degrees in no order, and a load of 10 MW a degree that does not otherwise change by the day."""
    warm = [20.0 + (7 * k * k) % 11 for k in range(days + 7)]
    begin = NOW - days * DAY
    air = [Row("air", begin + k * DAY, warm[k], min(begin + (k + 1) * DAY, NOW)) for k in range(days + 7)]
    load = [
        Row("load", begin + k * HOUR, 10 * warm[k // 24] + 5 * np.sin(k * np.pi / 12), begin + (k + 1) * HOUR)
        for k in range(24 * days)
    ]
    return warm[days:], air, load


def test_a_weather_forecast_recorded_ahead_is_learnt_from_and_used(city, make_series):
    make_series("air", unit="degC", step_minutes=1440, profile={"kind": "schedule", "level": 25, "effect": "learn"})
    load = make_series("load", drivers=["air"], minimum=0)
    ahead, air, measured = warm_and_load(50)
    ingest(city, [*air, *measured], now=NOW)
    found = day_means(expected(load, *hours(7), NOW).values)
    errors = [abs(value - 10 * warm) for value, warm in zip(found, ahead, strict=True)]
    # Days differ from the mean by 27 MW on average; the mean day would err by that.
    assert np.mean(errors) < 10


def test_a_driver_without_a_schedule_is_itself_forecast(city, make_series):
    air = make_series("air", unit="degC", step_minutes=1440)
    load = make_series("load", drivers=["air"], minimum=0)
    _ahead, rows, measured = warm_and_load(50)
    ingest(city, [*(row for row in rows if row.valid_at < NOW), *measured], now=NOW)
    found = expected(load, *hours(7), NOW)
    # The days' warmth moves the load by 33 MW: a band that trusted the guess would be 9 MW wide.
    assert np.mean(np.array(found.high) - found.low) > 80
    weather = Forecast.objects.get(series=air)
    assert weather.start <= NOW
    assert weather.times[-1] >= NOW + 7 * DAY
    assert not [note for note in Forecast.objects.get(series=load).notes if note["rule"] == "regressor"]


def test_a_driver_that_was_never_measured_is_left_out_and_the_forecast_says_so(city, make_series):
    make_series("air", unit="degC", profile={"kind": "cycle", "level": 25})
    load = make_series("load", drivers=["air", "gone"])
    ingest(city, steady("load", 30), now=NOW)
    found = expected(load, *hours(7), NOW)
    notes = Forecast.objects.get(pk=found.forecast_id).notes
    assert {note["did"] for note in notes} == {
        "air is not known there and was not used",
        "gone is not known there and was not used",
    }
    assert day_means(found.values) == pytest.approx([402] * 7, abs=2)
    assert not found.synthetic


@pytest.mark.parametrize("minutes", [60, 30])
def test_of_weather_that_nobody_announces_only_the_past_is_told_beside_years_of_history(city, make_series, minutes):
    make_series("air", unit="degC", step_minutes=1440)
    load = make_series("load", drivers=["air"], minimum=0, step_minutes=minutes)
    _ahead, rows, hourly = warm_and_load(210)
    measured = [row._replace(valid_at=row.valid_at + k * HOUR / 2) for row in hourly for k in range(60 // minutes)]
    ingest(city, [*(row for row in rows if row.valid_at < NOW), *measured], now=NOW)
    made = Forecast.objects.get(pk=expected(load, *hours(1), NOW).forecast_id)
    assert [note["did"] for note in made.notes] == ["air is not known from there on: the last day known stands in"]
    assert "ridge (lead, calendar)" in made.weights


# --- what is stored ------------------------------------------------------------------------------------------
def test_a_stored_forecast_serves_until_something_of_its_drivers_is_recorded(city, fab):
    first = expected(fab, *hours(7), NOW).forecast_id
    assert expected(fab, *hours(7), NOW + HOUR / 60).forecast_id == first
    ingest(city, [Row("ramp", TUESDAY, 0.0, NOW + HOUR / 30)], now=NOW + HOUR)
    assert expected(fab, *hours(7), NOW + HOUR / 60).forecast_id == first
    assert expected(fab, *hours(7), NOW + HOUR / 20).forecast_id != first


# --- on the steps of what is driven --------------------------------------------------------------------------
def line(values: list[float], start: datetime, step: timedelta) -> pd.Series:
    return pd.Series(values, pd.DatetimeIndex([start.astimezone(UTC) + k * step for k in range(len(values))]))


def test_a_daily_driver_holds_through_the_hours_of_its_local_day(make_series):
    air = make_series("air", step_minutes=1440)
    steps = pd.date_range(NOW.astimezone(UTC), periods=48, freq="h")
    found = on_steps(Driver(air, line([20.0, 30.0], NOW, DAY), None), steps, pd.Timedelta(HOUR))
    assert found.tolist() == [20.0] * 24 + [30.0] * 24


def test_an_hourly_driver_is_averaged_over_the_days_and_a_short_gap_is_bridged(make_series):
    air = make_series("air")
    hourly = line([*range(24), *range(24)], NOW, HOUR).drop(pd.Timestamp(NOW) + pd.Timedelta("5h"))
    steps = pd.DatetimeIndex([NOW.astimezone(UTC), (NOW + DAY).astimezone(UTC)])
    found = on_steps(Driver(air, hourly, None), steps, pd.Timedelta(DAY))
    assert found.tolist() == [11.5, 11.5]


# --- what is refused -----------------------------------------------------------------------------------------
def test_a_series_may_not_drive_itself_through_others(city, make_series):
    make_series("a", drivers=["b"], profile={"kind": "flat", "level": 1})
    make_series("b", drivers=["c"], profile={"kind": "flat", "level": 1})
    last = make_series("c", profile={"kind": "flat", "level": 1})
    last.drivers = ["a"]
    with pytest.raises(ValidationError) as raised:
        last.full_clean()
    assert raised.value.message_dict == {"drivers": ["A series cannot drive itself: c ← a ← b ← c."]}


def test_a_driver_must_be_a_series_of_the_city(city, make_series):
    load = make_series("load", drivers=["nowhere"], profile={"kind": "flat", "level": 1})
    with pytest.raises(ValidationError) as raised:
        load.full_clean()
    assert raised.value.message_dict == {"drivers": ["No series nowhere in this city."]}


# --- the admin -----------------------------------------------------------------------------------------------
def test_engineers_choose_drivers_from_the_series_there_are(city, fab, make_series, admin_client):
    make_series("air", profile={"kind": "cycle", "level": 25})
    other = City.objects.create(key="other", name="Other", latitude=25, longitude=121)
    Series.objects.create(city=other, key="secret_fab", name="Secret", unit="MW")
    page = f"/admin/forecasting/series/{fab.pk}/change/"
    shown = admin_client.get(page)
    assert re.search(r'<input[^>]*name="drivers" value="ramp"[^>]* checked>\s*Ramp \(ramp\)', shown.content.decode())
    assert "secret_fab" not in shown.content.decode()
    form = {name: value for name, value in shown.context["adminform"].form.initial.items() if value is not None}
    answer = admin_client.post(page, {**form, "profile": "{}", "drivers": ["air", "ramp"]})
    fab.refresh_from_db()
    assert (answer.status_code, fab.drivers) == (302, ["air", "ramp"])
    answer = admin_client.post(page, {**form, "profile": "{}", "drivers": ["fab"]})
    assert "A series cannot drive itself: fab ← fab." in answer.content.decode()


def test_a_new_series_is_offered_no_driver_of_a_city_that_one_may_only_read(city, make_series, client):
    user = User.objects.create_user("reader", is_staff=True)
    other = City.objects.create(key="other", name="Other", latitude=25, longitude=121)
    Series.objects.create(city=other, key="own_air", name="Air", unit="degC")
    make_series("air")
    Membership.objects.create(user=user, city=city, role="viewer")
    Membership.objects.create(user=user, city=other, role="engineer")
    client.force_login(user)
    shown = client.get("/admin/forecasting/series/add/").content.decode()
    assert 'name="drivers" value="own_air"' in shown and 'name="drivers" value="air"' not in shown


def test_the_api_names_what_drives_a_series(make_series, admin_client):
    make_series("air", unit="degC")
    make_series("load", drivers=["air"])
    found = {row["key"]: row["drivers"] for row in admin_client.get("/api/v1/cities/tainan/series/").json()}
    assert found == {"air": [], "load": ["air"]}


def test_a_river_is_told_of_the_rain_of_the_middle_week_and_not_of_the_mean(city, make_series):
    climate = {"kind": "rain", "wet_days_by_month": [2] * 12, "mean_wet_day_mm": 20}
    rain = make_series("rain", unit="mm/h", profile=climate)
    starts = pd.date_range("2026-03-01", periods=48, freq="h", tz="UTC")
    fell = pd.Series(3.0, starts[:24])
    climate_mean = Forecast(series=rain, start=starts[24].to_pydatetime(), step_minutes=60, mean=[1.3] * 24)
    line = on_steps(Driver(rain, fell, climate_mean), starts, pd.Timedelta(hours=1))
    # two wet days a month: most weeks have none
    assert (line[:24] == 3.0).all() and (line[24:] == 0.0).all()
