"""A right answer, made by hand, passes; whatever is changed in it or in its limits is noticed and named."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from planning.kernel.horizon import Horizon, Step
from planning.kernel.network import Bus, Commitment, Demand, Final, Link, Network, PeakCharge, Store, Supply
from planning.kernel.outcome import Answer, Shortage, Status
from planning.kernel.verify import broken_limits

TAIPEI = timezone(timedelta(hours=8))
HORIZON = Horizon.path(datetime(2026, 1, 1, tzinfo=TAIPEI), [(2, 1.0), (1, 2.0)])

# Lake: 10 comes in, pump and river take 12, 14, 14, so both stores of the lake fall by 1, 2, 2 an hour.
# Town: the pump brings half of what it takes, 4, 6, 4; the river arrives an hour late: the 4 sent before the horizon,
# the 4 of the first hour, then the mean of 2 and 6. Of 8, 10, 8 the homes get 8, 9, 7.5, the tank the rest.
# Grid: 3 for lights, a quarter of the pump (2, 3, 2), and 1 into the battery in hour 2; it halves every hour.
NETWORK = Network(
    buses=(Bus("lake", "water"), Bus("town", "water"), Bus("grid", "power")),
    supplies=(
        Supply("inflow", "lake", max=10.0, min=10.0),
        Supply("buy", "grid", max=50.0, cost=(2.0, 3.0, 1.0), peak=(PeakCharge(3.0, 100.0),)),
        Supply("gas", "grid", max=20.0, min=1.0, cost=5.0),
    ),
    demands=(
        Demand("homes", "town", (8.0, 10.0, 8.0), tier=1, penalty=10.0),
        Demand("lights", "grid", 3.0, firm=True),
    ),
    stores=(
        Store("reservoir", "lake", 100.0, initial=50.0, min=20.0, final=Final(min=40.0, max=60.0), end_value=0.5),
        Store("side", "lake", (10.0, 9.0, 8.0), initial=10.0, min=(5.0, 5.0, 3.0)),
        Store("tank", "town", 10.0, initial=2.0, final=Final(min=5.0, tier=2, penalty=3.0)),
        Store("battery", "grid", 8.0, initial=8.0, loss_per_hour=0.5),
    ),
    links=(
        Link("pump", "lake", 20.0, {"town": 0.5}, {"grid": 0.25}, cost=1.0, initial_rate=8.0, max_change_per_hour=4.0),
        Link("river", "lake", 9.0, {"town": 1.0}, min=2.0, lag_hours=1.0, initial_rate=4.0),
        Link("spill", "lake", math.inf),
    ),
    commitments=(
        Commitment("unit", "supply", "gas", 4.0, min_up_hours=2.0, min_down_hours=1.0, start_cost=7.0, on_cost=1.0),
    ),
)
# cost: buy 2·5 + 3·3 + 1·1·2 = 21, gas 5·(4 + 4·2) = 60, pump 8 + 12 + 8·2 = 36, unit 7 + 1·3 = 10,
# peak 100·(5 − 3) = 200, reservoir −0.5·43 = −21.5; penalties: homes 10·(1 + 0.5·2) = 20, tank 3·(5 − 4) = 3.
ANSWER = Answer(
    status=Status.OPTIMAL,
    cost=305.5,
    objective=328.5,
    tiers={1: 2.0, 2: 1.0},
    supplies={"inflow": (10.0, 10.0, 10.0), "buy": (5.0, 3.0, 1.0), "gas": (0.0, 4.0, 4.0)},
    served={"homes": (8.0, 9.0, 7.5), "lights": (3.0, 3.0, 3.0)},
    short={"homes": (0.0, 1.0, 0.5), "lights": (0.0, 0.0, 0.0)},
    levels={
        "reservoir": (49.0, 47.0, 43.0),
        "side": (9.0, 7.0, 3.0),
        "tank": (2.0, 3.0, 4.0),
        "battery": (4.0, 3.0, 0.75),
    },
    final_short={"tank": 1.0},
    links={"pump": (8.0, 12.0, 8.0), "river": (4.0, 2.0, 6.0), "spill": (0.0, 0.0, 0.0)},
    commitments={"unit": (0, 1, 1)},
    prices={"lake": (0.0, 0.0, 0.0), "town": (10.0, 10.0, 10.0), "grid": (5.0, 5.0, 5.0)},
    shortages=(
        Shortage("homes", "town", 1, 2.0, 2 / 34, 1, 2, 1),
        Shortage("tank.final", "town", 2, 1.0, 0.2, 2, 2, 2),
    ),
)


def with_part(kind, name, **changes):
    """The network with one part changed."""
    parts = tuple(replace(part, **changes) if part.name == name else part for part in getattr(NETWORK, kind))
    return replace(NETWORK, **{kind: parts})


def with_number(family, name, step, value):
    """The answer with one number changed."""
    series = getattr(ANSWER, family)
    numbers = tuple(value if i == step else x for i, x in enumerate(series[name]))
    return replace(ANSWER, **{family: {**series, name: numbers}})


def test_a_right_answer_passes():
    assert broken_limits(NETWORK, HORIZON, ANSWER) == []


def test_rounding_of_a_solver_is_forgiven():
    assert broken_limits(NETWORK, HORIZON, with_number("supplies", "buy", 0, 5.0 + 5e-7)) == []


@pytest.mark.parametrize("family", ["supplies", "served", "short", "levels", "links"])
@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("by", [0.001, -0.001])
def test_no_single_rate_or_level_can_change_unnoticed(family, step, by):
    for name, numbers in getattr(ANSWER, family).items():
        assert broken_limits(NETWORK, HORIZON, with_number(family, name, step, numbers[step] + by)), name


@pytest.mark.parametrize("step", [0, 1, 2])
def test_no_state_can_flip_unnoticed(step):
    flipped = 1 - ANSWER.commitments["unit"][step]
    assert broken_limits(NETWORK, HORIZON, with_number("commitments", "unit", step, flipped))


# Each case makes one limit of the world tighter than the answer, so that exactly this law is broken.
TIGHTER = [
    (
        "supplies",
        "buy",
        {"max": 4.5},
        ["supplies.buy at 2026-01-01T00:00:00+08:00 (step 0): 5 is above its max of 4.5"],
    ),
    ("supplies", "inflow", {"min": 10.5, "max": 11.0}, ["10 is below its min of 10.5 (and 2 other steps)"]),
    (
        "links",
        "pump",
        {"max": (20.0, 11.0, 20.0)},
        ["links.pump at 2026-01-01T01:00:00+08:00 (step 1): 12 is above its"],
    ),
    ("links", "river", {"min": 3.0}, ["links.river at 2026-01-01T01:00:00+08:00 (step 1): 2 is below its min of 3"]),
    ("links", "pump", {"max_change_per_hour": 3.0}, ["4 is a change above its limit of 3"]),
    ("links", "pump", {"initial_rate": 3.0}, ["(step 0): 5 is a change above its limit of 4"]),
    ("links", "pump", {"to": {"town": 0.6}}, ["buses.town at"]),
    ("links", "pump", {"uses": {"grid": 0.2}}, ["buses.grid at"]),
    ("links", "river", {"lag_hours": 2.0}, ["buses.town at"]),
    ("links", "river", {"lag_hours": 0.0}, ["buses.town at"]),
    ("links", "river", {"initial_rate": 5.0}, ["buses.town at"]),
    ("stores", "reservoir", {"capacity": 48.0}, ["stores.reservoir at", "49 is above its capacity of 48"]),
    ("stores", "side", {"capacity": (10.0, 6.0, 8.0)}, ["(step 1): 7 is above its capacity of 6"]),
    ("stores", "side", {"min": (5.0, 8.0, 3.0)}, ["(step 1): 7 is below its min of 8"]),
    ("stores", "reservoir", {"final": Final(min=44.0)}, ["(step 2): 43 is below its final min of 44"]),
    ("stores", "reservoir", {"final": Final(max=42.0)}, ["(step 2): 43 is above its final max of 42"]),
    ("stores", "battery", {"loss_per_hour": 0.4}, ["buses.grid at"]),
    ("stores", "side", {"initial": 9.0}, ["buses.lake at"]),
    ("demands", "homes", {"firm": True, "tier": None}, ["demands.homes at", "1 short of a firm demand is above 0"]),
    ("demands", "lights", {"amount": 3.5}, ["demands.lights at", "served + short is below the amount 3.5"]),
    (
        "commitments",
        "unit",
        {"min_rate": 5.0},
        ["commitments.unit at", "4 is a rate below the least rate while on of 5"],
    ),
    ("supplies", "gas", {"min": 4.5}, ["4 is a rate below the least rate while on of 4.5"]),
    (
        "commitments",
        "unit",
        {"min_down_hours": 3.0, "initial_hours": 1.0},
        ["commitments.unit at 2026-01-01T01:00:00+08:00 (step 1): switched on after 2 hours, minimum 3"],
    ),
]


@pytest.mark.parametrize(("kind", "name", "changes", "expected"), TIGHTER)
def test_every_law_is_checked_and_named(kind, name, changes, expected):
    network = with_part(kind, name, **changes)
    sentences = "\n".join(broken_limits(network, HORIZON, ANSWER))
    assert all(fragment in sentences for fragment in expected)


def test_one_broken_limit_makes_one_sentence():
    assert len(broken_limits(with_part("supplies", "buy", max=4.5), HORIZON, ANSWER)) == 1


@pytest.mark.parametrize(
    ("kind", "name", "changes"),
    [
        ("supplies", "buy", {"cost": 2.5}),
        ("supplies", "buy", {"peak": (PeakCharge(2.0, 100.0),)}),
        ("links", "pump", {"cost": 0.9}),
        ("commitments", "unit", {"start_cost": 8.0}),
        ("commitments", "unit", {"on_cost": 2.0}),
        ("stores", "reservoir", {"end_value": 0.6}),
    ],
)
def test_every_cost_counts_in_cost_and_objective(kind, name, changes):
    sentences = broken_limits(with_part(kind, name, **changes), HORIZON, ANSWER)
    assert [sentence.split(":")[0] for sentence in sentences] == ["cost", "objective"]


@pytest.mark.parametrize(
    ("kind", "name", "changes"),
    [
        ("demands", "homes", {"penalty": (10.0, 11.0, 10.0)}),
        ("stores", "tank", {"final": Final(min=5.0, tier=2, penalty=4.0)}),
    ],
)
def test_penalties_count_in_the_objective_alone(kind, name, changes):
    sentences = broken_limits(with_part(kind, name, **changes), HORIZON, ANSWER)
    assert [sentence.split(":")[0] for sentence in sentences] == ["objective"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cost": 305.0}, "cost: stated 305, recomputed 305.5"),
        ({"objective": 0.0}, "objective: stated 0, recomputed 328.5"),
        ({"objective": math.nan}, "objective: nan is no finite number"),
        ({"tiers": {1: 1.5, 2: 1.0}}, "tier 1 shortage: stated 1.5, recomputed 2"),
        ({"tiers": {1: 2.0}}, "tier 2 shortage: stated 0, recomputed 1"),
        ({"final_short": {"tank": 0.0}}, "stores.tank final shortage: stated 0, recomputed 1"),
        ({"final_short": {}}, "stores.tank: final shortage missing in the answer"),
        ({"commitments": {}}, "commitments.unit: missing in the answer"),
        ({"commitments": {"unit": (0, 0.5, 1)}}, "commitments.unit: state 0.5, neither 0 nor 1"),
        ({"commitments": {"unit": (1, 1, 0)}}, "is a rate while off, not 0"),
        ({"shortages": (Shortage("homes", "town", 1, 3.0, 0.1, 1, 2, 1),)}, "shortages.homes amount: stated 3"),
        ({"shortages": (Shortage("ghost", "town", 1, 3.0, 0.1, 1, 2, 1),)}, "shortages.ghost: no such wish"),
        ({"prices": {"lake": (0.0, math.inf, 0.0)}}, "prices.lake[1]: inf is no finite number"),
        ({"prices": {"lake": (0.0,)}}, "prices.lake: 1 numbers for 3 steps"),
    ],
)
def test_a_wrong_sum_or_a_missing_part_is_named(changes, expected):
    assert any(expected in sentence for sentence in broken_limits(NETWORK, HORIZON, replace(ANSWER, **changes)))


@pytest.mark.parametrize("family", ["supplies", "served", "short", "levels", "links"])
def test_a_series_that_is_missing_short_unknown_or_not_finite_is_named(family):
    series = getattr(ANSWER, family)
    name = next(iter(series))
    for broken, expected in [
        ({k: v for k, v in series.items() if k != name}, f"{name}: missing in the answer"),
        ({**series, "ghost": (0.0, 0.0, 0.0)}, "ghost: no such part"),
        ({**series, name: series[name][:2]}, f"{name}: 2 numbers for 3 steps"),
        ({**series, name: (math.nan, *series[name][1:])}, f"{name}[0]: nan is no finite number"),
        ({**series, name: (None, "x", 1.0)}, f"{name}: not a list of numbers"),
    ]:
        sentences = broken_limits(NETWORK, HORIZON, replace(ANSWER, **{family: broken}))
        assert any(sentence.endswith(expected) for sentence in sentences)


def test_an_empty_answer_is_not_a_plan():
    assert broken_limits(NETWORK, HORIZON, Answer(Status.NONE))


# The plan that a time limit without an incumbent leaves behind in other tools: all zeros, cost 0, "solved".
def test_a_plan_of_zeros_is_refused():
    zeros = {family: dict.fromkeys(getattr(ANSWER, family), (0.0,) * 3) for family in ("supplies", "served", "links")}
    short = {"homes": (8.0, 10.0, 8.0), "lights": (3.0, 3.0, 3.0)}
    levels = dict.fromkeys(ANSWER.levels, (0.0,) * 3)
    zero = replace(
        ANSWER, **zeros, short=short, levels=levels, commitments={"unit": (0, 0, 0)}, cost=0.0, objective=0.0
    )
    assert len(broken_limits(NETWORK, HORIZON, zero)) > 5


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TREE = Horizon(
    (
        Step("a", None, BEGIN, 1.0),
        Step("b", 0, BEGIN + timedelta(hours=1), 1.0, 0.25),
        Step("c", 0, BEGIN + timedelta(hours=1), 1.0, 0.75),
    )
)
FORK = Network(
    buses=(Bus("town", "water"),),
    supplies=(Supply("well", "town", max=10.0, cost=1.0, peak=(PeakCharge(0.0, 4.0),)),),
    demands=(Demand("homes", "town", (1.0, 5.0, 3.0), tier=1),),
    stores=(Store("tank", "town", 10.0, initial=0.0, final=Final(min=2.0, tier=2, penalty=8.0)),),
)
# amounts 3 + 0.25·4 + 0.75·3 = 6.25; peaks 4·(0.25·4 + 0.75·3) = 13; the tank misses 1 in branch b: 0.25·8 = 2.
FORKED = Answer(
    Status.OPTIMAL,
    cost=19.25,
    objective=21.25,
    tiers={1: 0.0, 2: 0.25},
    supplies={"well": (3.0, 4.0, 3.0)},
    served={"homes": (1.0, 5.0, 3.0)},
    short={"homes": (0.0, 0.0, 0.0)},
    levels={"tank": (2.0, 1.0, 2.0)},
    final_short={"tank": 0.25},
)


def test_a_right_answer_over_a_tree_passes():
    assert broken_limits(FORK, TREE, FORKED) == []


def test_each_branch_starts_from_its_own_parent():
    # Were c to follow b, its level 2 would need a fill of 1 where the balance leaves 0.
    chain = Horizon((TREE.steps[0], TREE.steps[1], replace(TREE.steps[2], parent=1, start=BEGIN + timedelta(hours=2))))
    assert any("buses.town" in sentence for sentence in broken_limits(FORK, chain, FORKED))


def test_probabilities_weigh_the_money():
    even = Horizon((TREE.steps[0], *(replace(step, probability=0.5) for step in TREE.steps[1:])))
    broken = broken_limits(FORK, even, FORKED)
    assert [sentence.split(":")[0] for sentence in broken] == [
        "stores.tank final shortage",
        "tier 2 shortage",
        "cost",
        "objective",
    ]


@pytest.mark.parametrize(
    ("states", "switched"),
    [
        ((1, 1, 1, 1), None),
        ((1, 0, 0, 0), None),  # two hours before the horizon and one in it make three
        ((0, 0, 0, 0), "switched off after 2 hours, minimum 3"),
        ((1, 0, 0, 1), None),
        ((1, 0, 1, 1), "switched on after 1 hours, minimum 2"),
    ],
)
def test_minimum_hours_count_what_lasted_before_the_horizon(states, switched):
    horizon = Horizon.path(BEGIN, [(4, 1.0)])
    unit = Commitment("unit", "supply", "gas", 0.0, 3.0, 2.0, initially=True, initial_hours=2.0)
    network = Network((Bus("grid", "power"),), (Supply("gas", "grid", 9.0),), commitments=(unit,))
    answer = Answer(Status.OPTIMAL, supplies={"gas": (0.0,) * 4}, commitments={"unit": states})
    sentences = broken_limits(network, horizon, answer)
    assert sentences == [] if switched is None else [s for s in sentences if switched in s] == sentences != []


def test_a_lag_on_mixed_steps_arrives_as_the_mean_of_what_was_sent():
    # Four quarters, then two hours; lag one hour. The first hour's arrivals left in the quarters: mean of 1, 2, 3, 4.
    horizon = Horizon.path(BEGIN, [(4, 0.25), (2, 1.0)])
    network = Network(
        (Bus("up", "water"), Bus("down", "water")),
        (Supply("spring", "up", 9.0),),
        (Demand("field", "down", 9.0),),
        (),
        (Link("canal", "up", 9.0, {"down": 1.0}, lag_hours=1.0, initial_rate=0.5),),
    )
    sent, arrived = (1.0, 2.0, 3.0, 4.0, 6.0, 0.0), (0.5, 0.5, 0.5, 0.5, 2.5, 6.0)
    answer = Answer(
        Status.OPTIMAL,
        supplies={"spring": sent},
        served={"field": arrived},
        short={"field": tuple(9.0 - x for x in arrived)},
        links={"canal": sent},
    )
    assert broken_limits(network, horizon, answer) == []
