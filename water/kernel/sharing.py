"""How a lateral's water of a day is shared among its valves, before their turns are planned.

A valve is open for its shortest run or not at all. Each valve's part of the water is in proportion to what its fields
want. A part that makes a shortest run stays with its valve. Smaller parts, which could open nothing, are pooled, and
the pool opens as many of their valves as it can, the neediest first. Who waits is not forgotten: what its fields lack
grows, and with it their part of the next day, until that alone makes a shortest run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .lateral import ROUNDING


@dataclass(frozen=True)
class Claim:
    """What a valve's fields want in the day, and how urgently.

    `overdue_days` is how many days ago the fields reached the limit of what they may lack (below 0: so long can they
    still wait), `days_since` how long ago the valve was last open (None: never). Lower tiers come first.
    """

    name: str
    wanted_m3: float
    slot_m3: float
    min_slots: int = 1
    tier: int = 1
    overdue_days: float = 0.0
    days_since: int | None = None

    @property
    def shortest_m3(self) -> float:
        return self.min_slots * self.slot_m3

    @property
    def turn(self) -> tuple[int, float, float, str]:
        """Sorts the neediest first."""
        waited = math.inf if self.days_since is None else self.days_since
        return self.tier, -self.overdue_days, -waited, self.name


@dataclass(frozen=True)
class Shares:
    """Whole slots by valve, 0 or at least a shortest run; the parts, in m³, of valves that wait for the next day; and
    what nobody could use: less than a shortest run of any valve that waits, and less than a slot where none does.
    """

    slots: Mapping[str, int]
    waiting_m3: Mapping[str, float]
    left_m3: float


def share_out(claims: Sequence[Claim], water_m3: float) -> Shares:
    """Shares a day's water, at most what is wanted, among the claims: none of it twice, no run too short."""
    wanted = sum(claim.wanted_m3 for claim in claims)
    parts = {claim.name: claim.wanted_m3 * water_m3 / wanted if wanted else 0.0 for claim in claims}
    slots = {claim.name: _whole_run(claim, parts[claim.name]) for claim in claims}
    left = water_m3 - sum(slots[claim.name] * claim.slot_m3 for claim in claims)
    too_small = [claim for claim in claims if parts[claim.name] > 0 and not slots[claim.name]]
    for claim in sorted(too_small, key=lambda claim: claim.turn):
        if claim.shortest_m3 <= left + ROUNDING * water_m3:
            slots[claim.name] = claim.min_slots
            left -= claim.shortest_m3
    left = _round_up(claims, parts, slots, left)
    waiting = {claim.name: parts[claim.name] for claim in too_small if not slots[claim.name]}
    return Shares(slots, waiting, max(0.0, left))


def _whole_run(claim: Claim, part_m3: float) -> int:
    slots = math.floor(part_m3 / claim.slot_m3 + ROUNDING)
    return slots if slots >= claim.min_slots else 0


def _round_up(claims: Sequence[Claim], parts: Mapping[str, float], slots: dict[str, int], left_m3: float) -> float:
    """Gives open valves a slot more while water is left, the largest remainders first; returns what is left then."""
    rests = {claim.name: parts[claim.name] / claim.slot_m3 - slots[claim.name] for claim in claims}
    for claim in sorted(claims, key=lambda claim: (-rests[claim.name], claim.name)):
        if slots[claim.name] and rests[claim.name] > ROUNDING and claim.slot_m3 <= left_m3 + ROUNDING * claim.slot_m3:
            slots[claim.name] += 1
            left_m3 -= claim.slot_m3
    return left_m3
