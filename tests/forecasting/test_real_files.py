"""Real feeds go in as they are, glitches and gaps included, and forecasts come out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core.management import call_command

from forecasting.ingest import ingest
from forecasting.models import Forecast, Observation
from forecasting.readers import expected, history, latest, replayed
from tests.shared_files import GLITCH, TAIPEI, csv_text, reservoir_rows, south_load_rows, weir_rows

LONG_AFTER = datetime(2026, 11, 1, tzinfo=UTC)
WEEK = [1.0] * 168


def week_from(start: datetime) -> list[datetime]:
    return [start + timedelta(hours=k) for k in range(168)]


def test_the_souths_load_comes_in_whole_and_the_next_week_is_expected(city, make_series, shared_data):
    load = make_series("load", step_minutes=10, minimum=0, maximum=20_000)
    counts = ingest(city, south_load_rows(shared_data, "load"), now=LONG_AFTER)
    assert (counts.new, counts.refused) == (8_928, {})
    start = datetime(2024, 8, 26, tzinfo=TAIPEI)
    found = expected(load, week_from(start), WEEK, start)
    truth = history(load, LONG_AFTER, days=3000)[0].resample("h").mean()
    errors = [
        abs(value / truth[at.astimezone(UTC)] - 1) for at, value in zip(week_from(start), found.values, strict=True)
    ]
    # A week ahead without weather; last week's values would err by about 5 %.
    assert sum(errors) / len(errors) < 0.06


def test_the_glitch_of_the_regional_feed_is_kept_as_measured_and_not_believed(city, make_series, shared_data):
    load = make_series("load", step_minutes=10, minimum=0)
    ingest(city, south_load_rows(shared_data, "load", "region"), now=LONG_AFTER)
    assert Observation.objects.get(valid_at=GLITCH).value == 7_142
    soon = GLITCH + timedelta(hours=1)
    expected(load, week_from(soon), WEEK, soon)
    spikes = [note for note in Forecast.objects.get().notes if note["rule"] == "spike"]
    assert spikes and spikes[0]["count"] >= 1


def test_the_weirs_hours_load_from_a_file_and_the_river_is_expected(city, make_series, shared_data, tmp_path, capsys):
    river = make_series("river", unit="m3/s", minimum=0)
    file = tmp_path / "weir.csv"
    file.write_text(csv_text(weir_rows(shared_data, "river")), encoding="utf-8-sig")
    call_command("loadhistory", "tainan", file, "--strict")
    assert "1762 new, 0 revised, 121 unchanged, 0 refused" in capsys.readouterr().out
    dry = datetime(2026, 5, 20, 8, tzinfo=TAIPEI)
    found = expected(river, week_from(dry), WEEK, dry)
    # The river ran at 9 to 58 m³/s in May 2026.
    assert 8 < min(found.values) <= max(found.values) < 60
    assert latest(river, dry).value == pytest.approx(13, abs=8)


def test_no_summer_hour_of_the_weir_that_rests_at_its_level_is_taken_for_a_stuck_gauge(city, make_series, shared_data):
    river = make_series("river", unit="m3/s", minimum=0)
    ingest(city, weir_rows(shared_data, "river"), now=LONG_AFTER)
    # 99.0 m³/s for 29 hours on 23 June, 97.7 for 19 on 5 July, read at the weir and left by small steps.
    for day in (datetime(2026, 6, 26, tzinfo=TAIPEI), datetime(2026, 7, 6, tzinfo=TAIPEI)):
        expected(river, week_from(day), WEEK, day)
    rules = {note["rule"] for made in Forecast.objects.all() for note in made.notes}
    assert "flat line" not in rules and "wrong unit" not in rules


def test_the_river_is_expected_without_steps_and_no_worse_than_by_its_last_value(city, make_series, shared_data):
    river = make_series(
        "river", unit="m3/s", minimum=0, maximum=30_000, profile={"kind": "river", "base_by_month": [50] * 12}
    )
    ingest(city, weir_rows(shared_data, "river"), now=LONG_AFTER)
    truth, _synthetic = history(river, LONG_AFTER, days=300)
    errors, persistent = [], []
    for day in range(0, 50, 2):
        start = datetime(2026, 5, 10, 9, tzinfo=TAIPEI) + timedelta(days=day)
        made = replayed([river], start, start + timedelta(days=7), start)[river.pk]
        known, came = truth[:start], truth.reindex(made.times[:48]).to_numpy()
        # As factors, or the floods, which nobody can foresee without rain, were all that counts.
        errors.append(np.nanmean(np.abs(np.log(came / np.array(made.mean[:48])))))
        persistent.append(np.nanmean(np.abs(np.log(came / known.iloc[-1]))))
        line = np.array(made.mean)
        # A forecast from one origin has no storm of its own: neither a peak nor a step.
        assert np.abs(np.diff(line[6:])).max() < 0.05 * line.max()
        assert line.max() <= 2 * known.max()
    assert np.mean(errors) < np.mean(persistent)


def test_what_the_weir_takes_is_the_river_less_what_it_lets_pass(shared_data):
    """The header says 10⁴ m³; the flows only add up as m³/s."""
    river = {row.valid_at: float(row.value) for row in weir_rows(shared_data, "river")}
    passed = {row.valid_at: float(row.value) for row in weir_rows(shared_data, "out", "TotalOutflow")}
    drawn = {row.valid_at: float(row.value) for row in weir_rows(shared_data, "draw", "WaterDraw")}
    gaps = [abs(river[at] - passed[at] - drawn[at]) for at in drawn if at in river and at in passed]
    assert sorted(gaps)[int(0.95 * len(gaps))] < 0.1


def test_a_reservoir_read_four_times_a_month_since_2004_is_expected_near_its_level(city, make_series, shared_data):
    profile = {"kind": "storage", "level": 90_000, "month": [0.7] * 12}
    lake = make_series("lake", unit="km3", step_minutes=1440, minimum=0, profile=profile, stale_after_hours=240)
    counts = ingest(city, reservoir_rows(shared_data, "lake"), now=LONG_AFTER)
    assert (counts.new, counts.unchanged, counts.refused) == (1_081, 2, {})
    start = datetime(2026, 6, 25, tzinfo=TAIPEI)
    found = expected(lake, week_from(start), WEEK, start)
    # Read three days before at 77,641, a week before that at 56,298: it fills by 3,000 a day.
    assert 77_641 < found.values[0] < 77_641 + 4 * 3_049
    assert found.low[-1] < found.values[-1] < found.high[-1]
