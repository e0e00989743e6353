"""A plan on a terminal."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

from .models import Plan
from .sectors import Section
from .summary import sections
from .words import status_warning, status_words


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
    words = {"state": plan.get_state_display(), "status": status_words(plan.status)}
    words["start"] = f"{start:%Y-%m-%d %H:%M %Z}"
    console.print(_("State: %(state)s · from %(start)s for a week · solver: %(status)s") % words)
    if warning := status_warning(plan.status):
        console.print(f"[bold yellow]{warning}")
    if plan.synthetic:
        console.print("[yellow]" + _("This plan rests on synthetic demo data; its figures describe no real day."))


def _print_section(section: Section, console: Console) -> None:
    """A table with its note below; findings of one column as a list, and an empty table as its note alone."""
    console.print(f"\n[bold]{section.title}")
    if len(section.headers) == 1:
        found = Table.grid("", Column(overflow="fold"), padding=(0, 1))  # a Chinese sentence has no space to break at
        for (text,) in section.rows:
            found.add_row("•", text)
        console.print(found)
    elif section.rows:
        console.print(_table(section, console.width))
    if section.note:
        console.print(section.note, style="dim")


def _table(section: Section, width: int) -> Table:
    """Numbers keep their width and their headers may wrap; the names in the first column take what is left."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    columns = list(zip(*section.rows, strict=True))[1:]
    table.add_column(section.headers[0], overflow="fold")
    for header, column, right in zip(section.headers[1:], columns, section.are_numbers()[1:], strict=True):
        widest = max(cell_len(text) for text in (*column, *header.split()))
        two_lines = cell_len(header) // 2 + 1
        fits = min(max(widest, two_lines), width // 2) if right else None
        table.add_column(header, justify="right" if right else "left", min_width=fits, max_width=fits, overflow="fold")
    for row in section.rows:
        table.add_row(*row)
    return table


def _print_next(plan: Plan, console: Console) -> None:
    console.print("\n" + _("Where to look next:"), style="bold")
    commands = {
        "make serve": _("then open the address it prints: plans, charts, reports and schedules"),
        f".venv/bin/python manage.py plan {plan.city.key} --json plan.json": _("every number of the plan"),
    }
    for command, what in commands.items():
        console.print(f"  {command}\n      {what}")
