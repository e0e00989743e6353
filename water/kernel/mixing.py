"""Where the water on a bus comes from, and what it picked up on its way, by proportional mixing.

A network's flows do not say which drop went where. The convention used here: what comes into a bus in a step mixes
fully, and everything that leaves the bus has that mix; a store mixes what comes in with what it holds. For a bus b

    inflow_b · x_b = Σ_supplies rate · e_s + Σ_links amount · (x_from + added_link) + Σ_stores drawn · x_store

is one linear system per step over all buses, so that flows in a circle do no harm. The principle is
that of Bialek, "Tracing the flow of electricity", IEE Proc.-Gener. Transm. Distrib. 143(4), 1996. It is an
approximation: real pipes mix less than fully, and the order within a step is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planning.kernel.horizon import Horizon
from planning.kernel.network import Link, Network, Store

Array = NDArray[np.float64]
STILL = 1e-9
"""A bus where less flows keeps the mix it had: there is nothing to mix."""


@dataclass(frozen=True)
class Mix:
    """Shares by step and origin, and what one unit has picked up by step and kind, for every bus.

    Origins are the supplies, then the stores for what they held at the start, then water under way at the start.
    """

    origins: tuple[str, ...]
    shares: Mapping[str, Array]
    picked_up: Mapping[str, Array]


UNDER_WAY = "under way"


@dataclass(frozen=True)
class Flows:
    """What a solved network does: rates and levels by part name, one per step.

    `added` names supplies and links with what every delivered unit picks up there, as an array (steps, kinds).
    """

    supplies: Mapping[str, Sequence[float]]
    links: Mapping[str, Sequence[float]]
    levels: Mapping[str, Sequence[float]] = field(default_factory=dict)
    added: Mapping[str, Array] = field(default_factory=dict)
    kinds: int = 0


def mix(network: Network, horizon: Horizon, flows: Flows) -> Mix:
    """Traces the flows of a solved network."""
    tracing = _Tracing(network, horizon, flows)
    for step in range(len(horizon)):
        tracing.trace(step)
    values = {bus.name: tracing.values[:, k, :] for k, bus in enumerate(network.buses)}
    cut = len(tracing.origins)
    return Mix(
        tracing.origins,
        {bus: found[:, :cut] for bus, found in values.items()},
        {bus: found[:, cut:] for bus, found in values.items()},
    )


class _Tracing:
    """`values[step, bus, column]`: shares of origins first, then what was picked up."""

    def __init__(self, network: Network, horizon: Horizon, flows: Flows) -> None:
        self._network, self._horizon, self._flows = network, horizon, flows
        self.origins = (*(part.name for part in network.supplies), *(part.name for part in network.stores), UNDER_WAY)
        self._bus = {bus.name: k for k, bus in enumerate(network.buses)}
        self._columns = len(self.origins) + flows.kinds
        self.values = np.zeros((len(horizon), len(network.buses), self._columns))
        self._held = {store.name: self._pure(store.name) for store in network.stores}
        self._arrivals = {
            lag: [horizon.arrivals(step, lag) for step in range(len(horizon))]
            for lag in {link.lag_hours for link in network.links if link.lag_hours}
        }

    def trace(self, step: int) -> None:
        """Solves one step's system and fills the stores."""
        count = len(self._bus)
        self._inflow, self._coming, self._right = (
            np.zeros(count),
            np.zeros((count, count)),
            np.zeros((count, self._columns)),
        )
        for supply in self._network.supplies:
            value = self._pure(supply.name) + self._picked(supply.name, step)
            self._bring(self._bus[supply.bus], self._flows.supplies[supply.name][step], value)
        for link in self._network.links:
            self._arrive(link, step)
        for store in self._network.stores:
            drawn = -self._filled(store, step)
            if drawn > 0:
                self._bring(self._bus[store.bus], drawn, self._held[store.name])
        before = self.values[step - 1] if step else np.zeros((count, self._columns))
        system = np.diag(self._inflow + STILL) - self._coming
        self.values[step] = np.linalg.solve(system, self._right + STILL * before)
        for store in self._network.stores:
            self._fill(store, step)

    def _bring(self, bus: int, amount: float, value: Array) -> None:
        self._inflow[bus] += amount
        self._right[bus] += amount * value

    def _arrive(self, link: Link, step: int) -> None:
        rates = self._flows.links[link.name]
        senders, before = self._arrivals[link.lag_hours][step] if link.lag_hours else ([(step, 1.0)], 0.0)
        for to, coefficient in link.to.items():
            source, target = self._bus[link.source], self._bus[to]
            for sent, share in senders:
                amount = share * rates[sent] * coefficient
                if amount < 0:  # a two-way link the other way round; it picks up nothing
                    self._send(target, source, -amount, sent, step, np.zeros(self._columns))
                else:
                    self._send(source, target, amount, sent, step, self._picked(link.name, sent))
            self._bring(target, before * link.initial_rate * coefficient, self._pure(UNDER_WAY))

    def _send(self, source: int, target: int, amount: float, sent: int, step: int, picked: Array) -> None:
        if sent == step:
            self._coming[target, source] += amount
            self._bring(target, amount, picked)
        else:
            self._bring(target, amount, self.values[sent, source] + picked)

    def _filled(self, store: Store, step: int) -> float:
        """The rate into a store, net of what it loses; negative where it is drawn on."""
        hours = self._horizon.hours[step]
        return (self._flows.levels[store.name][step] - self._kept(store, step)) / hours

    def _kept(self, store: Store, step: int) -> float:
        """What is left of the level before after the step's losses, which are taken evenly from all it holds."""
        before = self._flows.levels[store.name][step - 1] if step else store.initial
        return before * max(0.0, 1 - store.loss_per_hour * self._horizon.hours[step])

    def _fill(self, store: Store, step: int) -> None:
        amount = self._filled(store, step) * self._horizon.hours[step]
        if amount > 0:
            kept = self._kept(store, step)
            incoming = self.values[step, self._bus[store.bus]]
            self._held[store.name] = (kept * self._held[store.name] + amount * incoming) / (kept + amount)

    def _pure(self, origin: str) -> Array:
        value = np.zeros(self._columns)
        value[self.origins.index(origin)] = 1.0
        return value

    def _picked(self, name: str, step: int) -> Array:
        value = np.zeros(self._columns)
        if name in self._flows.added:
            value[len(self.origins) :] = self._flows.added[name][step]
        return value
