"""What the laterals would ask for under many courses of rain, and what the plan counts on of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from planning.figures import figure, percent
from planning.numbers import Numbers
from planning.sectors import Section

from .kernel.daily_eto import Basis
from .kernel.ensembles import DEPENDABLE, MEAN
from .reading import SERIES


def irrigation_demand(numbers: Numbers) -> Section:
    """The horizon's demand of every lateral; empty for plans made before rain was taken as uncertain."""
    found: Mapping[str, Any] = numbers.plan.snapshot["extra"].get("water", {}).get("irrigation", {})
    headers = (_("Lateral"), _("planned"), _("mean"), _("5 %"), _("median"), _("95 %"))
    rows = []
    for key, spread in found.get("laterals", {}).items():
        total = spread["total"]
        # A dry November asks the same under every course of rain; what is asked for by nobody is not told of.
        if total[-1]:
            cells = (sum(spread["planned"]), *total)
            rows.append((numbers.label(f"irrigation.{key}"), *(figure(cell, 1) for cell in cells)))
    note = f"{_note(found)} {evapotranspiration(found)}".strip() if rows else ""
    return Section(_("What irrigation may ask for, over the horizon, 10³ m³"), headers, tuple(rows), note)


def _note(found: Mapping[str, Any]) -> str:
    words = _(
        "Over %(count)d courses of rain (%(source)s), where the canals take the water. The plan counts on %(basis)s."
    )
    source = _("days of past years") if "history" in found["rain"] else _("sampled from the published climate")
    return words % {"count": found["courses"], "source": source, "basis": _basis(found["counted_on"])}


def evapotranspiration(found: Mapping[str, Any]) -> str:
    """From what it was computed, as a sentence; empty for plans made before that was written down."""
    used = {basis for system in found.get("eto", {}).values() for basis in system["basis"]}
    words = {
        Basis.HOURS.value: _("the weather by the hour"),
        Basis.DAY.value: _("the weather by the day"),
        SERIES: _("its own series"),
    }
    sources = _(" and ").join(told for basis, told in words.items() if basis in used)
    return _("Reference evapotranspiration comes from %(sources)s.") % {"sources": sources} if used else ""


def _basis(basis: str) -> str:
    if basis == DEPENDABLE:
        return _("the rain of four years in five")
    if basis == MEAN:
        return _("the mean demand")
    return _("the demand that is not exceeded in %(share)s of the courses") % {"share": percent(float(basis))}
