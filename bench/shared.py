"""The data that measurements read: ../shared/data beside the repository, never part of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasting.kernel.calendars import Calendar

from .row import Absent

FORECASTING = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "forecasting"


def path_of(name: str) -> Path:
    path = FORECASTING / name
    if not path.is_file():
        raise Absent(f"needs {path}, which is not part of the repository")
    return path


@cache
def m4_hourly() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Training and test values of the odd-numbered M4 Hourly series, by name."""
    train, test = (pd.read_parquet(path_of(f"m4_hourly_odd_{part}.parquet")) for part in ("train", "test"))
    return _by_name(train), _by_name(test)


def _by_name(table: pd.DataFrame) -> dict[str, np.ndarray]:
    table = table.sort_values(["unique_id", "ds"])
    return {str(name): rows["y"].to_numpy(float) for name, rows in table.groupby("unique_id")}


@cache
def victoria() -> tuple[pd.DataFrame, Calendar]:
    """Hourly means of the load (demand, MW) and the temperature (°C) of Victoria 2012-14, and its days off."""
    table = pd.read_parquet(path_of("vic_elec_30min.parquet"))
    off = {time.date(): True for time in table.loc[table["holiday"], "local"]}
    table.index = pd.DatetimeIndex(table["utc"]).tz_localize("UTC")
    hourly = table[["demand", "temperature"]].resample("h").mean()
    return hourly, Calendar(ZoneInfo("Australia/Melbourne"), off=off)
