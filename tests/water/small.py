"""Small waters: rows that need no database, and readings of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from cities.models import City, PriorityPolicy
from forecasting.models import Series
from forecasting.readers import Expectation
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Link, Network, Store, Supply
from water.models import WaterBus
from water.reading import Before, Reading, Sheet

ZONE = ZoneInfo("Asia/Taipei")
TIERS = {"environment": 0, "domestic": 1, "agriculture": 2, "industry": 4, "storage": 6}
_ids = count(1)


def series(level: float | tuple[float, ...], key: str = "series") -> Series:
    """A series that is expected to be `level`, or one value per step."""
    return Series(pk=next(_ids), key=key, name=key, unit="", profile={"level": level}, stale_after_hours=24)


def bus(key: str) -> WaterBus:
    return WaterBus(pk=next(_ids), key=key, name=key, kind="raw")


def path(start: str = "2026-11-23T00:00", steps: int = 24, hours: float = 1.0) -> Horizon:
    return Horizon.path(datetime.fromisoformat(start).replace(tzinfo=ZONE), [(steps, hours)])


def reading(
    *known: Series, horizon: Horizon | None = None, before: Before | None = None, tiers: Mapping[str, int] | None = None
) -> Reading:
    horizon = horizon or path()
    city = City(key="small", name="Small", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5)
    policy = PriorityPolicy(key="order", tiers=dict(tiers or TIERS), in_force=True)
    expected = {row.pk: _expectation(row.profile["level"], len(horizon)) for row in known}
    return Reading(city, horizon, horizon.start, expected, policy, before or Before())


def network_of(sheet: Sheet, *buses: str) -> Network:
    """The sheet's network with some more buses of water."""
    return sheet.network() + Network(buses=tuple(Bus(name, "water") for name in buses))


def supply(network: Network, name: str) -> Supply:
    return next(part for part in network.supplies if part.name == name)


def demand(network: Network, name: str) -> Demand:
    return next(part for part in network.demands if part.name == name)


def store(network: Network, name: str) -> Store:
    return next(part for part in network.stores if part.name == name)


def link(network: Network, name: str) -> Link:
    return next(part for part in network.links if part.name == name)


def close(value: float) -> object:
    """Within what a held tier may slip by in the solver."""
    return pytest.approx(value, rel=1e-5, abs=1e-5)


def _expectation(level: float | tuple[float, ...], steps: int) -> Expectation:
    values = level if isinstance(level, tuple) else (level,) * steps
    return Expectation(values, values, values, None, False)
