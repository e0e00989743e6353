"""What the builders of a sector's parts share: what they read from, and the sheet they write the parts on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.utils.translation import gettext

from cities.kernel.said import Said
from cities.languages import in_both
from cities.models import Asset, City, PriorityPolicy

from .kernel.horizon import Horizon
from .kernel.network import Bus, Demand, Link, Network, Store, Supply
from .kernel.problems import InvalidNetwork, Problem
from .sectors import Label, Note, Parts

Part = Bus | Supply | Demand | Store | Link
AnyAsset = TypeVar("AnyAsset", bound=Asset)


class Told(Protocol):
    """What a forecast has to say to the readers of a plan."""

    @property
    def level(self) -> str: ...
    @property
    def en(self) -> str: ...
    @property
    def zh(self) -> str: ...


class Expected(Protocol):
    """What is expected of a series; planning does not ask how forecasts are made."""

    @property
    def values(self) -> tuple[float, ...]: ...
    @property
    def high(self) -> tuple[float, ...]: ...
    @property
    def forecast_id(self) -> int | None: ...
    @property
    def synthetic(self) -> bool: ...
    @property
    def notes(self) -> Sequence[Told]: ...


@dataclass(frozen=True)
class Reading:
    """`expected` is keyed by series id and holds one value per step of the horizon."""

    city: City
    horizon: Horizon
    known_at: datetime
    expected: Mapping[int, Expected]
    policy: PriorityPolicy

    def values(self, series: Asset) -> tuple[float, ...]:
        """The expected mean per step in the series' unit; none is below zero, whatever a forecast says."""
        return tuple(max(0.0, value) for value in self.expected[series.pk].values)

    def high(self, series: Asset) -> tuple[float, ...]:
        """What is exceeded at each step once in twenty times, as `values`."""
        return tuple(max(0.0, value) for value in self.expected[series.pk].high)

    def tier(self, user_class: str) -> int:
        """Raises InvalidNetwork for a class that the policy in force does not know."""
        if user_class not in self.policy.tiers:
            place = f"policies.{self.policy.key}.tiers.{user_class}"
            raise InvalidNetwork([Problem(place, None, Said("a tier for every user class of the city"))])
        return int(self.policy.tiers[user_class])


@dataclass
class Sheet:
    """The parts of the network as they are written down, with how people know them."""

    parts: list[Part] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    synthetic: bool = False

    def put(self, part: Part, asset: Asset | City, role: str, words: str = "{name}") -> None:
        """`words` is a message of the catalog (marked with gettext_noop) that may speak of {name}."""
        self.parts.append(part)
        self.call(part.name, asset, role, words)

    def call(self, name: str, asset: Asset | City, role: str, words: str = "{name}") -> None:
        """How people know something that is told of in the plan, a part or not; `words` as in `put`."""
        self.labels[name] = Label(*_in_both(words, name=asset), role, asset.key)

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

    def share(self, reading: Reading, extra: Mapping[str, Any]) -> Parts:
        """The sector's share of the network, with what its forecasts have to say; each note stands once."""
        expected = reading.expected.values()
        said = [Note(note.level, note.en, note.zh) for found in expected for note in found.notes]
        forecasts = tuple(found.forecast_id for found in expected if found.forecast_id is not None)
        return Parts(
            self.network(),
            self.labels,
            forecasts=forecasts,
            notes=(*self.notes, *dict.fromkeys(said)),
            synthetic=self.synthetic or any(found.synthetic for found in expected),
            extra={**extra, "forecasts": forecasts},  # the snapshot holds those of all sectors together
        )


def rows_of(model: type[AnyAsset], city: City, *related: str) -> list[AnyAsset]:
    """A city's rows of a model by key, with the related rows that their parts will ask for."""
    rows = model._default_manager.filter(city=city)
    return list((rows.select_related(*related) if related else rows).order_by("key"))


def _in_both(words: str, **values: object) -> tuple[str, str]:
    return in_both(lambda: gettext(words).format(**values))
