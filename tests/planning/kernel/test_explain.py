"""Facts from answers made by hand: who is short, what holds them back, and what one more unit would be worth."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest

from planning.kernel.explain import explain
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Final, Link, Network, PeakCharge, Store, Supply
from planning.kernel.outcome import Answer, Shortage, Status

# One hour, then two.
HORIZON = Horizon.path(datetime(2026, 1, 1, tzinfo=UTC), [(1, 1.0), (1, 2.0)])

# A main of 6 brings the town 6 and 5 of the 8 and 5 that it wants, and draws a quarter of that on the grid.
NETWORK = Network(
    buses=(Bus("river", "water"), Bus("town", "water"), Bus("grid", "power")),
    supplies=(
        Supply("inflow", "river", max=10.0),
        Supply("buy", "grid", max=20.0, cost=(2.0, 4.0), peak=(PeakCharge(1.0, 100.0),)),
    ),
    demands=(Demand("homes", "town", (8.0, 5.0), tier=1, penalty=50.0),),
    links=(Link("main", "river", 6.0, {"town": 1.0}, {"grid": 0.25}, cost=0.5), Link("spill", "river", 99.0)),
)
ANSWER = Answer(
    Status.OPTIMAL,
    supplies={"inflow": (8.0, 5.0), "buy": (1.5, 1.25)},
    served={"homes": (6.0, 5.0)},
    short={"homes": (2.0, 0.0)},
    links={"main": (6.0, 5.0), "spill": (2.0, 0.0)},
    prices={"river": (0.0, 0.0), "town": (50.0, 1.5), "grid": (2.0, 4.0)},
    shortages=(Shortage("homes", "town", 1, 2.0, 2 / 18, 0, 0, 0),),
)


def facts(kind, network=NETWORK, answer=ANSWER, horizon=HORIZON):
    return [fact for fact in explain(network, horizon, answer) if fact.kind == kind]


def test_a_shortage_says_who_where_how_much_and_when():
    (fact,) = facts("shortage")
    assert fact.place == "homes"
    assert fact.values == {
        "bus": "town",
        "commodity": "water",
        "tier": 1,
        "amount": 2.0,
        "share": 2 / 18,
        "first": "2026-01-01T00:00:00+00:00",
        "last": "2026-01-01T01:00:00+00:00",
        "worst": "2026-01-01T00:00:00+00:00",
    }


def test_the_link_at_its_limit_holds_the_wish_back_and_nothing_beyond_it_does():
    held = [fact for fact in explain(NETWORK, HORIZON, ANSWER) if fact.kind.startswith("held_by")]
    assert [(fact.kind, fact.place) for fact in held] == [("held_by_link", "main")]
    assert held[0].values == {"wish": "homes", "commodity": "water", "limit": 6.0, "hours": 1.0, "short_hours": 1.0}


def test_a_wide_link_leads_on_to_the_river_that_gives_all_it_has():
    wide = replace(NETWORK, links=(replace(NETWORK.links[0], max=30.0),), supplies=(Supply("inflow", "river", 6.0),))
    answer = replace(ANSWER, supplies={"inflow": (6.0, 5.0)}, links={"main": (6.0, 5.0)})
    held = [fact.kind for fact in explain(wide, HORIZON, answer) if fact.kind.startswith("held_by")]
    assert held == ["held_by_supply"]


@pytest.mark.parametrize(
    ("levels", "final", "expected"),
    [
        ((20.0, 20.0), None, []),  # a lake with water in it holds nobody back, and the river behind it neither
        ((5.0, 5.0), None, ["held_by_store", "held_by_supply"]),
        ((20.0, 20.0), Final(min=20.0), ["held_by_target", "held_by_supply"]),
    ],
)
def test_a_store_holds_back_when_it_is_empty_or_kept_for_its_target(levels, final, expected):
    lake = Store("lake", "river", 40.0, 20.0, min=5.0, final=final)
    network = Network(
        NETWORK.buses,
        (Supply("inflow", "river", 6.0),),
        NETWORK.demands,
        (lake,),
        (replace(NETWORK.links[0], max=30.0),),
    )
    answer = replace(ANSWER, supplies={"inflow": (6.0, 5.0)}, links={"main": (6.0, 5.0)}, levels={"lake": levels})
    assert [fact.kind for fact in explain(network, HORIZON, answer) if fact.kind.startswith("held_by")] == expected


def test_a_link_that_cannot_rise_faster_holds_back():
    slow = replace(NETWORK.links[0], max=30.0, max_change_per_hour=2.0, initial_rate=4.0)
    network = replace(NETWORK, links=(slow, NETWORK.links[1]))
    assert [fact.place for fact in facts("held_by_ramp", network)] == ["main"]


def test_a_bottleneck_is_worth_the_difference_of_the_prices_on_its_sides():
    # First hour: 50 in town, less 0 at the river, a quarter of 2 for power, and 0.5 cost: 49 for its one hour.
    (fact,) = facts("bottleneck_link")
    assert (fact.place, fact.values["value"], fact.values["hours"]) == ("main", 49.0, 1.0)


def test_a_supply_at_its_limit_is_worth_the_price_less_its_cost():
    network = replace(NETWORK, supplies=(NETWORK.supplies[0], replace(NETWORK.supplies[1], max=(1.5, 9.0), cost=1.0)))
    answer = replace(ANSWER, prices={**ANSWER.prices, "grid": (31.0, 1.0)})
    (fact,) = facts("bottleneck_supply", network, answer)
    assert (fact.place, fact.values["value"]) == ("buy", 30.0)


def test_a_lagged_bottleneck_is_worth_the_price_on_arrival():
    # Sent in the first of three hours, arriving in the second at 7: 7·1 − 0.5; what is sent last arrives after the end.
    horizon = Horizon.path(HORIZON.start, [(3, 1.0)])
    network = Network(
        NETWORK.buses[:2],
        (Supply("inflow", "river", 10.0),),
        (),
        (),
        (Link("canal", "river", 6.0, {"town": 1.0}, cost=0.5, lag_hours=1.0),),
    )
    rates = {"canal": (6.0, 0.0, 6.0)}
    prices = {"river": (0.0,) * 3, "town": (1.0, 7.0, 2.0)}
    answer = Answer(Status.OPTIMAL, supplies={"inflow": (6.0, 0.0, 6.0)}, links=rates, prices=prices)
    (fact,) = facts("bottleneck_link", network, answer, horizon)
    assert fact.values["value"] == 6.5


def test_prices_peak_where_they_stand_out():
    # Town: (50 + 2·1.5) / 3 = 17.67 on average. Grid: (2 + 2·4) / 3 = 3.33, and 4 is no peak.
    (fact,) = facts("price_peak")
    assert (fact.place, fact.values["price"], fact.values["mean"]) == ("town", 50.0, pytest.approx(53 / 3))


def test_a_peak_charge_says_what_the_highest_rate_costs():
    (fact,) = facts("peak_charge")
    assert (fact.place, fact.values["rate"], fact.values["money"]) == ("buy", 1.5, 50.0)


def test_free_supply_that_is_left_is_told_and_a_bought_one_is_not():
    # 2 for one hour and 5 for two, of 30.
    (fact,) = facts("unused")
    assert (fact.place, fact.values["amount"], fact.values["share"]) == ("inflow", 12.0, 0.4)
    assert fact.values["worst"] == "2026-01-01T01:00:00+00:00"


def test_what_is_spilled_is_told():
    (fact,) = facts("spilled")
    assert (fact.place, fact.values["amount"]) == ("spill", 2.0)


def test_stores_tell_when_they_run_low_or_full():
    stores = (
        Store("low", "river", 9.0, 4.0, min=1.0),
        Store("full", "river", 9.0, 4.0),
        Store("calm", "river", 9.0, 4.0),
    )
    answer = replace(ANSWER, levels={"low": (4.0, 1.0), "full": (9.0, 4.0), "calm": (4.0, 4.0)})
    network = replace(NETWORK, stores=stores)
    assert [(f.place, f.values["hours"]) for f in facts("store_low", network, answer)] == [("low", 2.0)]
    assert [(f.place, f.values["hours"]) for f in facts("store_full", network, answer)] == [("full", 1.0)]


def test_a_missed_final_level_is_a_fact_about_the_store():
    network = replace(NETWORK, stores=(Store("lake", "river", 9.0, 4.0, final=Final(min=6.0, tier=2)),))
    answer = replace(
        ANSWER,
        levels={"lake": (4.0, 5.0)},
        final_short={"lake": 1.0},
        shortages=(Shortage("lake.final", "river", 2, 1.0, 1 / 6, 1, 1, 1),),
    )
    (fact,) = facts("final_shortage", network, answer)
    assert (fact.place, fact.values["amount"]) == ("lake", 1.0)


def test_a_plan_without_prices_is_explained_without_marginal_values():
    kinds = {fact.kind for fact in explain(NETWORK, HORIZON, replace(ANSWER, prices={}))}
    assert "shortage" in kinds and not kinds & {"bottleneck_link", "bottleneck_supply", "price_peak"}


def test_no_plan_has_no_facts():
    assert explain(NETWORK, HORIZON, Answer(Status.NONE)) == []


def test_facts_are_plain_json():
    told = [asdict(fact) for fact in explain(NETWORK, HORIZON, ANSWER)]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
