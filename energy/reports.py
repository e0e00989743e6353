"""The power side of a plan in tables: what is bought and when, sun, batteries, buses, money and carbon."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from planning.models import Plan
from planning.numbers import Numbers, Row
from planning.sectors import Section

KWH_PER_MWH = 1000.0
KG_PER_T = 1000.0


def summary(plan: Plan) -> Sequence[Section]:
    numbers = Numbers(plan)
    tables = [purchases(numbers), solar(numbers), storage(numbers), charging(numbers)]
    return [table for table in tables if table.rows]


def purchases(numbers: Numbers) -> Section:
    """Energy, highest quarter-hour or hour, cost and carbon of every grid connection."""
    currency = numbers.plan.city.currency
    headers = (_("Connection"), "MWh", _("peak MW"), _("contract MW"), currency, _("t CO₂e"))
    extra = numbers.plan.snapshot["extra"]["energy"]
    rows = tuple(_purchase_row(numbers, row, extra) for row in numbers.supplies("purchase"))
    return Section(_("Power purchase"), headers, rows, _("Cost by the time-of-use tariff; basic fees are left out."))


def purchase_cost(numbers: Numbers, row: Row) -> float:
    """Money for the energy of one connection over the plan."""
    return numbers.amount(row.rates * numbers.stated("supplies", row.name, "cost"))


def solar(numbers: Numbers) -> Section:
    headers = (_("Solar park"), _("used MWh"), _("curtailed MWh"))
    rows = []
    for row in numbers.supplies("solar"):
        curtailed = numbers.amount(numbers.stated("supplies", row.name, "max") - row.rates)
        rows.append((row.label, f"{numbers.amount(row.rates):,.0f}", f"{max(0.0, curtailed):,.0f}"))
    return Section(_("Solar power"), headers, tuple(rows))


def storage(numbers: Numbers) -> Section:
    headers = (_("Battery"), _("charged MWh"), _("discharged MWh"), _("MWh at the end"))
    levels = {row.asset: row for row in numbers.levels("battery")}
    discharged = {row.asset: row for row in numbers.links("discharge")}
    rows = tuple(
        (
            levels[row.asset].label,
            f"{numbers.amount(row.rates):,.0f}",
            f"{numbers.amount(discharged[row.asset].rates) * _delivered_share(numbers, discharged[row.asset]):,.0f}",
            f"{levels[row.asset].rates[-1]:,.0f}",
        )
        for row in numbers.links("charge")
        if row.asset in levels and row.asset in discharged
    )
    return Section(_("Batteries"), headers, rows)


def _delivered_share(numbers: Numbers, row: Row) -> float:
    """Of what leaves the cells, the share that reaches the grid."""
    return float(sum(numbers.case["links"][row.name]["to"].values()))


def charging(numbers: Numbers) -> Section:
    headers = (_("Bus depot"), _("driven MWh"), _("short MWh"))
    short = {row.name: row for row in numbers.short("depot")}
    rows = tuple(
        (row.label, f"{numbers.amount(row.rates):,.1f}", f"{numbers.amount(short[row.name].rates):,.1f}")
        for row in numbers.served("depot")
    )
    return Section(_("Electric buses"), headers, rows)


def _purchase_row(numbers: Numbers, row: Row, extra: dict[str, dict[str, float]]) -> tuple[str, ...]:
    energy = numbers.amount(row.rates)
    carbon_t = energy * KWH_PER_MWH * extra["carbon_kg_per_kwh"].get(row.name, 0.0) / KG_PER_T
    return (
        row.label,
        f"{energy:,.0f}",
        f"{row.rates.max():,.1f}",
        f"{extra['contract_mw'].get(row.name, 0.0):,.1f}",
        f"{purchase_cost(numbers, row):,.0f}",
        f"{carbon_t:,.0f}",
    )
