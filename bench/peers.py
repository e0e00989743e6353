"""Forecasts of M4 Hourly by other packages; runs in an environment that has them (.venv-bench), not in Headgate's.

python peers.py TRAIN.parquet NAME OUT.json: mean, 95 % band and CPU seconds of every series, or some for the slow ones.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import pandas as pd  # noqa: E402

STEPS, BAND = 48, 95
EVERY = {"AutoETS": 20, "MSTL": 10, "DynamicOptimizedTheta": 10, "LightGBM": 1}
"""Of how many series one is forecast; CPU seconds are scaled up."""
RUNS = 3
"""The least of so many counts, on both sides: whoever shares the machine only ever adds."""


def main(train: str, name: str, out: str) -> None:
    table = pd.read_parquet(train, columns=["unique_id", "ds", "y"]).sort_values(["unique_id", "ds"])
    chosen = list(table["unique_id"].unique())[:: EVERY[name]]
    table = table[table["unique_id"].isin(chosen)].reset_index(drop=True)
    run = _boosted if name == "LightGBM" else _statistical
    # Compiling is done once per machine, not per forecast.
    run(table[table["unique_id"] == chosen[0]], name)
    spent = []
    for _ in range(RUNS):
        begin = time.process_time()
        answer, column = run(table, name)
        spent.append(time.process_time() - begin)
    lines = {
        str(key): [rows[f"{column}{end}"].tolist() for end in ("", f"-lo-{BAND}", f"-hi-{BAND}")]
        for key, rows in answer.groupby("unique_id")
    }
    Path(out).write_text(json.dumps({"cpu_s": min(spent), "every": EVERY[name], "lines": lines}))


def _statistical(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    forecast, models = import_module("statsforecast"), import_module("statsforecast.models")
    made: dict[str, Callable[[], Any]] = {
        "AutoETS": lambda: models.AutoETS(season_length=24),
        "MSTL": lambda: models.MSTL(season_length=[24, 168], trend_forecaster=models.AutoETS(model="ZZN")),
        "DynamicOptimizedTheta": lambda: models.DynamicOptimizedTheta(season_length=24),
    }
    runner = forecast.StatsForecast(models=[made[name]()], freq=1, n_jobs=1)
    return runner.forecast(df=table, h=STEPS, level=[BAND]), name


def _boosted(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    mlforecast, lightgbm = import_module("mlforecast"), import_module("lightgbm")
    means = import_module("mlforecast.lag_transforms").RollingMean
    forecaster = mlforecast.MLForecast(
        models={name: lightgbm.LGBMRegressor(n_estimators=200, num_leaves=31, num_threads=1, verbosity=-1)},
        freq=1,
        lags=[1, 2, 3, 24, 48, 72, 96, 120, 144, 168],
        lag_transforms={1: [means(24)], 24: [means(24)]},
        target_transforms=[import_module("mlforecast.target_transforms").Differences([24])],
        num_threads=1,
    )
    intervals = import_module("mlforecast.utils").PredictionIntervals(n_windows=2, h=STEPS)
    forecaster.fit(table, prediction_intervals=intervals)
    return forecaster.predict(STEPS, level=[BAND]), name


if __name__ == "__main__":
    main(*sys.argv[1:])
