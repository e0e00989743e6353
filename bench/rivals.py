"""M4 Hourly against other packages, both sides in one run: OWA, MSIS and CPU seconds per series."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from . import peers, series
from .row import Absent, Row
from .shared import m4_hourly, path_of

PYTHON = Path(__file__).resolve().parent.parent / ".venv-bench" / "bin" / "python"
WORK = "M4 Hourly against other packages"
SHARE = 0.2
"""Of the CPU seconds of the best of them."""


def measure() -> list[Row]:
    if not PYTHON.exists():
        raise Absent(f"needs {PYTHON} with requirements-bench.txt; `make bench` makes it")
    train, test = m4_hourly()
    # As for the others: what is loaded or compiled once is not counted.
    series.forecast_all(dict(list(train.items())[:1]))
    runs = [series.forecast_all(train) for _ in range(peers.RUNS)]
    ours, our_cpu = runs[0][0], min(cpu for _, cpu in runs)
    cheapest_of_best, best_owa, rows = np.inf, np.inf, []
    for name in peers.EVERY:
        found = _ran(name)
        lines = {key: tuple(np.array(line) for line in value) for key, value in found["lines"].items()}
        theirs = series.scored(lines, train, test)
        same = series.scored({key: ours[key] for key in lines}, train, test)
        cpu = found["cpu_s"] * len(train) / len(lines)
        if theirs["owa"] < best_owa:
            best_owa, cheapest_of_best = theirs["owa"], cpu
        what = f"{name}, {len(lines)} series"
        rows += [
            Row(WORK, f"OWA: {what}", "below", f"{theirs['owa']:.3f}", same["owa"], None, same["owa"] < theirs["owa"]),
            Row(
                WORK,
                f"MSIS: {what}",
                "below",
                f"{theirs['msis']:.2f}",
                same["msis"],
                None,
                same["msis"] < theirs["msis"],
            ),
            Row(
                WORK,
                f"CPU s for 207 series: {name}",
                "",
                f"{cpu:.1f}{' scaled' if len(lines) < len(train) else ''}",
                our_cpu,
            ),
        ]
    share = our_cpu / cheapest_of_best
    return [*rows, Row(WORK, "share of the CPU of the best of them", f"≤ {SHARE}", "", share, our_cpu, share <= SHARE)]


def _ran(name: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        train = path_of("m4_hourly_odd_train.parquet")
        command = [str(PYTHON), str(Path(peers.__file__)), str(train), name, str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Absent(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}")
        return dict(json.loads(out.read_text()))
