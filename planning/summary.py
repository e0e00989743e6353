"""A plan in a few small tables: what its sectors say of it, who is short and why, what it cost to make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from cities.languages import is_chinese

from .figures import figure, moment, percent
from .findings import findings
from .models import Plan
from .sectors import Section, sectors
from .words import retold, sentence

# Stages and levels stand in the rows of plans in English.
STORED = (
    gettext_noop("info"),
    gettext_noop("warning"),
    gettext_noop("inputs"),
    gettext_noop("build"),
    gettext_noop("compile"),
    gettext_noop("solve"),
    gettext_noop("verify"),
)


def sections(plan: Plan) -> list[Section]:
    """All tables of a solved plan in the active language, what matters most first; none without a result."""
    if not plan.result:
        return []
    own = [table for found in sectors() for table in found.summary(plan)]
    return [shortages(plan), explanation(plan), *own, timing(plan), *input_notes(plan)]


def names(plan: Plan) -> dict[str, str]:
    """What the plan's parts are called in the active language."""
    labels = (plan.snapshot or {}).get("labels", {})
    return {part: (label["zh"] if is_chinese() and label["zh"] else label["en"]) for part, label in labels.items()}


def failure(plan: Plan) -> str:
    """Why a plan failed, in the active language."""
    reasons = plan.facts if plan.result is None else []
    return "\n".join(sentence(reason, names(plan), plan.city.zone) for reason in reasons) or retold(plan.failure)


def shortages(plan: Plan) -> Section:
    headers = (_("Who is short"), _("tier"), _("amount"), _("share"), _("from"), _("until"))
    known = names(plan)
    rows = tuple(_shortage_row(plan, short, known) for short in plan.result["shortages"])
    return Section(_("Shortages"), headers, rows, _verdict(plan))


def _verdict(plan: Plan) -> str:
    waiting = sum(fact["values"]["count"] for fact in plan.facts if fact["kind"] == "put_off")
    told = [] if plan.result["shortages"] else [_("Nobody is short.")]
    if waiting:
        words = ngettext(
            "%(count)d turnout must wait for the next day: its part of today's water is less than it can be given at "
            "once.",
            "%(count)d turnouts must wait for the next day: their parts of today's water are less than they can be "
            "given at once.",
            waiting,
        )
        told.append(words % {"count": waiting})
    return " ".join(told)


def explanation(plan: Plan) -> Section:
    known, zone = names(plan), plan.city.zone
    rows = tuple((sentence(fact, known, zone, plan.city.currency),) for fact in findings(plan))
    return Section(_("Why, and what would change it"), (_("Finding"),), rows, "" if rows else _("Nothing stands out."))


def input_notes(plan: Plan) -> list[Section]:
    notes = (plan.snapshot or {}).get("notes", [])
    rows = tuple((_(note["level"]), note["zh"] if is_chinese() else note["en"]) for note in notes)
    return [Section(_("Notes on the inputs"), (_("level"), _("note")), rows)] if rows else []


def timing(plan: Plan) -> Section:
    rows = [(_(stage), figure(seconds, 2)) for stage, seconds in plan.seconds.items()]
    parts = plan.parts.values_list("seconds", flat=True)
    if parts:
        rows.append((_("valve turns"), figure(sum(parts), 2)))
    return Section(_("Time"), (_("stage"), _("CPU seconds")), tuple(rows))


def _shortage_row(plan: Plan, short: Mapping[str, Any], known: Mapping[str, str]) -> tuple[str, ...]:
    steps = plan.times()
    return (
        known.get(short["wish"], short["wish"]),
        "" if short["tier"] is None else str(short["tier"]),
        figure(short["amount"], 1),
        percent(short["share"], 1),
        moment(steps[short["first_step"]][0], plan.city.zone),
        moment(steps[short["last_step"]][1], plan.city.zone),
    )
