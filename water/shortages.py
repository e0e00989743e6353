"""What the turns of a plan's laterals leave undelivered: shortages and facts of the plan, at the turnouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from planning.kernel.explain import Fact, Value
from planning.kernel.outcome import Shortage
from planning.models import Plan, PlanPart
from planning.sectors import Missing

from .kernel.lateral import Reason
from .kernel.units import M3_PER_KM3

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Undelivered:
    """Of a lateral's water of the first day, m³ at its turnouts.

    `short_m3` is what somebody goes without; `remainder_m3` is less than a shortest run, which no valve can give.
    """

    water_m3: float
    short_m3: float
    remainder_m3: float
    waiting: int
    asking: int

    @classmethod
    def of(cls, part: PlanPart) -> Undelivered:
        result, claims = part.result or {}, part.input.get("claims", [])
        items = result.get("short", [])
        rests = sum(item["short_m3"] for item in items if item["reason"] == Reason.REMAINDER)
        short, remainder = sum(item["short_m3"] for item in items) - rests, result.get("left_m3", 0.0) + rests
        shortest = min((claim["min_slots"] * claim["slot_m3"] for claim in claims), default=0.0)
        if remainder >= shortest:  # many small rests are a shortage after all
            short, remainder = short + rests, remainder - rests
        water = part.input.get("water_m3", 0.0)
        return cls(water, short, remainder, len(result.get("waiting", [])), len(claims))


def missing(plan: Plan, parts: Sequence[PlanPart]) -> Missing:
    """One shortage "turnouts.<lateral>" in 10³ m³ at the turnouts for every lateral whose turns leave somebody short,
    and a fact for every lateral where turnouts wait for the next day.
    """
    found = [(part, Undelivered.of(part)) for part in parts]
    short = [(part, left) for part, left in found if left.short_m3 > 0]
    shortages = tuple(_shortage(plan, part, left) for part, left in short)
    facts = [_short_fact(plan, shortage) for shortage in shortages]
    facts += [_waiting_fact(part, left) for part, left in found if left.waiting]
    return Missing(shortages, tuple(facts))


def short_at_head_km3(plan: Plan) -> dict[str, float]:
    """By lateral, what is short at its turnouts, counted where its system takes the water as its demand is."""
    parts = plan.parts.filter(sector="water", state=PlanPart.State.DONE)
    short = {part.key: Undelivered.of(part).short_m3 / part.input.get("arriving_share", 1.0) for part in parts}
    return {key: volume / M3_PER_KM3 for key, volume in short.items() if volume > 0}


def _shortage(plan: Plan, part: PlanPart, left: Undelivered) -> Shortage:
    demand: dict[str, Any] = plan.snapshot["case"]["demands"][f"irrigation.{part.key}"]
    last = sum(end <= plan.start + DAY for _start, end in plan.times()) - 1
    return Shortage(
        wish=f"turnouts.{part.key}",
        bus=demand["bus"],
        tier=demand["tier"],
        amount=left.short_m3 / M3_PER_KM3,
        # A part from before parts knew their water cannot tell the share: all of it is the careful reading.
        share=left.short_m3 / left.water_m3 if left.water_m3 else 1.0,
        first_step=0,
        last_step=max(0, last),
        worst_step=0,
    )


def _short_fact(plan: Plan, short: Shortage) -> Fact:
    values: dict[str, Value] = {
        "commodity": "water",
        "tier": short.tier,
        "amount": short.amount,
        "share": short.share,
        "first": plan.start.isoformat(),
        "last": (plan.start + DAY).isoformat(),
    }
    return Fact("part_shortage", short.wish, values)


def _waiting_fact(part: PlanPart, left: Undelivered) -> Fact:
    values: dict[str, Value] = {"commodity": "water", "count": left.waiting, "of": left.asking}
    return Fact("put_off", f"turnouts.{part.key}", values)
