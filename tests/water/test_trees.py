"""A plan that knows that it does not know: the tree of a small lake, checked by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from cities.models import City, PriorityPolicy
from forecasting.models import Forecast, Series
from planning.kernel import casefile
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Link, Network, Store, Supply
from planning.kernel.outcome import Answer, Status
from planning.kernel.problems import InvalidInput
from planning.kernel.solve import solve
from planning.models import Plan
from tests.water.small import close, path
from water.models import River, WaterBus, Weir
from water.trees import river_paths, tree_case

# The lake holds 5. Fields want 4 now, worth 5 a unit; the city wants 6 an hour later, worth 100 a unit. The river then
# brings 0 or 12, as likely as not: 6 on the mean.
LAKE = Network(
    buses=(Bus("lake", "water"),),
    supplies=(Supply("river.north", "lake", max=(0.0, 6.0), min=(0.0, 6.0)),),
    demands=(
        Demand("fields", "lake", (4.0, 0.0), penalty=5.0),
        Demand("city", "lake", (0.0, 6.0), penalty=100.0),
    ),
    stores=(Store("reservoir", "lake", 20.0, 5.0, end_value=0.01),),
    links=(Link("spill", "lake", 100.0),),
)
FUTURES = {"river.north": np.array([[0.0, 0.0], [0.0, 12.0]])}


def snapshot(network: Network, horizon: Horizon) -> dict[str, Any]:
    return {"case": casefile.to_dict(network, horizon)}


def solved(case: dict[str, Any]) -> Answer:
    # through the text, as a file that the command line solves
    return solve(*casefile.read(json.dumps(case)))


def test_the_mean_path_gives_the_fields_all_and_keeps_one():
    answer = solve(LAKE, path(steps=2))
    # 5 − 4 = 1, and 1 + 6 serve the city
    assert (answer.served["fields"][0], answer.levels["reservoir"][0]) == (close(4.0), close(1.0))


def test_a_tree_keeps_the_water_for_the_dry_branch():
    answer = solved(tree_case(snapshot(LAKE, path(steps=2)), FUTURES, [(1, 2)]))
    # a unit for the fields is worth 5 now, and in the dry half it costs the city 100: 0.5 × 100 > 5
    assert (answer.served["fields"][0], answer.levels["reservoir"][0]) == (close(0.0), close(5.0))
    # dry: 5 of 6; wet: all
    assert sorted(answer.served["city"][1:]) == [close(5.0), close(6.0)]


def test_a_branch_that_comes_too_late_cannot_hedge():
    # both futures known from the first step on: each decides for itself
    answer = solved(tree_case(snapshot(LAKE, path(steps=2)), FUTURES, [(0, 2)]))
    assert sorted(answer.served["fields"]) == [close(0.0), close(0.0), close(0.0), close(4.0)]


def test_what_is_certain_is_the_same_in_every_branch():
    case = tree_case(snapshot(LAKE, path(steps=2)), FUTURES, [(1, 2)])
    network, horizon = casefile.from_dict(case)
    assert [step.parent for step in horizon.steps] == [None, 0, 0]
    assert [step.probability for step in horizon.steps] == [1.0, 0.5, 0.5]
    assert [demand.amount for demand in network.demands] == [(4.0, 0.0, 0.0), (0.0, 6.0, 6.0)]
    river = network.supplies[0]
    assert river.min == river.max and sorted(river.max) == [0.0, 0.0, 12.0]  # type: ignore[arg-type]


def test_demands_and_intakes_may_be_uncertain_too():
    network = Network(
        LAKE.buses, LAKE.supplies, LAKE.demands, LAKE.stores, (*LAKE.links, Link("intake", "lake", (9.0, 9.0), min=2.0))
    )
    paths = {"city": np.array([[0.0, 5.0], [0.0, 7.0]]), "intake": np.array([[9.0, 1.0], [9.0, 9.0]])}
    found, _ = casefile.from_dict(tree_case(snapshot(network, path(steps=2)), paths, [(1, 2)]))
    assert sorted(found.demands[1].amount) == [0.0, 5.0, 7.0]  # type: ignore[arg-type]
    intake = found.links[-1]
    # mud may hold an intake below what it usually runs at least
    assert sorted(zip(intake.max, intake.min, strict=True)) == [(1.0, 1.0), (9.0, 2.0), (9.0, 2.0)]  # type: ignore[arg-type]


def test_unknown_names_are_refused_together():
    paths = {"river.north": FUTURES["river.north"], "rivr": FUTURES["river.north"], "rain": FUTURES["river.north"]}
    with pytest.raises(InvalidInput) as refused:
        tree_case(snapshot(LAKE, path(steps=2)), paths, [(1, 2)])
    assert [problem.value for problem in refused.value.problems] == ["rivr", "rain"]


# --- from a plan's forecasts ---------------------------------------------------------------------------------
@pytest.fixture
def plan(db: None) -> Plan:
    """Two hours of a river at 5 m³/s, then at 1 to 45, and a weir that mud leaves 1 m³/s above 20."""
    city = City.objects.create(
        key="small", name="Small", name_zh="小城", time_zone="Asia/Taipei", latitude=23.0, longitude=120.5
    )
    PriorityPolicy.objects.create(city=city, key="order", name="Order", tiers={}, in_force=True)
    reach, raw = (WaterBus.objects.create(city=city, key=key, name=key, kind="raw") for key in ("reach", "raw"))
    flow = Series.objects.create(city=city, key="flow", name="Flow", unit="m3/s")
    river = River.objects.create(city=city, key="north", name="North", bus=reach, flow=flow)
    Weir.objects.create(
        city=city, key="weir", name="Weir", river=river, to_bus=raw, capacity_km3_per_day=432.0,
        turbid_points=[[10, 5.0], [20, 1.0]],
    )  # fmt: skip
    start = datetime(2026, 11, 23, tzinfo=UTC)
    bands = {"0.05": [5.0, 5.0, 1.0, 1.0], "0.5": [5.0, 5.0, 5.0, 5.0], "0.95": [5.0, 5.0, 45.0, 45.0]}
    row = Forecast.objects.create(
        series=flow, known_at=start, start=start, step_minutes=60, mean=bands["0.5"], quantiles=bands, method="test"
    )
    network = Network(
        buses=(Bus("reach", "water"), Bus("raw", "water")),
        supplies=(Supply("river.north", "reach", max=(18.0,) * 4, min=(18.0,) * 4),),
        links=(Link("intake.weir", "reach", (18.0,) * 4, to={"raw": 1.0}), Link("spill", "reach", 500.0)),
        demands=(Demand("city", "raw", 10.0, tier=1),),
    )
    case = casefile.to_dict(network, Horizon.path(start, [(4, 1.0)]))
    taken = {"case": case, "forecasts": [row.pk], "known_at": start.isoformat()}
    return Plan.objects.create(
        city=city, start=start, valid_until=start, horizon=[[4, 1.0]], state=Plan.State.PROPOSED, snapshot=taken
    )


def test_a_rivers_futures_fill_its_bands_and_close_the_intake_where_it_floods(plan: Plan):
    paths = river_paths(plan, 20)
    flow, intake = paths["river.north"] / 3.6, paths["intake.weir"] / 3.6
    assert flow[:, 0] == pytest.approx(5.0)
    low, high = np.quantile(flow[:, 3], [0.05, 0.95])
    assert low == pytest.approx(1.0, abs=0.5) and high == pytest.approx(45.0, rel=0.15)
    flooded = flow[:, 3] > 20
    assert flooded.any() and intake[flooded, 3] == pytest.approx(1.0)
    assert intake[:, 0] == pytest.approx(5.0)


def test_a_plans_tree_is_written_and_solved_by_command(plan: Plan, tmp_path: Path):
    target = tmp_path / "tree.json"
    call_command("treecase", "small", out=str(target), branch=[(2, 3)])
    network, horizon = casefile.read(target.read_text())
    assert len(horizon) == 2 + 3 * 2 and len(horizon.leaves) == 3
    assert solve(network, horizon).status == Status.OPTIMAL


def test_a_tree_needs_a_plan_and_its_forecasts(plan: Plan, tmp_path: Path):
    Forecast.objects.all().delete()
    with pytest.raises(CommandError, match="No forecast is stored of: north"):
        call_command("treecase", "small", out=str(tmp_path / "tree.json"))
    with pytest.raises(CommandError, match="No city 'elsewhere'; there are: small"):
        call_command("treecase", "elsewhere", out=str(tmp_path / "tree.json"))
    Plan.objects.update(snapshot=None)
    with pytest.raises(CommandError, match="Small has no plan yet"):
        call_command("treecase", "small", out=str(tmp_path / "tree.json"))
