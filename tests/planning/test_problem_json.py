"""Whatever goes wrong under /api/ is a problem that a machine can read."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from cities.models import City, Membership
from config.words import compile_all
from planning import lifecycle
from planning.models import Plan

PROBLEM = "application/problem+json"


@pytest.fixture
def engineer(city: City, client: Client) -> Client:
    user = User.objects.create_user("engineer", password="x")
    Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    client.force_login(user)
    return client


def plans_of(city: City) -> str:
    return f"/api/v1/cities/{city.key}/plans/"


def test_who_has_not_signed_in_is_challenged(client: Client, city: City) -> None:
    answer = client.get(plans_of(city))
    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM)
    assert answer["WWW-Authenticate"] == 'Session realm="headgate"'
    assert answer.json()["status"] == 401


def test_a_wrong_method_is_named_and_no_placeholder_is_left(engineer: Client, city: City) -> None:
    answer = engineer.put(plans_of(city))
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (405, PROBLEM)
    assert (body["title"], body["detail"]) == ("Method Not Allowed", 'Method "PUT" not allowed.')


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/cities/toytown/plans/x/y/z/", "/api/device/v1/plans", "/api/"]
)
def test_an_address_that_does_not_exist_is_a_problem(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
    assert answer.json()["code"] == "no-such-address"


def test_a_person_reads_a_problem_in_their_own_language(engineer: Client, city: City) -> None:
    compile_all(settings.BASE_DIR)
    chinese = {"Accept-Language": "zh-TW"}
    lost = engineer.get("/api/v1/nothing", headers=chinese)
    assert (lost.json()["code"], lost.json()["detail"]) == ("no-such-address", "此網址無任何內容。")
    asked = engineer.post(plans_of(city), {"colour": "red"}, content_type="application/json", headers=chinese)
    assert asked.json()["errors"] == [{"place": "colour", "expected": "無此欄位"}]
    assert engineer.get("/api/v1/nothing").json()["detail"] == "There is nothing at this address."


def test_a_page_that_does_not_exist_is_a_page(client: Client, db: None) -> None:
    answer = client.get("/nothing/")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (404, "text/html")


def test_a_forgotten_slash_is_still_forgiven(engineer: Client, city: City) -> None:
    assert engineer.get(plans_of(city).rstrip("/"), follow=True).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "many"), ("limit", "0"), ("limit", "-1"), ("limit", "1001"), ("offset", "x"), ("offset", "-1"),
     ("offset", "9" * 30)],
)  # fmt: skip
def test_a_page_that_cannot_be_read_is_refused_by_name(engineer: Client, city: City, name: str, value: str) -> None:
    answer = engineer.get(plans_of(city), {name: value})
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert [error["place"] for error in answer.json()["errors"]] == [name]


def test_pages_follow_one_another(engineer: Client, city: City) -> None:
    for _ in range(3):
        lifecycle.request(city)
    first = engineer.get(plans_of(city), {"limit": 2}).json()
    assert (first["count"], len(first["results"])) == (3, 2)
    assert len(engineer.get(first["next"]).json()["results"]) == 1


def test_a_fault_of_the_server_is_a_problem_too(city: City, engineer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("planning.api.in_force", broken)
    engineer.raise_request_exception = False
    answer = engineer.get(plans_of(city) + "in-force/")
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert "Zero" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v1/cities/toytown/plans/", "/api/device/v1/acks"])
def test_a_body_in_chunks_is_refused_and_not_taken_for_an_empty_one(
    live: str, transactional_db: None, path: str
) -> None:
    """A real server: Django itself would see a body of no length. All in one go, as it may close before it read all."""
    host = urlsplit(live).netloc
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    )
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.connect()
    connection.sock.sendall(head.encode() + b'a\r\n{"reason":\r\n8\r\n"storm"}\r\n0\r\n\r\n')
    answer = http.client.HTTPResponse(connection.sock, method="POST")
    answer.begin()
    assert (answer.status, answer.headers["Content-Type"]) == (411, PROBLEM)
    assert json.loads(answer.read())["code"] == "length-required"
    connection.close()
    assert not Plan.objects.exists()
