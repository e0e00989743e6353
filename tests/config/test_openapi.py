"""The description of the API names every operation once and says how callers sign in and what errors look like."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/schema/", {"format": "json"}).json()
    return found


def operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in schema["paths"].values() for operation in methods.values()]


def test_every_operation_has_a_name_of_its_own_that_says_what_it_does(schema):
    names = [operation["operationId"] for operation in operations(schema)]
    assert len(set(names)) == len(names)
    assert {"list_plans", "request_plan", "decide_on_plan", "read_forecast"} <= set(names)


def test_every_operation_needs_a_session_and_may_answer_with_a_problem(schema):
    for operation in operations(schema):
        assert operation["security"] == [{"cookieAuth": []}], operation["operationId"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert {"title", "status", "code"} <= set(schema["components"]["schemas"]["Problem"]["required"])


def test_the_page_of_plans_is_described_as_it_comes(schema):
    page = schema["components"]["schemas"]["PlanPage"]["properties"]
    assert set(page) == {"count", "next", "previous", "results"}
