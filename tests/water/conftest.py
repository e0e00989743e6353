"""The small city of fields.py, for tests that need nothing of it but that it is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.water.fields import Fields, fields
from water import farmer


@pytest.fixture
def where(settings: Any) -> Fields:
    settings.HEADGATE_SECTORS = ["water.network.SECTOR"]
    return fields()


@pytest.fixture
def path(where: Fields) -> str:
    """The page of the farmer at the upper gate."""
    return f"/turns/{farmer.make_link(where.upper)}/"
