"""A report as a printed document (PDF/A-2a and PDF/UA-1), set by typst.

Every text goes to typst as JSON and is never read as markup: a name may hold whatever it likes. Fonts come from
packages, so that every machine prints the same.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib
import typst
from django.utils.translation import gettext as _
from noto_cjk_sans_otc import FONT_PATH
from rich.cells import cell_len

from cities.languages import CHINESE

from .documents import SYNTHETIC, Chapter, Document, Picture
from .figures import full_moment
from .sectors import Section

TEMPLATE = Path(__file__).parent / "report.typ"
# Charts are measured with DejaVu Sans when they are drawn, so they must be printed with it.
FONTS = [os.path.dirname(os.fspath(FONT_PATH)), os.path.join(matplotlib.get_data_path(), "fonts", "ttf")]
LONG = 40
"""A column with a longer text than this, in letters of half a Chinese one, may break its lines."""


def pdf(document: Document) -> bytes:
    """The document as the bytes of a PDF, in the language that it was made in."""
    inputs = {"data": json.dumps(_data(document), ensure_ascii=False)}
    made: bytes = typst.compile(
        TEMPLATE,
        font_paths=FONTS,
        ignore_system_fonts=True,
        sys_inputs=inputs,
        pdf_standards=["a-2a", "ua-1"],
        timestamp=document.made_at.replace(microsecond=0),
    )
    return made


def _data(document: Document) -> dict[str, Any]:
    """What report.typ reads; plain JSON."""
    plan = document.plan
    return {
        "lang": "zh" if document.language == CHINESE else "en",
        "region": "TW" if document.language == CHINESE else "GB",
        "title": document.title,
        "city": plan.city.label,
        "plan": str(plan),
        "revision": _("revision %(number)s") % {"number": plan.pk},
        "printed": _("printed %(at)s") % {"at": full_moment(document.made_at, plan.city.zone)},
        "page": _("page {page} of {pages}"),
        "synthetic": _(SYNTHETIC) if plan.synthetic else "",
        "made": _moment_parts(document.made_at),
        "identity": document.identity,
        "notices": document.notices,
        "cards": [{"label": card.label, "value": card.value, "bad": card.is_bad} for card in document.cards],
        "chapters": [_chapter(chapter) for chapter in document.chapters],
    }


def _moment_parts(at: datetime) -> dict[str, int]:
    """typst knows no time zones: the time of making in UTC."""
    made = at.astimezone(UTC)
    return {name: getattr(made, name) for name in ("year", "month", "day", "hour", "minute", "second")}


def _chapter(chapter: Chapter) -> dict[str, Any]:
    return {"title": chapter.title, "items": [_item(item) for item in chapter.items]}


def _item(item: Section | Picture) -> dict[str, Any]:
    if isinstance(item, Picture):
        return {"kind": "picture", "title": item.title, "svg": item.svg, "words": f"{item.title}. {item.words}"}
    shared = {"title": item.title, "note": item.note, "rows": item.rows}
    if len(item.headers) == 1 or not item.rows:
        return {**shared, "kind": "list"}
    columns = zip(item.headers, *item.rows, strict=True)
    is_long = [max(map(cell_len, column)) > LONG for column in columns]
    return {**shared, "kind": "table", "headers": item.headers, "right": item.are_numbers(), "long": is_long}
