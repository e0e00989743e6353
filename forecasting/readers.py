"""What was known of a series at a moment, and what was then expected of it.

Everything takes `known_at`: a plan of last month is explained with what was known last month, and no test, backtest
or re-solve ever sees a later recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from django.db.models import Count, F, Max, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext, gettext_noop

from cities.languages import in_both

from .kernel.profiles import means_over
from .kernel.series import Rule
from .making import PROFILE, is_too_old, make
from .models import Alert, Forecast, Observation, Series

HISTORY_DAYS = 60
DAILY_HISTORY_DAYS = 730
MARGIN = timedelta(hours=2)
"""Forecasts reach a little farther than asked, so that the next plans of the same hour find them long enough."""
STALE = gettext_noop("The last value of %(series)s is %(hours).0f h old.")
FAR = gettext_noop("The last value of %(series)s is %(days).0f days old: its published profile is used instead.")
NOTHING = gettext_noop("%(series)s has no measurements: its published profile is used.")
REFUSED = gettext_noop("%(series)s cannot be forecast from its measurements: its published profile is used.")
DRIFTS = gettext_noop("Forecasts of %(series)s have lately erred %(ratio).1f times as much as they usually do.")
CLEANING_RULES = {Rule.IMPOSSIBLE, Rule.SPIKE, Rule.FLAT, Rule.GAP}
CLEANED = gettext_noop("%(count)d values of %(series)s were not believed or missing, and replaced.")


@dataclass(frozen=True)
class ReaderNote:
    """Something a reader of a plan must know of a series. `level` is "info" or "warning"."""

    level: str
    en: str
    zh: str


@dataclass(frozen=True)
class Expectation:
    """Time-weighted means over the steps asked for; `low` and `high` are the 5 % and 95 % quantiles."""

    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    forecast_id: int | None
    synthetic: bool
    notes: tuple[ReaderNote, ...] = ()


class NothingKnown(ValueError):
    """Series without a usable history and without a profile; the message names all of them and what would help."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.series = tuple(series)
        names = ", ".join(f"{row.label} ({row.key})" for row in series)
        super().__init__(gettext("Nothing is known of %(names)s: load a history or give a profile.") % {"names": names})


# --- what was known ------------------------------------------------------------------------------------------
def history(series: Series, known_at: datetime, days: float | None = None) -> tuple[pd.Series, bool]:
    """Values of the last `days` (UTC index, ascending) as known at a moment, and whether any of them is synthetic.

    Of several recordings the latest by `known_at` counts; a real one comes before a synthetic one.
    """
    return histories([series], known_at, days)[series.pk]


def histories(
    series: Iterable[Series], known_at: datetime, days: float | None = None
) -> dict[int, tuple[pd.Series, bool]]:
    """As `history`, of many series by their id."""
    found = frames(series, known_at, days)
    return {key: (frame["value"], bool(frame["synthetic"].any())) for key, frame in found.items()}


def frames(series: Iterable[Series], known_at: datetime, days: float | None = None) -> dict[int, pd.DataFrame]:
    """As `histories`, telling of every value whether it is synthetic: columns value and synthetic."""
    found: dict[int, pd.DataFrame] = {}
    every = list(series)
    for span, group in _by_span(every, days).items():
        rows = _known(group, known_at).filter(valid_at__gt=known_at - span)
        frame = pd.DataFrame(
            rows.values_list("series_id", "valid_at", "value", "synthetic"),
            columns=["series", "at", "value", "synthetic"],
        )
        for key, part in frame.groupby("series"):
            index = pd.DatetimeIndex(pd.to_datetime(part["at"], utc=True), name=None)
            values = {"value": part["value"].to_numpy(dtype=float), "synthetic": part["synthetic"].to_numpy(dtype=bool)}
            found[int(str(key))] = pd.DataFrame(values, index=index).sort_index()
    nothing = pd.DataFrame(
        {"value": np.array([], dtype=float), "synthetic": np.array([], dtype=bool)}, pd.DatetimeIndex([], tz="UTC")
    )
    return {row.pk: found.get(row.pk, nothing) for row in every}


def latest(series: Series, known_at: datetime) -> Observation | None:
    """The newest value that was known at a moment."""
    known = Observation.objects.filter(series=series, recorded_at__lte=known_at, valid_at__lte=known_at)
    return known.order_by("-valid_at", "synthetic", "-recorded_at").first()


def _by_span(series: list[Series], days: float | None) -> dict[timedelta, list[Series]]:
    groups: dict[timedelta, list[Series]] = {}
    for row in series:
        groups.setdefault(timedelta(days=days) if days is not None else span_of(row), []).append(row)
    return groups


def span_of(series: Series) -> timedelta:
    """How far back forecasts look: eight weeks of hours tell the shape of days and weeks; days need years."""
    return timedelta(days=DAILY_HISTORY_DAYS if series.step_minutes >= 1440 else HISTORY_DAYS)


def _known(series: Sequence[Series], known_at: datetime) -> QuerySet[Observation]:
    """One row per valid time: the latest real recording by `known_at`, else the latest synthetic one."""
    order = [F("synthetic").asc(), F("recorded_at").desc()]
    rank = Window(RowNumber(), partition_by=[F("series_id"), F("valid_at")], order_by=order)
    seen = Observation.objects.filter(series__in=series, recorded_at__lte=known_at, valid_at__lte=known_at)
    return seen.annotate(rank=rank).filter(rank=1)


# --- what is expected ----------------------------------------------------------------------------------------
def expected(series: Series, starts: Sequence[datetime], hours: Sequence[float], known_at: datetime) -> Expectation:
    """As `expected_many`, of one series."""
    return expected_many([series], starts, hours, known_at)[series.pk]


def expected_many(
    series: Iterable[Series], starts: Sequence[datetime], hours: Sequence[float], known_at: datetime
) -> dict[int, Expectation]:
    """What is expected of every series in the steps that begin at `starts` and last `hours`, by series id.

    A stored forecast made in the same hour is used while nothing was recorded since; else a new one is stored.
    Raises NothingKnown naming every series that has neither a history nor a profile.
    """
    every = list(series)
    low, high = starts[0], starts[-1] + timedelta(hours=hours[-1])
    forecasts = current_forecasts(every, low, high, known_at)
    missing = [row for row in every if row.pk not in forecasts]
    if missing:
        raise NothingKnown(missing)
    last, drifts = last_times(every, known_at), drifting(every, known_at)
    found: dict[int, Expectation] = {}
    for row in every:
        notes = _notes(row, forecasts[row.pk], last.get(row.pk), drifts.get(row.pk), known_at)
        found[row.pk] = _expectation(forecasts[row.pk], starts, hours, tuple(notes))
    return found


def current_forecasts(
    series: Sequence[Series], low: datetime, high: datetime, known_at: datetime
) -> dict[int, Forecast]:
    """Forecasts that cover [low, high), stored before or made now. Series of which nothing is known are left out."""
    # Counted before anything is read: with what arrives in between, the forecast counts as out of date, not as good.
    counts = _recordings(series, known_at)
    found = _stored(series, low, high, known_at, counts)
    wanted = [row for row in series if row.pk not in found]
    made = make(wanted, histories(wanted, known_at), low, high + MARGIN, known_at, counts)
    return {**found, **made}


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _recordings(series: Sequence[Series], known_at: datetime) -> Counter[int]:
    """How many recordings were known of the time that forecasts of this hour look at, by series id."""
    counts: Counter[int] = Counter()
    for span, group in _by_span(list(series), None).items():
        seen = Observation.objects.filter(series__in=group, recorded_at__lte=known_at)
        recent = seen.filter(valid_at__gt=_hour(known_at) - span)
        counts.update(dict(recent.values_list("series").annotate(count=Count("pk"))))
    return counts


def _stored(
    series: Sequence[Series], low: datetime, high: datetime, known_at: datetime, counts: Counter[int]
) -> dict[int, Forecast]:
    """The latest forecasts of the hour of `known_at` that are long enough and know all that is known.

    Recordings are only ever added, so an equal count means the same ones: neither a newer value nor one that was
    loaded later with an earlier recording time escapes it.
    """
    rows = Forecast.objects.filter(series__in=series, known_at__range=(_hour(known_at), known_at), start__lte=low)
    return {
        row.series_id: row
        for row in rows.order_by("issued_at", "pk")
        if row.start + len(row.mean) * row.step >= high and row.recordings == counts[row.series_id]
    }


def last_times(series: Sequence[Series], known_at: datetime) -> dict[int, datetime]:
    """The valid time of the newest value known of every series that has one."""
    seen = Observation.objects.filter(series__in=series, recorded_at__lte=known_at)
    # Bounded: the greatest valid time of a series with years of values would be looked for among all of them.
    recent = seen.filter(valid_at__range=(known_at - timedelta(days=HISTORY_DAYS), known_at))
    found = dict(recent.values_list("series").annotate(at=Max("valid_at")))
    for row in series:
        if row.pk not in found and (last := latest(row, known_at)):
            found[row.pk] = last.valid_at
    return found


def drifting(series: Sequence[Series], known_at: datetime) -> dict[int, Alert]:
    """The alerts of drifting forecasts that stood at a moment, by series id."""
    stood = Q(until=None) | Q(until__gt=known_at)
    alerts = Alert.objects.filter(stood, series__in=series, kind=Alert.Kind.DRIFT, since__lte=known_at)
    return {alert.series_id: alert for alert in alerts}


def _expectation(
    forecast: Forecast, starts: Sequence[datetime], hours: Sequence[float], notes: tuple[ReaderNote, ...]
) -> Expectation:
    low = np.array([(start - forecast.start).total_seconds() / 3600 for start in starts])
    high = low + np.asarray(hours)
    width = forecast.step_minutes / 60

    def over_steps(values: Sequence[float]) -> tuple[float, ...]:
        return tuple(float(value) for value in means_over(0.0, width, np.asarray(values), low, high))

    return Expectation(
        over_steps(forecast.mean),
        over_steps(forecast.quantiles["0.05"]),
        over_steps(forecast.quantiles["0.95"]),
        forecast.pk,
        forecast.synthetic,
        notes,
    )


# --- notes ---------------------------------------------------------------------------------------------------
def _notes(
    series: Series, forecast: Forecast, last: datetime | None, drift: Alert | None, known_at: datetime
) -> Iterable[ReaderNote]:
    if last is None:
        yield _note("warning", NOTHING, series)
        return
    age = known_at - last - series.step
    if is_too_old(last, known_at):
        yield _note("warning", FAR, series, days=age / timedelta(days=1))
        return
    if is_stale(series, last, known_at):
        yield _note("warning", STALE, series, hours=age / timedelta(hours=1))
    if drift is not None:
        yield _note("warning", DRIFTS, series, ratio=drift.figures["ratio"])
    if forecast.method == PROFILE:
        yield _note("warning", REFUSED, series)
    replaced = sum(note["count"] for note in forecast.notes if note["rule"] in CLEANING_RULES)
    if replaced:
        yield _note("info", CLEANED, series, count=replaced)


def is_stale(series: Series, last: datetime, known_at: datetime) -> bool:
    """Whether the end of the last value's step is longer ago than the series allows."""
    return known_at - last - series.step > timedelta(hours=series.stale_after_hours)


def _note(level: str, message: str, series: Series, **figures: float) -> ReaderNote:
    return ReaderNote(level, *in_both(lambda: gettext(message) % {"series": series.label, **figures}))
