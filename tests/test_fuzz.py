"""Good input with random damage, the same at every run: everything is answered or refused, and nothing half-written.

A traceback anywhere fails: Django's test client raises what a server would answer with a 500.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from cities.models import City, Membership
from forecasting.models import Observation, Series
from planning.kernel import casefile
from planning.kernel.problems import InvalidInput
from planning.kernel.solve import solve
from planning.models import Plan, PlanEvent
from tests.water.fields import Fields, fields, key_of, published, runs_of
from water.models import DeviceFeed, DeviceMessage

SEED = 20261121
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -1e308, 2**63, 10**400, 0.1, "", " ", "x", "\x00", "\ud800", "é" * 5000, "NaN",
    "1e999", "../../etc/passwd", "=1+1", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", [], {},
    [[]], [None], {"": None}, float("nan"), float("inf"), "1_000", "٣", "'; DROP TABLE cities_city; --", [0] * 300,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def damaged(rng: random.Random, good: Any) -> Any:
    """A copy with one to three things replaced, left out, added or doubled."""
    made = {"root": copy.deepcopy(good)}
    for _ in range(rng.randint(1, 3)):
        *way, last = rng.choice([path for path in places(made) if path])
        parent: Any = made
        for key in way:
            parent = parent[key]
        kind, odd = rng.randrange(4), copy.deepcopy(rng.choice(ODD))
        if kind == 0 and way:
            del parent[last]
        elif kind == 1 and isinstance(parent[last], dict):
            parent[last][rng.choice(["seq", "start", "max", "colour", "", "\x00"])] = odd
        elif kind == 2 and isinstance(parent[last], list) and parent[last]:
            parent[last].append(copy.deepcopy(parent[last][0]))
        else:
            parent[last] = odd
    return made["root"]


def torn(rng: random.Random, good: str) -> str:
    """A text with pieces cut out, doubled or replaced by odd ones."""
    for _ in range(rng.randint(1, 4)):
        first = rng.randrange(len(good) + 1)
        last = min(len(good), first + rng.choice([1, 3, 20, 200]))
        odd = rng.choice(
            ["", good[first:last] * 2, *(str(value) for value in ODD), ": [", "\t", "&a *a", '"', ",", "\n", "\r"]
        )
        good = good[:first] + odd + good[last:]
    return good


def as_file(text: str) -> str:
    """The text as it comes out of a file, which holds no half characters."""
    return text.encode(errors="replace").decode()


def rounds(count: int) -> Iterator[random.Random]:
    for number in range(count):
        yield random.Random(f"{SEED}-{number}")


def rows() -> dict[str, int]:
    """How many rows every table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


# --- controllers and callers ---------------------------------------------------------------------------------
@pytest.fixture
def where(db: None, settings: Any) -> Fields:
    settings.HEADGATE_SECTORS = ["water.network.SECTOR"]
    return fields()


@pytest.mark.parametrize("kind", ["acks", "telemetry", "hello"])
def test_controllers_may_send_anything(where, kind, monkeypatch):
    monkeypatch.setattr("water.rates.MOST", 1000)  # more calls than a device may make in a minute
    DeviceFeed.objects.create(controller=where.controller, series=where.lateral.system.rain)
    (run,) = runs_of(published(where, ("upper", 1, 2)))
    now = timezone.now().replace(minute=0, second=0, microsecond=0).isoformat()
    item: dict[str, dict[str, Any]] = {
        "acks": {"entry": str(run.uid), "status": "started", "duration_s": 60, "volume_m3": 1.5, "reason": ""},
        "telemetry": {"actuator": "upper", "flow_m3s": 0.2, "level_m": 1, "series": "rain", "value": 3.5},
        "hello": {"firmware": "1", "capabilities": ["valve"], "clock_offset_s": 1, "applied_revision": 1},
    }
    headers, client = {"Authorization": f"Bearer {key_of(where)}"}, Client()
    for number, rng in enumerate(rounds(70)):
        good = {kind: [{"seq": 10 * number + k, "at": now, **item[kind]} for k in range(3)]}
        body = damaged(rng, good)
        text = json.dumps(body) if rng.random() < 0.7 else torn(rng, json.dumps(good))
        before = DeviceMessage.objects.count()
        raw = text.encode(errors="surrogatepass")
        answer = client.post(f"/api/device/v1/{kind}", raw, content_type="application/json", headers=headers)
        assert answer.status_code in (200, 400, 413), text[:500]
        found = answer.json().get("results", [])
        accepted = sum(result["result"] == "accepted" for result in found)
        assert DeviceMessage.objects.count() == before + accepted, text[:500]


def test_callers_may_ask_for_any_plan(where):
    user = User.objects.create_user("engineer")
    Membership.objects.create(user=user, city=where.city, role=Membership.Role.ENGINEER)
    client = Client()
    client.force_login(user)
    for rng in rounds(100):
        start = (timezone.now() + timedelta(hours=rng.uniform(-2, 400))).isoformat()
        good = {"start": start, "reason": "because", "publish": False}
        text = json.dumps(damaged(rng, good)) if rng.random() < 0.7 else torn(rng, json.dumps(good))
        before = Plan.objects.count()
        path = f"/api/v1/cities/{where.city.key}/plans/"
        answer = client.post(path, text.encode(errors="surrogatepass"), content_type="application/json")
        assert answer.status_code in (202, 400), text[:500]
        assert Plan.objects.count() - before == (answer.status_code == 202), text[:500]
    assert Plan.objects.count() == PlanEvent.objects.filter(what="requested").count()


# --- files ---------------------------------------------------------------------------------------------------
def refused(command: Callable[[], Any]) -> bool:
    """Whether a command ended with exit 2, the only way it may fail."""
    try:
        command()
    except CommandError as error:
        assert error.returncode == 2 and str(error)
        return True
    return False


def test_a_history_file_may_hold_anything(where, tmp_path):
    Series.objects.filter(city=where.city, key="eto").update(minimum=0, maximum=20)
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    lines = [
        f"{key},{(now - timedelta(hours=k)).isoformat()},{k / 10}" for key in ("eto", "rain") for k in range(1, 15)
    ]
    good = "\n".join(["series,time,value", *lines])
    file = tmp_path / "history.csv"
    for number, rng in enumerate(rounds(100)):
        file.write_bytes(torn(rng, good).encode(errors="surrogatepass"))
        before, strict = Observation.objects.count(), number % 2 == 0
        if refused(lambda strict=strict: call_command("loadhistory", where.city.key, file, strict=strict)):
            assert Observation.objects.count() == before, file.read_text(errors="replace")


EXAMPLE = Path(__file__).parent / "worlds" / "contract_example.yaml"


def test_a_case_file_may_hold_anything():
    text = EXAMPLE.read_text()
    good = yaml.safe_load(text)
    good["horizon"]["start"] = "2026-01-01T00:00:00+08:00"
    solved = 0
    for rng in rounds(400):
        whole = rng.random() < 0.5
        try:
            found = casefile.from_dict(damaged(rng, good)) if whole else casefile.read(as_file(torn(rng, text)))
        except InvalidInput as error:
            assert error.problems
            continue
        if solved < 15:
            solved += 1
            answer = solve(*found, time_limit=2)
            assert answer.is_accepted or answer.why or answer.broken_limits


def test_a_city_pack_may_hold_anything(db, tmp_path):
    pack = Path(__file__).parent.parent / "config" / "cities" / "tinytown"
    good = {path.name: path.read_text() for path in pack.glob("*.yaml")}
    parts = {name: yaml.load(text, yaml.BaseLoader) for name, text in good.items()}
    for rng in rounds(35):
        name = rng.choice(sorted(good))
        for other, text in good.items():
            (tmp_path / other).write_text(text)
        text = torn(rng, good[name]) if rng.random() < 0.5 else _dumped(damaged(rng, parts[name]))
        (tmp_path / name).write_bytes(text.encode(errors="surrogatepass"))
        City.objects.filter(key="tinytown").delete()
        before = rows()
        if refused(lambda: call_command("loadcity", str(tmp_path), verbosity=0)):
            assert rows() == before, text


def _dumped(value: Any) -> str:
    """As YAML; what YAML cannot say is left to json."""
    try:
        return yaml.safe_dump(value, allow_unicode=True)
    except (yaml.YAMLError, UnicodeError):
        return json.dumps(value)
