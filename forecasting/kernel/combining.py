"""From experts to one forecast with bands, for every origin asked for: each from what was known there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .adaptive import FEWEST, adaptive_offsets, known_errors
from .analogues import river_offsets
from .calibration import error_quantiles
from .experts import forecasts
from .panel import Panel
from .series import Array
from .stacking import stacked_shares
from .weights import weights_of

JUDGING = 48
"""Past origins that weights rest on at most; fading leaves nothing of older ones."""
FEWEST_JUDGING = 14
"""Past origins that shares need before the combination's own errors at that time count."""


@dataclass(frozen=True)
class Outlook:
    """On the common scale: the combination S × asked × H, quantile offsets (levels × S × asked × H), shares of every
    expert S × asked × H, and the combination's errors S × K × H at past origins, the latest first, NaN if unknown."""

    expected: Array
    offsets: Array
    shares: dict[str, Array]
    errors: Array


def outlook_of(panel: Panel, levels: Sequence[float]) -> Outlook:
    told, blind = forecasts(panel)
    names, stack = list(told), np.stack(list(told.values()))
    truth, plan = panel.truth(), panel.plan
    year = plan.origins >= FEWEST + FEWEST_JUDGING
    # Bands that rest on the weather as it came would not know that it was only guessed ahead.
    unaware = stack if told is blind or plan.is_river else np.stack([blind[name] for name in names])
    shares, errors = _over_a_year(panel, stack, truth) if year else _briefly(panel, stack, unaware, truth)
    expected = (shares * stack[:, :, : plan.asked]).sum(axis=0)
    if plan.is_river:
        without_rain = (shares * np.stack([blind[name][:, : plan.asked] for name in names])).sum(axis=0)
        offsets = river_offsets(panel, levels, without_rain)
    elif year:
        offsets = adaptive_offsets(known_errors(errors[0], plan.block), levels, plan.asked)
    else:
        offsets = np.stack([error_quantiles(one, levels, plan.block) for one in errors], axis=2)
    return Outlook(expected, offsets, dict(zip(names, shares, strict=True)), errors[0])


def _briefly(panel: Panel, stack: Array, unaware: Array, truth: Array) -> tuple[Array, list[Array]]:
    """Shares of every origin asked for and the errors before it of those unaware of guesses. There are few: they are
    judged as one, and the bands take the errors of the latest combination."""
    shares, errors = [], []
    for origin in range(panel.plan.asked):
        past = np.where(panel.known_before(origin)[origin:], truth[:, origin:], np.nan)
        found = weights_of(stack[:, :, origin + 1 :], past, panel.plan.block // 2 or 2)
        shares.append(found)
        errors.append(past - (found[:, :, None] * unaware[:, :, origin + 1 :]).sum(axis=0))
    return np.stack(shares, axis=2), errors


def _over_a_year(panel: Panel, stack: Array, truth: Array) -> tuple[Array, list[Array]]:
    """Every past origin is combined with the shares it had, so that the bands see the errors that would have been."""
    plan = panel.plan
    count = plan.origins - FEWEST_JUDGING + 1
    if plan.cycle:
        # What stacking minimises are squares: a river's one flood would decide them.
        together = stacked_shares(stack, truth, plan.block, plan.rhythm, count)
    else:
        together = np.stack([_recent_shares(panel, stack, truth, origin) for origin in range(count)], axis=2)
    combined = (together[:, :, 1:] * stack[:, :, 1 : together.shape[2]]).sum(axis=0)
    return together[:, :, : plan.asked], [truth[:, : combined.shape[1]] - combined]


def _recent_shares(panel: Panel, stack: Array, truth: Array, origin: int) -> Array:
    last = origin + JUDGING
    past = np.where(panel.known_before(origin)[origin:last], truth[:, origin:last], np.nan)
    return weights_of(stack[:, :, origin + 1 : last + 1], past, panel.plan.block // 2 or 2)
