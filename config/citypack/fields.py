"""The kinds of values that a pack's fields hold, with their units and ranges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _is_month_day(text: str) -> str:
    if len(text) != 5:
        raise ValueError(_("a day of the year, MM-DD"))
    try:
        date.fromisoformat(f"2024-{text}")  # a leap year, so that 02-29 is a day
    except ValueError:
        raise ValueError(_("a day of the year, MM-DD")) from None
    return text


def _is_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(_("a date, YYYY-MM-DD")) from None
    if len(text) != 10:
        raise ValueError(_("a date, YYYY-MM-DD"))
    return text


def _is_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(_("an IANA time zone, such as Asia/Taipei")) from None
    return text


Share = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Hour = Annotated[int, Field(ge=0, le=23)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=80)]
MonthDay = Annotated[str, AfterValidator(_is_month_day)]
IsoDate = Annotated[str, AfterValidator(_is_date)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ZoneName = Annotated[str, AfterValidator(_is_zone)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


@dataclass(frozen=True)
class Ref:
    """A field that names the key of an object in another section."""

    section: str
    unit: str = ""
    """For a series: the unit that its use asks for."""


PowerBusRef = Annotated[Key, Ref("power_buses")]
WaterBusRef = Annotated[Key, Ref("water_buses")]


class Part(BaseModel):
    """Unknown fields, numbers written as text and numbers that are not finite are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Thing(Part):
    """What every object of a section may say."""

    key: Key
    name: Annotated[str, Field(min_length=1, max_length=120)]
    name_zh: Annotated[str, Field(max_length=120)] = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    source: Annotated[str, Field(max_length=300)] = ""
    assumption: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _is_placed_whole(self) -> Any:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError(_("latitude and longitude together, or neither"))
        return self


class Figures(Thing):
    """An object with figures: they have a source, or say that and why they are assumed."""

    @model_validator(mode="after")
    def _says_where_from(self) -> Any:
        if self.assumption and not self.note.strip():
            raise ValueError(_("a `note` with the reason beside `assumption: true`"))
        if not self.assumption and not self.source.strip():
            raise ValueError(_("`source` with where the figures come from, or `assumption: true` and a `note` why"))
        return self
