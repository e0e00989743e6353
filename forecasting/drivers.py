"""What explains a series: weather that is forecast itself, and schedules that people announce.

A driver's past is what was known of it at `known_at`. Its future is what is announced, for a schedule, and else the
mean of its own forecast, of rain that of the middle week. A driver that was never measured is left out, and the
forecast says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from .kernel.catchments import middle_week
from .kernel.driving import ranks
from .kernel.profiles import Profile, typical
from .kernel.seasons import FIRST_DAYS, MOST_ORIGINS_OF_DAYS
from .kernel.series import Note, Rule
from .models import Forecast, Series
from .steps import calendar_of, covering

LONGEST_GAP = pd.Timedelta(days=1)
"""Gaps of a driver up to so long are bridged by a straight line."""
YEARS = pd.Timedelta(days=FIRST_DAYS + MOST_ORIGINS_OF_DAYS)
"""A history from which the kernel learns thoroughly."""
NATURAL = ("river", "rain", "storage", "eto", "solar")
"""Kinds that know no holidays: only weather is a reason to learn from years of them."""
LEAST_SCALE = 0.05
"""Below this share of its running a plant says nothing of how it runs."""

Key = tuple[int, str]
"""City and series."""


@dataclass(frozen=True)
class Driver:
    """A series that drives another one, as known; `forecast` is absent where nothing is known of it."""

    series: Series
    history: pd.Series
    forecast: Forecast | None

    @property
    def is_guessed(self) -> bool:
        """Whether its future is its own forecast: nobody announces it."""
        return not self.series.is_schedule

    @property
    def is_invented(self) -> bool:
        """Whether what it says of a series rests on synthetic values."""
        is_used = len(self.history) > 0 and not self.series.is_schedule
        return is_used and self.forecast is not None and self.forecast.synthetic

    @property
    def column(self) -> str:
        """The name under which the kernel gets it: it tells rain from other influences by the part before the colon."""
        return f"{self.series.profile.get('kind', 'cycle')}:{self.series.key}"

    @property
    def scales(self) -> bool:
        return self.series.is_schedule and self.series.profile.get("effect", "scale") == "scale"


@dataclass(frozen=True)
class Influences:
    """What a series' drivers say on its steps: columns to be learnt from, and the share of full running.

    guessed  from when on a column is its driver's own forecast: nobody announces it. Columns of what is NATURAL are
             never named: rivers believe the rain that is expected, by a way of their own
    """

    table: pd.DataFrame
    scale: pd.Series
    notes: tuple[Note, ...] = ()
    guessed: Mapping[str, pd.Timestamp] = field(default_factory=dict)

    def taken_out(self, history: pd.Series) -> pd.Series:
        """The history as it would have been at full running, without the steps in which there was next to none."""
        share = self.scale.reindex(history.index).fillna(1.0)
        return history[share > LEAST_SCALE] / share[share > LEAST_SCALE]

    def put_back(self, values: np.ndarray, index: pd.Index) -> np.ndarray:
        return np.asarray(values * self.scale.reindex(index).fillna(1.0).to_numpy())


def by_rank(series: Iterable[Series]) -> list[list[Series]]:
    """The series and all that drives them, drivers before what they drive."""
    rows = {(row.city_id, row.key): row for row in series}
    asked: set[Key] = set()
    while missing := {(row.city_id, key) for row in rows.values() for key in row.drivers} - rows.keys() - asked:
        asked |= missing
        keys = {key for _city, key in missing}
        found = Series.objects.filter(city__in={city for city, _key in missing}, key__in=keys).select_related("city")
        rows |= {(row.city_id, row.key): row for row in found if (row.city_id, row.key) in missing}
    order = ranks({f"{city}/{key}": [f"{city}/{name}" for name in row.drivers] for (city, key), row in rows.items()})
    named = {f"{city}/{key}": row for (city, key), row in rows.items()}
    return [[named[name] for name in rank if name in named] for rank in order]


def drivers_of(series: Series, every: Mapping[Key, Series]) -> list[Series]:
    """Those that are there; a key that names none is skipped."""
    return [every[series.city_id, key] for key in series.drivers if (series.city_id, key) in every]


def influences(series: Series, drivers: Sequence[Driver], history: pd.Series, starts: pd.DatetimeIndex) -> Influences:
    """What the drivers say on the steps of the history and on those that begin at `starts`."""
    first = min(history.index[0], starts[0]) if len(history) else starts[0]
    steps = covering(series, first, starts[-1] + series.step)
    columns, guessed, scale, notes = {}, {}, pd.Series(1.0, steps), _absent(series, drivers)
    for driver in drivers:
        line = on_steps(driver, steps, pd.Timedelta(series.step))
        if line.isna().all():
            notes.append(Note(Rule.REGRESSOR, len(steps), steps[0], _left_out(driver.series.key)))
        elif driver.scales:
            scale = scale * line
            notes += _scaled(driver.series.key, line[line.index >= starts[0]])
        else:
            columns[driver.column] = line
            if driver.is_guessed and series.profile.get("kind") not in NATURAL:
                guessed[driver.column] = driver.history.index[-1] + pd.Timedelta(driver.series.step)
    return Influences(pd.DataFrame(columns, index=steps), scale, tuple(notes), guessed)


def _absent(series: Series, drivers: Sequence[Driver]) -> list[Note]:
    there = {driver.series.key for driver in drivers}
    return [Note(Rule.REGRESSOR, 0, None, _left_out(key)) for key in series.drivers if key not in there]


def _left_out(key: str) -> str:
    return f"{key} is not known there and was not used"


def _scaled(key: str, ahead: pd.Series) -> list[Note]:
    """A note where the schedule announces anything but steady running at full."""
    if (ahead == 1.0).all():
        return []
    told = f"multiplied by the schedule {key}, {ahead.min():.2f} to {ahead.max():.2f}"
    return [Note(Rule.SCHEDULE, int((ahead != 1.0).sum()), ahead.index[int(np.argmax(ahead != 1.0))], told)]


def on_steps(driver: Driver, steps: pd.DatetimeIndex, step: pd.Timedelta) -> pd.Series:
    """The driver's means over the steps of what it drives; NaN where it is not known."""
    line, width = _line(driver, steps[0], steps[-1] + step), pd.Timedelta(driver.series.step)
    if line.empty:
        return pd.Series(np.nan, steps)
    fine = min(width, step)
    at = pd.date_range(steps[0], steps[-1] + step, freq=fine, inclusive="left")
    held = line.reindex(at, method="ffill", tolerance=width - pd.Timedelta(seconds=1))
    bridged = held.interpolate(limit=int(LONGEST_GAP / fine), limit_area="inside")
    if fine == step and len(at) == len(steps):
        return pd.Series(bridged.to_numpy(), steps)
    means = bridged.groupby(np.searchsorted(steps, at, side="right") - 1).mean()
    return pd.Series(means.to_numpy(), steps)


def _line(driver: Driver, low: pd.Timestamp, high: pd.Timestamp) -> pd.Series:
    """What was known of the driver, and from there on what is announced or expected, by the start of its own steps."""
    if driver.series.is_schedule:
        return scheduled(driver.series, driver.history, covering(driver.series, low, high))
    if driver.forecast is None or driver.history.empty:
        return driver.history
    ahead = pd.Series(driver.forecast.mean, pd.DatetimeIndex(driver.forecast.times), dtype=float)
    if driver.series.profile.get("kind") == "rain":
        first = driver.forecast.start.astimezone(driver.series.city.zone).date()
        ahead *= middle_week(Profile.from_dict(driver.series.profile), first)
    known: pd.Series = pd.concat([driver.history, ahead[ahead.index > driver.history.index[-1]]])
    return known


def scheduled(series: Series, announced: pd.Series, starts: pd.DatetimeIndex) -> pd.Series:
    """A schedule's values in the steps that begin at `starts`: what was announced, else the published plan."""
    plan = typical(Profile.from_dict(series.profile), calendar_of(series.city), starts, series.step_minutes)
    said = announced.reindex(starts).to_numpy(dtype=float)
    return pd.Series(np.where(np.isfinite(said), said, plan), starts)


def published_scale(series: Series, schedules: Iterable[Series], starts: pd.DatetimeIndex) -> np.ndarray:
    """The share of full running that the published plans of the schedules of a series say, one number per step."""
    nothing = pd.Series([], pd.DatetimeIndex([], tz="UTC"), dtype=float)
    share = np.ones(len(starts))
    for row in schedules:
        driver = Driver(row, nothing, None)
        if driver.scales:
            share = share * on_steps(driver, starts, pd.Timedelta(series.step)).to_numpy()
    return share


def last_needed(high: datetime) -> datetime:
    """How far a driver must be known for what it drives, whose last step may be a day, to reach `high`."""
    return high + LONGEST_GAP.to_pytimedelta()
