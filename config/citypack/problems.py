"""What is wrong with a pack, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One error. `line` is 0 where no line can be named."""

    file: str
    line: int
    part: str
    """Section and key, such as `reservoirs.fengshan`."""
    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        place = " ".join(filter(None, (self.part, self.field)))
        value = f" is {self.value}" if self.value else ""
        said = f"{place}{value}; " if place or value else ""
        return f"{where}: {said}expected {self.expected}"


class InvalidPack(Exception):
    """A pack with errors: all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} error(s) in the city pack")
        self.problems = sorted(problems)


def shown(value: object) -> str:
    """A value for an error message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
