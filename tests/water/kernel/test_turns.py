"""Laterals small enough to check by hand. A valve of 0.1 m³/s brings 90 m³ in a slot of 15 minutes."""

from __future__ import annotations

import itertools
import random
import threading
from dataclasses import replace
from typing import Any

import pytest

from planning.kernel.outcome import Status
from planning.kernel.problems import InvalidInput
from water.kernel.lateral import Lateral, Reason, Run, Short, TurnCase, Turns, Valve, fullest_m3s
from water.kernel.turns import plan_turns
from water.kernel.turns_rule import by_rule, shortages
from water.kernel.turns_verify import broken_limits

SLOT_M3 = 90.0
WIDE = Lateral(capacity_m3s=1.0, max_open=10)


def valve(name: str, slots: float, **changes) -> Valve:
    return replace(Valve(name, 0.1, slots * SLOT_M3), **changes)


def case(*valves: Valve, slots: int = 8, lateral: Lateral = WIDE, inflow: float = 1.0) -> TurnCase:
    return TurnCase(lateral, valves, (inflow,) * slots)


def delivered(turns: Turns) -> dict[str, float]:
    names = {run.valve for run in turns.runs}
    return {name: sum(run.volume_m3 for run in turns.runs if run.valve == name) for name in sorted(names)}


def short(turns: Turns) -> dict[str, tuple[Any, Reason]]:
    return {item.valve: (pytest.approx(item.short_m3), item.reason) for item in turns.short}


def test_a_free_lateral_serves_everyone_at_once_in_one_run_each() -> None:
    turns = plan_turns(case(valve("a", 3), valve("b", 2)))
    assert [(run.valve, run.first_slot, run.slots) for run in turns.runs] == [("a", 0, 3), ("b", 0, 2)]
    assert (turns.short, turns.status, turns.gap, turns.broken_limits) == ((), Status.OPTIMAL, 0, ())


def test_the_canal_carries_one_valve_at_a_time() -> None:
    turns = plan_turns(case(valve("a", 4), valve("b", 4), lateral=Lateral(0.1, 10)))
    assert delivered(turns) == pytest.approx({"a": 360, "b": 360})
    assert sorted((run.first_slot, run.slots) for run in turns.runs) == [(0, 4), (4, 4)]


def test_what_the_canal_cannot_carry_is_shared_fairly() -> None:
    # two valves want 8 slots each and 8 are there: 4 each leaves half missing to both
    turns = plan_turns(case(valve("a", 8), valve("b", 8), lateral=Lateral(0.1, 10)))
    assert delivered(turns) == pytest.approx({"a": 360, "b": 360})
    assert short(turns) == {"a": (360, Reason.CAPACITY), "b": (360, Reason.CAPACITY)}


def test_a_lower_tier_is_served_before_fairness() -> None:
    turns = plan_turns(case(valve("a", 8, tier=2), valve("b", 6, tier=1), lateral=Lateral(0.1, 10)))
    assert delivered(turns) == pytest.approx({"a": 180, "b": 540})


def test_low_inflow_is_named_when_the_canal_could_carry_more() -> None:
    turns = plan_turns(case(valve("a", 8), valve("b", 8), inflow=0.1))
    assert {item.reason for item in turns.short} == {Reason.INFLOW}
    assert sum(item.short_m3 for item in turns.short) == pytest.approx(8 * SLOT_M3)


def test_only_so_many_valves_are_open_at_once() -> None:
    turns = plan_turns(case(valve("a", 8), valve("b", 8), valve("c", 8), lateral=Lateral(1.0, max_open=2)))
    # 16 of 24 slots, 5 1/3 each: nobody under 5
    assert sum(delivered(turns).values()) == pytest.approx(16 * SLOT_M3)
    assert min(delivered(turns).values()) == pytest.approx(5 * SLOT_M3)
    assert {item.reason for item in turns.short} == {Reason.MAX_OPEN}


def test_no_valve_is_open_in_a_quiet_window() -> None:
    # slots 0, 3 and 4 are open: b has room for one run of two slots, a for that and one more
    quiet = replace(WIDE, quiet=((1, 3), (5, 8)))
    turns = plan_turns(case(valve("a", 4), valve("b", 8, min_run_slots=2), lateral=quiet))
    assert [(run.valve, run.first_slot, run.slots) for run in turns.runs] == [("a", 0, 1), ("a", 3, 2), ("b", 3, 2)]
    assert short(turns) == {"a": (SLOT_M3, Reason.QUIET), "b": (6 * SLOT_M3, Reason.QUIET)}


def test_far_valves_open_when_the_water_has_come() -> None:
    far = replace(WIDE, travel_minutes=20)
    # 20 + 20 minutes are 2 2/3 slots: the water is there at slot 3
    turns = plan_turns(case(valve("a", 8, travel_minutes=20), lateral=far))
    assert [(run.first_slot, run.slots) for run in turns.runs] == [(3, 5)]
    assert short(turns) == {"a": (3 * SLOT_M3, Reason.WINDOW)}


def test_inflow_is_counted_when_the_water_leaves_the_headgate() -> None:
    # water enters in slots 2 and 3 only, and takes 2 slots to the valve
    dry = TurnCase(replace(WIDE, travel_minutes=30), (valve("a", 8),), (0.0, 0.0, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0))
    assert [(run.first_slot, run.slots) for run in plan_turns(dry).runs] == [(4, 2)]


def test_a_run_is_not_shorter_than_it_must_be() -> None:
    # 8 slots for two valves of at least 5: only one of them can run
    turns = plan_turns(case(valve("a", 5, min_run_slots=5), valve("b", 6, min_run_slots=5), lateral=Lateral(0.1, 10)))
    assert delivered(turns) == pytest.approx({"b": 540})


def test_a_long_run_is_broken_by_a_pause() -> None:
    turns = plan_turns(case(valve("a", 6, max_run_slots=3)))
    assert [(run.first_slot, run.slots) for run in turns.runs] == [(0, 3), (4, 3)]


def test_earliest_and_latest_slots_are_kept() -> None:
    turns = plan_turns(case(valve("a", 8, earliest_slot=2, latest_slot=4)))
    assert [(run.first_slot, run.slots) for run in turns.runs] == [(2, 3)]
    assert short(turns) == {"a": (5 * SLOT_M3, Reason.WINDOW)}


def test_what_makes_no_whole_run_is_a_remainder() -> None:
    turns = plan_turns(case(valve("a", 2.5), valve("b", 3, min_run_slots=4)))
    assert delivered(turns) == pytest.approx({"a": 180})
    assert short(turns) == {"a": (45, Reason.REMAINDER), "b": (270, Reason.REMAINDER)}


def test_impossible_questions_are_refused_with_every_reason() -> None:
    bad = case(
        valve("a", -1), valve("a", 1, flow_m3s=0), valve("c", 1, max_run_slots=1, min_run_slots=2), inflow=float("nan")
    )
    with pytest.raises(InvalidInput) as refused:
        plan_turns(bad)
    places = {problem.place for problem in refused.value.problems}
    assert {"inflow_m3s[0]", "valves", "valves.a.wanted_m3", "valves.a.flow_m3s", "valves.c.max_run_slots"} <= places


CROWDED = case(valve("a", 5, min_run_slots=3), valve("b", 4, tier=2), valve("c", 6), lateral=Lateral(0.2, 2, 15.0))


def test_the_rule_takes_over_when_the_search_may_not_run() -> None:
    stop = threading.Event()
    stop.set()
    turns = plan_turns(CROWDED, cancelled=stop)
    assert turns.status is Status.FALLBACK
    assert turns.runs
    assert turns.broken_limits == ()


def test_the_rule_keeps_every_limit_in_random_worlds() -> None:
    for seed in range(200):
        world = random_case(random.Random(seed), valves=6, slots=24)
        runs = by_rule(world)
        assert broken_limits(world, runs, shortages(world, runs)) == [], seed


@pytest.mark.parametrize("seed", range(25))
def test_the_search_delivers_as_much_as_trying_everything(seed: int) -> None:
    world = random_case(random.Random(seed), valves=3, slots=7)
    turns = plan_turns(world, gap=0.0, fairness_cost=0.0)
    assert turns.broken_limits == ()
    assert sum(delivered(turns).values()) == pytest.approx(best_by_brute_force(world))


def test_twenty_valves_over_a_day_are_planned_within_one_percent() -> None:
    valves = tuple(valve(f"v{n:02}", 14 + n % 5, min_run_slots=4, travel_minutes=4.0 * n) for n in range(20))
    turns = plan_turns(TurnCase(Lateral(0.4, 4, 30.0), valves, (0.4,) * 96), time_limit=60)
    assert turns.broken_limits == ()
    assert turns.status is Status.OPTIMAL
    assert turns.gap <= 0.01


def test_a_crowded_lateral_leaves_nobody_without() -> None:
    # wants 120 % of the canal: filled valve by valve, the last ones would get nothing
    valves = tuple(valve(f"v{n:02}", 22 + n % 3, min_run_slots=4) for n in range(20))
    world = TurnCase(Lateral(0.4, 4), valves, (0.4,) * 96)
    turns = plan_turns(world, time_limit=4)
    assert turns.broken_limits == ()
    assert len(delivered(turns)) == 20
    assert sum(delivered(turns).values()) >= 0.97 * world.canal_m3()


RUN = Run("a", 2, 3, 0.1, 270.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"valve": "x"}, "no such valve"),
        ({"slots": 1, "volume_m3": 90.0}, "at least 2"),
        ({"slots": 5, "volume_m3": 450.0}, "at most 4"),
        ({"first_slot": 1}, "travelled"),
        ({"first_slot": 6}, "horizon ends"),
        ({"first_slot": 4}, "latest is 5"),
        ({"first_slot": 3}, "quiet"),
        ({"slots": 4, "volume_m3": 360.0}, "quiet"),
        ({"flow_m3s": 0.05}, "designed"),
        ({"volume_m3": 280.0}, "flow and time"),
    ],
)
def test_the_check_finds_a_run_that_breaks_a_limit(change: dict, word: str) -> None:
    lateral = Lateral(1.0, 10, travel_minutes=30, quiet=((5, 6),))
    only = valve("a", 3, min_run_slots=2, max_run_slots=4, latest_slot=5)
    world = case(only, lateral=lateral)
    assert broken_limits(world, [RUN], []) == []
    assert any(word in sentence for sentence in broken_limits(world, [replace(RUN, **change)], []))


def test_the_check_finds_too_many_open_and_too_much_water() -> None:
    pair = [RUN, replace(RUN, valve="b")]
    tight = case(valve("a", 3), valve("b", 3), lateral=Lateral(0.15, 1), inflow=0.12)
    found = broken_limits(tight, pair, [])
    assert any("2 valves open" in sentence for sentence in found)
    assert any("carries 0.15" in sentence for sentence in found)
    assert any("0.12 there" in sentence for sentence in found)


def test_the_check_finds_wrong_sums() -> None:
    world = case(valve("a", 4))
    assert any("do not make" in sentence for sentence in broken_limits(world, [RUN], []))
    assert broken_limits(world, [RUN], [Short("a", 90.0, Reason.CAPACITY)]) == []
    again = [RUN, replace(RUN, first_slot=5)]
    assert any("before it was shut" in sentence for sentence in broken_limits(world, again, []))
    assert any("wanted 360" in sentence for sentence in broken_limits(world, again, []))


def random_case(dice: random.Random, valves: int, slots: int) -> TurnCase:
    def one(n: int) -> Valve:
        shortest = dice.choice([1, 2, 3])
        return Valve(
            f"v{n}",
            dice.choice([0.05, 0.1, 0.15]),
            dice.choice([2.0, 3.0, 4.5, 6.0]) * SLOT_M3,
            shortest,
            dice.choice([None, shortest + 1]),
            dice.choice([0.0, 15.0, 20.0]),
            latest_slot=dice.choice([None, slots - 2]),
        )

    quiet = dice.choice([(), ((2, 4),), ((slots - 3, slots),)])
    lateral = Lateral(dice.choice([0.15, 0.2, 0.3]), dice.choice([1, 2, 3]), dice.choice([0.0, 15.0]), quiet=quiet)
    return TurnCase(
        lateral, tuple(one(n) for n in range(valves)), tuple(dice.choice([0.1, 0.2, 0.3]) for _ in range(slots))
    )


def best_by_brute_force(world: TurnCase) -> float:
    """The most volume over every pattern of open slots of every valve, judged by the check alone."""
    patterns = [single_patterns(world, one) for one in world.valves]
    best = 0.0
    for choice in itertools.product(*patterns):
        runs = [run for runs in choice for run in runs]
        volume = sum(run.volume_m3 for run in runs)
        if volume > best and not broken_limits(world, runs, missing(world, runs)):
            best = volume
    return best


def single_patterns(world: TurnCase, one: Valve) -> list[list[Run]]:
    alone = replace(world, valves=(one,))
    patterns = []
    for bits in itertools.product([0, 1], repeat=world.slots):
        groups = [(bit, list(group)) for bit, group in itertools.groupby(range(world.slots), key=lambda t: bits[t])]
        runs = [world.run(one, slots[0], len(slots)) for bit, slots in groups if bit]
        if not broken_limits(alone, runs, missing(alone, runs)):
            patterns.append(runs)
    return patterns


def missing(world: TurnCase, runs: list[Run]) -> list[Short]:
    return [
        Short(one.name, one.wanted_m3 - sum(run.volume_m3 for run in runs if run.valve == one.name), Reason.CAPACITY)
        for one in world.valves
    ]


# --- what a canal can bring at most --------------------------------------------------------------------------
def test_valves_that_are_open_or_shut_do_not_fill_every_canal() -> None:
    assert fullest_m3s([[0.2, 0.2, 0.2]], 0.5, 3) == 0.4
    assert fullest_m3s([[0.2, 0.3, 0.2]], 0.5, 3) == 0.5
    assert fullest_m3s([[0.1, 0.1, 0.1, 0.1]], 0.5, 2) == 0.2
    assert fullest_m3s([[0.1, 0.1], [0.1, 0.1]], 0.5, 1) == 0.2  # at different times of day: one of each
    assert fullest_m3s([[0.6]], 0.5, 1) == 0.0
    assert fullest_m3s([], 0.5, 1) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_the_fullest_set_is_that_of_trying_all(seed: int) -> None:
    dice = random.Random(seed)
    flows = [round(dice.uniform(0.05, 0.4), 3) for _ in range(8)]
    limit, most = round(dice.uniform(0.2, 1.0), 3), dice.randint(1, 4)
    every = (sum(some) for size in range(most + 1) for some in itertools.combinations(flows, size))
    best = max(total for total in every if total <= limit + 1e-9)
    assert fullest_m3s([flows], limit, most) == pytest.approx(best)


def test_very_many_different_flows_take_no_more_than_the_canal_carries() -> None:
    # 60 valves of different flows have 2^60 sums: too many to try, so the canal's limit is the bound.
    flows = [0.01 + 1e-6 * 2**k if k < 15 else 0.013 + 1e-6 * k**2 for k in range(60)]
    assert fullest_m3s([flows], 1.0, 60) == 1.0
    assert fullest_m3s([flows[:10]] * 9, 1.0, 10) == 1.0


def test_valves_at_different_distances_may_share_the_headgates_water_of_a_slot() -> None:
    # One open at a time: the near one in slots 0 and 1, the far one two slots later, both from the water of slots 0, 1
    near = Valve("near", 0.2, 360.0, latest_slot=1)
    far = Valve("far", 0.2, 360.0, travel_minutes=30, earliest_slot=2)
    case = TurnCase(Lateral(0.5, 1), (near, far), (0.5,) * 4)
    assert case.canal_m3() == pytest.approx(720)
    assert sum(run.volume_m3 for run in plan_turns(case).runs) == pytest.approx(720)
