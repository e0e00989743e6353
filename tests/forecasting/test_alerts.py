"""The hourly watch tells people what is wrong with a feed or a forecast, and stops telling when it is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forecasting.alerts import watch_city
from forecasting.ingest import Row, ingest
from forecasting.models import Alert, Forecast, Lead, Score
from forecasting.readers import expected
from forecasting.words import alert_text

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + 60 * DAY


def values(until: datetime, days: float = 10, key: str = "load", stuck_hours: int = 0) -> list[Row]:
    """Hourly values that move by the hour, the last one of the hour before `until`; then so many that stand still."""
    count = int(24 * days)
    starts = [until - k * HOUR for k in range(count, 0, -1)]
    level = [100 + at.hour + 0.1 * (k % 7) for k, at in enumerate(starts)]
    moving = len(starts) - stuck_hours
    return [Row(key, at, level[min(k, moving - 1)], at + HOUR) for k, at in enumerate(starts)]


def standing(kind: str | None = None) -> list[str]:
    rows = Alert.objects.filter(until=None).order_by("kind")
    return [alert.kind for alert in (rows.filter(kind=kind) if kind else rows)]


@pytest.fixture
def load(make_series):
    return make_series("load", stale_after_hours=12, minimum=0, maximum=200)


def test_a_healthy_series_raises_nothing(city, load):
    ingest(city, values(NOW), now=LATER)
    watch_city(city, NOW)
    assert standing() == []


def test_a_feed_that_stopped_is_stale_since_its_limit_until_values_come_again(city, load):
    ingest(city, values(NOW), now=LATER)
    watch_city(city, NOW + 12 * HOUR)
    assert standing() == []
    for hours in (13, 14):
        watch_city(city, NOW + hours * HOUR)
    alert = Alert.objects.get()
    assert (alert.kind, alert.since, alert.until) == ("stale", NOW + 12 * HOUR, None)
    assert alert_text(alert) == "The last value is 14 h old."
    ingest(city, values(NOW + 15 * HOUR, days=0.2), now=LATER)
    watch_city(city, NOW + 15 * HOUR)
    alert.refresh_from_db()
    assert alert.until == NOW + 15 * HOUR


def test_a_series_that_never_had_a_value_has_no_feed_to_be_stale(city, load):
    watch_city(city, NOW)
    assert standing() == []


def test_a_sensor_that_stands_still_is_named_until_it_moves_however_long_that_takes(city, load):
    ingest(city, values(NOW, stuck_hours=8), now=LATER)
    watch_city(city, NOW)
    alert = Alert.objects.get()
    assert alert.kind == "flat"
    # The last value that moved began the line: eight repeated it.
    assert alert.since == NOW - 9 * HOUR
    stuck = alert.figures["value"]
    ingest(city, [Row("load", NOW + k * HOUR, stuck, NOW + (k + 1) * HOUR) for k in range(24 * 16)], now=LATER)
    watch_city(city, NOW + 16 * DAY)
    assert standing() == ["flat"]
    ingest(city, [Row("load", NOW + 16 * DAY, 7, NOW + 16 * DAY + HOUR)], now=LATER)
    watch_city(city, NOW + 16 * DAY + HOUR)
    assert standing() == []


def test_refused_impossible_values_leave_an_alert_for_a_day(city, load):
    ingest(city, values(NOW), now=NOW)
    bad = [Row("load", NOW + k * HOUR, 900 + k, NOW + (k + 1) * HOUR) for k in range(2)]
    counts = ingest(city, bad, now=NOW + 2 * HOUR)
    assert counts.refusals == 2
    alert = Alert.objects.get()
    assert (alert.kind, alert.since) == ("impossible", NOW)
    assert alert_text(alert) == "Values outside the limits of the series: 2, the last one 901 MW."
    watch_city(city, NOW + 3 * HOUR)
    assert standing("impossible") == ["impossible"]
    watch_city(city, NOW + 27 * HOUR)
    assert standing("impossible") == []


def test_old_files_with_impossible_values_raise_no_alert(city, load):
    ingest(city, [Row("load", NOW - 9 * DAY, 900, NOW)], now=NOW)
    assert standing() == []


def test_with_strict_refused_values_change_nothing(city, load):
    ingest(city, [Row("load", NOW - HOUR, 900, NOW)], now=NOW, strict=True)
    assert not Alert.objects.exists()


def test_values_that_narrower_limits_rule_out_are_impossible(city, load):
    ingest(city, values(NOW), now=LATER)
    load.maximum = 120
    load.save()
    watch_city(city, NOW)
    assert standing() == ["impossible"]


# --- drift ---------------------------------------------------------------------------------------------------
def judged(series, errors: dict[int, float], synthetic: bool = False, covered: float = 0.5, **naive: float) -> None:
    """One scored forecast a day, so many days before NOW, with that mean absolute error over 18 steps."""
    for days, error in errors.items():
        known_at = NOW - days * DAY
        forecast = Forecast.objects.create(series=series, known_at=known_at, start=known_at, step_minutes=60, mean=[])
        figures = {"wanted": 18, "count": 18, "mae": error, "bias": 0, "pinball": 0, "covered_50": 0.5}
        Score.objects.create(
            series=series,
            forecast=forecast,
            known_at=known_at,
            lead=Lead.HOURS_24,
            synthetic=synthetic,
            covered_90=covered,
            **figures,
            **naive,
        )


PAST = {days: 1.0 + 0.1 * (days % 3) for days in range(3, 28)}
"""Daily errors of 1.0 to 1.2, median 1.1."""


def test_forecasts_that_err_much_more_than_they_used_to_drift_and_plans_are_told(city, load):
    ingest(city, values(NOW), now=LATER)
    judged(load, {**PAST, 2: 3.3, 1: 3.3})
    watch_city(city, NOW)
    alert = Alert.objects.get()
    assert (alert.kind, alert.figures["ratio"]) == ("drift", pytest.approx(3))
    assert "erred by 3.3 MW in the last days, usually by 1.1 MW" in alert_text(alert)
    notes = expected(load, [NOW], [1.0], NOW).notes
    assert [note.en for note in notes] == ["Forecasts of Load have lately erred 3.0 times as much as they usually do."]
    assert expected(load, [NOW], [1.0], NOW - HOUR).notes == ()


@pytest.mark.parametrize(
    ("errors", "drifts"),
    [
        ({**PAST, 2: 2.0, 1: 2.0}, False),  # not twice the usual
        ({**PAST, 5: 4.0, 10: 4.0, 15: 4.0, 20: 4.0, 2: 3.0, 1: 3.0}, False),  # as bad on more than a tenth of its days
        ({5: 1.0, 4: 1.0, 2: 9.0, 1: 9.0}, False),  # hardly any past
        ({**dict.fromkeys(PAST, 0.0), 1: 5.0}, False),  # a dry month, then rain: nothing to compare with
        (PAST, False),  # nothing was judged lately
        ({**PAST, 1: 2.5}, True),
    ],
)
def test_drift_is_told_from_bad_days_and_from_a_short_past(city, load, errors, drifts):
    ingest(city, values(NOW), now=LATER)
    judged(load, errors)
    watch_city(city, NOW)
    assert standing() == (["drift"] if drifts else [])


def test_a_storm_is_no_drift_for_whoever_repeats_the_past_errs_as_much(city, load):
    ingest(city, values(NOW), now=LATER)
    judged(load, PAST, naive_mae=2.2)
    # Thirty times the usual error, on days thirty times as hard.
    judged(load, {2: 33.0, 1: 33.0}, naive_mae=66.0)
    watch_city(city, NOW)
    assert standing() == []


def test_a_calm_past_does_not_make_an_ordinary_day_hard(city, load):
    ingest(city, values(NOW), now=LATER)
    judged(load, PAST, naive_mae=2.2)
    judged(load, {2: 3.3, 1: 3.3}, naive_mae=1.0)
    watch_city(city, NOW)
    assert standing() == ["drift"]


def test_who_errs_within_the_own_bands_does_not_drift(city, load):
    ingest(city, values(NOW), now=LATER)
    judged(load, {**PAST, 2: 33.0, 1: 33.0}, covered=0.8)
    watch_city(city, NOW)
    assert standing() == []


def test_a_drift_ends_well_below_where_it_began(city, load):
    ingest(city, values(NOW), now=LATER)
    judged(load, {**PAST, 1: 1.9})
    Alert.objects.create(series=load, kind="drift", since=NOW - DAY, figures={"ratio": 3, "recent": 3, "usual": 1})
    watch_city(city, NOW)
    assert standing() == ["drift"]
    Score.objects.filter(known_at=NOW - DAY).update(mae=1.5)
    watch_city(city, NOW)
    assert standing() == []


def test_real_errors_are_not_compared_with_those_on_synthetic_values(city, load):
    ingest(city, values(NOW), now=LATER)
    judged(load, PAST, synthetic=True)
    judged(load, {1: 9.0})
    watch_city(city, NOW)
    assert standing() == []
