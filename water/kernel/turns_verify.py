"""Turns checked by plain arithmetic, without the model that made them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from water.kernel.lateral import Run, Short, TurnCase, Valve

TOLERANCE = 1e-6
"""m³/s and m³: far below what any gauge on a canal shows, far above rounding."""


def broken_limits(case: TurnCase, runs: Sequence[Run], short: Sequence[Short]) -> list[str]:
    """Every limit that the runs break and every volume that is wrong, as sentences; empty when good."""
    known = {valve.name: valve for valve in case.valves}
    strangers = [run.valve for run in runs if run.valve not in known]
    if strangers:
        return [f"{name}: there is no such valve" for name in strangers]
    by_valve = defaultdict(list)
    for run in runs:
        by_valve[run.valve].append(run)
    found = [sentence for run in runs for sentence in _broken_by_run(case, known[run.valve], run)]
    for valve in case.valves:
        missing = sum(item.short_m3 for item in short if item.valve == valve.name)
        found += _broken_by_valve(valve, sorted(by_valve[valve.name], key=lambda run: run.first_slot), missing)
    return found + list(_too_many_open(case, runs)) + list(_too_much_water(case, known, runs))


def _broken_by_run(case: TurnCase, valve: Valve, run: Run) -> Iterator[str]:
    lateral, name = case.lateral, f"{run.valve} at slot {run.first_slot}"
    if run.slots < valve.min_run_slots:
        yield f"{name}: open {run.slots} slots, at least {valve.min_run_slots}"
    if valve.max_run_slots is not None and run.slots > valve.max_run_slots:
        yield f"{name}: open {run.slots} slots, at most {valve.max_run_slots}"
    if run.first_slot < valve.earliest_slot:
        yield f"{name}: earliest is {valve.earliest_slot}"
    last = run.first_slot + run.slots - 1
    if last >= len(case.inflow_m3s):
        yield f"{name}: runs on to slot {last}, the horizon ends at {len(case.inflow_m3s) - 1}"
    if valve.latest_slot is not None and last > valve.latest_slot:
        yield f"{name}: runs on to slot {last}, latest is {valve.latest_slot}"
    travel = lateral.travel_minutes + valve.travel_minutes
    if run.first_slot * lateral.slot_minutes < travel - TOLERANCE:
        yield f"{name}: opens before water has travelled {travel:g} minutes"
    if any(first <= last and run.first_slot < until for first, until in lateral.quiet):
        yield f"{name}: open in a quiet window"
    if abs(run.flow_m3s - valve.flow_m3s) > TOLERANCE:
        yield f"{name}: flows {run.flow_m3s:g} m3/s, designed for {valve.flow_m3s:g}"
    volume = run.flow_m3s * run.slots * lateral.slot_minutes * 60
    if abs(run.volume_m3 - volume) > TOLERANCE * max(1.0, volume):
        yield f"{name}: says {run.volume_m3:g} m3, flow and time give {volume:g}"


def _broken_by_valve(valve: Valve, runs: Sequence[Run], missing_m3: float) -> Iterator[str]:
    for before, after in zip(runs, runs[1:], strict=False):
        if after.first_slot <= before.first_slot + before.slots:
            yield f"{valve.name}: opens at slot {after.first_slot} before it was shut"
    delivered = sum(run.volume_m3 for run in runs)
    slack = TOLERANCE * max(1.0, valve.wanted_m3)
    if delivered > valve.wanted_m3 + slack:
        yield f"{valve.name}: gets {delivered:g} m3, wanted {valve.wanted_m3:g}"
    if abs(delivered + missing_m3 - valve.wanted_m3) > slack:
        yield f"{valve.name}: {delivered:g} m3 and {missing_m3:g} m3 short do not make {valve.wanted_m3:g}"


def _too_many_open(case: TurnCase, runs: Sequence[Run]) -> Iterator[str]:
    open_at = _sum_by_slot((run.first_slot + n, 1.0) for run in runs for n in range(run.slots))
    for slot, number in sorted(open_at.items()):
        if number > case.lateral.max_open:
            yield f"slot {slot}: {number:g} valves open, at most {case.lateral.max_open}"


def _too_much_water(case: TurnCase, known: dict[str, Valve], runs: Sequence[Run]) -> Iterator[str]:
    """What the valves take, counted where it left the headgate."""
    lateral = case.lateral
    taken: list[tuple[int, float]] = []
    for run in runs:
        travel = lateral.travel_minutes + known[run.valve].travel_minutes
        lag = math.ceil(travel / lateral.slot_minutes - 1e-9)
        taken += [(run.first_slot + n - lag, run.flow_m3s) for n in range(run.slots)]
    for slot, flow in sorted(_sum_by_slot(taken).items()):
        inflow = case.inflow_m3s[slot] if 0 <= slot < len(case.inflow_m3s) else 0.0
        if flow > lateral.capacity_m3s + TOLERANCE:
            yield f"headgate slot {slot}: {flow:g} m3/s, the lateral carries {lateral.capacity_m3s:g}"
        if flow > inflow + TOLERANCE:
            yield f"headgate slot {slot}: {flow:g} m3/s taken, {inflow:g} there"


def _sum_by_slot(pairs: Sequence[tuple[int, float]] | Iterator[tuple[int, float]]) -> dict[int, float]:
    sums: dict[int, float] = defaultdict(float)
    for slot, amount in pairs:
        sums[slot] += amount
    return sums
