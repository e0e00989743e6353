"""What was known of a series at a moment, and what was expected of it then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forecasting.ingest import Row, ingest
from forecasting.models import Forecast
from forecasting.readers import NothingKnown, expected, expected_many, history, latest
from forecasting.synthetic import demo_history
from forecasting.words import rests_on

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CYCLE = {"kind": "cycle", "level": 100, "hour": [0.5] * 12 + [1.5] * 12, "noise": 0.02}


def hours_from(start: datetime, count: int = 24):
    return [start + k * HOUR for k in range(count)], [1.0] * count


def days_of_hours(key: str, days: int, until: datetime, level: float = 10.0) -> list[Row]:
    """A plain daily cycle, level to 1.5 level, recorded as it happens; the last value is of the hour before `until`."""
    starts = [until - k * HOUR for k in range(24 * days, 0, -1)]
    return [Row(key, at, level * (1 + at.hour / 46) + 0.01 * (at.day % 3), at + HOUR) for at in starts]


# --- what was known ------------------------------------------------------------------------------------------
def test_the_value_known_at_a_moment_is_the_latest_one_recorded_by_then(city, make_series):
    load, at = make_series("load"), NOW - 10 * HOUR
    ingest(city, [Row("load", at, value, at + k * HOUR) for k, value in ((1, 50), (3, 60), (5, 70))], now=NOW)
    seen = [history(load, at + k * HOUR)[0].tolist() for k in (0, 1, 2, 3, 9)]
    assert seen == [[], [50], [50], [60], [70]]
    assert latest(load, at + 4 * HOUR).value == 60
    assert latest(load, at) is None


def test_a_real_value_is_believed_over_a_synthetic_one_whenever_it_was_recorded(city, make_series):
    load = make_series("load", profile=CYCLE)
    demo_history(city, NOW, days=1)
    at = NOW - 5 * HOUR
    ingest(city, [Row("load", at, 7, at)], now=NOW)
    values, synthetic = history(load, NOW)
    assert (values[at], len(values), synthetic) == (7, 24, True)
    assert latest(load, at + HOUR).value == 7


def test_a_history_of_real_values_is_not_synthetic_and_ascends_in_utc(city, make_series):
    load = make_series("load")
    ingest(city, reversed(days_of_hours("load", 2, NOW)), now=NOW)
    values, synthetic = history(load, NOW, days=1)
    assert not synthetic
    assert str(values.index.tz) == "UTC"
    assert list(values.index) == [NOW - k * HOUR for k in range(23, 0, -1)]


# --- what is expected ----------------------------------------------------------------------------------------
def test_what_is_expected_follows_the_history(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    found = expected(load, *hours_from(NOW), NOW)
    # By hour of the (UTC) day 10 × (1 + h / 46), give or take 0.02.
    assert found.values == pytest.approx([10 * (1 + h / 46) for h in range(24)], abs=0.1)
    assert all(low <= value <= high for low, value, high in zip(found.low, found.values, found.high, strict=True))
    assert (found.synthetic, found.notes) == (False, ())


def test_a_step_shorter_or_longer_than_the_series_gets_its_mean_over_time(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    hourly = expected(load, *hours_from(NOW, 4), NOW).values
    starts = [NOW, NOW + 0.25 * HOUR, NOW + 0.5 * HOUR]
    mixed = expected(load, starts, [0.25, 0.25, 2.0], NOW).values
    # The third step holds half of hour 0, hour 1 and half of hour 2.
    assert mixed == pytest.approx([hourly[0], hourly[0], (0.5 * hourly[0] + hourly[1] + 0.5 * hourly[2]) / 2])


def test_later_recordings_are_not_used(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    before = expected(load, *hours_from(NOW), NOW).values
    Forecast.objects.all().delete()
    ingest(city, [Row("load", row.valid_at, 99, NOW + HOUR) for row in days_of_hours("load", 5, NOW)], now=NOW + HOUR)
    assert expected(load, *hours_from(NOW), NOW).values == before


def test_a_forecast_is_stored_and_used_again_within_its_hour(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    first = expected(load, *hours_from(NOW), NOW)
    again = expected(load, *hours_from(NOW + 0.5 * HOUR), NOW + 0.4 * HOUR)
    assert first.forecast_id == again.forecast_id
    stored = Forecast.objects.get()
    assert (stored.known_at, stored.start, stored.step_minutes) == (NOW, NOW, 60)
    assert sorted(stored.quantiles) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert sum(stored.weights.values()) == pytest.approx(1)
    assert expected(load, *hours_from(NOW + HOUR), NOW + HOUR).forecast_id != first.forecast_id


def test_a_longer_question_or_a_newer_recording_makes_a_new_forecast(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    short = expected(load, *hours_from(NOW), NOW)
    long = expected(load, *hours_from(NOW, 48), NOW)
    assert long.forecast_id != short.forecast_id
    ingest(city, [Row("load", NOW, 12, NOW + 0.2 * HOUR)], now=NOW + 0.2 * HOUR)
    assert expected(load, *hours_from(NOW), NOW + 0.3 * HOUR).forecast_id != long.forecast_id


def test_a_row_loaded_later_with_an_earlier_recording_time_makes_a_new_forecast_too(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    first = expected(load, *hours_from(NOW), NOW)
    yesterday = NOW - 24 * HOUR
    ingest(city, [Row("load", yesterday, 999, yesterday + 2 * HOUR)], now=NOW + 0.1 * HOUR)
    again = expected(load, *hours_from(NOW), NOW + 0.2 * HOUR)
    assert again.forecast_id != first.forecast_id
    assert expected(load, *hours_from(NOW), NOW + 0.3 * HOUR).forecast_id == again.forecast_id


def test_a_forecast_of_the_future_is_not_used_for_the_past(city, make_series):
    load = make_series("load")
    ingest(city, days_of_hours("load", 30, NOW), now=NOW)
    later = expected(load, *hours_from(NOW), NOW + 0.5 * HOUR)
    assert expected(load, *hours_from(NOW), NOW + 0.2 * HOUR).forecast_id != later.forecast_id


def test_a_feed_that_stopped_a_while_ago_is_named_and_still_forecast_to_the_start(city, make_series):
    load = make_series("load", name="South load", name_zh="南部用電", stale_after_hours=24)
    ingest(city, days_of_hours("load", 30, NOW - 31 * HOUR), now=NOW)
    found = expected(load, *hours_from(NOW), NOW)
    assert found.values == pytest.approx([10 * (1 + h / 46) for h in range(24)], abs=0.3)
    assert [(note.level, note.en) for note in found.notes] == [("warning", "The last value of South load is 31 h old.")]


def test_a_feed_that_stopped_long_ago_gives_way_to_the_profile(city, make_series):
    load = make_series("load", profile=CYCLE)
    ingest(city, days_of_hours("load", 30, NOW - timedelta(days=20)), now=NOW)
    found = expected(load, *hours_from(NOW), NOW)
    # 00:00 UTC is 8 in the morning in Taiwan: four hours at 0.5, twelve at 1.5, eight at 0.5; level 100 in 2026.
    assert found.values == pytest.approx([50] * 4 + [150] * 12 + [50] * 8, rel=0.01)
    assert found.notes[0].en.startswith("The last value of Load is 20 days old")
    assert not found.synthetic


def test_without_a_history_the_profile_stands_in_and_says_so(city, make_series):
    load = make_series("load", profile=CYCLE)
    found = expected(load, *hours_from(NOW), NOW)
    assert found.values[0] == pytest.approx(50, rel=0.01)
    assert found.low[0] < found.values[0] < found.high[0]
    assert found.notes[0].en == "Load has no measurements: its published profile is used."
    assert Forecast.objects.get().method == "profile"
    assert rests_on(Forecast.objects.get()) == "published profile"


def test_a_city_of_real_feeds_is_not_synthetic_though_its_rain_is_expected_from_the_climate(city, make_series):
    climate = {"kind": "rain", "wet_days_by_month": [10.0] * 12, "mean_wet_day_mm": 20.0}
    rain = make_series("rain", step_minutes=60, unit="mm/d", profile=climate)
    river = make_series("river", unit="m3/s", drivers=["rain"], minimum=0)
    ingest(city, [*days_of_hours("rain", 30, NOW), *days_of_hours("river", 30, NOW)], now=NOW)
    found = expected_many([rain, river], *hours_from(NOW), NOW)
    assert not found[rain.pk].synthetic and not found[river.pk].synthetic
    row = Forecast.objects.get(series=rain)
    assert (row.method, rests_on(row)) == ("climate", "published climate")


def test_what_nothing_is_known_of_is_named_all_at_once(city, make_series):
    blind = [make_series("one"), make_series("other")]
    with pytest.raises(NothingKnown, match=r"One \(one\), Other \(other\)") as nothing:
        expected_many([make_series("load", profile=CYCLE), *blind], *hours_from(NOW), NOW)
    assert nothing.value.series == tuple(blind)


def test_expectations_stay_within_the_limits_of_the_series(city, make_series):
    load = make_series("load", profile=CYCLE, maximum=120, minimum=60)
    found = expected(load, *hours_from(NOW), NOW)
    assert min(found.low) >= 60
    assert max(found.high) <= 120


def test_series_of_different_steps_are_expected_together(city, make_series):
    series = [
        make_series("load", profile=CYCLE),
        make_series("rain", step_minutes=1440, profile={**CYCLE, "kind": "flat"}),
        make_series("sun", step_minutes=10, profile=CYCLE),
    ]
    demo_history(city, NOW, days=20)
    found = expected_many(series, *hours_from(NOW, 30), NOW)
    assert {len(found[row.pk].values) for row in series} == {30}
    assert all(found[row.pk].synthetic for row in series)
    assert found[series[2].pk].values == pytest.approx(found[series[0].pk].values, rel=0.2)


def test_a_store_read_now_and_then_is_expected_near_its_last_level(city, make_series):
    lake = make_series("lake", profile={"kind": "storage", "level": 1000, "month": [0.5] * 12})
    readings = [Row("lake", NOW - timedelta(days=7 * k), 600 + 10 * k, NOW - timedelta(days=7 * k)) for k in range(9)]
    ingest(city, readings, now=NOW)
    found = expected(lake, *hours_from(NOW + HOUR), NOW)
    # 10 a week less: 600 now, some 598.6 in a day.
    assert found.values == pytest.approx([600] * 24, abs=5)
