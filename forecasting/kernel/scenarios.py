"""Whole futures of several series at once, and a small tree of them to plan over.

Hours that err do so together: cloud over one park is cloud over the next, a load too high at noon is too high at three.
A band per hour cannot say that; past errors can. Every path takes its place within the bands, hour by hour and
series by series, from the place that the errors of one past day had among those of the other days (Schaake
shuffle, Clark et al. 2004): the bands hold as they are, and what errs together in the past does in every path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from .answer import Forecast
from .series import Array

MOST_MOVES = 50
"""Rounds in which paths look for a nearer group; they settle within a few."""


def paths(forecasts: Sequence[Forecast], count: int, seed: int = 0) -> Array:
    """Equally likely futures, count × series × steps, of forecasts that cover the same steps from the same origin.

    Margins are the forecasts' quantiles; order and dependence are those of their past errors. Without any common
    past error all hours of all series are taken to err together, which overstates the spread of sums.
    The same seed gives the same paths.
    """
    if count < 1 or not forecasts:
        raise ValueError("at least one path of one forecast is needed")
    steps = {len(forecast.index) for forecast in forecasts}
    if len(steps) != 1:
        raise ValueError("the forecasts must cover the same steps")
    places = _places(forecasts, count, np.random.default_rng(seed))
    return np.stack([_read(forecast, places[:, s]) for s, forecast in enumerate(forecasts)], axis=1)


def _places(forecasts: Sequence[Forecast], count: int, rng: np.random.Generator) -> Array:
    """Where each path stands within the bands, count × series × steps, evenly spread over 0 … 1 in every column."""
    errors = _common(forecasts)
    shape = (count, len(forecasts), len(forecasts[0].index))
    if not len(errors):
        order = rng.permutation(count)
        return np.asarray(np.broadcast_to(((order + 0.5) / count)[:, None, None], shape))
    # Whole rounds of all past days, then some of them: no day counts twice before every day counted once.
    rounds = [rng.permutation(len(errors)) for _ in range(-(-count // len(errors)))]
    chosen = errors[np.concatenate(rounds)[:count]]
    # A day that is taken twice stands at two places side by side: in the order of a draw made once for the path.
    draw = np.broadcast_to(rng.random(count)[:, None, None], shape)
    order = np.lexsort((draw, chosen), axis=0)
    ranks = np.empty(shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(count)[:, None, None], shape), axis=0)
    return np.asarray((ranks + 0.5) / count)


def _common(forecasts: Sequence[Forecast]) -> Array:
    """Past errors that all series know in full, days × series × steps, the latest first."""
    known = [forecast.errors for forecast in forecasts]
    days = min(len(errors) for errors in known)
    stacked = np.stack([errors[:days] for errors in known], axis=1)
    return np.asarray(stacked[np.isfinite(stacked).all(axis=(1, 2))])


def _read(forecast: Forecast, places: Array) -> Array:
    """Values at the places (count × steps) within the bands: straight over the normal scale, beyond the ends too."""
    levels = sorted(forecast.quantiles)
    lines = np.stack([forecast.quantiles[level] for level in levels])
    if len(levels) == 1:
        return np.repeat(lines, len(places), axis=0)
    at, known = ndtri(places), ndtri(np.array(levels))
    low = np.clip(np.searchsorted(known, at) - 1, 0, len(levels) - 2)
    share = (at - known[low]) / (known[low + 1] - known[low])
    below, above = np.take_along_axis(lines, low, axis=0), np.take_along_axis(lines, low + 1, axis=0)
    # Where a band was cut at a limit its ends are flat, and so is what lies beyond them.
    return np.asarray(below + share * (above - below))


@dataclass(frozen=True)
class Node:
    """One step of a tree. `parent` is the position of the step before it, None for the first; `values` one per series.

    probability  of the step itself, not given its parent: the leaves' add up to 1
    """

    step: int
    parent: int | None
    probability: float
    values: tuple[float, ...]


def reduce(paths: Array, branches: Sequence[tuple[int, int]], seed: int = 0) -> list[Node]:
    """A tree of few futures from many paths (count × series × steps), parents before children.

    branches  (step, children): before that step every future so far splits into so many, ascending steps; one
              with step 0 gives several first steps
    Paths that go on alike from a branch stay together (k-means on what follows, each series in its own
    deviations). Every node has the mean of its paths, so that expectations over the tree are those over all paths.
    """
    at = [step for step, _ in branches]
    if at != sorted(set(at)) or any(not 0 <= step < paths.shape[2] for step in at) or any(k < 1 for _, k in branches):
        raise ValueError("branches need ascending steps within the paths and at least one child each")
    spread = paths.std(axis=(0, 2), keepdims=True)
    scaled = (paths - paths.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    rng = np.random.default_rng(seed)
    nodes: list[Node] = []
    groups: list[tuple[Array, int | None]] = [(np.arange(len(paths)), None)]
    children = dict(branches)
    for step in range(paths.shape[2]):
        if step in children:
            groups = [
                (part, parent)
                for members, parent in groups
                for part in _alike(members, scaled[members, :, step:], children[step], rng)
            ]
        for k, (members, parent) in enumerate(groups):
            values = tuple(paths[members, :, step].mean(axis=0).tolist())
            nodes.append(Node(step, parent, len(members) / len(paths), values))
            groups[k] = members, len(nodes) - 1
    return nodes


def _alike(members: Array, ahead: Array, count: int, rng: np.random.Generator) -> list[Array]:
    """Members in up to `count` groups of like futures (k-means with a spread-out start), none empty."""
    points = ahead.reshape(len(members), -1)
    centres = points[[int(rng.integers(len(points)))]]
    while len(centres) < min(count, len(points)):
        far = ((points[:, None] - centres) ** 2).sum(axis=2).min(axis=1)
        if far.max() == 0:
            break
        centres = np.concatenate([centres, points[[int(rng.choice(len(points), p=far / far.sum()))]]])
    group = np.full(len(points), -1)
    for _ in range(MOST_MOVES):
        nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        if (nearest == group).all():
            break
        group = nearest
        centres = np.stack(
            [points[group == k].mean(axis=0) if (group == k).any() else centres[k] for k in range(len(centres))]
        )
    return [members[group == k] for k in range(len(centres)) if (group == k).any()]
