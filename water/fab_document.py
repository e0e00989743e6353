"""A fab's report as a document: page, spreadsheet and PDF are made of it."""

from __future__ import annotations

import math

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from planning.documents import Document, Picture, Steps, chapter, notices_of, now
from planning.figures import figure, moment, money, percent
from planning.sectors import Card, Chart, ChartRow, Section

from .fab import Report, Tank, by_hour
from .fab_words import advice, cubic_metres, facts, notes
from .kernel.units import M3_PER_KM3
from .lasting import lasting


def document(report: Report) -> Document:
    """The report in the active language."""
    what_to_do = advice(report)
    urgent = (_("What to do: %(advice)s") % {"advice": what_to_do},) if what_to_do else ()
    figures = Section(_("In figures"), (_("What"), _("Value")), tuple(facts(report)))
    pictures = [Picture(chart, report.plan) for chart in (_sources_chart(report), *_tank_chart(report))]
    return Document(
        title=_("Water report: %(user)s") % {"user": report.user.label},
        kind=f"{report.user.kind}-{report.user.key}",
        plan=report.plan,
        language=get_language() or "en",
        made_at=now(),
        notices=(*notices_of(report.plan, report.warning), *urgent),
        cards=tuple(_cards(report)),
        chapters=(
            chapter(_("Supply by source"), [_sources(report), *pictures]),
            chapter(_("Safety, light and cost"), [figures]),
            chapter(_("The first day by hour"), [_hours(report)]),
            chapter(_("How to read this"), [_notes(report)]),
        ),
        steps=(_steps(report),),
    )


def _cards(report: Report) -> list[Card]:
    risk, tank = report.risk, report.tank
    return [
        Card(
            _("Planned shortage"), cubic_metres(risk.short_km3) if risk.short_from else _("none"), bool(risk.short_from)
        ),
        Card(_("Own storage"), _own_storage(tank)),
        Card(_("Drought light suggested"), report.light, report.has_light),
        Card(_("Cost on the way to the user"), f"{money(report.plan.city.currency, report.money_per_m3, 2)} / m³"),
    ]


def _own_storage(tank: Tank | None) -> str:
    if tank is None:
        return _("none known")
    return _("%(hours)s h") % {"hours": figure(tank.hours)} if math.isfinite(tank.hours) else lasting(tank.hours)


def _sources(report: Report) -> Section:
    rows = tuple((source.label, figure(source.volume_km3, 1), percent(source.share, 1)) for source in report.sources)
    return Section(_("Supply by source, the week"), (_("Source"), _("10³ m³ in the week"), _("share")), rows)


def _hours(report: Report) -> Section:
    zone = report.plan.city.zone
    headers = (_("hour from"), *(source.label for source in report.sources))
    rows = tuple((moment(start, zone), *map(figure, volumes)) for start, volumes in by_hour(report))
    return Section(_("The first day by hour, m³"), headers, rows)


def _notes(report: Report) -> Section:
    return Section(_("What the figures include"), (_("Note"),), tuple((note,) for note in notes(report)))


def _steps(report: Report) -> Steps:
    """Every step of the plan: what is served, by source, and the own tanks; volumes in m³."""
    hours = report.numbers.hours * M3_PER_KM3
    columns = [report.served * hours, *(source.rates * hours for source in report.sources)]
    tank = [_("own tanks at the end, m³")] if report.tank else []
    if report.tank:
        columns.append(report.tank.levels_km3 * M3_PER_KM3)
    sources = (_("%(source)s, m³") % {"source": source.label} for source in report.sources)
    rows = tuple(tuple(map(float, row)) for row in zip(*columns, strict=True))
    return Steps(_("Week by step"), (_("served, m³"), *sources, *tank), rows)


def _sources_chart(report: Report) -> Chart:
    rows = tuple(ChartRow(source.label, tuple(source.rates.tolist())) for source in report.sources)
    return Chart("sources", _("Supply by source"), _("10³ m³/h"), "stack", rows)


def _tank_chart(report: Report) -> list[Chart]:
    tank = report.tank
    if tank is None:
        return []
    levels = (tank.now_km3, *tank.levels_km3.tolist())
    full = ChartRow(_("capacity"), (tank.capacity_km3,) * len(levels), is_limit=True)
    return [Chart("tank", _("Own tanks"), _("10³ m³"), "levels", (ChartRow(_("held"), levels), full))]
