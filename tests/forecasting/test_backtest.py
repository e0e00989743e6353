"""The past is replayed with what was known then: no later recording is seen, and nothing is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from forecasting.ingest import Row, ingest
from forecasting.models import Forecast, Lead
from forecasting.replay import replay
from forecasting.synthetic import demo_history
from tests.shared_files import TAIPEI, south_load_rows, weir_rows

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + 60 * DAY
LONG_AFTER = datetime(2026, 11, 1, tzinfo=UTC)
CYCLE = {"kind": "cycle", "level": 100, "hour": [0.5] * 12 + [1.5] * 12, "noise": 0.02}


def cycle(key: str, days: int, until: datetime) -> list[Row]:
    """A plain daily cycle recorded as it happens."""
    starts = [until - k * HOUR for k in range(24 * days, 0, -1)]
    return [Row(key, at, 10 * (1 + at.hour / 46) + 0.01 * (at.toordinal() % 5), at + HOUR) for at in starts]


def figures(series, every=DAY):
    results = replay([series], NOW, NOW + 2 * DAY, every, LATER)
    return {result.lead: result.tally for result in results}


def test_a_replay_scores_every_origin_by_lead_and_stores_nothing(city, make_series):
    load = make_series("load")
    ingest(city, cycle("load", 33, NOW + 3 * DAY), now=LATER)
    results = replay([load], NOW, NOW + 2 * DAY, DAY, LATER)
    # Measured up to NOW + 3 days: six hours and eighteen from both origins, day 2 from both, one day from the first.
    assert [(result.lead, result.origins, result.tally.count) for result in results] == [
        (Lead.HOURS_6, 2, 12), (Lead.HOURS_24, 2, 36), (Lead.DAY_2, 2, 48), (Lead.DAYS_7, 1, 24)
    ]  # fmt: skip
    assert all(result.tally.mae < 0.1 and not result.synthetic for result in results)
    assert not Forecast.objects.exists()


def test_what_was_recorded_later_changes_no_forecast_of_the_past(city, make_series):
    """The truth is measured by the last recordings, so the revisions stand before the replayed time only."""
    load = make_series("load")
    ingest(city, cycle("load", 33, NOW + 3 * DAY), now=LATER)
    before = figures(load)
    late = [row._replace(value=99.0, recorded_at=NOW + 4 * DAY) for row in cycle("load", 20, NOW)]
    assert ingest(city, late, now=LATER).revised == 480
    assert figures(load) == before
    early = [row._replace(value=99.0, recorded_at=NOW) for row in cycle("load", 20, NOW - DAY)]
    assert ingest(city, early, now=LATER).revised == 480
    assert figures(load) != before


def test_a_history_that_was_loaded_afterwards_was_not_known(city, make_series):
    load = make_series("load")
    ingest(city, [row._replace(recorded_at=LATER) for row in cycle("load", 33, NOW + 3 * DAY)], now=LATER)
    assert figures(load) == {}


def test_replays_on_synthetic_truth_say_so(city, make_series):
    load = make_series("load", profile=CYCLE)
    demo_history(city, NOW + 3 * DAY, days=40)
    assert all(result.synthetic for result in replay([load], NOW, NOW + DAY, DAY, LATER))


def test_the_command_prints_a_table_and_writes_the_same_as_json(city, make_series, tmp_path, capsys):
    make_series("load")
    make_series("blind")
    ingest(city, cycle("load", 33, NOW + 3 * DAY), now=LATER)
    file = tmp_path / "scores.json"
    call_command("backtest", "tainan", "--from", NOW.isoformat(), "--to", "2026-03-03T00:00Z", "--json", str(file))
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["lead", "origins", "steps"]
    told = [line.split()[:4] for line in lines]
    assert told[:2] == [["load", "0-6h", "1", "6"], ["load", "6-24h", "1", "18"]]
    assert told[2:] == [["load", "day2", "1", "24"], ["load", "days3-7", "1", "24"]]
    written = json.loads(file.read_text())
    assert (written["every_hours"], [row["count"] for row in written["scores"]]) == (24, [6, 18, 24, 24])
    far = written["scores"][-1]
    assert far["skill"] == pytest.approx(1 - far["mae"] / far["naive_mae"])
    assert f"{100 * far['skill']:.0f} %" in lines[-1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--series", "lod", "--series", "laod"], "lod, laod"),
        (["--from", "2026-03-05T00:00Z"], "--from must lie before"),
        (["--from", "2026-03-01"], "is not an ISO time with an offset"),
        (["--every", "0"], "is not a number of hours"),
        (["--json", "nowhere/at/all.json"], "folder does not exist"),
        ([], "Nothing was known then"),
    ],
)
def test_bad_input_is_told(city, make_series, options, told):
    make_series("load")
    period = ["--from", "2026-03-01T00:00Z", "--to", "2026-03-02T00:00Z"]
    with pytest.raises(CommandError, match=told):
        call_command("backtest", "tainan", *period, *options)


def test_an_unknown_city_is_told(city):
    with pytest.raises(CommandError, match="there are: tainan"):
        call_command("backtest", "taipei", "--from", "2026-03-01T00:00Z", "--to", "2026-03-02T00:00Z")


# --- real files ----------------------------------------------------------------------------------------------
def test_the_souths_load_of_august_2024_is_replayed_with_skill(city, make_series, shared_data):
    load = make_series("load", step_minutes=10, minimum=0, maximum=20_000)
    ingest(city, south_load_rows(shared_data, "load"), now=LONG_AFTER)
    begin = datetime(2024, 8, 19, tzinfo=TAIPEI)
    results = {result.lead: result for result in replay([load], begin, begin + 3 * DAY, DAY, LONG_AFTER)}
    assert results[Lead.HOURS_6].tally.count == 3 * 36
    assert results[Lead.HOURS_24].tally.skill > 0
    assert 0.5 < results[Lead.DAY_2].tally.covered_90 <= 1
    assert not Forecast.objects.exists()


def test_revisions_of_the_rivers_feed_that_came_later_are_not_seen(city, make_series, shared_data):
    river = make_series("river", unit="m3/s", minimum=0)
    rows = list(weir_rows(shared_data, "river"))
    ingest(city, rows, now=LONG_AFTER)
    origin = datetime(2026, 6, 10, tzinfo=TAIPEI)
    then = replay([river], origin, origin + DAY, DAY, LONG_AFTER)
    past = {row.valid_at: row for row in rows if row.valid_at < origin}
    revised = [row._replace(value=100 * float(row.value), recorded_at=origin + HOUR) for row in past.values()]
    assert ingest(city, revised, now=LONG_AFTER).revised > 1000
    assert [result.lead for result in then] == list(Lead)
    assert replay([river], origin, origin + DAY, DAY, LONG_AFTER) == then
