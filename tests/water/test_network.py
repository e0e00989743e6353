"""Rows become parts: rivers, intakes, sources, reservoirs, works, mains and users, small enough for the head."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

import pandas as pd
import pytest

from forecasting.models import Observation
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Network, Supply, at
from planning.kernel.outcome import Answer
from planning.kernel.problems import InvalidNetwork
from planning.kernel.solve import solve
from planning.kernel.validation import problems
from tests.water.small import bus, demand, link, network_of, path, reading, series, store, supply
from water.intakes import add_river, add_source, add_weir, capacity_on
from water.models import Conduit, Reservoir, River, TreatmentPlant, WaterSource, WaterUser, Weir
from water.reading import Before, Reading, Sheet
from water.users import add_user, add_users, note_tanks
from water.works import add_conduit, add_plant, add_reservoir, full_share


def close(value: float) -> object:
    """Within what a held tier may slip by in the solver."""
    return pytest.approx(value, rel=1e-5, abs=1e-5)


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


# --- reservoirs ----------------------------------------------------------------------------------------------
def a_reservoir(**figures: object) -> Reservoir:
    values = {"capacity_km3": 1000.0, "minimum_km3": 100.0, **figures}
    return Reservoir(key="lake", name="Lake", bus=bus("raw"), storage=series(400.0), **values)  # type: ignore[misc]


def keep(
    reservoir: Reservoir,
    level: float | None,
    read: Reading | None = None,
    age_hours: float = 1.0,
    synthetic: bool = False,
) -> Sheet:
    """The reservoir's parts after a measurement of its storage, or none."""
    known = [reservoir.storage] + ([reservoir.inflow] if reservoir.inflow else [])
    read = read or reading(*known)
    seen = None
    if level is not None:
        seen = Observation(valid_at=read.known_at - timedelta(hours=age_hours), value=level, synthetic=synthetic)
    sheet = Sheet()
    with patch("water.works.latest", return_value=seen):
        add_reservoir(sheet, read, reservoir)
    return sheet


def test_a_reservoir_starts_from_its_latest_measurement():
    found = store(keep(a_reservoir(water_value_per_m3=2.0), 700.0).network(), "reservoir.lake")
    assert (found.initial, found.end_value) == (700.0, 2000.0)
    assert found.capacity == (1000.0,) * 24 and found.min == (100.0,) * 24


def test_a_reservoir_above_its_surveyed_capacity_is_believed():
    sheet = keep(a_reservoir(inflow=series(1.0)), 1050.0)
    network = network_of(sheet, "raw")
    assert store(network, "reservoir.lake").capacity == (1050.0,) * 24
    assert [note.level for note in sheet.notes] == ["info"]
    assert problems(network, path()) == []
    # full, and 3.6 an hour come in: all of it must go over the spillway
    assert solve(network, path()).links["spillway.lake"] == (close(3.6),) * 24


def test_a_drought_below_the_least_storage_is_planned_not_refused():
    sheet = keep(a_reservoir(loss_per_day=0.1), 60.0)
    network = network_of(sheet, "raw")
    assert [note.level for note in sheet.notes] == ["warning"]
    answer = solve(network, path())
    # nothing comes in and nobody draws: 60 × 0.9 after a day
    assert answer.is_accepted
    assert answer.levels["reservoir.lake"][-1] == pytest.approx(54.0, rel=1e-5)


def test_old_synthetic_and_missing_measurements_are_told():
    assert "48 hours old" in keep(a_reservoir(), 500.0, age_hours=48).notes[0].en
    assert "synthetic" in keep(a_reservoir(), 500.0, synthetic=True).notes[0].en
    missing = keep(a_reservoir(), None)
    assert missing.notes[0].level == "warning"
    assert store(missing.network(), "reservoir.lake").initial == 400.0  # as expected of the series


def test_a_reservoir_is_emptied_every_summer():
    reservoir = a_reservoir(emptied_from="06-01", emptied_until="09-10")
    assert full_share(reservoir, date(2026, 1, 1)) == 1.0
    assert full_share(reservoir, date(2026, 5, 17)) == pytest.approx(0.55)  # 15 of 30 days left: 0.1 + 0.9 / 2
    assert full_share(reservoir, date(2026, 6, 1)) == full_share(reservoir, date(2026, 9, 10)) == 0.1
    assert full_share(reservoir, date(2026, 9, 11)) == 1.0


def test_a_window_over_new_year_is_one_window():
    reservoir = a_reservoir(emptied_from="12-20", emptied_until="01-10")
    assert full_share(reservoir, date(2026, 1, 5)) == full_share(reservoir, date(2026, 12, 25)) == 0.1
    assert full_share(reservoir, date(2026, 12, 5)) == pytest.approx(0.55)


def test_a_reservoir_too_full_for_its_emptied_window_comes_down_as_a_gate_allows():
    reservoir = a_reservoir(emptied_from="06-01", emptied_until="09-10")
    july = path("2026-07-01T00:00", steps=48)
    network = network_of(keep(reservoir, 500.0, reading(reservoir.storage, horizon=july)), "raw")
    found = store(network, "reservoir.lake")
    # a tenth of the capacity a day: 500 − 100 after one day, 300 after two; the emptied ceiling of 100 is yet to come
    assert at(found.capacity, 23) == pytest.approx(400.0) and at(found.capacity, 47) == pytest.approx(300.0)
    assert solve(network, july).levels["reservoir.lake"][-1] == pytest.approx(300.0)


def test_the_target_is_that_of_the_month_the_plan_ends_in():
    november = [0.1] * 10 + [0.6] + [0.1]
    final = store(keep(a_reservoir(target_share=november), 700.0).network(), "reservoir.lake").final
    assert final is not None and (final.min, final.tier) == (600.0, 6)


# --- works and mains -----------------------------------------------------------------------------------------
def test_a_plant_gives_its_capacity_in_clean_water_and_pays_for_what_it_gives():
    plant = TreatmentPlant(
        key="works",
        name="Works",
        from_bus=bus("raw"),
        to_bus=bus("clean"),
        capacity_km3_per_day=96.0,
        recovery_share=0.8,
        kwh_per_m3=0.5,
        power_bus="grid",
        cost_per_m3=0.25,
        max_change_per_hour_share=0.2,
    )
    sheet = Sheet()
    add_plant(sheet, reading(), plant, in_use_share=0.5)
    found = link(sheet.network(), "plant.works")
    # 4 clean an hour need 5 raw; 0.5 kWh and 0.25 per clean m³ are 0.4 MW and 200 per raw 10³ m³
    assert (found.max, found.to, found.uses, found.cost) == (
        close(5.0),
        {"clean": 0.8},
        {"grid": close(0.4)},
        close(200.0),
    )
    assert (found.initial_rate, found.max_change_per_hour) == (close(2.5), close(1.0))


def a_canal() -> Conduit:
    ends = {"from_bus": bus("head"), "to_bus": bus("field")}
    return Conduit(
        key="main", name="Main", kind="canal", capacity_km3_per_day=240.0, loss_share=0.2, lag_hours=3.0, **ends
    )


def test_a_canal_does_not_start_dry():
    sheet = Sheet()
    add_conduit(sheet, reading(), a_canal(), [Demand("fields", "field", 4.0)])
    found = link(sheet.network(), "canal.main")
    # 4 wanted below and a fifth lost on the way: 5 are under way when the plan begins
    assert (found.max, found.to, found.lag_hours, found.initial_rate) == (10.0, {"field": 0.8}, 3.0, 5.0)


def test_a_canal_carries_what_the_plan_in_force_sent():
    sheet = Sheet()
    add_conduit(sheet, reading(before=Before(links={"canal.main": 2.0})), a_canal(), [Demand("fields", "field", 4.0)])
    assert link(sheet.network(), "canal.main").initial_rate == 2.0


# --- users ---------------------------------------------------------------------------------------------------
def homes(use: float | tuple[float, ...] = 1.0, tank_km3: float = 0.0, reserve: float = 0.0) -> WaterUser:
    return WaterUser(
        key="homes",
        name="Homes",
        kind="zone",
        bus=bus("clean"),
        demand=series(use),
        user_class="domestic",
        penalty_per_m3=300.0,
        tank_km3=tank_km3,
        tank_reserve_share=reserve,
    )


def test_a_user_is_a_wish_of_its_class():
    user, sheet = homes(), Sheet()
    add_user(sheet, reading(user.demand), user)
    found = demand(sheet.network(), "water.homes")
    assert (found.bus, found.tier, found.penalty) == ("clean", 1, 300_000.0)


def test_tanks_stand_before_their_user_and_start_where_the_plan_in_force_left_them():
    user = homes(tank_km3=10.0)
    assumed, planned = Sheet(), Sheet()
    before = Before(levels={"tank.homes": 3.0})
    for sheet, read in ((assumed, reading(user.demand)), (planned, reading(user.demand, before=before))):
        add_user(sheet, read, user)
        note_tanks(sheet, read, [user])
    assert store(assumed.network(), "tank.homes").initial == 8.0
    assert [note.en for note in assumed.notes] == ["The own tanks of 1 users are taken to be 80% full."]
    assert store(planned.network(), "tank.homes").initial == 3.0 and planned.notes == []
    assert demand(planned.network(), "water.homes").bus == "homes.site"


def test_what_tanks_hold_fills_the_reserve_first():
    user = homes(tank_km3=10.0, reserve=0.3)
    assumed, low = Sheet(), Sheet()
    before = Before(levels={"tank.homes": 0.0, "reserve.homes": 2.0})
    for sheet, read in ((assumed, reading(user.demand)), (low, reading(user.demand, before=before))):
        add_users(sheet, read, [user])
    # 8 of 10 are taken to be there: 3 of reserve and 5 above it, which is also what should be left at the end
    working, reserve = store(assumed.network(), "tank.homes"), store(assumed.network(), "reserve.homes")
    assert (working.capacity, working.initial, reserve.capacity, reserve.initial) == (7.0, 5.0, 3.0, 3.0)
    assert (working.final.min, reserve.final.min) == (5.0, 3.0)  # type: ignore[union-attr]
    assert store(low.network(), "tank.homes").initial == 0.0
    assert store(low.network(), "reserve.homes").initial == 2.0


def a_day_of_homes(user: WaterUser, spring: float | tuple[float, ...], before: Before | None = None) -> Answer:
    sheet = Sheet()
    add_users(sheet, reading(user.demand, before=before), [user])
    springs = Network(buses=(Bus("clean", "water"),), supplies=(Supply("spring", "clean", spring, cost=DEAR_EVENING),))
    return solve(sheet.network() + springs, path())


DEAR_EVENING = tuple(9000.0 if 16 <= hour < 22 else 2000.0 for hour in range(24))


def test_no_tariff_is_reason_enough_to_touch_the_reserve():
    answer = a_day_of_homes(homes(use=1.0, tank_km3=6.0, reserve=0.5), spring=5.0)
    # 3 of 6 are working volume: of the 6 used in the dear evening 3 come from the tank, 3 must be bought dear
    assert sum(answer.supplies["spring"][16:22]) == close(3.0)
    assert min(answer.levels["reserve.homes"]) == close(3.0)
    assert answer.shortages == ()


def test_homes_are_served_from_the_reserve_before_they_go_short():
    # The spring fails from 04:00 to 09:00: 5 are missing, the working volume can hold 3 of them, the reserve has 3
    spring = tuple(0.0 if 4 <= hour < 9 else 5.0 for hour in range(24))
    answer = a_day_of_homes(homes(use=1.0, tank_km3=6.0, reserve=0.5), spring)
    assert sum(answer.short["water.homes"]) == close(0.0)
    assert answer.levels["reserve.homes"][8] == close(1.0)
    assert [(short.wish, short.tier, short.amount) for short in answer.shortages] == [("tank_reserves", 6, close(2.0))]
    # filled again as soon as the spring is back, for the service main carries 2 an hour and the homes use 1
    assert answer.levels["reserve.homes"][10] == close(3.0)


def test_a_reserve_that_was_used_is_filled_again_without_waiting_for_the_last_hour():
    user = homes(use=1.0, tank_km3=6.0, reserve=0.5)
    used = Before(levels={"tank.homes": 0.0, "reserve.homes": 0.0})
    answer = a_day_of_homes(user, 5.0, used)
    # the main brings 2 an hour, the homes take 1: the reserve of 3 is full after 3 hours
    assert answer.levels["reserve.homes"][2] == close(3.0)


def test_a_class_without_a_tier_is_refused_by_name():
    user = homes()
    with pytest.raises(InvalidNetwork, match="policies.order.tiers.domestic"):
        add_user(Sheet(), reading(user.demand, tiers={"industry": 1}), user)


def test_pumping_moves_out_of_the_peak_hours_as_far_as_the_tank_allows():
    user = homes(use=1.0, tank_km3=6.0)
    plant = TreatmentPlant(
        key="works",
        name="Works",
        from_bus=bus("raw"),
        to_bus=user.bus,
        capacity_km3_per_day=48.0,
        recovery_share=1.0,
        kwh_per_m3=0.5,
        power_bus="grid",
    )
    sheet, read = Sheet(), reading(user.demand)
    add_user(sheet, read, user)
    add_plant(sheet, read, plant, in_use_share=0.5)
    price = tuple(9390.0 if 16 <= hour < 22 else 2530.0 for hour in range(24))
    town = Network(
        buses=(Bus("clean", "water"), Bus("raw", "water"), Bus("grid", "power")),
        supplies=(Supply("spring", "raw", 5.0), Supply("purchase", "grid", 10.0, cost=price)),
    )
    answer = solve(sheet.network() + town, path())
    assert sum(answer.short["water.homes"]) == close(0.0)
    # The tank is full (6) at 16:00 and must hold 4.8 at 24:00, of which the last two hours can refill 2 × (2 − 1):
    # it may fall to 2.8, so of the 6 used in the peak only 6 − 3.2 = 2.8 are pumped then.
    assert sum(answer.links["plant.works"][16:22]) == close(2.8)
    assert answer.levels["tank.homes"][15] == close(6.0)


def test_a_moment_outside_the_plan_in_force_knows_nothing_of_it(db: None):
    from cities.models import City
    from planning.models import Plan
    from water.reading import in_force

    city = City.objects.create(key="small", name="Small", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5)
    start = datetime(2026, 11, 23, tzinfo=UTC)
    result = {"links": {"canal.main": [1.0, 2.0, 3.0]}, "stores": {"tank.homes": {"level": [7.0, 6.0, 5.0]}}}
    Plan.objects.create(
        city=city,
        state=Plan.State.PUBLISHED,
        start=start,
        horizon=[[3, 1.0]],
        valid_until=start + timedelta(hours=3),
        result=result,
    )
    # at the start of the second hour: its rate, and the level that the first hour left
    assert in_force(city, start + timedelta(hours=1)) == Before({"canal.main": 2.0}, {"tank.homes": 7.0})
    assert in_force(city, start + timedelta(hours=5)) == Before()
