"""Draws the charts that sectors offer of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cities.drawing import PALETTE, figure, svg, time_axis, width_of

from .models import Plan, PlanPart
from .sectors import Chart, ChartRow, sector, sectors

VERSION = 2
"""Raise it when charts are drawn in another way, so that browsers let go of the ones they keep."""
WIDTH, HEIGHT = 10.0, 3.2
ROW_HEIGHT = 0.22
LETTERS = 8.5
"""Size of all texts in points."""
LEGEND = 2.4
"""Inches that the names beside a drawing may take."""
MOST_ROWS = 7
DASHES = ("-", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
"""Lines differ by more than their colour."""


@dataclass(frozen=True)
class Mark:
    """One entry of the legend."""

    label: str
    colour: str
    style: object = "-"
    is_area: bool = False


def charts_of(plan: Plan) -> dict[str, Chart]:
    """All charts of a plan by "<sector>-<key>"; none before it is solved. Charts without rows are left out."""
    if not plan.result:
        return {}
    return {f"{found.name}-{chart.key}": chart for found in sectors() for chart in found.charts(plan) if chart.rows}


def part_charts(part: PlanPart) -> list[Chart]:
    """The charts of a piece of follow-up work that is done."""
    if part.state != PlanPart.State.DONE:
        return []
    return [chart for chart in sector(part.sector).part_charts(part) if chart.rows]


def draw(chart: Chart, plan: Plan) -> str:
    """The chart as one <svg> element with a text alternative, in the plan's local time."""
    steps = plan.times()
    edges = date2num([steps[0][0], *(end for _start, end in steps)])
    if chart.kind == "gantt":
        drawn = _gantt(chart, plan)
    else:
        drawn, axes = figure(WIDTH, HEIGHT)
        marks = {"stack": _stack, "steps": _steps, "levels": _levels}[chart.kind](axes, chart, edges)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_title(chart.unit, loc="left", fontsize=LETTERS)
        _finish(drawn, axes, plan, marks, HEIGHT)
    return svg(drawn, chart.title, description(chart))


def description(chart: Chart) -> str:
    """What the chart shows, in words and figures, for those who do not see it."""
    return " ".join(_row_in_words(chart, row) for row in (*chart.rows, *filter(None, [chart.line])))


def _row_in_words(chart: Chart, row: ChartRow) -> str:
    if chart.kind == "gantt":
        return _("%(label)s: %(count)d runs.") % {"label": row.label, "count": len(row.spans)}
    figures = {"label": row.label, "unit": chart.unit, "low": min(row.values), "high": max(row.values)}
    return _("%(label)s: from %(low).4g to %(high).4g %(unit)s.") % figures


def _stack(axes: Axes, chart: Chart, edges: NDArray[np.float64]) -> list[Mark]:
    rows = fold(chart.rows)
    lower = np.zeros(len(edges))
    marks = []
    for row, colour in zip(rows, PALETTE, strict=False):
        upper = lower + _held(row.values)
        # A white edge parts neighbours whose colours look alike in grey.
        axes.fill_between(edges, lower, upper, step="post", facecolor=colour, edgecolor="white", lw=0.3)
        marks.append(Mark(row.label, colour, is_area=True))
        lower = upper
    if chart.line:
        axes.step(edges, _held(chart.line.values), where="post", color="black", lw=1.2, ls="--")
        marks.append(Mark(chart.line.label, "black", "--"))
    axes.set_ylim(bottom=0)
    return marks[::-1]  # as they lie


def _steps(axes: Axes, chart: Chart, edges: NDArray[np.float64]) -> list[Mark]:
    marks = _marks(chart.rows)
    for row, mark in zip(chart.rows, marks, strict=True):
        axes.step(edges, _held(row.values), where="post", color=mark.colour, ls=mark.style, lw=1.4)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    return marks


def _levels(axes: Axes, chart: Chart, edges: NDArray[np.float64]) -> list[Mark]:
    marks = _marks(chart.rows)
    for row, mark in zip(chart.rows, marks, strict=True):
        axes.plot(edges, row.values, color=mark.colour, ls=mark.style, lw=1.0 if row.is_limit else 1.6)
    axes.set_ylim(bottom=0)
    return marks


def _marks(rows: Sequence[ChartRow]) -> list[Mark]:
    """A colour and a dash for every row; a limit takes the colour of the row before it."""
    marks: list[Mark] = []
    number = -1
    for row in rows:
        number += not row.is_limit
        colour = PALETTE[max(0, number) % len(PALETTE)]
        marks.append(Mark(row.label, colour, (0, (2, 3)) if row.is_limit else DASHES[max(0, number) % len(DASHES)]))
    return marks


def _gantt(chart: Chart, plan: Plan) -> Figure:
    height = 0.9 + ROW_HEIGHT * len(chart.rows)
    drawn, axes = figure(WIDTH, height)
    for k, row in enumerate(chart.rows):
        bars = [(date2num(start), date2num(end) - date2num(start)) for start, end in row.spans]
        axes.broken_barh(bars, (k - 0.35, 0.7), color=PALETTE[0], edgecolor="white", lw=0.8, alpha=0.75)
    labels = [row.label for row in chart.rows]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.25)
    axes.set_xlim(*_first_and_last(chart, plan))
    left = 0.15 + max(width_of(label, LETTERS) for label in labels)
    _finish(drawn, axes, plan, [], height, left)
    return drawn


def _first_and_last(chart: Chart, plan: Plan) -> tuple[float, float]:
    """From the start of the plan to the last end of a span, and at least an hour."""
    ends = [end for row in chart.rows for _start, end in row.spans]
    hour = 1 / 24
    return date2num(plan.start), max([date2num(plan.start) + hour, *map(date2num, ends)])  # there may be no end


def _finish(drawn: Figure, axes: Axes, plan: Plan, marks: list[Mark], height: float, left: float = 0.62) -> None:
    """Time axis, legend on the right and margins that hold the texts."""
    time_axis(axes, plan.city.zone)
    axes.tick_params(labelsize=LETTERS)
    right = 0.15
    if marks:
        right = 0.55 + max(width_of(line, LETTERS) for mark in marks for line in _lines(mark.label))
        _legend(axes, marks)
    drawn.subplots_adjust(left / WIDTH, 0.35 / height, 1 - right / WIDTH, 1 - 0.3 / height)


def _lines(label: str) -> list[str]:
    """A name of the legend on several lines where it would take the room of the drawing."""
    width = width_of(label, LETTERS)
    return [label] if width <= LEGEND else wrap(label, max(1, int(len(label) * LEGEND / width)))


def _legend(axes: Axes, marks: list[Mark]) -> None:
    handles = [
        axes.fill_between([], [], color=mark.colour, lw=0)
        if mark.is_area
        else axes.plot([], [], color=mark.colour, ls=mark.style)[0]
        for mark in marks
    ]
    axes.legend(
        handles,
        ["\n".join(_lines(mark.label)) for mark in marks],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.05),
        frameon=False,
        fontsize=LETTERS,
        handlelength=2.2,
    )


def fold(rows: Sequence[ChartRow]) -> list[ChartRow]:
    """The largest rows first, those without anything left out, and what is more than a palette holds as one."""
    used = sorted((row for row in rows if max(row.values) > 1e-6), key=lambda row: -sum(row.values))
    if len(used) <= MOST_ROWS:
        return used
    kept, small = used[: MOST_ROWS - 1], used[MOST_ROWS - 1 :]
    rest = tuple(sum(values) for values in zip(*(row.values for row in small), strict=True))
    return [*kept, ChartRow(_("%(count)d others") % {"count": len(small)}, rest)]


def _held(values: Sequence[float]) -> NDArray[np.float64]:
    """One value per edge: a rate holds until the end of its step."""
    return np.append(np.asarray(values, dtype=float), values[-1])
