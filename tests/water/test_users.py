"""Users with and without tanks become parts, and a plan goes on from the one in force, small enough for the head."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from planning.kernel.network import Bus, Network, Supply
from planning.kernel.outcome import Answer
from planning.kernel.problems import InvalidNetwork
from planning.kernel.solve import solve
from tests.water.small import bus, close, demand, path, reading, series, store
from water.models import TreatmentPlant, WaterUser
from water.reading import Before, Sheet
from water.users import add_user, add_users, note_tanks
from water.works import add_plant


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
        published_at=start,
        result=result,
    )
    # at the start of the second hour: its rate, and the level that the first hour left
    an_hour, five_hours = start + timedelta(hours=1), start + timedelta(hours=5)
    before = Before({"canal.main": 2.0}, {"tank.homes": 7.0})
    assert in_force(city, an_hour, an_hour) == before
    assert in_force(city, five_hours, five_hours) == Before()
    # what was published or withdrawn later was not known
    assert in_force(city, an_hour, start - timedelta(hours=1)) == Before()
    Plan.objects.update(state=Plan.State.WITHDRAWN, ended_at=five_hours)
    assert in_force(city, an_hour, an_hour) == before
    assert in_force(city, an_hour, five_hours) == Before()
