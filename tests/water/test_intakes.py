"""Rivers, intakes and sources become parts, small enough for the head."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date
from unittest.mock import patch

import pandas as pd

from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Network
from planning.kernel.solve import solve
from tests.water.small import bus, close, demand, link, network_of, path, reading, series, supply
from water.intakes import add_river, add_source, add_weir, capacity_on
from water.models import River, WaterSource, Weir
from water.reading import Sheet


# --- rivers --------------------------------------------------------------------------------------------------
def a_river(flow: float, environment: float = 0.0, downstream: bool = False) -> River:
    return River(
        key="north",
        name="North river",
        name_zh="北溪",
        bus=bus("reach"),
        flow=series(flow),
        environmental_flow_m3s=environment,
        downstream=bus("below") if downstream else None,
    )


def written(river: River, *others: River) -> Sheet:
    sheet = Sheet()
    add_river(sheet, reading(river.flow, *(other.flow for other in others)), river, [river, *others])
    return sheet


def test_a_river_must_be_taken_in_and_passes_on():
    network = written(a_river(2.0)).network()
    # 2 m³/s × 3600 s = 7.2 × 10³ m³ an hour, at least and at most
    assert supply(network, "river.north").min == supply(network, "river.north").max == (close(7.2),) * 24
    assert link(network, "spill.north").to == {}
    assert network.demands == ()


def test_environmental_water_runs_on_downstream_and_can_be_used_there():
    sheet = written(a_river(2.0, environment=0.5, downstream=True))
    below = Network(buses=(Bus("below", "water"),), demands=(Demand("city", "below", 7.2, tier=1),))
    answer = solve(network_of(sheet, "reach") + below, path())
    # 0.5 m³/s = 1.8 pass the reach as wished, and all 7.2 arrive below: what was counted was not used up
    assert answer.served["environment.north"] == (close(1.8),) * 24
    assert answer.served["city"] == (close(7.2),) * 24


def test_what_the_city_takes_first_is_missing_in_the_river():
    river, sheet = a_river(1.0, environment=0.5), Sheet()
    add_river(sheet, reading(river.flow, tiers={"environment": 2}), river, [river])
    city = Network(demands=(Demand("city", "reach", 3.0, tier=1),))
    answer = solve(network_of(sheet, "reach") + city, path())
    # 3.6 come, the city takes 3.0, 0.6 are left of the wished 1.8
    assert answer.short["environment.north"] == (close(1.2),) * 24


def test_a_lack_that_nature_made_is_no_shortage_of_the_plan():
    network = written(a_river(0.3, environment=0.5)).network()
    assert demand(network, "environment.north").amount == (close(1.08),) * 24


def test_a_tributary_counts_for_the_environmental_flow_below_it():
    main = a_river(0.1, environment=0.5)
    tributary = River(key="side", name="Side", bus=bus("side"), flow=series(0.3), downstream=main.bus)
    network = written(main, tributary).network()
    # 0.1 + 0.3 m³/s can reach the lower reach: 1.44 of the wished 1.8
    assert demand(network, "environment.north").amount == (close(1.44),) * 24


def test_parts_have_names_in_both_languages():
    label = written(a_river(2.0, environment=0.5)).labels["environment.north"]
    assert (label.en, label.role, label.asset) == ("Environmental flow of North river", "environment", "north")
    assert "北溪" in label.zh


# --- intakes -------------------------------------------------------------------------------------------------
def a_weir(flow: object, **figures: object) -> Weir:
    river = River(key="north", name="North", bus=bus("reach"), flow=series(flow))  # type: ignore[arg-type]
    return Weir(key="weir", name="Weir", river=river, to_bus=bus("raw"), capacity_km3_per_day=864.0, **figures)  # type: ignore[misc]


def intake(weir: Weir, measured: list[float] | None = None, horizon: Horizon | None = None) -> tuple[float, ...]:
    """10³ m³/h that the weir may take, after hourly flows measured up to the plan's start."""
    read = reading(weir.river.flow, horizon=horizon or path(steps=4))
    hours = pd.date_range(end=read.known_at.astimezone(UTC), periods=len(measured or []), freq="1h", tz=UTC)
    sheet = Sheet()
    with patch("water.intakes.history", return_value=(pd.Series(measured or [], index=hours, dtype=float), False)):
        add_weir(sheet, read, weir)
    rates = link(sheet.network(), "intake.weir").max
    assert isinstance(rates, tuple)
    return rates


def test_an_intake_takes_no_more_than_its_capacity_or_the_river():
    # 864 a day = 36 an hour = 10 m³/s; the river brings 5 m³/s = 18 an hour
    assert intake(a_weir((50.0, 50.0, 5.0, 50.0))) == (close(36), close(36), close(18), close(36))


def test_a_flood_muddies_the_intake_for_hours_after_it():
    weir = a_weir((5.0, 5.0, 30.0, 5.0), turbid_points=[[10, 5.0], [20, 1.0]], turbid_half_life_hours=1000.0)
    # above 20 m³/s only 1 m³/s = 3.6 an hour can be cleared, and mud settles slowly
    assert intake(weir) == (close(18), close(18), close(3.6), close(3.6))


def test_a_flood_of_yesterday_still_muddies_the_intake_today():
    weir = a_weir(5.0, turbid_points=[[10, 5.0], [20, 1.0]], turbid_half_life_hours=1000.0)
    assert intake(weir, measured=[40.0, 5.0, 5.0]) == (close(3.6),) * 4


def test_a_storm_forecast_for_tomorrow_limits_the_intake_tomorrow_and_not_today():
    curve = {"turbid_points": [[10, 5.0], [20, 1.0]], "turbid_half_life_hours": 48.0}
    weir = a_weir((6.0,) * 96 + (6.0,) * 4 + (40.0,) * 6 + (8.0,) * 38, **curve)
    week = Horizon.path(path().start, [(96, 0.25), (48, 1.0)])
    rates = intake(weir, measured=[6.0] * 24, horizon=week)
    # 5 m³/s = 18 an hour until the flood, 1 m³/s = 3.6 in it; 40 halved every two days is still 23 after 38 hours
    assert rates[:100] == (close(18),) * 100
    assert rates[100:] == (close(3.6),) * 44


def told(weir: Weir, high: float) -> list[str]:
    """What a plan says of a flow that may be `high` in one of twenty cases."""
    read = reading(weir.river.flow, horizon=path(steps=4))
    flow = read.expected[weir.river.flow.pk]
    read = replace(read, expected={weir.river.flow.pk: replace(flow, high=(high,) * 4)})  # type: ignore[type-var]
    sheet = Sheet()
    with patch("water.intakes.history", return_value=(pd.Series(dtype=float), False)):
        add_weir(sheet, read, weir)
    return [note.en for note in sheet.notes if note.level == "warning"]


def test_a_flood_that_may_come_is_told_of_and_not_planned_for():
    curve = {"turbid_points": [[10, 5.0], [20, 1.0]], "turbid_half_life_hours": 48.0}
    weir = a_weir((6.0,) * 4, **curve)
    (note,) = told(weir, high=30.0)
    assert "down to 3.6 instead of 18.0 10³ m³/h from 11-23 00:00" in note
    assert intake(weir) == (close(18),) * 4
    # at 12 m³/s the curve leaves 5 − 4 × log(1.2)/log(2) = 3.95 m³/s, four fifths of what it is
    assert told(weir, high=12.0) == []


def test_quarter_hours_and_hours_share_one_memory_of_the_flood():
    weir = a_weir(tuple([5.0] * 4 + [30.0, 5.0]), turbid_points=[[10, 5.0], [20, 1.0]], turbid_half_life_hours=1000.0)
    mixed = Horizon.path(path().start, [(4, 0.25), (2, 1.0)])
    assert intake(weir, horizon=mixed) == (close(18),) * 4 + (close(3.6), close(3.6))


def test_a_horizon_that_ends_within_an_hour_loses_nothing_of_it():
    weir = a_weir((5.0, 5.0, 5.0))
    assert intake(weir, horizon=Horizon.path(path().start, [(3, 0.25)])) == (close(18),) * 3


def test_a_pumped_intake_draws_power_for_every_cubic_metre():
    weir = a_weir(50.0, kwh_per_m3=0.25, power_bus="grid")
    sheet = Sheet()
    with patch("water.intakes.history", return_value=(pd.Series(dtype=float), False)):
        add_weir(sheet, reading(weir.river.flow), weir)
    # 0.25 kWh/m³ × 1000 m³/h = 250 kW: 0.25 MW for each 10³ m³/h
    assert link(sheet.network(), "intake.weir").uses == {"grid": 0.25}


# --- sources -------------------------------------------------------------------------------------------------
PHASES = [{"from": "2026-01-01", "km3_per_day": 24.0}, {"from": "2026-11-24", "km3_per_day": 48.0}]


def test_a_source_grows_on_the_day_its_next_phase_opens():
    source = WaterSource(key="wells", name="Wells", bus=bus("raw"), capacity_phases=PHASES, cost_per_m3=0.5)
    sheet = Sheet()
    add_source(sheet, reading(horizon=path("2026-11-23T23:00", steps=2)), source)
    found = supply(sheet.network(), "source.wells")
    # 1 an hour until midnight, 2 from then on, at 0.5 per m³ = 500 per 10³ m³
    assert (found.bus, found.max, found.cost) == ("raw", (1.0, 2.0), 500.0)


def test_a_source_gives_nothing_before_its_first_phase():
    assert capacity_on(WaterSource(capacity_phases=PHASES), date(2025, 12, 31)) == 0.0


def test_a_source_that_draws_power_is_lifted_from_a_bus_of_its_own():
    source = WaterSource(
        key="wells", name="Wells", bus=bus("raw"), capacity_phases=PHASES, kwh_per_m3=0.5, power_bus="grid"
    )
    sheet = Sheet()
    add_source(sheet, reading(), source)
    network = sheet.network()
    lift = link(network, "source.wells")
    assert supply(network, "source.wells").bus == lift.source == "wells.head"
    assert (lift.to, lift.uses) == ({"raw": 1.0}, {"grid": 0.5})
