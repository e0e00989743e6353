"""What was known of a series at a moment, and what was then expected of it.

Everything takes `known_at`: a plan of last month is explained with what was known last month, and no test, backtest
or re-solve ever sees a later recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import BigIntegerField, Count, Func, Max, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from cities.kernel.said import Said
from cities.languages import in_both

from .drivers import Driver, by_rank, drivers_of, last_needed
from .kernel.profiles import means_over
from .kernel.series import Rule
from .making import PROFILE, Asked, computed, is_too_old
from .models import Alert, Forecast, Observation, Series

HISTORY_DAYS = 730
"""How far back forecasts look: what comes once a year, such as heat and Lunar New Year, is learnt from years."""
RECENT = timedelta(days=60)
MARGIN = timedelta(hours=2)
"""Forecasts reach a little farther than asked, so that the next plans of the same hour find them long enough."""
STALE = gettext_noop("The last value of %(series)s is %(hours).0f h old.")
FAR = gettext_noop("The last value of %(series)s is %(days).0f days old: its published profile is used instead.")
NOTHING = gettext_noop("%(series)s has no measurements: its published profile is used.")
REFUSED = gettext_noop("%(series)s cannot be forecast from its measurements: its published profile is used.")
DRIFTS = gettext_noop("Forecasts of %(series)s have lately erred %(ratio).1f times as much as they usually do.")
Ranks = Sequence[Sequence[Series]]
"""Drivers before what they drive."""
CLEANING_RULES = {Rule.IMPOSSIBLE, Rule.UNIT, Rule.SPIKE, Rule.FLAT, Rule.GAP}
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
        super().__init__(Said("Nothing is known of %(names)s: load a history or give a profile.", names=names))


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
    since = known_at - timedelta(days=HISTORY_DAYS if days is None else days)
    rows = _known(every, known_at).filter(valid_at__gt=since)
    seen = pd.DataFrame(
        rows.values_list("series_id", Epoch("valid_at"), "value", "synthetic"),
        columns=["series", "at", "value", "synthetic"],
    )
    for key, part in _believed(seen).groupby("series"):
        index = pd.DatetimeIndex(pd.to_datetime(part["at"].to_numpy(), unit="s", utc=True))
        values = {"value": part["value"].to_numpy(dtype=float), "synthetic": part["synthetic"].to_numpy(dtype=bool)}
        found[int(str(key))] = pd.DataFrame(values, index=index)
    nothing = pd.DataFrame(
        {"value": np.array([], dtype=float), "synthetic": np.array([], dtype=bool)}, pd.DatetimeIndex([], tz="UTC")
    )
    return {row.pk: found.get(row.pk, nothing) for row in every}


def latest(series: Series, known_at: datetime) -> Observation | None:
    """The newest value that was known at a moment."""
    known = Observation.objects.filter(series=series, recorded_at__lte=known_at, valid_at__lte=known_at)
    return known.order_by("-valid_at", "synthetic", "-recorded_at").first()


class Epoch(Func):
    """Seconds since 1970: millions of times are read as numbers in a fraction of the time that datetimes take."""

    output_field = BigIntegerField()
    template = "CAST(EXTRACT(EPOCH FROM %(expressions)s) AS BIGINT)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        seconds = "CAST(ROUND((julianday(%(expressions)s) - 2440587.5) * 86400) AS INTEGER)"
        return super().as_sql(compiler, connection, template=seconds, **context)


def _known(series: Sequence[Series], known_at: datetime) -> QuerySet[Observation]:
    """All recordings by `known_at`, in the order of the index; of schedules those too that are valid later."""
    come = Q(valid_at__lte=known_at)
    schedules = [row for row in series if row.is_schedule]
    if schedules:
        come |= Q(series__in=schedules)
    seen = Observation.objects.filter(come, series__in=series, recorded_at__lte=known_at)
    return seen.order_by("series_id", "valid_at", "recorded_at")


def _believed(seen: pd.DataFrame) -> pd.DataFrame:
    """One row per valid time: the latest real recording, else the latest synthetic one."""
    if seen["synthetic"].nunique() > 1:
        seen = seen.sort_values(["series", "at", "synthetic"], ascending=[True, True, False], kind="stable")
    return seen[~seen.duplicated(["series", "at"], keep="last").to_numpy()]


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
    ranks = by_rank(series)
    # Counted before anything is read: with what arrives in between, the forecast counts as out of date, not as good.
    counts = _recordings(ranks, known_at)
    stored = _stored(ranks, low, high, known_at, counts)
    made = _made(ranks, stored, low, high, known_at)
    for key, forecast in made.items():
        forecast.recordings = counts[key]
    Forecast.objects.bulk_create(made.values())
    found = {**stored, **made}
    return {row.pk: found[row.pk] for row in series if row.pk in found}


def replayed(series: Sequence[Series], low: datetime, high: datetime, known_at: datetime) -> dict[int, Forecast]:
    """As `current_forecasts`, all made anew and none stored."""
    return _made(by_rank(series), {}, low, high, known_at)


def _made(
    ranks: Ranks, stored: Mapping[int, Forecast], low: datetime, high: datetime, known_at: datetime
) -> dict[int, Forecast]:
    """What is not stored, rank by rank: drivers are forecast before what they drive."""
    every = {(row.city_id, row.key): row for rank in ranks for row in rank}
    ends = _ends(ranks, high)
    made: dict[int, Forecast] = {}
    known: dict[int, tuple[pd.Series, bool]] = {}
    for rank in ranks:
        wanted = [row for row in rank if row.pk not in stored]
        drivers = {row.pk: drivers_of(row, every) for row in wanted}
        unread = {row.pk: row for row in (*wanted, *chain(*drivers.values())) if row.pk not in known}
        known.update(histories(unread.values(), known_at))
        forecasts = {**stored, **made}
        for end, group in groupby(sorted(wanted, key=lambda row: ends[row.pk]), key=lambda row: ends[row.pk]):
            asked = Asked(low, end + MARGIN, known_at)
            driven = {
                key: [Driver(row, known[row.pk][0], forecasts.get(row.pk)) for row in rows]
                for key, rows in drivers.items()
            }
            made.update(computed(list(group), known, driven, asked))
    return made


def _ends(ranks: Ranks, high: datetime) -> dict[int, datetime]:
    """How far every series must be forecast: drivers farther than what they drive."""
    driving = {(row.city_id, key) for rank in ranks for row in rank for key in row.drivers}
    far = last_needed(high + MARGIN)
    return {row.pk: far if (row.city_id, row.key) in driving else high for rank in ranks for row in rank}


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _recordings(ranks: Ranks, known_at: datetime) -> Counter[int]:
    """How many recordings were known of the time that forecasts of this hour look at, by series id, those of what
    drives it among them."""
    every = {(row.city_id, row.key): row for rank in ranks for row in rank}
    seen = Observation.objects.filter(series__in=every.values(), recorded_at__lte=known_at)
    recent = seen.filter(valid_at__gt=_hour(known_at) - timedelta(days=HISTORY_DAYS))
    counts = Counter(dict(recent.order_by().values_list("series").annotate(count=Count("pk"))))
    for rank in ranks:
        for row in rank:
            counts[row.pk] += sum(counts[driver.pk] for driver in drivers_of(row, every))
    return counts


def _stored(
    ranks: Ranks, low: datetime, high: datetime, known_at: datetime, counts: Counter[int]
) -> dict[int, Forecast]:
    """The latest forecasts of the hour of `known_at` that are long enough and know all that is known.

    Recordings are only ever added, so an equal count means the same ones: neither a newer value nor one that was
    loaded later with an earlier recording time escapes it.
    """
    ends = _ends(ranks, high)
    rows = Forecast.objects.filter(series__in=ends, known_at__range=(_hour(known_at), known_at), start__lte=low)
    return {
        row.series_id: row
        for row in rows.order_by("issued_at", "pk")
        if row.start + len(row.mean) * row.step >= ends[row.series_id] and row.recordings == counts[row.series_id]
    }


def last_times(series: Sequence[Series], known_at: datetime) -> dict[int, datetime]:
    """The valid time of the newest value known of every series that has one."""
    seen = Observation.objects.filter(series__in=series, recorded_at__lte=known_at)
    # Bounded: the greatest valid time of a series with years of values would be looked for among all of them.
    recent = seen.filter(valid_at__range=(known_at - RECENT, known_at))
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
    return not series.is_schedule and known_at - last - series.step > timedelta(hours=series.stale_after_hours)


def _note(level: str, message: str, series: Series, **figures: float) -> ReaderNote:
    return ReaderNote(level, *in_both(lambda: gettext(message) % {"series": series.label, **figures}))
