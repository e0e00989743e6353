"""A city without feeds gets a history that could have been measured, the same whenever it is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from forecasting.ingest import Row, ingest
from forecasting.kernel.catchments import middle_week
from forecasting.kernel.profiles import InvalidProfile, Profile, problems_of
from forecasting.models import Observation
from forecasting.synthetic import demo_history, sampled

UNTIL = datetime(2026, 3, 2, tzinfo=UTC)
CYCLE = {"kind": "cycle", "level": 100, "hour": [0.5] * 12 + [1.5] * 12, "noise": 0.05}


def values(series) -> pd.Series:
    rows = Observation.objects.filter(series=series).order_by("valid_at").values_list("valid_at", "value")
    return pd.Series(dict(rows), dtype=float)


def test_the_history_ends_with_the_last_full_step_and_says_it_is_synthetic(city, make_series):
    load = make_series("load", profile=CYCLE)
    counts = demo_history(city, UNTIL + timedelta(minutes=20), days=2)
    found = Observation.objects.filter(series=load).order_by("valid_at")
    # Two days back from 00:20 is 00:20; the first whole hour after it begins at 01:00.
    assert counts.new == found.count() == 47
    assert found.last().valid_at == UNTIL - timedelta(hours=1)
    assert found.last().recorded_at == UNTIL
    assert all(observation.synthetic for observation in found)


def test_a_history_made_in_two_goes_equals_one_made_at_once(city, make_series):
    profiles = {
        "load": CYCLE,
        "river": {"kind": "river", "base_by_month": [10] * 12, "storm_rate_per_month": 6, "storm_peak": 300},
        "lake": {"kind": "storage", "level": 900, "month": [0.5] * 12, "persistence": 0.97},
        "rain": {"kind": "rain", "wet_days_by_month": [12] * 12, "mean_wet_day_mm": 20},
        "sun": {"kind": "solar", "hour": [0] * 6 + [0.5] * 12 + [0] * 6, "noise": 0.3},
    }
    series = [make_series(key, profile=profile) for key, profile in profiles.items()]
    demo_history(city, UNTIL, days=3)
    at_once = {row.key: values(row) for row in series}
    Observation.objects.all().delete()
    demo_history(city, UNTIL - timedelta(hours=31), days=3)
    demo_history(city, UNTIL, days=1)
    for row in series:
        again = values(row)
        pd.testing.assert_series_equal(again.loc[at_once[row.key].index[0] :], at_once[row.key])


def test_two_series_of_one_profile_do_not_move_together(city, make_series):
    one, other = make_series("one", profile=CYCLE), make_series("other", profile=CYCLE)
    demo_history(city, UNTIL, days=2)
    assert not np.allclose(values(one), values(other))


def test_hours_are_local(city, make_series):
    load = make_series("load", profile={**CYCLE, "noise": 0.0})
    demo_history(city, UNTIL, days=1)
    # 04:00 UTC is noon in Taiwan: the factor turns from 0.5 to 1.5 there.
    found = values(load)
    assert found[UNTIL - timedelta(hours=21)] == pytest.approx(50, rel=0.01)
    assert found[UNTIL - timedelta(hours=20)] == pytest.approx(150, rel=0.01)


def test_the_mean_of_a_long_history_is_the_level(city, make_series):
    load = make_series("load", profile=CYCLE)
    demo_history(city, UNTIL, days=60)
    # 1,440 hours with a noise of 5 % that is correlated for about 10 hours: a standard error below 0.5 %.
    assert values(load).mean() == pytest.approx(100, rel=0.02)


def test_rain_falls_on_as_many_days_and_as_much_as_the_profile_says(city, make_series):
    rain = make_series(
        "rain", step_minutes=1440, profile={"kind": "rain", "wet_days_by_month": [15.2] * 12, "mean_wet_day_mm": 10}
    )
    demo_history(city, UNTIL, days=1500)
    found = values(rain)
    assert (found > 0).mean() == pytest.approx(0.5, abs=0.06)
    assert found[found > 0].mean() == pytest.approx(10, rel=0.15)


def test_a_flood_recedes(city, make_series):
    profile = {"kind": "river", "base_by_month": [10] * 12, "storm_rate_per_month": 2, "storm_peak": 500, "noise": 0}
    river = make_series("river", profile=profile)
    demo_history(city, UNTIL, days=60)
    flow = values(river)
    assert flow.min() >= 10
    assert flow.max() > 100
    # Between storms the part above the base falls by exp(-1/48) an hour.
    falls = (flow.diff() < 0).mean()
    assert falls > 0.7


def test_values_stay_within_the_limits_of_the_series(city, make_series):
    load = make_series("load", profile=CYCLE, minimum=60, maximum=120)
    demo_history(city, UNTIL, days=2)
    assert (values(load).min(), values(load).max()) == (60, 120)


def test_a_series_with_a_real_value_gets_no_more_synthetic_ones(city, make_series):
    load = make_series("load", profile=CYCLE)
    ingest(city, [Row("load", UNTIL - timedelta(hours=5), 80)], now=UNTIL)
    assert demo_history(city, UNTIL).new == 0
    assert len(values(load)) == 1


def test_a_bad_profile_is_refused_with_everything_that_is_wrong(city, make_series):
    make_series("load", profile={"kind": "cycle", "hour": [1] * 23, "noise": -1, "colour": "red"})
    with pytest.raises(InvalidProfile) as refused:
        demo_history(city, UNTIL)
    assert {name for name, _value, _expected in refused.value.problems} == {"level", "hour", "noise", "colour"}
    assert Observation.objects.count() == 0


@pytest.mark.parametrize(
    "profile", [{}, {"kind": "tide"}, {**CYCLE, "level": float("nan")}, {**CYCLE, "persistence": 1}]
)
def test_a_profile_needs_a_kind_and_numbers(profile):
    assert problems_of(profile)


# --- days off ------------------------------------------------------------------------------------------------
DAYS_OFF = {"kind": "cycle", "level": 100, "noise": 0.0, "weekend_hour": [0.8] * 24, "lunar_new_year": 1}


def of_days(city, make_series, first: str, days: int, **fields) -> list[float]:
    """Daily means of a load in Taiwan from a local day on."""
    city.calendar = {"country": "TW"}
    city.save()
    load = make_series(f"load{first}", profile={**DAYS_OFF, **fields})
    starts = pd.date_range(first, periods=24 * days, freq="h", tz="Asia/Taipei").tz_convert("UTC")
    return [round(sum(sampled(load, starts)[k : k + 24]) / 24, 1) for k in range(0, 24 * days, 24)]


def test_a_load_falls_round_lunar_new_year_and_comes_back_as_it_did_in_2016_to_2019(city, make_series):
    # New Year's Day is Tuesday, 17 February 2026. Saturday the 14th, three days away, would be 0.88, but
    # a weekend is 0.8; Saturday the 21st, four days after, is a weekend and 0.8 all the same.
    assert of_days(city, make_series, "2026-02-12", 14) == [
        100, 100, 80, 80, 73.5, 71.5, 71.5, 71.5, 75.5, 80, 80, 88, 94, 100,
    ]  # fmt: skip


def test_a_load_that_knows_no_new_year_has_days_off_only(city, make_series):
    assert of_days(city, make_series, "2026-02-16", 3, lunar_new_year=0) == [80, 80, 80]


def test_a_holiday_is_like_a_weekend_and_a_make_up_saturday_like_a_working_day(city, make_series):
    # 228 Peace Memorial Day of 2025 was a Friday; Saturday the 8th of February 2025 was worked for the 27th of January.
    assert of_days(city, make_series, "2025-02-27", 3) == [100, 80, 80]
    assert of_days(city, make_series, "2025-02-08", 2) == [100, 80]


# --- rivers and their rain -----------------------------------------------------------------------------------
RAIN = {"kind": "rain", "wet_days_by_month": [10] * 12, "mean_wet_day_mm": 20, "hour": [0] * 12 + [0.25] * 4 + [0] * 8}
RIVER = {"kind": "river", "base_by_month": [10] * 12, "storm_rate_per_month": 2, "storm_peak": 300, "noise": 0}


def rainy(make_series, **fields):
    """An hourly series of rain, mm an hour, and a river that it drives."""
    rain = make_series("upper", unit="mm/h", profile=RAIN)
    return rain, make_series("river", unit="m3/s", profile={**RIVER, **fields}, drivers=["upper"])


def test_a_synthetic_river_rises_with_its_synthetic_rain_and_falls_without(city, make_series):
    rain, river = rainy(make_series)
    demo_history(city, UNTIL, days=120)
    fell, flow = values(rain), values(river)
    # what rises in six hours after rain of the hour, and only then
    rises = flow.shift(-6) - flow
    assert (rises[fell > 1] > 0).all()
    dry = fell.rolling(7, min_periods=7).sum().shift(-6) == 0
    assert (flow.diff()[dry & (fell.shift(1).rolling(7).sum() == 0)] <= 1e-3).all()


def test_in_the_mean_of_years_the_storms_are_as_large_as_the_river_says(city, make_series):
    rain, river = rainy(make_series)
    starts = pd.date_range("2010-01-01", "2026-01-01", freq="h", tz="UTC")
    # two storms a month of 300 that rise in 6 hours and recede in 48: 2 / 730 h x 300 x 51 h = 42 over the base of 10
    assert np.mean(sampled(river, starts, [rain])) == pytest.approx(10 + 42, rel=0.1)
    assert np.mean(sampled(rain, starts)) * 24 == pytest.approx(10 / 30.4 * 20, rel=0.1)


def test_a_river_made_in_two_goes_goes_with_the_same_rain(city, make_series):
    _rain, river = rainy(make_series, noise=0.1)
    demo_history(city, UNTIL, days=5)
    at_once = values(river)
    Observation.objects.all().delete()
    demo_history(city, UNTIL - timedelta(hours=31), days=5)
    demo_history(city, UNTIL, days=1)
    pd.testing.assert_series_equal(values(river).loc[at_once.index[0] :], at_once)


def test_of_a_dry_months_rain_the_middle_week_brings_nothing_and_of_a_wet_ones_most():
    dry = Profile.from_dict({**RAIN, "wet_days_by_month": [2] * 12})
    wet = Profile.from_dict({**RAIN, "wet_days_by_month": [20] * 12})
    assert middle_week(dry, UNTIL.date()) == 0
    assert 0.8 < middle_week(wet, UNTIL.date()) < 1
