"""A fab water manager reads where the water comes from, how safe it is and what it costs. All figures fit in a head."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cities.models import City, Membership
from forecasting.models import Forecast, Series
from planning import lifecycle
from planning.models import Plan
from water import fab
from water.kernel.policy import Light
from water.models import WaterBus, WaterUser

pytestmark = pytest.mark.django_db
HOURS = 24


def label(en: str, role: str, asset: str = "") -> dict[str, str]:
    return {"en": en, "zh": "", "role": role, "asset": asset}


LABELS = {
    "river.r": label("River", "river", "r"),
    "source.reclaimed": label("=Reclaimed", "source", "reclaimed"),
    "intake.i": label("Intake", "intake", "i"),
    "conduit.reclaimed": label("Pipe", "conduit"),
    "service.fab": label("Main", "conduit"),
    "tank.fab": label("Tanks", "tank", "fab"),
    "water.fab": label("Fab", "fab", "fab"),
    "purchase.twc": label("Power", "purchase", "twc"),
}


def case(start: Any) -> dict[str, Any]:
    """3 an hour from a river by pumps of 0.5 kWh/m³, 1 reclaimed at 20 a m³; a tank of 10 that holds 8."""
    return {
        "headgate": 1,
        "horizon": {"start": start.isoformat(), "steps": [{"count": HOURS, "hours": 1.0}]},
        "buses": {
            **{name: {"commodity": "water"} for name in ("riverside", "works", "inlet", "fab.site")},
            "twc": {"commodity": "power"},
        },
        "supplies": {
            "river.r": {"bus": "riverside", "max": 9.0},
            "source.reclaimed": {"bus": "works", "max": 1.0, "cost": 20_000.0},
            "purchase.twc": {"bus": "twc", "max": 50.0, "cost": 4000.0},
        },
        "demands": {"water.fab": {"bus": "fab.site", "amount": 4.0, "tier": 4}},
        "stores": {"tank.fab": {"bus": "fab.site", "capacity": 10.0, "initial": 8.0}},
        "links": {
            "intake.i": {"from": "riverside", "to": {"inlet": 1.0}, "max": 5.0, "uses": {"twc": 0.5}},
            "conduit.reclaimed": {"from": "works", "to": {"inlet": 1.0}, "max": 1.0},
            "service.fab": {"from": "inlet", "to": {"fab.site": 1.0}, "max": 8.0},
        },
    }


def result(short: dict[int, float] | None = None) -> dict[str, Any]:
    missing = [(short or {}).get(hour, 0.0) for hour in range(HOURS)]
    served = [4.0 - amount for amount in missing]
    river = [amount - 1.0 for amount in served]
    return {
        "supplies": {"river.r": river, "source.reclaimed": [1.0] * HOURS, "purchase.twc": [1.5] * HOURS},
        "demands": {"water.fab": {"served": served, "short": missing}},
        "stores": {"tank.fab": {"level": [8.0] * HOURS}},
        "links": {"intake.i": river, "conduit.reclaimed": [1.0] * HOURS, "service.fab": served},
        "shortages": [],
    }


@pytest.fixture
def user(settings: Any) -> WaterUser:
    settings.HEADGATE_SECTORS = []
    city = City.objects.create(key="town", name="Town", time_zone="Asia/Taipei", latitude=22.6, longitude=120.3)
    inlet = WaterBus.objects.create(city=city, key="inlet", name="Inlet", kind="clean")
    demand = Series.objects.create(city=city, key="fab", name="fab", unit="km3/h")
    made = {"bus": inlet, "demand": demand, "user_class": "industry", "penalty_per_m3": 100, "tank_km3": 10}
    WaterUser.objects.create(city=city, key="other", name="Other", kind="industry", **made)
    return WaterUser.objects.create(city=city, key="fab", name="The fab", name_zh="晶圓廠", kind="fab", **made)


def plan(
    user: WaterUser, short: dict[int, float] | None = None, forecasts: list[int] | None = None, **more: Any
) -> Plan:
    start = lifecycle.next_quarter(timezone.now())
    snapshot = {
        "case": case(start),
        "labels": LABELS,
        "forecasts": forecasts or [],
        "notes": [],
        "extra": {"energy": {"carbon_kg_per_kwh": {"purchase.twc": 0.5}}},
    }
    return Plan.objects.create(
        city=user.city,
        state=Plan.State.PUBLISHED,
        start=start,
        horizon=[[HOURS, 1.0]],
        valid_until=start + timedelta(hours=HOURS),
        published_at=timezone.now(),
        snapshot=snapshot,
        result=result(short),
        **more,
    )


def made(user: WaterUser) -> fab.Report:
    found = fab.report(WaterUser.objects.select_related("city", "bus").get(pk=user.pk))
    assert found is not None
    return found


# --- the figures ---------------------------------------------------------------------------------------------
def test_the_supply_is_traced_to_its_sources(user: WaterUser) -> None:
    plan(user)
    found = made(user)
    assert [(source.label, source.volume_km3, source.share) for source in found.sources] == [
        ("River", pytest.approx(72), pytest.approx(0.75)),
        ("=Reclaimed", pytest.approx(24), pytest.approx(0.25)),
    ]
    assert sum(source.volume_km3 for source in found.sources) == pytest.approx(found.served_km3)


def test_money_energy_and_carbon_are_those_of_the_way(user: WaterUser) -> None:
    plan(user)
    found = made(user)
    # three quarters pumped with 0.5 kWh/m³ at NT$4/kWh, one quarter bought at NT$20/m³
    assert found.money_per_m3 == pytest.approx(0.75 * 0.5 * 4 + 0.25 * 20)
    assert found.kwh_per_m3 == pytest.approx(0.375)
    assert found.kg_per_m3 == pytest.approx(0.1875)


def test_the_tanks_last_as_long_as_the_demand_lets_them(user: WaterUser) -> None:
    plan(user)
    tank = made(user).tank
    assert tank is not None
    assert (tank.now_km3, tank.capacity_km3, tank.hours) == (8.0, 10.0, pytest.approx(2.0))


def test_headroom_is_what_the_mains_could_carry_more(user: WaterUser) -> None:
    plan(user)
    # the intake carries 3 of 5, the reclaimed pipe 1 of 1
    assert made(user).risk.headroom_km3_per_hour == pytest.approx(2.0)


def test_high_demand_is_set_against_headroom_and_tanks(user: WaterUser) -> None:
    row = Forecast.objects.create(
        series=user.demand,
        known_at=timezone.now(),
        start=lifecycle.next_quarter(timezone.now()),
        step_minutes=60,
        mean=[4.0] * HOURS,
        quantiles={"0.95": [6.5] * HOURS},
        method="test",
    )
    plan(user, forecasts=[row.pk])
    risk = made(user).risk
    # 2.5 an hour more; the mains have 2 to spare, so 0.5 × 24 = 12 are left for the tank, which holds 8
    assert risk.high_km3 == pytest.approx(60.0)
    assert risk.high_uncovered_km3 == pytest.approx(4.0)


def test_without_a_forecast_nothing_is_claimed_about_high_demand(user: WaterUser) -> None:
    plan(user)
    assert made(user).risk.high_km3 is None


def test_a_planned_shortage_brings_advice(user: WaterUser) -> None:
    made_plan = plan(user, short={10: 1.0, 11: 2.0})
    found = made(user)
    assert found.advice is not None
    # 3,000 m³ short from hour 10 on: the tank takes 2,000 more before, 1,000 m³ are 50 loads of 20 t at NT$6,000
    assert found.risk.short_from == made_plan.start + timedelta(hours=10)
    assert (found.advice.by, found.advice.fill_km3) == (found.risk.short_from, pytest.approx(2.0))
    assert (found.advice.trucks, found.advice.trucks_cost) == (50, pytest.approx(300_000))


def test_the_light_says_what_it_would_take(user: WaterUser) -> None:
    plan(user, short={10: 4.0, 11: 4.0})
    found = made(user)
    # 8 of 96 short is 8 %: orange, which takes 7 % from large industry
    assert found.outlook.light == Light.ORANGE
    assert found.cut.share == pytest.approx(0.07)
    assert found.cut_m3_per_day == pytest.approx(0.07 * 96_000)


# --- the page and the workbook -------------------------------------------------------------------------------
def member(city: City, role: str, *assets: str) -> Client:
    person = User.objects.create_user(f"{role}-{city.key}-{len(assets)}")
    Membership.objects.create(user=person, city=city, role=role, asset_keys=list(assets))
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person)
    return client


def test_the_page_tells_what_matters_first(user: WaterUser) -> None:
    plan(user, short={10: 1.0}, synthetic=True)
    page = member(user.city, "fab", "fab").get("/reports/town/fab/fab/").content.decode()
    assert "1,000 m³" in page
    assert "Synthetic demo data" in page
    assert page.index("What to do") < page.index("Supply by source")
    assert page.count("<svg") == 2
    assert "proportional mixing" in page


def test_the_page_says_that_an_older_plan_stands_in(user: WaterUser) -> None:
    plan(user)
    lifecycle.fail(lifecycle.request(user.city), "no storage is known")
    assert (
        "The previous plan stays in force" in member(user.city, "viewer").get("/reports/town/fab/fab/").content.decode()
    )


def test_without_a_plan_the_page_says_so_and_there_is_no_workbook(user: WaterUser) -> None:
    client = member(user.city, "engineer")
    assert "No plan is in force." in client.get("/reports/town/fab/fab/").content.decode()
    assert client.get("/reports/town/fab/fab.xlsx").status_code == 404


def test_the_workbook_has_every_step_and_no_formulas(user: WaterUser) -> None:
    plan(user)
    response = member(user.city, "fab", "fab").get("/reports/town/fab/fab.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    assert book.sheetnames == [
        "About", "Supply by source", "Safety, light and cost", "The first day by hour", "How to read this",
        "Week by step",
    ]  # fmt: skip
    rows = list(book["Week by step"].iter_rows(values_only=True))
    assert len(rows) == 1 + HOURS
    assert rows[0][2:] == ("served, m³", "River, m³", "'=Reclaimed, m³", "own tanks at the end, m³")
    assert rows[1][2:] == pytest.approx((4000, 3000, 1000, 8000))
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
    assert 'attachment; filename="headgate-town-fab-fab-' in response["Content-Disposition"]


def test_a_user_who_wants_no_water_gets_a_report_in_every_format(user: WaterUser) -> None:
    found = plan(user)
    for part in ("supplies", "links"):
        found.result[part] = {name: [0.0] * HOURS for name in found.result[part]}
    found.result["demands"]["water.fab"] = {"served": [0.0] * HOURS, "short": [0.0] * HOURS}
    found.save()
    manager = member(user.city, "fab", "fab")
    page = manager.get("/reports/town/fab/fab/").content.decode()
    assert "8,000 m³ of 10,000 m³, and no demand is expected" in page  # 8 / 0 hours
    cells = [*_cells(manager.get("/reports/town/fab/fab.xlsx").content)]
    assert cells.count("no demand") == 3  # the card, the tanks' days and the city's
    assert not [cell for cell in cells if "∞" in str(cell) or "inf" in str(cell).split()]
    assert manager.get("/reports/town/fab/fab.pdf").status_code == 200


def _cells(book: bytes) -> Iterator[object]:
    for sheet in openpyxl.load_workbook(io.BytesIO(book)):
        for row in sheet.iter_rows(values_only=True):
            yield from row


def test_who_may_read_what(user: WaterUser) -> None:
    plan(user)
    own, every = {"fab": 200, "other": 404}, {"fab": 200, "other": 200}
    elsewhere = City.objects.create(key="elsewhere", name="E", time_zone="UTC", latitude=0, longitude=0)
    people = {
        "fab": (member(user.city, "fab", "fab"), own),
        "engineer": (member(user.city, "engineer"), every),
        "viewer": (member(user.city, "viewer"), every),
        "stranger": (member(elsewhere, "engineer"), {"fab": 404, "other": 404}),
    }
    for who, (client, allowed) in people.items():
        for key, status in allowed.items():
            assert client.get(f"/reports/town/fab/{key}/").status_code == status, who
    for path in ("/reports/town/", "/reports/town/fab/fab/", "/reports/town/fab/fab.xlsx", "/reports/town/fab/fab.pdf"):
        anonymous = Client().get(path)
        assert (anonymous.status_code, anonymous["Location"].split("?")[0]) == (302, "/admin/login/")


def test_the_index_lists_what_the_reader_may_see(user: WaterUser, settings: Any) -> None:
    settings.HEADGATE_SECTORS = ["water.network.SECTOR"]
    plan(user)
    own = member(user.city, "fab", "fab").get("/reports/town/").content.decode()
    every = member(user.city, "engineer").get("/reports/town/").content.decode()
    assert ("The fab" in own, "Other" in own) == (True, False)
    assert ("The fab" in every, "Other" in every) == (True, True)


def test_the_report_speaks_traditional_chinese(user: WaterUser) -> None:
    plan(user)
    page = (
        member(user.city, "viewer").get("/reports/town/fab/fab/", headers={"Accept-Language": "zh-TW"}).content.decode()
    )
    assert 'lang="zh-hant"' in page
    assert "晶圓廠" in page
