from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd

from forecasting.kernel.calendars import FAR_FROM_LNY, Calendar, lunar_new_year

TAIPEI = ZoneInfo("Asia/Taipei")
TAIWAN = Calendar(TAIPEI, "TW")


def local(*days: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(days).tz_localize(TAIPEI).tz_convert("UTC")


def test_taiwan_knows_holidays_and_make_up_saturdays():
    assert TAIWAN.is_off(date(2024, 2, 12))  # Lunar New Year, a Monday
    assert not TAIWAN.is_off(date(2024, 2, 17))  # the Saturday on which the bridge day was made up
    assert TAIWAN.is_off(date(2024, 2, 24)) and not TAIWAN.is_off(date(2024, 2, 26))


def test_what_the_city_says_overrules_the_rules():
    calendar = Calendar(TAIPEI, "TW", {date(2026, 7, 10): True, date(2026, 7, 11): False})
    assert calendar.is_off(date(2026, 7, 10))  # a typhoon day off
    assert not calendar.is_off(date(2026, 7, 11))


def test_a_holiday_counts_as_sunday_and_a_make_up_saturday_as_friday():
    assert TAIWAN.weekdays(local("2024-02-12", "2024-02-17", "2024-02-24", "2024-02-26")).tolist() == [6, 4, 5, 0]


def test_days_begin_at_local_midnight():
    # 16:00 UTC is midnight in Taipei: Friday there begins on Thursday in UTC.
    index = pd.DatetimeIndex(["2026-06-04T15:00Z", "2026-06-04T16:00Z"])
    assert TAIWAN.weekdays(index).tolist() == [3, 4]
    assert TAIWAN.clock(index).tolist() == [23 / 24, 0.0]


def test_lunar_new_year_is_counted_in_signed_days():
    assert lunar_new_year(2026) == date(2026, 2, 17)
    days = local("2026-02-11", "2026-02-16", "2026-02-17", "2026-03-03", "2026-03-04", "2026-02-10")
    assert TAIWAN.days_from_lunar_new_year(days).tolist() == [-6, -1, 0, 14, FAR_FROM_LNY, FAR_FROM_LNY]
