"""Tinytown's power: 5 MW of homes, 3 MW of a fab, a battery of 8 MWh, and a kWh at NT$5 from 8 to 22 on weekdays, else
at 2."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from cities.models import City, PriorityPolicy
from config.citypack.pack import read_pack
from config.citypack.rows import write_pack
from energy.models import Battery, BusDepot, GridConnection, PowerBus, PowerLine, SolarPark
from energy.network import SECTOR
from forecasting.models import Observation, Series
from planning.kernel.horizon import Horizon
from planning.kernel.network import PeakCharge
from planning.kernel.outcome import Answer, Status
from planning.kernel.problems import InvalidNetwork
from planning.kernel.solve import solve
from planning.sectors import Parts

TAIPEI = ZoneInfo("Asia/Taipei")
MONDAY = datetime(2026, 7, 6, tzinfo=TAIPEI)
SUNDAY = datetime(2026, 7, 12, tzinfo=TAIPEI)
LOADS_COST = 8 * (10 * 2000 + 14 * 5000)
"""8 MW through a Monday: ten cheap hours and fourteen dear ones."""
TOLERANCE = 0.001
"""MWh. A later tier may give back a millionth of what an earlier one reached."""

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> City:
    city, _ = write_pack(read_pack(settings.BASE_DIR / "config" / "cities" / "tinytown"))
    return city


@pytest.fixture
def bus(town: City) -> PowerBus:
    return PowerBus.objects.get(city=town)


def day_from(start: datetime) -> Horizon:
    return Horizon.path(start, [(24, 1.0)])


def parts(city: City, start: datetime = MONDAY) -> Parts:
    return SECTOR.parts(city, day_from(start), start)


def planned(city: City, start: datetime = MONDAY) -> Answer:
    answer = solve(parts(city, start).network, day_from(start))
    assert answer.status == Status.OPTIMAL and not answer.broken_limits
    return answer


def named(found: tuple, name: str):
    return next(part for part in found if part.name == name)


def measure(key: str, value: float, hours_ago: float = 0, synthetic: bool = False) -> None:
    at = MONDAY - timedelta(hours=hours_ago)
    series = Series.objects.get(key=key)
    Observation.objects.create(series=series, valid_at=at, recorded_at=at, value=value, synthetic=synthetic)


# --- purchases -----------------------------------------------------------------------------------------------
def test_power_costs_what_the_tariff_says_at_each_hour(town: City):
    supply = named(parts(town).network.supplies, "purchase.main")
    assert supply.max == 20
    assert supply.cost == (2000.0,) * 8 + (5000.0,) * 14 + (2000.0,) * 2


def test_a_holiday_is_cheap_all_day(town: City):
    new_year = datetime(2026, 1, 1, tzinfo=TAIPEI)  # a Thursday
    assert set(named(parts(town, new_year).network.supplies, "purchase.main").cost) == {2000.0}


def test_what_exceeds_the_contract_pays_double_and_then_triple(town: City):
    """The basic fee is NT$200 per kW. 8 MW on a contract of 7: 1 MW at twice the fee, and of it 0.3 MW, what lies above
    7.7, at once more: 400,000 + 0.3 × 200,000 = 460,000."""
    Battery.objects.all().delete()
    GridConnection.objects.update(contract_mw=7)
    peak = named(parts(town).network.supplies, "purchase.main").peak
    assert peak == (PeakCharge(7, 400_000), PeakCharge(pytest.approx(7.7), 200_000))
    assert planned(town).cost == pytest.approx(LOADS_COST + 460_000)


# --- batteries -----------------------------------------------------------------------------------------------
def test_a_battery_fills_while_power_is_cheap_and_serves_while_it_is_dear(town: City):
    """4 MWh are in it and 4 more are bought at 2000. All 8 leave by day, 7.2 reach the town and save 5000 each."""
    answer = planned(town)
    assert answer.levels["battery.store"][7] == pytest.approx(8)
    assert answer.levels["battery.store"][21] == pytest.approx(0)
    assert sum(answer.links["discharge.store"][8:22]) * 0.9 == pytest.approx(7.2)
    assert answer.cost == pytest.approx(LOADS_COST + 4 * 2000 - 7.2 * 5000, abs=1)


def test_a_battery_never_charges_and_discharges_at_once(town: City):
    Battery.objects.update(discharge_efficiency=1.0)  # nothing is lost, so only the cost of charging forbids it
    answer = planned(town)
    pairs = zip(answer.links["charge.store"], answer.links["discharge.store"], strict=True)
    assert all(min(pair) < 1e-6 for pair in pairs)


def test_a_battery_is_neither_emptied_nor_filled_where_nothing_is_gained(town: City):
    answer = planned(town, SUNDAY)
    assert answer.levels["battery.store"] == pytest.approx([4.0] * 24)


def test_wear_keeps_a_battery_from_work_that_does_not_pay(town: City):
    """A MWh of the cells kept is worth 2000; taken out, 0.9 × (5000 − wear): they are equal at a wear of 2778."""
    Battery.objects.update(wear_cost_per_mwh=2800)
    assert sum(planned(town).links["discharge.store"]) == pytest.approx(0)
    Battery.objects.update(wear_cost_per_mwh=2700)
    assert sum(planned(town).links["discharge.store"]) > 1


def test_power_is_counted_at_the_grid_on_both_ways(town: City):
    links = parts(town).network.links
    assert named(links, "charge.store").max == 4
    discharge = named(links, "discharge.store")
    assert discharge.max * discharge.to["town"] == pytest.approx(4)


def test_the_last_measured_state_of_charge_is_where_a_plan_begins(town: City):
    measure("charge", 7.5, hours_ago=3)
    measure("charge", 6.5, hours_ago=1)
    found = parts(town)
    assert named(found.network.stores, "battery.store").initial == 6.5
    assert not [note for note in found.notes if "Town battery" in note.en]


def test_without_a_state_of_charge_half_is_assumed_and_said(town: City):
    found = parts(town)
    assert named(found.network.stores, "battery.store").initial == 4
    assert "No state of charge of Town battery is known: half full is assumed." in [note.en for note in found.notes]


def test_an_old_state_of_charge_is_used_and_called_old(town: City):
    measure("charge", 6.5, hours_ago=30)
    found = parts(town)
    assert named(found.network.stores, "battery.store").initial == 6.5
    assert any("it was last measured at 2026-07-04 18:00" in note.en for note in found.notes)


def test_a_plan_from_an_invented_state_of_charge_says_so(town: City):
    measure("charge", 6.5, hours_ago=1, synthetic=True)
    assert parts(town).synthetic


def test_a_battery_below_its_reserve_breaks_no_limit(town: City):
    """The reserve is 4 MWh, 2 are there, and a tenth of them goes every hour."""
    Battery.objects.update(reserve_share=0.5, loss_per_hour=0.1)
    measure("charge", 2.0)
    floor = named(parts(town).network.stores, "battery.store").min
    assert floor[:2] == pytest.approx((1.8, 1.62))
    assert planned(town).levels["battery.store"][0] >= 1.8 - 1e-6


def test_a_battery_above_its_reserve_keeps_it(town: City):
    Battery.objects.update(reserve_share=0.25)
    assert min(planned(town).levels["battery.store"]) == pytest.approx(2)


# --- solar, loads, lines -------------------------------------------------------------------------------------
def test_solar_comes_first_and_what_nobody_takes_is_curtailed(town: City, bus: PowerBus):
    Battery.objects.all().delete()
    factor = Series.objects.create(city=town, key="sun", unit="share", profile={"kind": "flat", "level": 0.5})
    SolarPark.objects.create(city=town, key="roof", bus=bus, capacity_mw=20, capacity_factor=factor)
    assert named(parts(town).network.supplies, "solar.roof").max == pytest.approx((10.0,) * 24)
    answer = planned(town)
    assert answer.supplies["solar.roof"] == pytest.approx([8.0] * 24)
    assert answer.cost == pytest.approx(0)


def test_loads_carry_the_tier_of_their_class(town: City):
    found = parts(town)
    homes, fab = (named(found.network.demands, name) for name in ("load.homes", "load.fab"))
    assert (homes.tier, homes.penalty, homes.amount) == (1, 100_000, (5.0,) * 24)
    assert (fab.tier, fab.penalty, fab.amount) == (4, 50_000, (3.0,) * 24)
    assert (found.labels["load.fab"].role, found.labels["load.fab"].zh) == ("fab_load", "晶圓廠")


def test_homes_are_served_before_the_fab(town: City):
    Battery.objects.all().delete()
    GridConnection.objects.update(limit_mw=6)
    answer = planned(town)
    assert sum(answer.short["load.homes"]) == pytest.approx(0, abs=TOLERANCE)
    assert answer.short["load.fab"] == pytest.approx([2.0] * 24, abs=TOLERANCE)


def test_a_class_without_a_tier_is_named(town: City):
    PriorityPolicy.objects.update(tiers={"power_residential": 1})
    with pytest.raises(InvalidNetwork) as caught:
        parts(town)
    assert [problem.place for problem in caught.value.problems] == ["policies.law.tiers.power_industry"]


def test_a_line_loses_its_share(town: City, bus: PowerBus):
    suburb = PowerBus.objects.create(city=town, key="suburb", name="Suburb")
    PowerLine.objects.create(city=town, key="out", from_bus=bus, to_bus=suburb, capacity_mw=5, loss_share=0.1)
    line = named(parts(town).network.links, "line.out")
    assert (line.source, line.max, line.to) == ("town", 5, {"suburb": pytest.approx(0.9)})


# --- buses ---------------------------------------------------------------------------------------------------
@pytest.fixture
def depot(town: City, bus: PowerBus) -> BusDepot:
    """Plugged in from 20 to 6; on the road 1 MW for 14 hours."""
    Battery.objects.all().delete()
    return BusDepot.objects.create(
        city=town,
        key="north",
        name="North depot",
        bus=bus,
        buses=70,
        energy_mwh_per_day=14,
        charger_mw=4,
        plug_in_hour=20,
        plug_out_hour=6,
        penalty_per_mwh=20_000,
    )


def test_buses_charge_at_night_when_power_is_cheap(town: City, depot: BusDepot):
    """They leave full at 6, come back empty at 20, wait until 22 and are full again at 6: 14 MWh at 2000."""
    answer = planned(town, MONDAY.replace(hour=6))
    plug, level = answer.links["plug.north"], answer.levels["buses.north"]
    assert level[13] == pytest.approx(0) and level[23] == pytest.approx(14)
    assert sum(plug[:16]) == pytest.approx(0) and sum(plug[16:]) == pytest.approx(14)
    assert max(plug) <= 4 + 1e-6
    assert answer.cost == pytest.approx(LOADS_COST + 14 * 2000)


def test_a_depot_charges_below_the_contract_where_the_night_is_long_enough(town: City, depot: BusDepot):
    """Contract 10, loads 8: eight cheap hours at a steady 1.75 MW bring 14 of 14 MWh without exceeding it."""
    GridConnection.objects.update(contract_mw=10)
    answer = planned(town, MONDAY.replace(hour=6))
    assert max(answer.supplies["purchase.main"]) == pytest.approx(8 + 14 / 8)
    assert answer.final_short["buses.north"] == pytest.approx(0, abs=TOLERANCE)


def test_buses_that_cannot_charge_are_a_shortage_and_no_failure(town: City, depot: BusDepot):
    GridConnection.objects.update(limit_mw=8, contract_mw=8)
    answer = planned(town, MONDAY.replace(hour=6))
    assert answer.final_short["buses.north"] == pytest.approx(14, abs=TOLERANCE)
    missing = [sum(answer.short[name]) for name in ("load.homes", "load.fab", "depot.north")]
    assert missing == pytest.approx([0, 0, 0], abs=TOLERANCE)


def test_a_plan_that_begins_by_day_finds_the_buses_half_driven(town: City, depot: BusDepot):
    network = parts(town, MONDAY.replace(hour=13)).network
    store = named(network.stores, "buses.north")
    assert store.initial == pytest.approx(7)
    assert store.final is not None and store.final.min == pytest.approx(7) and store.final.tier == 6
    assert named(network.demands, "depot.north").amount[6:9] == pytest.approx((1.0, 0.0, 0.0))
