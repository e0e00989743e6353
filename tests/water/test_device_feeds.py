"""Controllers feed series with what they measure, and none calls so often that others wait."""

from __future__ import annotations

import http.client
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from forecasting.models import Observation, Series
from planning import lifecycle
from tests.water.fields import Fields, fields, key_of, published
from tests.water.test_watch import engineer_of
from water.models import CropBlock, DeviceFeed, DeviceMessage, FieldState
from water.rates import MOST

pytestmark = pytest.mark.django_db


@pytest.fixture
def level(where: Fields) -> Series:
    """A gauge that the controller may feed, read every quarter of an hour."""
    series = Series.objects.create(
        city=where.city, key="level", name="Level", unit="m3/s", step_minutes=15, minimum=0, maximum=5
    )
    DeviceFeed.objects.create(controller=where.controller, series=series)
    return series


def quarter_hours_ago(count: int) -> str:
    return (lifecycle.next_quarter(timezone.now()) - timedelta(minutes=15 * count)).isoformat()


def item(seq: int, value: Any = 1.5, series: str = "level", ago: int = 2) -> dict[str, Any]:
    return {"seq": seq, "at": quarter_hours_ago(ago), "series": series, "value": value}


def post(token: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    body = json.dumps({"telemetry": items}).encode()
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().post("/api/device/v1/telemetry", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_a_measurement_becomes_an_observation_recorded_when_it_arrived(where: Fields, level: Series) -> None:
    before = timezone.now()
    found = post(key_of(where), item(1, 1.5, ago=3), item(2, 1.7, ago=2))
    assert [answer["result"] for answer in found] == ["accepted", "accepted"]
    first, second = Observation.objects.filter(series=level).order_by("valid_at")
    assert (first.value, second.value, first.synthetic) == (1.5, 1.7, False)
    assert before <= first.recorded_at <= timezone.now()
    assert first.valid_at.isoformat() == quarter_hours_ago(3)
    assert DeviceMessage.objects.get(seq=1).data == {"series": "level", "value": 1.5, "actuator": ""}


def test_a_replay_measures_nothing_twice_and_a_new_reading_is_a_revision(where: Fields, level: Series) -> None:
    token = key_of(where)
    post(token, item(1, 1.5))
    assert post(token, item(1, 1.5))[0]["result"] == "duplicate"
    assert post(token, item(2, 1.6))[0]["result"] == "accepted"
    assert [found.value for found in Observation.objects.order_by("recorded_at")] == [1.5, 1.6]


def test_bad_measurements_are_refused_one_by_one_and_cost_no_good_one(where: Fields, level: Series) -> None:
    Series.objects.create(city=where.city, key="foreign", name="Not fed by it", unit="m3/s")
    odd = (timezone.now() - timedelta(hours=1)).replace(minute=7, second=3).isoformat()
    found = post(
        key_of(where),
        item(1, 1.5),
        item(2, 9.0),  # the gauge ends at 5
        item(3, series="foreign"),
        item(4, series="no-such-series"),
        {**item(5), "value": None},
        {"seq": 6, "at": quarter_hours_ago(2), "value": 1.0},  # of what?
        {**item(7), "at": odd},
        item(8, ago=-8),  # two hours from now
        {"seq": 9, "at": quarter_hours_ago(2), "flow_m3s": 0.2},
    )
    assert [answer["result"] for answer in found] == ["accepted", *["refused"] * 7, "accepted"]
    places = [answer["problems"][0]["place"] for answer in found if answer["result"] == "refused"]
    assert places == ["value", "series", "series", "value", "series", "at", "at"]
    assert found[1]["problems"][0] == {"place": "value", "value": 9.0, "expected": "0 to 5 m³/s"}
    assert [row.value for row in Observation.objects.all()] == [1.5]
    assert sorted(DeviceMessage.objects.values_list("seq", flat=True)) == [1, 9]


def test_many_bad_measurements_cost_no_more_questions_than_one(
    where: Fields, level: Series, django_assert_max_num_queries: Any
) -> None:
    token = key_of(where)
    items = [item(seq, 9.0 if seq % 2 else 1.5, ago=seq + 2) for seq in range(20)]
    with django_assert_max_num_queries(30):
        found = post(token, *items)
    assert [answer["result"] for answer in found] == ["accepted", "refused"] * 10
    assert {answer["problems"][0]["value"] for answer in found if answer["result"] == "refused"} == {9.0}
    assert Observation.objects.count() == 10


def test_of_two_readings_of_one_time_the_later_counts_and_neither_is_refused(where: Fields, level: Series) -> None:
    found = post(key_of(where), item(1, 1.5), item(2, 1.6), item(3, 9.0))
    assert [answer["result"] for answer in found] == ["accepted", "accepted", "refused"]
    assert [row.value for row in Observation.objects.all()] == [1.6]


def test_a_controller_feeds_no_series_of_another_city(where: Fields) -> None:
    other = fields("other")
    foreign = Series.objects.create(city=other.city, key="level", name="Level", unit="m3/s")
    with pytest.raises(ValidationError, match="own city"):
        DeviceFeed(controller=where.controller, series=foreign).clean()


def test_an_engineer_says_which_series_a_controller_feeds(where: Fields, level: Series) -> None:
    page = engineer_of(where.city).get(f"/admin/water/controller/{where.controller.pk}/change/").content.decode()
    assert "Series fed by controllers" in page or "series fed by controllers" in page
    assert 'name="feeds-0-series"' in page


# --- how often -----------------------------------------------------------------------------------------------
def test_a_device_that_floods_is_told_when_to_come_again_and_still_gets_its_schedule(
    live: str, transactional_db: None
) -> None:
    """Over HTTP, counted in a real Valkey: two minutes' worth of calls at most, so three meet the limit."""
    where = fields()
    published(where, ("upper", 1, 2))
    headers = {"Authorization": f"Bearer {key_of(where)}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(live).netloc, timeout=30)

    def ask(method: str, path: str, body: bytes = b"") -> tuple[int, http.client.HTTPMessage]:
        connection.request(method, f"/api/device/v1/{path}", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers

    for _ in range(3 * MOST):
        status, answered = ask("POST", "telemetry", b"{}")
        if status == 429:
            break
    assert (status, answered["Content-Type"]) == (429, "application/problem+json")
    assert 1 <= int(answered["Retry-After"]) <= 60
    assert ask("GET", "schedule")[0] == 200
    connection.close()


# --- how the fields stand ------------------------------------------------------------------------------------
def test_the_states_of_fields_can_be_read_and_not_changed(where: Fields) -> None:
    guava = CropBlock.objects.create(city=where.city, key="g", name="G", turnout=where.upper, crop="guava", area_ha=1,
                                     planted="01-01")  # fmt: skip
    rice = CropBlock.objects.create(city=where.city, key="r", name="R", turnout=where.upper, crop="rice", area_ha=1,
                                    planted="01-28")  # fmt: skip
    today = timezone.now().date()
    FieldState.objects.create(block=guava, day=today, depletion_mm=12.34, applied_mm=5, source="modelled")
    FieldState.objects.create(block=rice, day=today, ponding_mm=-7.5, source="modelled")
    client = engineer_of(where.city)
    page = client.get("/admin/water/fieldstate/").content.decode()
    assert "12.3" in page and "7.5" in page
    assert client.get("/admin/water/fieldstate/add/").status_code == 403
    elsewhere = fields("other")
    for crop in ("taro", "banana"):
        CropBlock.objects.create(city=elsewhere.city, key=crop, name=crop, turnout=elsewhere.upper, crop=crop,
                                 area_ha=1, planted="01-01")  # fmt: skip
    page = client.get("/admin/water/fieldstate/?block__crop=guava").content.decode()
    assert "block__crop=rice" in page and "taro" not in page
    foreign = engineer_of(elsewhere.city).get("/admin/water/fieldstate/").content.decode()
    assert "12.3" not in foreign and "block__crop=taro" in foreign
