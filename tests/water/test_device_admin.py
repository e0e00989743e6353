"""Engineers hand out keys and links, see who is silent and what gates reported; nobody else does."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cities.models import City, Membership
from tests.water.fields import Fields, fields, key_of, published, runs_of
from water.devices import controller_of
from water.models import Controller, CropBlock, DeviceKey, DeviceMessage, FarmerLink, FieldState

pytestmark = pytest.mark.django_db


def member(city: City, role: str) -> Client:
    user = User.objects.create_user(f"{role}-{city.key}", is_staff=True)
    Membership.objects.create(user=user, city=city, role=role)
    client = Client()
    client.force_login(user)
    return client


def engineer(where: Fields) -> Client:
    return member(where.city, "engineer")


def keys_path(where: Fields) -> str:
    return f"/admin/water/controller/{where.controller.pk}/secret/"


def links_path(where: Fields) -> str:
    return f"/admin/water/turnout/{where.upper.pk}/secret/"


def shown(response: Any) -> str:
    (found,) = re.findall(r"<code[^>]*>(.*?)</code>", response.content.decode())
    return str(found)


def test_an_issued_key_is_shown_once_and_works(where: Fields) -> None:
    client = engineer(where)
    response = client.post(keys_path(where))
    assert "no-store" in response["Cache-Control"]
    token = shown(response)
    assert controller_of(f"Bearer {token}") == where.controller
    page = client.get(f"/admin/water/controller/{where.controller.pk}/change/").content.decode()
    assert DeviceKey.objects.get().prefix in page
    assert token not in page
    assert token.split(".")[1] not in page


def test_a_third_live_key_is_refused_and_a_revoked_one_ends_at_once(where: Fields) -> None:
    client = engineer(where)
    tokens = [shown(client.post(keys_path(where))) for _ in range(2)]
    assert "two live keys" in client.post(keys_path(where), follow=True).content.decode()
    first = DeviceKey.objects.earliest("pk")
    client.post(f"{keys_path(where)}{first.pk}/")
    assert [controller_of(f"Bearer {token}") for token in tokens] == [None, where.controller]
    assert client.post(f"{keys_path(where)}{first.pk}/").status_code == 404  # it is revoked already


def test_a_farmers_link_is_shown_once_and_opens_the_page_until_revoked(where: Fields) -> None:
    client = engineer(where)
    link = shown(client.post(links_path(where)))
    path = link.removeprefix("http://testserver")
    assert Client().get(path).status_code == 200
    client.post(f"{links_path(where)}{FarmerLink.objects.get().pk}/")
    assert Client().get(path).status_code == 404


def test_only_engineers_of_the_city_hand_out_secrets_and_only_by_post(where: Fields) -> None:
    other = fields("other")
    people = {
        "viewer": (member(where.city, "viewer"), 403),
        "stranger": (member(other.city, "engineer"), 404),
        "nobody": (Client(), 302),
        "fab": (member(where.city, "fab"), 404),
    }
    for path in (keys_path(where), links_path(where)):
        for who, (client, status) in people.items():
            assert client.post(path).status_code == status, who
    assert engineer(where).get(keys_path(where)).status_code == 405
    assert (DeviceKey.objects.count(), FarmerLink.objects.count()) == (0, 0)


def test_a_secret_of_another_asset_cannot_be_revoked_through_ones_own(where: Fields) -> None:
    other = fields("other")
    key_of(other)
    assert engineer(where).post(f"{keys_path(where)}{DeviceKey.objects.get().pk}/").status_code == 404
    assert DeviceKey.objects.get().revoked_at is None


def test_the_list_of_controllers_tells_who_is_silent_and_who_has_adopted(where: Fields) -> None:
    client = engineer(where)
    path = "/admin/water/controller/"
    assert "nothing published" in client.get(path).content.decode()
    published(where, ("upper", 1, 2))
    key_of(where)
    Controller.objects.update(last_seen_at=timezone.now() - timedelta(minutes=14), applied_revision=None)
    page = client.get(path).content.decode()
    assert "– / 1" in page
    assert "silent</strong>" not in page  # three polls of 300 s are 15 minutes
    Controller.objects.update(last_seen_at=timezone.now() - timedelta(minutes=17), applied_revision=1)
    page = client.get(path).content.decode()
    assert "silent</strong>" in page
    assert "1 / 1" in page
    own = client.get(f"{path}{where.controller.pk}/change/").content.decode()
    assert "silent</strong>" in own
    for place in re.findall(r'<a href="(/admin/water/\w+/\?[^"]+__exact=\d+)">', own):
        assert "1 " in client.get(place).content.decode().split('class="paginator"')[1]


def test_a_controllers_page_leads_to_what_it_said_and_was_told_but_not_before_it_is_made(where: Fields) -> None:
    client = engineer(where)
    page = client.get(f"/admin/water/controller/{where.controller.pk}/change/").content.decode()
    ways = re.findall(r'href="(/admin/water/\w+/\?[^"]*__exact=\d+)"', page)
    assert [way.split("/")[3] for way in ways] == ["devicemessage", "controllerschedule", "valverun"]
    assert [client.get(way).status_code for way in ways] == [200, 200, 200]
    assert "__exact=" not in client.get("/admin/water/controller/add/").content.decode()


def test_runs_are_listed_with_what_the_gate_reported(where: Fields) -> None:
    first, second = runs_of(published(where, ("upper", 1, 2), ("lower", 2, 3)))
    for seq, status in enumerate(("received", "aborted_fault")):
        DeviceMessage.objects.create(
            controller=where.controller, kind="ack", seq=seq, run_uid=first.uid, status=status, at=timezone.now()
        )
    client = engineer(where)
    page = client.get("/admin/water/valverun/").content.decode()
    assert "The gate stopped with a fault." in page
    assert "The gate has not reported." in page
    trouble = client.get("/admin/water/valverun/?reached=trouble").content.decode()
    assert f"/valverun/{first.pk}/" in trouble
    assert f"/valverun/{second.pk}/" not in trouble
    told = client.get(f"/admin/water/valverun/{first.pk}/change/").content.decode()
    assert "stopped by a fault" in told
    assert "aborted_fault" not in told
    assert "ValveRun object" not in told
    assert "upper gate · " in told


@pytest.mark.parametrize("page", ["controllerschedule", "devicemessage", "valverun"])
def test_what_machines_wrote_is_read_by_its_city_and_changed_by_nobody(where: Fields, page: str) -> None:
    (run,) = runs_of(published(where, ("upper", 1, 2)))
    DeviceMessage.objects.create(
        controller=where.controller, kind="ack", seq=1, run_uid=run.uid, status="received", at=timezone.now()
    )
    client, stranger = engineer(where), member(fields("other").city, "engineer")
    assert ("Box" if page != "valverun" else "upper gate") in client.get(f"/admin/water/{page}/").content.decode()
    pk = {
        "controllerschedule": where.controller.schedules.get().pk,
        "devicemessage": where.controller.messages.get().pk,
    }
    path = f"/admin/water/{page}/{pk.get(page, run.pk)}/change/"
    assert client.get(path).status_code == 200
    assert client.post(path, {}).status_code == 403
    assert client.get(f"/admin/water/{page}/add/").status_code == 403
    assert stranger.get(path).status_code == 302  # the admin's answer for a row that is not there


def test_the_list_of_runs_reads_no_plans_figures(where: Fields, django_assert_max_num_queries: Any) -> None:
    published(where, ("upper", 1, 2), ("lower", 2, 3))
    client = engineer(where)
    for page in ("valverun", "controllerschedule"):
        with django_assert_max_num_queries(40) as asked:
            assert client.get(f"/admin/water/{page}/").status_code == 200
        assert not [query for query in asked.captured_queries if '"snapshot"' in query["sql"]], page


def test_what_controllers_said_and_how_fields_stand_have_names(where: Fields) -> None:
    said = DeviceMessage.objects.create(controller=where.controller, kind="hello", seq=7, at=timezone.now())
    assert str(said) == "Box · hello 7"
    block = CropBlock(name="Rice", turnout=where.upper)
    assert str(FieldState(block=block, day=date(2026, 3, 1))) == "Rice · 2026-03-01"
