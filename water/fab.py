"""A fab water manager's report: where the water comes from, how safe it is, what it costs, and what to do now.

What reaches the user is traced by proportional mixing (water/kernel/mixing.py, docs/reports.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.urls import reverse
from django.utils.translation import gettext as _

from cities.models import City, Membership
from cities.scoping import Person, role_in
from forecasting.models import Forecast
from planning.models import Plan
from planning.numbers import Numbers, Rates
from planning.report_pages import file_links
from planning.reports import in_force
from planning.sectors import ReportLink

from . import tracing
from .kernel.mixing import UNDER_WAY
from .kernel.policy import Cut, Light, UserClass, cuts, measures
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3
from .light import Outlook, light_name, measure_name, outlook
from .models import WaterUser

KINDS = (WaterUser.Kind.FAB, WaterUser.Kind.INDUSTRY)
TRUCK_M3 = 20.0
TRUCK_PRICE, TRUCK_YEAR = 6000.0, 2021
"""NT$ for a truck of 20 t in Kaohsiung in 2021 (press reports of that drought); no later figure was found."""
HIGH = "0.95"
NOTHING_KM3 = 0.001
"""One m³: less than this is rounding."""


@dataclass(frozen=True)
class Source:
    label: str
    rates: Rates
    volume_km3: float
    share: float


@dataclass(frozen=True)
class Tank:
    """The user's own tanks together; `hours` is how long what they hold now lasts at the expected demand."""

    capacity_km3: float
    now_km3: float
    lowest_km3: float
    lowest_at: datetime
    hours: float
    levels_km3: Rates


@dataclass(frozen=True)
class Risk:
    """What could go wrong. The plan is made for expected values; `high` takes demand at its 95 % quantile.

    `headroom_km3_per_hour` is the least spare capacity of all that leads to the user's supply point. `high_km3` is None
    where no forecast with quantiles is known.
    """

    short_km3: float
    short_from: datetime | None
    headroom_km3_per_hour: float
    headroom_at: datetime
    high_km3: float | None
    high_uncovered_km3: float | None


@dataclass(frozen=True)
class Advice:
    """What to have in the own tanks by when, and the trucks for what they cannot hold."""

    by: datetime
    fill_km3: float
    trucks: int
    trucks_cost: float


@dataclass(frozen=True)
class Report:
    user: WaterUser
    numbers: Numbers
    warning: str
    wanted_km3: float
    served_km3: float
    daily_km3: float
    served: Rates
    sources: tuple[Source, ...]
    money_per_m3: float
    kwh_per_m3: float
    kg_per_m3: float
    tank: Tank | None
    risk: Risk
    outlook: Outlook
    cut: Cut
    advice: Advice | None

    @property
    def plan(self) -> Plan:
        return self.numbers.plan

    @property
    def light(self) -> str:
        return light_name(self.outlook.light)

    @property
    def has_light(self) -> bool:
        return self.outlook.light != Light.NONE

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(measure_name(measure) for measure in measures(self.outlook.light))

    @property
    def cut_m3_per_day(self) -> float:
        return self.cut.share * self.daily_km3 * M3_PER_KM3


def report(user: WaterUser) -> Report | None:
    """The report from the plan in force, in the active language; None while no plan is in force or knows the user."""
    now = in_force(user.city)
    if now.plan is None or not now.plan.result or f"water.{user.key}" not in now.plan.result["demands"]:
        return None
    numbers = Numbers(now.plan)
    demand = now.plan.result["demands"][f"water.{user.key}"]
    served, short = np.array(demand["served"]), np.array(demand["short"])
    wanted = served + short
    taken = _taken(numbers, user, served)
    traced = tracing.of(tracing.trace(numbers), user.bus.key, taken)
    daily = numbers.amount(wanted) / (float(np.sum(numbers.hours)) / HOURS_PER_DAY)
    tank = _tank(numbers, user, daily)
    state = outlook(numbers)
    risk = _risk(numbers, user, wanted, short, tank)
    return Report(
        user,
        numbers,
        now.warning,
        numbers.amount(wanted),
        numbers.amount(served),
        daily,
        served,
        _sources(numbers, traced),
        _mean(numbers, traced.money_per_m3, taken),
        _mean(numbers, traced.kwh_per_m3, taken),
        _mean(numbers, traced.kg_per_m3, taken),
        tank,
        risk,
        state,
        cuts(state.light, _class(user), 30 * daily * M3_PER_KM3),
        _advice(numbers, short, tank, risk),
    )


def _class(user: WaterUser) -> UserClass:
    """A pack may know classes of its own; drought rules know those of the Water Act."""
    known = {found.value for found in UserClass}
    return UserClass(user.user_class) if user.user_class in known else UserClass.OTHER


def _sources(numbers: Numbers, traced: tracing.Traced) -> tuple[Source, ...]:
    total = sum(numbers.amount(origin.rates) for origin in traced.origins)
    return tuple(
        Source(_origin_name(numbers, origin), origin.rates, volume, volume / total)
        for origin in traced.origins
        for volume in [numbers.amount(origin.rates)]
    )


def _origin_name(numbers: Numbers, origin: tracing.Origin) -> str:
    if origin.name == UNDER_WAY:
        return _("On the way at the start")
    label = numbers.label(origin.name)
    return _("Stock of %(store)s") % {"store": label} if origin.is_store else label


def _taken(numbers: Numbers, user: WaterUser, served: Rates) -> Rates:
    """What the user takes at the supply point: with own tanks behind it, what comes into them and not what leaves."""
    site = numbers.case["demands"][f"water.{user.key}"]["bus"]
    if site == user.bus.key:
        return served
    result, into_site = numbers.plan.result or {}, np.zeros_like(served)
    for name, link in numbers.case["links"].items():
        if link["from"] == user.bus.key and site in link["to"]:
            into_site += np.array(result["links"][name])
    return into_site


def _mean(numbers: Numbers, per_m3: Rates, taken: Rates) -> float:
    """The mean over the water taken, not over the hours."""
    volume = numbers.amount(taken)
    return numbers.amount(per_m3 * taken) / volume if volume else 0.0


def _tank(numbers: Numbers, user: WaterUser, daily: float) -> Tank | None:
    rows = [row for row in numbers.levels("tank", "reserve") if row.asset == user.key]
    if not rows:
        return None
    levels = np.sum([row.rates for row in rows], axis=0)
    now = sum(numbers.case["stores"][row.name]["initial"] for row in rows)
    capacity = sum(float(numbers.stated("stores", row.name, "capacity")[0]) for row in rows)
    lowest = int(np.argmin(levels))
    hours = now / daily * HOURS_PER_DAY if daily else math.inf
    return Tank(capacity, now, float(levels[lowest]), numbers.plan.times()[lowest][1], hours, levels)


def _risk(numbers: Numbers, user: WaterUser, wanted: Rates, short: Rates, tank: Tank | None) -> Risk:
    spare = _headroom(numbers, user.bus.key)
    tightest, times = int(np.argmin(spare)), numbers.plan.times()
    first = np.flatnonzero(short > NOTHING_KM3)
    high = _high_demand(numbers, user)
    more = None if high is None else np.maximum(0.0, high - wanted)
    uncovered = None
    if more is not None:
        uncovered = max(0.0, numbers.amount(np.maximum(0.0, more - spare)) - (tank.lowest_km3 if tank else 0.0))
    return Risk(
        numbers.amount(short),
        times[int(first[0])][0] if len(first) else None,
        float(spare[tightest]),
        times[tightest][0],
        None if more is None else numbers.amount(more),
        uncovered,
    )


def _headroom(numbers: Numbers, bus: str) -> Rates:
    """What the links and supplies into a bus could carry more than they do, in every step."""
    spare = np.zeros_like(numbers.hours)
    result = numbers.plan.result or {}
    for name, link in numbers.case["links"].items():
        if bus in link["to"]:
            spare += link["to"][bus] * np.maximum(0.0, numbers.stated("links", name, "max") - result["links"][name])
    for name, supply in numbers.case["supplies"].items():
        if supply["bus"] == bus:
            spare += np.maximum(0.0, numbers.stated("supplies", name, "max") - result["supplies"][name])
    return spare


def _high_demand(numbers: Numbers, user: WaterUser) -> Rates | None:
    """The demand's 95 % quantile by step, from the forecast that the plan was made from."""
    known = numbers.plan.snapshot.get("forecasts", [])
    forecast = Forecast.objects.filter(pk__in=known, series=user.demand_id).first()
    if forecast is None or HIGH not in forecast.quantiles:
        return None
    values = forecast.quantiles[HIGH]
    places = [int((start - forecast.start) / forecast.step) for start, _end in numbers.plan.times()]
    return np.array([values[min(max(place, 0), len(values) - 1)] for place in places])


def _advice(numbers: Numbers, short: Rates, tank: Tank | None, risk: Risk) -> Advice | None:
    """Where the plan leaves the user short: fill what the tanks still hold before, and order trucks for the rest."""
    if risk.short_from is None:
        return None
    first = int(np.flatnonzero(short > NOTHING_KM3)[0])
    before = 0.0
    if tank:
        before = float(tank.levels_km3[first - 1]) if first else tank.now_km3
    room = max(0.0, tank.capacity_km3 - before) if tank else 0.0
    fill = min(room, risk.short_km3)
    trucks = math.ceil(max(0.0, risk.short_km3 - fill) * M3_PER_KM3 / TRUCK_M3 - 1e-6)
    return Advice(risk.short_from, fill, trucks, trucks * TRUCK_PRICE)


def by_hour(report: Report, hours: float = HOURS_PER_DAY) -> list[tuple[datetime, list[float]]]:
    """Volumes by source in m³ for each hour of the plan's first hours: what an operator compares with the meters."""
    times = report.plan.times()
    begin, rows = times[0][0], []
    for hour in range(int(hours)):
        first, last = begin + timedelta(hours=hour), begin + timedelta(hours=hour + 1)
        inside = np.array([max(0.0, (min(end, last) - max(start, first)) / timedelta(hours=1)) for start, end in times])
        rows.append((first, [float(inside @ source.rates) * M3_PER_KM3 for source in report.sources]))
    return rows


def readable(person: Person, city: City) -> list[WaterUser]:
    """The fabs and industries whose reports a person may read: all of the city, or a fab manager's own."""
    users = WaterUser.objects.filter(city=city, kind__in=KINDS).select_related("city", "bus").order_by("kind", "key")
    if role_in(person, city) == Membership.Role.FAB:
        users = users.filter(key__in=Membership.objects.get(user=person.pk, city=city).asset_keys)
    return list(users)


def links(person: Person, city: City) -> list[ReportLink]:
    """For the list of reports; every report has a page, and files while a plan is in force."""
    return [_link(user) for user in readable(person, city)]


def _link(user: WaterUser) -> ReportLink:
    place = user.city.key, user.key
    page, files = reverse("fab-report", args=place), file_links("fab-report", *place)
    return ReportLink(user.label, user.get_kind_display(), page, files)
