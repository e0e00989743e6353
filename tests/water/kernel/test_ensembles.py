"""One field under several courses of rain, small enough for the head."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from water.kernel.crops import Crop
from water.kernel.ensembles import MEAN, Courses, courses
from water.kernel.fields import Block, Weather
from water.kernel.soil import Policy

DAY = date(2026, 7, 1)
# Kc 1 all the time; loam, 1 m of roots: TAW 130 mm, p 0.5, RAW 65 mm; watered from 65 mm on, down to 0
CROP = Crop("steady", 1.0, 1.0, 1.0, (1, 1, 98, 10), 1.0, 1.0, 0.5)
FIELD = Block("field", CROP, 10.0, DAY - timedelta(days=30), 1.0, 1.0, policy=Policy(1.0, 0.0))


def asked(rain_mm: list[list[float]], state_mm: float = 62.0) -> Courses:
    """Days without cloud at 5 mm, with room for everything."""
    days = len(rain_mm[0])
    weather = [Weather(DAY + timedelta(days=k), 5.0, 0.0, 5.0) for k in range(days)]
    return courses([FIELD], {"field": state_mm}, weather, np.array(rain_mm), {}, [24.0] * days, [1e9] * days)


def test_a_dry_course_asks_and_a_wet_one_does_not() -> None:
    dry, wet = asked([[0.0, 0.0], [50.0, 0.0]]).km3[:, :, 0]
    # 62 + 5 = 67 mm lacking on the first evening: 67 mm on 10 ha = 6.7 × 10³ m³; nothing on the next day
    assert dry.tolist() == [pytest.approx(6.7), 0.0]
    # 0.8 × 50 = 40 mm reach the roots: 62 − 40 + 5 = 27, then 32 mm, far from 65
    assert wet.tolist() == [0.0, 0.0]


def test_rain_that_only_delays_shows_in_the_days_and_hardly_in_the_sum() -> None:
    spread = asked([[0.0] * 4, [10.0, 0.0, 0.0, 0.0]]).spread()
    # wet: 62 − 8 + 5 = 59, 64, 69: asks for 69 mm on the third day; dry: 67 mm on the first
    assert spread.mean == pytest.approx((3.35, 0.0, 3.45, 0.0))
    assert spread.total[0] == pytest.approx(6.8)
    assert spread.total[1] == pytest.approx(6.71) and spread.total[3] == pytest.approx(6.89)


def test_bands_lie_round_the_median() -> None:
    spread = asked([[0.0], [0.0], [0.0], [50.0]]).spread()
    # three courses of four ask for 6.7
    assert (spread.median, spread.mean) == ((pytest.approx(6.7),), (pytest.approx(5.025),))
    assert spread.low[0] < spread.median[0] <= spread.high[0]


def test_a_plan_may_count_on_the_mean_or_a_quantile() -> None:
    found = asked([[0.0], [0.0], [0.0], [50.0]])
    assert found.counted_on(MEAN) == [{"field": pytest.approx(5.025)}]
    assert found.counted_on("0.95") == [{"field": pytest.approx(6.7)}]


def test_a_quantile_is_shared_as_the_means_are() -> None:
    # two blocks ask 1 and 3 in one course, nothing in the other: means 0.5 and 1.5, the median of the sum is 2
    found = Courses(("a", "b"), np.array([[[1.0, 3.0]], [[0.0, 0.0]]]))
    assert found.counted_on("0.5") == [{"a": pytest.approx(0.5), "b": pytest.approx(1.5)}]
    assert found.counted_on("0.95") == [{"a": pytest.approx(0.95), "b": pytest.approx(2.85)}]


def test_no_demand_at_all_stays_none() -> None:
    assert asked([[80.0], [80.0]]).counted_on("0.8") == [{"field": 0.0}]
