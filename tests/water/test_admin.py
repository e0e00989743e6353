"""The admin shows water assets to the engineers of their city and to nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cities.models import City, Membership
from config.citypack.pack import folder_of, read_pack
from config.citypack.rows import write_pack
from water.kernel.crops import CROPS
from water.kernel.soil import SOILS
from water.models import CropBlock, Turnout

PAGES = (
    *("waterbus", "river", "weir", "watersource", "reservoir", "treatmentplant", "conduit", "wateruser"),
    *("irrigationsystem", "lateral", "controller", "turnout", "cropblock", "valverun"),
)


@pytest.fixture
def tinytown(db: None) -> City:
    return write_pack(read_pack(folder_of("tinytown")))[0]


def engineer_of(city: City) -> Client:
    user = User.objects.create_user(f"engineer-{city.key}", is_staff=True)
    Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    client = Client()
    client.force_login(user)
    return client


def test_an_engineer_opens_every_list_of_their_city(tinytown: City):
    client = engineer_of(tinytown)
    for page in PAGES:
        assert client.get(f"/admin/water/{page}/").status_code == 200, page
    assert "Upper turnout" in client.get("/admin/water/turnout/").content.decode()


def test_a_turnout_shows_the_fields_behind_it(tinytown: City):
    turnout = Turnout.objects.get(key="upper")
    page = engineer_of(tinytown).get(f"/admin/water/turnout/{turnout.pk}/change/").content.decode()
    assert CropBlock.objects.get(turnout=turnout).name in page
    assert 'name="blocks-0-key"' not in page  # a key is checked against the whole city's, on the block's own page


def test_a_crop_is_chosen_among_those_that_plans_know(tinytown: City):
    block = CropBlock.objects.order_by("pk")[0]
    page = engineer_of(tinytown).get(f"/admin/water/cropblock/{block.pk}/change/")
    fields = page.context["adminform"].form.fields
    assert {key for key, _name in fields["crop"].choices} == set(CROPS)
    assert {key for key, _name in fields["soil"].choices} == set(SOILS)


def test_an_engineer_of_another_city_sees_nothing(tinytown: City):
    other = City.objects.create(key="other", name="Other", time_zone="UTC", latitude=0, longitude=0)
    client = engineer_of(other)
    assert "Upper turnout" not in client.get("/admin/water/turnout/").content.decode()
    turnout = Turnout.objects.get(key="upper")
    assert client.get(f"/admin/water/turnout/{turnout.pk}/change/").status_code == 302  # as if it did not exist


def test_valve_runs_are_changed_by_nobody(tinytown: City):
    assert engineer_of(tinytown).get("/admin/water/valverun/add/").status_code == 403
