"""The whole way with real parts: PostgreSQL, Valkey, a worker process, a web server and a controller that polls."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.core.management import call_command
from django.utils import timezone

from cities.models import City
from config.processes import Child
from forecasting.ingest import ingest
from planning import lifecycle, outbox, snapshot
from planning.kernel.solve import solve
from planning.models import Plan
from planning.run import run_here
from tests.shared_files import reservoir_rows, weir_rows
from water.devices import issue_key
from water.models import Controller

State = Plan.State
PATIENCE_SECONDS = 120.0
"""Far more than needed: nothing here is decided by how fast the machine is."""


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.05)


def state_of(plan: Plan) -> str:
    plan.refresh_from_db()
    return plan.state


def left_as_proposed(plan: Plan) -> bool:
    return plan.events.filter(what="left as proposed").exists()


def ask_and_wait(city: City) -> Plan:
    """A plan made by the worker process, published when it is ready."""
    plan = lifecycle.request(city, publish=True)
    outbox.send_plan(plan)
    until(lambda: state_of(plan) in (State.PUBLISHED, State.FAILED) or left_as_proposed(plan))
    assert plan.state == State.PUBLISHED, plan.failure or plan.events.last()
    return plan


@pytest.fixture
def tinytown(transactional_db: None) -> City:
    call_command("loadcity", "tinytown", "--demo-history", verbosity=0)
    return City.objects.get(key="tinytown")


class Box:
    """A controller in the field: all it has is an address and a key."""

    def __init__(self, address: str, key: str) -> None:
        self.address, self.key = address, key
        self.etag = ""

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any], Any]:
        """(status, body, headers) of a call with the key and the last ETag."""
        headers = {"Authorization": f"Bearer {self.key}", "If-None-Match": self.etag}
        data = json.dumps(body).encode() if body else None
        try:
            with urlopen(Request(self.address + path, data, headers), timeout=20) as response:
                text = response.read()
                self.etag = response.headers.get("ETag", self.etag)
                return response.status, json.loads(text), response.headers
        except HTTPError as error:
            return error.code, {}, error.headers

    def poll(self) -> tuple[int, dict[str, Any], Any]:
        return self.ask("/api/device/v1/schedule")


def test_a_plan_reaches_the_valves_and_their_word_comes_back(tinytown: City, celery_worker: Child, live: str) -> None:
    box = Box(live, issue_key(Controller.objects.get(city=tinytown, key="box")))
    assert box.poll()[0] == 404  # nothing is published yet

    first = ask_and_wait(tinytown)
    status, document, headers = box.poll()
    assert status == 200
    assert document["plan"] == str(first.uid)
    assert headers["Schedule-Revision"] == "1"
    assert "ed25519" in headers["Schedule-Signature"]
    assert box.poll()[0] == 304

    (entry, *_) = document["entries"]
    ack = {"seq": 1, "entry": entry["id"], "status": "received", "at": "2026-11-21T00:00:00Z"}
    _, answer, _ = box.ask("/api/device/v1/acks", {"acks": [ack]})
    assert answer == {"results": [{"seq": 1, "result": "accepted"}]}
    _, answer, _ = box.ask("/api/device/v1/acks", {"acks": [ack]})
    assert answer == {"results": [{"seq": 1, "result": "duplicate"}]}

    second = ask_and_wait(tinytown)
    status, document, headers = box.poll()
    assert status == 200
    assert document["plan"] == str(second.uid)
    assert headers["Schedule-Revision"] == "2"
    assert state_of(first) == State.SUPERSEDED


def test_a_worker_killed_in_the_middle_loses_nothing(
    tinytown: City, start_celery: Callable[..., Child], live: str
) -> None:
    options = ("-Q", "solve,light", "-c", "1", "--without-gossip")
    victim = start_celery("worker", *options, "-n", f"victim{os.getpid()}@%h")
    plan = lifecycle.request(tinytown, publish=True)
    outbox.send_plan(plan)
    until(lambda: state_of(plan) == State.SOLVING)
    os.killpg(victim.process.pid, signal.SIGKILL)
    until(lambda: not victim.alive)
    assert state_of(plan) == State.SOLVING  # nobody cleaned up: the row still says so

    Plan.objects.filter(pk=plan.pk).exclude(lease_until=None).update(lease_until=timezone.now())
    lifecycle.reap()
    start_celery("worker", *options, "-n", f"heir{os.getpid()}@%h")
    outbox.dispatch()
    until(lambda: state_of(plan) in (State.PUBLISHED, State.FAILED))
    assert plan.state == State.PUBLISHED, plan.failure
    assert list(plan.events.values_list("what", flat=True)).count("published") == 1


@pytest.mark.django_db
def test_a_week_is_planned_from_the_real_river_and_reservoirs(shared_data: Path) -> None:
    """The Gaoping river and the reservoirs as measured to 2026-08-20; all else from the pack's profiles."""
    call_command("loadcity", "kaohsiung", verbosity=0)
    city = City.objects.get(key="kaohsiung")
    counts = ingest(city, weir_rows(shared_data, "gaoping_flow"))
    names = {"agongdian_storage": "阿公店水庫", "fengshan_storage": "鳳山水庫", "chengcing_storage": "澄清湖水庫"}
    for key, name in names.items():
        ingest(city, reservoir_rows(shared_data, key, name))
    assert counts.new > 1500

    start = timezone.datetime.fromisoformat("2026-08-20T12:00:00+08:00")
    plan = run_here(lifecycle.request(city, start=start))
    assert plan.state == State.PROPOSED, plan.failure
    assert plan.broken_limits == []
    # The last measured flow was 61 to 984 m³/s in August: the river's row must hold water of that order at the start.
    flow_km3_per_hour = plan.result["supplies"]["river.gaoping"][0]
    assert 30 * 3.6 < flow_km3_per_hour < 1500 * 3.6
    again = solve(*snapshot.read(plan.snapshot))
    assert again.objective == pytest.approx(plan.objective, rel=1e-6)
