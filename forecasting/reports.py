"""What people read of a series beside its fields: how it runs, how it is forecast, how good that was, what is wrong."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pandas as pd
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .alerts import open_alerts
from .charts import fan_chart, skill_chart
from .models import NEWEST_FIRST, Forecast, Lead, Series
from .readers import history
from .scoring import SHOWN_DAYS, Record, daily_records, records
from .words import alert_text, cleaning_rows, method_text

CHART_DAYS = 14
CLEANING_TABLE = "forecasting/cleaning.html"


def series_context(series: Series) -> dict[str, Any]:
    """What the page of a series shows above its fields."""
    newest = Forecast.objects.filter(series=series).order_by(*NEWEST_FIRST).select_related("series__city").first()
    known_at = newest.known_at if newest else timezone.now()
    _values, synthetic = history(series, known_at, CHART_DAYS)
    return {
        "chart": chart_of(series, newest, known_at),
        "forecast": newest,
        "known_at": local(newest.known_at, series) if newest else None,
        "method": method_text(newest.weights, newest.method) if newest else "",
        "cleaning": cleaning_table(newest) if newest else "",
        "alerts": [{"since": local(alert.since, series), "text": alert_text(alert), "kind": alert.get_kind_display()}
                   for alert in open_alerts(series)],
        "scores": score_rows(series, timezone.now()),
        "skill_chart": skill_chart_of(series, timezone.now()),
        "score_days": SHOWN_DAYS,
        "is_synthetic": synthetic or bool(newest and newest.synthetic),
    }  # fmt: skip


def local(moment: datetime, series: Series) -> datetime:
    """In the city's time, which templates then keep."""
    return moment.astimezone(series.city.zone)


def score_rows(series: Series, now: datetime) -> list[dict[str, str | int | bool]]:
    """The figures of the last weeks by group of leads, as texts."""
    return [_score_row(record) for record in records(series, now)]


def _score_row(record: Record) -> dict[str, str | int | bool]:
    tally = record.tally
    amounts = {"mae": tally.mae, "naive_mae": tally.naive_mae, "pinball": tally.pinball, "bias": tally.bias}
    shares = {"skill": tally.skill, "covered_50": tally.covered_50, "covered_90": tally.covered_90}
    return {
        "lead": str(record.lead.label),
        "forecasts": record.forecasts,
        "steps": tally.count,
        "synthetic": record.synthetic,
        **{name: "–" if value is None else f"{value:.4g}" for name, value in amounts.items()},
        **{name: "–" if value is None else f"{100 * value:.0f} %" for name, value in shares.items()},
    }


def skill_chart_of(series: Series, now: datetime) -> SafeString:
    """Skill by day and group of leads as SVG; empty while nothing has been judged."""
    lines: dict[str, list[tuple[datetime, float]]] = {str(lead.label): [] for lead in Lead}
    for record in daily_records(series, now):
        if record.day is not None and record.tally.skill is not None:
            noon = datetime.combine(record.day, time(12), series.city.zone)
            lines[str(record.lead.label)].append((noon, record.tally.skill))
    drawn = {name: points for name, points in lines.items() if points}
    if not drawn:
        return SafeString("")
    chart = skill_chart(
        drawn, label=_("Skill of the forecasts of %(series)s") % {"series": series.label}, zone=series.city.zone
    )
    return mark_safe(chart)  # noqa: S308 - drawn here; names are escaped


def cleaning_table(forecast: Forecast) -> SafeString:
    """What cleaning and fallbacks did before a forecast was made, as a table."""
    rows = cleaning_rows(forecast, forecast.series.city.zone)
    return render_to_string(CLEANING_TABLE, {"rows": rows})


def chart_of(series: Series, forecast: Forecast | None, known_at: datetime) -> SafeString:
    """Two weeks of history and the forecast as SVG."""
    values, _synthetic = history(series, known_at, CHART_DAYS)
    drawn = fan_chart(
        list(zip(pd.DatetimeIndex(values.index).to_pydatetime(), values.tolist(), strict=True)),
        forecast.times if forecast else [],
        forecast.mean if forecast else [],
        forecast.quantiles if forecast else {},
        label=series.label,
        unit=series.unit_label,
        zone=series.city.zone,
        steps=series.is_schedule,
    )
    return mark_safe(drawn)  # noqa: S308 - drawn here; names are escaped


def badge(text: str, colour: str) -> SafeString:
    style = f"background:{colour};color:#fff;border-radius:3px;padding:1px 6px;font-size:.85em;white-space:nowrap"
    return format_html('<span style="{}">{}</span>', style, text)


def synthetic_badge(synthetic: bool | None) -> SafeString:
    """The mark that stands wherever an invented value shows."""
    return badge(_("synthetic"), "#8a5a00") if synthetic else SafeString("")
