"""The demo makes its own secrets and people, and only the demo."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from cities.models import City, Membership
from config.demo import ensure_people, write_secrets
from config.env import read_file
from forecasting.models import Series
from water.models import WaterBus, WaterUser


def test_secrets_are_made_once_for_the_owner_alone(tmp_path: Path):
    path = tmp_path / "var" / "demo.env"
    assert write_secrets(path)
    first = read_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(first["SCHEDULE_SIGNING_KEY"])) == 32
    assert not write_secrets(path)
    assert read_file(path) == first


def test_production_makes_no_secrets(settings, tmp_path: Path):
    settings.PRODUCTION = True
    settings.DEMO_ENV = tmp_path / "demo.env"
    with pytest.raises(CommandError, match="from the environment"):
        call_command("demosecrets")
    assert not settings.DEMO_ENV.exists()


def test_everybody_of_the_demo_can_log_in_and_has_a_role(db):
    city = City.objects.create(key="town", name="Town", latitude=22.6, longitude=120.3)
    people = ensure_people("first password")
    assert people == ["demo", "demo-engineer", "demo-fab", "demo-viewer"]
    assert all(authenticate(username=name, password="first password") for name in people)
    assert {member.user.username: member.role for member in Membership.objects.filter(city=city)} == {
        "demo-engineer": "engineer",
        "demo-fab": "fab",
        "demo-viewer": "viewer",
    }


def test_the_fab_manager_of_the_demo_answers_for_the_fabs(db):
    city = City.objects.create(key="town", name="Town", latitude=22.6, longitude=120.3)
    bus = WaterBus.objects.create(city=city, key="main", name="Main")
    demand = Series.objects.create(city=city, key="demand", name="Demand")
    for key, kind in (("fab-1", "fab"), ("homes", "zone")):
        WaterUser.objects.create(city=city, key=key, kind=kind, bus=bus, demand=demand, penalty_per_m3=1)
    ensure_people("password")
    assert Membership.objects.get(user__username="demo-fab").asset_keys == ["fab-1"]


def test_a_new_password_reaches_people_that_exist(db):
    ensure_people("first password")
    ensure_people("second password")
    assert authenticate(username="demo", password="first password") is None
    assert authenticate(username="demo", password="second password") is not None
