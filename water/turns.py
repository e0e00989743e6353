"""After the solve: who opens which valve when. One piece of follow-up work per lateral, made of plain JSON alone.

The plan fixes how much water a lateral gets in the first day; its turns say how the turnouts share it. Within the
day the lateral may draw up to its capacity in every hour in which the plan serves it: canals are run full and by
turns, and the main canal evens out the hours (an assumption: it holds some hours of flow).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from planning.horizons import horizon_of
from planning.kernel.horizon import Horizon
from planning.models import Plan
from planning.sectors import FollowUp, FollowUpResult

from .irrigation import OTHER_TIER
from .kernel import lateral as kernel
from .kernel.turns import plan_turns
from .kernel.units import M3_PER_KM3, m3_from_cms_minutes
from .models import Lateral, Turnout
from .reading import TurnoutDay

SLOT_MINUTES = 15
SLOTS = 96
TIME_LIMIT_SECONDS = 20.0


def follow_ups(plan: Plan) -> list[FollowUp]:
    """The turns of every lateral that the plan serves; volumes in m³ at the turnouts, flows in m³/s."""
    laterals = Lateral.objects.filter(city=plan.city_id).select_related("system").prefetch_related("turnouts")
    snapshot, result = plan.snapshot or {}, plan.result or {}
    wanted = snapshot["extra"]["water"]["turnouts"]
    horizon = horizon_of(plan)
    works = []
    for lateral in laterals.order_by("key"):
        served = result["demands"].get(f"irrigation.{lateral.key}", {}).get("served", [])
        data = _input(plan, horizon, lateral, wanted.get(lateral.key, {}), served)
        if any(valve["wanted_m3"] > 0 for valve in data["valves"]):
            works.append(FollowUp(lateral.key, data))
    return works


def run(data: dict[str, Any]) -> FollowUpResult:
    """Plans the turns of one lateral. What is not delivered is stated with its reason, in m³ by turnout.

    Delivered + short + `left_m3` (less than one slot of one valve) is the lateral's water of the day.
    """
    case = kernel.TurnCase(
        kernel.Lateral(**{**data["lateral"], "quiet": tuple(tuple(window) for window in data["lateral"]["quiet"])}),
        tuple(kernel.Valve(**valve) for valve in data["valves"]),
        tuple(data["inflow_m3s"]),
    )
    turns = plan_turns(case, time_limit=TIME_LIMIT_SECONDS)
    start, slot = datetime.fromisoformat(data["start"]), timedelta(minutes=case.lateral.slot_minutes)
    runs = [
        {
            "turnout": run.valve,
            "start": (start + run.first_slot * slot).isoformat(),
            "end": (start + run.until_slot * slot).isoformat(),
            "volume_m3": run.volume_m3,
        }
        for run in turns.runs
    ]
    short = [{"turnout": item.valve, "short_m3": item.short_m3, "reason": item.reason.value} for item in turns.short]
    result = {
        "runs": runs,
        "short": short,
        "left_m3": data["left_m3"],
        "status": turns.status.value,
        "gap": turns.gap,
        "seconds": turns.seconds,
    }
    return FollowUpResult(result, turns.broken_limits)


def _input(
    plan: Plan, horizon: Horizon, lateral: Lateral, wanted: dict[str, TurnoutDay], served: Sequence[float]
) -> dict[str, Any]:
    """Everything counted at the turnouts: what the lateral loses on the way is taken off its capacity and volumes."""
    got = _first_day_km3(horizon, served) * lateral.system.conveyance_efficiency * lateral.efficiency * M3_PER_KM3
    total = sum(day["km3"] for day in wanted.values())
    turnouts = sorted(lateral.turnouts.all(), key=lambda turnout: turnout.key)
    asked = {t.key: got * wanted[t.key]["km3"] / total if total and t.key in wanted else 0.0 for t in turnouts}
    whole = in_whole_slots(asked, {t.key: m3_from_cms_minutes(t.flow_m3s, SLOT_MINUTES) for t in turnouts})
    tiers = {key: day["tier"] for key, day in wanted.items()}
    capacity = lateral.capacity_m3s * lateral.efficiency
    return {
        "start": plan.start.isoformat(),
        "lateral": {
            "capacity_m3s": capacity,
            "max_open": lateral.max_open,
            "slot_minutes": SLOT_MINUTES,
            "quiet": quiet_slots(lateral.quiet_windows, horizon.start),
        },
        "inflow_m3s": [capacity if rate > 0 else 0.0 for rate in _by_slot(horizon, served)],
        "valves": [_valve(turnout, whole[turnout.key], tiers.get(turnout.key, OTHER_TIER)) for turnout in turnouts],
        "left_m3": max(0.0, sum(asked.values()) - sum(whole.values())),
    }


def _valve(turnout: Turnout, wanted_m3: float, tier: int) -> dict[str, Any]:
    longest = turnout.max_run_minutes
    return {
        "name": turnout.key,
        "flow_m3s": turnout.flow_m3s,
        "wanted_m3": wanted_m3,
        "min_run_slots": max(1, math.ceil(turnout.min_run_minutes / SLOT_MINUTES)),
        "max_run_slots": None if longest is None else max(1, longest // SLOT_MINUTES),
        "travel_minutes": turnout.travel_minutes,
        "tier": tier,
    }


def in_whole_slots(asked_m3: Mapping[str, float], slot_m3: Mapping[str, float]) -> dict[str, float]:
    """Volumes rounded to whole slots of each valve that together are no more than asked.

    A valve gives all or nothing for a slot; rounding each down alone would lose half a slot per turnout and day, so the
    largest remainders get the slots that are left over.
    """
    slots = {key: math.floor(volume / slot_m3[key] + 1e-9) for key, volume in asked_m3.items()}
    rest = {key: volume - slots[key] * slot_m3[key] for key, volume in asked_m3.items()}
    left = sum(rest.values())
    for key in sorted(rest, key=lambda key: (-rest[key] / slot_m3[key], key)):
        if rest[key] > 0 and slot_m3[key] <= left + 1e-9:
            slots[key] += 1
            left -= slot_m3[key]
    return {key: count * slot_m3[key] for key, count in slots.items()}


def quiet_slots(windows: Sequence[Sequence[str]], start: datetime) -> list[list[int]]:
    """Local windows such as ["22:00", "05:00"] as slots [first, until) from `start`, which is in local time."""
    slots = [
        slot
        for slot in range(SLOTS)
        if any(_is_within(start + slot * timedelta(minutes=SLOT_MINUTES), window) for window in windows)
    ]
    firsts = [slot for slot in slots if slot - 1 not in slots]
    untils = [slot + 1 for slot in slots if slot + 1 not in slots]
    return [list(pair) for pair in zip(firsts, untils, strict=True)]


def _is_within(at: datetime, window: Sequence[str]) -> bool:
    first, until = window
    clock = f"{at:%H:%M}"
    return first <= clock < until if first <= until else clock >= first or clock < until


def _first_day_km3(horizon: Horizon, served: Sequence[float]) -> float:
    """What was served in the slots of the turns, 10³ m³."""
    return sum(_by_slot(horizon, served)) * SLOT_MINUTES / 60


def _by_slot(horizon: Horizon, served: Sequence[float]) -> list[float]:
    """The served rate of each slot: that of the step in which the slot begins."""
    rates = []
    steps = list(zip(horizon.steps, served, strict=True)) if served else []
    for slot in range(SLOTS):
        at = horizon.start + slot * timedelta(minutes=SLOT_MINUTES)
        rates.append(next((rate for step, rate in steps if step.start <= at < step.end), 0.0))
    return rates
