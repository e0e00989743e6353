"""Every address of the product, tried by everybody who should not be there, with the real rows of a city.

The addresses come from the resolver: a new one fails here until RULES says who may read it. Nobody here may write, so
no request may send the database a statement that does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, resolve

from cities.models import City, Membership
from planning.models import Plan
from tests.worlds.whole import MARK, Whole, whole_city

pytestmark = pytest.mark.django_db
PASSWORD = "a password nobody guesses 1"

# --- who may read what ---------------------------------------------------------------------------------------
PEOPLE = ("anonymous", "engineer elsewhere", "viewer", "fab member")
Rule = tuple[str, str, str, str]
"""What a GET of each of PEOPLE comes to: see VERDICTS."""
OPEN: Rule = ("page", "page", "page", "page")
OWN: Rule = ("login", "page", "page", "page")
"""About the person who asks, or the rows of their own cities."""
LISTS: Rule = ("login", "page", "page", "shut")
"""Everybody of a utility has such a list, of their own cities."""
ROWS: Rule = ("login", "shut", "page", "shut")
ADDS: Rule = ("login", "page", "shut", "shut")
NEVER: Rule = ("login", "shut", "shut", "shut")
POSTS: Rule = ("login", "posts only", "posts only", "posts only")
NOWHERE: Rule = ("shut", "shut", "shut", "shut")
API_ROWS: Rule = ("shut", "shut", "page", "shut")
API_POSTS: Rule = ("shut", "posts only", "posts only", "posts only")
REPORTS: Rule = ("login", "shut", "page", "page")

ADMIN_PAGES = {"": LISTS, "add/": ADDS, "history/": ROWS, "change/": ROWS, "delete/": NEVER, "row/": OWN}
"""Rules for the pages that Django gives every model, without the model's own part of the address."""
NO_ADDING = {
    "energy/tariff", "forecasting/observation", "forecasting/forecast", "forecasting/alert", "planning/plan",
    "planning/planpart", "water/valverun", "water/controllerschedule", "water/devicemessage", "water/fieldstate",
}  # fmt: skip
SUPERUSERS_ONLY = {"cities/city", "cities/membership", "auth/user"}

PLANS = "api/v1/cities/<slug:city_key>/plans/"
SERIES = "api/v1/cities/<slug:city_key>/series/"
RULES: dict[str, Rule] = {
    "": OWN,
    "favicon.ico": OPEN,
    "logout/": ("posts only", "posts only", "posts only", "posts only"),
    "i18n/setlang/": OPEN,
    "admin/": OWN,
    "admin/login/": ("page", "shut", "shut", "shut"),
    "admin/logout/": ("shut", "posts only", "posts only", "posts only"),
    "admin/password_change/": OWN,
    "admin/password_change/done/": OWN,
    "admin/autocomplete/": NEVER,
    "admin/jsi18n/": OWN,
    "admin/r/<path:content_type_id>/<path:object_id>/": NEVER,
    "admin/(?P<app_label>*)/$": LISTS,
    "admin/(?P<url>*)$": NEVER,
    "admin/auth/user/<id>/password/": NEVER,
    "admin/planning/plan/new/": POSTS,
    "admin/planning/plan/<int:pk>/do/<slug:step>/": POSTS,
    "admin/planning/plan/<int:pk>/progress.json": ROWS,
    "admin/planning/plan/<int:pk>/charts/<slug:key>.svg": ROWS,
    "admin/planning/plan/<int:pk>/result.json": ROWS,
    "admin/planning/plan/<int:pk>/case.yaml": ROWS,
    # Leads to the list of plans, whoever asks.
    "admin/planning/planpart/": OWN,
    "admin/water/controller/<int:pk>/secret/": POSTS,
    "admin/water/controller/<int:pk>/secret/<int:secret>/": POSTS,
    "admin/water/turnout/<int:pk>/secret/": POSTS,
    "admin/water/turnout/<int:pk>/secret/<int:secret>/": POSTS,
    "api/schema/": OPEN,
    PLANS: API_ROWS,
    PLANS + "in-force/": API_ROWS,
    PLANS + "<uuid:uid>/": API_ROWS,
    PLANS + "<uuid:uid>/result/": API_ROWS,
    PLANS + "<uuid:uid>/shortages/": API_ROWS,
    PLANS + "<uuid:uid>/summary/": API_ROWS,
    r"api/v1/cities/(?P<city_key>*)/plans/(?P<uid>*)/(?P<action>*)/$": API_POSTS,
    SERIES: API_ROWS,
    SERIES + "<slug:key>/": API_ROWS,
    SERIES + "<slug:key>/history/": API_ROWS,
    SERIES + "<slug:key>/forecast/": API_ROWS,
    SERIES + "<slug:key>/scores/": API_ROWS,
    "api/device/v1/schedule": NOWHERE,
    "api/device/v1/acks": NOWHERE,
    "api/device/v1/telemetry": NOWHERE,
    "api/device/v1/hello": NOWHERE,
    "api/device/v1/keys": OPEN,
    # Whoever has the link may read: it is the key.
    "turns/<str:token>/": OPEN,
    "turns/<str:token>/calendar.ics": OPEN,
    "reports/": OWN,
    "reports/<slug:city_key>/": REPORTS,
    "reports/<slug:city_key>/utility/": ROWS,
    "reports/<slug:city_key>/utility.xlsx": ROWS,
    "reports/<slug:city_key>/utility.pdf": ROWS,
    "reports/<slug:city_key>/plans/<uuid:uid>/": ROWS,
    "reports/<slug:city_key>/plans/<uuid:uid>.xlsx": ROWS,
    "reports/<slug:city_key>/plans/<uuid:uid>.pdf": ROWS,
    "reports/<slug:city_key>/fab/<slug:key>/": REPORTS,
    "reports/<slug:city_key>/fab/<slug:key>.xlsx": REPORTS,
    "reports/<slug:city_key>/fab/<slug:key>.pdf": REPORTS,
}
BY_LINK = ("turns/",)
KEYS = {SERIES: "river", "reports/": "fab", "admin/planning/plan/": "energy-prices"}
"""What <slug:key> stands for, by the beginning of the address."""


def routes() -> Iterator[str]:
    """Every address as it stands in the resolver, namespaces and all; alternatives of patterns are left out."""

    def walk(found: list[Any], before: str) -> Iterator[str]:
        for item in found:
            route = before + str(item.pattern)
            yield from [route] if isinstance(item, URLPattern) else walk(item.url_patterns, route)

    yield from dict.fromkeys(walk(get_resolver().url_patterns, ""))


def short(route: str) -> str:
    """An address without what its groups admit, which changes with every new app."""
    return re.sub(r"(\(\?P<\w+>)[^)]*\)", r"\1*)", route).replace("^", "")


def rule_of(route: str) -> Rule | None:
    """From RULES, or from Django's pages for every model. None for an address that nobody has thought of."""
    if short(route) in RULES:
        return RULES[short(route)]
    found = re.fullmatch(r"admin/(\w+/\w+)/(?:<path:object_id>/)?(\w+/)?", route)
    if found is None:
        return None
    model, page = found[1], found[2] or ("row/" if "object_id" in route else "")
    if page != "row/" and model in SUPERUSERS_ONLY or page == "add/" and model in NO_ADDING:
        return NEVER
    return ADMIN_PAGES.get(page)


# --- the city ------------------------------------------------------------------------------------------------
@dataclass
class Town:
    whole: Whole
    users: dict[str, User | None] = field(default_factory=dict)
    payloads: dict[str, dict[str, Any]] = field(default_factory=dict)

    def path_of(self, route: str) -> str:
        """A real address of this city's own rows. KeyError for a parameter that nobody has named here."""
        named = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route).replace("^", "").removesuffix("$")
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda hit: self._value(hit[1], route), named)

    def row_of(self, model: type[models.Model]) -> models.Model:
        """The city's row that stands for all of a model."""
        if model in (Plan, City, User, Group):
            own = {Plan: self.whole.plan, City: self.whole.city, User: self.users["viewer"]}
            return own.get(model) or Group.objects.get()
        return model.objects.order_by("pk").first()  # type: ignore[attr-defined,no-any-return]

    def _value(self, name: str, route: str) -> str:
        if name in ("pk", "object_id", "id") and not route.startswith("admin/r/"):
            return str(self.row_of(model_of(route)).pk)
        key, link = self.whole.controller.keys.get(), self.whole.turnout.links.get()
        secrets = {"admin/water/controller/": key.pk, "admin/water/turnout/": link.pk}
        return {
            "key": next((key for start, key in KEYS.items() if route.startswith(start)), ""),
            "secret": next((str(pk) for start, pk in secrets.items() if route.startswith(start)), ""),
            "content_type_id": str(ContentType.objects.get_for_model(Plan).pk),
            "object_id": str(self.whole.plan.pk),
            "city_key": self.whole.city.key,
            "uid": str(self.whole.plan.uid),
            "token": self.whole.token,
            "step": "approve",
            "action": "approve",
            "app_label": "water",
            "url": "nowhere",
        }[name]


def model_of(route: str) -> type[models.Model]:
    _, app, name, *_ = route.split("/")
    return apps.get_model(app, name)


@pytest.fixture(scope="module")
def town(django_db_setup: None, django_db_blocker: Any) -> Iterator[Town]:
    """One city for all tests of the module; what they do to it is taken back, and so is the city at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = Town(whole_city())
        elsewhere = City.objects.create(key="elsewhere", name="Elsewhere", latitude=25, longitude=121)
        for person, city, role in (
            ("engineer elsewhere", elsewhere, Membership.Role.ENGINEER),
            ("viewer", made.whole.city, Membership.Role.VIEWER),
            ("fab member", made.whole.city, Membership.Role.FAB),
            ("engineer", made.whole.city, Membership.Role.ENGINEER),
        ):
            user = User.objects.create_user(person.replace(" ", "-"), password=PASSWORD, is_staff=True)
            keys = ["fab"] if role == Membership.Role.FAB else []
            Membership.objects.create(user=user, city=city, role=role, asset_keys=keys)
            made.users[person] = user
        made.users["anonymous"] = None
        made.users["superuser"] = User.objects.create_superuser("root", password=PASSWORD)
        yield made
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def sessions(town: Town) -> dict[str, str]:
    """A login of each person, made once: hashing and last_login would be writes of every test."""
    found = {}
    for person, user in town.users.items():
        client = Client()
        if user:
            client.force_login(user)
            found[person] = str(client.session.session_key)
    return found


class Visitor:
    """Somebody at the door, who notes what the database was told while they were there."""

    def __init__(self, session: str | None) -> None:
        self.client = Client()
        if session:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = session
        self.writes: list[str] = []

    def get(self, path: str) -> HttpResponse:
        return self._noted(lambda: self.client.get(path))

    def post(self, path: str, data: dict[str, Any]) -> HttpResponse:
        if path.startswith("/api/"):
            return self._noted(lambda: self.client.post(path, data.get("json", {}), content_type="application/json"))
        return self._noted(lambda: self.client.post(path, {k: v for k, v in data.items() if k != "json"}))

    def _noted(self, ask: Callable[[], Any]) -> HttpResponse:
        with CaptureQueriesContext(connection) as queries:
            answer: HttpResponse = ask()
        said = [query["sql"] for query in queries if WRITES.match(query["sql"])]
        # That somebody logs out is no row of a city.
        self.writes = [sql for sql in said if '"django_session"' not in sql]
        return answer


WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|MERGE|WITH)\b", re.IGNORECASE)


@pytest.fixture
def visit(sessions: dict[str, str]) -> Callable[[str], Visitor]:
    return lambda person: Visitor(sessions.get(person))


def verdict(answer: HttpResponse) -> str:
    """What an answer comes to."""
    place = answer.headers.get("Location", "")
    if answer.status_code == 302 and place.startswith("/admin/login/"):
        return "login"
    # Django says of rows that are not there, or not for this person, that they do not exist, and shows the index.
    if answer.status_code in (401, 403, 404) or answer.status_code == 302 and place == "/admin/":
        return "shut"
    return {200: "page", 301: "page", 302: "page", 400: "page", 405: "posts only"}[answer.status_code]


def content_of(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


# --- what they get -------------------------------------------------------------------------------------------
ROUTES = list(routes())


def test_every_address_has_a_rule_and_every_rule_an_address():
    assert [short(route) for route in ROUTES if rule_of(route) is None] == [], "say in RULES who may read these"
    assert set(RULES) <= {short(route) for route in ROUTES}


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("route", ROUTES)
def test_nobody_reads_or_writes_what_is_not_theirs(town, visit, route, person):
    path, rule, visitor = town.path_of(route), rule_of(route), visit(person)
    assert short(resolve(path).route) == short(route)
    answer = visitor.get(path)
    # The start page sends everybody to the admin.
    assert verdict(answer) == rule[PEOPLE.index(person)] or route == ""
    may_see = person == "viewer" or person == "fab member" and route.startswith("reports/")
    if not (may_see or route.startswith(BY_LINK)):
        assert MARK.encode() not in content_of(answer)
    answer = visitor.post(path, payload(town, visit("superuser"), route))
    assert verdict(answer) in ("login", "shut", "posts only", "page")  # no other status: above all no 5xx
    if person != "viewer":
        assert MARK.encode() not in content_of(answer)
    assert visitor.writes == []


FOR_ENGINEERS = [r for r in ROUTES if rule_of(r) in (POSTS, API_POSTS, ADDS) and r != "admin/logout/"]


@pytest.mark.parametrize("route", FOR_ENGINEERS)
def test_the_same_request_writes_when_an_engineer_of_the_city_sends_it(town, visit, route):
    visitor = visit("engineer")
    answer = visitor.post(town.path_of(route), payload(town, visit("superuser"), route))
    assert visitor.writes, content_of(answer)[:2000]


def payload(town: Town, root: Visitor, route: str) -> dict[str, Any]:
    """What would be a good request if the right person sent it: the filled form of a page, or the words of a step."""
    words = {"city": town.whole.city.key, "note": "why", "confirmed": "yes", "post": "yes", "json": {"reason": "why"}}
    found = re.match(r"(admin/\w+/\w+/)(<path:object_id>/change/|add/)?", route)
    if found is None or short(route) in RULES:
        return words
    row = town.row_of(model_of(route))
    if found[2] is None:
        return {**words, "action": "delete_selected", "_selected_action": str(row.pk)}
    if route not in town.payloads:
        page = root.get(f"/{found[1]}{row.pk}/change/")
        town.payloads[route] = _filled(page, "another" if found[2] == "add/" else "")
    return town.payloads[route]


def _filled(page: Any, key: str) -> dict[str, Any]:
    """The form of an admin page as a browser would send it, with another key and name."""
    if page.status_code != 200 or "adminform" not in (page.context or {}):
        return {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *(() if key else inline.formset.initial_forms)]
    data = {name: value for form in forms for name, value in _values(form).items()}
    if key:
        data |= {"key": key} | {name: "0" for name in data if name.endswith(("INITIAL_FORMS", "TOTAL_FORMS"))}
    data.pop("in_force", None)  # a second one would be refused
    # Pages repeat what was sent: the mark in an answer must come from the database.
    return {name: "Another" if MARK in str(value) else value for name, value in data.items()}


def _values(form: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in form:
        value = item.value()
        parts = item.field.widget.decompress(value) if hasattr(item.field.widget, "decompress") else None
        if parts is not None:
            found |= {f"{item.html_name}_{k}": "" if part is None else str(part) for k, part in enumerate(parts)}
        elif value is not None and value is not False:
            found[item.html_name] = value
    return found
