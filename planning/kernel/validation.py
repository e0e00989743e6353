"""What no model can be built from: every problem of a network over a horizon at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cities.kernel.said import Said

from .horizon import Horizon
from .network import Commitment, Demand, Link, Network, Numbers, Store, Supply, at
from .problems import Problem

EDGE = 1e-9
"""Two limits closer than this are equal."""
A_BUS = Said("the name of a bus")
A_NUMBER = Said("a finite number")
A_PART = {"supply": Said("the name of a supply"), "link": Said("the name of a link")}
PER_STEP = "one per step"
"""How what is expected of a series that is too short or too long ends."""


def problems(network: Network, horizon: Horizon) -> list[Problem]:
    """Empty when the network is good. Limits are compared only where both are numbers of the right length."""
    found = [*_horizon(horizon), *problems_of_parts(network, horizon)]
    if not found:
        found += (problem for link in network.links for problem in _unreachable(link, network, horizon))
    return found


def problems_of_parts(network: Network, horizon: Horizon) -> list[Problem]:
    """What is wrong with the parts, as far as that does not depend on how long the steps are."""
    if not horizon.steps:
        return []
    found = list(_names(network))
    buses = {bus.name for bus in network.buses}
    for supply in network.supplies:
        found += _supply(supply, horizon, buses)
    for demand in network.demands:
        found += _demand(demand, horizon, buses)
    for store in network.stores:
        found += _store(store, horizon, buses)
    for link in network.links:
        found += _link(link, horizon, buses)
    for commitment in network.commitments:
        found += _commitment(commitment, network)
    found += _commitments_of_one_part(network)
    return found


def _horizon(horizon: Horizon) -> Iterator[Problem]:
    if not horizon.steps:
        yield Problem("horizon.steps", 0, Said("at least one step"))
    for s, step in enumerate(horizon.steps):
        place = f"horizon.steps[{s}]"
        if step.start.tzinfo is None:
            yield Problem(f"{place}.start", step.start, Said("a time with its offset from UTC"))
        if not (math.isfinite(step.hours) and step.hours > 0):
            yield Problem(f"{place}.hours", step.hours, Said("hours above 0"))
        if not 0 < step.probability <= 1 + EDGE:
            yield Problem(f"{place}.probability", step.probability, Said("a probability above 0 and up to 1"))
        if step.parent is not None and not 0 <= step.parent < s:
            yield Problem(f"{place}.parent", step.parent, Said("a step that stands before it"))
    roots = [step for step in horizon.steps if step.parent is None]
    total = sum(step.probability for step in roots)
    if horizon.steps and abs(total - 1) > 1e-6:
        expected = Said("probabilities of the steps without a parent that add up to 1")
        yield Problem("horizon.steps", total, expected)
    if len({step.start.isoformat() for step in roots}) > 1:
        yield Problem("horizon.steps", len(roots), Said("one start for all steps without a parent"))
    if all(step.start.tzinfo is not None for step in horizon.steps):
        yield from _children(horizon)


def _children(horizon: Horizon) -> Iterator[Problem]:
    """Every step's children share its probability, and begin when it ends."""
    children: dict[int, list[int]] = {}
    for s, step in enumerate(horizon.steps):
        if step.parent is not None and 0 <= step.parent < s:
            children.setdefault(step.parent, []).append(s)
            end = horizon.steps[step.parent].end
            if abs((step.start - end).total_seconds()) > 1e-3:
                expected = Said("%(end)s, the end of its parent", end=end)
                yield Problem(f"horizon.steps[{s}].start", step.start, expected)
    for parent, steps in children.items():
        total = sum(horizon.steps[s].probability for s in steps)
        if abs(total - horizon.steps[parent].probability) > 1e-6:
            chance = horizon.steps[parent].probability
            expected = Said("%(chance)s, the probability of their parent, in sum", chance=chance)
            yield Problem(f"horizon.steps[{steps[0]}].probability", total, expected)


def _names(network: Network) -> Iterator[Problem]:
    families: tuple[tuple[str, Sequence[Any]], ...] = (
        ("buses", network.buses),
        ("supplies", network.supplies),
        ("demands", network.demands),
        ("stores", network.stores),
        ("links", network.links),
        ("commitments", network.commitments),
    )
    for kind, parts in families:
        for name, count in Counter(part.name for part in parts).items():
            if not isinstance(name, str) or not name:
                yield Problem(kind, name, Said("a name"))
            if count > 1:
                yield Problem(f"{kind}.{name}", count, Said("a name that stands once"))


def _bus(place: str, bus: str, buses: set[str]) -> Iterator[Problem]:
    if bus not in buses:
        yield Problem(place, bus, A_BUS)


def _numbers(
    place: str, numbers: Numbers, horizon: Horizon, low: float = -math.inf, infinite: bool = False
) -> Iterator[Problem]:
    """A number, or one per step; at least `low`; infinity only where it means "no limit"."""
    values = numbers if isinstance(numbers, tuple) else (numbers,)
    if isinstance(numbers, tuple) and len(numbers) != len(horizon):
        expected = Said("one number, or %(count)d: one per step", count=len(horizon))
        yield Problem(place, Said("%(count)d values", count=len(numbers)), expected)
    for s, value in enumerate(values):
        where = f"{place}[{s}]" if isinstance(numbers, tuple) else place
        if not _is_number(value) or not (math.isfinite(value) or infinite and value == math.inf):
            yield Problem(where, value, A_NUMBER)
        elif value < low - EDGE:
            yield Problem(where, value, Said("at least %(low)g", low=low))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _single(place: str, value: object, low: float = -math.inf, high: float = math.inf) -> Iterator[Problem]:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        yield Problem(place, value, A_NUMBER)
    elif not low - EDGE <= value <= high + EDGE:
        between = Said("from %(low)g to %(high)g", low=low, high=high)
        yield Problem(place, value, between if math.isfinite(high) else Said("at least %(low)g", low=low))


def _ordered(place: str, low: Numbers, high: Numbers, horizon: Horizon, name: str) -> Iterator[Problem]:
    """The first step where the lower limit exceeds the upper."""
    for numbers in (low, high):
        if isinstance(numbers, tuple) and len(numbers) != len(horizon):
            return
    for s in range(len(horizon)):
        if _is_number(at(low, s)) and _is_number(at(high, s)) and at(low, s) > at(high, s) + EDGE:
            expected = Said("at most its %(field)s, %(high)g", field=name, high=at(high, s))
            yield Problem(f"{place}[{s}]" if isinstance(low, tuple) else place, at(low, s), expected)
            return


def _bounded_when_paid(place: str, part: Supply | Link) -> Iterator[Problem]:
    """A benefit without end has no best plan."""
    costs = part.cost if isinstance(part.cost, tuple) else (part.cost,)
    limits = part.max if isinstance(part.max, tuple) else (part.max,)
    if any(_is_number(cost) and cost < 0 for cost in costs) and math.inf in limits:
        yield Problem(f"{place}.max", math.inf, Said("a finite limit, because its cost is negative"))


def _rates(place: str, part: Supply | Link, horizon: Horizon) -> Iterator[Problem]:
    """Where nothing is stated, min is 0: then a max below it is what was written wrong, and not the min."""
    starts_at_none = part.min == 0
    yield from _numbers(f"{place}.min", part.min, horizon)
    yield from _numbers(f"{place}.max", part.max, horizon, low=0 if starts_at_none else -math.inf, infinite=True)
    yield from _numbers(f"{place}.cost", part.cost, horizon)
    if not starts_at_none:
        yield from _ordered(f"{place}.min", part.min, part.max, horizon, "max")


def _supply(supply: Supply, horizon: Horizon, buses: set[str]) -> Iterator[Problem]:
    place = f"supplies.{supply.name}"
    yield from _bus(f"{place}.bus", supply.bus, buses)
    yield from _rates(place, supply, horizon)
    yield from _bounded_when_paid(place, supply)
    for k, peak in enumerate(supply.peak):
        yield from _single(f"{place}.peak[{k}].above", peak.above, low=0)
        yield from _single(f"{place}.peak[{k}].cost", peak.cost, low=0)


def _demand(demand: Demand, horizon: Horizon, buses: set[str]) -> Iterator[Problem]:
    place = f"demands.{demand.name}"
    yield from _bus(f"{place}.bus", demand.bus, buses)
    yield from _numbers(f"{place}.amount", demand.amount, horizon, low=0)
    yield from _numbers(f"{place}.penalty", demand.penalty, horizon, low=0)
    yield from _tier(f"{place}.tier", demand.tier)


def _tier(place: str, tier: object) -> Iterator[Problem]:
    if tier is not None and (not isinstance(tier, int) or isinstance(tier, bool)):
        yield Problem(place, tier, Said("a whole number, or none"))


def _store(store: Store, horizon: Horizon, buses: set[str]) -> Iterator[Problem]:
    place = f"stores.{store.name}"
    yield from _bus(f"{place}.bus", store.bus, buses)
    yield from _numbers(f"{place}.capacity", store.capacity, horizon, low=0)
    yield from _numbers(f"{place}.min", store.min, horizon, low=0)
    if store.min != 0:  # above nothing every capacity is, or is already refused
        yield from _ordered(f"{place}.min", store.min, store.capacity, horizon, "capacity")
    yield from _single(f"{place}.initial", store.initial, low=0)
    yield from _single(f"{place}.loss_per_hour", store.loss_per_hour, low=0, high=1)
    yield from _single(f"{place}.end_value", store.end_value)
    yield from _final(place, store, horizon)


def _final(place: str, store: Store, horizon: Horizon) -> Iterator[Problem]:
    final = store.final
    if final is None:
        return
    if final.min is None and final.max is None:
        yield Problem(f"{place}.final", Said("nothing"), Said("a min, a max or both"))
    yield from _tier(f"{place}.final.tier", final.tier)
    yield from _single(f"{place}.final.penalty", final.penalty, low=0)
    for name, limit in (("min", final.min), ("max", final.max)):
        if limit is not None:
            yield from _single(f"{place}.final.{name}", limit, low=0)
    if _is_number(final.min) and _is_number(final.max) and final.min is not None and final.max is not None:
        yield from _ordered(f"{place}.final.min", final.min, final.max, horizon, "max")
    if final.tier is None and not isinstance(store.capacity, str):
        yield from _hard_final(place, store, horizon)


def _hard_final(place: str, store: Store, horizon: Horizon) -> Iterator[Problem]:
    """A hard final level has to lie between the store's own limits at every leaf."""
    final = store.final
    for numbers in (store.capacity, store.min):
        if isinstance(numbers, tuple) and len(numbers) != len(horizon):
            return
    for leaf in horizon.leaves:
        capacity, least = at(store.capacity, leaf), at(store.min, leaf)
        if final is not None and final.min is not None and final.min > capacity + EDGE:
            expected = Said("at most its capacity at the end, %(high)g", high=capacity)
            yield Problem(f"{place}.final.min", final.min, expected)
        if final is not None and final.max is not None and final.max < least - EDGE:
            expected = Said("at least its min at the end, %(low)g", low=least)
            yield Problem(f"{place}.final.max", final.max, expected)


def _link(link: Link, horizon: Horizon, buses: set[str]) -> Iterator[Problem]:
    place = f"links.{link.name}"
    yield from _bus(f"{place}.from", link.source, buses)
    for key, ends in (("to", link.to), ("uses", link.uses)):
        for bus, coefficient in ends.items():
            yield from _bus(f"{place}.{key}.{bus}", bus, buses)
            yield from _single(f"{place}.{key}.{bus}", coefficient, low=0)
    if link.source in link.to:
        yield Problem(f"{place}.to", link.source, Said("another bus than the link comes from"))
    yield from _rates(place, link, horizon)
    yield from _single(f"{place}.lag_hours", link.lag_hours, low=0)
    yield from _single(f"{place}.initial_rate", link.initial_rate)
    if link.max_change_per_hour is not None:
        yield from _single(f"{place}.max_change_per_hour", link.max_change_per_hour, low=0)
    yield from _bounded_when_paid(place, link)
    yield from _two_way(place, link)


def _two_way(place: str, link: Link) -> Iterator[Problem]:
    """Backwards, a loss would be a gain, a cost a benefit, and a pump would generate: only a plain line may."""
    lows = link.min if isinstance(link.min, tuple) else (link.min,)
    if not any(_is_number(low) and low < 0 for low in lows):
        return
    plain = set(link.to.values()) == {1.0} and not link.uses and not link.lag_hours and link.cost == 0
    if not plain:
        expected = Said("at least 0, unless coefficient 1, no uses, no lag and no cost")
        yield Problem(f"{place}.min", min(lows), expected)


def _commitment(commitment: Commitment, network: Network) -> Iterator[Problem]:
    place = f"commitments.{commitment.name}"
    families: dict[str, Sequence[Supply | Link]] = {"supply": network.supplies, "link": network.links}
    of = [part for part in families.get(commitment.of_kind, ()) if part.name == commitment.of_name]
    if commitment.of_kind not in families:
        yield Problem(f"{place}.of", commitment.of_kind, Said("supply or link"))
    elif not of:
        yield Problem(f"{place}.of", commitment.of_name, A_PART[commitment.of_kind])
    for field in ("min_rate", "min_up_hours", "min_down_hours", "start_cost", "initial_hours"):
        yield from _single(f"{place}.{field}", getattr(commitment, field), low=0)
    yield from _single(f"{place}.on_cost", commitment.on_cost)
    for part in of[:1]:
        highs = part.max if isinstance(part.max, tuple) else (part.max,)
        lows = part.min if isinstance(part.min, tuple) else (part.min,)
        if math.inf in highs:
            yield Problem(f"{place}.of", commitment.of_name, Said("a part with a finite max"))
        if any(_is_number(low) and low < 0 for low in lows):
            yield Problem(f"{place}.of", commitment.of_name, Said("a part whose min is at least 0"))
        # Without a single number there is nothing to compare with; the part's own problems say so.
        highest = max(highs, default=math.inf) if all(map(_is_number, highs)) else math.inf
        if _is_number(commitment.min_rate) and commitment.min_rate > highest + EDGE:
            expected = Said("at most the max of its part, %(high)g", high=highest)
            yield Problem(f"{place}.min_rate", commitment.min_rate, expected)


def _commitments_of_one_part(network: Network) -> Iterator[Problem]:
    counts = Counter((c.of_kind, c.of_name) for c in network.commitments)
    for commitment in network.commitments:
        if counts[commitment.of_kind, commitment.of_name] > 1:
            yield Problem(f"commitments.{commitment.name}.of", commitment.of_name, Said("a part with one commitment"))


def _unreachable(link: Link, network: Network, horizon: Horizon) -> Iterator[Problem]:
    """The first step whose min and max the ramp cannot reach from the initial rate, whatever the plan."""
    if link.max_change_per_hour is None or ("link", link.name) in {(c.of_kind, c.of_name) for c in network.commitments}:
        return
    ranges: list[tuple[float, float]] = []
    for s, step in enumerate(horizon.steps):
        before = (link.initial_rate, link.initial_rate) if step.parent is None else ranges[step.parent]
        change = link.max_change_per_hour * step.hours
        lowest = -math.inf if link.may_drop else before[0] - change
        low, high = max(at(link.min, s), lowest), min(at(link.max, s), before[1] + change)
        if low > high + EDGE:
            expected = Said(
                "limits that rate %(low)g to %(high)g before step %(step)d reaches with change %(change)g",
                low=before[0],
                high=before[1],
                step=s,
                change=change,
            )
            yield Problem(f"links.{link.name}.max_change_per_hour", link.max_change_per_hour, expected)
            return
        ranges.append((low, high))
