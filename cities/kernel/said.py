"""What a kernel says to people: English that knows what it was made of, for cities/languages.py to translate."""

from __future__ import annotations

from typing import Self


class Said(str):
    """`english` has a place such as %(low)g for each of `values`, which may be Said themselves.

    A text like any other wherever English is wanted: in a log, in JSON, in an exception. The first argument is always
    written out, because `manage.py words --check` reads it from the source.
    """

    english: str
    values: dict[str, object]

    def __new__(cls, english: str, **values: object) -> Self:
        said = super().__new__(cls, english % values if values else english)
        said.english, said.values = english, values
        return said
