"""`manage.py solve`: a file in, a plan or a reason out, and no database anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from config.words import compile_all
from planning.kernel.outcome import Answer, Status

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "worlds" / "contract_example.yaml"

# Two hours. The well gives 3 at 1 a unit, the tanker the rest of 4 and 5 at 10: 3 + 10 + 3 + 20 = 36.
TINY = {
    "headgate": 1,
    "horizon": {"start": "2026-01-01T00:00:00+08:00", "steps": [{"count": 2, "hours": 1}]},
    "buses": {"town": {"commodity": "water"}},
    "supplies": {"well": {"bus": "town", "max": 3, "cost": 1}, "tanker": {"bus": "town", "max": 9, "cost": 10}},
    "demands": {"homes": {"bus": "town", "amount": [4, 5], "tier": 1, "penalty": 1000}},
}


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY))
    return path


def manage(*args: object, **more: str) -> subprocess.CompletedProcess[str]:
    """manage.py in a process of its own, with a database and a broker that do not exist."""
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [sys.executable, str(ROOT / "manage.py"), "solve", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | nowhere | more, timeout=300)


def refusal(*args: object) -> CommandError:
    with pytest.raises(CommandError) as raised:
        call_command("solve", *map(str, args))
    return raised.value


def test_the_known_optimum_is_found_and_written(tiny, tmp_path, capsys):
    call_command("solve", str(tiny), "--json", str(tmp_path / "answer.json"))
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["status"] == "optimal" and answer["broken_limits"] == []
    assert answer["objective"] == pytest.approx(36) and answer["cost"] == pytest.approx(36)
    assert answer["supplies"]["tanker"] == pytest.approx([1, 2])
    assert answer["demands"]["homes"]["short"] == pytest.approx([0, 0])
    assert set(answer["seconds"]) == {"build", "compile", "solve", "verify"}


def test_the_summary_says_how_good_the_plan_is_and_who_is_short(capsys):
    call_command("solve", str(EXAMPLE))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Status: optimal"
    assert "Steps: 24, 2026-01-01T00:00+08:00 to 2026-01-01T12:00+08:00" in lines
    # The pump may rise by 1 a quarter: of the 4 beyond the main's 40 the town misses 3.02, 2.04, 1.06 and 0.08.
    assert "  homes: 1.55 (0.3%), from 2026-01-01T00:00+08:00 to 2026-01-01T01:00+08:00" in lines
    assert any("Homes: held back by pump, which can rise by no more than 4" in line for line in lines)
    assert lines[-1] == "Broken limits: 0"


def test_json_to_standard_output_is_nothing_but_json(tiny, capsys):
    call_command("solve", str(tiny), "--json", "-")
    assert json.loads(capsys.readouterr().out)["headgate"] == 1


def test_a_process_without_database_broker_or_terminal_solves(tiny):
    done = manage(tiny, "--json", "-", "--time-limit", "60", "--gap", "0.01")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["objective"] == pytest.approx(36)


def test_a_bad_file_ends_with_2_and_every_error(tmp_path):
    path = tmp_path / "bad.yaml"
    bad = TINY | {"weather": 1, "supplies": {"well": {"bus": "sea", "max": "much"}}}
    path.write_text(json.dumps(bad))
    done = manage(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "bad.yaml: 3 problems" in done.stderr
    for place in ("weather: 1", "supplies.well.max: 'much'", "supplies.well.bus: 'sea'"):
        assert place in done.stderr


def test_errors_of_a_file_are_told_in_the_readers_language(tmp_path):
    path = tmp_path / "bad.yaml"
    supplies = {"well": {"bus": "village", "max": [3, 4, 5]}, "tanker": {"bus": "town", "min": "x", "max": -1}}
    path.write_text(json.dumps(TINY | {"supplies": supplies}))
    compile_all(ROOT)
    with override("zh-hant"):
        head, *lines = str(refusal(path)).splitlines()
    assert head.endswith("bad.yaml：3 項問題")
    assert lines == [
        "  supplies.tanker.min：'x'，應為：單一數字，或每時段一個數字之清單",
        "  supplies.well.bus：'village'，應為：節點名稱",
        "  supplies.well.max：3 個值，應為：單一數字，或 2 個：每時段一個",
    ]
    path.write_text("headgate: 1\nheadgate: 1\nbuses: &all {}\n")
    with override("zh-hant"):
        assert (
            "  headgate：'headgate'，應為：每個鍵只出現一次（於第 2 行第 1 欄重複）" in str(refusal(path)).splitlines()
        )


def test_the_command_line_speaks_the_language_of_its_setting(tiny):
    compile_all(ROOT)
    assert "狀態：optimal" in manage(tiny, HEADGATE_LANGUAGE="zh-hant").stdout
    assert "無需資料庫" in manage("--help", HEADGATE_LANGUAGE="zh-hant").stdout
    assert "Status: optimal" in manage(tiny, LANG="zh_TW.UTF-8").stdout


def test_what_cannot_be_planned_ends_with_3_and_the_reason(tmp_path):
    # 6 must be taken every hour, and the homes take 4 and 5 at most.
    path = tmp_path / "flood.json"
    path.write_text(json.dumps(TINY | {"supplies": {"well": {"bus": "town", "min": 6, "max": 6}}}))
    done = manage(path, "--json", tmp_path / "answer.json")
    assert done.returncode == 3
    assert "first in step 1 (01-01 00:00)" in done.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["status"] == "none" and "Bus town receives more than can leave it" in answer["why"]
    assert "Bus town receives more than can leave it" in done.stderr
    assert [answer[figure] for figure in ("objective", "gap", "bound", "cost")] == [None] * 4


def test_an_answer_that_breaks_limits_is_not_a_plan(tiny, monkeypatch, capsys):
    broken = Answer(Status.OPTIMAL, bound=float("-inf"), broken_limits=("supplies.well at noon: 9 is above 3",))
    monkeypatch.setattr("planning.management.commands.solve.solve", lambda *args, **options: broken)
    error = refusal(tiny)
    assert error.returncode == 3 and "supplies.well at noon" in str(error)
    assert "Broken limits: 1" in capsys.readouterr().out


def test_a_bound_that_was_never_reached_is_null_in_json(tiny, monkeypatch, capsys):
    unbound = Answer(Status.FEASIBLE, bound=float("-inf"))
    monkeypatch.setattr("planning.management.commands.solve.solve", lambda *args, **options: unbound)
    call_command("solve", str(tiny), "--json", "-")
    assert json.loads(capsys.readouterr().out)["bound"] is None


def test_a_plan_by_rule_is_a_plan_and_says_so(tmp_path, capsys):
    # No time for a search: of 2 hours, the shortest that the command takes.
    path = tmp_path / "switched.json"
    path.write_text(json.dumps(TINY | {"commitments": {"pump": {"of": {"supply": "tanker"}, "min_rate": 1}}}))
    call_command("solve", str(path), "--time-limit", "1e-9", "--json", str(tmp_path / "answer.json"))
    said = capsys.readouterr().out
    assert "Status: fallback" in said and "bound and gap not known" in said and "A rule took over" in said
    assert json.loads((tmp_path / "answer.json").read_text())["gap"] is None


def test_an_error_in_the_solver_is_not_swallowed(tiny, monkeypatch):
    def fail(*args: object, **options: object) -> Answer:
        raise RuntimeError("the solver broke")

    monkeypatch.setattr("planning.management.commands.solve.solve", fail)
    with pytest.raises(RuntimeError, match="the solver broke"):
        call_command("solve", str(tiny))


@pytest.mark.parametrize(
    "args",
    [
        ["missing.yaml"],
        [str(ROOT)],
        [str(EXAMPLE), "--json", "no/such/folder/answer.json"],
        [str(EXAMPLE), "--json", str(ROOT)],
        [str(EXAMPLE), "--json", str(EXAMPLE / "answer.json")],
        [str(EXAMPLE), "--json", "/proc/answer.json"],
    ],
)
def test_paths_that_lead_nowhere_are_refused_before_solving(args, monkeypatch):
    monkeypatch.setattr("planning.management.commands.solve.solve", lambda *args, **options: pytest.fail("it solved"))
    error = refusal(*args)
    assert error.returncode == 2
    assert str(error).count(args[-1]) == 1  # the path once, and what is wrong with it


def test_a_device_is_written_to_and_not_replaced(tiny, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    call_command("solve", str(tiny), "--json", str(pipe))
    reader.join(30)
    assert json.loads(heard[0])["status"] == "optimal"
    assert pipe.is_fifo()


@pytest.mark.parametrize(("option", "value"), [("--gap", "2"), ("--gap", "x"), ("--time-limit", "0"), ("--gap", "nan")])
def test_options_out_of_range_are_refused(option, value):
    assert option in str(refusal(EXAMPLE, option, value))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_search_with_the_best_plan_so_far(tiny, monkeypatch, capsys, number):
    def search(*args: object, cancelled: threading.Event, **options: object) -> Answer:
        for _ in range(2):  # an impatient person does it twice
            os.kill(os.getpid(), number)
        assert cancelled.wait(30)
        return Answer(Status.FEASIBLE)

    monkeypatch.setattr("planning.management.commands.solve.solve", search)
    call_command("solve", str(tiny))
    assert "Status: feasible" in capsys.readouterr().out


def test_a_signal_before_the_first_plan_ends_with_130(tiny, monkeypatch):
    def search(*args: object, cancelled: threading.Event, **options: object) -> Answer:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(30)
        return Answer(Status.NONE, why="cancelled")

    monkeypatch.setattr("planning.management.commands.solve.solve", search)
    assert refusal(tiny).returncode == 130


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("gew\xe4sser: 1".encode("latin-1"))
    assert refusal(path).returncode == 2
    assert str(refusal(path)) == f"{path}: byte 3: expected text in UTF-8"


def test_the_format_may_be_forced(tmp_path):
    path = tmp_path / "case.txt"
    path.write_text(json.dumps(TINY)[:-1])
    assert "valid JSON" in str(refusal(path, "--format", "json"))
    assert "valid YAML" in str(refusal(path, "--format", "yaml"))
