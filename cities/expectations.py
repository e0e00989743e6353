"""What was expected where pydantic refuses a value, in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from pydantic_core import ErrorDetails

_A_TIME = gettext_noop("a time in ISO 8601")
_A_UUID = gettext_noop("a UUID")
_A_MAPPING = gettext_noop("a mapping")
TEXTS = {
    "missing": gettext_noop("a value"),
    "extra_forbidden": gettext_noop("no field of that name"),
    "string_type": gettext_noop("text"),
    "string_unicode": gettext_noop("text of whole characters"),
    "string_too_short": gettext_noop("text, at least %(min_length)s long"),
    "string_too_long": gettext_noop("text, at most %(max_length)s long"),
    "string_pattern_mismatch": gettext_noop("text that matches %(pattern)s"),
    "bool_type": gettext_noop("true or false"),
    "int_type": gettext_noop("a whole number"),
    "float_type": gettext_noop("a number"),
    "finite_number": gettext_noop("a finite number"),
    "greater_than": gettext_noop("greater than %(gt)s"),
    "greater_than_equal": gettext_noop("greater than or equal to %(ge)s"),
    "less_than": gettext_noop("less than %(lt)s"),
    "less_than_equal": gettext_noop("less than or equal to %(le)s"),
    "literal_error": gettext_noop("one of %(expected)s"),
    "list_type": gettext_noop("a list"),
    "too_short": gettext_noop("at least %(min_length)s, not %(actual_length)s"),
    "too_long": gettext_noop("at most %(max_length)s, not %(actual_length)s"),
    "dict_type": _A_MAPPING,
    "model_type": _A_MAPPING,
    "model_attributes_type": _A_MAPPING,
    "datetime_type": _A_TIME,
    "datetime_parsing": _A_TIME,
    "datetime_from_date_parsing": _A_TIME,
    "datetime_object_invalid": _A_TIME,
    "timezone_aware": gettext_noop("a time with its offset from UTC"),
    "uuid_type": _A_UUID,
    "uuid_parsing": _A_UUID,
}


def expected(found: ErrorDetails) -> str:
    """Our own words for pydantic's type of error; those of a validator of ours are in the reader's language already."""
    kind, context = found["type"], found.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind not in TEXTS:
        return found["msg"]
    text = _(TEXTS[kind])
    return text % {name: _shown(value) for name, value in context.items()} if context else text


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace(" or ", ", ")  # pydantic lists the choices of a literal in English
