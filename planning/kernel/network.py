"""A city as one network: buses where supply equals use at every step, joined by five parts.

Units: water in 10³ m³ and 10³ m³/h, power in MW, energy in MWh, money in the city's currency; rates are
per hour and a stock changes by rate × step hours. The kernel itself only sees numbers: no part knows
what a reservoir or a battery is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Numbers = float | tuple[float, ...]
"""A constant, or one value per step of the horizon."""

_NONE: Mapping[str, float] = MappingProxyType({})


def at(numbers: Numbers, step: int) -> float:
    """The value of a constant or series at a step."""
    return numbers[step] if isinstance(numbers, tuple) else numbers


@dataclass(frozen=True)
class Bus:
    """A place where what comes in equals what goes out, at every step."""

    name: str
    commodity: str


@dataclass(frozen=True)
class PeakCharge:
    """Money per unit of rate by which a supply's highest rate exceeds `above`, once per horizon.

    Several charges on one supply add up, so a steeper second section is the extra price above its threshold.
    """

    above: float
    cost: float


@dataclass(frozen=True)
class Supply:
    """Brings `min` ≤ rate ≤ `max` to a bus at `cost` per unit of amount; min = max must be taken."""

    name: str
    bus: str
    max: Numbers
    min: Numbers = 0.0
    cost: Numbers = 0.0
    peak: tuple[PeakCharge, ...] = ()


@dataclass(frozen=True)
class Demand:
    """Wants `amount` (a rate). What is not served is a shortage.

    `tier` orders wishes: lower numbers are served first, whatever the cost. Without a tier the demand is
    served only while that costs less than `penalty` per unit. A firm demand allows no shortage.
    """

    name: str
    bus: str
    amount: Numbers
    tier: int | None = None
    penalty: Numbers = 0.0
    firm: bool = False


@dataclass(frozen=True)
class Final:
    """What a store should hold at the end of the horizon. Without a tier both limits are hard."""

    min: float | None = None
    max: float | None = None
    tier: int | None = None
    penalty: float = 0.0


@dataclass(frozen=True)
class Store:
    """A level between `min` and `capacity` at the end of each step; `end_value` is money per unit left at the end."""

    name: str
    bus: str
    capacity: Numbers
    initial: float
    min: Numbers = 0.0
    final: Final | None = None
    loss_per_hour: float = 0.0
    end_value: float = 0.0


@dataclass(frozen=True)
class Link:
    """Takes a rate from `source`, brings rate × coefficient to each bus of `to` after `lag_hours`, and draws
    rate × coefficient on each bus of `uses` at the same step. With an empty `to` it is a spillway.
    """

    name: str
    source: str
    max: Numbers
    to: Mapping[str, float] = field(default_factory=lambda: _NONE)
    uses: Mapping[str, float] = field(default_factory=lambda: _NONE)
    min: Numbers = 0.0
    cost: Numbers = 0.0
    lag_hours: float = 0.0
    initial_rate: float = 0.0
    max_change_per_hour: float | None = None
    may_drop: bool = False
    """Whether the rate may fall faster than it may rise: at once, as that of a works whose river fails."""


@dataclass(frozen=True)
class Commitment:
    """On/off of a supply or a link: while off its rate is 0, while on at least `min_rate`.

    `initially` is the state before the horizon, `initial_hours` how long it has lasted.
    """

    name: str
    of_kind: str
    """"supply" or "link"."""
    of_name: str
    min_rate: float = 0.0
    min_up_hours: float = 0.0
    min_down_hours: float = 0.0
    start_cost: float = 0.0
    on_cost: float = 0.0
    initially: bool = False
    initial_hours: float = 1e6


@dataclass(frozen=True)
class Network:
    """All parts of a city. Names are unique within a kind of part."""

    buses: tuple[Bus, ...] = ()
    supplies: tuple[Supply, ...] = ()
    demands: tuple[Demand, ...] = ()
    stores: tuple[Store, ...] = ()
    links: tuple[Link, ...] = ()
    commitments: tuple[Commitment, ...] = ()

    def __add__(self, other: Network) -> Network:
        return Network(
            self.buses + other.buses,
            self.supplies + other.supplies,
            self.demands + other.demands,
            self.stores + other.stores,
            self.links + other.links,
            self.commitments + other.commitments,
        )


def joined_buses(network: Network) -> list[str]:
    """The buses that any part stands at, in their order; a bus without parts has nothing to balance."""
    found = {supply.bus for supply in network.supplies} | {demand.bus for demand in network.demands}
    found |= {store.bus for store in network.stores}
    for link in network.links:
        found |= {link.source, *link.to, *link.uses}
    return [bus.name for bus in network.buses if bus.name in found]
