"""What a person should look at: feeds that stopped or stand still, impossible values, forecasts that drift.

Alerts are raised and cleared by the hourly watch; people acknowledge them, which changes nothing else. The rules:

stale        the last value is older than the series allows
flat         the newest values stand still as a stuck sensor's do (kernel.faults.flat_lines), until the value moves
impossible   within the last day values came that the limits of the series rule out; they were refused, unless the
             limits are narrower now than they were then
drift        over the last 3 local days forecasts up to 24 h ahead erred more than twice the median of the daily errors
             of the 28 days before, more than on all but a tenth of those days, and beyond their own 90 % band in more
             than three steps of ten; ends at 1.5 times the median. Errors are divided by how much harder than usual
             the day was, as the seasonal naive forecast tells: a storm is no drift
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce, TruncDate

from cities.models import City

from .kernel.cleaning import is_cyclic
from .kernel.faults import flat_lines
from .kernel.seasons import cycles
from .kernel.series import Limits
from .models import Alert, Lead, Score, Series
from .readers import frames, is_stale, last_times

Kind = Alert.Kind
WATCHED_DAYS = 14
IMPOSSIBLE_FOR = timedelta(days=1)
RECENT_DAYS, PAST_DAYS = 3, 28
FEWEST_PAST_DAYS = 7
"""Days of errors below which a series has no past to be compared with."""
DRIFTS_ABOVE, DRIFTS_UNTIL = 2.0, 1.5
"""Times the median: two limits, so that an alert does not come and go by the hour."""
WORST_TENTH = 0.9
STILL_COVERED = 0.7
"""Share of the truth within the 90 % band down to which a forecast knows how far it errs."""
SELDOM_READ = ("storage", "flat", "schedule")
"""Profiles of series that stand still by nature."""


@dataclass(frozen=True)
class Finding:
    """Something that holds now. `figures` are for words.alert_text."""

    since: datetime
    figures: dict[str, Any]


Open = Mapping[tuple[int, str], Alert]


def watch_city(city: City, now: datetime) -> None:
    """Raises what is new, brings open alerts up to date and closes those that no longer hold."""
    series = list(Series.objects.filter(city=city).select_related("city"))
    is_open = {(alert.series_id, alert.kind): alert for alert in Alert.objects.filter(series__city=city, until=None)}
    found = _findings(series, is_open, now)
    fresh = [
        Alert(series_id=key, kind=kind, since=finding.since, figures=finding.figures)
        for (key, kind), finding in found.items()
        if (key, kind) not in is_open
    ]
    # A second worker that came at the same time raised the same ones.
    Alert.objects.bulk_create(fresh, ignore_conflicts=True)
    for place, alert in is_open.items():
        if place not in found:
            alert.until = now
        else:
            alert.figures = found[place].figures
    Alert.objects.bulk_update(is_open.values(), ["until", "figures"])


def _findings(series: Sequence[Series], is_open: Open, now: datetime) -> dict[tuple[int, str], Finding]:
    last = last_times(series, now)
    known = frames(series, now, WATCHED_DAYS)
    errors = _daily_errors(series, now)
    found: dict[tuple[int, str], Finding | None] = {}
    for row in series:
        values = known[row.pk]["value"]
        found[row.pk, Kind.STALE] = _stale(row, last.get(row.pk), now)
        found[row.pk, Kind.FLAT] = _flat(row, values, is_open.get((row.pk, Kind.FLAT)))
        found[row.pk, Kind.IMPOSSIBLE] = _impossible(row, values, is_open.get((row.pk, Kind.IMPOSSIBLE)), now)
        found[row.pk, Kind.DRIFT] = _drift(errors.get(row.pk, {}), (row.pk, Kind.DRIFT) in is_open, row, now)
    return {place: finding for place, finding in found.items() if finding is not None}


# --- rules ---------------------------------------------------------------------------------------------------
def _stale(series: Series, last: datetime | None, now: datetime) -> Finding | None:
    """A series that never had a value has no feed that could have stopped."""
    if last is None or not is_stale(series, last, now):
        return None
    ended = last + series.step
    return Finding(ended + timedelta(hours=series.stale_after_hours), {"hours": (now - ended) / timedelta(hours=1)})


def _flat(series: Series, values: pd.Series, alert: Alert | None) -> Finding | None:
    if values.empty or series.profile.get("kind") in SELDOM_READ:
        return None
    newest = float(values.iloc[-1])
    if alert is not None:
        # A sensor that has been stuck for longer than the rule looks back must not count as well again.
        return Finding(alert.since, alert.figures) if newest == alert.figures["value"] else None
    grid = values.resample(pd.Timedelta(series.step), origin=values.index[-1]).last()
    steps = grid.to_numpy(dtype=float)
    cyclic = is_cyclic(steps, cycles(steps, pd.Timedelta(series.step))[0])
    if not flat_lines(steps, series.step / timedelta(hours=1), cyclic)[-1]:
        return None
    moved = values.index[values.to_numpy() != newest]
    since = values.index[values.index > moved[-1]][0] if len(moved) else values.index[0]
    return Finding(since.to_pydatetime(), {"value": newest})


def _impossible(series: Series, values: pd.Series, alert: Alert | None, now: datetime) -> Finding | None:
    recent = values[values.index > now - IMPOSSIBLE_FOR]
    bad = recent[Limits(series.minimum, series.maximum).impossible(recent.to_numpy(dtype=float))]
    if len(bad):
        return Finding(bad.index[0].to_pydatetime(), {"count": len(bad), "value": float(bad.iloc[-1])})
    refused_at = alert.figures.get("refused_at") if alert else None
    if alert and refused_at and now - datetime.fromisoformat(refused_at) < IMPOSSIBLE_FOR:
        return Finding(alert.since, alert.figures)
    return None


@dataclass(frozen=True)
class Day:
    """How the forecasts made on one local day did: their mean absolute error and that of the seasonal naive forecast
    (0 where there was none), and the share of the truth within the 90 % band."""

    error: float
    naive: float
    covered: float


def _drift(days: Mapping[date, Day], is_drifting: bool, series: Series, now: datetime) -> Finding | None:
    today = now.astimezone(series.city.zone).date()
    recent = [found for day, found in days.items() if (today - day).days < RECENT_DAYS]
    past = [found for day, found in days.items() if (today - day).days >= RECENT_DAYS]
    if not recent or len(past) < FEWEST_PAST_DAYS or not np.median([day.error for day in past]) > 0:
        return None
    hardness = float(np.median([day.naive for day in past]))
    before = [_for_its_hardness(day, hardness) for day in past]
    usual, lately = float(np.median(before)), float(np.mean([_for_its_hardness(day, hardness) for day in recent]))
    out_of_bands = float(np.mean([day.covered for day in recent])) < STILL_COVERED
    begins = out_of_bands and lately > DRIFTS_ABOVE * usual and lately > float(np.quantile(before, WORST_TENTH))
    if begins or (is_drifting and lately > DRIFTS_UNTIL * usual):
        raw = {
            "recent": float(np.mean([day.error for day in recent])),
            "usual": float(np.median([d.error for d in past])),
        }
        return Finding(now, {"ratio": lately / usual, **raw})
    return None


def _for_its_hardness(day: Day, usual: float) -> float:
    """The error, less by as much as repeating the past erred more than it usually does."""
    return day.error / max(1.0, day.naive / usual) if usual > 0 else day.error


def _daily_errors(series: Sequence[Series], now: datetime) -> dict[int, dict[date, Day]]:
    """How forecasts up to 24 h ahead did by series and by local day, with the kind of truth that came last.

    A series whose feed has replaced its synthetic values must not be compared with those.
    """
    if not series:
        return {}
    scores = Score.objects.filter(
        series__in=series,
        lead__in=(Lead.HOURS_6, Lead.HOURS_24),
        known_at__gt=now - timedelta(days=RECENT_DAYS + PAST_DAYS),
        known_at__lte=now,
        count__gt=0,
    ).order_by()
    by_day = scores.annotate(day=TruncDate("known_at", tzinfo=series[0].city.zone)).values("series", "day", "synthetic")
    rows = by_day.annotate(
        error=Sum(F("count") * F("mae")) / Sum("count"),
        naive=Coalesce(Sum(F("count") * F("naive_mae")), 0.0) / Sum("count"),
        covered=Sum(F("count") * F("covered_90")) / Sum("count"),
    )
    found: dict[int, dict[bool, dict[date, Day]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        found[row["series"]][row["synthetic"]][row["day"]] = Day(row["error"], row["naive"], row["covered"])
    return {key: max(kinds.values(), key=max) for key, kinds in found.items()}


# --- what ingest refused -------------------------------------------------------------------------------------
def impossible_values(refused: Iterable[tuple[Series, datetime, float]], now: datetime) -> None:
    """Raises or renews an alert per series of which values of the last day lay outside the limits.

    Refused values are not kept, so this is the only trace of a broken sensor.
    """
    rows: dict[int, list[tuple[datetime, float]]] = defaultdict(list)
    for series, valid_at, value in refused:
        if now - valid_at < IMPOSSIBLE_FOR:
            rows[series.pk].append((valid_at, value))
    for key, values in rows.items():
        at, value = max(values)
        alert, _is_new = Alert.objects.get_or_create(
            series_id=key, kind=Kind.IMPOSSIBLE, until=None, defaults={"since": min(values)[0]}
        )
        count = alert.figures.get("count", 0) + len(values)
        alert.figures = {"count": count, "value": value, "refused_at": now.isoformat()}
        alert.save(update_fields=["figures"])


def open_alerts(series: Series) -> list[Alert]:
    """What stands open for a series, the newest first."""
    return list(Alert.objects.filter(Q(until=None), series=series).order_by("-since"))
