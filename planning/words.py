"""Facts of a plan as sentences in the active language."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from cities.kernel.said import Said
from cities.languages import in_words, is_chinese

from .kernel.problems import InvalidInput, Problem
from .kernel.reasons import TEXTS as REASONS


@dataclass(frozen=True)
class Counted:
    """A sentence that says one thing of 1 and another of every other number, that of the fact's value `of`."""

    one: str
    other: str
    of: str


SENTENCES: dict[str, str | Counted] = {
    **REASONS,
    "shortage": gettext_noop(
        "%(place)s: short of %(amount)s %(unit)s, %(share)s of what is wanted, between %(first)s and %(last)s; worst "
        "at %(worst)s."
    ),
    "final_shortage": gettext_noop(
        "%(place)s: %(amount)s %(unit)s below the target at the end of the plan (%(share)s of the target)."
    ),
    "part_shortage": gettext_noop(
        "%(place)s: %(amount)s %(unit)s, %(share)s of what there is, cannot be delivered between %(first)s and "
        "%(last)s."
    ),
    "put_off": Counted(
        "%(place)s: %(count)s of %(of)s turnout must wait for the next day; what there is goes to those that need it "
        "most.",
        "%(place)s: %(count)s of %(of)s turnouts must wait for the next day; what there is goes to those that need it "
        "most.",
        "of",
    ),
    "held_by_supply": gettext_noop(
        "%(wish)s: held back by %(place)s, whose %(limit)s %(rate_unit)s (on average) are all used for %(hours)s h of "
        "the %(short_hours)s h of shortage."
    ),
    "held_by_link": gettext_noop(
        "%(wish)s: held back by the limit of %(place)s, %(limit)s %(rate_unit)s, for %(hours)s h of the "
        "%(short_hours)s h of shortage."
    ),
    "held_by_store": gettext_noop(
        "%(wish)s: held back by %(place)s, down to the lowest allowed level of %(limit)s %(unit)s for %(hours)s h of "
        "the %(short_hours)s h of shortage."
    ),
    "held_by_target": gettext_noop(
        "%(wish)s: held back by the %(limit)s %(unit)s that %(place)s must keep for the end of the plan."
    ),
    "held_by_ramp": gettext_noop(
        "%(wish)s: held back by %(place)s, which can rise by no more than %(limit)s %(rate_unit)s per hour, for "
        "%(hours)s h of the %(short_hours)s h of shortage."
    ),
    "bottleneck_supply": Counted(
        "One more %(rate_unit)s from %(place)s would save up to %(value)s over the %(hours)s hour of full use, first "
        "at %(first)s.",
        "One more %(rate_unit)s from %(place)s would save up to %(value)s over the %(hours)s hours of full use, first "
        "at %(first)s.",
        "hours",
    ),
    "bottleneck_link": Counted(
        "One more %(rate_unit)s of capacity in %(place)s would save up to %(value)s over the %(hours)s hour of full "
        "use, first at %(first)s.",
        "One more %(rate_unit)s of capacity in %(place)s would save up to %(value)s over the %(hours)s hours of full "
        "use, first at %(first)s.",
        "hours",
    ),
    "price_peak": gettext_noop(
        "At %(place)s one more %(unit)s costs %(price)s at %(at)s, against %(mean)s on average over the plan."
    ),
    "peak_charge": gettext_noop(
        "%(place)s: peak of %(rate)s %(rate_unit)s at %(at)s; what exceeds %(above)s %(rate_unit)s costs %(money)s."
    ),
    "unused": gettext_noop(
        "%(amount)s %(unit)s of %(place)s stay unused (%(share)s of what there is), most at %(worst)s."
    ),
    "spilled": gettext_noop("%(place)s: %(amount)s %(unit)s spilled, most at %(worst)s."),
    "store_low": gettext_noop(
        "%(place)s: at the lowest allowed level of %(limit)s %(unit)s for %(hours)s h, first at %(first)s."
    ),
    "bad_input": gettext_noop("Not valid: %(place)s: %(found)s — expected %(expected)s"),
    "inputs_missing": gettext_noop("%(what)s"),
    "store_full": gettext_noop("%(place)s: full (%(limit)s %(unit)s) for %(hours)s h, first at %(first)s."),
}
# (unit of an amount, unit of a rate); a commodity without an entry is counted in plain units.
UNITS = {
    "water": (gettext_noop("10³ m³"), gettext_noop("10³ m³/h")),
    "power": ("MWh", "MW"),
}
STATUS_WORDS = {
    "optimal": gettext_lazy("optimal"),
    "feasible": gettext_lazy("good, not proven best"),
    "fallback": gettext_lazy("fallback by rule"),
    "none": gettext_lazy("no plan"),
}
STATUS_WARNINGS = {
    "feasible": gettext_lazy("This plan is good, but not proven to be the best: the search for it was cut short."),
    "fallback": gettext_lazy(
        "A rule switched the on/off parts of this plan, because no search ended in time. It keeps every limit, but it "
        "may be far from the best plan."
    ),
}
STAGES = {
    "inputs": gettext_lazy("inputs and forecasts"),
    "build": gettext_lazy("building the model"),
    "compile": gettext_lazy("compiling the model"),
    "cost": gettext_lazy("least cost"),
    "prices": gettext_lazy("prices"),
    "steadiness": gettext_lazy("smoothing the operation"),
    "verify": gettext_lazy("verifying"),
    "parts": gettext_lazy("planning valve turns"),
}
NOTES = (
    gettext_noop("regular plan"),
    gettext_noop("from the command line"),
    gettext_noop("without asking, as requested"),
    gettext_noop("The inputs are not valid:"),
    gettext_noop("The answer did not pass verification:"),
    gettext_noop("An unexpected error stopped the solve: %(error)s"),
    gettext_noop("Cancelled while it was being solved."),
    gettext_noop("Cancelled before a worker had solved it."),
    gettext_noop("Cancelled by hand: its command was interrupted."),
    gettext_noop("No worker took it up in time."),
    gettext_noop("It was solved, but no worker took up its follow-up work in time."),
    gettext_noop("The follow-up work for %(key)s failed: %(why)s"),
    gettext_noop("Its follow-up work could not be summed up: %(error)s"),
    gettext_noop("The command that was making it ended before it was done."),
    gettext_noop("Its worker died %(count)d times."),
    gettext_noop("Its worker stopped renewing the lease."),
    gettext_noop("A plan that was requested later is already in force."),
    gettext_noop("A rule made it, not a search: a person decides whether it replaces the plan in force."),
    gettext_noop("It is a replay: it starts more than an hour before it was asked for, and is never published."),
    gettext_noop("In this city a second person approves: not the one who asked for the plan."),
    gettext_noop("A plan that did not pass verification cannot be published."),
    gettext_noop("The plan has run out: its week is over."),
)
"""What the product itself writes into a plan's rows, in English; every reader gets it in their own language."""
ENDINGS = (
    gettext_noop("Time limit reached"),
    gettext_noop("Iteration limit reached"),
    gettext_noop("Interrupted by user"),
    gettext_noop("Infeasible"),
    gettext_noop("Unbounded"),
    gettext_noop("Primal infeasible or unbounded"),
    gettext_noop("Solve error"),
    gettext_noop("Unknown"),
)
"""What the solver says of its end, in its own words."""
_TIMES = ("first", "last", "worst", "at")
_NAMES = ("wish", "bus")
_MONEY = ("value", "price", "mean", "money")


def sentence(fact: Mapping[str, Any], names: Mapping[str, str], tz: tzinfo | None, currency: str = "") -> str:
    """One fact {kind, place, values} as a sentence. `names` translates parts and buses; times are shown in `tz`.

    A `tz` of None shows the time of this machine; a case file knows no currency, so its money is plain numbers.
    """
    values = fact["values"]
    unit, rate_unit = UNITS.get(values.get("commodity", ""), (gettext_noop("unit"), gettext_noop("unit/h")))
    words = {key: _word(key, value, names, tz) for key, value in values.items()}
    words |= {key: f"{currency} {words[key]}".lstrip() for key in _MONEY if key in words}
    words |= {"place": names.get(fact["place"], fact["place"]), "unit": _(unit), "rate_unit": _(rate_unit)}
    text = _text(SENTENCES[fact["kind"]], words) % words
    return text if is_chinese() else text[:1].upper() + text[1:]


def problem_line(problem: Problem) -> str:
    """Where something is wrong, what was found there and what was expected."""
    words = {
        "place": in_words(problem.place),
        "value": in_words(_found(problem)),
        "expected": in_words(problem.expected),
    }
    return _("%(place)s: %(value)s — expected %(expected)s") % words


def why_refused(error: Exception) -> list[dict[str, Any]]:
    """Why inputs were refused, as facts for `sentence`."""
    if isinstance(error, InvalidInput):
        return [
            {
                "kind": "bad_input",
                "place": problem.place,
                "values": _plain(found=_found(problem), expected=problem.expected),
            }
            for problem in error.problems
        ]
    return [{"kind": "inputs_missing", "place": "", "values": _plain(what=error.args[0])}]


def retold(text: str) -> str:
    """What stands in a plan's row, in the active language where the product wrote it; a person's words stay theirs."""
    return "\n".join(_retold_line(line) for line in text.splitlines())


def _pattern(note: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)[sd]", r"(?P<\1>.+)", re.escape(note)))


_PATTERNS = {note: _pattern(note) for note in NOTES}


def _retold_line(line: str) -> str:
    for note, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(line):
            values = {name: _retold_line(value) for name, value in match.groupdict().items()}
            return _(note).replace(")d", ")s") % values  # a figure is text by now
    return line


def _found(problem: Problem) -> str:
    return problem.value if isinstance(problem.value, Said) else repr(problem.value)


def _plain(**values: object) -> dict[str, Any]:
    """As JSON; of what a kernel said, its English with its own values, so that it can be said again."""
    return {key: _coded(value) for key, value in values.items()}


def _coded(value: object) -> Any:
    if isinstance(value, Said):
        return {"english": value.english, "values": _plain(**value.values)}
    return value if isinstance(value, int | float) and math.isfinite(value) else str(value)


def _decoded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return Said(value["english"], **{key: _decoded(inner) for key, inner in value["values"].items()})


def _text(sentence: str | Counted, words: Mapping[str, str]) -> str:
    if isinstance(sentence, str):
        return _(sentence)
    return ngettext(sentence.one, sentence.other, 1 if words[sentence.of] == "1" else 2)


def _word(key: str, value: Any, names: Mapping[str, str], tz: tzinfo | None) -> str:
    if key in _TIMES:
        return f"{datetime.fromisoformat(value).astimezone(tz):%m-%d %H:%M}"
    if key in _NAMES:
        return names.get(value, value)
    if isinstance(value, dict):
        return in_words(_decoded(value))
    if key == "share":
        return f"{value:.1%}"
    if key == "what" and value:
        return _(value)
    return number(value) if isinstance(value, int | float) else str(value)


def number(value: float) -> str:
    """Three figures that matter, or all before the point of a large number."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def stage_words(stage: str) -> str:
    """A stage of the work on a terminal; a tier carries its number."""
    if stage.startswith("tier "):
        return _("meeting wishes of tier %(tier)s") % {"tier": stage.removeprefix("tier ")}
    return str(STAGES.get(stage, stage))


def status_words(status: str) -> str:
    return str(STATUS_WORDS.get(status, status))


def status_warning(status: str) -> str:
    """What to say beside every plan that is not proven best; empty for one that is."""
    return str(STATUS_WARNINGS.get(status, ""))
