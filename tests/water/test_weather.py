"""Crops use water by the weather: as a station measured it, and as it is forecast; else by the series of the pack."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cities.models import City, PriorityPolicy
from forecasting.ingest import Row, ingest
from forecasting.models import Forecast, Series
from planning.sectors import Parts
from tests.water.small import TIERS, ZONE, path
from water.fields import fields_of, state_on
from water.models import Controller, CropBlock, IrrigationSystem, Lateral, Turnout, WaterBus, WeatherStation
from water.network import SECTOR
from water.rain_report import evapotranspiration
from water.skies import WEATHER_ROWS, Skies, skies_of

pytestmark = pytest.mark.django_db

JUNE = date(2026, 6, 10)
SERIES_ETO = 9.0
"""What the pack's own series says every day: far from any weather below."""
SUN = np.maximum(0.0, np.sin((np.arange(24) + 0.5 - 6) / 12 * np.pi)) * 700
"""W/m², 19 MJ/m² a day."""


@pytest.fixture
def system() -> IrrigationSystem:
    city = City.objects.create(key="small", name="Small", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5)
    PriorityPolicy.objects.create(city=city, key="order", tiers=TIERS, in_force=True)
    flat = {"kind": "flat", "level": SERIES_ETO}
    eto = Series.objects.create(city=city, key="eto", name="ETo", unit="mm/d", step_minutes=1440, profile=flat)
    rain = Series.objects.create(
        city=city, key="rain", name="Rain", unit="mm/d", step_minutes=1440, profile={"kind": "flat", "level": 0}
    )
    bus = WaterBus.objects.create(city=city, key="field", name="Field", kind="irrigation")
    made = IrrigationSystem.objects.create(
        city=city, key="fields", name="Fields", bus=bus, reference_eto=eto, rain=rain, turn_days=4, penalty_per_m3=4
    )
    lateral = Lateral.objects.create(
        city=city, key="lateral", name="Lateral", system=made, capacity_m3s=0.5, max_open=1, efficiency=1.0
    )
    box = Controller.objects.create(city=city, key="box", name="Box", lateral=lateral)
    gate = Turnout.objects.create(city=city, key="gate", name="Gate", lateral=lateral, controller=box, flow_m3s=0.2)
    CropBlock.objects.create(city=city, key="trees", name="Trees", turnout=gate, crop="guava", area_ha=20.0,
                             planted="01-01", application_efficiency=1.0)  # fmt: skip
    return made


def moment(day: date, hour: float = 0.0) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(hours=hour)


def station(system: IrrigationSystem, **units: str) -> WeatherStation:
    """A station of hourly series; those whose unit is not given are not there."""
    rows = {
        name: Series.objects.create(city=system.city, key=name, name=name, unit=unit) for name, unit in units.items()
    }
    made = WeatherStation.objects.create(
        city=system.city, key="station", name="Station", name_zh="氣象站", elevation_m=10, wind_height_m=2, **rows
    )
    IrrigationSystem.objects.filter(pk=system.pk).update(weather=made)
    return made


ALL = {"temperature": "degC", "humidity": "share", "wind": "m/s", "radiation": "W/m2"}


def weather(system: IrrigationSystem, first: date, hours: int, late_hours: float = 1.0, **changed: float) -> None:
    """Hours of 26 to 34 °C, 70 %, 2 m/s and a clear sky, each recorded as it ends."""
    rows = []
    for k in range(hours):
        at, hour = moment(first, k), k % 24
        warm = 30 - 4 * np.cos((hour - 2) / 12 * np.pi)
        told = {"temperature": warm, "humidity": 0.7, "wind": 2.0, "radiation": SUN[hour], **changed}
        known = set(Series.objects.values_list("key", flat=True))
        rows += [
            Row(name, at, float(value), at + timedelta(hours=late_hours))
            for name, value in told.items()
            if name in known
        ]
    assert ingest(system.city, rows).new == len(rows)


def skies(known_at: datetime) -> Skies:
    system = IrrigationSystem.objects.select_related(*WEATHER_ROWS).get()
    return skies_of([system], known_at)[system.pk]


def planned(system: IrrigationSystem, start: datetime, steps: int = 48) -> Parts:
    return SECTOR.parts(system.city, path(start.strftime("%Y-%m-%dT%H:%M"), steps=steps), start)


def evaporation(parts: Parts) -> dict[str, Any]:
    found: dict[str, Any] = parts.extra["irrigation"]["eto"]["fields"]  # type: ignore[index, call-overload]
    return found


# --- what was ------------------------------------------------------------------------------------------------
def test_past_days_use_what_the_station_measured_by_the_hour(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE, 60)
    found = skies(moment(JUNE, 60)).eto
    # Two whole days and a half one, which is not counted; 19 MJ/m² in June make some five millimetres.
    assert list(found) == [JUNE, JUNE + timedelta(days=1)]
    assert all(4.5 < mm < 5.5 for mm in found.values())


def test_a_day_that_the_station_missed_is_that_of_the_series(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE, 24)
    ingest(system.city, [Row("eto", moment(JUNE, 24 * n), SERIES_ETO, moment(JUNE, 24 * n + 24)) for n in range(2)])
    found = skies(moment(JUNE, 60)).eto
    assert found[JUNE] < 6.5
    assert found[JUNE + timedelta(days=1)] == SERIES_ETO


def test_weather_that_comes_late_still_counts_for_the_fields(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE, 24)
    ingest(system.city, [Row("rain", moment(JUNE), 0.0, moment(JUNE, 24))])
    before = skies(moment(JUNE, 30))
    assert before.all_known(JUNE, moment(JUNE, 25))
    ingest(system.city, [Row("wind", moment(JUNE, 13), 8.0, moment(JUNE, 40))])
    later = skies(moment(JUNE, 41))
    assert later.eto[JUNE] > before.eto[JUNE]
    assert not later.all_known(JUNE, moment(JUNE, 39))
    assert skies(moment(JUNE, 39)).eto == before.eto


def test_the_weather_of_all_systems_is_read_at_once(system: IrrigationSystem, django_assert_num_queries: Any):
    station(system, **ALL)
    weather(system, JUNE, 24)
    for number in range(3):
        IrrigationSystem.objects.create(
            city=system.city, key=f"more{number}", name="More", bus=system.bus, reference_eto=system.reference_eto,
            rain=system.rain, weather=WeatherStation.objects.get(), penalty_per_m3=4,
        )  # fmt: skip
    systems = list(IrrigationSystem.objects.select_related(*WEATHER_ROWS))
    with django_assert_num_queries(2):
        found = skies_of(systems, moment(JUNE, 30))
    assert len({sky.eto[JUNE] for sky in found.values()}) == 1


def test_a_field_dries_by_the_stations_weather(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE - timedelta(days=4), 24 * 5)
    row = IrrigationSystem.objects.select_related(*WEATHER_ROWS).get()
    fields = fields_of(row, [Lateral.objects.prefetch_related("turnouts__blocks").get()])
    dry = state_on(fields, JUNE + timedelta(days=1), moment(JUNE, 25)).states["trees"]
    # Kept within four days of use since the first measured day: Kc 0.65 on the usual five millimetres.
    usual = skies(moment(JUNE, 25)).on(JUNE).usual_eto_mm
    assert dry == pytest.approx(4 * 0.65 * usual, rel=0.02)


def test_crops_use_less_in_damp_air_than_the_tables_say(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE - timedelta(days=9), 24 * 10)
    row = IrrigationSystem.objects.select_related(*WEATHER_ROWS).get()
    fields = fields_of(row, [Lateral.objects.prefetch_related("turnouts__blocks").get()])
    found = state_on(fields, JUNE + timedelta(days=1), moment(JUNE, 25))
    # FAO-56 eq. 62 for guava, 4 m high, at 70 % and 2 m/s: Kc = 0.65 − 0.004 × 25 × (4/3)^0.3 = 0.541
    usual = skies(moment(JUNE, 25)).on(JUNE).usual_eto_mm
    assert found.states["trees"] == pytest.approx(4 * 0.541 * usual, rel=0.02)
    assert skies(moment(JUNE - timedelta(days=3), 6)).climate is None


# --- what comes ----------------------------------------------------------------------------------------------
def test_a_plan_counts_on_the_weather_that_is_forecast(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE - timedelta(days=10), 24 * 10 + 9)
    parts = planned(system, moment(JUNE, 9))
    found = evaporation(parts)
    assert (found["station"], found["basis"]) == ("station", ["hours"] * 3)
    usual = skies(moment(JUNE, 9)).on(JUNE).usual_eto_mm
    assert found["mm"] == pytest.approx([usual] * 3, rel=0.05)
    (note,) = [note for note in parts.notes if "evapotranspiration" in note.en]
    assert "by the hour" in note.en and "氣象站" in note.zh
    # Today's dawn was measured, and no series was forecast twice.
    assert Forecast.objects.filter(series__key="wind").count() == 1
    assert set(parts.forecasts) == set(Forecast.objects.values_list("pk", flat=True))


def test_a_dark_day_that_is_announced_asks_for_less(system: IrrigationSystem):
    """A bought forecast is a schedule: its values are recorded before they are valid."""
    made = station(system, **ALL)
    Series.objects.filter(pk=made.radiation.pk).update(profile={"kind": "schedule", "level": 300, "effect": "learn"})
    weather(system, JUNE - timedelta(days=10), 24 * 10 + 9)
    told = [Row("radiation", moment(JUNE, k), SUN[k % 24] * (0.3 if k >= 24 else 1.0), moment(JUNE)) for k in range(72)]
    ingest(system.city, told)
    found = evaporation(planned(system, moment(JUNE, 9), steps=60))
    assert found["basis"] == ["hours"] * 3
    assert found["mm"][1] < 0.6 * found["mm"][0]


def test_without_the_sun_it_is_told_by_the_day_with_estimates(system: IrrigationSystem):
    station(system, **{**ALL, "radiation": "W/m2"})
    WeatherStation.objects.update(radiation=None)
    weather(system, JUNE - timedelta(days=10), 24 * 10 + 9)
    parts = planned(system, moment(JUNE, 9))
    assert evaporation(parts)["basis"] == ["day"] * 3
    (note,) = [note for note in parts.notes if "evapotranspiration" in note.en]
    assert "0 days by the hour, 3 by the day" in note.en


def test_a_station_of_which_nothing_is_known_fails_no_plan(system: IrrigationSystem):
    station(system, **ALL)
    parts = planned(system, moment(JUNE, 9))
    assert evaporation(parts) == {"station": "station", "mm": [SERIES_ETO] * 3, "basis": ["series"] * 3}
    (note,) = [note for note in parts.notes if "evapotranspiration" in note.en]
    assert note.level == "warning"


def test_a_feed_that_is_half_a_day_late_is_forecast_from_its_end(system: IrrigationSystem):
    station(system, **ALL)
    weather(system, JUNE - timedelta(days=10), 24 * 10)
    found = evaporation(planned(system, moment(JUNE, 12)))
    assert found["basis"] == ["hours"] * 3


def test_a_system_without_a_station_is_as_ever(system: IrrigationSystem):
    parts = planned(system, moment(JUNE, 9))
    assert evaporation(parts) == {"station": "", "mm": [SERIES_ETO] * 3, "basis": ["series"] * 3}
    assert not [note for note in parts.notes if "evapotranspiration" in note.en]


def test_the_page_of_a_plan_says_where_its_evapotranspiration_comes_from():
    one = {"station": "s", "mm": [2.0, 3.0], "basis": ["hours", "hours"]}
    assert evapotranspiration({"eto": {"a": one}}) == "Reference evapotranspiration comes from the weather by the hour."
    other = {"station": "", "mm": [2.0], "basis": ["series"]}
    both = evapotranspiration({"eto": {"a": one, "b": other}})
    assert both == "Reference evapotranspiration comes from the weather by the hour and its own series."
    assert evapotranspiration({}) == ""
