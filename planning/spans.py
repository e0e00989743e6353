"""Amounts of a plan by day, and beside those of another plan over the time that both cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.utils.translation import gettext as _

from .figures import change, figure, moment
from .models import Plan
from .numbers import Numbers, Rates
from .sectors import Chart, Section
from .words import UNITS

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LEAST = 0.05
"""Shown with one digit, less than this is nothing."""
Span = tuple[datetime, datetime]


def days_of(plan: Plan) -> list[Span]:
    """Days of 24 h from the start of the plan; the last one may be shorter."""
    found, at = [], plan.start
    while at < plan.valid_until:
        found.append((at, min(at + DAY, plan.valid_until)))
        at += DAY
    return found


def hours_within(plan: Plan, span: Span) -> Rates:
    """The hours of every step that lie within a span."""
    first, last = span
    return np.array([max(0.0, (min(end, last) - max(start, first)) / HOUR) for start, end in plan.times()])


def by_day(chart: Chart, plan: Plan) -> Section | None:
    """A stack's amounts by day; None for what has no amounts. Rows without any are left out."""
    if not chart.amount_unit:
        return None
    spans = days_of(plan)
    weights = [hours_within(plan, span) for span in spans]
    amounts = [(row.label, [float(hours @ np.array(row.values)) for hours in weights]) for row in chart.rows]
    told = sorted((pair for pair in amounts if sum(pair[1]) >= LEAST), key=lambda pair: -sum(pair[1]))
    rows = [(label, *(figure(each, 1) for each in days), figure(sum(days), 1)) for label, days in told]
    title = _("%(what)s by day, %(unit)s") % {"what": chart.title, "unit": chart.amount_unit}
    return Section(title, ("", *_day_names(plan, spans), _("total")), tuple(rows), _day_note(plan) if rows else "")


def levels_by_day(chart: Chart, plan: Plan) -> Section | None:
    """The level at the start and at the end of each day; None for what is no level."""
    if chart.kind != "levels":
        return None
    days = days_of(plan)
    ends = [end for _start, end in plan.times()]
    places = [0, *(1 + ends.index(last) for _first, last in days)]
    rows = tuple(
        (row.label, *(figure(row.values[place], 1) for place in places)) for row in chart.rows if not row.is_limit
    )
    title = _("%(what)s at the end of each day, %(unit)s") % {"what": chart.title, "unit": chart.unit}
    return Section(title, ("", _("at the start"), *_day_names(plan, days)), rows, _day_note(plan))


def _day_names(plan: Plan, days: Sequence[Span]) -> list[str]:
    return [f"{first.astimezone(plan.city.zone):%m-%d}" for first, _last in days]


def _day_note(plan: Plan) -> str:
    return _("A day here is 24 h from %(clock)s.") % {"clock": f"{plan.start.astimezone(plan.city.zone):%H:%M}"}


# --- beside another plan -------------------------------------------------------------------------------------
def previous(plan: Plan) -> Plan | None:
    """The plan that was in force before this one; of one that never was in force, the plan that is now; else None."""
    if plan.supersedes:
        return plan.supersedes if plan.supersedes.result else None
    earlier = Plan.objects.filter(city=plan.city, published_at__isnull=False, result__isnull=False).exclude(pk=plan.pk)
    if plan.published_at is None:
        return earlier.filter(state=Plan.State.PUBLISHED).select_related("city").first()
    return earlier.filter(published_at__lt=plan.published_at).select_related("city").order_by("-published_at").first()


def changes(plan: Plan, now: Mapping[str, Chart], before: Plan, then: Mapping[str, Chart]) -> list[Section]:
    """Sources and shortages of both plans over the time that both cover; one line instead where that is nothing."""
    span = max(plan.start, before.start), min(plan.valid_until, before.valid_until)
    if span[0] >= span[1]:
        note = _("The plan before, %(plan)s, ended before this one begins.") % {"plan": before}
        return [Section(_("What changed"), (), (), note)]
    tables = [shortage_changes(plan, before, span)]
    tables += [_changes(now[key], plan, then[key], before, span) for key in now if key in then and now[key].amount_unit]
    return tables


def shortage_changes(plan: Plan, before: Plan, span: Span) -> Section:
    """Whoever is short in either plan."""
    now, then = _shortages(plan, span), _shortages(before, span)
    short = [key for key in dict.fromkeys([*now, *then]) if max(now.get(key, 0.0), then.get(key, 0.0)) >= LEAST]
    rows = [(label, unit, then.get((label, unit), 0.0), now.get((label, unit), 0.0)) for label, unit in short]
    headers = (_("Who is short"), _("unit"), _("plan before"), _("this plan"), _("change"))
    cells = tuple((label, unit, figure(old, 1), figure(new, 1), change(new - old, 1)) for label, unit, old, new in rows)
    nobody = "" if cells else " " + _("Nobody is short in either plan.")
    return Section(_("Shortages, before and now"), headers, cells, _span_note(before, span) + nobody)


def _shortages(plan: Plan, span: Span) -> dict[tuple[str, str], float]:
    numbers, hours = Numbers(plan), hours_within(plan, span)
    found: dict[tuple[str, str], float] = {}
    for name, demand in plan.result["demands"].items():
        key = (numbers.label(name), unit_of(numbers, numbers.case["demands"][name]["bus"]))
        found[key] = found.get(key, 0.0) + float(hours @ np.array(demand["short"]))
    return found


def unit_of(numbers: Numbers, bus: str) -> str:
    """The unit of an amount at a bus."""
    unit = UNITS.get(numbers.case["buses"][bus].get("commodity", ""), ("", ""))[0]
    return _(unit) if unit else _("unit")


def _changes(chart: Chart, plan: Plan, old_chart: Chart, before: Plan, span: Span) -> Section:
    now, then = _amounts(chart, plan, span), _amounts(old_chart, before, span)
    labels = [label for label in dict.fromkeys([*now, *then]) if max(now.get(label, 0), then.get(label, 0)) >= LEAST]
    pairs = [(label, then.get(label, 0.0), now.get(label, 0.0)) for label in labels]
    rows = tuple((label, figure(old, 1), figure(new, 1), change(new - old, 1)) for label, old, new in pairs)
    title = _("%(what)s, before and now, %(unit)s") % {"what": chart.title, "unit": chart.amount_unit}
    return Section(title, ("", _("plan before"), _("this plan"), _("change")), rows, _span_note(before, span))


def _amounts(chart: Chart, plan: Plan, span: Span) -> dict[str, float]:
    hours = hours_within(plan, span)
    return _added((row.label, float(hours @ np.array(row.values))) for row in chart.rows)


def _added(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Parts may share a name."""
    found: dict[str, float] = {}
    for label, amount in pairs:
        found[label] = found.get(label, 0.0) + amount
    return found


def _span_note(before: Plan, span: Span) -> str:
    zone = before.city.zone
    words = {"plan": before, "first": moment(span[0], zone), "last": moment(span[1], zone)}
    return _("Before: plan %(plan)s. Both from %(first)s to %(last)s, which both plans cover.") % words
