"""Kaohsiung's water: published figures are in the pack, everything else says that it is assumed, and plans come out."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q, Sum

from cities.models import City
from config.citypack.pack import Pack, folder_of, read_pack
from config.citypack.rows import write_pack
from forecasting.ingest import Row, ingest
from forecasting.models import Series
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Network, Supply, at
from planning.kernel.outcome import Answer
from planning.kernel.solve import solve
from planning.kernel.validation import problems
from planning.sectors import Parts
from tests.water.small import link, supply
from water.models import (
    Conduit,
    CropBlock,
    IrrigationSystem,
    Lateral,
    Reservoir,
    TreatmentPlant,
    Turnout,
    WaterSource,
    WaterUser,
    Weir,
)
from water.network import SECTOR

pytestmark = pytest.mark.django_db

WAN_T_PER_DAY = 10 / 24
"""10⁴ m³ a day in 10³ m³/h."""


@pytest.fixture(scope="module")
def pack() -> Pack:
    """Read once: it is read the same way every time, and for most of a second."""
    return read_pack(folder_of("kaohsiung"))


@pytest.fixture
def kaohsiung(db: None, pack: Pack) -> City:
    return write_pack(pack)[0]


def day(start: str) -> Horizon:
    return Horizon.path(datetime.fromisoformat(start).replace(tzinfo=ZoneInfo("Asia/Taipei")), [(24, 1.0)])


def measured(city: City, horizon: Horizon, **flows: float) -> None:
    """Six days of steady hourly measurements before a plan."""
    hours = [horizon.start - timedelta(hours=n) for n in range(1, 145)]
    rows = [Row(key, at_hour, flow, at_hour) for key, flow in flows.items() for at_hour in hours]
    assert ingest(city, rows).new == len(rows)


def measured_dry_month(city: City, horizon: Horizon) -> None:
    """Thirty days without rain before a plan, so that no field has water to spare."""
    midnight = horizon.start.replace(hour=0)
    days = [midnight - timedelta(days=n) for n in range(1, 31)]
    rows = [Row(key, at, mm, at + timedelta(days=1)) for key, mm in (("eto", 4.2), ("rain", 0.0)) for at in days]
    assert ingest(city, rows).new == len(rows)


def planned(city: City, horizon: Horizon) -> tuple[Parts, Network, Answer]:
    """A plan of the city's water alone, with power at NT$4 per kWh wherever a pump asks for it."""
    parts = SECTOR.parts(city, horizon, horizon.start)
    known = {bus.name for bus in parts.network.buses}
    meters = sorted({bus for part in parts.network.links for bus in part.uses} - known)
    power = Network(
        buses=tuple(Bus(name, "power") for name in meters),
        supplies=tuple(Supply(f"grid.{name}", name, 1000.0, cost=4000.0) for name in meters),
    )
    network = parts.network + power
    assert problems(network, horizon) == []
    return parts, network, solve(network, horizon)


def mean(rates: tuple[float, ...]) -> float:
    return sum(rates) / len(rates)


# --- figures -------------------------------------------------------------------------------------------------
def test_published_capacities_are_in_the_pack(kaohsiung: City):
    assert Weir.objects.get(key="gaoping_weir").capacity_km3_per_day == 1050  # 100-105 萬t/d
    assert Reservoir.objects.get(key="agongdian").capacity_km3 == 14_800.5  # 1,480.05 萬m³
    assert Reservoir.objects.get(key="fengshan").capacity_km3 == 6_842
    assert Reservoir.objects.get(key="chengcing").capacity_km3 == 2_613.6
    assert TreatmentPlant.objects.get(key="fengshan").capacity_km3_per_day == 300  # 30 萬t/d
    assert WaterSource.objects.get(key="nanhua_link").capacity_phases[-1]["km3_per_day"] == 250
    riverbed = WaterSource.objects.filter(
        key__in=["riverbed_old", "riverbed_xingtian", "riverbed_xipu", "riverbed_daquan"]
    )
    assert sum(source.capacity_phases[-1]["km3_per_day"] for source in riverbed) == 740  # 34 + 10 + 15 + 15 萬t/d


def test_reclaimed_water_opens_when_it_was_announced(kaohsiung: City):
    nanzih = WaterSource.objects.get(key="reclaimed_nanzih")
    assert nanzih.capacity_phases[0]["from"] >= "2028-12-01"
    assert nanzih.capacity_phases[-1]["km3_per_day"] == 70
    ciaotou = WaterSource.objects.get(key="reclaimed_ciaotou")
    assert [phase["km3_per_day"] for phase in ciaotou.capacity_phases] == [30, 35]


def test_use_adds_up_to_what_the_city_publishes(kaohsiung: City):
    levels = {user.kind: 0.0 for user in WaterUser.objects.all()}
    for user in WaterUser.objects.select_related("demand"):
        levels[user.kind] += user.demand.profile["level"] / WAN_T_PER_DAY
    assert levels["zone"] == pytest.approx(110, abs=0.05)
    assert levels["industry"] + levels["fab"] == pytest.approx(44, abs=0.05)


def test_irrigated_area_adds_up_to_what_is_published(kaohsiung: City):
    area = CropBlock.objects.aggregate(total=Sum("area_ha"))["total"]
    by_system = dict(
        IrrigationSystem.objects.values_list("key").annotate(area=Sum("laterals__turnouts__blocks__area_ha"))
    )
    assert area == pytest.approx(20_367, abs=0.5)
    assert by_system["caogong"] == pytest.approx(6_500, abs=0.5)
    assert by_system["laonong_canals"] + by_system["qishan_canals"] > 6_000


def test_laterals_can_be_run_by_turns(kaohsiung: City):
    for lateral in Lateral.objects.prefetch_related("turnouts", "controllers"):
        flows = [turnout.flow_m3s for turnout in lateral.turnouts.all()]
        assert 6 <= len(flows) <= 8
        assert sum(sorted(flows)[-lateral.max_open :]) <= lateral.capacity_m3s
        assert lateral.controllers.count() in (1, 2)
    assert not Turnout.objects.filter(blocks__isnull=True).exists()


def test_every_figure_has_a_source_or_says_why_it_is_assumed(kaohsiung: City):
    for model in (Weir, WaterSource, Reservoir, TreatmentPlant, Conduit, WaterUser, Lateral, Turnout, CropBlock):
        rows = model.objects.filter(city=kaohsiung)  # type: ignore[attr-defined]
        assert rows.exists()
        assert not rows.filter(source="", assumption=False).exists()
        assert not rows.filter(assumption=True, note="").exists()
        assert not rows.filter(name_zh="").exists()
        # mains run through many places, and fields lie behind their turnout
        assert model in (Conduit, CropBlock) or not rows.filter(latitude__isnull=True).exists()


# --- plans ---------------------------------------------------------------------------------------------------
def test_november_is_planned_without_any_shortage(kaohsiung: City):
    parts, network, answer = planned(kaohsiung, day("2026-11-23T08:00"))
    assert answer.is_accepted
    assert [shortage.wish for shortage in answer.shortages if shortage.share > 1e-3] == []
    assert 40 <= len(parts.network.buses) <= 60 and len(parts.network.links) <= 90
    used = sum(mean(answer.served[f"water.{user.key}"]) for user in WaterUser.objects.all()) / WAN_T_PER_DAY
    assert 140 < used < 165  # 150-160 萬t/d
    reclaimed = mean(answer.links["conduit.reclaimed_to_csc"]) + mean(answer.links["conduit.reclaimed_to_tsmc"])
    assert reclaimed / WAN_T_PER_DAY == pytest.approx(10.8, abs=0.1)  # all that Fengshan, Linhai and Ciaotou make


def test_in_a_february_drought_the_weir_cannot_take_a_hundred(kaohsiung: City):
    horizon = day("2026-02-20T08:00")
    measured(kaohsiung, horizon, gaoping_flow=11.1)
    _, network, answer = planned(kaohsiung, horizon)
    # 11.1 m³/s are 96 萬t/d in all (LTN 5349146), and fields and fish want some of it
    assert max(at(link(network, "intake.gaoping_weir").max, s) for s in range(24)) / WAN_T_PER_DAY < 100
    zones = [
        shortage for shortage in answer.shortages if shortage.wish.startswith("water.zone") and shortage.share > 1e-3
    ]
    assert zones == []


def test_a_typhoon_leaves_a_third_of_the_intake_and_the_riverbed_steps_in(kaohsiung: City):
    horizon = day("2026-07-10T08:00")
    measured(kaohsiung, horizon, gaoping_flow=500.0)
    _, network, answer = planned(kaohsiung, horizon)
    # about 35 萬t/d in high turbidity (cdns 182298), however much the river carries
    assert 30 < at(link(network, "intake.gaoping_weir").max, 0) / WAN_T_PER_DAY < 50
    assert at(supply(network, "river.gaoping").max, 0) > 1000
    riverbed = sum(mean(rates) for name, rates in answer.supplies.items() if name.startswith("source.riverbed"))
    assert riverbed / WAN_T_PER_DAY > 20


def test_in_a_drought_as_of_2021_homes_are_served_and_fields_share_what_the_rivers_leave(kaohsiung: City):
    horizon = day("2026-04-20T08:00")
    dry = {"gaoping_flow": 4.0, "donggang_flow": 1.0, "laonong_flow": 3.0, "qishan_flow": 1.5, "erren_flow": 0.5}
    measured(kaohsiung, horizon, **dry)
    measured_dry_month(kaohsiung, horizon)
    _, _, answer = planned(kaohsiung, horizon)
    missing = {shortage.wish: shortage.share for shortage in answer.shortages if shortage.share > 1e-3}
    assert answer.is_accepted
    assert not [wish for wish in missing if wish.startswith("water.zone")]
    caogong = [missing[f"irrigation.{key}"] for key in ("caogong_new", "caogong_old", "daliao_canal", "linyuan_canal")]
    assert min(caogong) > 0.1 and max(caogong) - min(caogong) < 1e-3  # all laterals of a canal go short alike
    assert mean(answer.supplies["source.riverbed_old"]) / WAN_T_PER_DAY > 20  # more than the routine


def test_every_series_of_the_pack_can_be_expected(kaohsiung: City):
    parts = SECTOR.parts(kaohsiung, day("2026-11-23T08:00"), day("2026-11-23T08:00").start)
    of_water = Q(unit__in=["m3/s", "km3", "km3/h", "mm/d"])
    of_weather = Q(key__in=["temperature", "humidity", "wind", "radiation"])
    assert len(parts.forecasts) == Series.objects.filter(of_water | of_weather).count()
    assert parts.extra["policy"] == "law_order"
