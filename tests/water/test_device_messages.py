"""What controllers report is kept once, item by item; bad input costs nothing good."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db.models import F
from django.test import Client
from django.utils import timezone

from config.words import compile_all
from tests.water.fields import Fields, fields, key_of, published, runs_of
from water.messages import run_statuses
from water.models import DeviceMessage, ValveRun

pytestmark = pytest.mark.django_db
NOW = timezone.now().isoformat()


@pytest.fixture
def run(where: Fields) -> ValveRun:
    """A run that began some 40 minutes ago."""
    (found,) = runs_of(published(where, ("upper", 1, 2)))
    ValveRun.objects.update(start=F("start") - timedelta(hours=2), end=F("end") - timedelta(hours=1))
    found.refresh_from_db()
    return found


@pytest.fixture
def token(where: Fields) -> str:
    return key_of(where)


def post(token: str, kind: str, body: object, language: str = "en") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
    return Client().post(f"/api/device/v1/{kind}", raw, content_type="application/json", headers=headers)


def ack(seq: int, run: ValveRun, status: str, **more: object) -> dict[str, object]:
    return {"seq": seq, "at": NOW, "entry": str(run.uid), "status": status, **more}


def results(response: Any) -> list[str]:
    assert response.status_code == 200
    return [item["result"] for item in response.json()["results"]]


def test_a_replay_answers_duplicate_and_changes_nothing(run: ValveRun, token: str) -> None:
    batch = {"acks": [ack(1, run, "received"), ack(2, run, "started")]}
    assert results(post(token, "acks", batch)) == ["accepted", "accepted"]
    assert results(post(token, "acks", batch)) == ["duplicate", "duplicate"]
    assert results(post(token, "acks", {"acks": [ack(2, run, "started"), ack(3, run, "completed")] * 2})) == [
        "duplicate",
        "accepted",
        "duplicate",
        "duplicate",
    ]
    assert DeviceMessage.objects.count() == 3


def test_a_bad_item_is_refused_with_every_reason_and_costs_no_good_one(run: ValveRun, token: str) -> None:
    bad = {"seq": -1, "at": "yesterday", "entry": "x", "status": "exploded", "colour": "red"}
    answer = post(token, "acks", {"acks": [bad, ack(5, run, "started"), "not even an object", {"seq": "6"}]})
    assert results(answer) == ["refused", "accepted", "refused", "refused"]
    first, _, third, fourth = answer.json()["results"]
    assert {problem["place"] for problem in first["problems"]} == {"seq", "at", "entry", "status", "colour"}
    assert all(problem["expected"] for problem in first["problems"])
    assert third["problems"][0]["place"] == "item"
    assert {problem["place"] for problem in fourth["problems"]} == {"seq", "at", "entry", "status"}
    assert {"place": "status", "value": None, "expected": "a value"} in fourth["problems"]


def test_a_refused_value_is_shown_as_json_writes_it(run: ValveRun, token: str) -> None:
    answer = post(token, "acks", {"acks": [{**ack(1, run, "started"), "reason": {"why": None, "really": True}}]})
    (problem,) = answer.json()["results"][0]["problems"]
    assert problem["value"] == '{"why": null, "really": true}'


def test_a_run_of_another_controller_cannot_be_acknowledged(run: ValveRun) -> None:
    stranger = key_of(fields("other"))
    answer = post(
        stranger, "acks", {"acks": [ack(1, run, "completed"), {**ack(2, run, "started"), "entry": str(uuid4())}]}
    )
    assert results(answer) == ["refused", "refused"]
    assert DeviceMessage.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "reached"),
    [
        ([], ""),
        (["received"], "received"),
        (["completed", "started", "received"], "completed"),
        (["received", "aborted_fault", "started"], "aborted_fault"),
        (["partial", "aborted_operator"], "partial"),
        (["rejected_limit", "received"], "rejected_limit"),
    ],
)
def test_the_farthest_word_on_a_run_counts_in_whatever_order_it_came(
    run: ValveRun, token: str, said: list[str], reached: str
) -> None:
    for seq, status in enumerate(said):
        post(token, "acks", {"acks": [ack(seq, run, status)]})
    assert run_statuses([run.uid]).get(run.uid, "") == reached


def minutes_from(run: ValveRun, minutes: float) -> str:
    return (run.start + timedelta(minutes=minutes)).isoformat()


def test_what_cannot_have_happened_yet_is_refused(run: ValveRun, token: str) -> None:
    ahead, soon = ((timezone.now() + timedelta(minutes=minutes)).isoformat() for minutes in (12, 8))
    batch = [
        {**ack(1, run, "started"), "at": ahead},
        {**ack(2, run, "started"), "at": soon},  # a clock may be wrong by ten minutes
        {**ack(3, run, "completed"), "at": minutes_from(run, -35)},
        {**ack(4, run, "completed"), "at": minutes_from(run, -5)},
        {**ack(5, run, "received"), "at": minutes_from(run, -35)},
    ]
    answer = post(token, "acks", {"acks": batch})
    assert results(answer) == ["refused", "accepted", "refused", "accepted", "accepted"]
    assert [answer.json()["results"][k]["problems"][0]["place"] for k in (0, 2)] == ["at", "at"]


def test_a_run_done_by_the_old_plan_may_be_reported_after_a_new_one_moved_it(run: ValveRun, token: str) -> None:
    later = run.start + timedelta(hours=5)
    ValveRun.objects.create(
        uid=run.uid, rev=2, plan=run.plan, turnout=run.turnout, start=later, end=later, volume_m3=1, status="scheduled"
    )
    assert results(post(token, "acks", {"acks": [ack(1, run, "completed")]})) == ["accepted"]


def test_a_measurement_of_nothing_or_of_an_unknown_actuator_is_refused(run: ValveRun, token: str) -> None:
    unknown = {"seq": 1, "at": NOW, "actuator": "nobody's", "flow_m3s": 0.1}
    answer = post(token, "telemetry", {"telemetry": [unknown, {"seq": 2, "at": NOW}]})
    assert results(answer) == ["refused", "refused"]
    assert [item["problems"][0]["place"] for item in answer.json()["results"]] == ["actuator", "item"]


def test_a_person_reads_what_was_expected_in_their_own_language(run: ValveRun, token: str) -> None:
    compile_all(django_settings.BASE_DIR)
    bad = {"seq": 1, "at": "yesterday", "entry": str(run.uid), "status": "started", "volume_m3": -3, "colour": "red"}
    answer = post(token, "acks", {"acks": [bad]}, "zh-TW")
    assert {problem["place"]: problem["expected"] for problem in answer.json()["results"][0]["problems"]} == {
        "at": "ISO 8601 時間",
        "volume_m3": "大於或等於 0",
        "colour": "無此欄位",
    }
    assert post(token, "acks", {}, "zh-TW").json()["detail"].startswith("應為 {")
    assert post(token, "acks", {}).json()["detail"].startswith("Expected {")


def test_a_wrong_method_is_told_all_that_would_do(token: str) -> None:
    answer = post(token, "schedule", {})
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert "GET, HEAD" in answer.json()["detail"]


def test_measurements_and_greetings_are_kept_with_numbers_of_their_own(run: ValveRun, token: str) -> None:
    flow = {"seq": 1, "at": NOW, "actuator": "upper", "flow_m3s": 0.19}
    hello = {
        "seq": 1,
        "at": NOW,
        "firmware": "1.2",
        "capabilities": ["valve"],
        "clock_offset_s": -3,
        "boot_reason": "power",
    }
    assert results(post(token, "telemetry", {"telemetry": [flow]})) == ["accepted"]
    assert results(post(token, "hello", {"hello": [hello]})) == ["accepted"]
    assert DeviceMessage.objects.get(kind="telemetry").data == {"actuator": "upper", "flow_m3s": 0.19}


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "\x00"},
        {"reason": "x" * 301},
        {"volume_m3": -1},
        {"volume_m3": "12"},
        {"at": "2026-11-20T06:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"seq": True},
        {"seq": 2**63},
        {"entry_rev": 1.5},
    ],
)
def test_values_that_no_database_should_hold_are_refused(run: ValveRun, token: str, change: dict[str, Any]) -> None:
    answer = post(token, "acks", {"acks": [{**ack(1, run, "started"), **change}]})
    assert results(answer) == ["refused"]
    assert [problem["place"] for problem in answer.json()["results"][0]["problems"]] == list(change)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not-json"),
        (b"{", 400, "not-json"),
        (b"\xff\xfe\xfd", 400, "not-json"),
        (b"[" * 100_000, 400, "not-json"),
        ([], 400, "bad-batch"),
        ({"acks": []}, 400, "bad-batch"),
        ({"acks": [{}] * 201}, 400, "bad-batch"),
        ({"acks": [{}], "more": 1}, 400, "bad-batch"),
        ({"telemetry": [{}]}, 400, "bad-batch"),
        (b" " * 262_145, 413, "too-large"),
    ],
)
def test_a_body_that_is_no_batch_is_a_problem(where: Fields, token: str, body: object, status: int, code: str) -> None:
    answer = post(token, "acks", body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code


@pytest.mark.parametrize("number", [b"1e999", b"NaN", b"Infinity"])
def test_what_is_no_number_is_refused_in_words_that_json_has(run: ValveRun, token: str, number: bytes) -> None:
    body = (
        json.dumps({"acks": [ack(1, run, "started")]})
        .encode()
        .replace(b'"started"', b'"started","volume_m3":' + number)
    )
    answer = post(token, "acks", body)
    assert results(answer) == ["refused"]
    json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("at", [1795000000, 1795000000000, "1795000000", 12.5, None, True])
def test_a_time_is_written_out_for_a_number_could_mean_any(run: ValveRun, token: str, at: object) -> None:
    (answer,) = post(token, "acks", {"acks": [{**ack(1, run, "started"), "at": at}]}).json()["results"]
    assert answer["result"] == "refused"
    assert answer["problems"][0]["place"] == "at"
    assert answer["problems"][0]["expected"] == "a time in ISO 8601"


def test_only_a_greeting_may_come_from_a_clock_that_is_ahead(run: ValveRun, token: str) -> None:
    """A device whose clock is wrong must be able to say so; what it measured then has no time."""
    at = (timezone.now() + timedelta(days=300)).isoformat()
    assert results(post(token, "telemetry", {"telemetry": [{"seq": 1, "at": at, "level_m": 0.4}]})) == ["refused"]
    greeting = {"seq": 1, "at": at, "clock_offset_s": 25_920_000.0}
    assert results(post(token, "hello", {"hello": [greeting]})) == ["accepted"]


def test_who_may_read_the_keys_may_not_write_them_and_is_told_so_as_a_device(where: Fields) -> None:
    """A device has no token against forged forms: it shall read what is wrong, and no page of HTML."""
    answer = Client(enforce_csrf_checks=True).post("/api/device/v1/keys")
    assert (answer.status_code, answer.json()["code"]) == (405, "wrong-method")


def test_a_wrong_method_is_a_problem_for_devices_and_nothing_at_all_for_strangers(where: Fields, token: str) -> None:
    path = "/api/device/v1/acks"
    known = Client().get(path, headers={"Authorization": f"Bearer {token}"})
    assert (known.status_code, known["Allow"], known.json()["code"]) == (405, "POST", "wrong-method")
    assert Client().get(path).status_code == 404
    assert Client().head("/api/device/v1/keys").status_code == 200
    assert Client().post("/api/device/v1/keys")["Content-Type"] == "application/problem+json"
