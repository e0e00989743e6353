"""What the builders of power parts read from: what is expected, who goes first, and what power costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planning import sheet

from .kernel.tariff import Tariff
from .models import GridConnection, PowerBus


@dataclass(frozen=True)
class Reading(sheet.Reading):
    """`tariffs` and `prices` (money per MWh, by step) are keyed by id of the grid connection."""

    connections: Sequence[GridConnection]
    tariffs: Mapping[int, Tariff]
    prices: Mapping[int, tuple[float, ...]]

    def cheapest(self, bus: PowerBus) -> float:
        """The lowest price of a purchase on the bus within the horizon, else anywhere in the city; 0 without any."""
        here = [min(self.prices[row.pk]) for row in self.connections if row.bus_id == bus.pk]
        return min(here or [min(prices) for prices in self.prices.values()], default=0.0)
