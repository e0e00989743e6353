"""The steps of a series, which count from local midnight (a daily value is a local day's), and the city's days off."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd

from cities.models import City

from .kernel.calendars import Calendar
from .models import Series

DAY = 1440


def steps_between(series: Series, low: datetime, high: datetime) -> pd.DatetimeIndex:
    """The starts, in UTC, of the steps that lie wholly within [low, high]."""
    zone = series.city.zone
    midnight = pd.Timestamp(low).tz_convert(zone).normalize()
    every = max(1, series.step_minutes // DAY)
    freq = "D" if series.step_minutes >= DAY else f"{series.step_minutes}min"
    starts = pd.date_range(midnight, pd.Timestamp(high).tz_convert(zone), freq=freq)
    if every > 1:
        starts = starts[[day.toordinal() % every == 0 for day in starts]]
    starts = starts.tz_convert("UTC")
    return starts[(starts >= pd.Timestamp(low)) & (starts + series.step <= pd.Timestamp(high))]


def covering(series: Series, low: datetime, high: datetime) -> pd.DatetimeIndex:
    """The starts, in UTC, of the steps that together cover [low, high)."""
    starts = steps_between(series, low - series.step, high + series.step)
    return starts[(starts + series.step > pd.Timestamp(low)) & (starts < pd.Timestamp(high))]


def calendar_of(city: City) -> Calendar:
    """The city's working days and days off; what the pack lists overrules the country's rules."""
    off = {date.fromisoformat(day): True for day in city.calendar.get("extra_holidays", ())}
    off |= {date.fromisoformat(day): False for day in city.calendar.get("working_days", ())}
    return Calendar(city.zone, city.calendar.get("country"), off)
