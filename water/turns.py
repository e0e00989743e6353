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

from .kernel import lateral as kernel
from .kernel.sharing import Claim, share_out
from .kernel.turns import plan_turns
from .kernel.units import M3_PER_KM3, m3_from_cms_minutes
from .models import Lateral, Turnout
from .reading import TurnoutDay

SLOT_MINUTES = 15
SLOTS = 96
TIME_LIMIT_SECONDS = 20.0
ROUNDING = 1e-6
"""The share of a day's water that sums of floats may miss."""


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
        if data["water_m3"] > 0 and data["claims"]:
            works.append(FollowUp(lateral.key, data))
    return works


def run(data: dict[str, Any]) -> FollowUpResult:
    """Shares a lateral's water among its turnouts and plans their turns. All volumes in m³ at the turnouts.

    Delivered + short + `left_m3` is the lateral's water of the day, which is checked. `short` is what the canal cannot
    deliver, with the limit that stands in the way; of the turnouts in `waiting` others use the part until the next day.
    """
    claims = [Claim(**claim) for claim in data["claims"]]
    shares = share_out(claims, data["water_m3"])
    slot_m3 = {claim.name: claim.slot_m3 for claim in claims}
    case = kernel.TurnCase(
        kernel.Lateral(**{**data["lateral"], "quiet": tuple(tuple(window) for window in data["lateral"]["quiet"])}),
        tuple(_valve(valve, shares.slots[valve["name"]] * slot_m3[valve["name"]]) for valve in data["valves"]),
        tuple(data["inflow_m3s"]),
    )
    turns = plan_turns(case, time_limit=TIME_LIMIT_SECONDS)
    start, slot = datetime.fromisoformat(data["start"]), timedelta(minutes=case.lateral.slot_minutes)
    result = {
        "runs": [_run(run, start, slot) for run in turns.runs],
        "short": [_short(item) for item in turns.short],
        "waiting": [{"turnout": name, "part_m3": part} for name, part in shares.waiting_m3.items()],
        "left_m3": shares.left_m3,
        "status": turns.status.value,
        "gap": turns.gap,
        "seconds": turns.seconds,
    }
    return FollowUpResult(result, (*turns.broken_limits, *_unaccounted(data["water_m3"], result)))


def _unaccounted(water_m3: float, result: Mapping[str, Any]) -> list[str]:
    """A sentence where delivered, short and left are not all of the water: some would be lost or given twice."""
    delivered = sum(run["volume_m3"] for run in result["runs"])
    short = sum(item["short_m3"] for item in result["short"])
    left = result["left_m3"]
    if abs(delivered + short + left - water_m3) <= ROUNDING * max(1.0, water_m3):
        return []
    told = f"{delivered:g} m3 delivered, {short:g} short and {left:g} left"
    return [f"{told} are not the {water_m3:g} m3 of the day"]


def _run(run: kernel.Run, start: datetime, slot: timedelta) -> dict[str, Any]:
    return {
        "turnout": run.valve,
        "start": (start + run.first_slot * slot).isoformat(),
        "end": (start + run.until_slot * slot).isoformat(),
        "volume_m3": run.volume_m3,
    }


def _short(item: kernel.Short) -> dict[str, Any]:
    return {"turnout": item.valve, "short_m3": item.short_m3, "reason": item.reason.value}


def _input(
    plan: Plan, horizon: Horizon, lateral: Lateral, wanted: Mapping[str, TurnoutDay], served: Sequence[float]
) -> dict[str, Any]:
    """Everything counted at the turnouts: what the lateral loses on the way is taken off its capacity and volumes."""
    arrives = lateral.system.conveyance_efficiency * lateral.efficiency * M3_PER_KM3
    asking = {key for key, day in wanted.items() if day["km3"] > 0}
    turnouts = sorted((t for t in lateral.turnouts.all() if t.key in asking), key=lambda turnout: turnout.key)
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
        "water_m3": _first_day_km3(horizon, served) * arrives,
        "arriving_share": lateral.system.conveyance_efficiency * lateral.efficiency,
        "valves": [_limits(turnout, wanted[turnout.key]["tier"]) for turnout in turnouts],
        "claims": [_claim(turnout, wanted[turnout.key], arrives) for turnout in turnouts],
    }


def _limits(turnout: Turnout, tier: int) -> dict[str, Any]:
    longest = turnout.max_run_minutes
    return {
        "name": turnout.key,
        "flow_m3s": turnout.flow_m3s,
        "min_run_slots": _shortest_slots(turnout),
        "max_run_slots": None if longest is None else max(1, longest // SLOT_MINUTES),
        "travel_minutes": turnout.travel_minutes,
        "tier": tier,
    }


def _valve(limits: Mapping[str, Any], wanted_m3: float) -> kernel.Valve:
    return kernel.Valve(**limits, wanted_m3=wanted_m3)


def _claim(turnout: Turnout, day: TurnoutDay, arrives: float) -> dict[str, Any]:
    """What stands in the snapshot of the turnout's fields, as the sharing rule needs it."""
    why = day.get("why")
    return {
        "name": turnout.key,
        "wanted_m3": day["km3"] * arrives,
        "slot_m3": m3_from_cms_minutes(turnout.flow_m3s, SLOT_MINUTES),
        "min_slots": _shortest_slots(turnout),
        "tier": day["tier"],
        "overdue_days": why["overdue_days"] if why else 0.0,
        "days_since": why["days_since"] if why else None,
    }


def _shortest_slots(turnout: Turnout) -> int:
    return max(1, math.ceil(turnout.min_run_minutes / SLOT_MINUTES))


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
