"""An answer's numbers counted again: arrivals, net fills, final shortages and money, without the model.

Nothing of the model or the solver is imported, and stocks and lags are computed in another way than the model
states them: net fills from level differences, arrivals from the volume sent up to a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .horizon import Horizon
from .network import Link, Network, Numbers, Store
from .outcome import Answer

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Recount:
    """The input and the answer, with the horizon as arrays. A root's parent is −1."""

    network: Network
    horizon: Horizon
    answer: Answer

    @cached_property
    def hours(self) -> Array:
        return np.array([step.hours for step in self.horizon.steps])

    @cached_property
    def chance(self) -> Array:
        return np.array([step.probability for step in self.horizon.steps])

    @cached_property
    def starts(self) -> Array:
        """Hours from the horizon's start to each step's start."""
        origin = self.horizon.steps[0].start
        return np.array([(step.start - origin).total_seconds() / 3600 for step in self.horizon.steps])

    @cached_property
    def parents(self) -> NDArray[np.int64]:
        return np.array([-1 if step.parent is None else step.parent for step in self.horizon.steps])

    @cached_property
    def leaves(self) -> list[int]:
        return sorted(set(range(len(self.parents))) - set(self.parents.tolist()))

    @cached_property
    def branches(self) -> list[NDArray[np.int64]]:
        """The steps from the root to each leaf."""
        return [np.array(self._back_from(leaf)[::-1]) for leaf in self.leaves]

    @cached_property
    def committed(self) -> set[tuple[str, str]]:
        return {(c.of_kind, c.of_name) for c in self.network.commitments}

    def _back_from(self, step: int) -> list[int]:
        steps = []
        while step >= 0:
            steps.append(step)
            step = int(self.parents[step])
        return steps

    def series(self, numbers: Numbers) -> Array:
        return np.broadcast_to(np.asarray(numbers, float), self.hours.shape)

    def before(self, values: Array, initial: float) -> Array:
        """Each step's value at its parent, and `initial` before a root."""
        return np.where(self.parents >= 0, values[self.parents], initial)

    def expected(self, rates: Array) -> float:
        """The expected amount of a rate."""
        return float(np.sum(rates * self.hours * self.chance))

    def above(self, place: str, values: Array, limits: Array, allowed: Array | float, law: str) -> Iterator[str]:
        """One sentence when values exceed their limits by more than is allowed, at the worst step."""
        over = values - limits
        broken = np.flatnonzero(~(over <= allowed))
        if broken.size:
            yield self._sentence(place, int(broken[np.argmax(np.abs(over[broken]))]), values, limits, law, broken.size)

    def below(self, place: str, values: Array, limits: Array, allowed: Array | float, law: str) -> Iterator[str]:
        under = limits - values
        broken = np.flatnonzero(~(under <= allowed))
        if broken.size:
            yield self._sentence(place, int(broken[np.argmax(np.abs(under[broken]))]), values, limits, law, broken.size)

    def _sentence(self, place: str, step: int, values: Array, limits: Array, law: str, count: int) -> str:
        at = self.horizon.steps[step]
        others = f" (and {count - 1} other steps)" if count > 1 else ""
        limit = float(limits[step])
        return (
            f"{place} at {at.start.isoformat()} (step {at.name}): {float(values[step]):.9g} {law} {limit:.9g}{others}"
        )


def final_limits(case: Recount, store: Store) -> tuple[Array, Array]:
    """A store's final limits at the leaves, and none elsewhere."""
    low, high = np.full(len(case.hours), -np.inf), np.full(len(case.hours), np.inf)
    if store.final is not None and store.final.min is not None:
        low[case.leaves] = store.final.min
    if store.final is not None and store.final.max is not None:
        high[case.leaves] = store.final.max
    return low, high


def final_shortage(case: Recount, store: Store) -> float:
    """The expected distance of the final level from its soft limits."""
    low, high = final_limits(case, store)
    levels = np.array(case.answer.levels[store.name])
    return float(np.sum(case.chance * (np.maximum(0.0, low - levels) + np.maximum(0.0, levels - high))))


def net_fill(case: Recount, store: Store) -> Array:
    """(level − level before · (1 − loss)^hours) / hours."""
    levels = np.array(case.answer.levels[store.name])
    kept = case.before(levels, store.initial) * (1 - store.loss_per_hour) ** case.hours
    filled: Array = (levels - kept) / case.hours
    return filled


def arrivals(case: Recount, link: Link, rates: Array) -> Array:
    """The mean arriving rate: the volume sent up to the step's end less that up to its start, both the lag earlier."""
    arriving = np.zeros(len(rates))
    for branch in case.branches:
        times = np.append(case.starts[branch], case.starts[branch[-1]] + case.hours[branch[-1]])
        volumes = np.append(0.0, np.cumsum(rates[branch] * case.hours[branch]))
        seen = times - link.lag_hours
        sent = np.where(seen < times[0], link.initial_rate * (seen - times[0]), np.interp(seen, times, volumes))
        arriving[branch] = np.diff(sent) / case.hours[branch]
    return arriving


def costs(case: Recount) -> list[float]:
    """The terms of the expected cost: amounts, starts and hours on, peaks, less the value of final levels."""
    return [term for part in (_amounts, _switching, _peaks, _end_values) for term in part(case)]


def _amounts(case: Recount) -> Iterator[float]:
    for supply in case.network.supplies:
        yield case.expected(case.series(supply.cost) * np.array(case.answer.supplies[supply.name]))
    for link in case.network.links:
        yield case.expected(case.series(link.cost) * np.array(case.answer.links[link.name]))


def _switching(case: Recount) -> Iterator[float]:
    for c in case.network.commitments:
        on = np.array(case.answer.commitments[c.name], dtype=float)
        started = np.maximum(0.0, on - case.before(on, float(c.initially)))
        yield c.start_cost * float(np.sum(case.chance * started))
        yield case.expected(c.on_cost * on)


def _peaks(case: Recount) -> Iterator[float]:
    for supply in case.network.supplies:
        rates = np.array(case.answer.supplies[supply.name])
        for leaf, branch in zip(case.leaves, case.branches, strict=True):
            highest = float(np.max(rates[branch]))
            yield from (float(case.chance[leaf]) * max(0.0, highest - p.above) * p.cost for p in supply.peak)


def _end_values(case: Recount) -> Iterator[float]:
    for store in case.network.stores:
        levels = np.array(case.answer.levels[store.name])
        yield -store.end_value * float(np.sum((case.chance * levels)[case.leaves]))


def penalties(case: Recount) -> Iterator[float]:
    for demand in case.network.demands:
        yield case.expected(case.series(demand.penalty) * np.array(case.answer.short[demand.name]))
    for store in case.network.stores:
        if store.final is not None and store.final.tier is not None:
            yield store.final.penalty * final_shortage(case, store)
