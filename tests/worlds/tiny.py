"""Words for worlds that are checked by hand: one to three buses, a handful of steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from planning.kernel.horizon import Horizon, Step
from planning.kernel.network import Bus, Network

START = datetime(2026, 1, 1, tzinfo=UTC)


def hours(count: int, length: float = 1.0) -> Horizon:
    """A path of equal steps."""
    return Horizon.path(START, [(count, length)])


def tree(*steps: tuple[int | None, float, float]) -> Horizon:
    """Steps as (parent, hours, probability)."""
    made: list[Step] = []
    for number, (parent, length, probability) in enumerate(steps):
        start = START if parent is None else made[parent].end
        made.append(Step(str(number), parent, start, length, probability))
    return Horizon(tuple(made))


def world(buses: str, *parts: object) -> Network:
    """A network of the named buses and of parts of any kind."""
    kinds: dict[str, list[object]] = {"Supply": [], "Demand": [], "Store": [], "Link": [], "Commitment": []}
    for part in parts:
        kinds[type(part).__name__].append(part)
    fields = ("supplies", "demands", "stores", "links", "commitments")
    found = {field: tuple(kind) for field, kind in zip(fields, kinds.values(), strict=True)}
    return Network(buses=tuple(Bus(name, "water") for name in buses.split()), **found)  # type: ignore[arg-type]


def near(values: Sequence[float] | float) -> object:
    """Equal but for the solver's rounding."""
    return pytest.approx(values, abs=1e-5)
