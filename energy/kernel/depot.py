"""When the buses of a depot are plugged in, and how full they are by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_HOURS = 24


@dataclass(frozen=True)
class Duty:
    """Buses are plugged in from `plug_in_hour` to `plug_out_hour` on the local clock, past midnight or not, and drive
    at the other hours. Raises ValueError where the two are the same hour, for nothing says which of both lasts the day.
    """

    zone: ZoneInfo
    plug_in_hour: int
    plug_out_hour: int

    def __post_init__(self) -> None:
        if self.plug_in_hour == self.plug_out_hour:
            raise ValueError(f"plugged in and out at the same hour, {self.plug_in_hour}")

    @property
    def plugged_hours(self) -> int:
        return (self.plug_out_hour - self.plug_in_hour) % DAY_HOURS

    @property
    def driving_hours(self) -> int:
        return DAY_HOURS - self.plugged_hours

    def plugged_share(self, start: datetime, end: datetime) -> float:
        """The share of a stretch of time in which the buses are plugged in, 0 to 1."""
        total = timedelta()
        evening = self._plug_in_before(start)
        while evening < end:
            morning = self._later(evening, self.plugged_hours)
            total += max(timedelta(), min(end, morning) - max(start, evening))
            evening = self._later(evening, DAY_HOURS)
        return total / (end - start)

    def charge_share(self, moment: datetime) -> float:
        """How full the buses are when they charge and drive evenly: 0 on plugging in, 1 on leaving."""
        hours = (moment - self._plug_in_before(moment)).total_seconds() / 3600
        if hours <= self.plugged_hours:
            return hours / self.plugged_hours
        return max(0.0, 1 - (hours - self.plugged_hours) / self.driving_hours)

    def _plug_in_before(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.zone)
        found = local.replace(hour=self.plug_in_hour, minute=0, second=0, microsecond=0)
        return (found if found <= local else self._later(found, -DAY_HOURS)).astimezone(UTC)

    def _later(self, moment: datetime, hours: int) -> datetime:
        """Hours later on the local clock, so that a day stays a day when clocks change."""
        return (moment.astimezone(self.zone) + timedelta(hours=hours)).astimezone(UTC)
