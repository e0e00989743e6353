"""Finds stretches in a wrong unit and shifts of the level: what no single value gives away. NaN is a missing value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .faults import SPIKE_STEPS, Array

FACTORS = (3.6, 10.0, 24.0, 60.0, 100.0, 1000.0, 10_000.0)
"""m³/s for 10³ m³/h, ten-thousands (萬) by digits, a day for an hour, an hour for a minute, kilo- for none."""
SLACK = 0.3
"""A quantity itself moves while its unit changes: factors match to this difference of logarithms."""
LEVEL_SLACK = 0.6
"""So far may a stretch, once divided, lie from what surrounds it."""
OWN_WAY = 3
"""As many stretches at one factor are a machine that runs at two rates."""
BEFORE_DAYS, AFTER_DAYS = 28, 14
"""A level has shifted when so many days lie wholly apart. Lunar New Year is over sooner."""
LEAST_SHIFT = np.log(1.25)
APART = 0.25
"""Share of the shift that must lie between the last day before on the one hand and the nearest after on the other."""
MOST_SHIFTS = 4


def unit_mistakes(values: Array, cyclic: bool) -> dict[float, Array]:
    """Marks, by factor, the stretches of positive values that lie so many times too high (or below 1, too low) and come
    and go at once. Those that have not ended yet are only seen in a cyclic series: a flood begins like one.
    """
    known = np.flatnonzero(values > 0)
    if len(known) < 8 * SPIKE_STEPS or len(known) < 0.9 * np.count_nonzero(np.isfinite(values)):
        return {}
    logs = np.log(values[known])
    jumps = np.where(np.diff(known) <= SPIKE_STEPS, np.diff(logs), np.inf)
    sizes = np.sort(np.abs(jumps[np.isfinite(jumps)]))
    found: dict[float, Array] = {}
    for factor in FACTORS:
        step = float(np.log(factor))
        leaps = len(sizes) - int(np.searchsorted(sizes, step / 2))
        # Without a leap no stretch begins; with more than stretches have edges, the series is not tame.
        if not 0 < leaps <= 2 * (OWN_WAY - 1):
            continue
        both = {one: list(_stretches(logs, jumps, size, cyclic)) for one, size in ((factor, step), (1 / factor, -step))}
        every = [stretch for stretches in both.values() for stretch in stretches]
        if 0 < len(every) < OWN_WAY and _is_tame(jumps, every, step):
            found |= {one: _marked(len(values), known, stretches) for one, stretches in both.items() if stretches}
    return {factor: marked for factor, marked in found.items() if marked.sum() < len(known) / 2}


def _marked(length: int, known: Array, stretches: list[tuple[int, int]]) -> Array:
    marked = np.zeros(length, dtype=bool)
    for begin, end in stretches:
        marked[known[begin:end]] = True
    return marked


def _is_tame(jumps: Array, stretches: list[tuple[int, int]], step: float) -> bool:
    """Whether the series else never moves by half as much: floods, and machines that go on and off, do."""
    edges = [at - 1 for stretch in stretches for at in stretch if 0 < at <= len(jumps)]
    others = np.delete(jumps, edges)
    return float(np.max(np.abs(others[np.isfinite(others)]), initial=0.0)) < step / 2


def _stretches(logs: Array, jumps: Array, step: float, cyclic: bool) -> Iterator[tuple[int, int]]:
    """Stretches [begin, end) that lie `step` above their surroundings."""
    begins = (np.flatnonzero(np.abs(jumps - step) < SLACK) + 1).tolist()
    ends = (np.flatnonzero(np.abs(jumps + step) < SLACK) + 1).tolist()
    if cyclic:
        begins, ends = [0, *begins], [*ends, len(logs)]
    after = 0
    for begin in begins:
        end = next((end for end in ends if end > begin), 0)
        if begin >= after and end - begin > SPIKE_STEPS and _lies_apart(logs, begin, end, step):
            yield begin, end
            after = end


def _lies_apart(logs: Array, begin: int, end: int, step: float) -> bool:
    """Whether the stretch, divided by its factor, fits what surrounds it."""
    width = max(24, end - begin)
    around = np.concatenate([logs[max(0, begin - width) : begin], logs[end : end + width]])
    return len(around) >= SPIKE_STEPS and bool(abs(np.median(logs[begin:end]) - step - np.median(around)) < LEVEL_SLACK)


def level_shifts(values: Array, day: int) -> list[tuple[int, float]]:
    """Where the level of a positive series with `day` steps a day has changed for good, the latest first, as (step,
    factor): values before the step belong to the level after it once multiplied by the factor.
    """
    days = len(values) // day
    if day < 2 or days < BEFORE_DAYS + AFTER_DAYS or not np.nanmin(values) > 0:
        return []
    first = len(values) - days * day
    blocks = np.log(values[first:]).reshape(days, day)
    seen = np.isfinite(blocks).mean(axis=1) > 0.5
    logs = np.where(seen, np.nanmean(np.where(seen[:, None], blocks, 0.0), axis=1), np.nan)
    found: list[tuple[int, float]] = []
    while len(found) < MOST_SHIFTS and (shift := _latest_shift(logs)):
        at, size = shift
        found.append((first + at * day, float(np.exp(size))))
        logs = np.concatenate([logs[:at] + size, logs[at:]])
    return found


def _latest_shift(logs: Array) -> tuple[int, float] | None:
    for at in range(len(logs) - AFTER_DAYS, BEFORE_DAYS - 1, -1):
        before, after = _known(logs[at - BEFORE_DAYS : at]), _known(logs[at : at + AFTER_DAYS])
        if len(before) < BEFORE_DAYS / 2 or len(after) < AFTER_DAYS / 2:
            continue
        if after.min() <= before.max() and before.min() <= after.max():
            continue  # most days: medians cost ten times as much
        size = float(np.median(after) - np.median(before))
        between = after.min() - before.max() if size > 0 else before.min() - after.max()
        if abs(size) > LEAST_SHIFT and between > APART * abs(size):
            return at, size
    return None


def _known(line: Array) -> Array:
    return np.asarray(line[np.isfinite(line)])
