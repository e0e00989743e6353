"""A series and its forecast drawn as SVG on the server: no script, sharp at any size, readable by screen readers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib
from django.utils.translation import gettext as _
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

# The server measures Chinese words with a font that lacks them; the reader's own font draws them.
warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
# Texts stay texts, drawn by the reader's own fonts: a server needs no Chinese font.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "headgate",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Noto Sans CJK TC", "Noto Sans TC", "Microsoft JhengHei", "PingFang TC"],
    "axes.spines.top": False,
    "axes.spines.right": False,
}
HISTORY, EXPECTED = "#44546a", "#0b6e99"
INNER, OUTER = ("0.25", "0.75"), ("0.05", "0.95")


def fan_chart(
    history: Sequence[tuple[datetime, float]],
    times: Sequence[datetime],
    mean: Sequence[float],
    quantiles: Mapping[str, Sequence[float]],
    *,
    label: str,
    unit: str,
    zone: ZoneInfo,
) -> str:
    """History as a line and the forecast as a fan of its quantiles, as one <svg> element with a text alternative."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        at = date2num(list(times))
        axes.xaxis_date(zone)
        axes.plot(
            date2num([at for at, _value in history]),
            [value for _at, value in history],
            color=HISTORY,
            lw=1.2,
            label=_("measured"),
        )
        for low, high, alpha in ((*OUTER, 0.15), (*INNER, 0.3)):
            if low in quantiles and high in quantiles:
                name = _("%(share)d %% band") % {"share": round(100 * (float(high) - float(low)))}
                axes.fill_between(at, quantiles[low], quantiles[high], color=EXPECTED, alpha=alpha, lw=0, label=name)
        axes.plot(at, mean, color=EXPECTED, lw=1.5, label=_("expected"))
        locator = AutoDateLocator(tz=zone)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
        axes.set_ylabel(unit)
        axes.grid(axis="y", alpha=0.25)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize="small")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return _accessible(drawn.getvalue(), label, _description(history, mean, unit))


def _description(history: Sequence[tuple[datetime, float]], mean: Sequence[float], unit: str) -> str:
    parts = []
    if history:
        parts.append(_("Last measured: %(value).4g %(unit)s.") % {"value": history[-1][1], "unit": unit})
    if mean:
        figures = {"low": min(mean), "high": max(mean), "unit": unit}
        parts.append(_("Expected from %(low).4g to %(high).4g %(unit)s.") % figures)
    return " ".join(parts) or _("No values yet.")


def _accessible(svg: str, title: str, description: str) -> str:
    """Only the <svg> element, with a title and a description in front of its drawing."""
    element = svg[svg.index("<svg") :]
    head, body = element.split(">", 1)
    texts = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return f'{head} role="img" style="max-width:100%;height:auto">{texts}{body}'


def sparkline(values: Sequence[float], width: int = 120, height: int = 24) -> str:
    """A line without axes for a table cell. Empty for fewer than two values."""
    if len(values) < 2:
        return ""
    low, span = min(values), (max(values) - min(values)) or 1.0
    points = " ".join(
        f"{k * width / (len(values) - 1):.1f},{(height - 2) * (1 - (value - low) / span) + 1:.1f}"
        for k, value in enumerate(values)
    )
    line = f'<polyline points="{points}" fill="none" stroke="{EXPECTED}" stroke-width="1.5"/>'
    return f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">{line}</svg>'
