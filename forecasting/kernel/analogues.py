"""Bands of rivers: what came after levels like today's, over the whole history, and what a river seen for a few weeks
only may do besides.

The errors of past origins are too few for them: a month of daily origins holds four weeks that do not overlap, and
after a flood a river does other things than at low water. All on logarithms, as the experts of a river are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .calibration import BELIEVED_BIAS
from .panel import Panel
from .series import Array

LIKE = 1.0
"""How like today's a level is: by the normal curve over so many standard deviations of the logarithms."""
ANY = 1e-3
"""What a level counts that is not like today's at all."""
STORM_HOURS = 72.0
"""A storm lasts: a stretch of so many hours beside the lead is one observation, however many values it has."""
UNSEEN = 2.0
"""Observations that stand for the storms and droughts that a short history does not hold."""
RISE, FALL, SOON_HOURS = 2.0, 0.5, 24.0
"""Half of those rise by a factor of e² in the mean, half fall by e^-½: 63 % of it within SOON_HOURS."""
MOST_STARTS, MOST_LEADS = 2000, 24
"""Levels compared with, evenly over a long history, and leads between which bands are drawn as lines."""


def river_offsets(panel: Panel, levels: Sequence[float], blind: Array) -> Array:
    """Offsets to the forecasts (levels × S × asked × H). `blind` (S × asked × H) is what is expected where the rain
    ahead is not known: half of what its middle differs from that of the analogues is believed."""
    leads = np.unique(np.geomspace(1, panel.steps, MOST_LEADS).round().astype(int))
    steps, offsets = 1 + np.arange(panel.steps), np.empty((len(levels), *blind.shape))
    for s, k in np.ndindex(*blind.shape[:2]):
        changes = np.array([_changes(panel, s, k, lead, [*levels, 0.5]) for lead in leads])
        *lines, middle = (np.interp(steps, leads, line) for line in changes.T)
        bias = panel.values[s, panel.origins[k] - 1] + middle - blind[s, k]
        offsets[:, s, k] = np.array(lines) - middle + BELIEVED_BIAS * bias
    return offsets


def _changes(panel: Panel, s: int, origin: int, lead: int, levels: Sequence[float]) -> Array:
    """Quantiles of how much the logarithm changes over `lead` steps from a level like that at the origin."""
    hours, begin, end = 24.0 / panel.plan.block, int(panel.begin[s]), int(panel.origins[origin])
    z, seen = panel.values[s, :end], panel.observed[s, :end]
    starts = np.arange(begin, end - lead, -(-(end - begin) // MOST_STARTS))
    starts = starts[seen[starts] & seen[starts + lead]]
    like = np.exp(-0.5 * ((z[starts] - z[-1]) / LIKE) ** 2) + ANY
    held = seen.sum() * hours / (lead * hours + STORM_HOURS)
    unseen = _unseen(lead * hours) / panel.spread[s]
    values = np.concatenate([z[starts + lead] - z[starts], unseen])
    weights = np.concatenate([held * like / max(like.sum(), ANY), np.full(len(unseen), UNSEEN / len(unseen))])
    return _weighted_quantiles(values, weights, levels)


def _unseen(hours: float) -> Array:
    """Falls and rises of the logarithm that no history is needed for, both exponential."""
    grown = 1 - np.exp(-hours / SOON_HOURS)
    sizes = -np.log(1 - (np.arange(20) + 0.5) / 20)
    return np.asarray(np.concatenate([-FALL * sizes, RISE * sizes]) * grown)


def _weighted_quantiles(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    order = np.argsort(values)
    share = weights[order] / weights.sum()
    return np.asarray(np.interp(levels, np.cumsum(share) - 0.5 * share, values[order]))
