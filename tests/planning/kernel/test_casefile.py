"""Case files: what is written is read again, and everything that is wrong in one is told at once, with its place."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planning.kernel.casefile import from_dict, read, to_dict, write
from planning.kernel.horizon import Horizon, Step
from planning.kernel.network import Bus, Commitment, Demand, Final, Link, Network, PeakCharge, Store, Supply
from planning.kernel.problems import InvalidCase

EXAMPLE = (Path(__file__).parents[2] / "worlds" / "contract_example.yaml").read_text(encoding="utf-8")

SMALL = {
    "headgate": 1,
    "horizon": {"start": "2026-01-01T00:00:00+08:00", "steps": [{"count": 2, "hours": 1}]},
    "buses": {"lake": {"commodity": "water"}, "grid": {"commodity": "power"}},
    "supplies": {"inflow": {"bus": "lake", "max": [3, 4]}, "gas": {"bus": "grid", "max": 9}},
    "demands": {"homes": {"bus": "lake", "amount": 2, "tier": 1, "penalty": 5}},
    "stores": {"pond": {"bus": "lake", "capacity": 9, "initial": 4}},
    "links": {"main": {"from": "lake", "to": {"grid": 0.5}, "max": 4}},
    "commitments": {"unit": {"of": {"supply": "gas"}, "min_rate": 2}},
}


def changed(path: str, value: object) -> dict:
    """SMALL with one place changed; a value of Ellipsis removes it."""
    case = copy.deepcopy(SMALL)
    inner: Any = case
    keys = path.split("/")
    for key in keys[:-1]:
        inner = inner[int(key) if key.isdigit() and isinstance(inner, list) else key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    return case


def complaints(data: object) -> list[str]:
    with pytest.raises(InvalidCase) as refusal:
        from_dict(data) if not isinstance(data, str) else read(data)
    return [str(problem) for problem in refusal.value.problems]


def test_the_example_of_the_contract_is_read():
    network, horizon = read(EXAMPLE)
    assert len(horizon) == 24 and horizon.end - horizon.start == timedelta(hours=12)
    assert horizon.start.utcoffset() == timedelta(hours=8)
    assert network.links[1] == Link("pump", "lake", 12.0, {"town": 0.98}, {"grid": 0.35}, max_change_per_hour=4.0)
    assert network.demands[1] == Demand("pumps_ok", "grid", 3.0, tier=0, firm=True)
    assert network.commitments == (Commitment("unit1", "supply", "gas1", 40.0, 3.0, 4.0, 900.0, 120.0, True),)


def test_a_capacity_by_step_wins_over_a_constant_one():
    network, _ = read(EXAMPLE)
    assert network.stores[0].capacity == (1480.0,) * 16 + (1400.0,) * 8


def test_json_and_yaml_say_the_same():
    assert read(json.dumps(SMALL)) == read(write(*from_dict(SMALL))) == from_dict(SMALL)


@pytest.mark.parametrize("written", ["on", "true", "True", "'on'"])
def test_on_means_on_however_yaml_writes_it(written):
    network, _ = read(EXAMPLE.replace("initially: on", f"initially: {written}"))
    assert network.commitments[0].initially


@pytest.mark.parametrize("written", ["off", "false"])
def test_off_means_off(written):
    network, _ = read(EXAMPLE.replace("initially: on", f"initially: {written}"))
    assert not network.commitments[0].initially


def test_names_that_yaml_takes_for_something_else_stay_names():
    network, _ = read(EXAMPLE.replace("town", "no").replace("lake", "12").replace("main", "1:30"))
    assert [bus.name for bus in network.buses] == ["12", "no", "grid"]
    assert (network.links[0].name, network.links[0].source) == ("1:30", "12")


@pytest.mark.parametrize(("written", "meant"), [("1e3", 1000.0), ("1.5e+2", 150.0), (".5", 0.5), ("+7", 7.0)])
def test_numbers_are_read_as_people_write_them(written, meant):
    network, _ = read(EXAMPLE.replace("max: 500", f"max: {written}"))
    assert network.supplies[1].max == meant


def everything() -> Network:
    return Network(
        (Bus("lake", "water"), Bus("grid", "power")),
        (Supply("sun", "grid", (1.0, 2.0, 3.0), 0.5, (0.1, 0.2, 0.3), (PeakCharge(1.0, 5.0), PeakCharge(2.0, 9.0))),),
        (Demand("homes", "grid", (1.0, 2.0, 0.5), 3, (1.0, 0.0, 2.0)), Demand("firm", "lake", 0.1, firm=True)),
        (Store("pond", "lake", (9.0, 8.0, 9.0), 4.0, (1.0, 1.0, 2.0), Final(2.0, 5.0, 1, 7.0), 0.01, 0.3),),
        (
            Link("canal", "lake", 4.0, {"grid": 0.5}, {"grid": 0.25}, 0.5, (1.0, 2.0, 3.0), 1.5, 0.75, 2.0),
            Link("spill", "lake", 1e4),
        ),
        (Commitment("unit", "link", "canal", 1.0, 2.0, 3.0, 4.0, 5.0, True, 6.0),),
    )


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PATH = Horizon.path(BEGIN, [(2, 0.25), (1, 1.0)])
TREE = Horizon(
    (
        Step("a", None, BEGIN, 1.0),
        Step("dry", 0, BEGIN + timedelta(hours=1), 2.0, 0.25),
        Step("wet", 0, BEGIN + timedelta(hours=1), 2.0, 0.75),
    )
)


@pytest.mark.parametrize("horizon", [PATH, TREE])
def test_what_is_written_is_read_again(horizon):
    network = everything()
    assert from_dict(to_dict(network, horizon)) == (network, horizon)
    assert read(write(network, horizon)) == (network, horizon)
    assert read(json.dumps(to_dict(network, horizon), allow_nan=False)) == (network, horizon)


def test_a_probability_in_the_file_is_given_the_parent():
    steps = [
        {"id": "a", "hours": 1},
        {"id": "b", "hours": 1, "parent": "a", "probability": 0.5},
        {"id": "c", "hours": 1, "parent": "a", "probability": 0.5},
        {"id": "d", "hours": 2, "parent": "b"},
        {"id": "e", "hours": 2, "parent": "c", "probability": 0.25},
        {"id": "f", "hours": 2, "parent": "c", "probability": 0.75},
    ]
    case = changed("horizon/steps", steps) | {"supplies": {"gas": {"bus": "grid", "max": 9}}}
    _, horizon = from_dict(case)
    assert [step.probability for step in horizon.steps] == [1.0, 0.5, 0.5, 0.5, 0.125, 0.375]
    assert [step.start.hour for step in horizon.steps] == [0, 1, 1, 2, 2, 2]


# (place to change, value, the complaint's place and what it expects)
WRONG = [
    ("headgate", 2, "headgate: 2 — expected 1"),
    ("headgate", ..., "headgate: None — expected a value; the key is missing"),
    ("weather", {}, "weather: 'a mapping of 0' — expected no such key"),
    ("buses", [], "buses: 'a list of 0' — expected a mapping"),
    ("buses/lake/comodity", "water", "buses.lake.comodity: 'water' — expected no such key; known are commodity"),
    ("supplies/inflow/max", ..., "supplies.inflow.max: None — expected a value"),
    ("supplies/inflow/max", "many", "supplies.inflow.max: 'many' — expected a number, or a list"),
    ("supplies/inflow/max", [3, "x"], "supplies.inflow.max[1]: 'x' — expected a finite number"),
    ("supplies/inflow/max", [3, None], "supplies.inflow.max[1]: None — expected a finite number"),
    ("supplies/inflow/max", [3, True], "supplies.inflow.max[1]: True — expected a finite number"),
    ("supplies/inflow/max", float("nan"), "supplies.inflow.max: nan — expected a finite number"),
    ("supplies/inflow/max", float("inf"), "supplies.inflow.max: inf — expected a finite number"),
    ("supplies/inflow/max", 10**400, "supplies.inflow.max: 1000"),
    ("supplies/inflow/peak", [{"above": 3}], "supplies.inflow.peak[0].cost: None — expected a value"),
    ("supplies/inflow/bus", 1.5, "supplies.inflow.bus: 1.5 — expected a name"),
    ("demands/homes/tier", 1.5, "demands.homes.tier: 1.5 — expected a whole number"),
    ("demands/homes/firm", "maybe", "demands.homes.firm: 'maybe' — expected on or off"),
    ("stores/pond/capacity", ..., "stores.pond.capacity: None — expected a value"),
    ("stores/pond/capacity_by_step", 5, "stores.pond.capacity_by_step: 5 — expected a list"),
    ("stores/pond/final", 5, "stores.pond.final: 5 — expected a mapping"),
    ("stores/pond/final", {"least": 5}, "stores.pond.final.least: 5 — expected no such key"),
    ("links/main/to", "grid", "links.main.to: 'grid' — expected a mapping"),
    ("links/main/to", {"grid": "half"}, "links.main.to.grid: 'half' — expected a finite number"),
    (
        "commitments/unit/of",
        {"demand": "homes"},
        "commitments.unit.of: 'a mapping of 1' — expected one supply or one link",
    ),
    ("commitments/unit/of", {"supply": "gas", "link": "main"}, "commitments.unit.of: 'a mapping of 2' — expected one"),
    ("horizon/start", "2026-01-01T00:00:00", "horizon.start: '2026-01-01T00:00:00' — expected a time with its offset"),
    ("horizon/start", "soon", "horizon.start: 'soon' — expected a time with its offset"),
    ("horizon/steps", [], "horizon.steps: 'a list of 0' — expected at least one step"),
    ("horizon/steps", [{"count": 2, "hours": -1}], "horizon.steps[0].hours: -1.0 — expected more than 0"),
    ("horizon/steps", [{"count": 0, "hours": 1}], "horizon.steps[0].count: 0 — expected at least 1"),
    ("horizon/steps", [{"count": 1.5, "hours": 1}], "horizon.steps[0].count: 1.5 — expected a whole number"),
    ("horizon/steps", [{"count": 10**9, "hours": 1}], "horizon.steps: 1000000000 — expected at most 100000 steps"),
    ("horizon/steps", [{"count": 2, "hours": 1, "id": "a"}], "horizon.steps[0].count: 2 — expected no such key"),
    ("horizon/steps", [{"id": "a", "hours": 1}] * 2, "horizon.steps[1].id: 'a' — expected each id once"),
    (
        "horizon/steps",
        [{"id": "a", "hours": 1, "parent": "b"}, {"id": "b", "hours": 1}],
        "horizon.steps[0].parent: 'b' — expected the id of a step above it",
    ),
    (
        "horizon/steps",
        [{"id": "a", "hours": 1}, *({"id": x, "hours": 1, "parent": "a", "probability": 0.4} for x in "bc")],
        "horizon.steps: 0.8 — expected probabilities of the children of a that add up to 1",
    ),
    (
        "horizon/steps",
        [{"id": "a", "hours": 1}, {"id": "b", "hours": 1, "probability": 2}],
        "horizon.steps[1].probability: 2.0 — expected more than 0 and at most 1",
    ),
]


@pytest.mark.parametrize(("path", "value", "expected"), WRONG)
def test_what_is_wrong_is_told_with_its_place_value_and_expectation(path, value, expected):
    told = complaints(changed(path, value))
    assert any(complaint.startswith(expected) for complaint in told), told


@pytest.mark.parametrize(("path", "value", "expected"), WRONG)
def test_one_error_makes_no_second_complaint(path, value, expected):
    told = complaints(changed(path, value))
    related = [complaint for complaint in told if not complaint.startswith(("horizon", expected))]
    assert related == []


def test_every_error_is_told_at_once():
    case = changed("links/main/max", "x")
    case["supplies"]["inflow"] |= {"bus": "sea", "max": [1, 2, 3]}
    case["horizon"]["start"] = "today"
    case["stores"]["pond"]["colour"] = "blue"
    places = [complaint.split(":")[0] for complaint in complaints(case)]
    expected = ["horizon.start", "links.main.max", "stores.pond.colour", "supplies.inflow.bus", "supplies.inflow.max"]
    assert sorted(places) == expected


UNCOUNTABLE = [
    ({"start": "today", "steps": [{"count": "many", "hours": 1}]}, {"horizon.start", "horizon.steps[0].count"}),
    ({"start": "2026-01-01T00:00:00Z", "steps": "week"}, {"horizon.steps"}),
    ("next week", {"horizon"}),
    ({"start": "9999-12-31T23:00:00Z", "steps": [{"count": 3, "hours": 1}]}, {"horizon"}),
]


@pytest.mark.parametrize(("horizon", "places"), UNCOUNTABLE)
def test_a_horizon_that_cannot_be_counted_hides_no_other_error(horizon, places):
    case = changed("horizon", horizon)
    case["supplies"]["inflow"] |= {"bus": "sea", "max": [1, 2, 3], "min": [0, 0, 9]}
    told = {complaint.split(":")[0] for complaint in complaints(case)}
    assert told == places | {"supplies.inflow.bus", "supplies.inflow.min[2]"}


def test_a_step_of_no_hours_still_counts_as_a_step():
    case = changed("horizon/steps", [{"count": 3, "hours": 0}])
    case["supplies"]["inflow"]["max"] = [9, 9]
    told = complaints(case)
    assert "supplies.inflow.max: '2 values' — expected one number, or 3: one per step" in told


def test_half_a_character_is_refused_wherever_it_stands():
    case = changed("buses/lake/commodity", "\ud800") | {"\udfff": 1}
    case["supplies"]["\ud801"] = {"bus": "lake", "max": 1}
    case["demands"]["homes"]["bus"] = "town\ud802"
    told = complaints(json.dumps(case))
    places = ["\\udfff", "buses.lake.commodity", "demands.homes.bus", "supplies.\\ud801"]
    assert sorted(complaint.split(":")[0] for complaint in told) == places
    assert all("expected whole characters" in complaint and complaint.encode() for complaint in told)


def test_half_a_character_in_the_text_itself_is_refused_with_its_line():
    told = complaints("headgate: 1\nbuses: {\ud800: 1}")
    assert told == ["line 2, column 9: '\\ud800' — expected whole characters; this holds half of a surrogate pair"]


def test_a_broken_part_is_still_checked_for_its_other_fields():
    case = changed("links/main", {"from": "sea", "to": {"moon": 1}, "max": "x", "min": -1})
    places = {complaint.split(":")[0] for complaint in complaints(case)}
    assert {"links.main.max", "links.main.from", "links.main.to.moon"} <= places


def test_a_key_given_twice_is_told_with_its_line():
    twice = EXAMPLE.replace("  town: {commodity: water}", "  town: {commodity: water}\n  town: {commodity: power}")
    told = complaints(twice)
    assert told == ["buses.town: 'town' — expected each key once (again at line 9, column 3)"]


def test_a_key_given_twice_in_json_is_told():
    told = complaints('{"headgate": 1, ' + json.dumps(SMALL)[1:])
    assert told == ["headgate: 'headgate' — expected each key once"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "file: '' — expected a YAML document"),
        ("[1, 2", "line 2, column 1"),
        ("a: b: c", "line 1, column 5"),
        ("a: {b: 1\n", "line 2, column 1"),
        ("just a text", "file: 'just a text' — expected a mapping"),
        ("--- {}\n--- {}\n", "file: '---' — expected one document"),
        ("a: &x [1]\nb: *x\n", "a: 'x' — expected no anchor (line 1"),
        ("a: !!python/object:os.system x", "a: 'tag:yaml.org,2002:python/object:os.system' — expected no tag"),
        ("? [a, b]\n: c", "file: 'line 1, column 3: a key must be a text' — expected valid YAML"),
        ("[" * 100_000, "file: "),
        ("{" * 100_000, "file: "),
        ('{"a":' * 100_000, "file: "),
        ("a: \x00", "file: "),
        ('{"a": 1' + "0" * 5000 + "}", ""),
    ],
)
def test_text_that_is_no_case_file_is_refused_with_its_line(text, expected):
    told = complaints(text)
    assert told and told[0].startswith(expected), told[:2]


def test_json_errors_name_line_and_column_when_json_was_meant():
    with pytest.raises(InvalidCase) as refusal:
        read('{"headgate": 1,\n "horizon" 3}', format="json")
    assert str(refusal.value).startswith("line 2, column 12: \"Expecting ':' delimiter\" — expected valid JSON")


def test_a_billion_laughs_stay_a_few_lines():
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30))
    told = complaints(f"l0: &l0 [ha, ha]\n{levels}\n")
    assert len(told) < 1000 and all(len(complaint) < 500 for complaint in told)


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr("planning.kernel.casefile.MAX_CHARACTERS", 10)
    assert complaints(EXAMPLE) == [f"file: '{len(EXAMPLE)} characters' — expected at most 10"]
