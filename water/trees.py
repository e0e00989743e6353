"""A plan's case as a tree: few futures of what is uncertain, decided together until they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from django.utils.translation import gettext as _

from cities.models import City, policy_in_force
from forecasting.kernel import scenarios
from forecasting.kernel.answer import Forecast as Bands
from forecasting.kernel.profiles import means_over
from forecasting.models import Forecast
from planning.kernel import casefile
from planning.kernel.branching import branched
from planning.kernel.horizon import Horizon
from planning.models import Plan
from planning.snapshot import read

from .intakes import intake_km3_per_hour
from .kernel.units import km3_per_hour_from_cms
from .models import River, Weir
from .reading import Reading


def tree_case(
    snapshot: dict[str, Any], paths: Mapping[str, np.ndarray], branches: Sequence[tuple[int, int]], seed: int = 0
) -> dict[str, Any]:
    """The case of a plan's snapshot over a tree, as data that `manage.py solve` reads when written as JSON.

    paths     rates per path and step (count × steps) by the supply, demand or link that is uncertain, such as
              "river.gaoping" with the "intake.…" that its mud allows, or "irrigation.…"; the k-th paths belong together
    branches  (step, children): before that step every future so far splits into so many
    """
    network, horizon = read(snapshot)
    nodes = scenarios.reduce(np.stack(list(paths.values()), axis=1), branches, seed)
    return casefile.to_dict(*branched(network, horizon, nodes, list(paths)))


def river_paths(plan: Plan, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Futures of the rivers and of what their mud lets the weirs take, 10³ m³/h by part (count × steps), from the
    forecasts that the plan was made from. Only bands are stored, not their errors: all hours and rivers of a future
    stand at the same place in their bands, which overstates how wet and how dry a week can be.

    Raises ValueError where a forecast of a river is no longer stored.
    """
    _network, horizon = read(plan.snapshot)
    rivers = list(River.objects.filter(city=plan.city).select_related("flow").order_by("key"))
    rows = {row.series_id: row for row in Forecast.objects.filter(pk__in=plan.snapshot["forecasts"])}
    gone = [river.key for river in rivers if river.flow_id not in rows]
    if gone or not rivers:
        raise ValueError(_("No forecast is stored of: %(rivers)s.") % {"rivers": ", ".join(gone) or _("any river")})
    known_at = datetime.fromisoformat(plan.snapshot["known_at"])
    places = np.random.default_rng(seed).permutation(count)
    flows = {river.key: _on_steps(rows[river.flow_id], horizon, places) for river in rivers}
    found = {f"river.{key}": km3_per_hour_from_cms(1.0) * flow for key, flow in flows.items()}
    return found | _intakes(plan.city, horizon, known_at, flows)


def _on_steps(row: Forecast, horizon: Horizon, places: np.ndarray) -> np.ndarray:
    """Futures of one forecast on the plan's steps, in its own unit; the k-th stands at places[k] of all."""
    lines = {float(level): np.asarray(line) for level, line in row.quantiles.items()}
    bands = Bands(pd.DatetimeIndex(row.times), np.asarray(row.mean), lines, row.method)
    futures = np.sort(scenarios.paths([bands], len(places))[:, 0], axis=0)[places]
    low = np.array([(step.start - row.start).total_seconds() / 3600 for step in horizon.steps])
    width = row.step_minutes / 60
    return np.stack([means_over(0.0, width, future, low, low + np.asarray(horizon.hours)) for future in futures])


def _intakes(
    city: City, horizon: Horizon, known_at: datetime, flows: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What each weir may take in every future of its river: a flood that brings water closes the intake with mud."""
    reading = Reading(city, horizon, known_at, {}, policy_in_force(city))
    weirs = Weir.objects.filter(city=city).select_related("river__flow").order_by("key")
    return {
        f"intake.{weir.key}": np.array([intake_km3_per_hour(reading, weir, flow) for flow in flows[weir.river.key]])
        for weir in weirs
    }
