from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cities.models import City
from planning.interrupts import SIGNALS
from tests.worlds import toy


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A command that was interrupted passes over all further signals; the tests' process goes on and must not."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def toy_sector(settings: Any) -> Iterator[toy.Behaviour]:
    """Plans are made from the toy sector alone."""
    settings.HEADGATE_SECTORS = ["tests.worlds.toy.SECTOR"]
    toy.reset()
    yield toy.behaviour
    toy.reset()


@pytest.fixture
def city(db: None) -> City:
    return City.objects.create(
        key="toytown", name="Toytown", name_zh="玩具城", time_zone="Asia/Taipei", latitude=22.6, longitude=120.3
    )
