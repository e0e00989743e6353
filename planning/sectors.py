"""What planning asks of a sector, and where it finds them (settings.HEADGATE_SECTORS)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from .kernel.explain import Fact
from .kernel.horizon import Horizon
from .kernel.network import Network
from .kernel.outcome import Shortage

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

    from cities.models import City
    from cities.scoping import Person

    from .models import Plan, PlanPart


class InputsMissing(Exception):
    """A sector cannot say what the city will need. The text, best a Said, is for people and names every gap at once."""


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
class Missing:
    """What follow-up work could not do of what the plan gives it, told with the plan's own shortages and facts."""

    shortages: tuple[Shortage, ...] = ()
    facts: tuple[Fact, ...] = ()


_NUMBER = re.compile(r"(\D{1,4} )?[-+]?\d[-\d.,:% ]*")
"""Digits, times and shares, with a currency before them at most."""


@dataclass(frozen=True)
class Section:
    """A small table of a plan for people, in the active language: for the admin, the terminal and the reports.

    Cells that are numbers may be `planning.figures.Figure`s, which stay numbers in spreadsheets.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    is_input: bool = False
    """Tells what the plan was made from, not what it says."""

    def are_numbers(self) -> list[bool]:
        """For every column whether all its cells are numbers, which people compare by their right edges."""
        columns = zip(*self.rows, strict=True)
        return [all(not cell or _NUMBER.fullmatch(cell) for cell in column) for column in columns]


@dataclass(frozen=True)
class ChartRow:
    """One thing in a chart: its values, or for a Gantt chart the spans of time in which it runs."""

    label: str
    values: tuple[float, ...] = ()
    spans: tuple[tuple[datetime, datetime], ...] = ()
    is_limit: bool = False
    """Drawn dashed in the colour of the row before it."""


@dataclass(frozen=True)
class Chart:
    """A picture of a plan for people, in the active language; `planning.charts` draws it.

    kind "stack": rates per step, one upon the other; "steps": rates per step, each for itself; "levels": values at the
    start and at the end of every step (one more than steps); "gantt": spans of time. `line` lies over a stack.
    """

    key: str
    title: str
    unit: str
    kind: str
    rows: tuple[ChartRow, ...]
    line: ChartRow | None = None
    amount_unit: str = ""
    """Of rate × hours; a stack with one is also told as amounts by day, and compared with the plan before."""


@dataclass(frozen=True)
class Card:
    """One thing that the head of a report says in a word or a number."""

    label: str
    value: str
    is_bad: bool = False


@dataclass(frozen=True)
class ReportLink:
    """A report that a person may open, for the list of reports: its page, and the same as files by format."""

    label: str
    kind: str
    page: str
    files: tuple[tuple[str, str], ...] = ()


def _no_follow_ups(plan: Plan) -> Sequence[FollowUp]:
    return ()


def _nothing_to_run(data: dict[str, Any]) -> FollowUpResult:
    raise NotImplementedError("this sector asked for no follow-up work")


def _nothing_missing(plan: Plan, parts: Sequence[PlanPart]) -> Missing:
    return Missing()


def _publish_nothing(plan: Plan, parts: Sequence[PlanPart]) -> None:
    return None


def _nothing_to_withdraw(plan: Plan) -> None:
    return None


def _no_summary(plan: Plan) -> Sequence[Section]:
    return ()


def _no_charts(plan: Plan) -> Sequence[Chart]:
    return ()


def _no_part_charts(part: PlanPart) -> Sequence[Chart]:
    return ()


def _no_cards(plan: Plan) -> Sequence[Card]:
    return ()


def _no_reports(person: Person, city: City) -> Sequence[ReportLink]:
    return ()


@dataclass(frozen=True)
class Sector:
    """`parts(city, horizon, known_at)` reads rows and forecasts and may raise InputsMissing. `publish` writes a plan's
    documents inside the publishing transaction, so that a plan and its documents appear together or not at all;
    `withdraw` takes them back.
    """

    name: str
    parts: Callable[[City, Horizon, datetime], Parts]
    follow_ups: Callable[[Plan], Sequence[FollowUp]] = _no_follow_ups
    run: Callable[[dict[str, Any]], FollowUpResult] = _nothing_to_run
    publish: Callable[[Plan, Sequence[PlanPart]], None] = _publish_nothing
    withdraw: Callable[[Plan], None] = _nothing_to_withdraw
    summary: Callable[[Plan], Sequence[Section]] = _no_summary
    charts: Callable[[Plan], Sequence[Chart]] = _no_charts
    """Of a solved plan; keys are unique in the sector."""
    part_charts: Callable[[PlanPart], Sequence[Chart]] = _no_part_charts
    """Of one piece of follow-up work that is done."""
    label: StrPromise | str = ""
    """What people call the sector; its name if nothing is said."""
    headline: Callable[[Plan], Sequence[Card]] = _no_cards
    details: Callable[[Plan], Sequence[Section]] = _no_summary
    """Tables that only a full report needs; `summary` is for every place."""
    reports: Callable[[Person, City], Sequence[ReportLink]] = _no_reports
    """Further reports of the sector that a member of the city may open."""
    missing: Callable[[Plan, Sequence[PlanPart]], Missing] = _nothing_missing
    """Of the follow-up work when all of it is done, before the plan is proposed."""


def sectors() -> list[Sector]:
    return [import_string(path) for path in settings.HEADGATE_SECTORS]


def sector(name: str) -> Sector:
    """Raises LookupError for a sector that is not installed."""
    for found in sectors():
        if found.name == name:
            return found
    raise LookupError(name)
