"""What the typesetter refuses is told with its reasons."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from planning import pdf
from planning.documents import Chapter, Document
from planning.sectors import Section
from tests.planning.test_spans import START, plan

TABLE = Section("Table", ("a", "b"), (("x", "1"),))


def document(title: str = "Title", table: Section = TABLE) -> Document:
    return Document(title, "kind", plan(START), "en", START, (), (), (Chapter("One", (table,)),), ())


def test_a_document_becomes_a_pdf_without_a_database():
    assert pdf.pdf(document()).startswith(b"%PDF-")


def test_what_cannot_be_set_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pdf, "_printable", lambda data: data)  # a letter of somebody's own font, which PDF/A forbids
    with pytest.raises(pdf.NotPrinted, match="e000"):
        pdf.pdf(document("\ue000"))


def test_columns_with_long_heads_do_not_lie_on_each_other_where_many_fill_the_page():
    long = [f"Riverbed water of the villages above the {n}th weir" for n in range(2)]
    heads = ("hour from", *(f"Stock of reservoir {n}" for n in range(7)), *long)
    cells = ("2026-11-21 15:00", *map(str, range(101, 110)))
    made = pdf.pdf(document(table=Section("Hours", heads, (cells,))))
    where: dict[str, float] = {}

    def note(text: str, page: list[float], line: list[float], *_: object) -> None:
        where[text.strip()] = page[0] * line[4] + page[4]

    for page in PdfReader(BytesIO(made)).pages:
        page.extract_text(visitor_text=note)
    places = [where[str(n)] for n in range(101, 110)]
    assert all(right - left > 20 for left, right in zip(places, places[1:], strict=False)), places
