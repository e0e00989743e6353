"""A sector small enough to plan in the head: a town that uses 2 an hour and is supplied at 10 a unit.

What it does at each call can be set by a test through `toy.behaviour`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cities.models import City
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Commitment, Demand, Network, Supply
from planning.models import Plan, PlanPart
from planning.sectors import FollowUp, FollowUpResult, Label, Parts, Section, Sector


@dataclass
class Behaviour:
    """What the toy does next; `published` is what it was told."""

    demand: float = 2.0
    capacity: float = 5.0
    follow_ups: int = 1
    switched: bool = False
    """Whether the river's pump is switched on and off: without any time a rule has to plan it."""
    broken_limits: tuple[str, ...] = ()
    publish_error: Exception | None = None
    published: list[Plan] = field(default_factory=list)
    withdrawn: list[Plan] = field(default_factory=list)


behaviour = Behaviour()


def reset() -> None:
    behaviour.__init__()  # type: ignore[misc]


def parts(city: City, horizon: Horizon, known_at: datetime) -> Parts:
    network = Network(
        buses=(Bus("town", "water"),),
        supplies=(Supply("river", "town", max=behaviour.capacity, cost=10.0),),
        demands=(Demand("homes", "town", amount=behaviour.demand, tier=1, penalty=1000.0),),
        commitments=(Commitment("pump", "supply", "river", min_rate=1.0),) if behaviour.switched else (),
    )
    labels = {
        "river": Label("River", "河", "river"),
        "homes": Label("Homes", "住家", "zone"),
        "town": Label("Town", "鎮", ""),
    }
    return Parts(network, labels, synthetic=True)


def follow_ups(plan: Plan) -> Sequence[FollowUp]:
    return [FollowUp(f"lateral-{k}", {"number": k}) for k in range(behaviour.follow_ups)]


def run(data: dict[str, Any]) -> FollowUpResult:
    return FollowUpResult({"doubled": 2 * data["number"]}, behaviour.broken_limits)


def publish(plan: Plan, done: Sequence[PlanPart]) -> None:
    if behaviour.publish_error:
        raise behaviour.publish_error
    behaviour.published.append(plan)


def withdraw(plan: Plan) -> None:
    behaviour.withdrawn.append(plan)


def summary(plan: Plan) -> Sequence[Section]:
    return [Section("Toy", ("part", "amount"), (("river", "2.0"),))]


SECTOR = Sector("toy", parts, follow_ups, run, publish, withdraw, summary)
