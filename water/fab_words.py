"""A fab's report in words: the facts in one line each, and the notes that say what a figure includes."""

from __future__ import annotations

import math
from datetime import datetime

from django.utils.translation import gettext as _

from planning.figures import figure, full_moment, money

from .fab import TRUCK_M3, TRUCK_PRICE, TRUCK_YEAR, Report
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3
from .lasting import lasting

Fact = tuple[str, str]


def facts(report: Report) -> list[Fact]:
    """What and value, most urgent first."""
    return [*_safety(report), *_storage(report), *_light(report), *_money(report)]


def notes(report: Report) -> list[str]:
    """How the figures were made and what they leave out."""
    found = [
        _(
            "Sources are traced by proportional mixing: what comes into a place mixes fully, and all that leaves it "
            "has that mix. This is an approximation; meters and pipes may say otherwise. Shares are of what the user "
            "takes from the mains; a stock is what a reservoir or tank held when the plan began."
        ),
        _(
            "Cost per m³ includes the energy of intakes, pumps and plants at the tariff's energy price, chemicals and "
            "the prices of tap and reclaimed water as the city pack states them. It leaves out contract capacity, "
            "capital, wages, the water consumption fee, and what water stored at the start had cost before."
        ),
        _(
            "Carbon is the electricity used on the way times the grid's yearly mean factor. It leaves out the fab's "
            "own ultrapure water and waste water."
        ),
        _(
            "Headroom is what the mains that lead to the supply point could carry more than the plan uses. It does not "
            "promise that there is water for it: the plan is made for expected values."
        ),
        _("The drought light is what the state of supply suggests. The agency sets the real one by judgement."),
    ]
    if report.risk.high_km3 is None:
        found.append(_("No forecast of this user's demand with quantiles is known, so demand is not stressed."))
    return found


def advice(report: Report) -> str:
    """What to do before a planned shortage; empty where none is planned."""
    found = report.advice
    if found is None:
        return ""
    parts = []
    if found.fill_km3 > 0:
        words = _("Take %(volume)s m³ more into the own tanks before %(at)s, if the mains give it.")
        parts.append(words % {"volume": figure(found.fill_km3 * M3_PER_KM3), "at": _at(found.by, report)})
    if found.trucks:
        words = _(
            "Order %(trucks)s tanker loads of %(tonnes).0f t, about %(currency)s %(cost)s "
            "(%(currency)s %(price)s a load in %(year)d)."
        )
        parts.append(
            words
            % {
                "trucks": figure(found.trucks),
                "tonnes": TRUCK_M3,
                "currency": report.plan.city.currency,
                "cost": figure(found.trucks_cost),
                "price": figure(TRUCK_PRICE),
                "year": TRUCK_YEAR,
            }
        )
    return " ".join(parts)


def _safety(report: Report) -> list[Fact]:
    risk = report.risk
    found = [(_("Water wanted and served"), f"{cubic_metres(report.wanted_km3)} / {cubic_metres(report.served_km3)}")]
    if risk.short_from:
        words = _("%(volume)s short, first at %(at)s")
        found.append(
            (
                _("Planned shortage"),
                words % {"volume": cubic_metres(risk.short_km3), "at": _at(risk.short_from, report)},
            )
        )
        found.append((_("What to do"), advice(report)))
    else:
        found.append((_("Planned shortage"), _("none")))
    headroom = _("%(volume)s an hour, at %(at)s")
    values = {"volume": cubic_metres(risk.headroom_km3_per_hour), "at": _at(risk.headroom_at, report)}
    found.append((_("Least headroom of the mains"), headroom % values))
    if risk.high_km3 is not None and risk.high_uncovered_km3 is not None:
        words = _("%(more)s more in the week; mains and own tanks leave %(left)s uncovered")
        values = {"more": cubic_metres(risk.high_km3), "left": cubic_metres(risk.high_uncovered_km3)}
        found.append((_("If demand stays at its 95 % quantile"), words % values))
    return found


def _storage(report: Report) -> list[Fact]:
    tank, state = report.tank, report.outlook
    found = []
    if tank:
        words = _("%(now)s of %(full)s: %(hours)s h of the expected demand; lowest %(low)s at %(at)s")
        if math.isinf(tank.hours):
            words = _("%(now)s of %(full)s, and no demand is expected; lowest %(low)s at %(at)s")
        values = {
            "now": cubic_metres(tank.now_km3),
            "full": cubic_metres(tank.capacity_km3),
            "hours": figure(tank.hours),
            "low": cubic_metres(tank.lowest_km3),
        }
        found.append((_("Own tanks"), words % {**values, "at": _at(tank.lowest_at, report)}))
        found.append((_("Days of own storage"), lasting(tank.hours / HOURS_PER_DAY, 1)))
    else:
        found.append((_("Own tanks"), _("none known")))
    words = _("%(days).1f days of the public supply's demand in the reservoirs")
    has_demand = math.isfinite(state.days_of_storage)
    city = words % {"days": state.days_of_storage} if has_demand else lasting(state.days_of_storage)
    return [*found, (_("Storage of the city"), city)]


def _light(report: Report) -> list[Fact]:
    found = [(_("Drought light"), report.light)]
    if report.has_light:
        found.append((_("Measures"), "; ".join(report.measures)))
        words = _("%(share).0f %% of the base, about %(volume)s m³ a day")
        if report.cut.voluntary:
            words = _("%(share).0f %% of the base of its own accord, about %(volume)s m³ a day")
        values = {"share": 100 * report.cut.share, "volume": figure(report.cut_m3_per_day)}
        found.append((_("What it would take from this user"), words % values if report.cut.share else _("nothing")))
    return found


def _money(report: Report) -> list[Fact]:
    return [
        (_("Cost on the way to the user"), f"{money(report.plan.city.currency, report.money_per_m3, 2)} / m³"),
        (_("Energy on the way"), f"{figure(report.kwh_per_m3, 3)} kWh / m³"),
        (_("Carbon of that energy"), f"{figure(report.kg_per_m3, 3)} kg CO₂e / m³"),
    ]


def cubic_metres(volume_km3: float) -> str:
    return f"{figure(volume_km3 * M3_PER_KM3)} m³"


def _at(moment: datetime, report: Report) -> str:
    return full_moment(moment, report.plan.city.zone)
