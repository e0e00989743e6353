"""Taiwan's daily peak load a day ahead, January 2018 to October 2019, with the weather that came (ex post).

Fixed on 2017, with 2016 to learn from: the weather columns. Every day of the test counts, holidays included.
"""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasting.kernel.forecast import Calendar, backtest
from forecasting.kernel.scores import coverage, mape

from .row import Row, at_most, cpu_seconds, within
from .shared import path_of

WORK = "Taiwan daily peak 2018-19, 1 day ahead"
ZONE = ZoneInfo("Asia/Taipei")
WEATHER = ["Temp_Taipei", "Temp_Taichung", "Temp_Kao"]
FIRST, LAST = "2018-01-01", "2019-10-30"
LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
BANDS = ((50, 0.25, 0.75), (80, 0.1, 0.9), (90, 0.05, 0.95), (95, 0.025, 0.975))


def measure() -> list[Row]:
    table = pd.read_csv(path_of("tw_daily_2016_2019.csv"), parse_dates=["date"])
    table.index = pd.DatetimeIndex(table["date"]).tz_localize(ZONE).tz_convert("UTC")
    # Workers' day off, which the office calendar does not know: what a city's table of its own days is for.
    calendar = Calendar(ZONE, "TW", {date(year, 5, 1): True for year in range(2016, 2021)})
    days = pd.date_range(FIRST, LAST, freq="D", tz=ZONE).tz_convert("UTC")
    with cpu_seconds() as spent:
        answers = backtest(
            table["peak_load"].astype(float)[table.index < days[-1]],
            1,
            len(days),
            step=pd.Timedelta(days=1),
            quantiles=LEVELS,
            regressors=table[WEATHER].interpolate(limit=3),
            calendar=calendar,
            start=days[-1],
        )
    truth = table["peak_load"].reindex(days).to_numpy(float)
    mean = np.array([answer.mean[0] for answer in answers])
    band = {level: np.array([answer.quantiles[level][0] for answer in answers]) for level in LEVELS}
    off = np.array([calendar.is_off(day.tz_convert(ZONE).date()) for day in days])
    round_lny = calendar.days_from_lunar_new_year(days) <= 14
    return [
        at_most(WORK, "MAPE %, all days", 2.25, "2.25 the operator's own, 2024", mape(truth, mean), spent()),
        Row(WORK, "MAPE %, weekends and holidays", "", "", mape(truth[off], mean[off])),
        Row(WORK, "MAPE %, 6 days before to 14 after Lunar New Year", "", "", mape(truth[round_lny], mean[round_lny])),
        Row(WORK, "MAPE %, yesterday's peak", "", "", mape(truth[1:], truth[:-1])),
        *(
            within(WORK, f"{nominal} % band holds %", nominal, 100 * coverage(truth, band[a], band[b]))
            for nominal, a, b in BANDS
        ),
    ]
