"""The pictures of a fab's report."""

from __future__ import annotations

from django.utils.translation import gettext as _

from planning.charts import draw
from planning.sectors import Chart, ChartRow

from .fab import Report


def charts(report: Report) -> list[str]:
    """Supply by source over the week, and the own tanks, as SVG elements."""
    return [draw(chart, report.plan) for chart in [_sources(report), *_tank(report)]]


def _sources(report: Report) -> Chart:
    rows = tuple(ChartRow(source.label, tuple(source.rates.tolist())) for source in report.sources)
    return Chart("sources", _("Supply by source"), _("10³ m³/h"), "stack", rows)


def _tank(report: Report) -> list[Chart]:
    tank = report.tank
    if tank is None:
        return []
    levels = (tank.now_km3, *tank.levels_km3.tolist())
    full = ChartRow(_("full"), (tank.capacity_km3,) * len(levels), is_limit=True)
    return [Chart("tank", _("Own tanks"), _("10³ m³"), "levels", (ChartRow(_("held"), levels), full))]
