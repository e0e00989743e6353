"""The water side of a plan for its full report: the state of supply, and every turn of the next day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from forecasting.behind import forecasts_behind
from planning.figures import figure, full_moment, moment, percent
from planning.inputs import forecast_table
from planning.models import Plan, PlanPart
from planning.numbers import Numbers
from planning.sectors import Card, Section

from .farmer import why_in_words
from .kernel.policy import Light, measures
from .lasting import lasting
from .light import Outlook, light_name, measure_name, outlook
from .models import Turnout
from .rain_report import irrigation_demand
from .reports import why_no_turns


def headline(plan: Plan) -> Sequence[Card]:
    state = outlook(Numbers(plan))
    return [
        Card(_("Drought light suggested"), light_name(state.light), state.light != Light.NONE),
        Card(_("Days of storage"), lasting(state.days_of_storage, 1)),
    ]


def details(plan: Plan) -> Sequence[Section]:
    """Read when somebody opens a report: the forecasts and turnouts of long ago may be gone by then."""
    ids = plan.snapshot["extra"].get("water", {}).get("forecasts", [])
    tables = [
        state_of_supply(outlook(Numbers(plan))),
        *turns(plan),
        irrigation_demand(Numbers(plan)),
        forecast_table(_("Forecasts of water"), forecasts_behind(ids)),
    ]
    return [table for table in tables if table.rows or table.note]


def state_of_supply(state: Outlook) -> Section:
    rows = [
        (_("Drought light suggested"), light_name(state.light)),
        *((_("Measure"), measure_name(measure)) for measure in measures(state.light) if state.light != Light.NONE),
        (_("Usable storage in the reservoirs now, 10³ m³"), figure(state.storage_km3)),
        (_("Days of the public supply's demand in it"), lasting(state.days_of_storage, 1)),
        (_("Rivers, of what the intakes can carry"), percent(state.river_share)),
        (_("Public supply short in the plan"), percent(state.shortage_share, 1)),
    ]
    note = _("The light is what these figures suggest. The agency sets the real one by judgement.")
    return Section(_("State of supply"), (_("What"), _("Value")), tuple(rows), note)


def turns(plan: Plan) -> list[Section]:
    """Every valve run of the plan's first day in order of time, and the turnouts that get less than they ask for."""
    parts = list(plan.parts.filter(sector="water", state=PlanPart.State.DONE).order_by("key"))
    title = _("Irrigation turns of the next 24 h")
    if not parts:
        return [Section(title, (), (), why_no_turns(plan))]
    names = _turnout_names(plan, parts)
    numbers, zone = Numbers(plan), plan.city.zone
    runs = sorted(((run, part) for part in parts for run in part.result["runs"]), key=lambda pair: pair[0]["start"])
    rows = tuple(
        (
            names[run["turnout"]],
            moment(datetime.fromisoformat(run["start"]), zone),
            moment(datetime.fromisoformat(run["end"]), zone),
            figure(run["volume_m3"]),
            _lateral(numbers, part),
        )
        for run, part in runs
    )
    headers = (_("Turnout"), _("opens"), _("closes"), "m³", _("Lateral"))
    note = _("Valves run from %(start)s on, for 24 h.") % {"start": full_moment(plan.start, zone)}
    return [Section(title, headers, rows, note), _short(numbers, parts, names)]


def _short(numbers: Numbers, parts: Sequence[PlanPart], names: dict[str, str]) -> Section:
    """Those that the turns leave short, and those whose part of the day's water is less than their shortest run."""
    rows = tuple(
        (names[turnout], figure(volume), why, _lateral(numbers, part))
        for part in parts
        for turnout, volume, why in _less(part.result)
    )
    headers = (_("Turnout"), "m³", _("why"), _("Lateral"))
    return Section(
        _("Turnouts that get less"), headers, rows, "" if rows else _("Every turnout gets what it asks for.")
    )


def _less(result: dict[str, Any]) -> Iterator[tuple[str, float, str]]:
    for item in result["short"]:
        yield item["turnout"], item["short_m3"], why_in_words(item["reason"])
    for item in result.get("waiting", []):
        yield item["turnout"], item["part_m3"], _("waits for the next day")


def _lateral(numbers: Numbers, part: PlanPart) -> str:
    return numbers.label(f"irrigation.{part.key}")


def _turnout_names(plan: Plan, parts: Sequence[PlanPart]) -> dict[str, str]:
    """Today's name of every turnout in the turns; its key where it is gone."""
    lists = (part.result.get(what, []) for part in parts for what in ("runs", "short", "waiting"))
    keys = {str(item["turnout"]) for items in lists for item in items}
    known = {row.key: row.label for row in Turnout.objects.filter(city=plan.city_id, key__in=keys)}
    return {key: known.get(key, key) for key in keys}
