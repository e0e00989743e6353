"""Of all facts of a network a reader is told those that somebody can act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cities.models import City
from planning.findings import findings
from planning.models import Plan

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CASE = {
    "supplies": {
        "sun": {"bus": "grid", "max": [3.0, 0.0]},
        "inflow": {"bus": "lake", "min": 2.0, "max": 2.0, "cost": 1.0},
        "purchase": {"bus": "grid", "max": 5.0, "cost": 4.0},
    },
    "demands": {"homes": {"bus": "grid", "amount": [1.0, 0.0]}},
    "stores": {"reservoir": {"bus": "lake", "capacity": 10.0}, "tank": {"bus": "town", "capacity": 1.0}},
    "links": {
        "spillway": {"from": "lake", "to": {}},
        "river": {"from": "reach", "to": {}},
        "pump": {"from": "lake", "to": {"town": 1.0}, "uses": {"works": 0.5}},
    },
}
RESULT = {
    "demands": {"homes": {"served": [1.0, 0.0], "short": [0.0, 0.0]}},
    "links": {"spillway": [0.0, 0.0], "river": [9.0, 9.0], "pump": [0.0, 2.0]},
}


def told(*facts: tuple[str, str, dict[str, Any]]) -> list[str]:
    """The places of those facts that are worth telling."""
    plan = Plan(
        city=City(time_zone="Asia/Taipei"),
        start=NOON,
        horizon=[[2, 1.0]],
        snapshot={"case": CASE, "labels": {}},
        result=RESULT,
        facts=[{"kind": kind, "place": place, "values": values} for kind, place, values in facts],
    )
    return [fact["place"] for fact in findings(plan)]


def test_a_reservoir_that_spills_is_told_and_a_river_that_runs_on_is_not():
    assert told(("spilled", "spillway", {}), ("spilled", "river", {})) == ["spillway"]


def test_nobody_can_order_more_sun_or_inflow():
    assert told(*(("bottleneck_supply", name, {}) for name in ("sun", "inflow", "purchase"))) == ["purchase"]


@pytest.mark.parametrize(("bus", "step", "expected"), [("grid", 0, True), ("grid", 1, False), ("works", 1, True)])
def test_a_price_peak_is_told_where_something_is_used_at_that_hour(bus: str, step: int, expected: bool):
    at = (NOON + timedelta(hours=step)).isoformat()
    assert bool(told(("price_peak", bus, {"at": at}))) == expected


def test_a_store_that_fills_and_empties_does_its_work():
    both = (("store_low", "tank", {}), ("store_full", "tank", {}))
    assert told(*both, ("store_low", "reservoir", {})) == ["reservoir"]


def test_shortages_are_always_told():
    assert told(("shortage", "homes", {})) == ["homes"]
