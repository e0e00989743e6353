"""One line of the table, and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

DECIMALS = 3


@dataclass(frozen=True)
class Row:
    """What was measured. `cpu_s` are CPU seconds of one thread; `goal` and `best` are text, "" where there is none."""

    work: str
    measure: str
    goal: str
    best: str
    ours: float | str
    cpu_s: float | None = None
    met: bool | None = None

    @property
    def cells(self) -> list[str]:
        ours = f"{self.ours:.{DECIMALS}f}" if isinstance(self.ours, float) else self.ours
        verdict = "" if self.met is None else ("yes" if self.met else "NO")
        cpu = "" if self.cpu_s is None else f"{self.cpu_s:.1f}"
        return [self.work, self.measure, self.goal, self.best, ours, verdict, cpu]


Measurement = Callable[[], list[Row]]


class Absent(Exception):
    """Data or a package that a measurement needs are not here; the message says which and where they belong."""


@contextmanager
def cpu_seconds() -> Iterator[Callable[[], float]]:
    """with cpu_seconds() as spent: …; spent() is the CPU time of this process within, or since, the block."""
    begin = time.process_time()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.process_time()) - begin
    ended.append(time.process_time())


def at_most(work: str, measure: str, goal: float, best: str, ours: float, cpu_s: float | None = None) -> Row:
    return Row(work, measure, f"≤ {goal:g}", best, ours, cpu_s, ours <= goal)


def within(work: str, measure: str, nominal: float, share: float, best: str = "") -> Row:
    """A coverage in per cent, wanted within two points of what the band says."""
    return Row(work, measure, f"{nominal:g} ± 2", best, share, None, abs(share - nominal) <= 2)
