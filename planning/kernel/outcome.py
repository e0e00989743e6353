"""What a solve answers: plain numbers by part and step, and how good they are."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from .horizon import Horizon
from .network import Network

Rates = dict[str, tuple[float, ...]]
Value = str | float | int | None


class Status(StrEnum):
    """How a solve ended, asked together with "is there a solution"."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """A time limit or a cancel came first, and this is the best plan found by then."""
    FALLBACK = "fallback"
    """No search ended with a plan in time: a safe rule switched the on/off parts, and only the rest is optimised."""
    NONE = "none"


@dataclass(frozen=True)
class Shortage:
    """One wish that is not met. `share` is the part of the wanted amount that is missing."""

    wish: str
    bus: str
    tier: int | None
    amount: float
    share: float
    first_step: int
    last_step: int
    worst_step: int


@dataclass(frozen=True)
class Fact:
    """`place` is the part or bus that the fact is about; `values` is plain JSON with times as ISO texts."""

    kind: str
    place: str
    values: dict[str, Value]


@dataclass(frozen=True)
class Progress:
    """A solve's news while it runs. `fraction` is of the whole solve, 0 to 1."""

    stage: str
    fraction: float
    gap: float | None = None


@dataclass(frozen=True)
class Answer:
    """Rates, levels and prices by part name, one number per step.

    `objective` is the expected money as stated by the input: cost, start, on and peak charges, plus stated
    penalties, less the value of final levels. `cost` leaves the penalties out. Prices are money per unit of amount.
    Without a known bound `bound` is −inf and `gap` inf. With status none the money means nothing.
    """

    status: Status
    objective: float = 0.0
    cost: float = 0.0
    gap: float = 0.0
    bound: float = 0.0
    tiers: dict[int, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    supplies: Rates = field(default_factory=dict)
    served: Rates = field(default_factory=dict)
    short: Rates = field(default_factory=dict)
    levels: Rates = field(default_factory=dict)
    final_short: dict[str, float] = field(default_factory=dict)
    links: Rates = field(default_factory=dict)
    commitments: dict[str, tuple[int, ...]] = field(default_factory=dict)
    prices: Rates = field(default_factory=dict)
    shortages: tuple[Shortage, ...] = ()
    reasons: tuple[Fact, ...] = ()
    """Why there is no plan, or one that is not proven best."""
    why: str = ""
    """The reasons in English."""
    broken_limits: tuple[str, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """A plan may go on only with a solution that passed verification."""
        return self.status is not Status.NONE and not self.broken_limits

    def as_dict(self, network: Network, horizon: Horizon) -> dict[str, object]:
        """The stable JSON shape of an answer (version 1)."""
        demands = {name: {"served": list(self.served[name]), "short": list(self.short[name])} for name in self.served}
        return {
            "headgate": 1,
            "status": self.status.value,
            "objective": self._figure(self.objective),
            "gap": self._figure(self.gap),
            "bound": self._figure(self.bound),
            "tiers": [{"tier": tier, "shortage": amount} for tier, amount in sorted(self.tiers.items())],
            "cost": self._figure(self.cost),
            "seconds": dict(self.seconds),
            "supplies": _lists(self.supplies),
            "demands": demands,
            "stores": {name: {"level": list(level)} for name, level in self.levels.items()},
            "links": _lists(self.links),
            "commitments": {name: list(states) for name, states in self.commitments.items()},
            "prices": _lists(self.prices),
            "shortages": [asdict(shortage) for shortage in self.shortages],
            "reasons": [asdict(reason) for reason in self.reasons],
            "why": self.why,
            "broken_limits": list(self.broken_limits),
        }

    def _figure(self, value: float) -> float | None:
        """None without a plan, and for a bound or gap that is not known: JSON has no infinity."""
        return value if self.status is not Status.NONE and math.isfinite(value) else None


def _lists(rates: Rates) -> dict[str, list[float]]:
    return {name: list(values) for name, values in rates.items()}
