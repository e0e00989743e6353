"""A section as a page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from .sectors import Section


@dataclass(frozen=True)
class Shown:
    """A section as a template needs it: every cell with whether it is a number."""

    title: str
    note: str
    findings: list[str]
    """The rows of a section with a single column, which reads better as a list."""
    headers: list[tuple[str, bool]]
    rows: list[list[tuple[str, bool]]]


def shown(table: Section) -> Shown:
    if len(table.headers) == 1:
        return Shown(table.title, table.note, [row[0] for row in table.rows], [], [])
    are_numbers = table.are_numbers() if table.rows else [False] * len(table.headers)
    rows = [list(zip(row, are_numbers, strict=True)) for row in table.rows]
    return Shown(table.title, table.note, [], list(zip(table.headers, are_numbers, strict=True)), rows)
