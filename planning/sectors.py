"""What planning asks of a sector, and where it finds them (settings.HEADGATE_SECTORS)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from .kernel.horizon import Horizon
from .kernel.network import Network

if TYPE_CHECKING:
    from cities.models import City

    from .models import Plan, PlanPart


@dataclass(frozen=True)
class Label:
    """How people know a part of the network. `role` groups parts in reports: "river", "reservoir", "purchase", …"""

    en: str
    zh: str
    role: str
    asset: str = ""
    """Key of the asset that the part stands for."""


@dataclass(frozen=True)
class Note:
    """Something a reader of the plan must know of its inputs: a stale feed, a fallback, synthetic data."""

    level: str
    """"info" or "warning"."""
    en: str
    zh: str


@dataclass(frozen=True)
class Parts:
    """A sector's share of the network. Part names are unique across sectors by their prefix."""

    network: Network
    labels: Mapping[str, Label]
    forecasts: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()
    synthetic: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON that the sector wants to find again in the snapshot, such as the policy in force."""


@dataclass(frozen=True)
class FollowUp:
    """A piece of work after the solve, run by `Sector.run` from its plain-JSON input alone."""

    key: str
    input: dict[str, Any]


@dataclass(frozen=True)
class FollowUpResult:
    result: dict[str, Any]
    broken_limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A small table of a plan for people, in the active language: for the admin, the terminal and the reports."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def _no_follow_ups(plan: Plan) -> Sequence[FollowUp]:
    return ()


def _nothing_to_run(data: dict[str, Any]) -> FollowUpResult:
    raise NotImplementedError("this sector asked for no follow-up work")


def _publish_nothing(plan: Plan, parts: Sequence[PlanPart]) -> None:
    return None


def _nothing_to_withdraw(plan: Plan) -> None:
    return None


def _no_summary(plan: Plan) -> Sequence[Section]:
    return ()


@dataclass(frozen=True)
class Sector:
    """`parts(city, horizon, known_at)` reads rows and forecasts; `publish` writes a plan's documents inside the
    publishing transaction, so that a plan and its documents appear together or not at all; `withdraw` takes them back.
    """

    name: str
    parts: Callable[[City, Horizon, datetime], Parts]
    follow_ups: Callable[[Plan], Sequence[FollowUp]] = _no_follow_ups
    run: Callable[[dict[str, Any]], FollowUpResult] = _nothing_to_run
    publish: Callable[[Plan, Sequence[PlanPart]], None] = _publish_nothing
    withdraw: Callable[[Plan], None] = _nothing_to_withdraw
    summary: Callable[[Plan], Sequence[Section]] = _no_summary


def sectors() -> list[Sector]:
    return [import_string(path) for path in settings.HEADGATE_SECTORS]


def sector(name: str) -> Sector:
    """Raises LookupError for a sector that is not installed."""
    for found in sectors():
        if found.name == name:
            return found
    raise LookupError(name)
