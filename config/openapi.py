"""What every operation of the API description has in common: how callers sign in and how errors look."""

from __future__ import annotations

from typing import Any

DESCRIPTION = """Plans a city's water and green energy together.

**Signing in.** Every address needs the session cookie of a person who is a member of the city: sign in at
`/admin/login/` and send the cookie along; a POST also needs the token of the `csrftoken` cookie in the header
`X-CSRFToken`. Engineers may ask for plans and decide on them, viewers may read. A city that the caller is no member of
answers 404, as if it did not exist.

**Errors** are `application/problem+json` (RFC 9457): 400 with every bad field at once, 401 without a session, 403
where the role does not allow it, 404, 411 for a body in chunks, and 409 where the state of the plan does not allow it.

Controllers in the field have an interface of their own, with keys and signed schedules, under `/api/device/v1/`.
"""
PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "instance": {"type": "string", "description": "the path that was asked for"},
        "detail": {"type": "string", "description": "what is wrong, unless `errors` says it"},
        "errors": {
            "type": "array",
            "description": "every bad field at once",
            "items": {
                "type": "object",
                "properties": {"place": {"type": "string"}, "expected": {"type": "string"}},
                "required": ["place", "expected"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "instance"],
}
ERROR = {
    "description": "Any error.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def add_errors(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: every operation may answer with a problem."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = ERROR
    return result
