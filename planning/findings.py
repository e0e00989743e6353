"""Which facts of a plan are worth a reader's time: those that somebody could act on.

The kernel states facts of a network; what a part is to people shows in the case file and its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from .models import Plan
from .numbers import Numbers

Fact = Mapping[str, Any]
MOST_OF_A_KIND = 5
_NOTHING = 1e-6


def findings(plan: Plan) -> list[Fact]:
    """The facts of a solved plan without those that describe what is as it should be."""
    numbers = Numbers(plan)
    cycling = _cycling(plan)
    told = [fact for fact in plan.facts if _FILTERS.get(fact["kind"], _always)(numbers, fact, cycling)]
    kinds = Counter[str]()
    return [fact for fact in told if _is_among_the_first(fact, kinds)]


def _is_among_the_first(fact: Fact, seen: Counter[str]) -> bool:
    """A reader acts on the first few of a kind; who is short is told of all."""
    seen[fact["kind"]] += 1
    return seen[fact["kind"]] <= MOST_OF_A_KIND or "short" in fact["kind"] or fact["kind"].startswith("held_by")


def _always(numbers: Numbers, fact: Fact, cycling: set[str]) -> bool:
    return True


def _spills_from_a_store(numbers: Numbers, fact: Fact, cycling: set[str]) -> bool:
    """A river that runs on is no loss; a store that spills is."""
    bus = numbers.case["links"][fact["place"]]["from"]
    return any(store["bus"] == bus for store in numbers.case.get("stores", {}).values())


def _can_be_ordered(numbers: Numbers, fact: Fact, cycling: set[str]) -> bool:
    """Nobody can have more of what nature gives: it costs nothing or must be taken as it comes."""
    least, most, cost = (numbers.stated("supplies", fact["place"], field) for field in ("min", "max", "cost"))
    return bool(np.any(most > least) and np.any(cost > 0))


def _is_used_then(numbers: Numbers, fact: Fact, cycling: set[str]) -> bool:
    """A price where nobody uses anything is nobody's price."""
    at = datetime.fromisoformat(fact["values"]["at"])
    step = [start for start, _end in numbers.plan.times()].index(at)
    return _used(numbers, fact["place"], step) > _NOTHING


def _does_not_cycle(numbers: Numbers, fact: Fact, cycling: set[str]) -> bool:
    """A store that fills and empties within the plan does its work."""
    return fact["place"] not in cycling


_FILTERS: dict[str, Callable[[Numbers, Fact, set[str]], bool]] = {
    "spilled": _spills_from_a_store,
    "bottleneck_supply": _can_be_ordered,
    "price_peak": _is_used_then,
    "store_low": _does_not_cycle,
    "store_full": _does_not_cycle,
}


def _cycling(plan: Plan) -> set[str]:
    low, full = ({fact["place"] for fact in plan.facts if fact["kind"] == kind} for kind in ("store_low", "store_full"))
    return low & full


def _used(numbers: Numbers, bus: str, step: int) -> float:
    """What demands and pumps use at a bus at one step."""
    result = numbers.plan.result or {}
    demands, links = numbers.case.get("demands", {}), numbers.case.get("links", {})
    served = (result["demands"][name]["served"][step] for name, demand in demands.items() if demand["bus"] == bus)
    pumped = (result["links"][name][step] * link.get("uses", {}).get(bus, 0.0) for name, link in links.items())
    return float(sum(served) + sum(pumped))
