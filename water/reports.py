"""The water side of a plan in tables: sources, reservoirs, pumping against the tariff, and valve runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from planning.figures import figure, moment, money, percent
from planning.models import Plan, PlanPart
from planning.numbers import Numbers, Rates
from planning.sectors import Section

from .shortages import Undelivered, short_at_head_km3

DAY_HOURS = 24.0


def summary(plan: Plan) -> Sequence[Section]:
    numbers = Numbers(plan)
    tables = [sources(numbers), reservoirs(numbers), users(numbers), pumping(numbers)]
    runs = valve_runs(plan)
    return [*(table for table in tables if table.rows), *([runs] if runs.note else [])]


def sources(numbers: Numbers) -> Section:
    """Where the city's works take their water: intakes, own sources, and what reservoirs give."""
    headers = (_("Source"), _("first day"), _("week"), _("share"))
    found = [*numbers.links("intake"), *numbers.supplies("source")]
    total = sum(numbers.amount(row.rates) for row in found)
    rows = tuple(
        (
            row.label,
            figure(numbers.amount(row.rates, DAY_HOURS), 1),
            figure(numbers.amount(row.rates), 1),
            percent(numbers.amount(row.rates) / total, 1) if total else "",
        )
        for row in sorted(found, key=lambda row: -numbers.amount(row.rates))
    )
    return Section(
        _("Supply by source, 10³ m³"),
        headers,
        rows,
        _("Shares are of all water taken, the canals of irrigation included."),
    )


def reservoirs(numbers: Numbers) -> Section:
    headers = (_("Reservoir"), _("now"), _("after a day"), _("after the week"), _("full"))
    first_day = int(np.searchsorted(np.cumsum(numbers.hours), DAY_HOURS - 1e-6))
    rows = []
    for row in numbers.levels("reservoir"):
        stated = numbers.case["stores"][row.name]
        full = numbers.stated("stores", row.name, "capacity_by_step", stated.get("capacity", 0.0))[-1]
        now, after, end = stated["initial"], row.rates[first_day], row.rates[-1]
        share = percent(end / full) if full else ""
        rows.append((row.label, figure(now), figure(after), figure(end), share))
    return Section(_("Reservoirs, 10³ m³"), headers, tuple(rows))


def users(numbers: Numbers) -> Section:
    headers = (_("User"), _("10³ m³ a day"), _("short, 10³ m³"), _("served"))
    days = float(np.sum(numbers.hours)) / DAY_HOURS
    short = {row.name: row for row in numbers.short("zone", "fab", "industry", "irrigation")}
    at_turnouts = {f"irrigation.{key}": volume for key, volume in short_at_head_km3(numbers.plan).items()}
    rows = []
    for row in numbers.served("zone", "fab", "industry", "irrigation"):
        undelivered = at_turnouts.get(row.name, 0.0)
        served = numbers.amount(row.rates) - undelivered
        missing = numbers.amount(short[row.name].rates) + undelivered
        share = percent(served / (served + missing), 1) if served + missing else ""
        rows.append((row.label, figure(served / days, 1), figure(missing, 1), share))
    note = _("What turnouts go without is counted here where the canals take it, before their losses.")
    return Section(_("Users"), headers, tuple(rows), note if at_turnouts else "")


@dataclass(frozen=True)
class Pumping:
    """Energy of pumps and plants on one power bus. `even` is what running at the mean rate would have done.

    `dear_mwh` is the energy in the steps of the highest tariff price of the plan.
    """

    bus: str
    energy_mwh: float
    dear_mwh: float
    even_dear_mwh: float
    dear_hours: float
    cost: float
    even_cost: float

    @property
    def moved_mwh(self) -> float:
        return self.even_dear_mwh - self.dear_mwh


def pumping_by_bus(numbers: Numbers) -> list[Pumping]:
    """Pumping of each power bus that buys by a tariff with more than one price."""
    used: dict[str, Rates] = {}
    for name, link in numbers.case["links"].items():
        for bus, coefficient in link.get("uses", {}).items():
            rates = np.array(numbers.plan.result["links"][name]) * coefficient
            used[bus] = used.get(bus, np.zeros_like(rates)) + rates
    prices = {bus: _tariff(numbers, bus) for bus in used}
    return [_pumping(numbers, bus, used[bus], price) for bus, price in prices.items() if price is not None]


def pumping(numbers: Numbers) -> Section:
    headers = (_("Pumps and plants"), "MWh", _("dearest hours"), _("if run evenly"), _("saved"))
    currency = numbers.plan.city.currency
    rows = tuple(
        (
            numbers.label(row.bus),
            figure(row.energy_mwh, 1),
            figure(row.dear_mwh, 1),
            figure(row.even_dear_mwh, 1),
            money(currency, row.even_cost - row.cost),
        )
        for row in pumping_by_bus(numbers)
    )
    return Section(_("Pumping moved out of the dearest tariff hours, MWh"), headers, rows)


def valve_runs(plan: Plan) -> Section:
    headers = (_("Lateral"), _("runs"), _("first opens"), "m³", _("m³ short"), _("wait"), _("m³ left over"))
    numbers = Numbers(plan)
    parts = plan.parts.filter(sector="water", state=PlanPart.State.DONE).order_by("key")
    rows = tuple(_lateral_row(numbers, part) for part in parts)
    note = _count_of_runs(sum(len(part.result["runs"]) for part in parts)) if rows else why_no_turns(plan)
    if any(Undelivered.of(part).waiting for part in parts):
        note += " " + _("Turnouts wait for the next day where their part of the water is less than their shortest run.")
    return Section(_("Valve runs"), headers, rows, note)


def _count_of_runs(count: int) -> str:
    if not count:
        return _("No valve opens in the next 24 h.")
    words = ngettext("%(count)d valve run in the next 24 h.", "%(count)d valve runs in the next 24 h.", count)
    return words % {"count": count}


def why_no_turns(plan: Plan) -> str:
    """What to say of a plan that has no turns to plan in its first day; "" in a city without laterals."""
    laterals = plan.snapshot["extra"].get("water", {}).get("turnouts", {})
    if not laterals:
        return ""
    if any(turnout["km3"] > 0 for turnouts in laterals.values() for turnout in turnouts.values()):
        return _("No valve opens in the next 24 h: fields ask for water, but the plan brings the laterals none.")
    return _("No valve opens in the next 24 h: no field asks for water.")


def _lateral_row(numbers: Numbers, part: PlanPart) -> tuple[str, ...]:
    runs, left = part.result["runs"], Undelivered.of(part)
    opens = min((run["start"] for run in runs), default=None)
    return (
        numbers.label(f"irrigation.{part.key}"),
        figure(len(runs)),
        moment(datetime.fromisoformat(opens), numbers.plan.city.zone) if opens else "",
        figure(sum(run["volume_m3"] for run in runs)),
        figure(left.short_m3),
        figure(left.waiting),
        figure(left.remainder_m3),
    )


def _tariff(numbers: Numbers, bus: str) -> Rates | None:
    """The purchase price by step at a power bus; None where nothing is bought or the price never changes."""
    for name, supply in numbers.case["supplies"].items():
        if supply["bus"] == bus and numbers.labels.get(name, {}).get("role") == "purchase":
            price = numbers.stated("supplies", name, "cost")
            return price if np.ptp(price) > 0 else None
    return None


def _pumping(numbers: Numbers, bus: str, rates: Rates, price: Rates) -> Pumping:
    even = np.full_like(rates, numbers.amount(rates) / float(np.sum(numbers.hours)))
    dear = price >= price.max() - 1e-9
    return Pumping(
        bus,
        numbers.amount(rates),
        numbers.amount(rates * dear),
        numbers.amount(even * dear),
        float(np.sum(numbers.hours[dear])),
        numbers.amount(rates * price),
        numbers.amount(even * price),
    )
