"""Reservoirs, works and mains become parts, small enough for the head."""

from __future__ import annotations

from datetime import date, timedelta
from unittest.mock import patch

import pytest

from forecasting.models import Observation
from planning.kernel.network import Demand, Network, Supply, at
from planning.kernel.outcome import Status
from planning.kernel.solve import solve
from planning.kernel.validation import problems
from tests.water.small import bus, close, link, network_of, path, reading, series, store
from water.models import Conduit, Reservoir, TreatmentPlant
from water.reading import Before, Reading, Sheet
from water.works import add_conduit, add_plant, add_reservoir, full_share


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
def a_plant(**figures: object) -> TreatmentPlant:
    ends = {"from_bus": bus("raw"), "to_bus": bus("clean")}
    given = {"capacity_km3_per_day": 96.0, "recovery_share": 0.8, "max_change_per_hour_share": 0.2, **ends, **figures}
    return TreatmentPlant(key="works", name="Works", **given)  # type: ignore[misc]


def test_a_plant_gives_its_capacity_in_clean_water_and_pays_for_what_it_gives():
    plant = a_plant(kwh_per_m3=0.5, power_bus="grid", cost_per_m3=0.25)
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


def test_what_is_under_way_in_a_canal_may_leave_by_its_tail_when_the_fields_want_less():
    sheet = Sheet()
    wanted = Demand("fields", "field", 1.0, tier=2)
    add_conduit(sheet, reading(before=Before(links={"canal.main": 2.0})), a_canal(), [wanted])
    network = network_of(sheet, "head", "field") + Network(supplies=(Supply("river", "head", 9.0),), demands=(wanted,))
    found = solve(network, path())
    # 2 an hour were sent, 1.6 arrive in each of the three hours of the way, 1 is wanted; then no drop too much is sent
    assert found.links["escape.main"] == (close(0.6),) * 3 + (close(0.0),) * 21
    assert found.status is Status.OPTIMAL and not any(found.short["fields"])


def test_works_stop_at_once_when_their_river_fails():
    sheet = Sheet()
    add_plant(sheet, reading(before=Before(links={"plant.works": 2.5})), a_plant(), in_use_share=0.5)
    wanted = Demand("homes", "clean", 2.0, tier=1)
    river = Supply("river", "raw", (0.0,) + (9.0,) * 23)
    network = network_of(sheet, "raw", "clean") + Network(supplies=(river,), demands=(wanted,))
    found = solve(network, path())
    # 2.5 raw an hour before, none in the first hour; then 1 more every hour: 0.8, 1.6 and 2 clean
    assert found.served["homes"][:4] == (close(0.0), close(0.8), close(1.6), close(2.0))
    assert found.broken_limits == ()
