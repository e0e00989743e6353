"""The balance of the root zone over whole seasons, beside the public-domain model pyfao56 in one run.

Rain and warmth are Kaohsiung's of 2016 to 2018. ETo (a fifth of the mean temperature) and the days of irrigation are
made up, alike for both. Ours is given pyfao56's roots and ETc, and finds stress, drainage and depletion day by day,
each day from its own day before.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from water.kernel.soil import Soil, next_day, root_zone, stress

from . import season_peer
from .rivals import PYTHON
from .row import Absent, Row, at_most
from .shared import path_of

WORK = "balance of the root zone, seasons beside pyfao56"
SOWN = ("2016-01-10", "2016-10-01", "2017-03-01", "2017-10-01", "2018-02-01", "2018-05-01")
DAYS, WATER_EVERY_DAYS, WATER_MM = 125, 17, 30.0
ETO_OF_TEMPERATURE = 0.2
SOIL, SHARE_EASY, AT_SOWING = Soil(0.25, 0.12), 0.5, 0.2
DEEPEST_M = 1.0
PRINTED = 0.0005
"""pyfao56 prints three decimals."""


def measure() -> list[Row]:
    seasons = [_season(first) for first in SOWN]
    stressed, drained, depleted = 0.0, 0.0, 0.0
    for season, theirs in zip(seasons, _by_pyfao56(seasons), strict=True):
        for ours, (_, _, ks, dp, dr) in zip(_ours(season, theirs), theirs, strict=True):
            stressed = max(stressed, abs(ours[0] - ks))
            drained = max(drained, abs(ours[1] - dp))
            depleted = max(depleted, abs(ours[2] - dr))
    what = f"{len(SOWN)} seasons of {DAYS} days, farthest on any day"
    return [
        at_most(WORK, f"{what}: depletion, mm", PRINTED, "", depleted),
        at_most(WORK, f"{what}: drainage, mm", PRINTED, "", drained),
        at_most(WORK, f"{what}: stress coefficient", PRINTED, "", stressed),
    ]


def _season(first: str) -> dict[str, Any]:
    table = pd.read_csv(path_of("tw_daily_2016_2019.csv"), index_col="date")
    days = table.loc[first:].head(DAYS)
    return {
        "first": first,
        "rain": days["Precp_Kao"].fillna(0.0).clip(lower=0.0).tolist(),
        "eto": (ETO_OF_TEMPERATURE * days["Temp_Kao"]).tolist(),
        "water": [WATER_MM if day % WATER_EVERY_DAYS == WATER_EVERY_DAYS - 1 else 0.0 for day in range(DAYS)],
    }


def _ours(season: dict[str, Any], theirs: list[list[float]]) -> list[tuple[float, float, float]]:
    """Ks, drainage and depletion of every day; roots and ETc are those of `theirs`."""
    depletion = 1000.0 * (SOIL.field_capacity - AT_SOWING) * theirs[0][0]
    found = []
    for (depth, etc, *_), rain, water in zip(theirs, season["rain"], season["water"], strict=True):
        zone = root_zone(SOIL, depth, SHARE_EASY, etc)
        ks = stress(zone, depletion)
        day = next_day(zone, depletion, rain, water, etc)
        depletion = day.depletion_mm
        found.append((ks, day.drained_mm, depletion))
    return found


def _by_pyfao56(seasons: list[dict[str, Any]]) -> list[list[list[float]]]:
    if not PYTHON.exists():
        raise Absent(f"needs {PYTHON} with requirements-bench.txt; `make bench` makes it")
    soil = {"thetaFC": SOIL.field_capacity, "thetaWP": SOIL.wilting_point, "theta0": AT_SOWING}
    soil |= {"pbase": SHARE_EASY, "Zrmax": DEEPEST_M}
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "given.json", Path(folder) / "found.json"
        given.write_text(json.dumps({"soil": soil, "seasons": seasons}))
        command = [str(PYTHON), str(Path(season_peer.__file__)), str(given), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Absent(f"pyfao56 failed: {done.stderr.strip().splitlines()[-1:]}")
        return list(json.loads(out.read_text()))
