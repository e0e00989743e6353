"""From experts to one forecast with bands, for every origin asked for: each from what was known there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .adaptive import FEWEST, adaptive_offsets, known_errors
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
    by_expert = forecasts(panel)
    names, stack = list(by_expert), np.stack(list(by_expert.values()))
    truth, plan = panel.truth(), panel.plan
    if plan.origins < FEWEST + FEWEST_JUDGING:
        parts = [_briefly(panel, stack, truth, levels, origin) for origin in range(plan.asked)]
        expected, offsets, shares, errors = ([part[k] for part in parts] for k in range(4))
        together = np.stack(shares, axis=2)
        return Outlook(
            np.stack(expected, axis=1),
            np.stack(offsets, axis=2),
            dict(zip(names, together, strict=True)),
            errors[0],
        )
    return _over_a_year(panel, names, stack, truth, levels)


def _briefly(
    panel: Panel, stack: Array, truth: Array, levels: Sequence[float], origin: int
) -> tuple[Array, Array, Array, Array]:
    """One origin with few before it: they are judged as one, and the bands take the errors of today's combination."""
    plan = panel.plan
    past = np.where(panel.known_before(origin)[origin:], truth[:, origin:], np.nan)
    shares = weights_of(stack[:, :, origin + 1 :], past, plan.block // 2 or 2)
    together = (shares[:, :, None] * stack[:, :, origin:]).sum(axis=0)
    errors = past - together[:, 1:]
    return together[:, 0], error_quantiles(errors, levels, plan.block), shares, errors


def _over_a_year(panel: Panel, names: list[str], stack: Array, truth: Array, levels: Sequence[float]) -> Outlook:
    """Every past origin is combined with the shares it had, so that the bands see the errors that would have been."""
    plan = panel.plan
    count = plan.origins - FEWEST_JUDGING + 1
    if plan.cycle:
        # What stacking minimises are squares: a river's one flood would decide them.
        together = stacked_shares(stack, truth, plan.block, plan.rhythm, count)
    else:
        together = np.stack([_recent_shares(panel, stack, truth, origin) for origin in range(count)], axis=2)
    combined = (together * stack[:, :, : together.shape[2]]).sum(axis=0)
    errors = truth[:, : combined.shape[1] - 1] - combined[:, 1:]
    offsets = adaptive_offsets(known_errors(errors, plan.block), levels, plan.asked)
    asked = together[:, :, : plan.asked]
    return Outlook(combined[:, : plan.asked], offsets, dict(zip(names, asked, strict=True)), errors)


def _recent_shares(panel: Panel, stack: Array, truth: Array, origin: int) -> Array:
    last = origin + JUDGING
    past = np.where(panel.known_before(origin)[origin:last], truth[:, origin:last], np.nan)
    return weights_of(stack[:, :, origin + 1 : last + 1], past, panel.plan.block // 2 or 2)
