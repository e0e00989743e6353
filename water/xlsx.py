"""A fab's report as a workbook. Texts stay texts: a name that begins with "=" must not become a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from .fab import Report, by_hour
from .fab_words import facts, notes
from .kernel.units import M3_PER_KM3

OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
SHEET_NAME = 31
"""Letters that a sheet's name may have."""
Cell = str | float | datetime


def workbook(report: Report) -> bytes:
    """The report in the active language: what to know, every step of the week, the first day by hour, and the notes."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        styles = _styles(book)
        _sheet(book, styles, _("Summary"), [_("What"), _("Value")], [list(row) for row in facts(report)], [44, 60])
        _sheet(book, styles, _("Week by step"), *_steps(report))
        _sheet(book, styles, _("First day by hour"), *_hours(report))
        _sheet(book, styles, _("Notes"), [_("Note")], [[note] for note in notes(report)], [110])
    return out.getvalue()


def _steps(report: Report) -> tuple[list[str], list[list[Cell]]]:
    """Every step of the plan: what is served, by source, and the own tanks; volumes in m³."""
    zone, hours = report.plan.city.zone, report.numbers.hours
    tank = [_("own tanks at the end, m³")] if report.tank else []
    headers = [_("from"), _("until"), _("served, m³"), *(_m3(source.label) for source in report.sources), *tank]
    rows: list[list[Cell]] = []
    for k, (start, end) in enumerate(report.plan.times()):
        volumes = [float(source.rates[k] * hours[k]) * M3_PER_KM3 for source in report.sources]
        level = [float(report.tank.levels_km3[k]) * M3_PER_KM3] if report.tank else []
        served = float(report.served[k] * hours[k]) * M3_PER_KM3
        rows.append([_local(start, zone), _local(end, zone), served, *volumes, *level])
    return headers, rows


def _hours(report: Report) -> tuple[list[str], list[list[Cell]]]:
    zone = report.plan.city.zone
    headers = [_("hour from"), *(_m3(source.label) for source in report.sources)]
    return headers, [[_local(start, zone), *volumes] for start, volumes in by_hour(report)]


def _m3(label: str) -> str:
    return _("%(source)s, m³") % {"source": label}


def _local(moment: datetime, zone: Any) -> datetime:
    """A spreadsheet knows no time zones: the city's wall clock."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _styles(book: xlsxwriter.Workbook) -> dict[str, Any]:
    return {
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "number": book.add_format({"num_format": "#,##0.0"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
    }


def _sheet(
    book: xlsxwriter.Workbook,
    styles: dict[str, Any],
    name: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    widths: Sequence[float] = (),
) -> None:
    sheet = book.add_worksheet(name[:SHEET_NAME])
    sheet.freeze_panes(1, 0)
    for column, header in enumerate(headers):
        sheet.set_column(column, column, widths[column] if column < len(widths) else 17)
        sheet.write_string(0, column, header, styles["head"])
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            _write(sheet, styles, number, column, cell)


def _write(sheet: Any, styles: dict[str, Any], row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell, styles["time"])
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, styles["text"])
    else:
        sheet.write_number(row, column, cell, styles["number"])
