"""A person of one city sees nothing of another, neither through functions nor through any admin page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404

from cities.models import City, Membership, PriorityPolicy
from cities.scoping import cities_of, city_or_404, role_in


@pytest.fixture
def tainan(db) -> City:
    return City.objects.create(key="tainan", name="Tainan", latitude=23, longitude=120)


@pytest.fixture
def taipei(db) -> City:
    return City.objects.create(key="taipei", name="Taipei", latitude=25, longitude=121)


@pytest.fixture
def person(tainan):
    def make(role: str | None = Membership.Role.ENGINEER, **fields) -> User:
        user = User.objects.create_user(f"{role}", password="x", is_staff=True, **fields)
        if role:
            Membership.objects.create(user=user, city=tainan, role=role)
        return user

    return make


@pytest.fixture
def policies(tainan, taipei):
    """One policy of each city."""
    return [PriorityPolicy.objects.create(city=c, key="law", name=f"Law of {c}", tiers={}) for c in (tainan, taipei)]


def test_a_member_has_their_cities_and_no_other(person, tainan, taipei):
    assert list(cities_of(person())) == [tainan]


def test_a_superuser_has_every_city_as_an_engineer(tainan, taipei):
    user = User.objects.create_superuser("root")
    assert set(cities_of(user)) == {tainan, taipei}
    assert role_in(user, taipei) == "engineer"


@pytest.mark.parametrize("superuser", [True, False])
def test_somebody_who_left_has_no_city(person, tainan, superuser):
    user = person(is_active=False, is_superuser=superuser)
    assert not cities_of(user).exists()
    assert role_in(user, tainan) is None


def test_nobody_has_no_city(tainan):
    assert not cities_of(AnonymousUser()).exists()
    assert role_in(AnonymousUser(), tainan) is None


def test_a_foreign_city_and_an_unknown_one_are_the_same_404(person, tainan, taipei):
    user = person()
    assert city_or_404(user, "tainan") == tainan
    with pytest.raises(Http404) as foreign:
        city_or_404(user, "taipei")
    with pytest.raises(Http404) as unknown:
        city_or_404(user, "atlantis")
    assert str(foreign.value) == str(unknown.value)


def test_roles_narrow_the_cities(person, tainan):
    user = person(Membership.Role.VIEWER)
    assert list(cities_of(user, (Membership.Role.VIEWER,))) == [tainan]
    assert not cities_of(user, (Membership.Role.ENGINEER,)).exists()


# --- admin pages ---------------------------------------------------------------------------------------------
LIST = "/admin/cities/prioritypolicy/"


def page(client, user, path, **data):
    client.force_login(user)
    return client.post(path, data) if data else client.get(path)


def test_lists_and_filters_show_the_own_city_only(client, person, policies):
    shown = page(client, person(), LIST).content.decode()
    assert "Law of Tainan" in shown
    assert "Taipei" not in shown


def test_a_foreign_row_cannot_be_opened_changed_or_deleted(client, person, policies):
    foreign, user = policies[1], person()
    for action in ("change", "delete", "history"):
        # Django answers "does not exist" with a redirect to the index.
        assert page(client, user, f"{LIST}{foreign.pk}/{action}/").status_code == 302
    assert page(client, user, f"{LIST}{foreign.pk}/delete/", post="yes").status_code == 302
    assert PriorityPolicy.objects.filter(pk=foreign.pk).exists()


def test_an_engineer_changes_a_row_of_their_city(client, person, policies):
    data = {"city": policies[0].city.pk, "key": "law", "name": "New law", "tiers": '{"domestic": 1}'}
    assert page(client, person(), f"{LIST}{policies[0].pk}/change/", **data).status_code == 302
    policies[0].refresh_from_db()
    assert policies[0].name == "New law"


def test_an_engineer_cannot_move_a_row_into_a_foreign_city(client, person, policies, taipei):
    data = {"city": taipei.pk, "key": "stolen", "name": "New law", "tiers": '{"domestic": 1}'}
    answer = page(client, person(), f"{LIST}{policies[0].pk}/change/", **data)
    assert answer.status_code == 200
    assert "city" in answer.context["adminform"].form.errors


def test_a_viewer_reads_and_changes_nothing(client, person, policies):
    user = person(Membership.Role.VIEWER)
    assert page(client, user, LIST).status_code == 200
    data = {"city": policies[0].city.pk, "key": "law", "name": "New law", "tiers": "{}"}
    assert page(client, user, f"{LIST}{policies[0].pk}/change/", **data).status_code == 403
    assert page(client, user, f"{LIST}add/").status_code == 403


def test_a_viewer_reads_the_city_of_a_row_and_finds_no_link_that_is_shut_to_them(client, person, policies):
    row = f"{LIST}{policies[0].pk}/change/"
    city = f"/admin/cities/city/{policies[0].city.pk}/change/"
    shown = page(client, person(Membership.Role.VIEWER), row).content.decode()
    assert "<label>City:</label>" in shown
    assert '<div class="readonly">Tainan</div>' in shown
    assert city not in shown


def test_a_column_names_the_city_for_those_who_have_several(client, person, policies, taipei):
    user = person()
    assert "column-city" not in page(client, user, LIST).content.decode()
    Membership.objects.create(user=user, city=taipei, role=Membership.Role.VIEWER)
    assert "column-city" in page(client, user, LIST).content.decode()


@pytest.mark.parametrize("role", [Membership.Role.FAB, None])
def test_the_admin_shows_no_rows_to_people_who_are_not_of_the_utility(client, person, policies, role):
    assert page(client, person(role), LIST).status_code == 403


def test_only_a_superuser_finds_cities_and_people(client, person, tainan):
    engineer = person()
    for model in ("city", "membership"):
        assert page(client, engineer, f"/admin/cities/{model}/").status_code == 403
    root = User.objects.create_superuser("root")
    for model in ("city", "membership"):
        assert page(client, root, f"/admin/cities/{model}/").status_code == 200
