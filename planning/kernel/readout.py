"""From the solver's column values to an Answer: rates and levels by part, shortages, money, prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .compiled import Compiled, Floats
from .horizon import Horizon
from .money import stated_money
from .network import Demand, Network, Store, at
from .outcome import Answer, Rates, Shortage, Status
from .wishes import Wish

NOISE = 1e-9
"""Values up to this are the solver's rounding and become 0."""
SHORT_SHARE = 1e-6
"""A wish is reported as short from this share of what it wants."""


def read_answer(network: Network, horizon: Horizon, wishes: Sequence[Wish], compiled: Compiled, raw: Floats) -> Answer:
    """The answer of a point, without status, bound, prices and times."""
    values = np.clip(np.where(np.abs(raw) <= NOISE, 0.0, raw), compiled.col_lower, compiled.col_upper)
    steps = len(horizon)
    served = _rates(compiled, values, "served", network.demands, steps)
    levels = _rates(compiled, values, "level", network.stores, steps)
    short = {
        demand.name: tuple((np.broadcast_to(demand.amount, steps) - served[demand.name]).tolist())
        for demand in network.demands
    }
    states = _rates(compiled, values, "on", network.commitments, steps)
    answer = Answer(
        status=Status.FEASIBLE,
        supplies=_rates(compiled, values, "supply", network.supplies, steps),
        served=served,
        short=short,
        levels=levels,
        final_short={
            store.name: _final_short(horizon, store, levels[store.name]) for store in network.stores if _is_soft(store)
        },
        links=_rates(compiled, values, "link", network.links, steps),
        commitments={name: tuple(round(state) for state in on) for name, on in states.items()},
    )
    return _with_sums(network, horizon, wishes, answer)


def _rates(compiled: Compiled, values: Floats, variable: str, parts: Sequence[Any], steps: int) -> Rates:
    places = compiled.columns[variable]
    found = np.where(places >= 0, values[places], 0.0).reshape(len(parts), steps)
    return {part.name: tuple(row) for part, row in zip(parts, found.tolist(), strict=True)}


def _is_soft(store: Store) -> bool:
    return store.final is not None and store.final.tier is not None


def _final_short(horizon: Horizon, store: Store, levels: tuple[float, ...]) -> float:
    """The expected amount by which the final level misses its limits, over the leaves."""
    return sum(horizon.steps[leaf].probability * missed_by(store, levels[leaf]) for leaf in horizon.leaves)


def missed_by(store: Store, level: float) -> float:
    final = store.final
    if final is None:
        return 0.0
    below = final.min - level if final.min is not None else 0.0
    above = level - final.max if final.max is not None else 0.0
    return max(below, above, 0.0)


def _with_sums(network: Network, horizon: Horizon, wishes: Sequence[Wish], answer: Answer) -> Answer:
    tiers = dict.fromkeys(sorted({wish.tier for wish in wishes}), 0.0)
    told = []
    for tier, shortage in shortages(network, horizon, answer, wishes):
        if tier is not None:
            tiers[tier] += shortage.amount
        if shortage.share > SHORT_SHARE:
            told.append(shortage)
    cost, penalties = stated_money(network, horizon, answer)
    return replace(answer, tiers=tiers, shortages=tuple(told), cost=cost, objective=cost + penalties)


def shortages(
    network: Network, horizon: Horizon, answer: Answer, wishes: Sequence[Wish]
) -> Iterator[tuple[int | None, Shortage]]:
    """(tier, shortage) of every wish, and of the economic demands, whether or not anything is missing."""
    stores = {store.name: store for store in network.stores}
    wanted = {(wish.kind, wish.name): wish for wish in wishes}
    for demand in network.demands:
        wish = wanted.get(("demand", demand.name))
        if wish is not None or demand.tier is None and not demand.firm:
            yield demand.tier, _demand_shortage(horizon, answer, demand)
    for wish in wishes:
        if wish.kind == "final":
            store = stores[wish.name]
            yield wish.tier, _final_shortage(horizon, answer, store, wish)


def _demand_shortage(horizon: Horizon, answer: Answer, demand: Demand) -> Shortage:
    steps = horizon.steps
    rates, wanted = answer.short[demand.name], [at(demand.amount, s) for s in range(len(steps))]
    weights = [step.hours * step.probability for step in steps]
    amount = sum(rate * weight for rate, weight in zip(rates, weights, strict=True))
    asked = sum(rate * weight for rate, weight in zip(wanted, weights, strict=True))
    missing = [s for s, rate in enumerate(rates) if rate > SHORT_SHARE * max(wanted[s], NOISE)] or [0]
    worst = max(missing, key=lambda s: (rates[s] / wanted[s] if wanted[s] else 0.0, -s))
    share = amount / asked if asked else 0.0
    return Shortage(demand.name, demand.bus, demand.tier, amount, share, missing[0], missing[-1], worst)


def _final_shortage(horizon: Horizon, answer: Answer, store: Store, wish: Wish) -> Shortage:
    amount, levels = answer.final_short[store.name], answer.levels[store.name]
    missing = [leaf for leaf in horizon.leaves if missed_by(store, levels[leaf]) > 0] or list(horizon.leaves[:1])
    worst = max(missing, key=lambda leaf: (missed_by(store, levels[leaf]), -leaf))
    share = amount / wish.wanted
    return Shortage(f"{store.name}.final", store.bus, wish.tier, amount, share, missing[0], missing[-1], worst)
