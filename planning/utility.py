"""The utility's report of a plan: for the engineer who decides on it, and for whoever she answers to.

What water and power are comes from the sectors; this module knows the order in which a reader needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .charts import charts_of
from .documents import Chapter, Document, Picture, broken_limits, chapter, is_told_by_step, notices_of, now, steps_of
from .figures import Figure, figure, money
from .inputs import assumptions
from .models import Plan
from .numbers import Numbers
from .sectors import Card, Chart, Section, Sector, sectors
from .spans import by_day, changes, levels_by_day, previous, unit_of
from .summary import explanation, failure, input_notes, shortages, timing
from .words import status_words

Items = list[Section | Picture | None]


def utility_report(plan: Plan, warning: str = "") -> Document:
    """The report in the active language. `warning`: that the plan stands in for one that failed."""
    numbers, charts = Numbers(plan), _charts(plan)
    details = [(found, list(found.details(plan))) for found in _in_order()]
    inputs = [table for _found, tables in details for table in tables if table.is_input]
    chapters = [
        chapter(_("Shortages, and what would change them"), [shortages(plan), explanation(plan)]),
        *(_sector_chapter(found, tables, plan, charts) for found, tables in details),
        chapter(_("What changed against the plan before"), _changes(plan, charts)),
        chapter(_("Inputs"), [*input_notes(plan), *inputs, assumptions(plan.city)]),
        chapter(_("How the plan was made and checked"), [verification(plan), *_broken(plan), timing(plan)]),
    ]
    return Document(
        title=_("Utility report of %(city)s") % {"city": plan.city.label},
        kind="utility",
        plan=plan,
        language=get_language() or "en",
        made_at=now(),
        notices=notices_of(plan, warning),
        cards=(*_cards(numbers), *(card for found in _in_order() for card in found.headline(plan))),
        chapters=tuple(found for found in chapters if found.items),
        steps=tuple(steps_of(chart, numbers) for chart in charts.values() if is_told_by_step(chart)),
    )


def _in_order() -> list[Sector]:
    """The settings name first what others draw on; a reader begins at the other end."""
    return sectors()[::-1]


def verification(plan: Plan) -> Section:
    """What the solver and the recount say of the plan."""
    result = plan.result
    rows = [
        (_("Solver"), status_words(plan.status)),
        (_("Gap to the best possible"), _gap(result.get("gap"))),
        (_("Recount of all balances and limits"), _("failed") if broken_limits(plan) else _("no broken limits")),
        (_("Cost of the plan"), money(plan.city.currency, plan.cost or 0.0)),
        (_("Fingerprint of the inputs (SHA-256)"), plan.snapshot_sha256 or "–"),
    ]
    if plan.state == Plan.State.FAILED:
        rows.append((_("Why it failed"), failure(plan) or "–"))
    note = _("Balances, levels, limits and money were recomputed from the plan's numbers alone, without the model.")
    return Section(_("Verification"), (_("What"), _("Value")), tuple(rows), note)


def _cards(numbers: Numbers) -> list[Card]:
    """What users go without, by commodity, and what the plan costs. Targets for the end of the plan are no use."""
    plan = numbers.plan
    short: dict[str, float] = {}
    for shortage in plan.result["shortages"]:
        if not shortage["wish"].endswith(".final"):
            unit = unit_of(numbers, shortage["bus"])
            short[unit] = short.get(unit, 0.0) + shortage["amount"]
    missing = [f"{figure(amount, 1)} {unit}" for unit, amount in short.items() if amount >= 0.05]
    return [
        Card(_("Planned shortage"), " · ".join(missing) or _("none"), bool(missing)),
        Card(_("Cost of the plan"), money(plan.city.currency, plan.cost or 0.0)),
    ]


def _sector_chapter(found: Sector, details: Sequence[Section], plan: Plan, charts: Mapping[str, Chart]) -> Chapter:
    """A sector's pictures with their amounts by day, then its tables."""
    mine = [chart for key, chart in charts.items() if key.startswith(f"{found.name}-")]
    items: Items = []
    for chart in mine:
        items += [Picture(chart, plan), by_day(chart, plan), levels_by_day(chart, plan)]
    tables = [*found.summary(plan), *(table for table in details if not table.is_input)]
    return chapter(str(found.label or capfirst(found.name)), [*items, *tables])


def _changes(plan: Plan, charts: Mapping[str, Chart]) -> Sequence[Section]:
    before = previous(plan)
    if before is None:
        return [Section(_("What changed"), (), (), _("There is no plan before this one to compare with."))]
    return changes(plan, charts, before, charts_of(before))


def _charts(plan: Plan) -> dict[str, Chart]:
    """The charts of all sectors in the order in which a reader comes to them."""
    charts = charts_of(plan)
    return {key: charts[key] for found in _in_order() for key in charts if key.startswith(f"{found.name}-")}


def _broken(plan: Plan) -> list[Section]:
    rows = tuple((limit,) for limit in broken_limits(plan))
    return [Section(_("Broken limits"), (_("Finding"),), rows)] if rows else []


def _gap(gap: float | None) -> Figure | str:
    return "–" if gap is None else f"{gap:.2%}"
