from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cities.models import City
from tests.worlds import toy


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
