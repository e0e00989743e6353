"""What an answer means, as facts: who is short, what holds them back, what one more unit would be worth.

Facts carry names, numbers and ISO times only; the words are put to them outside of the kernel (planning/words.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from .horizon import Horizon
from .network import Link, Network, Store, Supply
from .outcome import Answer, Fact, Shortage, Status, Value
from .recount import Array, Recount

Flags = NDArray[np.bool_]

EDGE = 1e-6
"""A rate or level this near to its limit, as a share of the limit and at least absolute, stands at it."""
NOTEWORTHY = 1e-3
"""Below this share of what was available or of the highest price, nobody needs to be told."""
HELD = 0.5
"""A part that stands at its limit in this share of the short hours holds the wish back."""
PEAK_RATIO = 1.5
"""A price is a peak from this multiple of its mean."""
MOST = 15
"""Facts of one kind: room enough for those that a reader's page leaves out."""
MOST_SHORTAGES = 10
"""The answer itself lists all of them."""


def explain(network: Network, horizon: Horizon, answer: Answer) -> list[Fact]:
    """All facts, the most important kinds first. Without a plan only why; no marginal values without prices."""
    if answer.status is Status.NONE:
        return list(answer.reasons)
    case = Recount(network, horizon, answer)
    builders = (_shortages, _bottlenecks, _price_peaks, _peak_charges, _unused, _spilled, _stores_at_limits)
    return [*answer.reasons, *(fact for build in builders for fact in build(case))]


def _shortages(case: Recount) -> Iterator[Fact]:
    """The worst shortages of the first tiers, each followed by what holds it back."""
    worst = sorted(case.answer.shortages, key=lambda s: (s.tier is None, s.tier or 0, -s.share))
    for short in worst[:MOST_SHORTAGES]:
        kind = "final_shortage" if short.wish not in case.answer.short else "shortage"
        place = short.wish.removesuffix(".final") if kind == "final_shortage" else short.wish
        values: dict[str, Value] = {
            "bus": short.bus,
            "commodity": _commodity(case, short.bus),
            "tier": short.tier,
            "amount": short.amount,
            "share": short.share,
            "first": _time(case, short.first_step),
            "last": case.horizon.steps[short.last_step].end.isoformat(),
            "worst": _time(case, short.worst_step),
        }
        yield Fact(kind, place, values)
        yield from _held_back(case, short, place)


def _held_back(case: Recount, short: Shortage, place: str) -> Iterator[Fact]:
    """Upstream of a wish, the nearest parts at their limit during most of its short hours."""
    is_short = np.ones(len(case.hours), bool)
    if short.wish in case.answer.short:
        is_short = np.array(case.answer.short[short.wish]) > EDGE * max(1.0, short.amount)
    held = (limit for limit in _upstream_limits(case, short.bus, place, is_short) if limit.holds(case, is_short))
    for limit in islice(held, MOST):
        values: dict[str, Value] = {
            "wish": place,
            "commodity": _commodity(case, limit.bus),
            "limit": float(np.mean(limit.values[limit.reached & is_short])),
            "hours": float(np.sum(case.hours[limit.reached & is_short])),
            "short_hours": float(np.sum(case.hours[is_short])),
        }
        yield Fact(f"held_by_{limit.kind}", limit.part, values)


@dataclass(frozen=True)
class _Limit:
    """A limit of a part and the steps at which it is reached."""

    kind: str
    part: str
    bus: str
    reached: Flags
    values: Array

    def holds(self, case: Recount, during: Flags) -> bool:
        hours = float(np.sum(case.hours[self.reached & during]))
        return 0 < hours >= HELD * float(np.sum(case.hours[during]))


def _upstream_limits(case: Recount, bus: str, wish: str, during: Flags) -> Iterator[_Limit]:
    """Limits met going against the flow, nearest first. A link that holds ends its branch, and so does a bus whose
    store has something left: what lies beyond it would not help.
    """
    queue, seen = [bus], {bus}
    while queue:
        here = queue.pop(0)
        stores = [_store_limit(case, s) for s in case.network.stores if s.bus == here and s.name != wish]
        if any(not limit.holds(case, during) for limit in stores):
            continue
        yield from stores
        for supply in (s for s in case.network.supplies if s.bus == here):
            reached = _at_max(case, supply) & (case.series(supply.max) > 0)  # no sun at night is no limit to speak of
            yield _Limit("supply", supply.name, here, reached, case.series(supply.max))
        for link in (x for x in case.network.links if x.to.get(here, 0.0) > 0):
            limits = _link_limits(case, link)
            yield from limits
            if not any(limit.holds(case, during) for limit in limits):
                further = [b for b in (link.source, *link.uses) if b not in seen]
                seen.update(further)
                queue += further


def _store_limit(case: Recount, store: Store) -> _Limit:
    """What a store may not be drawn below: its target at the end where it just meets that, else its lowest level."""
    levels = np.array(case.answer.levels[store.name])[case.leaves]
    target = store.final.min if store.final is not None else None
    if target is not None and np.all(levels <= target + EDGE * max(1.0, target)):
        every = np.ones(len(case.hours), bool)
        return _Limit("target", store.name, store.bus, every, case.series(target))
    return _Limit("store", store.name, store.bus, _at_bottom(case, store), case.series(store.min))


def _link_limits(case: Recount, link: Link) -> list[_Limit]:
    limits = [_Limit("link", link.name, link.source, _at_max(case, link), case.series(link.max))]
    if link.max_change_per_hour is not None:
        rates = _rates(case, link)
        most = link.max_change_per_hour * case.hours
        rising = rates - case.before(rates, link.initial_rate) >= most - EDGE * np.maximum(1.0, most)
        limits.append(_Limit("ramp", link.name, link.source, rising, case.series(link.max_change_per_hour)))
    return limits


def _rates(case: Recount, part: Supply | Link) -> Array:
    return np.array((case.answer.links if isinstance(part, Link) else case.answer.supplies)[part.name])


def _at_max(case: Recount, part: Supply | Link) -> Flags:
    limit = case.series(part.max)
    reached: Flags = _rates(case, part) >= limit - EDGE * np.maximum(1.0, np.abs(limit))
    return reached


def _at_bottom(case: Recount, store: Store) -> Flags:
    low = case.series(store.min)
    reached: Flags = np.array(case.answer.levels[store.name]) <= low + EDGE * np.maximum(1.0, np.abs(low))
    return reached


def _at_top(case: Recount, store: Store) -> Flags:
    high = case.series(store.capacity)
    reached: Flags = np.array(case.answer.levels[store.name]) >= high - EDGE * np.maximum(1.0, np.abs(high))
    return reached & (high > case.series(store.min))


def _bottlenecks(case: Recount) -> Iterator[Fact]:
    """Links and supplies at their limit, by what one more unit of rate would save over the hours at it."""
    if not case.answer.prices:
        return
    found: list[tuple[float, Fact]] = []
    parts: list[tuple[str, Supply | Link, str]] = [("supply", x, x.bus) for x in case.network.supplies]
    parts += [("link", x, x.source) for x in case.network.links]
    highest = max((abs(price) for prices in case.answer.prices.values() for price in prices), default=0.0)
    for kind, part, bus in parts:
        limited = _at_max(case, part) & (case.series(part.max) > 0)
        marginal = np.where(limited, marginal_value(case, part), 0.0)
        worth = np.maximum(0.0, np.where(marginal > NOTEWORTHY * highest, marginal, 0.0))
        hours = float(np.sum(case.hours[worth > 0]))
        if hours > 0:
            total = case.expected(worth)
            values: dict[str, Value] = {"commodity": _commodity(case, bus), "value": total, "hours": hours}
            values["first"] = _time(case, int(np.flatnonzero(worth > 0)[0]))
            found.append((total, Fact(f"bottleneck_{kind}", part.name, values)))
    yield from (fact for _, fact in sorted(found, key=lambda pair: -pair[0])[:MOST])


def marginal_value(case: Recount, part: Supply | Link) -> Array:
    """Money per unit of amount that one more unit through the part saves, at each step it is sent.

    Supply: price − cost. Link: Σ coefficient·price[to] − price[from] − Σ coefficient·price[uses] − cost.
    """
    if isinstance(part, Supply):
        return _price(case, part.bus) - case.series(part.cost)
    value = -_price(case, part.source) - case.series(part.cost)
    for bus, coefficient in part.to.items():
        value = value + coefficient * _price_on_arrival(case, bus, part.lag_hours)
    for bus, coefficient in part.uses.items():
        value = value - coefficient * _price(case, bus)
    return value


def _price(case: Recount, bus: str) -> Array:
    return np.array(case.answer.prices.get(bus, (0.0,) * len(case.hours)))


def _price_on_arrival(case: Recount, bus: str, lag_hours: float) -> Array:
    """The price that what is sent at a step meets when it arrives; 0 for what arrives after the horizon."""
    price = _price(case, bus)
    if not lag_hours:
        return price
    weights = case.hours * case.chance
    met = np.zeros(len(price))
    for step in range(len(price)):
        for sender, share in case.horizon.arrivals(step, lag_hours)[0]:
            met[sender] += share * weights[step] * price[step]
    return met / weights


def _price_peaks(case: Recount) -> Iterator[Fact]:
    """The buses whose highest price stands out most, for each commodity."""
    found: dict[str, list[tuple[float, Fact]]] = {}
    for bus in case.network.buses:
        prices = _price(case, bus.name)
        at, mean = int(np.argmax(prices)), float(np.average(prices, weights=case.hours * case.chance))
        if prices[at] > max(EDGE, PEAK_RATIO * mean):
            values: dict[str, Value] = {"commodity": bus.commodity, "price": float(prices[at]), "mean": mean}
            values["at"] = _time(case, at)
            found.setdefault(bus.commodity, []).append((float(prices[at]) - mean, Fact("price_peak", bus.name, values)))
    for peaks in found.values():
        yield from (fact for _, fact in sorted(peaks, key=lambda pair: -pair[0])[:2])


def _peak_charges(case: Recount) -> Iterator[Fact]:
    """Supplies whose highest rate costs money."""
    for supply in (s for s in case.network.supplies if s.peak):
        rates = _rates(case, supply)
        highest, above = float(np.max(rates)), min(charge.above for charge in supply.peak)
        if highest > above + EDGE * max(1.0, above):
            values: dict[str, Value] = {"commodity": _commodity(case, supply.bus), "rate": highest, "above": above}
            values["money"] = sum(max(0.0, highest - charge.above) * charge.cost for charge in supply.peak)
            values["at"] = _time(case, int(np.argmax(rates)))
            yield Fact("peak_charge", supply.name, values)


def _unused(case: Recount) -> Iterator[Fact]:
    """Supplies that cost nothing and yet are not taken whole: curtailed sun, wind or inflow."""
    found: list[tuple[float, Fact]] = []
    for supply in case.network.supplies:
        available, left = case.series(supply.max), case.series(supply.max) - _rates(case, supply)
        amount, whole = case.expected(left), case.expected(available)
        if np.all(case.series(supply.cost) <= 0) and amount > NOTEWORTHY * whole:
            values: dict[str, Value] = {"commodity": _commodity(case, supply.bus), "amount": amount}
            values |= {"share": amount / whole, "worst": _time(case, int(np.argmax(left)))}
            found.append((amount / whole, Fact("unused", supply.name, values)))
    yield from (fact for _, fact in sorted(found, key=lambda pair: -pair[0])[:MOST])


def _spilled(case: Recount) -> Iterator[Fact]:
    """Links that lead nowhere and are used."""
    for link in (x for x in case.network.links if not x.to):
        rates = _rates(case, link)
        amount = case.expected(rates)
        if amount > EDGE:
            values: dict[str, Value] = {"commodity": _commodity(case, link.source), "amount": amount}
            yield Fact("spilled", link.name, values | {"worst": _time(case, int(np.argmax(rates)))})


def _stores_at_limits(case: Recount) -> Iterator[Fact]:
    """Stores that run down to their lowest allowed level, then those that fill up, the longest first. One that is full
    throughout, such as an untouched reserve, does not fill up.
    """
    for kind, reached, limit in (("store_low", _at_bottom, "min"), ("store_full", _at_top, "capacity")):
        found: list[tuple[float, Fact]] = []
        for store in case.network.stores:
            steps = np.flatnonzero(reached(case, store))
            throughout = kind == "store_full" and steps.size == len(case.hours)
            if steps.size and not throughout:
                hours = float(np.sum(case.hours[steps]))
                values: dict[str, Value] = {"commodity": _commodity(case, store.bus), "hours": hours}
                values |= {"limit": float(case.series(getattr(store, limit))[steps[0]])}
                found.append((hours, Fact(kind, store.name, values | {"first": _time(case, int(steps[0]))})))
        yield from (fact for _, fact in sorted(found, key=lambda pair: -pair[0])[:MOST])


def _commodity(case: Recount, bus: str) -> str:
    return next(b.commodity for b in case.network.buses if b.name == bus)


def _time(case: Recount, step: int) -> str:
    return case.horizon.steps[step].start.isoformat()
