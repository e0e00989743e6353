"""Forecasts as they would have been made in the past, from what had been recorded by then. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from .kernel.tally import Tally
from .models import Forecast, Lead, Series
from .readers import frames, replayed
from .scoring import known_then, tallied

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Result:
    """How one series would have been forecast in one group of leads, over all origins."""

    series: Series
    lead: Lead
    origins: int
    tally: Tally
    synthetic: bool


def replay(
    series: Sequence[Series], begin: datetime, end: datetime, every: timedelta, truth_known_at: datetime
) -> list[Result]:
    """Forecasts made at begin, begin + every, … before `end`, compared with the truth as known at `truth_known_at`.

    Series of one city. Groups of leads of which no step was measured are left out.
    """
    days = (truth_known_at - begin) / timedelta(days=1) + 2
    truths = frames(series, truth_known_at, days)
    tallies: dict[tuple[int, Lead], list[Tally]] = {}
    invented: set[tuple[int, Lead]] = set()
    for row, forecast, known in _forecasts(series, begin, end, every):
        for lead in Lead:
            truth = truths[row.pk]
            found = tallied(forecast, lead, truth["value"], known)
            if found.count:
                tallies.setdefault((row.pk, lead), []).append(found)
                if truth["synthetic"].reindex(forecast.times, fill_value=False).any():
                    invented.add((row.pk, lead))
    return [
        Result(row, lead, len(tallies[row.pk, lead]), sum(tallies[row.pk, lead], Tally()), (row.pk, lead) in invented)
        for row in series
        for lead in Lead
        if (row.pk, lead) in tallies
    ]


def _forecasts(
    series: Sequence[Series], begin: datetime, end: datetime, every: timedelta
) -> Iterator[tuple[Series, Forecast, pd.Series]]:
    """Series, forecast and what was known, for every origin. Series of which nothing was known then are left out."""
    origin = begin
    while origin < end:
        known = known_then(series, origin)
        made = replayed(series, origin, origin + WEEK, origin)
        for row in series:
            if row.pk in made:
                yield row, made[row.pk], known[row.pk]
        origin += every
