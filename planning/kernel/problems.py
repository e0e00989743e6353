"""The one shape of every complaint about input: where, what was found, what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cities.kernel.said import Said


@dataclass(frozen=True)
class Problem:
    """`place` reads like a path into the file, such as "links.main.max[3]"; planning/words.py translates all of it."""

    place: str
    value: object
    expected: Said

    def __str__(self) -> str:
        return f"{self.place}: {self.value!r} — expected {self.expected}"


class InvalidInput(ValueError):
    """Input that was refused whole. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class InvalidNetwork(InvalidInput):
    """A network that no model can be built from."""


class InvalidCase(InvalidInput):
    """A case file that cannot be read."""
