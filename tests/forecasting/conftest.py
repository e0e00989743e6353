from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cities.models import City
from forecasting.models import Series


@pytest.fixture
def city(db) -> City:
    return City.objects.create(
        key="tainan", name="Tainan", name_zh="臺南", time_zone="Asia/Taipei", latitude=23.0, longitude=120.2
    )


@pytest.fixture
def make_series(city: City) -> Callable[..., Series]:
    def make(key: str, **fields: Any) -> Series:
        return Series.objects.create(**{"city": city, "key": key, "name": key.title(), "unit": "MW", **fields})

    return make
