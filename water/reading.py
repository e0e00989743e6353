"""What the builders of parts share: what is expected, who goes first, what was planned before, and the sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from django.utils import translation
from django.utils.translation import gettext

from cities.models import Asset, City, PriorityPolicy
from forecasting.models import Series
from forecasting.readers import Expectation
from planning.horizons import horizon_of
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Link, Network, Store, Supply
from planning.kernel.problems import InvalidNetwork, Problem
from planning.models import Plan
from planning.sectors import Label, Note

from .models import Conduit, TreatmentPlant, WaterSource, Weir

Part = Bus | Supply | Demand | Store | Link


@dataclass(frozen=True)
class Before:
    """Rates of links and levels of stores that the plan in force had in mind for a moment; empty without one."""

    links: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """`expected` is keyed by series id and holds one value per step of the horizon."""

    city: City
    horizon: Horizon
    known_at: datetime
    expected: Mapping[int, Expectation]
    policy: PriorityPolicy
    before: Before = field(default_factory=Before)

    def values(self, series: Series) -> tuple[float, ...]:
        """The expected mean per step in the series' unit; none is below zero, whatever a forecast says."""
        return tuple(max(0.0, value) for value in self.expected[series.pk].values)

    def tier(self, user_class: str) -> int:
        """Raises InvalidNetwork for a class that the policy in force does not know."""
        if user_class not in self.policy.tiers:
            place = f"policies.{self.policy.key}.tiers.{user_class}"
            raise InvalidNetwork([Problem(place, None, "a tier for every user class of the city")])
        return int(self.policy.tiers[user_class])


class TurnoutDay(TypedDict):
    """What a turnout's fields want in the first 24 hours, counted where the system takes its water."""

    km3: float
    tier: int
    """1 for rice in flower, 2 for all else: missing water costs most then (yield response 0.69 to 1.13)."""


class Sheet:
    """The parts of the network as they are written down, with how people know them."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.labels: dict[str, Label] = {}
        self.notes: list[Note] = []
        self.turnouts: dict[str, dict[str, TurnoutDay]] = {}
        """By lateral and turnout: what the first day asks for."""

    def put(self, part: Part, asset: Asset, role: str, words: str = "{name}") -> None:
        """`words` is a message of the catalog (marked with gettext_noop) that may speak of {name}."""
        self.parts.append(part)
        en, zh = _in_both(words, {"name": asset})
        self.labels[part.name] = Label(en, zh, role, asset.key)

    def note(self, level: str, words: str, **values: object) -> None:
        self.notes.append(Note(level, *_in_both(words, values)))

    def network(self) -> Network:
        return Network(
            buses=tuple(part for part in self.parts if isinstance(part, Bus)),
            supplies=tuple(part for part in self.parts if isinstance(part, Supply)),
            demands=tuple(part for part in self.parts if isinstance(part, Demand)),
            stores=tuple(part for part in self.parts if isinstance(part, Store)),
            links=tuple(part for part in self.parts if isinstance(part, Link)),
        )


def in_force(city: City, at: datetime) -> Before:
    """What the city's published plan has its links and stores do at a moment, if it reaches that far."""
    plan = Plan.objects.select_related("city").filter(city=city, state=Plan.State.PUBLISHED).first()
    if plan is None or not plan.result:
        return Before()
    ends = [step.end for step in horizon_of(plan).steps]
    passed = sum(end <= at + timedelta(seconds=1) for end in ends)
    if not 0 < passed < len(ends):
        return Before()
    links = {name: rates[passed] for name, rates in plan.result["links"].items()}
    levels = {name: store["level"][passed - 1] for name, store in plan.result["stores"].items()}
    return Before(links, levels)


def power_used(asset: Weir | WaterSource | TreatmentPlant | Conduit, share: float = 1.0) -> dict[str, float]:
    """MW per 10³ m³/h on the asset's power bus, which is its kWh per m³: 1 kWh/m³ × 1000 m³/h = 1 MW.

    `share` is the part of the flow that the energy is counted on.
    """
    if not asset.kwh_per_m3 or not asset.power_bus:
        return {}
    return {asset.power_bus: asset.kwh_per_m3 * share}


def _in_both(words: str, values: Mapping[str, object]) -> tuple[str, str]:
    texts = []
    for language in ("en", "zh-hant"):
        with translation.override(language):
            texts.append(gettext(words).format(**values))
    return texts[0], texts[1]
