"""Checks an answer without the model that made it: every limit, balance and sum recomputed with plain arithmetic.

Nothing of the model or the solver is imported, so an error there cannot hide itself here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .horizon import Horizon
from .network import Commitment, Link, Network, Store, Supply
from .outcome import Answer
from .recount import Array, Recount, arrivals, costs, final_limits, final_shortage, net_fill, penalties

FLOOR = 1e-6
"""Allowed on any rate or level: 1 litre (per hour) or 1 watt, ten times HiGHS' feasibility tolerance of 1e-7."""
RELATIVE = 1e-6
"""Allowed beyond the floor as a share of the part's scale, for rows that sum many large numbers."""
INTEGRALITY = 1e-5
"""Allowed as a share of a committed part's maximum: HiGHS takes 1e-6 for an integer, and that times max may flow."""
MONEY = 1e-6
"""Allowed between stated and recomputed money, as a share of the sum of all absolute terms (they may cancel)."""
HOUR_EDGE = 1e-6
"""Hours below which two instants are one (4 milliseconds)."""


def broken_limits(network: Network, horizon: Horizon, answer: Answer) -> list[str]:
    """What an answer breaks, one sentence per part and law with its worst step, value and limit. Empty = good."""
    malformed = list(_malformed(network, horizon, answer))
    if malformed:
        return malformed
    case = Recount(network, horizon, answer)
    checks = (_supplies, _demands, _stores, _links, _commitments, _balances, _shortages, _money)
    return [sentence for check in checks for sentence in check(case)]


def _array(values: object) -> Array | None:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return None


def _malformed(network: Network, horizon: Horizon, answer: Answer) -> Iterator[str]:
    """Parts that are missing or unknown, series of the wrong length, and numbers that are none."""
    demands = [demand.name for demand in network.demands]
    families: list[tuple[str, Sequence[str], Mapping[str, Sequence[float]]]] = [
        ("supplies", [supply.name for supply in network.supplies], answer.supplies),
        ("demands served", demands, answer.served),
        ("demands short", demands, answer.short),
        ("stores", [store.name for store in network.stores], answer.levels),
        ("links", [link.name for link in network.links], answer.links),
        ("commitments", [commitment.name for commitment in network.commitments], answer.commitments),
    ]
    for family, wanted, found in families:
        yield from (f"{family}.{name}: missing in the answer" for name in wanted if name not in found)
        yield from (f"{family}.{name}: no such part" for name in found if name not in wanted)
        yield from _bad_series(family, found, len(horizon))
    yield from _bad_series("prices", answer.prices, len(horizon))
    for name, states in answer.commitments.items():
        yield from (f"commitments.{name}: state {state!r}, neither 0 nor 1" for state in set(states) - {0, 1})
    for store in network.stores:
        if _is_soft(store) and store.name not in answer.final_short:
            yield f"stores.{store.name}: final shortage missing in the answer"
    singles = {"objective": answer.objective, "cost": answer.cost} | {f"tier {t}": x for t, x in answer.tiers.items()}
    singles |= {f"stores.{name}: final shortage": short for name, short in answer.final_short.items()}
    yield from (f"{name}: {value!r} is no finite number" for name, value in singles.items() if not _is_finite(value))


def _is_finite(value: object) -> bool:
    number = _array(value)
    return number is not None and number.shape == () and bool(np.isfinite(number))


def _bad_series(family: str, found: Mapping[str, Sequence[float]], steps: int) -> Iterator[str]:
    for name, values in found.items():
        numbers = _array(values)
        if numbers is None or numbers.ndim != 1:
            yield f"{family}.{name}: not a list of numbers"
        elif len(numbers) != steps:
            yield f"{family}.{name}: {len(numbers)} numbers for {steps} steps"
        elif not np.isfinite(numbers).all():
            step = int(np.flatnonzero(~np.isfinite(numbers))[0])
            yield f"{family}.{name}[{step}]: {numbers[step]} is no finite number"


def _is_soft(store: Store) -> bool:
    return store.final is not None and store.final.tier is not None


def _allowed(*limits: Array) -> float:
    """The tolerance of a part whose scale is its largest finite limit."""
    scale = max((float(np.max(np.abs(x[np.isfinite(x)]), initial=0.0)) for x in limits), default=0.0)
    return FLOOR + RELATIVE * scale


def _supplies(case: Recount) -> Iterator[str]:
    for supply in case.network.supplies:
        yield from _rate_limits(case, "supply", supply, np.array(case.answer.supplies[supply.name]))


def _rate_limits(case: Recount, kind: str, part: Supply | Link, rates: Array) -> Iterator[str]:
    """min ≤ rate ≤ max. The lower limit of a committed part is checked with its states."""
    low, high = case.series(part.min), case.series(part.max)
    place = f"{'supplies' if kind == 'supply' else 'links'}.{part.name}"
    yield from case.above(place, rates, high, _allowed(low, high), "is above its max of")
    if (kind, part.name) not in case.committed:
        yield from case.below(place, rates, low, _allowed(low, high), "is below its min of")


def _demands(case: Recount) -> Iterator[str]:
    """served + short = amount, both at least 0, and nothing short of a firm demand."""
    for demand in case.network.demands:
        served, short = np.array(case.answer.served[demand.name]), np.array(case.answer.short[demand.name])
        amount, zero, place = case.series(demand.amount), case.series(0.0), f"demands.{demand.name}"
        allowed = _allowed(amount)
        yield from case.below(place, served, zero, allowed, "served is below")
        yield from case.below(place, short, zero, allowed, "short is below")
        yield from case.above(place, served + short, amount, allowed, "served + short is above the amount")
        yield from case.below(place, served + short, amount, allowed, "served + short is below the amount")
        if demand.firm:
            yield from case.above(place, short, zero, allowed, "short of a firm demand is above")


def _stores(case: Recount) -> Iterator[str]:
    """min ≤ level ≤ capacity at every step, and hard final limits at every leaf."""
    for store in case.network.stores:
        levels, place = np.array(case.answer.levels[store.name]), f"stores.{store.name}"
        low, high = case.series(store.min), case.series(store.capacity)
        yield from case.below(place, levels, low, _allowed(low, high), "is below its min of")
        yield from case.above(place, levels, high, _allowed(low, high), "is above its capacity of")
        if store.final is not None and store.final.tier is None:
            low, high = final_limits(case, store)
            allowed = _allowed(low, high, case.series(store.capacity))
            yield from case.below(place, levels, low, allowed, "is below its final min of")
            yield from case.above(place, levels, high, allowed, "is above its final max of")


def _links(case: Recount) -> Iterator[str]:
    for link in case.network.links:
        rates = np.array(case.answer.links[link.name])
        yield from _rate_limits(case, "link", link, rates)
        if link.max_change_per_hour is not None:
            change = rates - case.before(rates, link.initial_rate)
            change = change if link.may_drop else np.abs(change)
            limit = link.max_change_per_hour * case.hours
            allowed = _allowed(case.series(link.max))
            yield from case.above(f"links.{link.name}", change, limit, allowed, "is a change above its limit of")


def _commitments(case: Recount) -> Iterator[str]:
    parts: dict[tuple[str, str], Supply | Link] = {("supply", x.name): x for x in case.network.supplies}
    parts |= {("link", x.name): x for x in case.network.links}
    for c in case.network.commitments:
        part = parts[c.of_kind, c.of_name]
        rates = np.array((case.answer.supplies if c.of_kind == "supply" else case.answer.links)[c.of_name])
        yield from _committed_rates(case, c, part, rates)
        yield from _minimum_hours(case, c)


def _committed_rates(case: Recount, c: Commitment, part: Supply | Link, rates: Array) -> Iterator[str]:
    """While off the rate is 0; while on it is at least the commitment's minimum and the part's own."""
    on = np.array(case.answer.commitments[c.name]) == 1
    high = case.series(part.max)
    allowed = FLOOR + INTEGRALITY * float(np.max(np.abs(high[np.isfinite(high)]), initial=0.0))
    low = np.where(on, np.maximum(c.min_rate, case.series(part.min)), -np.inf)
    place = f"commitments.{c.name}"
    yield from case.below(place, rates, low, allowed, "is a rate below the least rate while on of")
    yield from case.above(place, np.abs(rates), np.where(on, np.inf, 0.0), allowed, "is a rate while off, not")


def _minimum_hours(case: Recount, c: Commitment) -> Iterator[str]:
    """Walks every step once and remembers how long its state has lasted before it."""
    states = case.answer.commitments[c.name]
    lasted: list[float] = []
    for step, parent in enumerate(case.parents.tolist()):
        was = states[parent] if parent >= 0 else int(c.initially)
        had = lasted[parent] if parent >= 0 else c.initial_hours
        least = c.min_up_hours if was else c.min_down_hours
        if states[step] != was and had < least - HOUR_EDGE:
            yield (
                f"commitments.{c.name} at {case.horizon.steps[step].start.isoformat()} "
                f"(step {case.horizon.steps[step].name}): switched {'off' if was else 'on'} after {had:.9g} hours, "
                f"minimum {least:.9g}"
            )
        lasted.append((had if states[step] == was else 0.0) + float(case.hours[step]))


def _balances(case: Recount) -> Iterator[str]:
    """What comes to a bus equals what leaves it, where the net fill of its stores follows from their levels."""
    net: dict[str, Array] = {bus.name: np.zeros(len(case.hours)) for bus in case.network.buses}
    size: dict[str, Array] = {bus.name: np.zeros(len(case.hours)) for bus in case.network.buses}
    for bus, rates in _flows(case):
        net[bus] += rates
        size[bus] += np.abs(rates)
    zero = case.series(0.0)
    for bus, rates in net.items():
        # A level that is off by the floor is a rate that is off by the floor per step length.
        allowed = (FLOOR + RELATIVE * float(np.max(size[bus]))) * np.maximum(1.0, 1.0 / case.hours)
        yield from case.above(f"buses.{bus}", rates, zero, allowed, "comes in beyond what leaves; the limit is")
        yield from case.below(f"buses.{bus}", rates, zero, allowed, "comes in beyond what leaves; the limit is")


def _flows(case: Recount) -> Iterator[tuple[str, Array]]:
    """Every rate that comes to a bus (positive) or leaves it (negative)."""
    for supply in case.network.supplies:
        yield supply.bus, np.array(case.answer.supplies[supply.name])
    for demand in case.network.demands:
        yield demand.bus, -np.array(case.answer.served[demand.name])
    for store in case.network.stores:
        yield store.bus, -net_fill(case, store)
    for link in case.network.links:
        rates = np.array(case.answer.links[link.name])
        yield link.source, -rates
        arriving = arrivals(case, link, rates) if link.lag_hours else rates
        yield from ((bus, coefficient * arriving) for bus, coefficient in link.to.items())
        yield from ((bus, -coefficient * rates) for bus, coefficient in link.uses.items())


def _shortages(case: Recount) -> Iterator[str]:
    """The stated shortages of tiers, finals and wishes are those of the rates and levels."""
    amounts: dict[str, float] = {}
    scales: dict[str, float] = {}
    tiers: dict[int, list[str]] = {}
    for demand in case.network.demands:
        amounts[demand.name] = case.expected(np.array(case.answer.short[demand.name]))
        scales[demand.name] = case.expected(np.abs(case.series(demand.amount)))
        if demand.tier is not None and not demand.firm:
            tiers.setdefault(demand.tier, []).append(demand.name)
    for store in case.network.stores:
        if store.final is not None and store.final.tier is not None:
            wish = f"{store.name}.final"
            amounts[wish] = final_shortage(case, store)
            scales[wish] = float(np.max(np.abs(case.series(store.capacity))))
            tiers.setdefault(store.final.tier, []).append(wish)
            yield from _differs(
                f"stores.{store.name} final shortage", case.answer.final_short[store.name], amounts[wish], scales[wish]
            )
    for tier in sorted(tiers.keys() | case.answer.tiers.keys()):
        wishes = tiers.get(tier, [])
        total, scale = sum(amounts[wish] for wish in wishes), sum(scales[wish] for wish in wishes)
        yield from _differs(f"tier {tier} shortage", case.answer.tiers.get(tier, 0.0), total, scale)
    for shortage in case.answer.shortages:
        if shortage.wish not in amounts:
            yield f"shortages.{shortage.wish}: no such wish"
        else:
            wish = shortage.wish
            yield from _differs(f"shortages.{wish} amount", shortage.amount, amounts[wish], scales[wish])


def _differs(what: str, stated: float, recomputed: float, scale: float) -> Iterator[str]:
    if not abs(stated - recomputed) <= FLOOR + MONEY * scale:
        yield f"{what}: stated {stated:.9g}, recomputed {recomputed:.9g}"


def _money(case: Recount) -> Iterator[str]:
    """Objective and cost are what the input's prices make of the rates, levels and states."""
    paid, missed = costs(case), list(penalties(case))
    scale = sum(abs(term) for term in paid + missed)
    yield from _differs("cost", case.answer.cost, sum(paid), scale)
    yield from _differs("objective", case.answer.objective, sum(paid) + sum(missed), scale)
