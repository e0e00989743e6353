"""Which cycles a series has, and how much of its past can be used to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .faults import median
from .series import DAY, Array, Refused

WEEK_DAYS = 7
WEEKS_A_YEAR = 52
MOST_ORIGINS_OF_DAYS, MOST_ORIGINS_OF_STEPS = 28, 48
"""Rolling origins: four weeks of days when a day has several steps, else so many steps."""
ORIGINS_OF_A_YEAR, FIRST_DAYS = 365, 180
"""A series learnt from thoroughly is judged over a year, as long as the first half year remains to learn from."""
CLEARLY = 0.9
"""A cycle is seen when values one cycle apart differ by less than this share of those half a cycle apart."""
CANDIDATES = (24, 7, 12, 52, 48, 96, 144, 288)
"""Cycles tried for series with integer times: hours, weekdays, months, weeks and finer parts of the day."""
FLOOD = 3.0
"""A value so many times the median is a flood: levels and loads do not swing so far, and drift otherwise."""
SWELL = 1.25
"""So much is enough of hours that rain drives: a river is one before its first flood."""
FEWEST_BLOCKS, FEWEST_VALUES = 4, 10


@dataclass(frozen=True)
class Plan:
    """How a series is forecast. Series with the same plan and end are computed together.

    block    steps between rolling origins: a day, or one step when a step is a day or longer
    day      steps of the short cycle (a day of hours, a week of days, a year of weeks) or 0
    week     steps of the long cycle (a week of hours) or 0
    origins  number of past origins from which the experts are judged
    cycle    whether the short cycle is seen in the values
    logs     whether the experts work on logarithms
    asked    origins that a forecast is wanted from: 1, or more where the past is forecast as it would have been
    thorough whether the whole past is learnt from: it explains itself by weather or holidays, which come once a year
    flows    whether it rises and falls like a river: positive, without a cycle, with floods or driven by rain
    """

    block: int
    day: int
    week: int
    origins: int
    cycle: bool
    logs: bool
    asked: int = 1
    thorough: bool = False
    flows: bool = False

    @property
    def is_river(self) -> bool:
        """Whether it is a flow of which a day has several steps."""
        return self.flows and self.block > 1

    @property
    def rhythm(self) -> int:
        """Origins after which the same day of the week returns; 1 where there is no week."""
        return WEEK_DAYS if self.week or self.day == WEEK_DAYS else 1


def cycles(values: Array, step: pd.Timedelta | None) -> tuple[int, int]:
    """Steps of the short and of the long cycle; 0 where there is none."""
    if step is None:
        return _found(values)
    per_day, per_week = DAY / step, WEEK_DAYS * DAY / step
    if per_day >= 2:
        whole = per_day == int(per_day)
        return (int(per_day), WEEK_DAYS * int(per_day)) if whole else (0, 0)
    if per_week >= 2:
        return (WEEK_DAYS, 0) if per_week == WEEK_DAYS else (0, 0)
    return (WEEKS_A_YEAR, 0) if per_week == 1 else (0, 0)


def _found(values: Array) -> tuple[int, int]:
    """The candidate whose repetition explains most; hours and finer parts of a day also get their week."""
    shares = {m: repetition(values, m) for m in CANDIDATES if len(values) >= 3 * m}
    best = min(shares, key=shares.__getitem__, default=0)
    if not best or shares[best] > CLEARLY:
        return (0, 0)
    return best, (WEEK_DAYS * best if best >= 24 and best != WEEKS_A_YEAR else 0)


def repetition(values: Array, period: int) -> float:
    """Mean |change over one period| / mean |change over half a period|: small for a cycle, above 1 for a drift."""
    half = period // 2
    if len(values) <= period or half == 0:
        return np.inf
    near, far = _mean_change(values, half), _mean_change(values, period)
    return far / near if near > 0 else np.inf


def _mean_change(values: Array, lag: int) -> float:
    changes = np.abs(values[lag:] - values[:-lag])
    mean = float(changes.sum()) / len(changes)
    # Most series have no gap, and the mean that looks for one costs five times as much.
    return float(np.nanmean(changes)) if np.isnan(mean) else mean


def plan_for(
    values: Array,
    observed: int,
    step: pd.Timedelta | None,
    *,
    seen: tuple[int, int] | None = None,
    explained: bool = False,
    rain: bool = False,
    asked: int = 1,
) -> Plan:
    """The plan for cleaned values without gaps, `observed` of which were measured.

    seen       the cycles, where they were looked for already
    explained  whether weather or holidays are known
    rain       whether rain drives it
    asked      origins that a forecast is wanted from, the last one behind the last value
    Raises Refused when they are too few to judge any expert by.
    """
    day, week = seen or cycles(values, step)
    block = day if week else 1
    needed = max(FEWEST_BLOCKS * block, FEWEST_VALUES)
    length = len(values) - (asked - 1) * block
    if length < needed or observed - (asked - 1) * block < max(needed // 2, FEWEST_VALUES):
        raise Refused(f"{observed} usable values are too few, at least {needed + (asked - 1) * block} are needed")
    most = MOST_ORIGINS_OF_DAYS if week else MOST_ORIGINS_OF_STEPS
    thorough = explained and length // block >= FIRST_DAYS + most
    if thorough:
        origins = min(ORIGINS_OF_A_YEAR, length // block - FIRST_DAYS)
    else:
        origins = max(2, min(most, length // (2 * block)))
    # What the oldest origin may learn from decides which cycles every origin can use.
    training = length - origins * block
    cycle = day > 0 and training >= 2 * day and repetition(values, day) < CLEARLY
    long = week if training >= 2 * week else 0
    logs = _positive(values)
    flood = SWELL if rain and week else FLOOD
    flows = logs and not cycle and bool(values.max() > flood * median(values))
    return Plan(block, day, long, origins + asked - 1, cycle, logs, asked, thorough, flows)


def _positive(values: Array) -> bool:
    """Logarithms suit quantities that swing in proportion; values close to zero would rule them."""
    return bool(values.min() > 0) and bool(values.min() > 1e-3 * median(values))
