"""Who looks after the devices at night: alarms, and what is thrown away."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cities.models import City, Membership
from tests.water.fields import Fields, fields, key_of, published
from water import tasks
from water.models import Controller, ControllerSchedule, DeviceMessage
from water.watch import alarm_of, watch, watched

pytestmark = pytest.mark.django_db
LIST = "/admin/water/controller/"


def now_is(where: Fields, *, seen_minutes_ago: float | None, applied: int | None, published_minutes_ago: float) -> str:
    """The alarm of a controller that polls every five minutes."""
    now = timezone.now()
    seen = None if seen_minutes_ago is None else now - timedelta(minutes=seen_minutes_ago)
    Controller.objects.update(last_seen_at=seen, applied_revision=applied)
    ControllerSchedule.objects.update(issued_at=now - timedelta(minutes=published_minutes_ago))
    return alarm_of(watched(Controller.objects.all()).get(pk=where.controller.pk), now)


@pytest.mark.parametrize(
    ("seen_minutes_ago", "applied", "published_minutes_ago", "expected"),
    [
        (1, 1, 60, ""),
        (15, 1, 60, ""),  # three polls missed, and the minute in which a visit may not have been noted
        (17, 1, 60, "silent"),
        (17, None, 60, "silent"),  # who does not come cannot have the schedule: one alarm, not two
        (1, None, 10, ""),  # the schedule is fresh
        (1, None, 16, "late"),
        (1, 7, 16, "late"),  # a revision that is not the current one
        (None, None, 16, ""),  # its key was made just now
    ],
)
def test_an_alarm_begins_after_three_missed_polls_or_a_quarter_of_an_hour_without_the_schedule(
    where: Fields, seen_minutes_ago: float | None, applied: int | None, published_minutes_ago: float, expected: str
) -> None:
    published(where, ("upper", 1, 2))
    key_of(where)
    alarm = now_is(
        where, seen_minutes_ago=seen_minutes_ago, applied=applied, published_minutes_ago=published_minutes_ago
    )
    assert alarm == expected


def test_a_slow_poller_has_three_polls_to_take_over_a_schedule(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    key_of(where)
    Controller.objects.update(poll_seconds=1800)
    assert now_is(where, seen_minutes_ago=20, applied=None, published_minutes_ago=80) == ""
    assert now_is(where, seen_minutes_ago=20, applied=None, published_minutes_ago=100) == "late"


def test_a_controller_that_never_came_is_silent_from_its_key_on_and_one_without_a_key_never(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    assert now_is(where, seen_minutes_ago=None, applied=None, published_minutes_ago=600) == ""
    key_of(where)
    where.controller.keys.update(created_at=timezone.now() - timedelta(hours=1))
    assert now_is(where, seen_minutes_ago=None, applied=None, published_minutes_ago=600) == "silent"


def test_an_alarm_is_logged_when_it_begins_and_when_it_ends_and_not_between(where: Fields, caplog: Any) -> None:
    published(where, ("upper", 1, 2))
    key_of(where)
    caplog.set_level(logging.INFO, logger="water.watch")
    now_is(where, seen_minutes_ago=60, applied=1, published_minutes_ago=60)
    assert [watch(timezone.now()) for _ in range(2)] == [1, 0]
    now_is(where, seen_minutes_ago=1, applied=1, published_minutes_ago=60)
    tasks.watch_controllers()
    told = [record.getMessage() for record in caplog.records if record.name == "water.watch"]
    assert told[0].startswith("Controller small/small-box is silent; it was last seen at 20")
    assert told[1:] == ["Controller small/small-box is well again."]


def engineer_of(city: City) -> Client:
    user = User.objects.create_user(f"engineer-{city.key}", is_staff=True)
    Membership.objects.create(user=user, city=city, role="engineer")
    client = Client()
    client.force_login(user)
    return client


def test_the_first_page_names_controllers_with_an_alarm_to_their_own_city_alone(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    key_of(where)
    now_is(where, seen_minutes_ago=60, applied=1, published_minutes_ago=60)
    page = engineer_of(where.city).get("/admin/").content.decode()
    assert "1 controller needs somebody" in page and f"{LIST}{where.controller.pk}/change/" in page
    assert "needs somebody" not in engineer_of(fields("other").city).get("/admin/").content.decode()
    now_is(where, seen_minutes_ago=1, applied=1, published_minutes_ago=60)
    assert "needs somebody" not in engineer_of(fields("third").city).get("/admin/").content.decode()


def test_the_list_shows_alarms_and_can_be_narrowed_to_them(where: Fields) -> None:
    published(where, ("upper", 1, 2))
    key_of(where)
    client = engineer_of(where.city)
    now_is(where, seen_minutes_ago=1, applied=None, published_minutes_ago=60)
    assert "old schedule</strong>" in client.get(LIST).content.decode()
    change = f"{LIST}{where.controller.pk}/change/"
    found = {
        alarm: change in client.get(LIST, {"alarm": alarm}).content.decode() for alarm in ("any", "late", "silent")
    }
    assert found == {"any": True, "late": True, "silent": False}


def test_old_messages_go_and_newer_ones_stay(where: Fields, settings: Any) -> None:
    settings.HEADGATE_MESSAGE_DAYS = 40
    now = timezone.now()
    for seq, days in enumerate((100, 41, 39, 0)):
        message = DeviceMessage.objects.create(controller=where.controller, kind="telemetry", seq=seq, at=now)
        DeviceMessage.objects.filter(pk=message.pk).update(received_at=now - timedelta(days=days))
    tasks.prune()
    assert list(DeviceMessage.objects.order_by("seq").values_list("seq", flat=True)) == [2, 3]
