"""Rivers: small catchments whose answer to rain is known, and the Gaoping's real flows and rain of 2026."""

from __future__ import annotations

import csv
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from forecasting.kernel.forecast import Forecast, Limits, forecast
from tests.shared_files import GAOPING_WEIR, TAIPEI

HOUR = pd.Timedelta(hours=1)
START = pd.Timestamp("2026-05-01", tz="UTC")
HOURS, AHEAD = 45 * 24, 96


def storms(seed: int = 1) -> np.ndarray:
    """Rain of 50 days, mm/h: a storm of six hours on every third day or so."""
    rng = np.random.default_rng(seed)
    rain = np.zeros(HOURS + 5 * 24)
    for day in rng.choice(44, 15, replace=False):
        begin = int(day) * 24 + int(rng.integers(18))
        rain[begin : begin + 6] = rng.uniform(2, 10)
    rain[43 * 24 : HOURS + AHEAD] = 0.0
    return rain


def catchment(rain: np.ndarray) -> np.ndarray:
    """Q = 8 + 40 S, two stores in a row that each halve in 6 hours: S₂ follows S₁ follows the rain."""
    kept = 0.5 ** (1 / 6)
    flow, first, second = np.empty(len(rain)), 0.0, 0.0
    for t, mm in enumerate(rain):
        first = kept * first + (1 - kept) * mm
        second = kept * second + (1 - kept) * first
        flow[t] = 8 + 40 * second
    return flow


def expected(rain: np.ndarray, flow: np.ndarray, *, told: bool = True) -> Forecast:
    history = pd.Series(flow[:HOURS], pd.date_range(START, periods=HOURS, freq=HOUR))
    known = pd.DataFrame({"rain:upper": rain[: HOURS + AHEAD]}, pd.date_range(START, periods=HOURS + AHEAD, freq=HOUR))
    return forecast(history, AHEAD, step=HOUR, regressors=known if told else None, limits=Limits(0.0))


def test_a_forecast_storm_raises_the_river_as_earlier_storms_did() -> None:
    rain = storms()
    rain[HOURS + 24 : HOURS + 30] = 8.0
    flow = catchment(rain)
    answer = expected(rain, flow)
    came = flow[HOURS : HOURS + AHEAD]
    # 48 mm on the second day bring a peak of 88; nothing in the flow before tells of it
    assert came[:24].max() < 10 < 80 < came.max()
    np.testing.assert_allclose(answer.mean, came, rtol=0.02)
    assert expected(rain, flow, told=False).mean.max() < 0.3 * came.max()


def test_no_rain_ahead_leaves_the_river_low() -> None:
    rain = storms()
    flow = catchment(rain)
    assert expected(rain, flow).mean[24:].max() < 12


def test_rain_elsewhere_is_not_believed() -> None:
    flow = catchment(storms(seed=1))
    elsewhere = storms(seed=2)
    elsewhere[HOURS + 24 : HOURS + 30] = 8.0
    # the storm of the test above, told by a gauge that never went with the river, brings less than a quarter of it
    assert expected(elsewhere, flow).mean.max() < 8 + 0.25 * 80


def test_after_a_peak_the_river_falls_all_the_way() -> None:
    rain = storms()
    rain[HOURS - 20 : HOURS - 12] = 9.0
    flow = catchment(rain)
    last = flow[HOURS - 1]
    for told in (True, False):
        mean = expected(rain, flow, told=told).mean
        falls = -np.diff(np.concatenate([[last], mean]))
        # of 70 to 10 within four days: no rise to speak of, no step of more than a tenth, and no level in between
        assert falls.min() > -0.001 * last
        assert falls.max() < 0.1 * last
        assert mean[12] < 0.9 * last and mean[24] < 0.8 * last and mean[-1] < 0.45 * last


def test_the_method_says_what_rain_had_to_say() -> None:
    rain = storms()
    rain[HOURS - 30 : HOURS - 24] = 9.0
    assert set(expected(rain, catchment(rain)).weights) <= {"persistence", "recession", "rain response"}
    assert "rain response" in expected(rain, catchment(rain)).weights


# --- real data -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def gaoping(shared_data) -> pd.DataFrame:
    """Hourly flow at the weir (m³/s) and rain on its catchment (mm), which the feed adds up from midnight."""
    file = shared_data / "kaohsiung" / "wra" / "south_intraday_2026-04_08.csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = {
            datetime.fromisoformat(line["ObservationTime"]): (
                float(line["InflowDischarge (10^4 m^3)"]),
                float(line["AccumulateRainfallInCatchment (mm)"]),
            )
            for line in csv.DictReader(stream)
            if line["reservoir_id"] == GAOPING_WEIR
        }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["flow", "total"]).sort_index()
    table.index = table.index.tz_localize(TAIPEI)
    day = (table.index - HOUR).date
    # A total that falls again within its day was never reached.
    total = table["total"][::-1].groupby(day[::-1]).cummin()[::-1]
    table["rain"] = total.groupby(day).diff().fillna(total)
    return table.resample("1h").mean()


def errors(gaoping: pd.DataFrame, rain_ahead: bool) -> tuple[float, float]:
    """Mean error on the second day of ours and of the last value, m³/s, every twelve hours of 13 to 30 June 2026."""
    ours, last = [], []
    for origin in pd.date_range("2026-06-13", "2026-06-27", freq="12h", tz=TAIPEI):
        history = gaoping["flow"][: origin - HOUR].dropna()
        rain = gaoping["rain"].fillna(0.0)[: origin + 167 * HOUR].copy()
        if not rain_ahead:
            rain[origin:] = rain[origin - 30 * 24 * HOUR : origin - HOUR].mean()
        answer = forecast(
            history, 48, step=HOUR, regressors=rain.to_frame("rain:catchment"), limits=Limits(0.0), start=origin
        )
        came = gaoping["flow"].reindex(answer.index)[24:].to_numpy()
        ours.append(np.nanmean(np.abs(answer.mean[24:] - came)))
        last.append(np.nanmean(np.abs(history.iloc[-1] - came)))
    return float(np.mean(ours)), float(np.mean(last))


def test_gaoping_in_the_storms_of_june_2026(gaoping: pd.DataFrame) -> None:
    ours, last = errors(gaoping, rain_ahead=False)
    told, _ = errors(gaoping, rain_ahead=True)
    # that the last value stays is the better of the naive forecasts here
    assert told < ours < 0.9 * last
