"""Water traced to its sources in networks small enough to mix by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Link, Network, Store, Supply
from water.kernel.mixing import Flows, Mix, mix


def path(steps: int, hours: float = 1.0) -> Horizon:
    return Horizon.path(datetime(2026, 11, 20, tzinfo=UTC), [(steps, hours)])


def buses(*names: str) -> tuple[Bus, ...]:
    return tuple(Bus(name, "water") for name in names)


def share(found: Mix, bus: str, origin: str, step: int = 0) -> float:
    return float(found.shares[bus][step, found.origins.index(origin)])


def test_two_sources_mix_by_what_they_bring() -> None:
    network = Network(
        buses=buses("lake", "town"),
        supplies=(Supply("river", "lake", 3), Supply("well", "lake", 1), Supply("tap", "town", 4)),
        links=(Link("main", "lake", 9, to={"town": 1.0}),),
        demands=(Demand("homes", "town", 8),),
    )
    found = mix(network, path(1), Flows({"river": [3.0], "well": [1.0], "tap": [4.0]}, {"main": [4.0]}))
    # the main carries 3:1 and meets as much from the tap
    assert [share(found, "town", name) for name in ("river", "well", "tap")] == pytest.approx([0.375, 0.125, 0.5])


def test_a_loss_on_the_way_changes_the_amount_but_not_the_mix() -> None:
    network = Network(
        buses=buses("a", "b"),
        supplies=(Supply("one", "a", 2), Supply("two", "b", 1)),
        links=(Link("leaky", "a", 9, to={"b": 0.5}),),
    )
    found = mix(network, path(1), Flows({"one": [2.0], "two": [1.0]}, {"leaky": [2.0]}))
    assert share(found, "b", "one") == pytest.approx(0.5)  # 2 × 0.5 against 1


def test_flows_in_a_circle_are_solved_together() -> None:
    # a gets 1 of its own and 1 back from b; b gets 2 from a and 1 of its own: x_a = 0.5 + 0.5 x_b, x_b = 2/3 x_a
    network = Network(
        buses=buses("a", "b"),
        supplies=(Supply("one", "a", 1), Supply("two", "b", 1)),
        links=(Link("out", "a", 9, to={"b": 1.0}), Link("back", "b", 9, to={"a": 1.0})),
        demands=(Demand("d", "b", 2),),
    )
    found = mix(network, path(1), Flows({"one": [1.0], "two": [1.0]}, {"out": [2.0], "back": [1.0]}))
    assert share(found, "a", "one") == pytest.approx(0.75)
    assert share(found, "b", "one") == pytest.approx(0.5)


def test_a_store_mixes_what_comes_with_what_it_holds_and_gives_that_later() -> None:
    network = Network(
        buses=buses("site"),
        supplies=(Supply("rain", "site", 4),),
        stores=(Store("tank", "site", 10, 2),),
        demands=(Demand("d", "site", 2),),
    )
    # step 0: 4 come, 2 are used, 2 go into a tank of 2; step 1: 2 are drawn from the half-and-half tank
    found = mix(network, path(2), Flows({"rain": [4.0, 0.0]}, {}, {"tank": [4.0, 2.0]}))
    assert share(found, "site", "rain", 0) == pytest.approx(1.0)
    assert share(found, "site", "rain", 1) == pytest.approx(0.5)
    assert share(found, "site", "tank", 1) == pytest.approx(0.5)


def test_delayed_water_has_the_mix_of_when_it_was_sent() -> None:
    network = Network(
        buses=buses("weir", "field"),
        supplies=(Supply("river", "weir", 1), Supply("pump", "weir", 1)),
        links=(Link("canal", "weir", 9, to={"field": 1.0}, lag_hours=1.0, initial_rate=1.0),),
    )
    found = mix(network, path(3), Flows({"river": [1, 0, 0], "pump": [0, 1, 1]}, {"canal": [1, 1, 1]}))
    assert share(found, "field", "under way", 0) == pytest.approx(1.0)
    assert share(found, "field", "river", 1) == pytest.approx(1.0)
    assert share(found, "field", "pump", 2) == pytest.approx(1.0)


def test_what_is_picked_up_on_the_way_adds_up() -> None:
    network = Network(
        buses=buses("raw", "clean"),
        supplies=(Supply("river", "raw", 2), Supply("tap", "clean", 1)),
        links=(Link("plant", "raw", 9, to={"clean": 1.0}),),
    )
    added = {"plant": np.array([[3.0, 0.5]]), "tap": np.array([[25.0, 0.0]]), "river": np.array([[1.0, 0.0]])}
    found = mix(network, path(1), Flows({"river": [2.0], "tap": [1.0]}, {"plant": [2.0]}, {}, added, 2))
    # (2 × (1 + 3) + 1 × 25) / 3 = 11 and 2 × 0.5 / 3
    assert found.picked_up["clean"][0] == pytest.approx([11.0, 1 / 3])


def test_shares_add_up_wherever_water_flows() -> None:
    dice = np.random.default_rng(0)
    names = ("a", "b", "c")
    links = tuple(Link(f"{x}{y}", x, 9, to={y: 0.9}) for x in names for y in names if x != y)
    network = Network(buses=buses(*names), supplies=tuple(Supply(f"s{x}", x, 9) for x in names), links=links)
    rates = {part.name: list(dice.uniform(0.1, 5, 4)) for part in (*network.supplies, *links)}
    found = mix(network, path(4), Flows(rates, rates))
    for bus in names:
        assert found.shares[bus].sum(axis=1) == pytest.approx([1.0] * 4, abs=1e-6)
        assert found.shares[bus].min() >= -1e-9
