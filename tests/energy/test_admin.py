"""What an engineer finds of the power room, and what not."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cities.models import City, Membership
from config.citypack.pack import read_pack
from config.citypack.rows import write_pack
from energy.models import Battery, GridConnection, PowerBus, PowerLoad, Tariff

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client: Client) -> Client:
    city, _ = write_pack(read_pack(settings.BASE_DIR / "config" / "cities" / "tinytown"))
    user = User.objects.create_user("lin", is_staff=True)
    Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    client.force_login(user)
    return client


@pytest.mark.parametrize("model", [PowerBus, Tariff, GridConnection, Battery, PowerLoad])
def test_lists_and_forms_open(engineer: Client, model: type[Battery]):
    name = model._meta.model_name
    assert engineer.get(reverse(f"admin:energy_{name}_changelist")).status_code == 200
    row = model.objects.first()
    assert row is not None
    assert engineer.get(reverse(f"admin:energy_{name}_change", args=[row.pk])).status_code == 200


def test_assets_of_another_city_do_not_exist(engineer: Client):
    other = City.objects.create(key="other", name="Elsewhere", latitude=0, longitude=0)
    bus = PowerBus.objects.create(city=other, key="secret", name="Secret bus")
    assert "Secret bus" not in engineer.get(reverse("admin:energy_powerbus_changelist")).content.decode()
    assert engineer.get(reverse("admin:energy_powerbus_change", args=[bus.pk])).status_code == 302
    battery = Battery.objects.get()
    assert "Secret bus" not in engineer.get(reverse("admin:energy_battery_change", args=[battery.pk])).content.decode()


def test_a_price_table_is_read_but_not_edited(engineer: Client):
    tariff = Tariff.objects.get()
    page = engineer.get(reverse("admin:energy_tariff_change", args=[tariff.pk])).content.decode()
    assert "Monday to Friday 08:00–22:00" in page and 'name="data"' not in page
    assert re.search(r"peak</th><td>[^<]*</td><td>5.0</td>", page)
    assert "NT$/kWh" in page and "regular contract 200.0" in page
    assert engineer.get(reverse("admin:energy_tariff_add")).status_code == 403
