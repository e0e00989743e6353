"""Measurements of controllers on their way to the series that each may feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from forecasting.ingest import Problem as Refusal
from forecasting.ingest import Reason, Row, ingest

from .messages import Problems, Telemetry
from .models import Controller, DeviceFeed

OF_TIME = (Reason.STEP, Reason.FUTURE, Reason.TIME, Reason.OFFSET)


def take_in(controller: Controller, items: Iterable[Telemetry]) -> dict[int, Problems]:
    """Appends what the items say of series, recorded now. Returns the problems of refused items by their seq."""
    told = [item for item in items if item.series is not None or item.value is not None]
    mine = (
        set(DeviceFeed.objects.filter(controller=controller).values_list("series__key", flat=True)) if told else set()
    )
    refused = {item.seq: found for item in told if (found := _problems(item, mine))}
    good = dict(enumerate((item for item in told if item.seq not in refused), 1))
    if good:
        rows = [_row(item)._replace(line=line) for line, item in good.items()]
        for problem in ingest(controller.city, rows, examples=len(rows)).problems:
            # Of two readings of one time the later counts; the earlier came in all the same.
            if problem.line and problem.reason != Reason.REPLACED:
                refused[good[problem.line].seq] = [_shown(problem)]
    return refused


def _problems(item: Telemetry, mine: set[str]) -> Problems:
    if item.series not in mine:
        expected = _("the key of a series that this controller may feed")
        return [{"place": "series", "value": item.series, "expected": expected}]
    if item.value is None:
        return [{"place": "value", "value": None, "expected": _("a number in the unit of the series")}]
    return []


def _row(item: Telemetry) -> Row:
    assert item.series is not None and item.value is not None, "judged before"
    return Row(item.series, item.at, item.value)


def _shown(found: Refusal) -> dict[str, Any]:
    place = "at" if found.reason in OF_TIME else "value"
    return {"place": place, "value": found.value, "expected": found.expected}
