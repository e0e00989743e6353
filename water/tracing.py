"""A plan's water traced to its sources: shares, money, energy and carbon of what reaches a bus."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planning.kernel.casefile import from_dict
from planning.kernel.network import Link, Network
from planning.numbers import Numbers, Rates

from .intakes import WATER
from .kernel.mixing import Array, Flows, Mix, mix
from .kernel.units import M3_PER_KM3

KINDS = ("money", "energy", "carbon")
"""Money, MWh and t CO₂e that 10³ m³ pick up on their way."""


@dataclass(frozen=True)
class Origin:
    """`name` is a supply, a store for what it held at the start, or mixing.UNDER_WAY. Rates in 10³ m³/h by step."""

    name: str
    is_store: bool
    rates: Rates


@dataclass(frozen=True)
class Traced:
    """What a rate of water on a bus is made of. Per m³: money, kWh, kg CO₂e, by step."""

    origins: tuple[Origin, ...]
    money_per_m3: Rates
    kwh_per_m3: Rates
    kg_per_m3: Rates


def trace(numbers: Numbers) -> Mix:
    """The mix on every water bus of a solved plan."""
    network, horizon = from_dict(numbers.case)
    result = numbers.plan.result or {}
    levels = {name: store["level"] for name, store in result["stores"].items()}
    water = _water_only(network)
    added = {link.name: _added_by(numbers, link) for link in water.links}
    for supply in water.supplies:
        cost = numbers.stated("supplies", supply.name, "cost")
        added[supply.name] = np.column_stack([cost, np.zeros_like(cost), np.zeros_like(cost)])
    return mix(water, horizon, Flows(result["supplies"], result["links"], levels, added, len(KINDS)))


def of(found: Mix, bus: str, rates: Rates) -> Traced:
    """The rates served on a bus by origin, largest first; origins of less than a thousandth of all are left out."""
    stores = _stores(found)
    amounts = found.shares[bus] * rates[:, None]
    total = amounts.sum()
    origins = [
        Origin(name, name in stores, amounts[:, k])
        for k, name in enumerate(found.origins)
        if total and amounts[:, k].sum() > 1e-3 * total
    ]
    money, energy, carbon = (found.picked_up[bus][:, k] for k in range(len(KINDS)))
    per_m3 = money / M3_PER_KM3, energy, carbon  # MWh per 10³ m³ are kWh per m³, and so with t and kg
    return Traced(tuple(sorted(origins, key=lambda origin: -origin.rates.sum())), *per_m3)


def _stores(found: Mix) -> set[str]:
    return {name for name in found.origins if name.split(".")[0] in ("reservoir", "tank", "reserve")}


def _water_only(network: Network) -> Network:
    """The network without power: its buses of water and what stands on them."""
    wet = {bus.name for bus in network.buses if bus.commodity == WATER}
    return Network(
        buses=tuple(bus for bus in network.buses if bus.name in wet),
        supplies=tuple(part for part in network.supplies if part.bus in wet),
        demands=tuple(part for part in network.demands if part.bus in wet),
        stores=tuple(part for part in network.stores if part.bus in wet),
        links=tuple(
            replace(part, to={bus: share for bus, share in part.to.items() if bus in wet})
            for part in network.links
            if part.source in wet
        ),
    )


def _added_by(numbers: Numbers, link: Link) -> Array:
    """What 10³ m³ pick up on a link, counted on what it delivers: its own cost, and the power that it draws."""
    cost = numbers.stated("links", link.name, "cost").copy()
    energy, carbon = np.zeros_like(cost), np.zeros_like(cost)
    factors = numbers.plan.snapshot["extra"].get("energy", {}).get("carbon_kg_per_kwh", {})
    for bus, mwh in link.uses.items():
        purchase = _purchase(numbers, bus)
        if purchase:
            energy += mwh
            cost += mwh * numbers.stated("supplies", purchase, "cost")
            carbon += mwh * factors.get(purchase, 0.0)
    delivered = sum(link.to.values()) or 1.0
    return np.column_stack([cost, energy, carbon]) / delivered


def _purchase(numbers: Numbers, bus: str) -> str | None:
    """The purchase that feeds a power bus; None for what is no power bus or buys nothing of its own."""
    purchases = numbers.supplies("purchase")
    return next((row.name for row in purchases if numbers.case["supplies"][row.name]["bus"] == bus), None)
