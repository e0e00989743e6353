"""What the builders of power parts share: what is expected, what power costs, who goes first, and the sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext
from forecasting.readers import Expectation

from cities.models import Asset, City, PriorityPolicy
from forecasting.models import Series
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Link, Network, Store, Supply
from planning.kernel.problems import InvalidNetwork, Problem
from planning.sectors import Label, Note

from .kernel.tariff import Tariff
from .models import GridConnection, PowerBus

Part = Bus | Supply | Demand | Store | Link


@dataclass(frozen=True)
class Reading:
    """What all parts are made from. `expected` is keyed by series id; `tariffs` and `prices` (money per MWh, by step)
    by id of the grid connection."""

    city: City
    horizon: Horizon
    known_at: datetime
    policy: PriorityPolicy
    expected: Mapping[int, Expectation]
    connections: Sequence[GridConnection]
    tariffs: Mapping[int, Tariff]
    prices: Mapping[int, tuple[float, ...]]

    def values(self, series: Series) -> tuple[float, ...]:
        """The expected mean per step; neither loads nor capacity factors are below zero, whatever a forecast says."""
        return tuple(max(0.0, value) for value in self.expected[series.pk].values)

    def tier(self, user_class: str) -> int:
        """Raises InvalidNetwork for a class that the policy in force does not know."""
        if user_class not in self.policy.tiers:
            place = f"policies.{self.policy.key}.tiers.{user_class}"
            raise InvalidNetwork([Problem(place, None, "a tier for every user class of the city")])
        return int(self.policy.tiers[user_class])

    def cheapest(self, bus: PowerBus) -> float:
        """The lowest price of a purchase on the bus within the horizon, else anywhere in the city; 0 without any."""
        here = [min(self.prices[row.pk]) for row in self.connections if row.bus_id == bus.pk]
        return min(here or [min(prices) for prices in self.prices.values()], default=0.0)


@dataclass
class Sheet:
    """The parts as they are written down, with how people know them."""

    parts: list[Part] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    synthetic: bool = False

    def put(self, part: Part, asset: Asset, role: str, words: str = "{name}") -> None:
        self.parts.append(part)
        self.labels[part.name] = Label(*_in_both(words, name=asset), role, asset.key)

    def note(self, level: str, words: str, **values: object) -> None:
        self.notes.append(Note(level, *_in_both(words, **values)))

    def network(self) -> Network:
        return Network(
            buses=tuple(part for part in self.parts if isinstance(part, Bus)),
            supplies=tuple(part for part in self.parts if isinstance(part, Supply)),
            demands=tuple(part for part in self.parts if isinstance(part, Demand)),
            stores=tuple(part for part in self.parts if isinstance(part, Store)),
            links=tuple(part for part in self.parts if isinstance(part, Link)),
        )


def _in_both(words: str, **values: object) -> tuple[str, str]:
    """A message of the catalog in English and Chinese, with names in the same language."""
    texts = []
    for language in ("en", "zh-hant"):
        with translation.override(language):
            texts.append(gettext(words).format(**values))
    return texts[0], texts[1]
