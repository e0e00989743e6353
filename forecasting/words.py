"""What the kernel and the watch say, in the reader's language. The kernel speaks English and knows no translations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .kernel.series import Rule
from .making import UNMEASURED
from .models import Alert, Forecast

RULES = {
    Rule.NOT_A_NUMBER: gettext_noop("not a number"),
    Rule.DUPLICATE: gettext_noop("duplicate time"),
    Rule.FINER: gettext_noop("finer than the step"),
    Rule.OFF_GRID: gettext_noop("off the grid"),
    Rule.LATER: gettext_noop("after the start"),
    Rule.TOO_OLD: gettext_noop("older than looked at"),
    Rule.IMPOSSIBLE: gettext_noop("impossible value"),
    Rule.SPIKE: gettext_noop("spike"),
    Rule.UNIT: gettext_noop("wrong unit"),
    Rule.FLAT: gettext_noop("flat line"),
    Rule.SHIFT: gettext_noop("level shift"),
    Rule.GAP: gettext_noop("gap"),
    Rule.LATE: gettext_noop("late"),
    Rule.REGRESSOR: gettext_noop("regressor"),
    Rule.SCHEDULE: gettext_noop("schedule"),
    Rule.SHORT: gettext_noop("short history"),
    Rule.STALE: gettext_noop("stale history"),
    Rule.PROFILE: gettext_noop("published profile"),
}
EXPERTS = {
    "seasonal naive": gettext_noop("same time yesterday"),
    "seasonal naive (week)": gettext_noop("same time last week"),
    "ar": gettext_noop("autoregression on days"),
    "ar (week)": gettext_noop("autoregression on weeks"),
    "ar (level)": gettext_noop("autoregression on the level"),
    "recession": gettext_noop("recession"),
    "rain response": gettext_noop("response to rain"),
    "week mean": gettext_noop("mean of the last weeks"),
    "persistence": gettext_noop("last value"),
    "ridge": gettext_noop("ridge regression"),
    "ridge (lead)": gettext_noop("ridge regression by lead"),
    "ridge (lead, calendar)": gettext_noop("ridge regression by lead, without weather"),
    "exponential smoothing": gettext_noop("exponential smoothing"),
    "profile": gettext_noop("published profile"),
    "climate": gettext_noop("published climate"),
    "schedule": gettext_noop("announced schedule"),
}
SENTENCES = (
    gettext_noop("left out"),
    gettext_noop("left out: the forecast starts there"),
    gettext_noop("the last one was used"),
    gettext_noop("not used"),
    gettext_noop("%(factor)s times too high, not used"),
    gettext_noop("values before it multiplied by %(factor)s for the computation"),
    gettext_noop("averaged over the step"),
    gettext_noop("moved to the nearest step"),
    gettext_noop("filled for the computation"),
    gettext_noop("steps without a value before the start"),
    gettext_noop("%(name)s is not known there and was not used"),
    gettext_noop("%(name)s is not known from there on: the last day known stands in"),
    gettext_noop("multiplied by the schedule %(name)s, %(low)s to %(high)s"),
    gettext_noop("moved the profile's level by a factor of %(factor)s"),
    gettext_noop("stands in: %(reason)s"),
    gettext_noop("no value at all"),
    gettext_noop("no usable value (%(rules)s)"),
    gettext_noop("%(count)s usable values are too few, at least %(least)s are needed"),
    gettext_noop("the last usable value is of %(time)s, %(steps)s steps before the start"),
    gettext_noop("%(reason)s; the profile needs a time to start from"),
    gettext_noop("times must be whole numbers when no step is given"),
    gettext_noop("times must carry a timezone"),
    gettext_noop("%(count)s values: too few to see the step"),
    gettext_noop("column %(name)s is missing"),
    gettext_noop("column %(name)s is there twice"),
    gettext_noop("line %(line)s: no series named"),
    gettext_noop("line %(line)s: time is %(cell)s, expected an ISO time or a whole number"),
    gettext_noop("line %(line)s: time %(cell)s has no offset, but others have"),
    gettext_noop("line %(line)s: %(name)s is %(cell)s, expected a number"),
)
ALERTS = {
    Alert.Kind.STALE: gettext_noop("The last value is %(hours).0f h old."),
    Alert.Kind.DRIFT: gettext_noop(
        "Forecasts up to a day ahead erred by %(recent).4g %(unit)s in the last days, usually by %(usual).4g %(unit)s."
    ),
    Alert.Kind.FLAT: gettext_noop("The value stands still at %(value).6g %(unit)s."),
    Alert.Kind.IMPOSSIBLE: gettext_noop(
        "Values outside the limits of the series: %(count)d, the last one %(value).6g %(unit)s."
    ),
}
_INNER = {"reason"}
"""Placeholders that hold a further sentence."""


def _pattern(sentence: str) -> re.Pattern[str]:
    """Matches the sentence with any figures; only an inner sentence may hold the semicolon that joins sentences."""
    parts = re.split(r"%\((\w+)\)s", sentence)
    texts = [re.escape(part) for part in parts]
    texts[1::2] = [f"(?P<{name}>{'.' if name in _INNER else '[^;]'}+?)" for name in parts[1::2]]
    return re.compile("".join(texts))


# The most particular first: "left out" must not take what "left out: the forecast starts there" says better.
_PATTERNS = [(sentence, _pattern(sentence)) for sentence in sorted(SENTENCES, key=len, reverse=True)]


def said(text: str) -> str:
    """A sentence of the kernel in the active language; one that is not known here stays as it is."""
    for sentence, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            parts = {name: said(part) if name in _INNER else part for name, part in match.groupdict().items()}
            return _(sentence) % parts if parts else _(sentence)
    return _("; ").join(said(part) for part in text.split("; ")) if "; " in text else text


def rule_label(rule: str) -> str:
    """The short name of a cleaning rule or a fallback."""
    return _(RULES[Rule(rule)]) if rule in RULES else rule


def expert_label(name: str) -> str:
    return _(EXPERTS[name]) if name in EXPERTS else name


def method_text(weights: Mapping[str, float], method: str = "") -> str:
    """How a forecast was made: the experts by their share, below half a per cent unsaid."""
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    told = [f"{expert_label(name)} {100 * share:.0f} %" for name, share in ordered if share >= 0.005]
    return _(", ").join(told) or expert_label(method)


def rests_on(forecast: Forecast) -> str:
    """What a forecast was made from: values that were invented, a published profile or measurements."""
    if forecast.synthetic:
        return _("synthetic")
    return expert_label(forecast.method) if forecast.method in UNMEASURED else _("measured")


def cleaning_rows(forecast: Forecast, zone: tzinfo) -> list[dict[str, Any]]:
    """What cleaning and fallbacks did: rule, count, first (local time or None) and what was done."""
    return [
        {
            "rule": rule_label(note["rule"]),
            "count": note["count"],
            "first": datetime.fromisoformat(note["first"]).astimezone(zone) if note["first"] else None,
            "did": said(note["did"]),
        }
        for note in forecast.notes
    ]


def alert_text(alert: Alert) -> str:
    """What an alert says, for people."""
    return _(ALERTS[Alert.Kind(alert.kind)]) % {**alert.figures, "unit": alert.series.unit_label}
