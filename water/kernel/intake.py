"""What a run-of-river weir may take each hour: less in drought, and less again when a flood makes the river muddy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log

UNMEASURED_M3S = 0.0
"""Before the first known flow the river is taken to have been calm."""


class Limit(StrEnum):
    """What held the intake down."""

    RIVER = "river"
    CAPACITY = "capacity"
    TURBIDITY = "turbidity"


@dataclass(frozen=True)
class TurbidCurve:
    """The intake that treatment can still clear, by river flow: an assumption in place of turbidity measurements.

    `points` are (recent flow, intake limit) in m³/s with rising flow, joined linearly in log flow and flat outside.
    The recent flow is the highest of the flows before, each halved every `half_life_hours`, because mud settles more
    slowly than the flood.
    """

    points: tuple[tuple[float, float], ...]
    half_life_hours: float

    def limit_m3s(self, recent_flow_m3s: float) -> float:
        """The intake limit in m³/s at a recent flow."""
        if recent_flow_m3s <= self.points[0][0]:
            return self.points[0][1]
        for (low, at_low), (high, at_high) in zip(self.points, self.points[1:], strict=False):
            if recent_flow_m3s <= high:
                share = log(recent_flow_m3s / low) / log(high / low)
                return at_low + share * (at_high - at_low)
        return self.points[-1][1]


GAOPING_2026 = TurbidCurve(points=((45, 11.25), (60, 5.8), (200, 5.5), (400, 4.7), (3500, 4.5)), half_life_hours=48)
"""Fitted by eye to the hourly flows and draws of the Gaoping weir, April to August 2026 (Water Resources Agency): with
flows halved every 48 hours the draw falls from about 11 to below 6 m³/s where the recent flow passes 50. That mud is
the reason is inferred, as no turbidity is in the data; the operator may also have had cheaper water when it was wet."""


@dataclass(frozen=True)
class HourLimit:
    """The most the weir may take in one hour, what holds it there, and the recent flow that was judged."""

    limit_m3s: float
    by: Limit
    recent_flow_m3s: float


def intake_limit(
    flows_m3s: Sequence[float],
    environmental_m3s: float,
    capacity_m3s: float,
    turbid: TurbidCurve,
    recent_flow_m3s: float = UNMEASURED_M3S,
) -> tuple[HourLimit, ...]:
    """Per hour: min(river flow − environmental flow, capacity, turbidity limit), not below zero.

    `recent_flow_m3s` is the memory left by earlier hours (the last `HourLimit.recent_flow_m3s` before this series).
    """
    hours, recent = [], recent_flow_m3s
    for flow in flows_m3s:
        recent = max(flow, recent * 0.5 ** (1 / turbid.half_life_hours))
        limits = {
            Limit.RIVER: max(0.0, flow - environmental_m3s),
            Limit.CAPACITY: capacity_m3s,
            Limit.TURBIDITY: turbid.limit_m3s(recent),
        }
        by = min(limits, key=lambda name: limits[name])
        hours.append(HourLimit(limits[by], by, recent))
    return tuple(hours)
