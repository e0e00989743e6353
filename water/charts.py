"""The water side of a plan in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from planning.models import Plan, PlanPart
from planning.numbers import Numbers, Rates, Row
from planning.sectors import Chart, ChartRow

from .models import Turnout


def charts(plan: Plan) -> Sequence[Chart]:
    numbers = Numbers(plan)
    return [supply(numbers), users(numbers), reservoirs(numbers), valve_runs(numbers)]


def supply(numbers: Numbers) -> Chart:
    """Where the city's works and canals take their water."""
    rows = [*numbers.links("intake"), *numbers.supplies("source")]
    return Chart("supply", _("Water by source"), _("10³ m³/h"), "stack", tuple(map(_rates, rows)), None, _("10³ m³"))


def users(numbers: Numbers) -> Chart:
    """What users get by class, with what they want over it."""
    classes = {
        _("households"): ("zone",),
        _("fabs"): ("fab",),
        _("industry"): ("industry",),
        _("irrigation"): ("irrigation",),
    }
    rows = [ChartRow(label, tuple(_total(numbers, numbers.served(*roles)))) for label, roles in classes.items()]
    roles = tuple(role for group in classes.values() for role in group)
    wanted = _total(numbers, numbers.served(*roles)) + _total(numbers, numbers.short(*roles))
    line = ChartRow(_("wanted"), tuple(wanted))
    return Chart("users", _("Water wanted and served"), _("10³ m³/h"), "stack", tuple(rows), line, _("10³ m³"))


def reservoirs(numbers: Numbers) -> Chart:
    """How full each reservoir is, with its lowest allowed level."""
    rows = []
    for row in numbers.levels("reservoir"):
        stated = numbers.case["stores"][row.name]
        full = numbers.stated("stores", row.name, "capacity_by_step", stated.get("capacity", 0.0))
        least = numbers.stated("stores", row.name, "min_by_step", stated.get("min", 0.0))
        if full.min() <= 0:  # out of use: nothing to be a share of
            continue
        levels = np.array([stated["initial"], *row.rates])
        rows.append(ChartRow(row.label, _share(levels, full)))
        rows.append(ChartRow(_("lowest: %(place)s") % {"place": row.label}, _share(least, full), is_limit=True))
    return Chart("reservoirs", _("Storage of reservoirs"), _("% of capacity"), "levels", tuple(rows))


def valve_runs(numbers: Numbers) -> Chart:
    """When the valves of each lateral are open."""
    parts = numbers.plan.parts.filter(sector="water", state=PlanPart.State.DONE).order_by("key")
    rows = tuple(
        ChartRow(numbers.label(f"irrigation.{part.key}"), spans=tuple(map(_span, _runs(part)))) for part in parts
    )
    return Chart("valves", _("Valve runs by lateral"), "", "gantt", rows)


def part_charts(part: PlanPart) -> Sequence[Chart]:
    """A lateral's turns, valve by valve in the order in which they open."""
    runs = sorted(_runs(part), key=lambda run: run["start"])
    keys = list(dict.fromkeys(run["turnout"] for run in runs))
    found = Turnout.objects.filter(city_id=part.plan.city_id, key__in=keys)
    labels = {turnout.key: turnout.label for turnout in found}
    rows = tuple(
        ChartRow(labels.get(key, key), spans=tuple(_span(run) for run in runs if run["turnout"] == key)) for key in keys
    )
    return [Chart("turns", _("Turns of the lateral's valves"), "", "gantt", rows)]


def _runs(part: PlanPart) -> list[dict[str, Any]]:
    return list((part.result or {})["runs"])


def _rates(row: Row) -> ChartRow:
    return ChartRow(row.label, tuple(row.rates))


def _total(numbers: Numbers, rows: Sequence[Row]) -> Rates:
    return sum((row.rates for row in rows), np.zeros_like(numbers.hours))


def _share(levels: Rates, full: Rates) -> tuple[float, ...]:
    """Percent of the capacity at the start and at every end of a step."""
    first = len(full) + 1 - len(levels)  # limits come without a value at the start
    levels = np.append(np.repeat(levels[0], first), levels)
    return tuple(100 * levels / np.append(full[0], full))


def _span(run: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(run["start"]), datetime.fromisoformat(run["end"])
