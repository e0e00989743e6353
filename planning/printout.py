"""A plan on a terminal."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from .models import Plan
from .sectors import Section
from .summary import sections


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """Prints the head, every sector's tables, the explanation, the time by stage and where to look next."""
    console = console or Console()
    _print_head(plan, console)
    for section in sections(plan):
        _print_section(section, console)
    _print_next(plan, console)


def _print_head(plan: Plan, console: Console) -> None:
    start = timezone.localtime(plan.start, plan.city.zone)
    console.rule(f"[bold]{plan.city.label} · {plan}")
    console.print(
        _("State: %(state)s · from %(start)s for a week · solver: %(status)s")
        % {"state": plan.get_state_display(), "start": f"{start:%Y-%m-%d %H:%M %Z}", "status": plan.status}
    )
    if plan.synthetic:
        console.print("[yellow]" + _("This plan rests on synthetic demo data; its figures describe no real day."))


def _print_section(section: Section, console: Console) -> None:
    table = Table(title=section.title, title_justify="left", title_style="bold", caption=section.note or None)
    table.caption_justify = "left"
    for k, header in enumerate(section.headers):
        table.add_column(header, justify="left" if k == 0 else "right", overflow="fold")
    for row in section.rows:
        table.add_row(*row)
    console.print(table)


def _print_next(plan: Plan, console: Console) -> None:
    console.print(_("Where to look next:"), style="bold")
    console.print("  make serve" + " " * 12 + _("then open the address it prints: plans, charts, reports and schedules"))
    console.print(f"  python manage.py plan {plan.city.key} --json plan.json   " + _("every number of the plan"))
