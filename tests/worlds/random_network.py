"""Small random networks with every kind of part, on mixed paths and on trees. A seed always makes the same one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from random import Random

from planning.kernel.horizon import Horizon, Step
from planning.kernel.network import (
    Bus,
    Commitment,
    Demand,
    Final,
    Link,
    Network,
    Numbers,
    PeakCharge,
    Store,
    Supply,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def random_network(seed: int) -> tuple[Network, Horizon]:
    r = Random(seed)
    count = r.randint(1, 6)
    horizon = _path(r) if r.random() < 0.5 else _tree(r)
    steps, buses = len(horizon), [f"b{i}" for i in range(count)]
    supplies = [_supply(r, steps, i, buses) for i in range(r.randint(1, 4))]
    demands = [_demand(r, steps, i, buses) for i in range(r.randint(1, 5))]
    stores = [_store(r, i, buses) for i in range(r.randint(0, 3))]
    links = [_link(r, steps, i, buses) for i in range(r.randint(0, 7))]
    for bus in buses:
        if r.random() < 0.8:
            links.append(Link(f"spill{bus}", bus, inf if r.random() < 0.5 else 99.0))
    commitments = _commitments(r, supplies, links)
    named = tuple(Bus(bus, "water") for bus in buses)
    return Network(named, tuple(supplies), tuple(demands), tuple(stores), tuple(links), commitments), horizon


def _path(r: Random) -> Horizon:
    return Horizon.path(START, [(r.randint(1, 5), 0.25), (r.randint(1, 5), 1.0), (r.randint(0, 2), 3.0)])


def _tree(r: Random) -> Horizon:
    steps = [Step("0", None, START, 1.0, 1.0)]
    leaves = [0]
    for _ in range(r.randint(1, 4)):
        grown = []
        for leaf in leaves:
            branches = r.choice([1, 1, 2])
            shares = [r.random() + 0.1 for _ in range(branches)]
            hours = r.choice([0.25, 0.5, 1, 2])
            for share in shares:
                chance = steps[leaf].probability * share / sum(shares)
                steps.append(Step(str(len(steps)), leaf, steps[leaf].end, hours, chance))
                grown.append(len(steps) - 1)
        leaves = grown
    return Horizon(tuple(steps))


def _series(r: Random, steps: int, low: float, high: float) -> Numbers:
    return tuple(r.uniform(low, high) for _ in range(steps)) if r.random() < 0.5 else r.uniform(low, high)


def _above(r: Random, numbers: Numbers, low: float, high: float) -> Numbers:
    if isinstance(numbers, tuple):
        return tuple(value + r.uniform(low, high) for value in numbers)
    return numbers + r.uniform(low, high)


def _supply(r: Random, steps: int, i: int, buses: list[str]) -> Supply:
    low = _series(r, steps, 0, 2) if r.random() < 0.3 else 0.0
    bus, high, cost = r.choice(buses), _above(r, low, 0, 8), _series(r, steps, -1, 9)
    peaks = tuple(PeakCharge(r.uniform(0, 4), r.uniform(0, 20)) for _ in range(r.choice([0, 0, 1, 2])))
    return Supply(f"s{i}", bus, high, low, cost, peaks)


def _demand(r: Random, steps: int, i: int, buses: list[str]) -> Demand:
    bus, amount, tier = r.choice(buses), _series(r, steps, 0, 6), r.choice([None, 1, 1, 2, 3])
    return Demand(f"d{i}", bus, amount, tier, _series(r, steps, 0, 50), r.random() < 0.1)


def _store(r: Random, i: int, buses: list[str]) -> Store:
    capacity = r.uniform(1, 30)
    least = r.choice([0, 0, capacity * 0.1])
    final = r.choice(
        [
            None,
            None,
            Final(capacity * r.uniform(0.1, 1), None, r.choice([None, 1, 2]), r.uniform(0, 9)),
            Final(None, capacity * r.uniform(0.3, 1), r.choice([None, 2])),
            Final(capacity * 0.4, capacity * 0.6, r.choice([None, 3])),
        ]
    )
    bus, initial = r.choice(buses), r.uniform(least, capacity)
    return Store(f"t{i}", bus, capacity, initial, least, final, r.choice([0, 0, 0.01]), r.choice([0, 0, 2.0]))


def _link(r: Random, steps: int, i: int, buses: list[str]) -> Link:
    source = r.choice(buses)
    ends = r.sample(buses, r.randint(0, min(2, len(buses))))
    to = {bus: r.choice([1.0, 0.9, 0.5]) for bus in ends if bus != source}
    late, ramped = r.random() < 0.3, r.random() < 0.3
    lag = r.choice([0.25, 0.3, 1, 2.5]) if late else 0.0
    change = r.uniform(0.5, 5) if ramped else None
    initial = r.uniform(0, 3) if late or ramped else 0.0
    high, uses = _above(r, 0.0, 3, 9), {bus: r.uniform(0, 0.4) for bus in r.sample(buses, r.choice([0, 0, 1]))}
    return Link(f"l{i}", source, high, to, uses, 0.0, _series(r, steps, 0, 3), lag, initial, change)


def _commitments(r: Random, supplies: list[Supply], links: list[Link]) -> tuple[Commitment, ...]:
    parts: list[Supply | Link] = [*supplies, *(link for link in links if link.max != inf)]
    found = []
    for k, part in enumerate(r.sample(parts, min(len(parts), r.choice([0, 0, 1, 2])))):
        highest = max(part.max) if isinstance(part.max, tuple) else part.max
        kind = "supply" if isinstance(part, Supply) else "link"
        up, down = r.choice([0, 1, 2.5]), r.choice([0, 1, 2])
        start, on = r.uniform(0, 30), r.uniform(0, 3)
        initially, lasted = r.random() < 0.5, r.choice([0.0, 1.0, 99.0])
        rate = highest * r.uniform(0, 0.6)
        found.append(Commitment(f"c{k}", kind, part.name, rate, up, down, start, on, initially, lasted))
    return tuple(found)


def of_several_commodities(seed: int) -> tuple[Network, Horizon]:
    """The same network with water or power at each bus, and every demand a wish of the first tier."""
    network, horizon = random_network(seed)
    r = Random(f"commodities {seed}")
    buses = tuple(Bus(bus.name, r.choice(["water", "power"])) for bus in network.buses)
    demands = tuple(replace(demand, tier=1, firm=False) for demand in network.demands)
    return replace(network, buses=buses, demands=demands), horizon
