"""A solved plan's numbers by the role of its parts, for tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cities.languages import is_chinese

from .models import Plan

Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One part of the network with its rates (or levels) by step."""

    name: str
    asset: str
    label: str
    rates: Rates


@dataclass(frozen=True)
class Numbers:
    """Reads a plan's snapshot and result. Raises KeyError for a plan that was not solved."""

    plan: Plan

    @cached_property
    def hours(self) -> Rates:
        return np.array([(end - start).total_seconds() / 3600 for start, end in self.plan.times()])

    @cached_property
    def labels(self) -> dict[str, dict[str, str]]:
        return dict(self.plan.snapshot["labels"])

    @cached_property
    def case(self) -> dict[str, Any]:
        return dict(self.plan.snapshot["case"])

    def label(self, name: str) -> str:
        """What a part is called in the active language."""
        found = self.labels.get(name, {})
        return (found.get("zh") if is_chinese() else None) or found.get("en") or name

    def supplies(self, *roles: str) -> list[Row]:
        return self._rows("supplies", roles, lambda values: values)

    def links(self, *roles: str) -> list[Row]:
        return self._rows("links", roles, lambda values: values)

    def served(self, *roles: str) -> list[Row]:
        return self._rows("demands", roles, lambda values: values["served"])

    def short(self, *roles: str) -> list[Row]:
        return self._rows("demands", roles, lambda values: values["short"])

    def levels(self, *roles: str) -> list[Row]:
        return self._rows("stores", roles, lambda values: values["level"])

    def amount(self, rates: Rates, first_hours: float | None = None) -> float:
        """Rate × hours over the plan, or over its first hours."""
        ends = np.cumsum(self.hours)
        inside = np.ones_like(ends, dtype=bool) if first_hours is None else ends <= first_hours + 1e-6
        return float(np.sum((rates * self.hours)[inside]))

    def stated(self, kind: str, name: str, field: str, default: float = 0.0) -> Rates:
        """A number or series of the case file as one value per step."""
        value = self.case.get(kind, {}).get(name, {}).get(field, default)
        return np.broadcast_to(np.array(value, dtype=float), self.hours.shape)

    def _rows(self, kind: str, roles: Sequence[str], pick: Any) -> list[Row]:
        return [
            Row(name, self.labels[name]["asset"], self.label(name), np.array(pick(values), dtype=float))
            for name, values in self.plan.result[kind].items()
            if self.labels.get(name, {}).get("role") in roles
        ]
