"""A report as a printed document (PDF/A-2a and PDF/UA-1), set by typst in `planning.typeset`.

Every text goes to typst as JSON and is never read as markup: a name may hold whatever it likes. Fonts come from
packages, so that every machine prints the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import matplotlib
from django.conf import settings
from django.utils.translation import gettext as _
from noto_cjk_sans_otc import FONT_PATH
from rich.cells import cell_len

from cities.languages import CHINESE

from .documents import SYNTHETIC, Chapter, Document, Picture
from .figures import full_moment
from .sectors import Section

# Charts are measured with DejaVu Sans when they are drawn, so they must be printed with it.
FONTS = [os.path.dirname(os.fspath(FONT_PATH)), os.path.join(matplotlib.get_data_path(), "fonts", "ttf")]
PATIENCE_SECONDS = 60
AT_ONCE, WAIT_SECONDS = 2, 10
"""Typesetting processes of one web process, and how long another report waits for its turn: memory is finite."""
_turns = threading.BoundedSemaphore(AT_ONCE)
NOT_PRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff]")
"""What an archivable PDF may not hold, such as characters that only one office's font knows."""
LONG = 40
"""A column with a longer text than this, in letters of half a Chinese one, may break its lines."""


class NotPrinted(Exception):
    """typst refused; the text holds its reasons."""


class NotNow(Exception):
    """Too many reports are being printed, or this one took too long."""


def pdf(document: Document) -> bytes:
    """The document as the bytes of a PDF, in the language that it was made in. Raises NotPrinted and NotNow."""
    made_at = document.made_at.replace(microsecond=0).isoformat()
    asked = json.dumps({"data": _printable(_data(document)), "fonts": FONTS, "made_at": made_at})
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise NotNow(f"{AT_ONCE} other reports are being printed")
    try:
        return _typeset(asked.encode())
    except subprocess.TimeoutExpired as error:
        raise NotNow(f"not printed within {PATIENCE_SECONDS} s") from error
    finally:
        _turns.release()


def _typeset(asked: bytes) -> bytes:
    command = [sys.executable, "-m", "planning.typeset"]
    done = subprocess.run(command, input=asked, capture_output=True, cwd=settings.BASE_DIR, timeout=PATIENCE_SECONDS)
    if done.returncode:
        raise NotPrinted(done.stderr.decode(errors="replace"))
    return done.stdout


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


def _printable(value: Any) -> Any:
    """The same with a replacement character for each that may not be printed."""
    if isinstance(value, str):
        return NOT_PRINTABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


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
