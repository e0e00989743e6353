from __future__ import annotations

import csv
from pathlib import Path

import pytest

from water.kernel.intake import GAOPING_2026, Limit, TurbidCurve, intake_limit

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "kaohsiung" / "wra" / "south_intraday_2026-04_08.csv"
CURVE = TurbidCurve(points=((50, 12.0), (200, 4.0)), half_life_hours=2)


def test_a_calm_river_is_limited_by_the_structure() -> None:
    (hour,) = intake_limit([30], environmental_m3s=1, capacity_m3s=11, turbid=CURVE)
    assert (hour.limit_m3s, hour.by) == (11, Limit.CAPACITY)


def test_a_low_river_leaves_its_environmental_flow_first() -> None:
    low, dry = intake_limit([5, 0.4], environmental_m3s=1.5, capacity_m3s=11, turbid=CURVE)
    assert (low.limit_m3s, low.by) == (3.5, Limit.RIVER)
    assert dry.limit_m3s == 0


def test_a_flood_lowers_the_intake_and_mud_outlasts_it() -> None:
    hours = intake_limit([30, 400, 30, 30, 30, 30, 30, 30], 1, 11, CURVE)
    # 400 halves every 2 h: 400, 283, 200, 141, 100, 71, 50
    assert [round(hour.recent_flow_m3s) for hour in hours] == [30, 400, 283, 200, 141, 100, 71, 50]
    assert hours[1].limit_m3s == hours[3].limit_m3s == pytest.approx(4)
    # 100 lies halfway between 50 and 200 in log flow: halfway between 12 and 4
    assert hours[5].limit_m3s == pytest.approx(8)
    assert hours[5].by == Limit.TURBIDITY
    assert hours[7].by == Limit.CAPACITY


def test_the_memory_of_a_flood_passes_from_one_series_to_the_next() -> None:
    flows = [400, 30, 30, 30]
    whole = intake_limit(flows, 1, 11, CURVE)
    first = intake_limit(flows[:2], 1, 11, CURVE)
    assert first + intake_limit(flows[2:], 1, 11, CURVE, first[-1].recent_flow_m3s) == whole


@pytest.mark.skipif(not SHARED.exists(), reason="the measured hours of 2026 are not beside the repository")
def test_the_gaoping_curve_follows_the_measured_draws() -> None:
    with SHARED.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["reservoir_id"] == "30901"]
    rows.sort(key=lambda row: row["ObservationTime"])
    known = [(row["InflowDischarge (10^4 m^3)"], row["WaterDraw (10^4 m^3)"]) for row in rows]
    pairs = [(float(flow), float(draw)) for flow, draw in known if flow and draw]
    limits = intake_limit([flow for flow, _ in pairs], 0.5, 11.25, GAOPING_2026)
    error = sum(abs(hour.limit_m3s - draw) for hour, (_, draw) in zip(limits, pairs, strict=True)) / len(pairs)
    drought_only = sum(abs(min(flow - 0.5, 11.25) - draw) for flow, draw in pairs) / len(pairs)
    assert len(pairs) > 1500
    assert error < 0.6 < 2.5 < drought_only
