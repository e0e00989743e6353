"""The tree of steps that a plan is made over.

A step has a parent, a start, a length and a probability. A plain horizon is a path, a stochastic one
branches; every law of the model is written over (step, parent), so both are one model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property


@dataclass(frozen=True)
class Step:
    """One step. `parent` is the index of the step before it, None for a root."""

    name: str
    parent: int | None
    start: datetime
    hours: float
    probability: float = 1.0

    @property
    def end(self) -> datetime:
        return self.start + timedelta(hours=self.hours)


@dataclass(frozen=True)
class Horizon:
    """Steps in an order where every parent stands before its children."""

    steps: tuple[Step, ...]

    @classmethod
    def path(cls, start: datetime, blocks: Iterable[tuple[int, float]]) -> Horizon:
        """A path of (count, hours) blocks from `start` (timezone-aware)."""
        steps: list[Step] = []
        at = start
        for count, hours in blocks:
            for _ in range(count):
                parent = len(steps) - 1 if steps else None
                steps.append(Step(str(len(steps)), parent, at, hours))
                at = steps[-1].end
        return cls(tuple(steps))

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def start(self) -> datetime:
        return self.steps[0].start

    @property
    def end(self) -> datetime:
        return max(step.end for step in self.steps)

    @cached_property
    def leaves(self) -> tuple[int, ...]:
        """Indices of the steps that nothing follows."""
        parents = {step.parent for step in self.steps}
        return tuple(i for i in range(len(self.steps)) if i not in parents)

    @property
    def hours(self) -> tuple[float, ...]:
        return tuple(step.hours for step in self.steps)

    @property
    def is_path(self) -> bool:
        return all(step.parent == (i - 1 if i else None) for i, step in enumerate(self.steps))

    def ancestors(self, index: int) -> list[int]:
        """The step itself, its parent, and so on back to the root."""
        found: list[int] = []
        at: int | None = index
        while at is not None:
            found.append(at)
            at = self.steps[at].parent
        return found

    def arrivals(self, index: int, lag_hours: float) -> tuple[list[tuple[int, float]], float]:
        """Where a delayed flow that arrives during a step was sent.

        Returns the shares [(ancestor, share)] of the step's arriving rate, and the share that was sent
        before the horizon began. Shares add up to 1: the arriving rate is the mean, over the step
        shifted back by `lag_hours`, of the rates sent then.
        """
        step = self.steps[index]
        first, last = step.start - timedelta(hours=lag_hours), step.end - timedelta(hours=lag_hours)
        shares = []
        for i in self.ancestors(index):
            a = self.steps[i]
            if a.start >= last:
                continue
            overlap = (min(a.end, last) - max(a.start, first)).total_seconds() / 3600
            if overlap > 1e-9:
                shares.append((i, overlap / step.hours))
            if a.start <= first:
                break
        return shares, max(0.0, 1.0 - sum(share for _, share in shares))


def means_over(horizon: Horizon, starts: Sequence[datetime], values: Sequence[float], hours: float) -> list[float]:
    """The mean of an evenly spaced series over each step; steps past its end repeat its last value.

    `values[k]` holds from `starts[k]` for `hours` hours. Raises ValueError where a step begins before the series.
    """
    first, span = starts[0], timedelta(hours=hours)
    means = []
    for step in horizon.steps:
        if step.start < first:
            raise ValueError(f"step {step.name} starts {step.start}, the series only at {first}")
        means.append(_mean_between(values, (step.start - first) / span, (step.end - first) / span))
    return means


def _mean_between(values: Sequence[float], low: float, high: float) -> float:
    total, at = 0.0, low
    while at < high - 1e-9:
        upto = min(high, float(int(at + 1e-9) + 1))
        total += values[min(int(at + 1e-9), len(values) - 1)] * (upto - at)
        at = upto
    return total / (high - low)
