"""Rivers and inflows: what drains away when nothing falls, and what rain brings.

Series S, origins K + 1, steps ahead H as everywhere; all on logarithms, for flows swing in proportion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls
from scipy.signal import lfilter

from .panel import Panel
from .regressors import kind_of
from .series import Array

HALF_LIVES_HOURS = (3.0, 12.0, 48.0, 192.0)
"""Half-lives of the stores that a catchment is made of: gullies, slopes, soil and rock. The response to an hour's rain
is any sum of them, none negative."""
WETNESS_HOURS = 120.0
"""Half-life of the wetness of the ground, on which runs off what dry ground would have drunk."""
MEMORY_HOURS = 72.0
"""Half-life of what the catchment was wrong by at the origin."""
MEAN_RAIN_HOURS = 720.0
"""Without a forecast of it, rain is expected to be the mean of the month before."""
SPIN_UP_HOURS = 72.0
DRAW_DOWN_HOURS = 72.0
FASTEST = 0.9
"""Of its distance to the usual level a flow may lose so much in DRAW_DOWN_HOURS."""
RIDGE = 1e-9


def rain_of(panel: Panel) -> Array | None:
    """The rain that each series names, S × (T + H), 0 when dry and else in any unit; None when no series names any that
    is expected over all the steps asked for."""
    columns = _rain_columns(panel) & _known_ahead(panel)
    if not columns.any():
        return None
    past = panel.regressors[:, : panel.length]
    # Standardised rain is least when it is dry. Columns of other kinds must not add to the sum.
    fallen = np.maximum(0.0, panel.regressors - past.min(axis=1, keepdims=True))
    return np.asarray((fallen * columns[:, None, :]).sum(axis=2))


def without_rain(panel: Panel) -> Panel:
    """The panel for experts to whom a regressor is known beforehand, which rain is not."""
    columns = _rain_columns(panel)
    if not columns.any():
        return panel
    if columns.all():
        return replace(panel, regressors=panel.regressors[:, :, :0], columns=())
    return replace(panel, regressors=np.where(columns[:, None, :], 0.0, panel.regressors))


def _rain_columns(panel: Panel) -> Array:
    """Which columns of which series are rain, S × R."""
    found = np.zeros((len(panel.values), panel.regressors.shape[2]), dtype=bool)
    for s, columns in enumerate(panel.columns):
        found[s, : len(columns.names)] = [kind_of(name) == "rain" for name in columns.names]
    return found


def _known_ahead(panel: Panel) -> Array:
    """Which columns of which series are known for every step ahead, S × R."""
    series, columns = panel.regressors.shape[0], panel.regressors.shape[2]
    known = [panel.reach(s, r) is None for s, r in np.ndindex(series, columns)]
    return np.array(known, dtype=bool).reshape(series, columns)


# --- without rain --------------------------------------------------------------------------------------------
def draw_down(panel: Panel) -> Array:
    """z(o + h) = m + (z(o) − m)(1 − b)^(h/72 h): back towards the mean level m at the pace seen in the past.

    m and b are those of z(t + 72 h) − z(t) = b (m − z(t)) on the steps before the origin, 0 ≤ b ≤ FASTEST. Unlike a
    recursion on the last steps it never carries a rise on: a peak is followed by its fall.
    """
    gap = max(1, round(DRAW_DOWN_HOURS / _step_hours(panel)))
    z, seen = panel.values, panel.observed
    start, change = z[:, :-gap], z[:, gap:] - z[:, :-gap]
    known = (seen[:, :-gap] & seen[:, gap:]).astype(float)
    until = np.maximum(panel.origins - gap, 1) - 1
    count, x, y, xx, xy = (
        np.cumsum(known * term, axis=1)[:, until] for term in (1.0, start, change, start**2, start * change)
    )
    count = np.maximum(count, 1.0)
    spread = xx - x**2 / count
    pace = np.divide(x * y / count - xy, spread, out=np.zeros_like(spread), where=spread > RIDGE)
    pace = np.clip(pace, 0.0, FASTEST)
    left = (1.0 - pace)[:, :, None] ** ((1 + np.arange(panel.steps)) / gap)
    level = (x / count)[:, :, None]
    return np.asarray(level + (z[:, panel.origins - 1][:, :, None] - level) * left)


# --- with rain -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Stores:
    """Contents after every step: of the ground, and of the upper and lower half of every store, stores × … × n."""

    wetness: Array
    upper: Array
    lower: Array

    def at(self, step: Array) -> _Stores:
        return _Stores(self.wetness[step], self.upper[:, step], self.lower[:, step])


@dataclass(frozen=True)
class Response:
    """S × (K + 1) × H: `blind` expects at every origin the mean rain of the month before it, `told` at past origins the
    rain that came and at the origin asked for the rain that is expected."""

    blind: Array
    told: Array

    def tell(self, expected: Array, truth: Array) -> Array:
        """Another expert's forecast, told of the rain ahead at the origin asked for: as far as what knew the rain would
        have been nearer the truth (S × K × H, NaN unknown) at the past origins, none to all of the way.
        """
        wrong, way = truth - expected[:, 1:], (self.told - expected)[:, 1:]
        known = np.isfinite(wrong)
        better = (np.where(known, wrong, 0.0) * way).sum(axis=(1, 2))
        length = (known * way**2).sum(axis=(1, 2))
        trust = np.clip(np.divide(better, length, out=np.zeros_like(better), where=length > 0), 0.0, 1.0)[:, None]
        now = (1 - trust) * expected[:, 0] + trust * self.told[:, 0]
        return np.concatenate([now[:, None], expected[:, 1:]], axis=1)


def rain_response(panel: Panel, rain: Array) -> Response:
    """Q(t) = c + Σ b S(t), b ≥ 0: stores that rain fills, and rain on wet ground fills again, each draining at a pace
    of its own; the factor by which the origin's flow differs from that fades.

    Past origins are judged blind, so that shares and bands are those of a forecaster who does not know the rain.
    """
    blind, told = zip(*(_one(panel, s, rain[s]) for s in range(len(rain))), strict=True)
    return Response(np.stack(blind), np.stack(told))


def _one(panel: Panel, s: int, rain: Array) -> Iterator[Array]:
    hours, origins = _step_hours(panel), panel.origins
    past = _filled(rain[: panel.length], hours, None)
    columns = _columns(past)
    flow = panel.back_one(s, panel.values[s])
    usable = panel.observed[s] & (np.arange(panel.length) >= panel.begin[s] + SPIN_UP_HOURS / hours)
    shares = _shares(columns / flow[:, None], usable, origins)
    at_origin = np.log(np.einsum("kp,kp->k", columns[origins - 1], shares))
    fading = 0.5 ** (hours * (1 + np.arange(panel.steps)) / MEMORY_HOURS)
    wrong_by = (np.log(flow[origins - 1]) - at_origin)[:, None] * fading
    for ahead in (_mean_rain(panel, rain, hours), rain[origins[:, None] + np.arange(panel.steps)]):
        stores = _filled(ahead, hours, past.at(origins - 1))
        modelled = np.log(np.einsum("khp,kp->kh", _columns(stores), shares))
        yield (modelled + wrong_by - panel.centre[s]) / panel.spread[s]


def _mean_rain(panel: Panel, rain: Array, hours: float) -> Array:
    """The mean of the month before every origin, (K + 1) × H."""
    month = max(1, round(MEAN_RAIN_HOURS / hours))
    sums = np.concatenate([[0.0], np.cumsum(rain)])
    begin = np.maximum(panel.origins - month, 0)
    means = (sums[panel.origins] - sums[begin]) / (panel.origins - begin)
    return np.repeat(means[:, None], panel.steps, axis=1)


def _filled(rain: Array, hours: float, before: _Stores | None) -> _Stores:
    """The stores through rain … × n, from what they held before. Each is two in a row: a peak comes after its rain."""
    wetness = _drained(rain, WETNESS_HOURS, hours, before.wetness if before else None)
    upper, lower = [], []
    filled_by = ((fallen, half) for half in HALF_LIVES_HOURS for fallen in (rain, rain * wetness))
    for k, (fallen, half) in enumerate(filled_by):
        upper.append(_drained(fallen, half / 2, hours, before.upper[k] if before else None))
        lower.append(_drained(upper[-1], half / 2, hours, before.lower[k] if before else None))
    return _Stores(wetness, np.stack(upper), np.stack(lower))


def _drained(inflow: Array, half_life_hours: float, hours: float, before: Array | None) -> Array:
    """S(t) = d S(t − 1) + (1 − d) inflow(t) along the last axis, d = ½^(step / half-life)."""
    kept = 0.5 ** (hours / half_life_hours)
    state = np.zeros((*inflow.shape[:-1], 1)) if before is None else kept * before[..., None]
    return np.asarray(lfilter([1 - kept], [1, -kept], inflow, zi=state)[0])


def _columns(stores: _Stores) -> Array:
    """… × n × p: what always runs, and every store."""
    return np.concatenate([np.ones((*stores.wetness.shape, 1)), np.moveaxis(stores.lower, 0, -1)], axis=-1)


def _shares(relative: Array, usable: Array, ends: Array) -> Array:
    """Origins × p: b ≥ 0 that minimises Σ (1 − Σ b S/Q)² over the usable steps before each origin."""
    found = np.empty((len(ends), relative.shape[1]))
    gram, right, done = np.zeros((relative.shape[1],) * 2), np.zeros(relative.shape[1]), 0
    for k in np.argsort(ends, kind="stable"):
        part = relative[done : ends[k]][usable[done : ends[k]]]
        gram, right, done = gram + part.T @ part, right + part.sum(axis=0), int(ends[k])
        found[k] = _not_negative(gram, right)
    return found


def _not_negative(gram: Array, right: Array) -> Array:
    """b ≥ 0 of the normal equations, on columns scaled to one size; the first, which always runs, never quite 0."""
    size = np.sqrt(np.maximum(np.diag(gram), RIDGE))
    root = np.linalg.cholesky(gram / np.outer(size, size) + RIDGE * np.eye(len(gram)))
    solved, _ = nnls(root.T, np.linalg.solve(root, right / size))
    solved[0] = max(solved[0], RIDGE)
    return np.asarray(solved / size)


def _step_hours(panel: Panel) -> float:
    """Of a day's steps; a step that is no part of a day counts as a day."""
    return 24.0 / panel.plan.block
