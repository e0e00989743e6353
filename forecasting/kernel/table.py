"""Series as one table of text (series, time, value and regressors), and forecasts as the table that answers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .answer import Forecast
from .calendars import Calendar
from .forecast import forecast_many
from .series import Array, Refusal, Refused

NEEDED = ("series", "time", "value")
FEWEST_FOR_A_STEP = 2


@dataclass(frozen=True)
class Listed:
    """One series of the table. `step` None means integer times; `naive` that the times carried no offset."""

    values: pd.Series
    regressors: pd.DataFrame
    step: pd.Timedelta | None
    naive: bool


def problems_of(header: Sequence[str]) -> list[str]:
    """Everything wrong with the header, for people; empty when it is good."""
    missing = [f"column {name!r} is missing" for name in NEEDED if name not in header]
    twice = [f"column {name!r} is there twice" for name in sorted(set(header)) if list(header).count(name) > 1]
    return missing + twice


def listed(table: pd.DataFrame, zone: str) -> dict[str, Listed | Refusal]:
    """Every series of a table of text cells whose index is the line in the file, by name.

    Times without offset are wall times of `zone`. A series with any bad cell is refused whole, with all of them, one a
    line.
    """
    found: dict[str, Listed | Refusal] = {}
    for name, rows in table.groupby("series", sort=False):
        try:
            found[str(name)] = _one(rows, zone)
        except Refused as refusal:
            found[str(name)] = Refusal(str(refusal))
    return found


def _one(rows: pd.DataFrame, zone: str) -> Listed:
    errors: list[str] = []
    if (rows["series"] == "").any():
        errors += [f"line {line}: no series named" for line in rows.index]
    index, naive = _times(rows["time"], zone, errors)
    regressors = [name for name in rows.columns if name not in NEEDED and (rows[name] != "").any()]
    columns = {name: _numbers(rows[name], errors) for name in ["value", *regressors]}
    if errors:
        raise Refused("\n".join(errors))
    values = pd.Series(columns.pop("value"), index=index)
    values = values[np.isfinite(values.to_numpy())]
    return Listed(values, pd.DataFrame(columns, index=index), _step(values.index), naive)


def _numbers(cells: pd.Series, errors: list[str]) -> Array:
    """An empty cell is a missing value; text and infinities are errors."""
    numbers = pd.to_numeric(cells.where(cells != ""), errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(numbers) & (cells != "").to_numpy() & ~cells.str.lower().isin(["nan", "na"]).to_numpy()
    errors += [f"line {line}: {cells.name} is {cell!r}, expected a number" for line, cell in cells[wrong].items()]
    return numbers


def _times(cells: pd.Series, zone: str, errors: list[str]) -> tuple[pd.Index, bool]:
    if cells.str.fullmatch(r"[+-]?\d{1,18}").all() and not cells.str.fullmatch(r"\d{8}").all():
        return pd.Index(cells.astype(np.int64)), False
    aware = cells.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$")
    if aware.any() and not aware.all():
        errors += [f"line {cells.index[~aware][0]}: time {cells[~aware].iloc[0]!r} has no offset, but others have"]
        return pd.Index(cells), False
    times = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=bool(aware.all()))
    errors += [
        f"line {line}: time is {cell!r}, expected an ISO time or a whole number"
        for line, cell in cells[times.isna()].items()
    ]
    index = pd.DatetimeIndex(times)
    if aware.all() or errors:
        return index, False
    # An hour that the clock repeats or skips cannot be told from wall time: it is left to cleaning as a gap or double.
    first = np.ones(len(index), dtype=bool)
    return index.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC"), True


def _step(index: pd.Index) -> pd.Timedelta | None:
    """The commonest distance of neighbouring times; None for integer times."""
    if not isinstance(index, pd.DatetimeIndex):
        return None
    distances = np.diff(np.unique(index.as_unit("s").asi8))
    if len(index) < FEWEST_FOR_A_STEP or not len(distances):
        raise Refused(f"{len(index)} values: too few to see the step")
    steps, counts = np.unique(distances, return_counts=True)
    return pd.Timedelta(seconds=int(steps[np.argmax(counts)]))


def answered(
    found: Mapping[str, Listed | Refusal], steps: int, quantiles: Sequence[float], calendar: Calendar
) -> dict[str, Forecast | Refusal]:
    """A forecast or a refusal for every series; those of one step are computed together."""
    answers: dict[str, Forecast | Refusal] = {name: one for name, one in found.items() if isinstance(one, Refusal)}
    good = {name: one for name, one in found.items() if isinstance(one, Listed)}
    for step in {one.step for one in good.values()}:
        group = {name: one for name, one in good.items() if one.step == step}
        histories = {name: one.values for name, one in group.items()}
        regressors = {name: one.regressors for name, one in group.items()}
        answers.update(
            forecast_many(histories, steps, step=step, quantiles=quantiles, regressors=regressors, calendar=calendar)
        )
    return {name: answers[name] for name in found}


def rows_of(name: str, forecast: Forecast, zone: str | None) -> Iterator[list[str]]:
    """Lines of the answer: series, time, mean, quantiles ascending. `zone`: times as its wall time, without offset."""
    index = forecast.index
    if isinstance(index, pd.DatetimeIndex):
        index = index.tz_convert(zone).tz_localize(None) if zone else index
        times = [time.isoformat() for time in index]
    else:
        times = [str(time) for time in index]
    columns = [forecast.mean, *(forecast.quantiles[level] for level in sorted(forecast.quantiles))]
    for k, time in enumerate(times):
        yield [name, time, *(f"{column[k]:.10g}" for column in columns)]
