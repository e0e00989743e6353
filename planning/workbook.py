"""A report as a spreadsheet. Texts stay texts: a name that begins with "=" must not become a formula."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.translation import gettext as _

from .documents import Chapter, Document, Steps
from .figures import Figure, figure
from .sectors import Section

OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
SHEET_NAME = 31
"""Letters that a sheet's name may have."""
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
FIRST_WIDTH, WIDTH = 44, 17
Cell = str | float | datetime


def workbook(document: Document) -> bytes:
    """What the report is of, its head, a sheet per chapter, and a sheet of numbers by step per picture."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        book.set_properties({"title": document.title, "subject": str(document.plan), "author": "Headgate"})
        sheets = _Sheets(book, document.plan.city.zone)
        sheets.tables(_("About"), [_about(document), _summary(document)])
        for chapter in document.chapters:
            sheets.tables(chapter.title, _sections(chapter))
        spans = document.plan.times()
        for steps in document.steps:
            sheets.steps(steps, spans)
    return out.getvalue()


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula, even after somebody has saved it as CSV."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _about(document: Document) -> Section:
    number = (_("Plan number (UUID)"), str(document.plan.uid))
    rows = [*document.identity, number, *((_("Note"), notice) for notice in document.notices)]
    return Section(document.title, (_("What"), _("Value")), tuple(rows))


def _summary(document: Document) -> Section:
    return Section(
        _("At a glance"), (_("What"), _("Value")), tuple((card.label, card.value) for card in document.cards)
    )


def _sections(chapter: Chapter) -> list[Section]:
    return [item for item in chapter.items if isinstance(item, Section)]


class _Sheets:
    """The sheets of one workbook, with its formats and the names that are taken."""

    def __init__(self, book: xlsxwriter.Workbook, zone: ZoneInfo) -> None:
        self.book, self.zone = book, zone
        self.names: set[str] = set()
        self.forms: dict[str, Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 13})
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.quiet = book.add_format({"italic": True, "font_color": "#55606b"})
        self.time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def tables(self, name: str, sections: Iterable[Section]) -> None:
        """A sheet of tables one below the other, each with its title and note; none without tables."""
        found = list(sections)
        if not found:
            return
        sheet = self._sheet(name)
        sheet.set_column(0, 0, FIRST_WIDTH)
        sheet.set_column(1, max(1, *(len(section.headers) for section in found)), WIDTH)
        row = 0
        for section in found:
            row = self._table(sheet, section, row) + 1

    def steps(self, steps: Steps, spans: Sequence[tuple[datetime, datetime]]) -> None:
        """A flat sheet with a filter: from, until, and a column per row of the picture."""
        sheet = self._sheet(steps.title)
        headers = [_("from"), _("until"), *steps.headers]
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, len(headers) - 1, WIDTH)
        sheet.autofilter(0, 0, len(steps.rows), len(headers) - 1)
        self._row(sheet, 0, headers, self.head)
        for number, ((start, end), values) in enumerate(zip(spans, steps.rows, strict=True), start=1):
            self._row(sheet, number, [start, end, *values], self.text)

    def _table(self, sheet: Any, section: Section, row: int) -> int:
        """Writes a table from a row on; returns the row below it."""
        sheet.write_string(row, 0, guarded(section.title), self.title)
        row += 1
        if section.rows:
            self._row(sheet, row, section.headers, self.head)
            for cells in section.rows:
                row += 1
                self._row(sheet, row, cells, self.text)
            row += 1
        if section.note:
            sheet.write_string(row, 0, guarded(section.note), self.quiet)
            row += 1
        return row

    def _row(self, sheet: Any, row: int, cells: Iterable[Cell], style: Any) -> None:
        for column, cell in enumerate(cells):
            self._write(sheet, row, column, cell, style)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell, style: Any) -> None:
        if isinstance(cell, datetime):
            # A spreadsheet knows no time zones: the city's wall clock.
            sheet.write_datetime(row, column, cell.astimezone(self.zone).replace(tzinfo=None), self.time)
        elif isinstance(cell, Figure) and math.isfinite(cell.value):
            sheet.write_number(row, column, cell.value, self._form(cell.form))
        elif isinstance(cell, str):
            sheet.write_string(row, column, guarded(cell), style)
        elif math.isfinite(cell):
            sheet.write_number(row, column, cell, self._form("#,##0.00"))
        else:  # a spreadsheet has no number for it, and one such cell would spoil the whole file
            sheet.write_string(row, column, guarded(figure(cell)), style)

    def _form(self, form: str) -> Any:
        if form not in self.forms:
            self.forms[form] = self.book.add_format({"num_format": form, "valign": "top"})
        return self.forms[form]

    def _sheet(self, name: str) -> Any:
        """A new sheet whose name is legal and not yet taken, whatever the language makes of it."""
        legal = NOT_IN_NAMES.sub(" ", name).strip() or "–"
        number, free = 1, _cut(legal, SHEET_NAME)
        while free.casefold() in self.names:
            number += 1
            free = f"{_cut(legal, SHEET_NAME - 3)} {number}"
        self.names.add(free.casefold())
        return self.book.add_worksheet(free)


def _cut(name: str, most: int) -> str:
    """The words that fit, or the letters where there is one word, as in Chinese."""
    if len(name) <= most:
        return name
    words, gap, _rest = name[: most + 1].rpartition(" ")
    return words.rstrip(" ,;:–-") if gap else name[:most]
