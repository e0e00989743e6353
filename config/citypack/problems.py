"""What is wrong with a pack, and where."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


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
        words = {"where": where, "place": place, "value": self.value, "expected": self.expected}
        if self.value:
            return _("%(where)s: %(place)s is %(value)s; expected %(expected)s") % words
        return (
            _("%(where)s: %(place)s; expected %(expected)s") if place else _("%(where)s: expected %(expected)s")
        ) % words


class InvalidPack(Exception):
    """A pack with errors: all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        count = len(problems)
        told = ngettext("%(count)d error in the city pack", "%(count)d errors in the city pack", count)
        super().__init__(told % {"count": count})
        self.problems = sorted(problems)


def shown(value: object) -> str:
    """A value for an error message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
