"""How often a controller may call, whichever web process it meets."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest
from django.core.cache import cache
from pytest_django import Settings

from config.settings import caches
from water.rates import MOST, PAUSE, Calls

NOON = 12 * 3600.0


@pytest.fixture
def name() -> str:
    return uuid4().hex


@pytest.fixture(params=["memory", "valkey"])
def counted(request: pytest.FixtureRequest, settings: Settings) -> str:
    settings.CACHES = caches("" if request.param == "memory" else request.getfixturevalue("redis_url"))
    return str(request.param)


def test_so_many_calls_are_let_in_each_minute(counted: str, name: str) -> None:
    now = [NOON + 15]
    calls = Calls(lambda: now[0])
    assert [calls.wait(name) for _ in range(MOST + 1)] == [0.0] * MOST + [45.0]
    assert calls.wait(f"{name}-other") == 0.0
    now[0] = NOON + 59
    assert calls.wait(name) == 1.0
    now[0] = NOON + 60
    assert calls.wait(name) == 0.0


def test_web_processes_count_together_in_valkey(redis_url: str, settings: Settings, name: str) -> None:
    settings.CACHES = caches(redis_url)
    one, other = Calls(lambda: NOON), Calls(lambda: NOON)
    assert {calls.wait(name) for _ in range(MOST // 2) for calls in (one, other)} == {0.0}
    assert (one.wait(name), other.wait(name)) == (60.0, 60.0)
    assert 0 < cache._cache.get_client().ttl(cache.make_key(f"calls:{name}:{NOON // 60:.0f}")) <= 120  # type: ignore[attr-defined]


def test_without_valkey_every_call_is_let_in_at_once_and_the_log_says_so_now_and_then(
    settings: Settings, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = caches("redis+socket:///nowhere/valkey.sock")
    now = [NOON]
    calls = Calls(lambda: now[0])
    with caplog.at_level(logging.WARNING):
        assert {calls.wait(name) for _ in range(2 * MOST)} == {0.0}
        assert len(caplog.records) == 1
        now[0] += PAUSE
        assert calls.wait(name) == 0.0
    assert len(caplog.records) == 2
    assert "not counted" in caplog.text


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis+socket:///run/v.sock?virtual_host=3", "unix:///run/v.sock?db=3"),
    ],
)
def test_the_queues_address_is_understood_by_the_cache(url: str, place: str) -> None:
    assert caches(url)["default"]["LOCATION"] == place
