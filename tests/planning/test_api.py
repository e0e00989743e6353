"""The JSON API of plans, as a script of the utility would use it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cities.models import City, Membership
from planning import lifecycle
from planning.horizons import next_quarter
from planning.models import Plan
from planning.run import run_here
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(city: City, client: Client) -> Client:
    return signed_in(client, city, Membership.Role.ENGINEER)


def signed_in(client: Client, city: City, role: str) -> Client:
    user = User.objects.create_user(f"{role}-{city.key}", password="x")
    Membership.objects.create(user=user, city=city, role=role)
    client.force_login(user)
    return client


def plans_of(city: City) -> str:
    return f"/api/v1/cities/{city.key}/plans/"


def test_asking_for_a_plan_answers_202_and_where_to_poll(engineer: Client, city: City) -> None:
    answer = engineer.post(plans_of(city), {"reason": "storm"}, content_type="application/json")
    assert answer.status_code == 202
    assert answer["Retry-After"] == "2"
    again = engineer.get(answer["Location"])
    assert again.json()["state"] == "requested"
    assert again.json()["reason"] == "storm"


def test_every_bad_field_is_named_at_once_and_nothing_is_made(engineer: Client, city: City) -> None:
    body = {"start": "2020-01-01T00:00:00+08:00", "publish": "perhaps", "colour": "blue"}
    answer = engineer.post(plans_of(city), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert {error["place"] for error in answer.json()["errors"]} == {"start", "publish", "colour"}
    assert not Plan.objects.exists()


@pytest.mark.parametrize("body", ["[]", "3", "{", '"x"', "null"])
def test_a_body_that_is_no_object_is_a_problem_not_a_crash(engineer: Client, city: City, body: str) -> None:
    answer = engineer.post(plans_of(city), body, content_type="application/json")
    assert answer.status_code == 400
    assert not Plan.objects.exists()


def test_a_plan_can_be_read_approved_and_published(engineer: Client, city: City, toy_sector: Behaviour) -> None:
    plan = run_here(lifecycle.request(city))
    place = f"{plans_of(city)}{plan.uid}/"
    assert engineer.get(place + "result/").json()["headgate"] == 1
    assert engineer.get(place + "shortages/").json()["shortages"] == []
    assert engineer.get(place + "summary/").json()["tables"][2]["title"] == "Toy"
    assert engineer.post(place + "approve/").json()["state"] == "approved"
    assert engineer.post(place + "publish/").json()["state"] == "published"
    assert engineer.get(plans_of(city) + "in-force/").json()["plan"]["uid"] == str(plan.uid)


def test_a_step_that_the_state_does_not_allow_is_a_conflict(
    engineer: Client, city: City, toy_sector: Behaviour
) -> None:
    plan = run_here(lifecycle.request(city))
    answer = engineer.post(f"{plans_of(city)}{plan.uid}/publish/")
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"


def test_an_unsolved_plan_has_no_result_yet(engineer: Client, city: City) -> None:
    plan = lifecycle.request(city)
    assert engineer.get(f"{plans_of(city)}{plan.uid}/result/").status_code == 409


def test_plans_are_filtered_by_state_and_a_wrong_state_is_named(engineer: Client, city: City) -> None:
    lifecycle.request(city)
    assert engineer.get(plans_of(city), {"state": "requested"}).json()["count"] == 1
    assert engineer.get(plans_of(city), {"state": "failed"}).json()["count"] == 0
    assert engineer.get(plans_of(city), {"state": "lost"}).status_code == 400


def test_a_start_far_ahead_is_refused(engineer: Client, city: City) -> None:
    far = (timezone.now() + timedelta(days=60)).isoformat()
    answer = engineer.post(plans_of(city), {"start": far}, content_type="application/json")
    assert answer.status_code == 400


def test_a_start_off_the_quarter_hour_is_refused_as_by_the_command(engineer: Client, city: City) -> None:
    quarter = next_quarter(timezone.now())
    for start, status in [(quarter + timedelta(minutes=7), 400), (quarter, 202)]:
        answer = engineer.post(plans_of(city), {"start": start.isoformat()}, content_type="application/json")
        assert answer.status_code == status, start


def test_people_of_another_city_see_nothing(client: Client, city: City) -> None:
    other = City.objects.create(key="elsewhere", name="Elsewhere", latitude=0, longitude=0)
    plan = lifecycle.request(city)
    stranger = signed_in(client, other, Membership.Role.ENGINEER)
    for method, place in [
        (stranger.get, plans_of(city)),
        (stranger.post, plans_of(city)),
        (stranger.get, f"{plans_of(city)}{plan.uid}/"),
        (stranger.get, f"{plans_of(city)}in-force/"),
        (stranger.post, f"{plans_of(city)}{plan.uid}/cancel/"),
        (stranger.get, f"{plans_of(other)}{plan.uid}/"),
    ]:
        assert method(place).status_code == 404, place
    assert Plan.objects.count() == 1


@pytest.mark.parametrize(("role", "reading", "asking"), [("viewer", 200, 403), ("fab", 403, 403)])
def test_roles_limit_what_may_be_done(client: Client, city: City, role: str, reading: int, asking: int) -> None:
    person = signed_in(client, city, role)
    assert person.get(plans_of(city)).status_code == reading
    assert person.post(plans_of(city), {}, content_type="application/json").status_code == asking


def test_nobody_reads_without_signing_in(client: Client, city: City) -> None:
    assert client.get(plans_of(city)).status_code == 401


def test_the_schema_describes_every_address(client: Client) -> None:
    schema = client.get("/api/schema/", {"format": "json"}).json()
    assert "/api/v1/cities/{city_key}/plans/" in schema["paths"]
