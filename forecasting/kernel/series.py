"""What comes in: one measured series, put on a regular grid. Nothing here judges a value; cleaning.py does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import pandas as pd

from .faults import Array, median, spikes

Time = pd.Timestamp | int
DAY, HOUR, NO_TIME = pd.Timedelta(days=1), pd.Timedelta(hours=1), pd.Timedelta(0)
LONGEST = 35_136
"""Steps of history looked at: four years of hours, one of quarter hours. More adds seconds, not accuracy."""


class Rule(StrEnum):
    """Why a note was written."""

    NOT_A_NUMBER = "not a number"
    DUPLICATE = "duplicate time"
    FINER = "finer than the step"
    OFF_GRID = "off the grid"
    LATER = "after the start"
    TOO_OLD = "older than looked at"
    IMPOSSIBLE = "impossible value"
    SPIKE = "spike"
    UNIT = "wrong unit"
    FLAT = "flat line"
    SHIFT = "level shift"
    GAP = "gap"
    LATE = "late"
    REGRESSOR = "regressor"
    SCHEDULE = "schedule"
    SHORT = "short history"
    STALE = "stale history"
    PROFILE = "profile"


@dataclass(frozen=True)
class Note:
    """What cleaning or a fallback did: how often, where first."""

    rule: Rule
    count: int
    first: Time | None
    did: str

    def as_dict(self) -> dict[str, object]:
        first = self.first.isoformat() if isinstance(self.first, pd.Timestamp) else self.first
        return {"rule": self.rule.value, "count": self.count, "first": first, "did": self.did}


@dataclass(frozen=True)
class Limits:
    """What is physically possible, in the unit of the series. None = no limit."""

    minimum: float | None = None
    maximum: float | None = None

    def impossible(self, values: Array) -> Array:
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        return np.asarray((values < low) | (values > high))

    def clip(self, values: Array) -> Array:
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        return np.asarray(np.clip(values, low, high))


class Refused(ValueError):
    """A series that cannot be forecast; the message is the reason, for people."""


@dataclass(frozen=True)
class Refusal:
    reason: str


@dataclass(frozen=True)
class Ruler:
    """Turns times into whole numbers of steps and back: position 0 is `anchor`.

    `step` None means integer times, which are positions already. Steps of whole days, and those that divide an hour,
    are counted in local wall time: a day of 23 or 25 hours is still one day, and steps a day apart are at the same
    time of the local clock. An hour that comes twice has one position, one that is skipped has a position without time.
    """

    step: pd.Timedelta | None
    zone: str = "UTC"
    anchor: float = 0.0

    @property
    def by_local_day(self) -> bool:
        return self.step is not None and self.step % DAY == NO_TIME

    @property
    def by_wall_clock(self) -> bool:
        return self.step is not None and (self.by_local_day or HOUR % self.step == NO_TIME)

    def exact(self, index: pd.Index) -> Array:
        """Positions of times, with fractions for those off the grid."""
        if self.step is None:
            return np.asarray(index, dtype=float)
        return (self._seconds(pd.DatetimeIndex(index)) - self.anchor) / self.step.total_seconds()

    def times(self, positions: Array) -> pd.Index:
        if self.step is None:
            return pd.Index(np.asarray(positions, dtype=np.int64))
        # A time that the clock skips is moved on; one that comes twice is the first of the two.
        return self._localized(positions, "shift_forward").tz_convert("UTC")

    def exist(self, positions: Array) -> Array:
        """False for the steps of an hour that the local clock skips."""
        if not self.by_wall_clock or self.by_local_day:
            return np.ones(len(positions), dtype=bool)
        return np.asarray(self._localized(positions, "NaT").notna())

    def position(self, time: Time) -> int:
        """The step nearest to a time."""
        return time if isinstance(time, int) else int(np.round(self.exact(pd.Index([time]))[0]))

    def last_of(self, start: Time, steps: int) -> int:
        """The position of the last of `steps` steps from `start` on: an hour off where the clock changes before it."""
        if self.step is None or self.by_local_day or isinstance(start, int):
            return self.position(start) + steps - 1
        return self.position(start + (steps - 1) * self.step)

    def onward(self, start: Time, steps: int) -> pd.Index:
        """Times of `steps` steps from `start` on: real hours where steps are shorter than a day, else local days."""
        if self.step is None or self.by_local_day:
            return self.times(self.position(start) + np.arange(steps))
        seconds = pd.Timestamp(start).timestamp() + np.arange(steps) * self.step.total_seconds()
        return pd.DatetimeIndex(pd.to_datetime(np.round(seconds).astype(np.int64), unit="s", utc=True))

    def time(self, position: int) -> Time:
        return position if self.step is None else self.times(np.array([position]))[0]

    def anchored_at(self, time: pd.Timestamp) -> Ruler:
        return Ruler(self.step, self.zone, float(self._seconds(pd.DatetimeIndex([time]))[0]))

    def _localized(self, positions: Array, skipped: Literal["shift_forward", "NaT"]) -> pd.DatetimeIndex:
        seconds = self.anchor + np.asarray(positions) * self.step.total_seconds()  # type: ignore[union-attr]
        naive = pd.DatetimeIndex(pd.to_datetime(np.round(seconds).astype(np.int64), unit="s"))
        if not self.by_wall_clock:
            return naive.tz_localize("UTC")
        return naive.tz_localize(self.zone, nonexistent=skipped, ambiguous=np.ones(len(naive), dtype=bool))

    def _seconds(self, index: pd.DatetimeIndex) -> Array:
        wall = index.tz_convert(self.zone).tz_localize(None) if self.by_wall_clock else index
        return np.asarray(wall.as_unit("s").asi8, dtype=float)


@dataclass(frozen=True)
class Grid:
    """One value per step; NaN where none was measured. `last` is the position of the last one."""

    ruler: Ruler
    values: Array
    last: int
    notes: tuple[Note, ...] = ()

    def time_of(self, k: int) -> Time:
        """The time of values[k]."""
        return self.ruler.time(self.last - len(self.values) + 1 + k)


def on_grid(
    history: pd.Series, step: pd.Timedelta | None, zone: str, start: Time | None = None, longest: int = LONGEST
) -> Grid:
    """A history of any order on the regular grid of its last value. Values at or after `start` are left out, and
    those more than `longest` steps before the last one.

    Raises Refused for an index that is neither timezone-aware times nor whole numbers, or when nothing is left.
    """
    values = pd.Series(np.asarray(history, dtype=float), index=checked_index(history.index, step))
    notes: list[Note] = []
    values = _drop(values, ~np.isfinite(values.to_numpy()), Rule.NOT_A_NUMBER, "left out", notes)
    if start is not None:
        values = _drop(values, values.index >= start, Rule.LATER, "left out: the forecast starts there", notes)
    if values.empty:
        raise Refused("no value at all")
    if not values.index.is_monotonic_increasing:
        values = values.sort_index(kind="stable")
    values = _latest(values, step, longest, notes)
    values = _drop(values, values.index.duplicated(keep="last"), Rule.DUPLICATE, "the last one was used", notes)
    ruler = Ruler(step, zone)
    if step is not None:
        ruler = ruler.anchored_at(_on_the_grid(values.index, step, zone, start))
    exact = ruler.exact(values.index)
    # Whole numbers, each once, are never finer than 1.
    finer = step is not None and len(exact) > 2 and median(np.diff(exact)) < 0.75
    if finer:
        # Before the means hide them: one wild minute would bend its hour.
        values = _drop(values, spikes(values.to_numpy(), 0), Rule.SPIKE, "not used", notes)
    return _gridded(values, ruler, finer, notes)


def _latest(values: pd.Series, step: pd.Timedelta | None, longest: int, notes: list[Note]) -> pd.Series:
    """The last `longest` steps of values in order."""
    reach = longest if step is None else longest * step
    first = int(values.index.searchsorted(values.index[-1] - reach, side="right"))
    if not first:
        return values
    notes.append(Note(Rule.TOO_OLD, first, _plain(values.index[0]), "left out"))
    return values.iloc[first:]


def checked_index(index: pd.Index, step: pd.Timedelta | None) -> pd.Index:
    """The index itself, when it fits the step: whole numbers for None, else times with a timezone, in UTC."""
    if len(index) == 0:
        return pd.DatetimeIndex([], tz="UTC") if step is not None else pd.Index([], dtype=np.int64)
    if step is None:
        if not pd.api.types.is_integer_dtype(index.dtype):
            raise Refused("times must be whole numbers when no step is given")
        return index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise Refused("times must carry a timezone")
    return index.tz_convert("UTC")


def _drop(values: pd.Series, bad: Array | pd.Series, rule: Rule, did: str, notes: list[Note]) -> pd.Series:
    bad = np.asarray(bad)
    if not bad.any():
        return values
    notes.append(Note(rule, int(bad.sum()), _plain(values.index[bad].min()), did))
    return values[~bad]


def _plain(time: object) -> Time:
    return time if isinstance(time, pd.Timestamp) else int(time)  # type: ignore[call-overload]


def _on_the_grid(index: pd.Index, step: pd.Timedelta, zone: str, start: Time | None) -> pd.Timestamp:
    """A time on the grid: the start asked for, else the latest value of the commonest phase, else local midnight."""
    if isinstance(start, pd.Timestamp):
        return start.tz_convert("UTC")
    recent = index[-500:]
    phase_of = pd.DatetimeIndex(recent).as_unit("s").asi8 % int(step.total_seconds())
    phases, counts = np.unique(phase_of, return_counts=True)
    if counts.max() > len(recent) / 2:
        return pd.Timestamp(recent[phase_of == phases[np.argmax(counts)]][-1])
    return pd.Timestamp(recent[-1].tz_convert(zone).normalize().tz_convert("UTC"))


def _gridded(values: pd.Series, ruler: Ruler, finer: bool, notes: list[Note]) -> Grid:
    exact = ruler.exact(values.index)
    positions = np.floor(exact + 1e-6) if finer else np.round(exact)
    off = np.abs(exact - positions) > 1e-3
    if off.any():
        rule, did = (Rule.FINER, "averaged over the step") if finer else (Rule.OFF_GRID, "moved to the nearest step")
        notes.append(Note(rule, int(off.sum()), _plain(values.index[off][0]), did))
    at, numbers = positions.astype(np.int64), values.to_numpy()
    if len(at) > 1 and np.diff(at).min() < 1:
        means = pd.Series(numbers).groupby(at).mean()
        at, numbers = means.index.to_numpy(), means.to_numpy()
    last = int(at[-1])
    grid = np.full(last - int(at[0]) + 1, np.nan)
    grid[at - at[0]] = numbers
    return Grid(ruler, _bridged(grid, ruler, int(at[0])), last, tuple(notes))


def _bridged(values: Array, ruler: Ruler, first: int) -> Array:
    """An hour that the clock skipped is the mean of its neighbours: nothing was missed, but every day has its hours."""
    holes = np.flatnonzero(np.isnan(values))
    holes = holes[~ruler.exist(first + holes)] if len(holes) else holes
    if len(holes) and ruler.step is not None:
        hour = int(HOUR / ruler.step)
        values[holes] = (values[np.maximum(holes - hour, 0)] + values[np.minimum(holes + hour, len(values) - 1)]) / 2
    return values
