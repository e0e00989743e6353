"""The city, its series and its policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import ConfigDict, Field, model_validator, with_config
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from .fields import Figures, IsoDate, Key, Latitude, Longitude, Part, Positive, ZoneName


class Calendar(Part):
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO code; its public holidays are rest days."""
    extra_holidays: list[IsoDate] = []
    working_days: list[IsoDate] = []
    """Dates worked although they fall on a weekend or a holiday."""


@with_config(ConfigDict(extra="forbid"))
class Settings(TypedDict, total=False):
    """What the city wants of the product itself."""

    plan_every_hours: Annotated[float, Field(ge=1, le=168)]
    """How often a plan is proposed without anybody asking."""
    four_eyes: bool
    """Whether a plan is approved by a second person only, never by the one who asked for it."""


class City(Part):
    key: Key
    name: Annotated[str, Field(min_length=1, max_length=120)]
    name_zh: Annotated[str, Field(max_length=120)] = ""
    time_zone: ZoneName
    currency: Annotated[str, Field(min_length=1, max_length=8)]
    latitude: Latitude
    longitude: Longitude
    calendar: Calendar = Calendar()
    settings: Settings = {}


class Series(Figures):
    unit: Literal["MW", "MWh", "share", "m3/s", "km3/h", "km3", "mm/d", "mm/h", "degC", "m/s", "W/m2", "NT$/MWh"]
    """km3 is 10³ m³."""
    step_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    minimum: float | None = None
    """Least possible value: what lies below is refused."""
    maximum: float | None = None
    """Greatest possible value."""
    stale_after_hours: Positive = 24.0
    profile: dict[str, Any]
    """The published shape; `forecasting.kernel.profiles` knows its fields."""
    drivers: list[Key] = []
    """Series that explain this one: weather, schedules."""

    @model_validator(mode="after")
    def _range_in_order(self) -> Any:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(_("minimum < maximum"))
        return self


class Policy(Figures):
    tiers: dict[Key, Annotated[int, Field(ge=0, le=20)]]
    """Tier by user class; the lower is served first."""
    in_force: bool = False
