"""Makes and stores forecasts: from the history where there is a usable one, else from the published profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from cities.models import City

from .kernel import forecast as kernel
from .kernel.fallback import PROFILE
from .kernel.profiles import Profile
from .models import Forecast, Series
from .steps import covering

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FARTHEST_GAP = timedelta(days=14)
"""Beyond this a history says less about today than the published profile does."""
CLIMATE = "climate"
"""The method of rain: its published climate is what is expected, and no fallback."""
DIGITS = 6

Histories = Mapping[int, tuple[pd.Series, bool]]


def make(
    series: Sequence[Series],
    histories: Histories,
    low: datetime,
    high: datetime,
    known_at: datetime,
    recordings: Mapping[int, int],
) -> dict[int, Forecast]:
    """New stored forecasts that cover [low, high), by series id; series of which nothing is known are left out.

    recordings   how many recordings of each series were known, for whoever asks later whether there are more
    """
    made = computed(series, histories, low, high, known_at)
    for key, forecast in made.items():
        forecast.recordings = recordings.get(key, 0)
    Forecast.objects.bulk_create(made.values())
    return made


def computed(
    series: Sequence[Series], histories: Histories, low: datetime, high: datetime, known_at: datetime
) -> dict[int, Forecast]:
    """As `make`, and nothing is stored: what would have been expected, for replays of the past."""
    groups: dict[tuple[int, int], list[Series]] = defaultdict(list)
    for row in series:
        groups[row.city_id, row.step_minutes].append(row)
    made: dict[int, Forecast] = {}
    for group in groups.values():
        made.update(_of_one_step(group, histories, low, high, known_at))
    return made


def is_too_old(last: datetime, start: datetime) -> bool:
    """Whether a history that ends with `last` is too old to forecast from `start` on."""
    return start - last > FARTHEST_GAP


def _of_one_step(
    series: Sequence[Series], histories: Histories, low: datetime, high: datetime, known_at: datetime
) -> dict[int, Forecast]:
    """All series belong to one city and have one step, so that the kernel computes them together."""
    starts = covering(series[0], low, high)
    answers = kernel.forecast_many(
        {str(row.pk): _usable(row, histories[row.pk][0], starts[0]) for row in series},
        len(starts),
        step=pd.Timedelta(series[0].step),
        quantiles=QUANTILES,
        calendar=calendar_of(series[0].city),
        profiles={str(row.pk): Profile.from_dict(row.profile) for row in series if row.profile},
        limits={str(row.pk): kernel.Limits(row.minimum, row.maximum) for row in series},
        start=starts[0],
    )
    return {
        row.pk: _row(row, starts[0], known_at, answer, histories[row.pk][1])
        for row in series
        if isinstance(answer := answers[str(row.pk)], kernel.Forecast)
    }


def _usable(series: Series, history: pd.Series, start: pd.Timestamp) -> pd.Series:
    """Nothing instead of a history that ended long ago, so that the profile stands in.

    Nor of rain: a storm last week says nothing of next week, while averages of the days before carry it forward.
    """
    is_rain = series.profile.get("kind") == "rain"
    if is_rain or (len(history) and is_too_old(history.index[-1], start)):
        return history[:0]
    return _joined(series, history) if series.profile.get("kind") == "storage" and len(history) > 1 else history


def _joined(series: Series, history: pd.Series) -> pd.Series:
    """A store's readings joined by straight lines: read four times a month, it would else seem to leap between days."""
    index = pd.DatetimeIndex(history.index).as_unit("s")
    steps = covering(series, index[0], index[-1] + series.step).as_unit("s")
    return pd.Series(np.interp(steps.asi8, index.asi8, history.to_numpy()), index=steps)


def calendar_of(city: City) -> kernel.Calendar:
    """The city's working days and days off; what the pack lists overrules the country's rules."""
    off = {date.fromisoformat(day): True for day in city.calendar.get("extra_holidays", ())}
    off |= {date.fromisoformat(day): False for day in city.calendar.get("working_days", ())}
    return kernel.Calendar(city.zone, city.calendar.get("country"), off)


def _row(series: Series, start: pd.Timestamp, known_at: datetime, answer: kernel.Forecast, synthetic: bool) -> Forecast:
    is_climate = answer.method == PROFILE and series.profile["kind"] == "rain"
    return Forecast(
        series=series,
        known_at=known_at,
        start=start.to_pydatetime(),
        step_minutes=series.step_minutes,
        mean=_plain(answer.mean),
        quantiles={str(level): _plain(values) for level, values in answer.quantiles.items()},
        method=CLIMATE if is_climate else answer.method,
        weights={CLIMATE: 1.0} if is_climate else answer.weights,
        notes=[] if is_climate else [note.as_dict() for note in answer.notes],
        synthetic=synthetic or answer.method == PROFILE,
    )


def _plain(values: np.ndarray) -> list[float]:
    """Numbers for JSON, no longer than they are meant."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
