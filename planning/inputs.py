"""What a plan was made from, in tables for its report: forecasts, and figures that somebody assumed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from cities.models import Asset, City

from .figures import Figure, figure
from .sectors import Section


def forecast_table(title: str, forecasts: Iterable[Any]) -> Section:
    """`forecasts` are as `forecasting.behind` tells them; this room knows nothing of where they come from."""
    headers = (
        _("Series"), _("unit"), _("mean"), "5 %", "95 %", _("known at"), _("most weight on"), _("warnings"), _("data"),
    )  # fmt: skip
    rows = tuple(_forecast_row(row) for row in forecasts)
    note = _("Means over the horizon; the 5 % and 95 % quantiles likewise. Warnings count what cleaning had to do.")
    return Section(title, headers, rows, note if rows else "", is_input=True)


def assumptions(city: City) -> Section:
    """How many figures of the city's assets are assumed, as the data stands now, by kind of asset."""
    rows = []
    for model in apps.get_models():
        if issubclass(model, Asset):
            assumed = list(model._default_manager.filter(city=city).values_list("assumption", flat=True))
            if assumed:
                rows.append(
                    (capfirst(str(model._meta.verbose_name_plural)), figure(len(assumed)), figure(sum(assumed)))
                )
    headers = (_("Kind"), _("in the city"), _("resting on an assumption"))
    note = _("Counted in the city's data of today; each row's note in the admin says what was assumed and why.")
    return Section(_("Assumptions"), headers, tuple(rows), note)


def _forecast_row(row: Any) -> tuple[str, ...]:
    return (
        row.label,
        row.unit,
        _three_figures(row.mean),
        "" if row.low is None else _three_figures(row.low),
        "" if row.high is None else _three_figures(row.high),
        f"{row.known_at:%m-%d %H:%M}",
        row.method,
        figure(row.warnings),
        row.data,
    )


def _three_figures(value: float) -> Figure:
    """Series differ by orders of magnitude: a share of 0.214 and a load of 3,100 both keep what matters."""
    return figure(value, 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)
