"""A history for a city that has no feeds yet, made from the published profile of every series.

`Series.profile` is a JSON object. The same profile is the fallback forecast of a series without a history.
All times of day and months are local to the city; a month's figure stands for mid-month and months are joined by
straight lines. Unknown fields are errors (`forecasting.kernel.profiles.problems_of` lists all of them).

Fields of every kind
    kind             "cycle", "river", "storage", "eto", "rain", "solar", "flat" or "schedule"
    noise            relative standard deviation of the noise, default 0.05
    persistence      0 to below 1, default 0.8: how much of the noise stays to the next hour (cycle, river) or to
                     the next day (storage, eto, solar, rain)
    growth_per_year  e.g. 0.01, default 0; the level is that of the beginning of `level_year` (default 2026)
                     (not for river, rain and schedule)

cycle    a load or a demand:  level × month × hour × growth × (1 + noise)
    level            the mean, in the unit of the series (required)
    month            12 factors round 1, January first, default all 1
    hour             24 factors round 1 for hours 0 to 23, default all 1
    weekend_hour     24 factors for Saturdays but make-up ones, Sundays and public holidays, default `hour`
    lunar_new_year   share, 0 (default) to 1, of the fall that loads show round Lunar New Year: from three days before
                     to seven after, to 0.72 of an ordinary working day (Taiwan's peak and industrial use, 2016-19)
river    base flow with storms that rise in 6 hours and recede exponentially. Where rain drives the series, its storms
         are what runs off of that rain, and as large as these say in the mean of years
    base_by_month    12 flows in the unit of the series (required)
    storm_rate_per_month  storms a month, 12 numbers or one, default 0
    storm_peak       mean rise of a storm at its peak, in the unit of the series
    recession_hours  in this time a storm falls to 37 %, default 48
storage  a slow walk round the monthly mean fill
    level            what a factor of 1 stands for, such as the capacity (required)
    month            12 fill shares (required); use persistence of about 0.97
eto      reference evapotranspiration:  level × month × (1 + daily noise); level and month required
rain     wet and dry days; every hour of a day carries the day's total, so the unit is mm a day
    hour             24 factors of the day's total, default all 1; for a series in mm an hour shares that sum to 1
    wet_days_by_month  12 numbers of wet days in a month (required)
    mean_wet_day_mm    12 mean amounts of a wet day, or one (required)
solar    capacity factor:  level × month × hour × clouds (1 + daily noise)
    hour             24 capacity factors (required); level defaults to 1, `noise` of about 0.3 makes clouds
flat     level × month × hour without noise; level required
schedule  what people decide ahead: ramp-up, shutdowns, shifts, school terms. Its values may be recorded before they are
         valid; where none is, the published plan holds. It is never invented and never judged.
    level            before the first phase (required)
    phases           [[YYYY-MM-DD, value], …]: the published plan, each from the local midnight of its day
    effect           "scale" (default): what it drives is proportional to it, 0 is a shutdown, and its profile is
                     that of 1; "learn": how much it matters is learnt from the past

The limits of the series (minimum, maximum) cut every value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from cities.models import City

from .drivers import published_scale
from .ingest import Counts, Measured, append
from .kernel import catchments, profiles
from .models import Observation, Series
from .steps import calendar_of, steps_between

SIGNIFICANT = 6
"""Digits kept: the last bits of a sum may depend on the span it was computed over."""


def demo_history(city: City, until: datetime, days: int = 60) -> Counts:
    """Extends the synthetic history of the city's series to `until`, from `days` before it where there is none.

    A series with a real observation gets no synthetic one any more. A value is recorded one step after its valid
    time, as a feed would. Raises kernel.profiles.InvalidProfile for a profile that is not valid.
    """
    real = Observation.objects.filter(series=OuterRef("pk"), synthetic=False)
    profiled = list(Series.objects.filter(city=city).exclude(profile={}).select_related("city"))
    by_key = {row.key: row for row in profiled}
    measured = set(Series.objects.filter(Exists(real), city=city).values_list("pk", flat=True))
    invented = [row for row in profiled if row.pk not in measured and not row.is_schedule]
    with transaction.atomic():
        last = dict(
            Observation.objects.filter(series__in=invented)
            .values_list("series")
            .annotate(at=Max("valid_at"))
            .order_by()
        )
        found = [row for series in invented for row in _measured(series, by_key, last.get(series.pk), until, days)]
        append(found, synthetic=True)
    return Counts(new=len(found))


def _measured(
    series: Series, every: Mapping[str, Series], last: datetime | None, until: datetime, days: int
) -> Iterator[Measured]:
    starts = steps_between(series, until - timedelta(days=days) if last is None else last + series.step, until)
    if len(starts):
        drivers = [every[key] for key in series.drivers if key in every]
        for at, value in zip(starts.to_pydatetime(), sampled(series, starts, drivers), strict=True):
            yield Measured(series.pk, at, at + series.step, value)


def sampled(series: Series, starts: pd.DatetimeIndex, drivers: Sequence[Series] = ()) -> list[float]:
    """The synthetic values of the steps that begin at `starts`, within the limits of the series: at the share of full
    running that the published plans among its drivers say, and of a river after the synthetic rain among them."""
    profile, key = _named(series)
    calendar, rains = calendar_of(series.city), [_named(row) for row in drivers if row.profile["kind"] == "rain"]
    if profile.kind == "river" and rains:
        values = catchments.sampled(profile, key, rains, calendar, starts, series.step_minutes)
    else:
        values = profiles.sampled(profile, key, calendar, starts, series.step_minutes)
    values = values * published_scale(series, drivers, starts)
    return [float(f"{value:.{SIGNIFICANT}g}") for value in within_limits(series, values)]


def _named(series: Series) -> tuple[profiles.Profile, str]:
    """The profile of a series and the key of its noise."""
    return profiles.Profile.from_dict(series.profile), f"{series.city.key}/{series.key}"


def within_limits(series: Series, values: np.ndarray) -> np.ndarray:
    low = -np.inf if series.minimum is None else series.minimum
    high = np.inf if series.maximum is None else series.maximum
    return np.asarray(np.clip(values, low, high))
