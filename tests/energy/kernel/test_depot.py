"""Buses that are plugged in from 22 to 5, and drive from 5 to 22."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from energy.kernel.depot import Duty

TAIPEI = ZoneInfo("Asia/Taipei")
NIGHT = Duty(TAIPEI, 22, 5)


def at(hour: int, minute: int = 0, day: int = 6) -> datetime:
    return datetime(2026, 7, day, hour, minute, tzinfo=TAIPEI)


def share(duty: Duty, start: datetime, hours: float) -> float:
    return duty.plugged_share(start, start + timedelta(hours=hours))


def test_a_night_has_seven_plugged_hours():
    assert (NIGHT.plugged_hours, NIGHT.driving_hours) == (7, 17)
    assert share(NIGHT, at(0), 24) == pytest.approx(7 / 24)


def test_steps_are_plugged_wholly_partly_or_not():
    assert share(NIGHT, at(23), 1) == 1
    assert share(NIGHT, at(0), 0.25) == 1
    assert share(NIGHT, at(12), 1) == 0
    assert share(NIGHT, at(4), 4) == pytest.approx(0.25)  # 4 to 5 of 4 to 8
    assert share(NIGHT, at(21, 45), 0.5) == pytest.approx(0.5)


def test_a_duty_by_day_is_as_good():
    noon = Duty(TAIPEI, 10, 14)
    assert share(noon, at(9), 2) == pytest.approx(0.5)
    assert share(noon, at(0), 24) == pytest.approx(4 / 24)


def test_buses_are_full_when_they_leave_and_empty_when_they_return():
    assert NIGHT.charge_share(at(5)) == pytest.approx(1)
    assert NIGHT.charge_share(at(22)) == pytest.approx(0)
    assert NIGHT.charge_share(at(1, 30)) == pytest.approx(0.5)  # 3.5 of 7 hours charged
    assert NIGHT.charge_share(at(13, 30)) == pytest.approx(0.5)  # 8.5 of 17 hours driven


def test_the_clock_of_the_city_counts_also_when_it_changes():
    """On 29 March 2026 Berlin's night loses the hour from 2 to 3: 22 to 5 is six hours long."""
    duty = Duty(ZoneInfo("Europe/Berlin"), 22, 5)
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert share(duty, start, 24) == pytest.approx(6 / 24)


def test_buses_cannot_come_and_leave_at_once():
    with pytest.raises(ValueError, match="same hour, 5"):
        Duty(TAIPEI, 5, 5)
