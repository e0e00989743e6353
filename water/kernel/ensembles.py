"""What fields ask for when nobody knows how much it will rain: one balance per course of rain, and their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from .fields import Block, Weather, ask

QUANTILES = (0.05, 0.5, 0.95)
DEPENDABLE, MEAN = "dependable", "mean"
"""What a plan may count on instead of a quantile: the balance with dependable rain, or the mean over all courses."""


@dataclass(frozen=True)
class Spread:
    """Gross 10³ m³ by day over the courses of rain. Figures of one day each: their sum is no quantile of the sum."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]
    total: tuple[float, float, float, float]
    """Of the sum over all days: mean, 5, 50 and 95 %."""

    def as_dict(self) -> dict[str, list[float]]:
        return {name: [round(value, 3) for value in values] for name, values in asdict(self).items()}


@dataclass(frozen=True)
class Courses:
    """What each block asks for, gross 10³ m³: courses × days × blocks."""

    blocks: tuple[str, ...]
    km3: np.ndarray

    def spread(self) -> Spread:
        by_day = self.km3.sum(axis=2)
        low, median, high = (tuple(line.tolist()) for line in np.quantile(by_day, QUANTILES, axis=0))
        total = by_day.sum(axis=1)
        whole = (float(total.mean()), *np.quantile(total, QUANTILES).tolist())
        return Spread(tuple(by_day.mean(axis=0).tolist()), low, median, high, whole)

    def counted_on(self, basis: str) -> list[Mapping[str, float]]:
        """By day and block, what adds up to the mean or the quantile (e.g. "0.8") of the day's sum over the blocks.

        A quantile is shared out as the blocks' means are.
        """
        mean = self.km3.mean(axis=0)
        whole = mean.sum(axis=1)
        wanted = whole if basis == MEAN else np.quantile(self.km3.sum(axis=2), float(basis), axis=0)
        share = np.divide(wanted, whole, out=np.zeros_like(whole), where=whole > 0)
        return [dict(zip(self.blocks, day.tolist(), strict=True)) for day in mean * share[:, None]]


def courses(
    blocks: Sequence[Block],
    states: Mapping[str, float],
    weather: Sequence[Weather],
    rain_mm: np.ndarray,
    applied_mm: Mapping[str, float],
    hours: Sequence[float],
    most_km3: Sequence[float],
) -> Courses:
    """The days' weather once with every course of rain (courses × days); `applied_mm` is what the first day has got."""
    # In a dry month most courses are one and the same.
    different, which = np.unique(rain_mm, axis=0, return_inverse=True)
    found = [
        asked_by_day(
            blocks,
            states,
            [replace(day, rain_mm=float(mm)) for day, mm in zip(weather, course, strict=True)],
            applied_mm,
            hours,
            most_km3,
        )
        for course in different
    ]
    names = tuple(block.name for block in blocks)
    km3 = np.array([[[day[name] for name in names] for day in days] for days in found])
    return Courses(names, km3[which.reshape(-1)])


def asked_by_day(
    blocks: Sequence[Block],
    states: Mapping[str, float],
    weather: Sequence[Weather],
    applied_mm: Mapping[str, float],
    hours: Sequence[float],
    most_km3: Sequence[float],
) -> list[Mapping[str, float]]:
    """Day by day what each block asks for, gross 10³ m³, as if every day brought what the one before asked for."""
    found = []
    for today, span, most in zip(weather, hours, most_km3, strict=True):
        asked = ask(blocks, states, today, applied_mm, span, most)
        found.append(asked.km3)
        states, applied_mm = asked.states, {}
    return found
