"""What is asked, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .calendars import Calendar
from .series import Array, Note, Time


@dataclass(frozen=True)
class Ask:
    """What is asked of every series alike."""

    steps: int
    step: pd.Timedelta | None
    levels: tuple[float, ...]
    calendar: Calendar
    start: Time | None
    asked: int = 1

    @property
    def step_hours(self) -> float:
        return 1.0 if self.step is None else self.step / pd.Timedelta(hours=1)


@dataclass(frozen=True)
class Forecast:
    """What is expected of one series. `mean` and every quantile have one number per entry of `index`.

    index    starts of the steps, UTC (or whole numbers for a series counted in steps)
    method   for people, e.g. "ar 62 %, ridge 30 %, seasonal naive 8 %"
    weights  the mean share of every expert; empty when the profile stood in
    errors   what the combination got wrong on past days, days × steps, the latest first: on the scale it works on,
             so only their order and how they go together count. NaN where unknown; none when the profile stood in
    """

    index: pd.Index
    mean: Array
    quantiles: dict[float, Array]
    method: str
    notes: tuple[Note, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)
    errors: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False, compare=False)
