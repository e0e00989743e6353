"""What goes wrong on an ordinary day: no history, a gap, a stale feed, a full or empty reservoir. There is a plan, and
it says what it rests on; or there is none, and the previous one stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from cities.models import City
from forecasting.ingest import Row, ingest
from forecasting.models import Forecast, Observation, Series
from planning import lifecycle
from planning.models import Plan
from planning.reports import in_force
from planning.run import run_here

pytestmark = pytest.mark.django_db
State = Plan.State


@pytest.fixture
def tinytown(db: None) -> City:
    call_command("loadcity", "tinytown", verbosity=0)
    return City.objects.get(key="tinytown")


@pytest.fixture
def with_history(tinytown: City) -> City:
    call_command("loadcity", "tinytown", "--demo-history", verbosity=0)
    return tinytown


def planned(city: City) -> Plan:
    return run_here(lifecycle.request(city, publish=True))


def notes_of(plan: Plan) -> str:
    return "\n".join(f"{note['level']}: {note['en']}" for note in plan.snapshot["notes"])


def forget(key: str) -> None:
    Observation.objects.filter(series=Series.objects.get(key=key)).delete()


def measure(city: City, key: str, value: float, hours_ago: Iterator[int] | range) -> None:
    """Hourly measurements of one value, recorded as they happened."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    times = [now - timedelta(hours=ago) for ago in hours_ago]
    counts = ingest(city, [Row(key, at, value, at + timedelta(minutes=1)) for at in times])
    assert not counts.refused, counts


def test_without_any_history_the_plan_rests_on_the_packs_profiles_and_says_so(tinytown: City) -> None:
    plan = planned(tinytown)
    assert plan.state == State.PUBLISHED, plan.failure
    assert not plan.synthetic  # nothing was invented
    assert "profile" in notes_of(plan)


def test_a_series_of_which_nothing_is_known_fails_the_plan_by_name_and_the_previous_one_stays(
    with_history: City,
) -> None:
    before = planned(with_history)
    Series.objects.filter(city=with_history, key="homes_water").update(profile={})
    forget("homes_water")
    Forecast.objects.all().delete()  # or the forecast of this hour would still serve
    plan = planned(with_history)
    assert plan.state == State.FAILED
    assert "homes_water" in plan.failure
    assert in_force(with_history).plan == before
    assert "homes_water" in in_force(with_history).warning


def test_a_stale_feed_is_named_with_its_age(with_history: City) -> None:
    forget("homes_water")
    measure(with_history, "homes_water", 2.0, range(200, 40, -1))
    plan = planned(with_history)
    assert plan.state == State.PUBLISHED, plan.failure
    assert "warning" in notes_of(plan)
    assert re.search(r"Homes.* 4[01] h old", notes_of(plan))


def test_a_gap_in_a_feed_does_not_stop_the_plan(with_history: City) -> None:
    forget("homes_water")
    measure(with_history, "homes_water", 2.0, range(400, 200, -1))
    measure(with_history, "homes_water", 2.0, range(120, 0, -1))
    plan = planned(with_history)
    assert plan.state == State.PUBLISHED, plan.failure
    # 2 thousand m³ an hour was all that was ever measured
    assert sum(plan.result["demands"]["water.homes"]["served"][:4]) == pytest.approx(8.0, rel=0.05)


@pytest.mark.parametrize("storage", [0.0, 40.0, 1000.0, 1080.0], ids=["dry", "below least", "full", "over full"])
def test_whatever_the_lake_holds_there_is_a_plan(with_history: City, storage: float) -> None:
    Series.objects.filter(key="lake_storage").update(maximum=2000.0)
    forget("lake_storage")
    measure(with_history, "lake_storage", storage, range(48, 0, -1))
    plan = planned(with_history)
    assert plan.state == State.PUBLISHED, plan.failure
    assert plan.broken_limits == []
