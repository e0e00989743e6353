"""The experts: each forecasts every series of a panel from every origin, S × (K + 1) × H, from what came before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from .leads import ridge_by_lead
from .linear import expanding_ridge
from .panel import Panel
from .ridge import ridge
from .runoff import draw_down, rain_of, rain_response, without_rain
from .series import Array
from .smoothing import exponential_smoothing

AR_PENALTY = 3.0
MOST_WEEKS_OF_MEAN = 4


def forecasts(panel: Panel) -> tuple[dict[str, Array], dict[str, Array]]:
    """What each expert that suits the panel's plan expects, by its readable name: told of the rain that is expected
    from the origin asked for on or, at all origins, of the weather; and blind to what is only guessed of them. Both are
    one object where there is none."""
    rain = rain_of(panel) if panel.plan.flows else None
    known = without_rain(panel) if panel.plan.flows else panel
    low, high = _believable(panel)
    blind = {name: expert(known) for name, expert in _suitable(known)}
    if rain is None:
        found = {name: np.clip(expected, low, high) for name, expected in blind.items()}
        unaware = known.unaware
        return found, found if unaware is None else {**found, "ridge": np.clip(ridge(known, unaware), low, high)}
    response, truth = rain_response(panel, rain), panel.truth()
    blind["rain response"] = response.blind
    told = {name: response.tell(expected, truth) for name, expected in blind.items()}
    told, blind = ({name: np.clip(one, low, high) for name, one in found.items()} for found in (told, blind))
    return told, blind


def _believable(panel: Panel) -> tuple[Array, Array]:
    """Half the range of the past above and below it: a runaway recursion must not outvote a sober expert."""
    past = slice(0, panel.origins[panel.plan.asked - 1])
    low = np.where(panel.observed, panel.values, np.inf)[:, past].min(axis=1)
    high = np.where(panel.observed, panel.values, -np.inf)[:, past].max(axis=1)
    room = 0.5 * (high - low)
    return (low - room)[:, None, None], (high + room)[:, None, None]


def _suitable(panel: Panel) -> Iterator[tuple[str, Callable[[Panel], Array]]]:
    plan = panel.plan
    if plan.cycle:
        yield "seasonal naive", lambda panel: seasonal_naive(panel, plan.day)
        yield "ar", lambda panel: autoregression(panel, plan.day)
    if plan.cycle and plan.week:
        yield "seasonal naive (week)", lambda panel: seasonal_naive(panel, plan.week)
        yield "ar (week)", lambda panel: autoregression(panel, plan.week)
    weeks = min(MOST_WEEKS_OF_MEAN, panel.shortest // plan.week) if plan.week else 0
    if plan.cycle and weeks >= 2:
        yield "week mean", lambda panel: seasonal_mean(panel, plan.week, weeks)
    if not plan.cycle:
        yield "persistence", persistence
    if plan.is_river and not panel.regressors.shape[2]:
        # Regressions on the last hours carry a rise on into a flood that nobody saw.
        yield "recession", draw_down
        return
    yield "recession" if plan.logs else "ar (level)", lambda panel: autoregression(panel, 0)
    yield "ridge", ridge
    if plan.thorough:
        yield "ridge (lead)", ridge_by_lead
    if plan.thorough and panel.regressors.shape[2]:
        yield (
            "ridge (lead, calendar)",
            lambda panel: ridge_by_lead(replace(panel, regressors=panel.regressors[..., :0])),
        )
    if plan.block == 1:
        yield "exponential smoothing", exponential_smoothing


def persistence(panel: Panel) -> Array:
    """The last value, for ever."""
    last = panel.values[:, panel.origins - 1]
    return np.repeat(last[:, :, None], panel.steps, axis=2)


def seasonal_naive(panel: Panel, period: int) -> Array:
    """y(o + h) = y(o + h - period·c) with the smallest c that lies before the origin o."""
    ahead = np.arange(panel.steps)
    return np.asarray(panel.values[:, panel.origins[:, None] - period + ahead % period])


def seasonal_mean(panel: Panel, period: int, cycles: int) -> Array:
    """The mean of the last `cycles` values of the same slot of the cycle."""
    ahead = np.arange(panel.steps) % period
    slots = panel.origins[:, None, None] - period * np.arange(1, cycles + 1)[:, None] + ahead
    return np.asarray(panel.values[:, slots].mean(axis=2))


def autoregression(panel: Panel, period: int) -> Array:
    """z(t) = Σ a(i)·z(t - i) on seasonal differences z(t) = y(t) - y(t - period); on the level plus a constant for 0.

    Fitted by least squares on the steps before each origin, then run forward on its own forecasts.
    """
    lags = _lags(panel, period)
    z, known = _differenced(panel, period)
    longest = int(lags.max())
    rows = np.arange(longest, z.shape[1])
    features = z[:, rows[:, None] - lags]
    if period == 0:
        features = np.concatenate([features, np.ones((*features.shape[:2], 1))], axis=2)
    usable = known[:, rows] & (rows >= panel.begin[:, None] + longest)
    ends = panel.origins - period - longest
    coefficients = expanding_ridge(features, z[:, rows], usable.astype(float), ends, AR_PENALTY)
    ahead = _run_forward(z, panel.origins - period, lags, coefficients, panel.steps)
    return ahead if period == 0 else _summed(panel, ahead, period)


def _differenced(panel: Panel, period: int) -> tuple[Array, Array]:
    if period == 0:
        return panel.values, panel.observed
    z = panel.values[:, period:] - panel.values[:, :-period]
    return z, panel.observed[:, period:] & panel.observed[:, :-period]


def _lags(panel: Panel, period: int) -> Array:
    """The last steps, and those round one and several cycles ago, as far as the history allows."""
    block, plan = panel.plan.block, panel.plan
    recent = [1, 2, 3] if period == 0 else [1, 2, 3, 4, 5, 6]
    cycle = plan.day if period else (block if block > 1 else 0)
    seasonal = [c * cycle + shift for c in range(1, 8) for shift in ((-1, 0, 1) if c in (1, 7) else (0,)) if cycle]
    if period == 0:
        seasonal = [lag for lag in seasonal if lag <= cycle + 1]
    room = max(3, (panel.shortest - period) // 3)
    return np.array(sorted({lag for lag in recent + seasonal if 1 <= lag <= room}))


def _run_forward(z: Array, origins: Array, lags: Array, coefficients: Array, steps: int) -> Array:
    longest = int(lags.max())
    line = np.empty((z.shape[0], len(origins), longest + steps))
    line[:, :, :longest] = z[:, origins[:, None] - longest + np.arange(longest)]
    slopes = coefficients[:, :, : len(lags)]
    constant = coefficients[:, :, -1] if coefficients.shape[2] > len(lags) else 0.0
    for h in range(steps):
        line[:, :, longest + h] = np.einsum("skp,skp->sk", slopes, line[:, :, longest + h - lags]) + constant
        # An unstable recursion over weeks would overflow; what is clipped here is clipped again by `forecasts`.
        np.clip(line[:, :, longest + h], -50.0, 50.0, out=line[:, :, longest + h])
    return line[:, :, longest:]


def _summed(panel: Panel, differences: Array, period: int) -> Array:
    """y(o + h) = z(o + h) + y(o + h - period)."""
    ahead = np.empty_like(differences)
    for begin in range(0, panel.steps, period):
        here = slice(begin, min(begin + period, panel.steps))
        width = here.stop - here.start
        if begin == 0:
            before = panel.values[:, panel.origins[:, None] - period + np.arange(width)]
        else:
            before = ahead[:, :, begin - period : begin - period + width]
        ahead[:, :, here] = differences[:, :, here] + before
    return ahead
