"""A city goes as a whole, its networks stay its own, and what is in use stays where it is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cities.models import City, Membership
from config.citypack.pack import folder_of, read_pack
from config.citypack.rows import write_pack
from energy.models import PowerBus, PowerLine
from forecasting.models import Observation, Series
from water.models import River, WaterBus


@pytest.fixture
def tinytown(db: None) -> City:
    return write_pack(read_pack(folder_of("tinytown")))[0]


@pytest.fixture
def elsewhere(db: None) -> City:
    city = City.objects.create(key="elsewhere", name="Elsewhere", latitude=0, longitude=0)
    PowerBus.objects.create(city=city, key="far", name="Far bus")
    return city


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def engineer_of(*cities: City) -> Client:
    user = User.objects.create_user("lin", is_staff=True)
    for city in cities:
        Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    return signed_in(user)


def test_a_superuser_deletes_a_city_with_all_it_has_and_nothing_else(tinytown: City, elsewhere: City):
    Observation.objects.create(
        series=Series.objects.filter(city=tinytown)[0], valid_at=timezone.now(), recorded_at=timezone.now(), value=1
    )
    client = signed_in(User.objects.create_superuser("root"))
    place = f"/admin/cities/city/{tinytown.pk}/delete/"
    page = client.get(place).content.decode()
    assert "Observations: 1" in page
    assert "Upper turnout" not in page  # numbers, no list of every row
    assert client.post(place, {"post": "yes"}).status_code == 302
    assert list(City.objects.all()) == [elsewhere]
    assert not Series.objects.exists() and not River.objects.exists() and not Observation.objects.exists()
    assert PowerBus.objects.get().key == "far"


def test_what_another_asset_refers_to_cannot_be_deleted(tinytown: City):
    bus = River.objects.filter(city=tinytown)[0].bus
    client = engineer_of(tinytown)
    place = f"/admin/water/waterbus/{bus.pk}/delete/"
    assert "would require deleting" in client.get(place).content.decode()
    client.post(place, {"post": "yes"})
    assert WaterBus.objects.filter(pk=bus.pk).exists()


def test_an_engineer_of_two_cities_cannot_join_their_networks(tinytown: City, elsewhere: City):
    near, far = PowerBus.objects.filter(city=tinytown)[0], PowerBus.objects.get(key="far")
    line = {"city": tinytown.pk, "key": "bridge", "name": "Bridge", "capacity_mw": 1, "loss_share": 0}
    client = engineer_of(tinytown, elsewhere)
    answer = client.post("/admin/energy/powerline/add/", {**line, "from_bus": near.pk, "to_bus": far.pk})
    assert answer.context["adminform"].form.errors == {"to_bus": ["Choose a row of Tinytown."]}
    assert not PowerLine.objects.filter(key="bridge").exists()
    client.post("/admin/energy/powerline/add/", {**line, "from_bus": near.pk, "to_bus": near.pk})
    assert PowerLine.objects.filter(key="bridge").exists()


def test_a_row_does_not_move_to_another_city(tinytown: City, elsewhere: City):
    far = PowerBus.objects.get(key="far")
    data = {"city": tinytown.pk, "key": "far", "name": "Far bus"}
    answer = engineer_of(tinytown, elsewhere).post(f"/admin/energy/powerbus/{far.pk}/change/", data)
    assert answer.context["adminform"].form.errors == {"city": ["A row stays in the city that it was made in."]}
    far.refresh_from_db()
    assert far.city == elsewhere
