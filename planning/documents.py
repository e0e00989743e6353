"""A report as data: what it says, before it becomes a page, a spreadsheet or a printed document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .charts import description, draw
from .figures import full_moment
from .models import Plan
from .numbers import Numbers
from .sectors import Card, Chart, Section
from .summary import failure
from .words import status_warning

SYNTHETIC = gettext_noop("Synthetic demo data: no real day")


@dataclass(frozen=True)
class Picture:
    """A chart that is drawn when somebody looks at it: a spreadsheet never does."""

    chart: Chart
    plan: Plan

    @property
    def title(self) -> str:
        return self.chart.title

    @property
    def words(self) -> str:
        """What it shows, for those who do not see it."""
        return description(self.chart)

    @property
    def svg(self) -> str:
        """One <svg> element."""
        return draw(self.chart, self.plan)


@dataclass(frozen=True)
class Chapter:
    title: str
    items: tuple[Section | Picture, ...]


@dataclass(frozen=True)
class Steps:
    """One value for every step of the plan and every row: for spreadsheets only. Units stand in the headers."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Document:
    """A report of one plan in one language. `notices` are what a reader must know before any figure."""

    title: str
    kind: str
    """Part of the names of files: "utility", or a user's key."""
    plan: Plan
    language: str
    made_at: datetime
    notices: tuple[str, ...]
    cards: tuple[Card, ...]
    chapters: tuple[Chapter, ...]
    steps: tuple[Steps, ...]

    @property
    def file_name(self) -> str:
        """Without its ending; sorts by city, report, day and revision."""
        day = f"{self.plan.start.astimezone(self.plan.city.zone):%Y-%m-%d}"
        return f"headgate-{self.plan.city.key}-{self.kind}-{day}-rev{self.plan.pk:04d}"

    @property
    def identity(self) -> list[tuple[str, str]]:
        """Which plan this is of and when everything was, in the city's time."""
        plan, zone = self.plan, self.plan.city.zone
        found = [
            (_("City"), plan.city.label),
            (_("Plan"), str(plan)),
            (_("Revision"), str(plan.pk)),
            (_("State"), plan.get_state_display()),
            (_("Covers"), f"{full_moment(plan.start, zone)} – {full_moment(plan.valid_until, zone)}"),
        ]
        if plan.published_at:
            found.append((_("Published at"), full_moment(plan.published_at, zone)))
        if plan.approved_by:
            found.append((_("Approved by"), str(plan.approved_by)))
        found.append((_("Report made at"), f"{full_moment(self.made_at, zone)} ({plan.city.time_zone})"))
        if plan.synthetic:
            found.append((_("Data"), _(SYNTHETIC)))
        return found


def steps_of(chart: Chart, numbers: Numbers) -> Steps:
    """The numbers of a chart; of levels, which begin before the first step, those at the end of each step."""
    rows = [*chart.rows, *([chart.line] if chart.line else [])]
    headers = tuple(f"{row.label}, {chart.unit}" for row in rows)
    ends = [row.values[-len(numbers.hours) :] for row in rows]
    return Steps(chart.title, headers, tuple(zip(*ends, strict=True)))


def is_told_by_step(chart: Chart) -> bool:
    return chart.kind != "gantt"


def now() -> datetime:
    return timezone.now()


def notices_of(plan: Plan, warning: str) -> tuple[str, ...]:
    """What was warned of already (such as a newer plan that failed), how good the plan is, and whether it counts."""
    found = [warning] if warning else []
    how_good = status_warning(plan.status)
    if how_good and how_good not in warning:
        found.append(how_good)
    if plan.state != Plan.State.PUBLISHED:
        found.append(_("This plan is not in force: it is %(state)s.") % {"state": plan.get_state_display()})
    why = failure(plan) if plan.state == Plan.State.FAILED else ""
    if why:
        found.append(_("It failed: %(why)s") % {"why": why})
    if broken_limits(plan):
        found.append(_("Verification found broken limits; see the last chapter."))
    return tuple(found)


def broken_limits(plan: Plan) -> list[str]:
    """What verification found of the plan, and of its follow-up work by key."""
    parts = plan.parts.order_by("sector", "key") if plan.pk else ()
    return [*plan.broken_limits, *(f"{part.key}: {limit}" for part in parts for limit in part.broken_limits)]


def chapter(title: str, items: Sequence[Section | Picture | None]) -> Chapter:
    return Chapter(title, tuple(item for item in items if item is not None))
