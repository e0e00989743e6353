"""The forecasts behind a plan, for its report: of what, made when and how, and what they came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from .models import Forecast
from .words import expert_label, rests_on


@dataclass(frozen=True)
class Behind:
    """`mean`, `low` and `high` are means over all that was forecast; low and high of the 5 % and 95 % quantiles."""

    label: str
    unit: str
    known_at: datetime
    mean: float
    low: float | None
    high: float | None
    method: str
    warnings: int
    data: str
    """Whether it rests on measurements, on a published profile or on synthetic values, in words."""


def forecasts_behind(ids: Iterable[int]) -> list[Behind]:
    """Those of the forecasts that are still kept, by the name of their series."""
    rows = Forecast.objects.filter(pk__in=list(ids)).select_related("series__city")
    return sorted((_behind(row) for row in rows), key=lambda found: found.label)


def _behind(row: Forecast) -> Behind:
    return Behind(
        row.series.label,
        row.series.unit_label,
        row.known_at.astimezone(row.series.city.zone),
        _mean(row.mean),
        _mean(row.quantiles["0.05"]) if "0.05" in row.quantiles else None,
        _mean(row.quantiles["0.95"]) if "0.95" in row.quantiles else None,
        _method(row),
        len(row.notes),
        rests_on(row),
    )


def _method(row: Forecast) -> str:
    """The expert that counts most, and its share."""
    if not row.weights:
        return expert_label(row.method)
    name, share = max(row.weights.items(), key=lambda item: item[1])
    return _("%(expert)s %(share).0f %%") % {"expert": expert_label(name), "share": 100 * share}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
