"""What every admin page has around it."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from cities.models import City, Membership
from forecasting.models import Alert
from planning.models import Plan
from tests.worlds.whole import whole_city

pytestmark = pytest.mark.django_db


def test_the_way_out_of_the_admin_leads_to_the_reports(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    page = client.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert page.count('href="/reports/"') == 1
    assert "View site" not in page


def test_the_frame_names_the_product_and_offers_the_other_language(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    page = client.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "<title>Site administration | Headgate</title>" in page
    assert "繁體中文" in page
    client.post("/i18n/setlang/", {"language": "zh-hant", "next": "/admin/"})
    page = client.get("/admin/").content.decode()
    assert 'lang="zh-hant"' in page
    assert ">English</button>" in page


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ({"a": "Asia/Taipei", "b": "Asia/Taipei"}, "Times: Asia/Taipei"),
        ({"a": "Asia/Taipei", "b": "Europe/Madrid"}, "Times: UTC"),
        ({"a": "Asia/Nowhere"}, "Times: UTC"),
    ],
)
def test_the_frame_says_the_zone_that_the_persons_cities_share(
    client: Client, zones: dict[str, str], expected: str
) -> None:
    user = User.objects.create_user("someone", is_staff=True)
    City.objects.create(key="foreign", name="Foreign", time_zone="America/Lima", latitude=0, longitude=0)
    for key, zone in zones.items():
        city = City.objects.create(key=key, name=key, time_zone=zone, latitude=0, longitude=0)
        Membership.objects.create(user=user, city=city, role=Membership.Role.ENGINEER)
    client.force_login(user)
    assert expected in client.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_column_of_names_is_headed_in_the_readers_language(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    City.objects.create(key="a", name="A", latitude=0, longitude=0)
    page = client.get("/admin/cities/city/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "column-label" in page
    assert ">Name<" in page
    assert ">Label<" not in page


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_times_are_sortable_and_count_to_24_hours_in_both_languages(language: str) -> None:
    with override(language):
        assert date_format(datetime(2026, 3, 9, 17, 5), "DATETIME_FORMAT") == "2026-03-09 17:05"
        assert date_format(date(2026, 3, 9), "MONTH_DAY_FORMAT") == "03-09"


def test_the_first_page_says_what_is_in_force_and_what_needs_somebody(client: Client) -> None:
    whole = whole_city()
    count = Alert.objects.filter(until=None).count()
    user = User.objects.create_user("someone", is_staff=True)
    Membership.objects.create(user=user, city=whole.city, role=Membership.Role.VIEWER)
    client.force_login(user)
    page = client.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    plan = Plan.objects.get(city=whole.city, state=Plan.State.PUBLISHED)
    assert f'<a href="/admin/planning/plan/{plan.pk}/change/">{plan}</a>' in page
    assert count and f"{count} open alert" in page
    assert "Your reports" not in page


def test_a_fab_manager_in_the_admin_is_shown_the_way_to_the_reports(client: Client) -> None:
    city = City.objects.create(key="a", name="A", latitude=0, longitude=0)
    user = User.objects.create_user("fab", is_staff=True)
    Membership.objects.create(user=user, city=city, role=Membership.Role.FAB)
    client.force_login(user)
    page = client.get("/admin/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert '<a href="/reports/">Your reports</a>' in page
    assert "In force" not in page


@pytest.mark.parametrize(
    ("role", "is_staff", "place"),
    [
        ("engineer", True, "/admin/"),
        ("viewer", True, "/admin/"),
        ("fab", True, "/reports/"),
        ("fab", False, "/reports/"),
    ],
)
def test_the_first_address_leads_everybody_to_what_is_theirs(
    client: Client, role: str, is_staff: bool, place: str
) -> None:
    city = City.objects.create(key="a", name="A", latitude=0, longitude=0)
    user = User.objects.create_user("someone", password="something", is_staff=is_staff)
    Membership.objects.create(user=user, city=city, role=role)
    sign_in = client.get("/")["Location"]
    assert sign_in == "/admin/login/?next=/"
    answer = client.post(sign_in, {"username": "someone", "password": "something", "next": "/"}, follow=True)
    assert answer.redirect_chain == [("/", 302), (place, 302)]
    assert answer.status_code == 200


def test_who_has_no_place_in_the_admin_can_log_out(client: Client) -> None:
    client.force_login(User.objects.create_user("someone"))
    page = client.get("/reports/").content.decode()
    (address,) = re.findall(r'action="([^"]*logout[^"]*)"', page)
    assert client.post(address)["Location"] == "/"
    assert client.get("/")["Location"] == "/admin/login/?next=/"


def test_who_signs_in_at_the_admin_without_a_place_there_is_led_to_the_reports(client: Client) -> None:
    User.objects.create_user("someone", password="something")
    data = {"username": "someone", "password": "something", "next": "/admin/"}
    answer = client.post("/admin/login/", data, follow=True, HTTP_ACCEPT_LANGUAGE="en")
    assert '<a href="/">Your reports</a>' in answer.content.decode()
    assert "Your reports" not in Client().get("/admin/login/", HTTP_ACCEPT_LANGUAGE="en").content.decode()


def test_a_person_and_their_places_in_cities_are_made_on_one_page(client: Client) -> None:
    city = City.objects.create(key="a", name="A", latitude=0, longitude=0)
    client.force_login(User.objects.create_superuser("root"))
    shown = client.get("/admin/auth/user/add/", HTTP_ACCEPT_LANGUAGE="en")
    assert "user_permissions" not in shown.content.decode() and "groups" not in shown.content.decode()
    password = "a long one for nobody 7"
    places = {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0, "memberships-0-city": city.pk}
    data = {"username": "wu", "usable_password": "true", "password1": password, "password2": password, **places}
    client.post("/admin/auth/user/add/", {**data, "memberships-0-role": "viewer", "memberships-0-asset_keys": "[]"})
    assert Membership.objects.get(user__username="wu").role == Membership.Role.VIEWER


def test_djangos_own_permissions_make_nobody_a_keeper_of_people(client: Client) -> None:
    someone = User.objects.create_user("someone", is_staff=True)
    someone.user_permissions.set(Permission.objects.all())
    client.force_login(someone)
    assert client.get("/admin/auth/user/").status_code == 403
    assert client.post(f"/admin/auth/user/{someone.pk}/change/", {"is_superuser": "on"}).status_code == 403
