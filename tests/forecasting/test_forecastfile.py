from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]
WAVE = 100 + 20 * np.sin(2 * np.pi * np.arange(24 * 15) / 24)


def lines(name: str, times: list[object], values: np.ndarray) -> list[list[object]]:
    return [[name, time, value] for time, value in zip(times, values, strict=True)]


def hours(count: int, zone: str | None = "Asia/Taipei") -> list[str]:
    return [time.isoformat() for time in pd.date_range("2026-06-01", periods=count, freq="h", tz=zone)]


def write(path: Path, rows: list[list[object]], header: tuple[str, ...] = ("series", "time", "value")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def run(source: Path, horizon: int = 24, **options: object) -> list[dict[str, str]]:
    """Runs the command and reads what it wrote."""
    out = source.with_name("out.csv")
    call_command("forecastfile", str(source), "--horizon", str(horizon), "--out", str(out), **options)
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def failed(capsys: pytest.CaptureFixture[str], source: Path, horizon: int = 24) -> str:
    with pytest.raises(CommandError) as error:
        run(source, horizon)
    assert error.value.returncode == 2
    assert not source.with_name("out.csv").exists()
    return capsys.readouterr().err + str(error.value)


def test_every_series_is_forecast_with_the_quantiles_asked_for(tmp_path: Path):
    rows = lines("town", hours(360), WAVE) + lines("mill", hours(360), 2 * WAVE)
    answer = run(write(tmp_path / "in.csv", rows), quantiles=(0.1, 0.9))
    assert list(answer[0]) == ["series", "time", "mean", "q0.1", "q0.9"]
    assert [row["series"] for row in answer] == ["town"] * 24 + ["mill"] * 24
    assert answer[0]["time"] == "2026-06-15T16:00:00+00:00"  # midnight in Taipei, behind the last value
    np.testing.assert_allclose([float(row["mean"]) for row in answer[24:]], 2 * WAVE[:24], atol=1)


def test_times_without_offset_stay_without_offset(tmp_path: Path):
    rows = lines("town", hours(360, None), WAVE)
    assert run(write(tmp_path / "in.csv", rows), zone="Asia/Taipei")[0]["time"] == "2026-06-16T00:00:00"


def test_whole_numbers_are_steps(tmp_path: Path):
    answer = run(write(tmp_path / "in.csv", lines("town", list(range(1, 361)), WAVE)))
    assert [row["time"] for row in answer] == [str(k) for k in range(361, 385)]


def test_a_regressor_may_reach_over_the_horizon(tmp_path: Path):
    warmth = 20 + np.cumsum(np.random.default_rng(5).standard_normal(984)) / 3
    load = 50 + 2 * warmth
    rows = [["town", time, value, heat] for time, value, heat in zip(hours(984), load, warmth, strict=True)]
    for row in rows[-24:]:
        row[2] = ""
    seen = run(write(tmp_path / "in.csv", rows, ("series", "time", "value", "warmth")))
    blind = run(write(tmp_path / "in.csv", [row[:3] for row in rows]))
    error = [
        np.mean([abs(float(a["mean"]) - b) for a, b in zip(rows_, load[-24:], strict=True)]) for rows_ in (seen, blind)
    ]
    assert error[0] < 0.5 * error[1]


def test_a_bad_series_is_refused_by_name_and_the_rest_is_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = lines("short", hours(5), WAVE[:5]) + lines("town", hours(360), WAVE) + [["words", hours(1)[0], "many"]]
    answer = run(write(tmp_path / "in.csv", rows))
    assert {row["series"] for row in answer} == {"town"}
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "short: refused: 5 usable values are too few, at least 96 are needed",
        "words: refused: line 367: value is 'many', expected a number",
    ]


def test_every_bad_cell_of_a_series_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = write(tmp_path / "in.csv", [["a", "yesterday", "1"], ["a", hours(1)[0], "much"]])
    told = failed(capsys, source)
    assert "line 3: value is 'much', expected a number" in told
    assert "No series could be forecast." in told


def test_bad_cells_are_told_one_a_line_and_no_thousands_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = write(tmp_path / "in.csv", [["a", time, "much"] for time in hours(1000)])
    told = failed(capsys, source).splitlines()
    assert told[0] == "a: refused: 1000 problems"
    assert told[1] == "  line 2: value is 'much', expected a number"
    assert told[6] == "  and 995 more"
    assert told[7:] == ["No series could be forecast."]


def test_short_lines_are_not_told_by_the_thousand_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    told = failed(capsys, write(tmp_path / "in.csv", [["a"]] * 1000)).splitlines()
    assert len(told) == 6 and "995 more" in told[-1]


@pytest.mark.parametrize("out", ["no such folder/out.csv", "."])
def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path: Path, out: str):
    source = write(tmp_path / "in.csv", lines("town", hours(360), WAVE))
    with pytest.raises(CommandError, match="folder") as refusal:
        call_command("forecastfile", str(source), "--horizon", "1", "--out", str(tmp_path / out))
    assert refusal.value.returncode == 2


def test_an_unreadable_file_is_told_with_every_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = write(tmp_path / "in.csv", [["a", "1"], ["a", "2", "3"]], ("name", "time"))
    told = failed(capsys, source)
    assert "column 'series' is missing" in told and "column 'value' is missing" in told
    assert "line 3 has 3 cells, expected 2" in told


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert failed(capsys, tmp_path / "none.csv") == f"{tmp_path / 'none.csv'}: No such file or directory"


def test_no_database_is_needed(tmp_path: Path):
    source = write(tmp_path / "in.csv", lines("town", hours(360), WAVE))
    command = [
        sys.executable,
        "manage.py",
        "forecastfile",
        str(source),
        "--horizon",
        "2",
        "--out",
        str(tmp_path / "o.csv"),
    ]
    nowhere = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none", "HEADGATE_VAR": str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 3
