"""What controllers report, in the words of the engineer's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

STATUSES = {
    "received": gettext_lazy("received"),
    "started": gettext_lazy("opened"),
    "completed": gettext_lazy("completed"),
    "partial": gettext_lazy("open for a part of the time"),
    "rejected_invalid": gettext_lazy("refused: not valid"),
    "rejected_expired": gettext_lazy("refused: too late"),
    "rejected_limit": gettext_lazy("refused: beyond a limit of the gate"),
    "aborted_fault": gettext_lazy("stopped by a fault"),
    "aborted_operator": gettext_lazy("stopped by hand"),
    "opted_out": gettext_lazy("declined on the spot"),
    "cancelled": gettext_lazy("cancelled"),
    "superseded": gettext_lazy("superseded"),
}
FIGURES = {
    "entry_rev": gettext_lazy("revision of the run"),
    "revision": gettext_lazy("revision"),
    "applied_revision": gettext_lazy("applied revision"),
    "duration_s": gettext_lazy("duration, s"),
    "volume_m3": gettext_lazy("volume, m³"),
    "flow_m3s": gettext_lazy("flow, m³/s"),
    "pressure_kpa": gettext_lazy("pressure, kPa"),
    "level_m": gettext_lazy("level, m"),
    "reason": gettext_lazy("reason"),
    "actuator": gettext_lazy("actuator"),
    "series": gettext_lazy("series"),
    "value": gettext_lazy("value"),
    "firmware": gettext_lazy("firmware"),
    "capabilities": gettext_lazy("capabilities"),
    "clock_offset_s": gettext_lazy("clock offset, s"),
    "boot_reason": gettext_lazy("reason of the restart"),
}
CROPS = {
    "rice": gettext_lazy("rice"),
    "sugarcane_virgin": gettext_lazy("sugarcane, first crop"),
    "sugarcane_ratoon": gettext_lazy("sugarcane, ratoon"),
    "banana_first_year": gettext_lazy("banana, first year"),
    "banana_second_year": gettext_lazy("banana, second year"),
    "pineapple": gettext_lazy("pineapple"),
    "cabbage": gettext_lazy("cabbage"),
    "tomato": gettext_lazy("tomato"),
    "sweet_potato": gettext_lazy("sweet potato"),
    "soybean": gettext_lazy("soybean"),
    "citrus": gettext_lazy("citrus"),
    "guava": gettext_lazy("guava"),
    "watermelon": gettext_lazy("watermelon"),
}


def status_in_words(status: str) -> str:
    return str(STATUSES.get(status, status))


def crop_in_words(crop: str) -> str:
    return str(CROPS.get(crop, crop))


def data_in_words(data: Mapping[str, Any]) -> str:
    """The figures of a message that say something: empty texts and lists are left out."""
    told = ((key, value) for key, value in data.items() if value not in ("", [], None))
    return ", ".join(f"{FIGURES.get(key, key)}: {_figure(value)}" for key, value in told)


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
