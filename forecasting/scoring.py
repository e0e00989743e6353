"""Every stored forecast is judged when its truth has come, once, and the judgement is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from cities.models import City

from .kernel.tally import Tally, Told, history_days, tally
from .models import Forecast, Lead, Score, Series
from .readers import frames, histories, last_times

LOOK_BACK = timedelta(days=40)
"""Older forecasts are not judged any more: their truth comes with a load of old files, and `backtest` answers that."""
PATIENCE = timedelta(days=1)
"""So long after its end a group waits for values that are still missing; then it is judged by those there are."""
MOST = 500
"""Forecasts judged per run, city and group of leads, oldest first: after an outage the next hours catch up."""
SHOWN_DAYS = 30


# --- judging -------------------------------------------------------------------------------------------------
def score_city(city: City, now: datetime) -> int:
    """Judges what can be judged by now; returns how many scores were made. Repeated, it makes none twice."""
    series = {row.pk: row for row in Series.objects.filter(city=city).select_related("city")}
    due = _due(list(series.values()), now)
    if not due:
        return 0
    since = now - min(due) + timedelta(days=1)
    truths = frames({series[key] for rows in due.values() for key, _pk, _lead in rows}, now, since / timedelta(days=1))
    made = 0
    for known_at, rows in sorted(due.items()):
        scores = list(_scores(known_at, rows, series, truths, now))
        # A second worker that came at the same time made the same ones.
        made += len(Score.objects.bulk_create(scores, ignore_conflicts=True))
    return made


Due = tuple[int, int, Lead]
"""A series, a forecast, and a group of leads of it."""


def _due(series: Sequence[Series], now: datetime) -> dict[datetime, list[Due]]:
    """What has ended and was not judged yet, by the moment of what was known."""
    ends: dict[datetime, list[int]] = defaultdict(list)
    last = last_times(series, now)
    for row in series:
        # What people announce is no expectation.
        if row.pk in last and not row.is_schedule:
            ends[last[row.pk] + row.step].append(row.pk)
    found: dict[datetime, list[Due]] = defaultdict(list)
    for lead in Lead:
        rows = [row for end, keys in ends.items() for row in _unscored(keys, lead, now, end)]
        for known_at, key, pk in sorted(rows)[:MOST]:
            found[known_at].append((key, pk, lead))
    return found


def _unscored(series: list[int], lead: Lead, now: datetime, measured_to: datetime) -> QuerySet[Forecast, tuple]:
    scored = Score.objects.filter(forecast=OuterRef("pk"), lead=lead)
    ended = Forecast.objects.filter(
        series__in=series, known_at__gt=now - LOOK_BACK, known_at__lte=measured_to - lead.span[1]
    )
    rows = ended.filter(~Exists(scored)).order_by("known_at", "pk")
    return rows.values_list("known_at", "series_id", "pk")[:MOST]


def _scores(
    known_at: datetime,
    rows: Sequence[Due],
    series: Mapping[int, Series],
    truths: Mapping[int, pd.DataFrame],
    now: datetime,
) -> Iterator[Score]:
    """Scores of forecasts that were all made from what was known at one moment."""
    forecasts = Forecast.objects.select_related("series__city").in_bulk({pk for _key, pk, _lead in rows})
    known = known_then([series[key] for key in {key for key, _pk, _lead in rows}], known_at)
    for key, pk, lead in rows:
        if pk not in forecasts:
            continue
        truth = truths[key]
        found = tallied(forecasts[pk], lead, truth["value"], known[key])
        waits = found.count < found.wanted and now - known_at - lead.span[1] < PATIENCE
        if not waits:
            synthetic = bool(truth["synthetic"].reindex(forecasts[pk].times, fill_value=False).any())
            yield Score(
                series_id=key, forecast_id=pk, known_at=known_at, lead=lead, synthetic=synthetic, scored_at=now,
                **found.figures(),
            )  # fmt: skip


def tallied(forecast: Forecast, lead: Lead, truth: pd.Series, history: pd.Series) -> Tally:
    """As kernel.tally.tally, of a stored forecast and a named group of leads."""
    times = pd.DatetimeIndex(forecast.times)
    told = Told(times, forecast.step, forecast.known_at, forecast.mean, forecast.quantiles)
    return tally(told, lead.span, truth, history)


def known_then(series: Iterable[Series], known_at: datetime) -> dict[int, pd.Series]:
    """What was known at a moment, as far back as the seasonal naive forecast looks, by series id."""
    groups: dict[float, list[Series]] = defaultdict(list)
    for row in series:
        groups[history_days(row.step)].append(row)
    found: dict[int, pd.Series] = {}
    for days, group in groups.items():
        found.update({key: values for key, (values, _synthetic) in histories(group, known_at, days).items()})
    return found


# --- what came out -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Record:
    """How the forecasts of one group of leads did, of one day or of a month."""

    lead: Lead
    forecasts: int
    tally: Tally
    synthetic: bool
    day: date | None = None


def records(series: Series, now: datetime, days: float = SHOWN_DAYS) -> list[Record]:
    """How the forecasts of the last days did, one record per group of leads that has been judged."""
    found = _summed(_judged(series, now, days), "lead")
    return sorted((_record(row) for row in found), key=lambda record: list(Lead).index(record.lead))


def daily_records(series: Series, now: datetime, days: float = SHOWN_DAYS) -> list[Record]:
    """The same day by day: local days on which the forecasts were made, ascending."""
    by_day = _judged(series, now, days).annotate(day=TruncDate("known_at", tzinfo=series.city.zone))
    found = [_record(row) for row in _summed(by_day, "lead", "day")]
    return sorted(found, key=lambda record: (record.day or date.min, list(Lead).index(record.lead)))


def _judged(series: Series, now: datetime, days: float) -> QuerySet[Score]:
    return Score.objects.filter(
        series=series, known_at__gt=now - timedelta(days=days), known_at__lte=now, count__gt=0
    ).order_by()


def _summed(scores: QuerySet[Score], *by: str) -> QuerySet[Score, dict]:
    """Sums of steps, under the names of Tally's fields."""
    compared = Q(naive_mae__isnull=False)

    def total(field: str) -> Sum:
        return Sum(F("count") * F(field))

    summed: QuerySet[Score, dict] = scores.values(*by).annotate(
        forecasts=Count("pk"),
        invented=Count("pk", filter=Q(synthetic=True)),
        sum_wanted=Sum("wanted"),
        sum_count=Sum("count"),
        sum_absolute=total("mae"),
        sum_signed=total("bias"),
        sum_pinballs=total("pinball"),
        sum_inside_50=total("covered_50"),
        sum_inside_90=total("covered_90"),
        sum_compared=Coalesce(Sum(F("count") * F("mae"), filter=compared), 0.0),
        sum_naive=Coalesce(total("naive_mae"), 0.0),
        sum_naive_count=Coalesce(Sum("count", filter=compared), 0),
    )
    return summed


def _record(row: Mapping) -> Record:
    sums = {name.removeprefix("sum_"): value for name, value in row.items() if name.startswith("sum_")}
    return Record(Lead(row["lead"]), row["forecasts"], Tally(**sums), bool(row["invented"]), row.get("day"))
