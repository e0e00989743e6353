"""What the typesetter refuses is told with its reasons."""

from __future__ import annotations

import pytest

from planning import pdf
from planning.documents import Chapter, Document
from planning.sectors import Section
from tests.planning.test_spans import START, plan


def document(title: str = "Title") -> Document:
    table = Section("Table", ("a", "b"), (("x", "1"),))
    return Document(title, "kind", plan(START), "en", START, (), (), (Chapter("One", (table,)),), ())


def test_a_document_becomes_a_pdf_without_a_database():
    assert pdf.pdf(document()).startswith(b"%PDF-")


def test_what_cannot_be_set_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pdf, "_printable", lambda data: data)  # a letter of somebody's own font, which PDF/A forbids
    with pytest.raises(pdf.NotPrinted, match="e000"):
        pdf.pdf(document("\ue000"))
