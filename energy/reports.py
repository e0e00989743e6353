"""The power side of a plan in tables: what is bought and when, sun, batteries, buses, money and carbon."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from forecasting.behind import forecasts_behind
from planning.figures import figure, money, percent
from planning.inputs import forecast_table
from planning.models import Plan
from planning.numbers import Numbers, Row
from planning.sectors import Card, Section

KWH_PER_MWH = 1000.0
KG_PER_T = 1000.0


def summary(plan: Plan) -> Sequence[Section]:
    numbers = Numbers(plan)
    tables = [purchases(numbers), solar(numbers), storage(numbers), charging(numbers)]
    return [table for table in tables if table.rows]


def headline(plan: Plan) -> Sequence[Card]:
    numbers = Numbers(plan)
    bought = numbers.supplies("purchase")
    cost = sum(purchase_cost(numbers, row) for row in bought)
    carbon = sum(carbon_t(numbers, row) for row in bought)
    return [
        Card(_("Power bought"), f"{figure(sum(numbers.amount(row.rates) for row in bought))} MWh"),
        *_tightest(numbers, bought),
        Card(_("Cost of that power"), money(plan.city.currency, cost)),
        Card(_("Carbon of that power"), f"{figure(carbon)} t CO₂e"),
    ]


def details(plan: Plan) -> Sequence[Section]:
    ids = plan.snapshot["extra"].get("energy", {}).get("forecasts", [])
    found = forecasts_behind(ids)
    return [forecast_table(_("Forecasts of power"), found)] if found else []


def _tightest(numbers: Numbers, bought: Sequence[Row]) -> list[Card]:
    """The connection whose peak comes closest to its contract capacity, or exceeds it the most."""
    contracts = numbers.plan.snapshot["extra"]["energy"]["contract_mw"]
    used = [(float(row.rates.max()) / contracts[row.name], row.label) for row in bought if contracts.get(row.name)]
    if not used:
        return []
    share, label = max(used)
    return [Card(_("Highest peak against its contract"), f"{percent(share)} · {label}", share > 1 + 1e-9)]


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


def carbon_t(numbers: Numbers, row: Row) -> float:
    """Tonnes of CO₂e of one connection's energy by its yearly mean factor."""
    factors = numbers.plan.snapshot["extra"]["energy"]["carbon_kg_per_kwh"]
    return numbers.amount(row.rates) * KWH_PER_MWH * float(factors.get(row.name, 0.0)) / KG_PER_T


def solar(numbers: Numbers) -> Section:
    headers = (_("Solar park"), _("used MWh"), _("curtailed MWh"))
    rows = []
    for row in numbers.supplies("solar"):
        curtailed = numbers.amount(numbers.stated("supplies", row.name, "max") - row.rates)
        rows.append((row.label, figure(numbers.amount(row.rates)), figure(max(0.0, curtailed))))
    return Section(_("Solar power"), headers, tuple(rows))


def storage(numbers: Numbers) -> Section:
    headers = (_("Battery"), _("charged MWh"), _("discharged MWh"), _("MWh at the end"))
    levels = {row.asset: row for row in numbers.levels("battery")}
    discharged = {row.asset: row for row in numbers.links("discharge")}
    rows = tuple(
        (
            levels[row.asset].label,
            figure(numbers.amount(row.rates)),
            figure(numbers.amount(discharged[row.asset].rates) * _delivered_share(numbers, discharged[row.asset])),
            figure(levels[row.asset].rates[-1]),
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
        (row.label, figure(numbers.amount(row.rates), 1), figure(numbers.amount(short[row.name].rates), 1))
        for row in numbers.served("depot")
    )
    return Section(_("Electric buses"), headers, rows)


def _purchase_row(numbers: Numbers, row: Row, extra: dict[str, dict[str, float]]) -> tuple[str, ...]:
    return (
        row.label,
        figure(numbers.amount(row.rates)),
        figure(row.rates.max(), 1),
        figure(extra["contract_mw"].get(row.name, 0.0), 1),
        figure(purchase_cost(numbers, row)),
        figure(carbon_t(numbers, row)),
    )
