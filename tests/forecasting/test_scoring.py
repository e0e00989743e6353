"""Every forecast is judged once its truth has come, by how far ahead it looked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from forecasting.ingest import Row, ingest
from forecasting.kernel.tally import Tally, seasonal_naive
from forecasting.models import Forecast, Lead, Score
from forecasting.readers import expected
from forecasting.scoring import daily_records, records, score_city, tallied
from forecasting.synthetic import demo_history

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOW + timedelta(days=60)


def plain(series, known_at=NOW, hours=24, value=10.0) -> Forecast:
    """A stored forecast of `value` every hour, with a band of 2 at 50 % and of 4 at 90 %."""
    shifts = {"0.05": -2, "0.25": -1, "0.5": 0, "0.75": 1, "0.95": 2}
    return Forecast.objects.create(
        series=series,
        known_at=known_at,
        start=known_at,
        step_minutes=60,
        mean=[value] * hours,
        quantiles={level: [value + shift] * hours for level, shift in shifts.items()},
        method="plain",
    )


def measured(start: datetime, values: list[float], key="load") -> list[Row]:
    """Values every hour from `start`, each recorded at the end of its hour."""
    return [Row(key, start + k * HOUR, value, start + (k + 1) * HOUR) for k, value in enumerate(values)]


@pytest.fixture
def load(city, make_series):
    """Yesterday ran at 8 all day."""
    series = make_series("load")
    ingest(city, measured(NOW - 24 * HOUR, [8.0] * 24), now=LATER)
    return series


# --- figures -------------------------------------------------------------------------------------------------
def test_the_figures_of_six_hours_are_those_of_a_pencil(city, load):
    plain(load)
    ingest(city, measured(NOW, [10, 11, 12, 13, 9, 5]), now=LATER)
    score_city(city, NOW + 6 * HOUR)
    score = Score.objects.get()
    assert (score.lead, score.wanted, score.count) == (Lead.HOURS_6, 6, 6)
    assert score.mae == pytest.approx((0 + 1 + 2 + 3 + 1 + 5) / 6)
    assert score.bias == pytest.approx((0 - 1 - 2 - 3 + 1 + 5) / 6)
    # Within 9 to 11: 10, 11 and 9; within 8 to 12: 12 as well.
    assert (score.covered_50, score.covered_90) == (pytest.approx(3 / 6), pytest.approx(4 / 6))
    # Yesterday's 8 errs by 2, 3, 4, 5, 1 and 3.
    assert score.naive_mae == pytest.approx(18 / 6)
    assert records(load, NOW + 6 * HOUR)[0].tally.skill == pytest.approx(1 - 12 / 18)


def test_the_pinball_loss_is_the_mean_over_the_stored_quantiles(city, load):
    plain(load)
    ingest(city, measured(NOW, [10] * 6), now=LATER)
    score_city(city, NOW + 6 * HOUR)
    # 0.05·2 + 0.25·1 + 0 + 0.25·1 + 0.05·2 over five quantiles.
    assert Score.objects.get().pinball == pytest.approx(0.7 / 5)


def test_steps_belong_to_the_lead_at_their_end(make_series):
    forecast = plain(make_series("load"), hours=178)
    truth = pd.Series(10.0, index=pd.date_range(NOW, periods=178, freq="h"))
    assert [tallied(forecast, lead, truth, truth[:0]).count for lead in Lead] == [6, 18, 24, 120]
    none = tallied(forecast, Lead.DAY_2, truth[:0], truth[:0])
    assert (none.wanted, none.count, none.mae, none.skill) == (24, 0, None, None)


def test_tallies_add_up_by_their_steps():
    both = Tally(wanted=2, count=2, absolute=2) + Tally(wanted=1, count=1, absolute=7)
    assert (both.count, both.mae) == (3, 3)


def hours(values: list[float], last: datetime = NOW - HOUR) -> pd.Series:
    return pd.Series(values, index=pd.date_range(end=last, periods=len(values), freq="h"))


def test_the_naive_forecast_repeats_the_week_where_weeks_differ_and_the_day_where_they_do_not():
    week = [100.0] * 120 + [50.0] * 48
    at = pd.date_range(NOW, periods=48, freq="h")
    step = pd.Timedelta(hours=1)
    assert seasonal_naive(hours(week * 2), at, step)[0] == 100
    # A river that recedes is nearer to yesterday.
    recession = [1000.0 - k for k in range(336)]
    naive = seasonal_naive(hours(recession), at, step)
    assert naive[[0, 23, 24]].tolist() == [688, 665, 688]


def test_where_the_same_hour_is_missing_the_naive_forecast_takes_the_last_value():
    past = hours([1.0, 2.0, 3.0])
    assert seasonal_naive(past, pd.date_range(NOW, periods=2, freq="h"), pd.Timedelta(hours=1)).tolist() == [3, 3]


# --- when ----------------------------------------------------------------------------------------------------
def test_a_group_is_judged_when_its_last_step_has_been_measured_and_only_once(city, load):
    plain(load, hours=168)
    ingest(city, measured(NOW, [10] * 24), now=LATER)
    assert score_city(city, NOW + 5.5 * HOUR) == 0
    assert score_city(city, NOW + 6 * HOUR) == 1
    assert score_city(city, NOW + 6 * HOUR) == 0
    assert score_city(city, NOW + 24 * HOUR) == 1
    assert sorted(Score.objects.values_list("lead", flat=True)) == ["0-6h", "6-24h"]


def test_without_observations_nothing_is_judged(city, make_series):
    plain(make_series("load"))
    assert score_city(city, NOW + timedelta(days=3)) == 0


def test_a_gap_is_waited_for_a_day_and_then_judged_without(city, load):
    plain(load)
    rows = measured(NOW, [10] * 48)
    ingest(city, rows[:2] + rows[3:], now=LATER)
    assert score_city(city, NOW + 7 * HOUR) == 0
    score_city(city, NOW + 30 * HOUR)
    assert Score.objects.filter(lead=Lead.HOURS_6).values_list("wanted", "count").get() == (6, 5)


def test_a_gap_that_is_filled_in_time_is_judged_whole(city, load):
    plain(load)
    rows = measured(NOW, [10] * 48)
    ingest(city, rows[:2] + rows[3:], now=LATER)
    score_city(city, NOW + 7 * HOUR)
    ingest(city, [rows[2]._replace(recorded_at=NOW + 8 * HOUR)], now=LATER)
    assert score_city(city, NOW + 8 * HOUR) == 1
    assert Score.objects.get().count == 6


def test_the_naive_forecast_knows_no_revision_that_came_later(city, load):
    plain(load)
    ingest(city, [Row("load", NOW - k * HOUR, 500, NOW + HOUR) for k in range(1, 25)], now=LATER)
    ingest(city, measured(NOW, [10] * 6), now=LATER)
    score_city(city, NOW + 6 * HOUR)
    assert Score.objects.get().naive_mae == 2


def test_scores_on_synthetic_values_say_so(city, make_series):
    load = make_series("load", profile={"kind": "cycle", "level": 100, "noise": 0.05})
    demo_history(city, NOW, days=30)
    expected(load, [NOW + k * HOUR for k in range(24)], [1.0] * 24, NOW)
    demo_history(city, NOW + 24 * HOUR)
    score_city(city, NOW + 24 * HOUR)
    assert list(Score.objects.values_list("synthetic", flat=True)) == [True, True]


def test_one_run_does_a_bounded_amount_of_work_and_the_next_goes_on(city, load, monkeypatch):
    monkeypatch.setattr("forecasting.scoring.MOST", 2)
    for k in range(3):
        plain(load, NOW + k * HOUR)
    ingest(city, measured(NOW, [10] * 12), now=LATER)
    assert [score_city(city, NOW + 12 * HOUR) for _run in range(3)] == [2, 1, 0]


def test_days_are_local_days_and_weigh_by_their_steps(city, load):
    # 15:00 and 17:00 UTC lie on two days in Taiwan.
    plain(load, NOW + 15 * HOUR, hours=6, value=11)
    plain(load, NOW + 17 * HOUR, hours=6, value=13)
    ingest(city, measured(NOW, [10] * 24), now=LATER)
    score_city(city, NOW + 24 * HOUR)
    short = [record for record in daily_records(load, NOW + 24 * HOUR) if record.lead == Lead.HOURS_6]
    assert [(record.day.day, record.tally.mae) for record in short] == [(2, 1), (3, 3)]
    [month] = records(load, NOW + 24 * HOUR)
    assert (month.forecasts, month.tally.count, month.tally.mae) == (2, 12, 2)
