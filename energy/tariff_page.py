"""A tariff as people read it: a line per season and section of the week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .kernel.tariff import ContractKind, DayType, Section
from .models import Tariff

SEASONS = {
    "summer": gettext_noop("summer"),
    "non_summer": gettext_noop("rest of the year"),
    "year": gettext_noop("all year"),
}
SECTIONS: Mapping[str, str] = {
    Section.PEAK: gettext_noop("peak"),
    Section.SEMI_PEAK: gettext_noop("half-peak"),
    Section.SATURDAY_SEMI_PEAK: gettext_noop("Saturday half-peak"),
    Section.OFF_PEAK: gettext_noop("off-peak"),
}
CONTRACTS: Mapping[str, str] = {ContractKind.REGULAR: gettext_noop("regular contract"), **SECTIONS}
DAYS: Mapping[str, str] = {
    DayType.WEEKDAY: gettext_noop("Monday to Friday"),
    DayType.SATURDAY: gettext_noop("Saturday"),
    DayType.OFF_DAY: gettext_noop("Sundays and holidays"),
}


def price_table(tariff: Tariff) -> SafeString:
    found = [_season(season) for season in tariff.data["seasons"]]
    return render_to_string("energy/tariff.html", {"seasons": found, "data": tariff.data, "city": tariff.city})


def _season(season: dict[str, Any]) -> dict[str, Any]:
    bands = season["bands"]
    return {
        "name": _(SEASONS[season["name"]]) if season["name"] in SEASONS else season["name"],
        "days": f"{season['first']} – {season['last']}",
        "prices": [(_(SECTIONS[name]), _hours(bands, name), price) for name, price in season["energy_per_kwh"].items()],
        "fees": [(_(CONTRACTS[kind]), fee) for kind, fee in season["contract_per_kw_month"].items()],
    }


def _hours(bands: list[dict[str, Any]], section: str) -> list[str]:
    """When a section is billed; the one without bands fills what they leave."""
    return [
        f"{_(DAYS[band['day_type']])} {_clock(band['from_hour'])}–{_clock(band['to_hour'])}"
        for band in bands
        if band["section"] == section
    ] or [_("all other hours")]


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{round(60 * (hour % 1)):02d}"
