"""The power side of a plan in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.utils.translation import gettext as _

from planning.models import Plan
from planning.numbers import Numbers, Rates, Row
from planning.sectors import Chart, ChartRow


def charts(plan: Plan) -> Sequence[Chart]:
    numbers = Numbers(plan)
    return [supply(numbers), prices(numbers), batteries(numbers), depots(numbers)]


def supply(numbers: Numbers) -> Chart:
    """Everything that brings power, what batteries give included, with the load that people and works draw over it."""
    rows = [*numbers.supplies("purchase", "solar"), *(_delivered(numbers, row) for row in numbers.links("discharge"))]
    charged = sum((row.rates for row in numbers.links("charge")), np.zeros_like(numbers.hours))
    total = sum((row.rates for row in rows), np.zeros_like(numbers.hours))
    line = ChartRow(_("without charging"), tuple(total - charged)) if charged.any() else None
    return Chart("supply", _("Power by source"), "MW", "stack", tuple(map(_rates, rows)), line, "MWh")


def prices(numbers: Numbers) -> Chart:
    """The tariffs paid, and what one more MWh would cost where most is bought."""
    tariffs: dict[bytes, ChartRow] = {}
    bought = sorted(numbers.supplies("purchase"), key=lambda row: -numbers.amount(row.rates))
    for row in bought:
        cost = numbers.stated("supplies", row.name, "cost")
        label = _("tariff: %(place)s") % {"place": row.label}
        tariffs.setdefault(cost.tobytes(), ChartRow(label, tuple(cost)))
    rows = list(tariffs.values())
    if bought:
        bus = numbers.case["supplies"][bought[0].name]["bus"]
        marginal = (numbers.plan.result or {})["prices"].get(bus)
        label = _("one more MWh: %(place)s") % {"place": numbers.label(bus)}
        rows += [ChartRow(label, tuple(marginal))] if marginal else []
    unit = f"{numbers.plan.city.currency}/MWh"
    return Chart("prices", _("Price of power"), unit, "steps", tuple(rows))


def batteries(numbers: Numbers) -> Chart:
    return Chart("batteries", _("State of charge of batteries"), "MWh", "levels", _levels(numbers, "battery"))


def depots(numbers: Numbers) -> Chart:
    return Chart("depots", _("State of charge of electric buses"), "MWh", "levels", _levels(numbers, "depot"))


def _delivered(numbers: Numbers, row: Row) -> Row:
    """What reaches the grid of what leaves the cells."""
    return replace(row, rates=row.rates * sum(numbers.case["links"][row.name]["to"].values()))


def _rates(row: Row) -> ChartRow:
    return ChartRow(row.label, tuple(row.rates))


def _levels(numbers: Numbers, role: str) -> tuple[ChartRow, ...]:
    """Each store's level from the start on, and its capacity where it stands alone."""
    found = numbers.levels(role)
    rows = [ChartRow(row.label, _from_start(numbers, row)) for row in found]
    if len(found) == 1:
        rows += [_edge_values(_("capacity"), numbers.stated("stores", found[0].name, "capacity"))]
    return tuple(rows)


def _from_start(numbers: Numbers, row: Row) -> tuple[float, ...]:
    return (float(numbers.case["stores"][row.name]["initial"]), *row.rates)


def _edge_values(label: str, values: Rates) -> ChartRow:
    """A limit per step as a value at the start and at each end."""
    return ChartRow(label, (float(values[0]), *values), is_limit=True)
