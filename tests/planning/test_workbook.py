"""A spreadsheet of whatever numbers a plan holds."""

from __future__ import annotations

import dataclasses
import io
import math

import openpyxl

from planning.documents import Chapter, Steps
from planning.figures import figure
from planning.sectors import Section
from planning.workbook import workbook
from tests.planning.test_pdf import document


def test_what_is_no_finite_number_becomes_a_text():
    table = Section("Stock", ("days", "hours"), ((figure(math.inf, 1), figure(math.nan)), (figure(2.5, 1), figure(60))))
    steps = Steps("Levels", ("tank",), ((math.nan,), (math.inf,), (-math.inf,), (3.0,)))
    found = dataclasses.replace(document(), chapters=(Chapter("One", (table,)),), steps=(steps,))
    book = openpyxl.load_workbook(io.BytesIO(workbook(found)))
    assert [row[:2] for row in book["One"].iter_rows(min_row=3, values_only=True)] == [("∞", "–"), (2.5, 60)]
    # a minus sign at the start of a text is guarded
    assert [row[2] for row in book["Levels"].iter_rows(min_row=2, values_only=True)] == ["–", "∞", "'-∞", 3]


def test_a_sheets_long_name_ends_with_a_whole_word_and_stays_its_own():
    table = Section("Stock", ("tank", "hours"), (("a", figure(2.5, 1)),))
    titles = ("Turnouts that get less than they asked for", "Turnouts that get less than they need", "水" * 40)
    found = dataclasses.replace(document(), chapters=tuple(Chapter(title, (table,)) for title in titles), steps=())
    book = openpyxl.load_workbook(io.BytesIO(workbook(found)))
    assert book.sheetnames[1:] == ["Turnouts that get less than", "Turnouts that get less than 2", "水" * 31]
