"""What every chart shares: drawn as SVG on the server, so no script, sharp at any size, readable by screen readers."""

from __future__ import annotations

import io
import re
import threading
import unicodedata
import warnings
from datetime import tzinfo
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

# The server measures Chinese words with a font that lacks them; the reader's own font draws them.
warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
# Texts stay texts, drawn by the reader's own fonts: a server needs no Chinese font. Set once for the process, because
# rc_context() would change and restore it under the hands of other threads that draw.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "headgate",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Noto Sans CJK TC", "Noto Sans TC", "Microsoft JhengHei", "PingFang TC"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}
matplotlib.rcParams.update(STYLE)
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")
"""Okabe and Ito (2008), Color Universal Design: told apart with every common form of colour blindness. Grey stands in
for their yellow, which nobody sees as a line on white."""
# Numbers only: month names would need a translation.
_DATES = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S.%f"]
_MIDNIGHTS = ["", "%Y", "%m-%d", "%m-%d", "%H:%M", "%H:%M"]
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""A name with one of these would spoil the whole drawing."""
_drawing = threading.Lock()  # matplotlib's caches of fonts and texts are not made for threads


def figure(width: float, height: float, **options: Any) -> tuple[Figure, Axes]:
    """A figure of so many inches (72 CSS px each) with one pair of axes."""
    drawn = Figure(figsize=(width, height), **options)
    axes = drawn.subplots()
    axes.grid(axis="y", alpha=0.25)
    return drawn, axes


def time_axis(axes: Axes, zone: tzinfo) -> None:
    """Days and hours of the city, not of the server."""
    axes.xaxis_date(zone)
    locator = AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(locator, tz=zone, formats=_DATES, zero_formats=_MIDNIGHTS, show_offset=False)
    )


def width_of(text: str, points: float) -> float:
    """About how wide a text is in inches, with Chinese characters as wide as they are high."""
    ems = sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6 for letter in text)
    return ems * points / 72


def svg(drawn: Figure, title: str, description: str) -> str:
    """The <svg> element alone, with a title and a description in front of its drawing."""
    out = io.StringIO()
    with _drawing:
        drawn.savefig(out, format="svg", metadata={"Date": None})
    text = NOT_XML.sub("\ufffd", out.getvalue())
    head, body = text[text.index("<svg") :].split(">", 1)
    texts = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return f'{head} role="img" style="max-width:100%;height:auto">{texts}{body}'
