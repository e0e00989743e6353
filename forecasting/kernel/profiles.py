"""The published shape of a series, and a history that could have been measured, made from it.

Everything here is a pure function of (profile, key, time): the same time gets the same value whatever span is
asked for. Noise is therefore hashed from (key, hour) and never drawn from a generator with a state.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from cities.kernel.said import Said

from .calendars import Calendar

Array = np.ndarray
ONE_BY_MONTH = (1.0,) * 12
ONE_BY_HOUR = (1.0,) * 24
LUNAR_NEW_YEAR = {
    -3: 0.88, -2: 0.815, -1: 0.735, 0: 0.715, 1: 0.715, 2: 0.715, 3: 0.755, 4: 0.8, 5: 0.88, 6: 0.88, 7: 0.94,
}  # fmt: skip
"""Shares of an ordinary working day by days from Lunar New Year: Taiwan's daily peak and industrial use, 2016-19."""
STORM_RISE_HOURS = 6.0
STORM_SPREAD = 0.8
"""Standard deviation of the logarithm of a storm's peak."""
_LISTS = {"month": 12, "hour": 24, "weekend_hour": 24, "base_by_month": 12, "wet_days_by_month": 12}
_LISTS_OR_NUMBERS = {"storm_rate_per_month": 12, "mean_wet_day_mm": 12}
NEEDED = {
    "cycle": ("level",),
    "river": ("base_by_month",),
    "storage": ("level", "month"),
    "eto": ("level", "month"),
    "rain": ("wet_days_by_month", "mean_wet_day_mm"),
    "solar": ("hour",),
    "flat": ("level",),
    "schedule": ("level",),
}
EFFECTS = ("scale", "learn")

Wrong = tuple[str, object, Said]
"""A field, its value and what was expected."""


class InvalidProfile(ValueError):
    """`problems` says everything that is wrong."""

    def __init__(self, problems: list[Wrong]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{field}: {value!r}, expected {expected}" for field, value, expected in problems))


@dataclass(frozen=True)
class Profile:
    """What `Series.profile` says; forecasting/synthetic.py documents every field for authors of city packs."""

    kind: str
    level: float = 1.0
    month: tuple[float, ...] = ONE_BY_MONTH
    hour: tuple[float, ...] = ONE_BY_HOUR
    weekend_hour: tuple[float, ...] = ()
    lunar_new_year: float = 0.0
    noise: float = 0.05
    persistence: float = 0.8
    growth_per_year: float = 0.0
    level_year: int = 2026
    base_by_month: tuple[float, ...] = ()
    storm_rate_per_month: tuple[float, ...] = (0.0,) * 12
    storm_peak: float = 0.0
    recession_hours: float = 48.0
    wet_days_by_month: tuple[float, ...] = ()
    mean_wet_day_mm: tuple[float, ...] = ()
    phases: tuple[tuple[date, float], ...] = ()
    effect: str = "scale"

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Profile:
        """Raises InvalidProfile with every problem."""
        problems = problems_of(data)
        if problems:
            raise InvalidProfile(problems)
        return cls(**{name: _frozen(name, value) for name, value in data.items()})  # type: ignore[arg-type]


def problems_of(data: Mapping[str, object]) -> list[Wrong]:
    """Everything wrong with a profile; empty when it is good."""
    kind = str(data.get("kind", ""))
    found: list[Wrong] = []
    if kind not in NEEDED:
        found.append(("kind", data.get("kind"), _one_of(NEEDED)))
    known = {field.name for field in fields(Profile)}
    found += [(name, data[name], Said("no such field")) for name in data if name not in known]
    a_value = Said("a value, for a profile of kind %(kind)s", kind=kind)
    found += [(name, None, a_value) for name in NEEDED.get(kind, ()) if name not in data]
    for name in known - {"kind"}:
        if name in data:
            found += _value_problems(name, data[name])
    return found


def _one_of(names: Iterable[str]) -> Said:
    return Said("one of %(names)s", names=", ".join(names))


def _value_problems(name: str, value: object) -> list[Wrong]:
    if name in _LISTS_OR_NUMBERS and _is_number(value):
        return []
    count = _LISTS.get(name) or _LISTS_OR_NUMBERS.get(name)
    if count:
        good = isinstance(value, list | tuple) and len(value) == count and all(_is_number(item) for item in value)
        return [] if good else [(name, value, Said("a list of %(count)d numbers, none negative", count=count))]
    if name in ("level", "growth_per_year"):
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return [] if good else [(name, value, Said("a number"))]
    if name == "effect":
        return [] if value in EFFECTS else [(name, value, _one_of(EFFECTS))]
    if name == "phases":
        return [] if _are_phases(value) else [(name, value, Said("[[YYYY-MM-DD, number], …] in order, none negative"))]
    if name == "level_year":
        return [] if isinstance(value, int) and 1900 < value < 2200 else [(name, value, Said("a year"))]
    if name == "lunar_new_year":
        return [] if _is_number(value) and value <= 1 else [(name, value, Said("a share from 0 to 1"))]  # type: ignore[operator]
    if name == "persistence":
        return [] if _is_number(value) and value < 1 else [(name, value, Said("a number from 0 to below 1"))]  # type: ignore[operator]
    if name == "recession_hours":
        return [] if _is_number(value) and value > 0 else [(name, value, Said("a number above 0"))]  # type: ignore[operator]
    return [] if _is_number(value) else [(name, value, Said("a number, not negative"))]


def _are_phases(value: object) -> bool:
    try:
        phases = [(date.fromisoformat(day), number) for day, number in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    days = [day for day, _number in phases]
    return all(_is_number(number) for _day, number in phases) and days == sorted(set(days))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _frozen(name: str, value: object) -> object:
    if name in _LISTS_OR_NUMBERS and isinstance(value, int | float):
        return (float(value),) * 12
    if name == "phases":
        return tuple((date.fromisoformat(day), float(number)) for day, number in value)  # type: ignore[attr-defined]
    return tuple(value) if isinstance(value, list | tuple) else value


# --- faces ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hours:
    """Consecutive clock hours: their numbers since 1970 UTC and the local calendar of their starts."""

    numbers: Array
    local: pd.DatetimeIndex
    calendar: Calendar

    @cached_property
    def weekdays(self) -> Array:
        """0 to 6 as loads see them: a holiday is a Sunday, a make-up Saturday a Friday."""
        return self.calendar.weekdays(self.local)

    @cached_property
    def feast(self) -> Array:
        """The share of a working day's use by how far Lunar New Year is away."""
        return np.array([LUNAR_NEW_YEAR.get(day, 1.0) for day in self.calendar.days_from_lunar_new_year(self.local)])

    @property
    def day_numbers(self) -> Array:
        """Local days since 1970."""
        return np.asarray(self.local.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64))


def typical(profile: Profile, calendar: Calendar, starts: pd.DatetimeIndex, minutes: int) -> Array:
    """The mean of every step of `minutes` that begins at `starts` (timezone-aware, ascending), without noise."""
    hours, hourly_to_steps = hours_around(calendar, starts, minutes)
    return hourly_to_steps(_mean(profile, hours))


def sampled(profile: Profile, key: str, calendar: Calendar, starts: pd.DatetimeIndex, minutes: int) -> Array:
    """Values that could have been measured in the steps that begin at `starts`; another `key`, other noise."""
    hours, hourly_to_steps = hours_around(calendar, starts, minutes)
    return hourly_to_steps(_SAMPLERS[profile.kind](profile, key, hours))


def quantiles(
    profile: Profile,
    calendar: Calendar,
    starts: pd.DatetimeIndex,
    minutes: int,
    levels: Sequence[float],
    members: int = 60,
) -> Array:
    """Quantiles (levels × steps) of what the profile allows, from an ensemble of its own samples."""
    hours, hourly_to_steps = hours_around(calendar, starts, minutes)
    sampler = _SAMPLERS[profile.kind]
    ensemble = [hourly_to_steps(sampler(profile, f"member {k}", hours)) for k in range(members)]
    return np.asarray(np.quantile(np.asarray(ensemble), list(levels), axis=0))


def hours_around(calendar: Calendar, starts: pd.DatetimeIndex, minutes: int) -> tuple[Hours, Callable[[Array], Array]]:
    """The clock hours that cover the steps, and the mapping of hourly means to means of the steps."""
    seconds = starts.tz_convert("UTC").as_unit("s").asi8
    low, high = seconds / 3600, seconds / 3600 + minutes / 60
    numbers = np.arange(math.floor(low[0]), math.ceil(high[-1]))
    hours = Hours(numbers, pd.to_datetime(numbers * 3600, unit="s", utc=True).tz_convert(calendar.zone), calendar)

    def to_steps(hourly: Array) -> Array:
        return means_over(float(numbers[0]), 1.0, hourly, low, high)

    return hours, to_steps


def means_over(start: float, width: float, values: Array, low: Array, high: Array) -> Array:
    """The time-weighted means over [low, high) of a series whose values[k] holds from start + k·width for `width`."""
    edges = start + width * np.arange(len(values) + 1)
    integral = np.concatenate([[0.0], np.cumsum(values) * width])
    return np.asarray((np.interp(high, edges, integral) - np.interp(low, edges, integral)) / (high - low))


# --- means ---------------------------------------------------------------------------------------------------


def _mean(profile: Profile, hours: Hours) -> Array:
    if profile.kind == "river":
        return np.asarray(by_month(profile.base_by_month, hours) + storms_mean(profile, hours))
    if profile.kind == "rain":
        return np.asarray(wet_share(profile, hours) * by_month(profile.mean_wet_day_mm, hours) * of_day(profile, hours))
    if profile.kind == "schedule":
        return _phase(profile, hours)
    return _cycle_mean(profile, hours)


def storms_mean(profile: Profile, hours: Hours) -> Array:
    """What a river's storms add to its base."""
    storm_hours = profile.recession_hours + STORM_RISE_HOURS / 2
    rate_per_hour = by_month(profile.storm_rate_per_month, hours) / (30.4 * 24)
    return np.asarray(rate_per_hour * profile.storm_peak * storm_hours)


def of_day(profile: Profile, hours: Hours) -> Array:
    """The factor of the hour of the day."""
    return np.asarray(np.asarray(profile.hour)[hours.local.hour.to_numpy()])


def _phase(profile: Profile, hours: Hours) -> Array:
    """The level, and from the local midnight of its day on each phase's value."""
    starts = np.array([day for day, _value in profile.phases], dtype="datetime64[D]").astype(np.int64)
    values = np.array([profile.level, *(value for _day, value in profile.phases)])
    return np.asarray(values[np.searchsorted(starts, hours.day_numbers, side="right")])


def _cycle_mean(profile: Profile, hours: Hours) -> Array:
    """level × month × hour of the day (of the day off) × growth, and less round Lunar New Year."""
    clock = hours.local.hour.to_numpy()
    by_hour = working = np.asarray(profile.hour)[clock]
    if profile.weekend_hour:
        by_hour = np.where(hours.weekdays >= 5, np.asarray(profile.weekend_hour)[clock], by_hour)
    if profile.lunar_new_year:
        by_hour = np.minimum(by_hour, working * (1 - profile.lunar_new_year * (1 - hours.feast)))
    years = hours.local.year.to_numpy() - profile.level_year + hours.local.day_of_year.to_numpy() / 366
    growth = (1.0 + profile.growth_per_year) ** years
    return np.asarray(profile.level * by_month(profile.month, hours) * by_hour * growth)


def by_month(values: Sequence[float], hours: Hours) -> Array:
    """Monthly means drawn as a line through mid-months, so that nothing jumps at midnight of a first."""
    local = hours.local
    within = (local.day.to_numpy() - 1 + local.hour.to_numpy() / 24) / local.days_in_month.to_numpy()
    return np.asarray(np.interp(local.month.to_numpy() - 1 + within, np.arange(12) + 0.5, values, period=12))


def wet_share(profile: Profile, hours: Hours) -> Array:
    return np.asarray(np.clip(by_month(profile.wet_days_by_month, hours) / 30.4, 0.0, 1.0))


# --- samples -------------------------------------------------------------------------------------------------


def _cycle_sample(profile: Profile, key: str, hours: Hours) -> Array:
    noise = wandering(key, "hour", hours.numbers, profile.persistence)
    return np.asarray(_cycle_mean(profile, hours) * np.maximum(0.0, 1.0 + profile.noise * noise))


def _daily_sample(profile: Profile, key: str, hours: Hours) -> Array:
    """As a cycle, with noise that changes from day to day: evapotranspiration and clouds."""
    return _cycle_mean(profile, hours) * np.maximum(0.0, 1.0 + profile.noise * _days(profile, key, hours))


def _storage_sample(profile: Profile, key: str, hours: Hours) -> Array:
    """A slow walk round the monthly mean: daily noise, drawn as a line from day to day."""
    exact_days = hours.day_numbers + hours.local.hour.to_numpy() / 24
    days = np.arange(hours.day_numbers[0], hours.day_numbers[-1] + 2)
    walk = np.interp(exact_days, days, wandering(key, "day", days, profile.persistence))
    return np.asarray(_cycle_mean(profile, hours) * np.maximum(0.0, 1.0 + profile.noise * walk))


def rain_sample(profile: Profile, key: str, hours: Hours) -> Array:
    """Wet days come in runs because one wandering variable decides; amounts of wet days are exponential."""
    wet = ndtr(_days(profile, key, hours)) < wet_share(profile, hours)
    amount = -np.log1p(-_uniform(key, "amount", hours.day_numbers)) * by_month(profile.mean_wet_day_mm, hours)
    return np.where(wet, amount * of_day(profile, hours), 0.0)


def _river_sample(profile: Profile, key: str, hours: Hours) -> Array:
    """Base flow and storms that rise within hours and recede exponentially."""
    base = by_month(profile.base_by_month, hours)
    flow = base + _storms(profile, key, hours)
    return np.asarray(flow * np.exp(profile.noise * wandering(key, "hour", hours.numbers, profile.persistence)))


def _storms(profile: Profile, key: str, hours: Hours) -> Array:
    earlier, shape = storm_of(profile, hours)
    numbers = earlier.numbers
    begins = _uniform(key, "storm", numbers) < by_month(profile.storm_rate_per_month, earlier) / (30.4 * 24)
    spread = np.exp(STORM_SPREAD * _normal(key, "peak", numbers) - STORM_SPREAD**2 / 2)
    peaks = np.where(begins, profile.storm_peak * spread, 0.0)
    return np.asarray(np.convolve(peaks, shape, mode="valid"))


def storm_of(profile: Profile, hours: Hours) -> tuple[Hours, Array]:
    """The hours of which something is left in `hours`, and how a storm of peak 1 rises and recedes."""
    memory = int(10 * profile.recession_hours)
    age = np.arange(memory + 1, dtype=float)
    falls = np.exp(-(age - STORM_RISE_HOURS) / profile.recession_hours)
    numbers = np.arange(hours.numbers[0] - memory, hours.numbers[-1] + 1)
    local = pd.to_datetime(numbers * 3600, unit="s", utc=True).tz_convert(hours.local.tz)
    return Hours(numbers, local, hours.calendar), np.where(age < STORM_RISE_HOURS, age / STORM_RISE_HOURS, falls)


def _flat_sample(profile: Profile, key: str, hours: Hours) -> Array:
    return _mean(profile, hours)


_SAMPLERS: Mapping[str, Callable[[Profile, str, Hours], Array]] = {
    "cycle": _cycle_sample,
    "river": _river_sample,
    "storage": _storage_sample,
    "eto": _daily_sample,
    "solar": _daily_sample,
    "rain": rain_sample,
    "flat": _flat_sample,
    "schedule": _flat_sample,
}


def _days(profile: Profile, key: str, hours: Hours) -> Array:
    """One wandering value per local day, for every hour of it."""
    day = hours.day_numbers
    return np.asarray(wandering(key, "day", np.arange(day[0], day[-1] + 1), profile.persistence)[day - day[0]])


def wandering(key: str, stream: str, numbers: Array, persistence: float) -> Array:
    """Standard normal noise, correlated by `persistence` from one number to the next.

    A moving average of fixed length over hashed noise equals an AR(1) process to three digits, but needs no
    starting state: that is what makes the value at a time independent of the span asked for.
    """
    memory = math.ceil(math.log(1e-3) / math.log(persistence)) if persistence > 1e-3 else 0
    weights = persistence ** np.arange(memory + 1)
    fresh = _normal(key, stream, np.arange(numbers[0] - memory, numbers[-1] + 1))
    return np.asarray(np.convolve(fresh, weights, mode="valid") / math.sqrt(float(weights @ weights)))


def _normal(key: str, stream: str, numbers: Array) -> Array:
    return np.asarray(ndtri(np.clip(_uniform(key, stream, numbers), 1e-12, 1 - 1e-12)))


def _uniform(key: str, stream: str, numbers: Array) -> Array:
    """A number in [0, 1) for every whole number, by the splitmix64 finaliser (Steele, Lea, Flood 2014)."""
    digest = hashlib.blake2b(f"{key}/{stream}".encode(), digest_size=8).digest()
    z = np.uint64(int.from_bytes(digest, "big")) + numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.asarray((z >> np.uint64(11)) * 2.0**-53)
