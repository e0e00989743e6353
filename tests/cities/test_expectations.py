"""What pydantic refuses, in a city pack or from a controller, is told in our own words and the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override
from pydantic import BaseModel, Field, ValidationError

from cities.expectations import TEXTS, expected
from config.citypack.sections import CITY, SECTIONS
from config.words import compile_all
from water.messages import ITEMS

ROOT = Path(__file__).parents[2]
SCHEMAS: list[type[BaseModel]] = [CITY, *(section.schema for section in SECTIONS), *ITEMS.values()]
TYPES_OF = {
    "str": {"string_type", "string_unicode"},
    "int": {"int_type"},
    "float": {"float_type", "finite_number"},
    "bool": {"bool_type"},
    "list": {"list_type"},
    "dict": {"dict_type"},
    "typed-dict": {"dict_type", "missing", "extra_forbidden"},
    "model": {"model_type", "model_attributes_type"},
    "model-fields": {"missing", "extra_forbidden"},
    "literal": {"literal_error"},
    "datetime": {"datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"},
    "uuid": {"uuid_type", "uuid_parsing"},
}
"""The errors that a kind of field can give: those of pydantic's own tables that plain data can cause."""
OF_RULE = {
    "gt": "greater_than",
    "ge": "greater_than_equal",
    "lt": "less_than",
    "le": "less_than_equal",
    "pattern": "string_pattern_mismatch",
    "tz_constraint": "timezone_aware",
}
OF_LENGTH = {
    ("str", "min_length"): "string_too_short",
    ("str", "max_length"): "string_too_long",
    ("list", "min_length"): "too_short",
    ("list", "max_length"): "too_long",
}
SILENT = {"model-field", "typed-dict-field", "default", "nullable", "union", "no-info", "any"}
SILENT |= {"function-before", "function-after"}
"""Kinds that have no error of their own; those of functions are our validators' texts."""


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema
        yield from (found for value in schema.values() for found in nodes(value))
    elif isinstance(schema, list | tuple):
        yield from (found for value in schema for found in nodes(value))


def types_of(node: dict[str, Any]) -> set[str]:
    kind = node["type"]
    rules = {OF_RULE[key] for key in node if key in OF_RULE} | {
        OF_LENGTH[kind, key] for key in node if (kind, key) in OF_LENGTH
    }
    return rules | (set() if kind in SILENT else TYPES_OF[kind])


def test_every_error_that_a_schema_can_give_has_words_of_ours():
    possible = {
        kind for schema in SCHEMAS for node in nodes(schema.__pydantic_core_schema__) for kind in types_of(node)
    }
    assert len(possible) > 15
    assert possible - TEXTS.keys() == set()


@pytest.mark.parametrize("folder", ["config/citypack", "water"])
def test_what_a_validator_of_ours_says_goes_through_gettext(folder: str):
    raised = [
        ast.unparse(node.exc.args[0])
        for path in sorted((ROOT / folder).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) == "ValueError"
    ]
    assert raised
    assert [text for text in raised if not text.startswith("_(")] == []


class Sample(BaseModel):
    share: float = Field(ge=0.5, strict=True)
    kind: str = Field(pattern="^a")


def told(data: object) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        Sample.model_validate(data)
    return [expected(found) for found in refused.value.errors()]


def test_figures_stand_in_the_words_of_either_language():
    compile_all(ROOT)
    assert told({"share": 0.1}) == ["greater than or equal to 0.5", "a value"]
    with override("zh-hant"):
        assert told({"share": 0.1, "kind": "b"}) == ["大於或等於 0.5", "符合 ^a 之文字"]
        assert told("text") == ["對應表"]
