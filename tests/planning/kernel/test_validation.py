"""A network that no model can be built from is refused with every problem: its place, value and what was expected."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest

from planning.kernel.horizon import Horizon
from planning.kernel.network import Commitment, Demand, Final, Link, PeakCharge, Store, Supply
from planning.kernel.validation import problems
from tests.worlds.tiny import START, hours, tree, world

GOOD = world(
    "lake town",
    Supply("inflow", "lake", max=(9.0, 8.0), min=1.0, cost=2.0, peak=(PeakCharge(1.0, 2.0),)),
    Demand("homes", "town", (4.0, 5.0), tier=1, penalty=3.0),
    Store("pond", "lake", 20.0, initial=5.0, min=1.0, final=Final(min=4.0, max=9.0)),
    Link("main", "lake", max=9.0, to={"town": 0.9}, max_change_per_hour=3.0, initial_rate=2.0),
    Commitment("unit", "supply", "inflow", 2.0),
)
KINDS = {"inflow": "supplies", "homes": "demands", "pond": "stores", "main": "links", "unit": "commitments"}


def changed(name, **fields):
    """The good network with other fields in one part."""
    kind = KINDS[name]
    parts = tuple(replace(part, **fields) for part in getattr(GOOD, kind))
    return replace(GOOD, **{kind: parts})


def places(network, horizon=None):
    return [problem.place for problem in problems(network, hours(2) if horizon is None else horizon)]


def test_a_good_network_has_no_problem():
    assert problems(GOOD, hours(2)) == []


@pytest.mark.parametrize(
    ("name", "fields", "place"),
    [
        ("inflow", {"bus": "sea"}, "supplies.inflow.bus"),
        ("inflow", {"max": (9.0,)}, "supplies.inflow.max"),
        ("inflow", {"max": (9.0, nan)}, "supplies.inflow.max[1]"),
        ("inflow", {"max": "9"}, "supplies.inflow.max"),
        ("inflow", {"max": True}, "supplies.inflow.max"),
        ("inflow", {"min": nan}, "supplies.inflow.min"),
        ("inflow", {"min": (1.0, 8.5)}, "supplies.inflow.min[1]"),
        ("inflow", {"cost": inf}, "supplies.inflow.cost"),
        ("inflow", {"min": 0.0, "max": (9.0, -1.0)}, "supplies.inflow.max[1]"),
        ("main", {"max": -1.0, "initial_rate": 0.0}, "links.main.max"),
        ("main", {"min": -1.0, "max": -2.0, "to": {"town": 1.0}}, "links.main.min"),
        ("main", {"cost": (1.0, -1.0), "max": inf}, "links.main.max"),
        ("inflow", {"peak": (PeakCharge(-1.0, 2.0),)}, "supplies.inflow.peak[0].above"),
        ("inflow", {"peak": (PeakCharge(1.0, 2.0), PeakCharge(1.0, nan))}, "supplies.inflow.peak[1].cost"),
        ("homes", {"bus": ""}, "demands.homes.bus"),
        ("homes", {"amount": (4.0, -0.1)}, "demands.homes.amount[1]"),
        ("homes", {"amount": inf}, "demands.homes.amount"),
        ("homes", {"penalty": -3.0}, "demands.homes.penalty"),
        ("homes", {"tier": 1.5}, "demands.homes.tier"),
        ("pond", {"bus": "sea"}, "stores.pond.bus"),
        ("pond", {"capacity": (20.0, nan), "final": None}, "stores.pond.capacity[1]"),
        ("pond", {"capacity": (20.0, 0.5), "final": None}, "stores.pond.min"),
        ("pond", {"capacity": -1.0, "min": 0.0, "final": None}, "stores.pond.capacity"),
        ("pond", {"min": (1.0, 2.0, 3.0)}, "stores.pond.min"),
        ("pond", {"initial": -5.0}, "stores.pond.initial"),
        ("pond", {"loss_per_hour": 1.5}, "stores.pond.loss_per_hour"),
        ("pond", {"end_value": nan}, "stores.pond.end_value"),
        ("pond", {"final": Final()}, "stores.pond.final"),
        ("pond", {"final": Final(min=21.0)}, "stores.pond.final.min"),
        ("pond", {"final": Final(max=0.5)}, "stores.pond.final.max"),
        ("pond", {"final": Final(min=5.0, max=4.0)}, "stores.pond.final.min"),
        ("pond", {"final": Final(min=5.0, tier="first")}, "stores.pond.final.tier"),
        ("pond", {"final": Final(min=5.0, tier=1, penalty=-1.0)}, "stores.pond.final.penalty"),
        ("main", {"source": "sea"}, "links.main.from"),
        ("main", {"to": {"sea": 1.0}}, "links.main.to.sea"),
        ("main", {"to": {"town": inf}}, "links.main.to.town"),
        ("main", {"uses": {"town": -0.1}}, "links.main.uses.town"),
        ("main", {"to": {"lake": 0.5}}, "links.main.to"),
        ("main", {"lag_hours": -1.0}, "links.main.lag_hours"),
        ("main", {"initial_rate": nan, "max_change_per_hour": None}, "links.main.initial_rate"),
        ("main", {"max_change_per_hour": -1.0}, "links.main.max_change_per_hour"),
        ("main", {"min": -2.0}, "links.main.min"),
        ("main", {"min": (0.0, 9.5)}, "links.main.min[1]"),
        ("main", {"initial_rate": 15.0}, "links.main.max_change_per_hour"),
        ("main", {"min": (0.0, 8.5)}, "links.main.max_change_per_hour"),
        ("unit", {"of_kind": "demand"}, "commitments.unit.of"),
        ("unit", {"of_name": "gas"}, "commitments.unit.of"),
        ("unit", {"min_rate": 9.5}, "commitments.unit.min_rate"),
        ("unit", {"min_up_hours": -1.0}, "commitments.unit.min_up_hours"),
        ("unit", {"start_cost": nan}, "commitments.unit.start_cost"),
    ],
)
def test_a_bad_field_is_refused_by_its_place(name, fields, place):
    assert places(changed(name, **fields)) == [place]


def test_every_problem_is_told_at_once():
    network = replace(
        GOOD,
        supplies=(Supply("inflow", "sea", max=(9.0,)),),
        demands=(Demand("homes", "moon", -1.0),),
        commitments=(Commitment("unit", "link", "pipe", -1.0),),
    )
    assert places(network) == [
        "supplies.inflow.bus",
        "supplies.inflow.max",
        "demands.homes.bus",
        "demands.homes.amount",
        "commitments.unit.of",
        "commitments.unit.min_rate",
    ]


def test_a_problem_says_what_was_found_and_what_was_expected():
    (problem,) = problems(changed("inflow", max=(9.0,)), hours(2))
    assert str(problem) == "supplies.inflow.max: '1 values' — expected one number, or 2: one per step"


def test_of_a_max_below_the_min_that_is_taken_for_granted_the_max_is_wrong():
    (problem,) = problems(changed("main", max=-1.0), hours(2))
    assert (problem.place, problem.value, problem.expected) == ("links.main.max", -1.0, "at least 0")


def test_a_name_stands_once_in_its_kind():
    assert places(GOOD + world("lake", Demand("homes", "lake", 1.0))) == ["buses.lake", "demands.homes"]


def test_a_part_has_one_commitment():
    twice = GOOD + world("", Commitment("other", "supply", "inflow"))
    assert places(twice) == ["commitments.unit.of", "commitments.other.of"]


def test_a_committed_part_needs_an_end_and_no_backward_flow():
    assert places(changed("inflow", max=inf)) == ["commitments.unit.of"]
    assert places(changed("inflow", min=-1.0)) == ["commitments.unit.of"]


def test_limits_without_end_are_good_where_nothing_pays_for_them():
    network = replace(changed("inflow", max=inf), commitments=())
    assert places(network + world("", Link("spill", "lake", max=inf))) == []


def test_a_two_way_line_is_good_only_without_loss_cost_lag_and_use():
    line = Link("line", "lake", max=5.0, min=-5.0, to={"town": 1.0})
    assert places(GOOD + world("", line)) == []
    for fields in ({"to": {"town": 0.9}}, {"cost": 1.0}, {"lag_hours": 1.0}, {"uses": {"town": 0.1}}, {"to": {}}):
        assert places(GOOD + world("", replace(line, **fields))) == ["links.line.min"]


def test_a_horizon_needs_steps():
    assert places(GOOD, Horizon(())) == ["horizon.steps"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"hours": 0.0}, "horizon.steps[1].hours"),
        ({"hours": inf}, "horizon.steps[1].hours"),
        ({"probability": 0.0}, "horizon.steps[1].probability"),
        ({"probability": 0.7}, "horizon.steps[1].probability"),
        ({"parent": 1}, "horizon.steps[1].parent"),
        ({"start": START}, "horizon.steps[1].start"),
        ({"start": START.replace(tzinfo=None)}, "horizon.steps[1].start"),
    ],
)
def test_a_bad_step_is_refused(fields, place):
    first, second = hours(2).steps
    assert place in places(GOOD, Horizon((first, replace(second, **fields))))


def test_the_probabilities_of_branches_add_up_to_that_of_their_parent():
    branches = tree((None, 1.0, 1.0), (0, 1.0, 0.5), (0, 1.0, 0.4))
    network = world("lake", Supply("inflow", "lake", max=1.0))
    assert places(network, branches) == ["horizon.steps[1].probability"]
    assert places(network, tree((None, 1.0, 1.0), (0, 1.0, 0.5), (0, 1.0, 0.5))) == []
