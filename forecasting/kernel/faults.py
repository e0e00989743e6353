"""Finds values that look like a fault of the sensor or of the feed. Pure arrays; NaN is a missing value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

Array = np.ndarray
SPIKE_STEPS = 3
"""A spike is at most this long: storms and outages last longer and are real."""
SPIKE_SCALES = 10.0
"""A spike jumps by at least so many robust standard deviations of a step's change …"""
SPIKE_QUANTILE, SPIKE_CHANGES, SPIKE_RATIO = 0.995, 6, 2.0
"""… and by twice what all but the wildest steps do: all but one in 200, and all but those of three spikes."""
SPIKE_RETURN = 0.3
"""Behind a spike the series is back where it was, to this share of the jump. A flood's recession is not."""
FLAT_STEPS, FLAT_HOURS = 6, 6.0
"""A value that stands still so long among values that move is a stuck sensor."""
RESTS = 3
"""A value that the series rests at so often (a pump off, no sun) is its own, not a fault."""
LEAPS, LEAP_QUANTILE = 2.0, 0.9
"""A sensor that comes loose leaps by more than twice what nine changes in ten are."""
PATIENCE = 4
"""A quantity may rest so many times as long as a stuck sensor must, when nobody saw how it went on."""
MOVES = 0.8
"""Flat lines are faults only in series that move in at least this share of their steps."""


def median(values: Array) -> float:
    """Of one line without NaN; numpy's own looks for NaN and axes, which costs thousands of short series four times
    as much."""
    half = len(values) // 2
    parted = np.partition(values, (half - 1, half))
    return float(parted[half] if len(values) % 2 else (parted[half - 1] + parted[half]) / 2)


def flat_lines(values: Array, step_hours: float, cyclic: bool = True) -> Array:
    """Marks runs of one value that last at least FLAT_STEPS and FLAT_HOURS and are not the series' way.

    cyclic   values a day apart are alike: such a series does not rest, a river between storms may
    """
    marked = np.zeros(len(values), dtype=bool)
    same = np.concatenate([[False], values[1:] == values[:-1]])
    longest = max(FLAT_STEPS, int(np.ceil(FLAT_HOURS / step_hours)))
    every = [(begin - 1, end) for begin, end in runs_of(same)]
    runs = [(begin, end) for begin, end in every if end - begin >= longest]
    in_runs = sum(end - begin for begin, end in runs)
    others = max(1, int(np.count_nonzero(~np.isnan(values))) - in_runs)
    if np.count_nonzero(same) - in_runs > (1 - MOVES) * others or in_runs > len(values) / 2:
        return marked
    levels = [values[begin] for begin, _ in runs]
    rested = set() if cyclic else set(_at_rest(values, every, longest))
    for begin, end in runs:
        if levels.count(values[begin]) < RESTS and (begin, end) not in rested:
            marked[begin:end] = True
    return marked


def _at_rest(values: Array, runs: Sequence[tuple[int, int]], longest: int) -> Iterator[tuple[int, int]]:
    """Runs from which the series went on without a leap, as a quantity at rest does and a stuck sensor does not; those
    of which the end was not seen too, while they last no more than twice as long as those, or PATIENCE times `longest`.
    """
    patience = soon = PATIENCE * longest
    changes = np.abs(np.diff(values))
    moved = changes[changes > 0]
    leap = LEAPS * float(np.quantile(moved, LEAP_QUANTILE)) if len(moved) else 0.0
    for begin, end in runs:
        later = values[end : end + soon]
        later = later[~np.isnan(later)]
        if (abs(later[0] - values[begin]) <= leap) if len(later) else (end - begin <= patience):
            patience = max(patience, 2 * (end - begin))
            yield begin, end


def spikes(values: Array, day: int) -> Array:
    """Marks up to SPIKE_STEPS steps that leap away from both neighbours, unless a day before or after does too."""
    marked = np.zeros(len(values), dtype=bool)
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 3 * SPIKE_STEPS:
        return marked
    series = values[known]
    changes = np.abs(np.diff(series))
    ordinary = 1.4826 * median(changes)
    # Rain, valves: most steps do not move, so no leap is out of the ordinary. Loads: none leaps so far.
    if ordinary == 0.0 or float(changes.max()) <= SPIKE_SCALES * ordinary:
        return marked
    tame = min(SPIKE_QUANTILE, 1 - SPIKE_CHANGES / len(changes))
    least = max(SPIKE_SCALES * ordinary, SPIKE_RATIO * float(np.quantile(changes, tame)))
    for k in np.flatnonzero(changes > least).tolist():
        for length in range(1, SPIKE_STEPS + 1):
            if _leaps(series, k, length, least) and not _recurs(values, int(known[k + 1]), day, least):
                marked[known[k + 1 : k + 1 + length]] = True
    return marked


def _leaps(series: Array, before: int, length: int, least: float) -> bool:
    """True when series[before+1 … before+length] all lie `least` off, on one side, and the series then returns."""
    after = before + length + 1
    if after >= len(series):
        # Nothing follows yet: a single wild last value is not believed either, it would become every lead's level.
        return length == 1 and after == len(series)
    leap = series[before + 1 : after] - series[before]
    back = abs(series[after] - series[before])
    one_side = bool(np.all(leap > least) or np.all(leap < -least))
    return one_side and back < SPIKE_RETURN * float(np.min(np.abs(leap)))


def _recurs(values: Array, at: int, day: int, least: float) -> bool:
    """True when a like value was measured at the same time one short or seven short cycles away."""
    if day == 0:
        return False
    shifts = (at + shift for shift in (-7 * day, -day, day, 7 * day))
    return any(0 <= k < len(values) and abs(values[k] - values[at]) < least / 2 for k in shifts)


def runs_of(marked: Array) -> Sequence[tuple[int, int]]:
    """Runs of True as (begin, end), end excluded."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
