"""What people read of a series beside its fields: how it runs, how it is forecast, how good that was, what is wrong."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pandas as pd
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from .alerts import open_alerts
from .charts import fan_chart, skill_chart
from .models import NEWEST_FIRST, Forecast, Lead, Series
from .readers import history, is_stale, latest
from .scoring import SHOWN_DAYS, Record, daily_records, records
from .words import alert_text, cleaning_rows, method_text

CHART_DAYS = 14
BAD = "#a1261f"
CLEANING_TABLE = "forecasting/cleaning.html"


def series_context(series: Series) -> dict[str, Any]:
    """What the page of a series shows above its fields."""
    now = timezone.now()
    newest = Forecast.objects.filter(series=series).order_by(*NEWEST_FIRST).select_related("series__city").first()
    known_at = newest.known_at if newest else now
    _values, synthetic = history(series, known_at, CHART_DAYS)
    return {
        "chart": chart_of(series, newest, known_at),
        "facts": facts(series, newest, now),
        "forecast": newest,
        "cleaning": cleaning_table(newest) if newest else "",
        "alerts": [{"since": local(alert.since, series), "text": alert_text(alert), "kind": alert.get_kind_display()}
                   for alert in open_alerts(series)],
        "scores": score_rows(series, now),
        "skill_chart": skill_chart_of(series, now),
        "score_days": SHOWN_DAYS,
        "unit": series.unit_label,
        "is_synthetic": synthetic or bool(newest and newest.synthetic),
    }  # fmt: skip


def facts(series: Series, forecast: Forecast | None, now: datetime) -> list[tuple[str, SafeString | str]]:
    """How the series stands: what was measured last, what comes next and why."""
    found = [(_("Last value"), _last(series, now))]
    if forecast:
        found += [
            (_("Next 24 hours"), _coming(series, forecast, now)),
            (_("Method"), method_text(forecast.weights, forecast.method)),
            (_("Forecast from what was known at"), f"{local(forecast.known_at, series):%Y-%m-%d %H:%M}"),
        ]
    return [*found, (_("Explained by"), driver_links(series))] if series.drivers else found


def _last(series: Series, now: datetime) -> SafeString | str:
    row = latest(series, now)
    if row is None:
        return badge(_("no value"), BAD)
    told = f"{row.value:.5g} {series.unit_label} · {local(row.valid_at, series):%Y-%m-%d %H:%M}"
    return format_html("{} · {} {}", told, age_badge(series, row.valid_at, now), synthetic_badge(row.synthetic))


def _coming(series: Series, forecast: Forecast, now: datetime) -> str:
    """The mean of the next day, and how low and how high the 90 % band reaches in it."""
    near = [k for k, at in enumerate(forecast.times) if now - forecast.step < at < now + timedelta(days=1)]
    if not near:
        return _("the forecast ends before them")
    words = {"mean": sum(forecast.mean[k] for k in near) / len(near), "unit": series.unit_label}
    if series.is_schedule or not {"0.05", "0.95"} <= set(forecast.quantiles):
        return _("%(mean).4g %(unit)s on average") % words
    low, high = (pick(forecast.quantiles[q][k] for k in near) for q, pick in (("0.05", min), ("0.95", max)))
    band = _("%(mean).4g %(unit)s on average, from %(low).4g to %(high).4g %(unit)s within the 90 %% band")
    return band % {**words, "low": low, "high": high}


def age_badge(series: Series, last_at: datetime, now: datetime) -> SafeString | str:
    """How old a value is, marked where that is too old."""
    text = age_text(now - last_at - series.step)
    return badge(_("stale: %(age)s") % {"age": text}, BAD) if is_stale(series, last_at, now) else text


def age_text(age: timedelta) -> str:
    hours = age / timedelta(hours=1)
    if hours < 1:
        return _("%(minutes)d min") % {"minutes": max(0, round(60 * hours))}
    return _("%(hours).0f h") % {"hours": hours} if hours < 72 else _("%(days).0f days") % {"days": hours / 24}


def driver_links(series: Series) -> SafeString:
    """The series that explain this one, by name."""
    named = {row.key: row for row in Series.objects.filter(city=series.city_id, key__in=series.drivers)}
    rows = [named[key] for key in series.drivers if key in named]
    page = "admin:forecasting_series_change"
    return format_html_join(", ", '<a href="{}">{}</a>', ((reverse(page, args=[row.pk]), row.label) for row in rows))


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
