"""The city, its series and its policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .fields import Figures, IsoDate, Key, Latitude, Longitude, NotNegative, Part, Positive, Share, ZoneName


class Calendar(Part):
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO code; its public holidays are rest days."""
    extra_holidays: list[IsoDate] = []
    working_days: list[IsoDate] = []
    """Dates worked although they fall on a weekend or a holiday."""


class City(Part):
    key: Key
    name: Annotated[str, Field(min_length=1, max_length=120)]
    name_zh: Annotated[str, Field(max_length=120)] = ""
    time_zone: ZoneName
    currency: Annotated[str, Field(min_length=1, max_length=8)]
    latitude: Latitude
    longitude: Longitude
    calendar: Calendar = Calendar()
    settings: dict[str, Any] = {}
    """Settings of a sector that belong to no asset."""


class Profile(Part):
    """The published shape: value = level × month × hour, and how it wanders about that."""

    level: float
    """Mean, in the series' unit."""
    month: Annotated[list[NotNegative], Field(min_length=12, max_length=12)] = [1.0] * 12
    """Factor by month, January first."""
    hour: Annotated[list[NotNegative], Field(min_length=24, max_length=24)] = [1.0] * 24
    """Factor by local hour of a working day, 0 first."""
    weekend_hour: Annotated[list[NotNegative], Field(min_length=24, max_length=24)] | None = None
    """The same for Saturdays, Sundays and holidays; `hour` where absent."""
    noise: NotNegative = 0.0
    """Relative standard deviation about the shape."""
    persistence: Share = 0.0
    """How much of a deviation is left an hour later (share)."""
    growth_per_year: float = 0.0
    kind: Literal["cycle", "river", "storage", "rain"] = "cycle"
    """How the deviation behaves: a daily cycle, a river with floods, a storage, rain days."""


class Series(Figures):
    unit: Literal["MW", "MWh", "share", "m3/s", "km3/h", "km3", "mm/d", "degC", "NT$/MWh"]
    """km3 is 10³ m³."""
    step_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    minimum: float | None = None
    """Least possible value: what lies below is refused."""
    maximum: float | None = None
    """Greatest possible value."""
    stale_after_hours: Positive = 24.0
    profile: Profile

    @model_validator(mode="after")
    def _range_holds_the_level(self) -> Any:
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        if not low <= self.profile.level <= high:
            raise ValueError("minimum ≤ profile.level ≤ maximum")
        return self


class Policy(Figures):
    tiers: dict[Key, Annotated[int, Field(ge=0, le=20)]]
    """Tier by user class; the lower is served first."""
    in_force: bool = False
