"""Why there is no plan, or not the best one: facts as in explain.py, here with their English.

The texts are msgids as well: planning/words.py says the same facts in the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterable

from .outcome import Fact


def gettext_noop(text: str) -> str:
    """Marks a text for the catalogs, by the name that they look for; the kernel itself speaks English."""
    return text


TEXTS = {
    "cancelled": gettext_noop("The solve was cancelled before a first plan was found."),
    "out_of_time": gettext_noop("The time limit was reached before a first plan was found."),
    "solver_ended": gettext_noop("The solver ended without a plan: %(what)s."),
    "solver_failed": gettext_noop("The solver failed: %(what)s."),
    "hard_limits_clash": gettext_noop("The hard limits cannot all be kept."),
    "clash_lack": gettext_noop(
        "Bus %(place)s is short of what its hard limits draw by %(amount)s in all, first in step %(step)s (%(first)s)."
    ),
    "clash_excess": gettext_noop(
        "Bus %(place)s receives more than can leave it, left over %(amount)s in all, first in step %(step)s "
        "(%(first)s)."
    ),
    "clash_firm": gettext_noop(
        "The firm demand %(place)s at bus %(bus)s cannot be met, missing %(amount)s in all, first in step %(step)s "
        "(%(first)s)."
    ),
    "clashes_more": gettext_noop("And %(count)s more of the kind."),
    "clash_rounding": gettext_noop(
        "The solver finds the hard limits infeasible, but by less than its own rounding: widen the tightest ones."
    ),
    "clash_ramps": gettext_noop(
        "No plan exists even with any supply and any spill at every bus: the ramps of links clash with other limits."
    ),
    "clash_commitments": gettext_noop(
        "No plan exists even with any supply and any spill at every bus: the commitments clash with other limits."
    ),
    "clash_finals": gettext_noop(
        "No plan exists even with any supply and any spill at every bus: the final levels of stores clash with other "
        "limits."
    ),
    "clash_unexplained": gettext_noop("No plan exists, and the time was too short to find which hard limits clash."),
    "ended_early": gettext_noop("The search ended early (%(what)s); this is the best plan found by then."),
    "unproven": gettext_noop("The least shortage is not proven for tier %(tiers)s."),
    "unshared": gettext_noop("The shortage could not be shared out to the end in tier %(tiers)s."),
    "fallback_hold": gettext_noop(
        "The search found no plan in time. A rule took over: every on/off part stays as it was before the plan, where "
        "its limits and minimum times allow, and the rest is planned around that."
    ),
    "fallback_on": gettext_noop(
        "The search found no plan in time. A rule took over: every on/off part runs, where its limits and minimum "
        "times allow, and the rest is planned around that."
    ),
    "fallback_off": gettext_noop(
        "The search found no plan in time. A rule took over: every on/off part rests, where its minimum times allow, "
        "and the rest is planned around that."
    ),
    "gap_unknown": gettext_noop("How far this is from the best plan is not known."),
}


def in_english(facts: Iterable[Fact]) -> str:
    return " ".join(TEXTS[fact.kind] % _shown(fact) for fact in facts)


def _shown(fact: Fact) -> dict[str, object]:
    values = {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in fact.values.items()}
    return {"place": fact.place, **values}
