"""Measurements come in one by one: good ones are appended, bad ones are refused with a reason and stop nothing."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from forecasting.ingest import InvalidFile, Row, ingest, read_csv
from forecasting.models import Observation

NOW = datetime(2026, 5, 2, tzinfo=UTC)
AT = datetime(2026, 5, 1, 4, tzinfo=UTC)
LATER = AT + timedelta(hours=3)


@pytest.fixture
def load(make_series):
    return make_series("load", minimum=0, maximum=1000)


def given(value, at="2026-05-01T12:00+08:00", recorded_at=None, key="load"):
    return Row(key, at, value, recorded_at)


def stored():
    return list(Observation.objects.order_by("valid_at", "recorded_at").values_list("valid_at", "recorded_at", "value"))


def test_a_value_is_kept_in_utc_with_the_time_it_was_recorded(city, load):
    counts = ingest(city, [given("812.5")], now=NOW)
    assert (counts.new, counts.revised, counts.unchanged, counts.refused) == (1, 0, 0, {})
    assert stored() == [(AT, NOW, 812.5)]


def test_the_same_value_again_changes_nothing(city, load):
    ingest(city, [given(812.5)], now=LATER)
    counts = ingest(city, [given("812.50")], now=NOW)
    assert (counts.new, counts.revised, counts.unchanged) == (0, 0, 1)
    assert len(stored()) == 1


def test_another_value_recorded_later_is_a_revision_beside_the_first(city, load):
    ingest(city, [given(812.5)], now=LATER)
    counts = ingest(city, [given(800)], now=NOW)
    assert (counts.new, counts.revised) == (0, 1)
    assert stored() == [(AT, LATER, 812.5), (AT, NOW, 800)]


def test_a_value_that_goes_back_to_an_old_one_is_a_revision_too(city, load):
    rows = [given(value, recorded_at=LATER + timedelta(hours=k)) for k, value in enumerate((1, 2, 1))]
    counts = ingest(city, rows, now=NOW)
    assert (counts.new, counts.revised) == (1, 2)


def test_an_older_recording_that_arrives_late_takes_its_place_before_the_newer_one(city, load):
    ingest(city, [given(800)], now=NOW)
    ingest(city, [given(700, recorded_at=LATER)], now=NOW)
    assert stored() == [(AT, LATER, 700), (AT, NOW, 800)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (given(1, key="lod"), "unknown series"),
        (given(""), "no value"),
        (given("12,5"), "not a number"),
        (given("1_000"), "not a number"),
        (given("１２"), "not a number"),
        (given("12 MW"), "not a number"),
        (given("NaN"), "not a finite number"),
        (given("-inf"), "not a finite number"),
        (given("1e999"), "not a finite number"),
        (given(float("nan")), "not a finite number"),
        (given(-0.1), "outside the limits of the series"),
        (given(1000.1), "outside the limits of the series"),
        (given(1, at="yesterday"), "not a time"),
        (given(1, at="0001-01-01T00:00+08:00"), "not a time"),
        (given(1, at="2026-05-01T12:00"), "time without an offset"),
        (given(1, at="2026-05-01"), "time without an offset"),
        (given(1, at=datetime(2026, 5, 1, 12)), "time without an offset"),
        (given(1, at="2026-05-01T12:10+08:00"), "not on a step of the series"),
        (given(1, at="2026-05-01T12:00:01+08:00"), "not on a step of the series"),
        (given(1, at="2026-05-02T09:00+08:00"), "in the future"),
        (given(1, recorded_at="2026-05-02T09:00+08:00"), "in the future"),
        (given(1, recorded_at="2026-05-01T11:00+08:00"), "in the future"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_stops_no_good_one(city, load, row, reason):
    counts = ingest(city, [row, given(5, at="2026-05-01T11:00+08:00")], now=NOW)
    assert counts.refused == {reason: 1}
    assert counts.problems[0].place.startswith("line 1")
    assert counts.new == 1


def test_with_strict_one_bad_row_stops_all(city, load):
    counts = ingest(city, [given("x"), given(5), given(5, key="nobody")], strict=True, now=NOW)
    assert counts.refusals == 2
    assert (counts.new, stored()) == (0, [])


def test_of_two_lines_for_one_recording_the_last_wins_and_the_first_is_shown(city, load):
    counts = ingest(city, [given(1), given(2)], now=NOW)
    assert counts.refused == {"replaced by a later line": 1}
    assert str(counts.problems[0]) == "line 1, load: 1.0, expected one value; line 2, load says 2"
    assert stored() == [(AT, NOW, 2)]


def test_the_same_line_twice_is_one_value(city, load):
    counts = ingest(city, [given(1), given(1)], now=NOW)
    assert (counts.new, counts.unchanged, counts.refused) == (1, 1, {})


def test_a_recording_is_never_rewritten(city, load):
    ingest(city, [given(1, recorded_at=LATER)], now=NOW)
    counts = ingest(city, [given(2, recorded_at=LATER)], now=NOW)
    assert counts.refused == {"another value was recorded at that time": 1}
    assert stored() == [(AT, LATER, 1)]


def test_a_daily_series_takes_local_midnights_only(city, make_series):
    make_series("rain", step_minutes=1440)
    rows = [given(1, at="2026-05-01T00:00+08:00", key="rain"), given(1, at="2026-05-01T00:00Z", key="rain")]
    counts = ingest(city, rows, now=NOW)
    assert (counts.new, counts.refused) == (1, {"not on a step of the series": 1})


def test_a_city_takes_no_values_for_the_series_of_another(city, load):
    load.city = type(city).objects.create(key="other", name="Other", latitude=0, longitude=0)
    load.save()
    assert ingest(city, [given(1)], now=NOW).refused == {"unknown series": 1}


def test_examples_are_few_while_the_count_is_of_all(city, load):
    counts = ingest(city, [given("x") for _ in range(100)], now=NOW)
    assert counts.refused == {"not a number": 100}
    assert len(counts.problems) == 5


# --- files ---------------------------------------------------------------------------------------------------
def read(text: str) -> list[Row]:
    return list(read_csv(io.StringIO(text)))


def test_a_line_with_too_many_fields_is_refused_and_not_cut(city, load):
    rows = read("series,time,value\nload,2026-05-01T12:00+08:00,1,234\n")
    assert ingest(city, rows, now=NOW).refused == {"wrong number of fields": 1}


@pytest.mark.parametrize("header", ["", "series,time", "series,time,value,colour", "series,time,value,value"])
def test_a_file_with_other_columns_is_refused_whole(header):
    with pytest.raises(InvalidFile, match="expected the columns"):
        read(f"{header}\nload,2026-05-01T12:00+08:00,1\n")


@pytest.fixture
def file(tmp_path):
    def write(text: str, encoding: str = "utf-8"):
        path = tmp_path / "history.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_loadhistory_counts_and_shows_what_it_refused(city, load, file, capsys):
    path = file(
        "time,series,value,recorded_at\r\n"
        "2026-05-01T12:00+08:00,load,812.5,2026-05-01T13:00+08:00\r\n"
        "2026-05-01T13:00+08:00,load,n/a,\r\n\r\n",
        "utf-8-sig",
    )
    call_command("loadhistory", "tainan", path)
    printed = capsys.readouterr()
    assert "1 new, 0 revised, 0 unchanged, 1 refused" in printed.out
    assert "not a number: 1" in printed.err
    assert "line 3, load: 'n/a'" in printed.err
    assert stored() == [(AT, AT + timedelta(hours=1), 812.5)]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("series,time,value\nload,2026-05-01T12:00+08:00,x\n", "utf-8"), ("系列,時間,數值\n", "big5"), ("", "utf-8")],
)
def test_loadhistory_exits_with_2_and_writes_nothing(city, load, file, text, encoding):
    with pytest.raises(CommandError) as stopped:
        call_command("loadhistory", "tainan", file(text, encoding), "--strict")
    assert stopped.value.returncode == 2
    assert stored() == []


def test_loadhistory_tells_times_as_the_citys_clocks_show_them(city, load, file, capsys):
    text = "series,time,value,recorded_at\nload,2026-05-01T12:20+08:00,1,2026-05-01T13:00Z\n"
    call_command("loadhistory", "tainan", file(text + "load,2026-05-01T22:00Z,1,2026-05-01T13:00Z\n"))
    told = capsys.readouterr().err
    assert "'2026-05-01T12:20:00+08:00'" in told
    assert "'2026-05-02T06:00+08:00', expected a time up to its recording, 2026-05-01T21:00+08:00" in told


@pytest.mark.parametrize("time", ["0001-01-01T00:00Z", "9999-12-31T23:00Z"])
def test_a_time_at_the_end_of_the_calendar_is_refused(city, load, time):
    assert ingest(city, [given("1", time)], now=NOW).refused == {"not a time": 1}


def test_loadhistory_names_a_missing_file_once(city, tmp_path):
    with pytest.raises(CommandError) as stopped:
        call_command("loadhistory", "tainan", tmp_path / "none.csv")
    assert str(stopped.value) == f"{tmp_path / 'none.csv'}: No such file or directory"


def test_loadhistory_names_the_cities_there_are(city, file):
    with pytest.raises(CommandError, match="tainan") as stopped:
        call_command("loadhistory", "taipei", file("series,time,value\n"))
    assert stopped.value.returncode == 2
