"""A series and its forecast drawn as SVG on the server: no script, sharp at any size, readable by screen readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from matplotlib.dates import date2num

from cities.drawing import PALETTE, figure, svg, time_axis

HISTORY, EXPECTED, MEAN = "#44546a", "#0b6e99", "#a34700"
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
    steps: bool = False,
) -> str:
    """History as a line and the forecast as a fan of its quantiles, as one <svg> element with a text alternative.

    steps   draw values that hold until the next one, as schedules do
    """
    drawn, axes = figure(9, 3.4, layout="constrained")
    at, drawn_as = date2num(list(times)), "steps-post" if steps else "default"
    axes.plot(
        date2num([at for at, _value in history]),
        [value for _at, value in history],
        color=HISTORY,
        lw=1.2,
        drawstyle=drawn_as,
        label=_("announced") if steps else _("measured"),
    )
    bands = () if steps else ((*OUTER, 0.15), (*INNER, 0.3))
    for low, high, alpha in bands:
        if low in quantiles and high in quantiles:
            name = _("%(share)d %% band") % {"share": round(100 * (float(high) - float(low)))}
            axes.fill_between(at, quantiles[low], quantiles[high], color=EXPECTED, alpha=alpha, lw=0, label=name)
    if "0.5" in quantiles and not steps:
        # Of a river in recession floods lift the mean above most of what may come: both are told apart.
        axes.plot(at, quantiles["0.5"], color=EXPECTED, lw=1.5, label=_("median"))
        axes.plot(at, mean, color=MEAN, lw=1.3, ls="--", label=_("mean, which plans count on"))
    else:
        axes.plot(at, mean, color=EXPECTED, lw=1.5, drawstyle=drawn_as, label=_("expected"))
    time_axis(axes, zone)
    axes.set_ylabel(unit)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, frameon=False, fontsize="small")
    return svg(drawn, label, _description(history, mean, unit))


def skill_chart(lines: Mapping[str, Sequence[tuple[datetime, float]]], *, label: str, zone: ZoneInfo) -> str:
    """Skill (1 is perfect, 0 no better than repeating the past) by day, one line per name, as one <svg> element."""
    drawn, axes = figure(9, 2.6, layout="constrained")
    for (name, points), colour in zip(lines.items(), PALETTE, strict=False):
        at = date2num([at for at, _skill in points])
        axes.plot(at, [100 * skill for _at, skill in points], color=colour, lw=1.4, marker=".", label=name)
    axes.axhline(0, color=HISTORY, lw=0.8)
    # A calm day divides by next to nothing; the line then leaves the picture instead of flattening it.
    axes.set_ylim(-100, 100)
    axes.set_ylabel(_("skill, %"))
    time_axis(axes, zone)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize="small")
    told = [
        _("%(name)s: %(skill).0f %% on the last day.") % {"name": name, "skill": 100 * points[-1][1]}
        for name, points in lines.items()
        if points
    ]
    return svg(drawn, label, " ".join(told))


def _description(history: Sequence[tuple[datetime, float]], mean: Sequence[float], unit: str) -> str:
    parts = []
    if history:
        parts.append(_("Last measured: %(value).4g %(unit)s.") % {"value": history[-1][1], "unit": unit})
    if mean:
        figures = {"low": min(mean), "high": max(mean), "unit": unit}
        parts.append(_("Expected from %(low).4g to %(high).4g %(unit)s.") % figures)
    return " ".join(parts) or _("No values yet.")


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
