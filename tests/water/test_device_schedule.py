"""A controller polls, checks what it gets, and does the right thing when the answer is late, old or forged."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from planning import lifecycle
from tests.water.device_client import Device
from tests.water.fields import Fields, fields, key_of, published, quarter, runs_of
from water.devices import TooManyKeys, controller_of, issue_key
from water.models import Controller, ControllerSchedule

pytestmark = pytest.mark.django_db
PATH = "/api/device/v1/schedule"
DOC = Path(__file__).parents[2] / "docs" / "device-protocol.md"


def django_sends(
    method: str, path: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Mapping[str, str], bytes]:
    kind = headers.get("Content-Type", "application/json")
    response = Client().generic(method, path, body, content_type=kind, headers=dict(headers))
    return response.status_code, response.headers, response.content


def device(where: Fields, send: Any = django_sends) -> Device:
    (key,) = Client().get("/api/device/v1/keys").json()["keys"]
    return Device(where.controller.key, key_of(where), {key["kid"]: base64.b64decode(key["public"])}, send)


def get(token: str, **headers: str) -> Any:
    return Client().get(PATH, headers={"Authorization": f"Bearer {token}", **headers})


# --- polling -------------------------------------------------------------------------------------------------
def test_a_device_applies_a_signed_plan_and_then_hears_that_nothing_is_new(where: Fields) -> None:
    plan = published(where, ("upper", 1, 2), ("lower", 1.5, 3))
    box = device(where)
    assert box.poll(timezone.now()) == "applied"
    assert box.open_at(plan.start + timedelta(hours=1.75)) == ["upper", "lower"]
    assert box.open_at(plan.start + timedelta(hours=2.5)) == ["lower"]
    assert box.open_at(plan.start + timedelta(hours=3)) == []
    assert box.poll(timezone.now()) == "unchanged"


def test_the_answer_carries_what_the_protocol_promises(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    token = key_of(where)
    found, again = get(token), get(token, **{"If-None-Match": get(token)["ETag"]})
    row = ControllerSchedule.objects.get(current=True)
    assert (found.status_code, found.content) == (200, bytes(row.body))
    assert re.fullmatch(r'"r1-[0-9a-f]{12}"', found["ETag"])
    assert found["Content-Digest"].startswith("sha-256=:")
    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Schedule-Revision", "Schedule-Signature", "X-Poll-After", "Cache-Control"):
        assert found[name] == again[name]
    assert (found["Cache-Control"], found["X-Poll-After"]) == ("private, no-cache", "300")


def test_head_answers_as_get_does_but_without_the_document(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    token = key_of(where)
    whole = get(token)
    head = Client().head("/api/device/v1/schedule", headers={"Authorization": f"Bearer {token}"})
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Schedule-Revision", "Schedule-Signature", "X-Poll-After", "Content-Type"):
        assert head[name] == whole[name]
    assert head["Content-Length"] == str(len(whole.content))


def test_the_poll_interval_may_change_without_a_new_document(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    token = key_of(where)
    tag = get(token)["ETag"]
    Controller.objects.update(poll_seconds=60)
    answer = get(token, **{"If-None-Match": tag})
    assert (answer.status_code, answer["X-Poll-After"]) == (304, "60")


def test_a_new_plan_is_a_new_revision(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    box = device(where)
    box.poll(timezone.now())
    # It begins as before: a later hour may be tomorrow's, and a run of another day is another run.
    published(where, ("upper", 1, 3))
    assert box.poll(timezone.now()) == "applied"
    assert box.document is not None
    assert (box.document["revision"], box.document["supersedes"]) == (2, 1)
    (entry,) = box.document["entries"]
    assert entry["rev"] == 2


def test_a_cancelled_run_stays_listed_until_its_end_and_does_not_open(where: Fields) -> None:
    start = quarter()
    published(where, ("upper", 1, 2), ("lower", 1, 2), start=start)
    box = device(where)
    box.poll(timezone.now())
    published(where, ("upper", 1, 2), start=start)
    box.poll(timezone.now())
    assert box.document is not None
    assert {entry["actuator"]: entry["status"] for entry in box.document["entries"]} == {
        "upper": "scheduled",
        "lower": "cancelled",
    }
    assert len({entry["id"] for entry in box.document["entries"]}) == 2
    assert box.open_at(start + timedelta(hours=1.5)) == ["upper"]


def test_a_device_takes_the_next_schedule_after_an_older_backup_was_restored(where: Fields) -> None:
    for _ in range(3):
        published(where, ("upper", 1, 2))
    box = device(where)
    box.poll(timezone.now())
    ControllerSchedule.objects.filter(revision__gt=1).delete()  # what the backup does not know
    ControllerSchedule.objects.update(current=True)
    assert box.poll(timezone.now()) != "applied"  # it says what it has
    published(where, ("lower", 1, 2))
    assert box.poll(timezone.now()) == "applied"
    assert box.document is not None and box.document["revision"] == 4


def test_a_device_without_runs_is_told_to_be_idle(where: Fields) -> None:
    published(where)
    box = device(where)
    assert box.poll(timezone.now()) == "applied"
    assert box.document is not None
    assert (box.document["idle"], box.document["entries"]) == (True, [])


def test_a_withdrawn_plan_closes_what_had_not_ended(where: Fields) -> None:
    plan = published(where, ("upper", 1, 2))
    box = device(where)
    box.poll(timezone.now())
    lifecycle.withdraw(plan)
    assert box.poll(timezone.now()) == "applied"
    assert box.document is not None
    assert (box.document["idle"], [entry["status"] for entry in box.document["entries"]]) == (True, ["cancelled"])
    assert box.open_at(plan.start + timedelta(hours=1.5)) == []


def test_a_plan_that_begins_later_leaves_the_hours_before_as_they_were(where: Fields) -> None:
    before = published(where, ("upper", 0, 2), ("lower", 0.25, 1))
    # From hour 1.5 on the new plan rules: upper closes then, lower has run as planned before.
    published(where, ("lower", 1, 2), start=before.start + timedelta(hours=1.5))
    box = device(where)
    assert box.poll(timezone.now()) == "applied"
    hours = {hour: box.open_at(before.start + timedelta(hours=hour)) for hour in (0.1, 0.5, 1.25, 1.75, 2.75)}
    assert hours == {0.1: ["upper"], 0.5: ["upper", "lower"], 1.25: ["upper"], 1.75: [], 2.75: ["lower"]}


def test_a_watchdog_limit_is_never_shorter_than_a_run(where: Fields) -> None:
    published(where, ("upper", 1, 5.5))
    document = json.loads(bytes(ControllerSchedule.objects.get().body))
    assert document["limits"] == {"max_run_s": 300 * 60, "max_concurrent": 2}
    where.upper.max_run_minutes = None
    where.upper.save()
    published(where, ("upper", 1, 18))
    document = json.loads(bytes(ControllerSchedule.objects.get(current=True).body))
    assert document["entries"][0]["duration_s"] == 17 * 3600 <= document["limits"]["max_run_s"]


# --- what a device must not believe --------------------------------------------------------------------------
def test_a_device_refuses_a_changed_body_an_old_revision_and_a_foreign_document(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    box = device(where)
    old = django_sends("GET", PATH, {"Authorization": f"Bearer {box.token}"}, b"")
    published(where, ("upper", 4, 5))
    box.poll(timezone.now())
    kept = box.document

    box.send = lambda *_: old
    assert box.poll(timezone.now()) == "kept: rollback"
    status, headers, body = old
    box.send = lambda *_: (status, headers, body.replace(b'"revision":1', b'"revision":9'))
    assert box.poll(timezone.now()) == "kept: bad signature"
    other = device(where)
    other.key = "another-box"
    assert other.poll(timezone.now()) == "kept: not for this device"
    assert other.document is None
    assert box.document == kept


def test_a_device_keeps_its_plan_while_the_server_is_away_and_closes_at_its_end(where: Fields) -> None:
    plan = published(where, ("upper", 1, 2))
    box = device(where)
    box.poll(timezone.now())
    box.send = lambda *_: (503, {}, b"")
    assert box.poll(timezone.now()) == "kept: 503"
    assert box.open_at(plan.start + timedelta(hours=1.5)) == ["upper"]
    assert box.open_at(plan.valid_until) == []


# --- who is let in -------------------------------------------------------------------------------------------
def test_strangers_get_one_and_the_same_answer(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    token = key_of(where)
    good_prefix = token.split(".")[0]
    revoked = issue_key(where.controller)
    where.controller.keys.filter(prefix=revoked.split(".")[0]).update(revoked_at=timezone.now())
    tries = ["", "Basic abc", "Bearer", "Bearer x.y", f"Bearer {good_prefix}.{'A' * 43}", f"Bearer {revoked}", token]
    answers = [Client().get(PATH, headers={"Authorization": value} if value else {}) for value in tries]
    answers.append(Client().post(PATH, headers={"Authorization": "Bearer x.y"}))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0]["Content-Type"] == "application/problem+json"
    assert get(token).status_code == 200


def test_each_device_sees_its_own_document_only(where: Fields) -> None:
    other = fields("other")
    published(where, ("upper", 1, 2))
    published(other, ("lower", 3, 4))
    seen = [get(key_of(place)).json()["controller"] for place in (where, other)]
    assert seen == ["small-box", "other-box"]


def test_two_keys_live_at_once_for_rotation_and_no_more(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    first, second = key_of(where), key_of(where)
    assert [get(token).status_code for token in (first, second)] == [200, 200]
    with pytest.raises(TooManyKeys):
        key_of(where)
    where.controller.keys.filter(prefix=first.split(".")[0]).update(revoked_at=timezone.now())
    assert [get(token).status_code for token in (first, second)] == [404, 200]
    assert where.controller.keys.get(revoked_at=None).secret_sha256 not in second
    assert controller_of(f"bearer {second}") == where.controller


def test_a_device_before_the_first_plan_is_asked_to_come_again(where: Fields) -> None:
    answer = get(key_of(where))
    assert (answer.status_code, answer.json()["code"], answer["X-Poll-After"]) == (404, "no-schedule", "300")


# --- the read path -------------------------------------------------------------------------------------------
def test_a_poll_needs_the_database_alone(where: Fields, monkeypatch: Any, django_assert_max_num_queries: Any) -> None:
    published(where, ("upper", 1, 2))
    token = key_of(where)

    def unreachable(*_: object) -> None:
        raise ConnectionRefusedError("the broker is away, and so is everything else")

    # PostgreSQL's own library does not connect through Python's sockets; Redis and the broker would.
    monkeypatch.setattr(socket.socket, "connect", unreachable)
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1")
    with django_assert_max_num_queries(3):
        assert get(token, **{"Applied-Revision": "1"}).status_code == 200
    with django_assert_max_num_queries(2):  # seen a moment ago: nothing to write
        assert get(token, **{"Applied-Revision": "1"}).status_code == 200


def test_a_poll_tells_when_the_device_was_seen_and_what_it_runs(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    token = key_of(where)
    get(token)
    where.controller.refresh_from_db()
    assert where.controller.applied_revision is None
    get(token, **{"Applied-Revision": "1"})
    where.controller.refresh_from_db()
    assert where.controller.applied_revision == 1
    assert where.controller.last_seen_at is not None
    get(token, **{"Applied-Revision": "99999999999"})  # nonsense changes nothing
    where.controller.refresh_from_db()
    assert where.controller.applied_revision == 1


# --- the page ------------------------------------------------------------------------------------------------
def test_the_example_of_the_page_is_a_real_document(where: Fields) -> None:
    plan = published(where, ("upper", 1, 2))
    lifecycle.withdraw(plan)
    published(where, ("lower", 1, 2))
    real = json.loads(bytes(ControllerSchedule.objects.get(current=True).body))
    (example,) = [
        json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOC.read_text(), re.S) if "schema" in text
    ]
    assert _shape(example) == _shape(real)
    assert {entry["status"] for entry in example["entries"]} == {entry["status"] for entry in real["entries"]}
    assert len(runs_of(plan)) == 1


def _shape(value: Any) -> Any:
    """Names and types without the values; of a list, the shape that all its items share."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        shapes = [_shape(inner) for inner in value]
        assert all(shape == shapes[0] for shape in shapes)
        return shapes[:1]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
