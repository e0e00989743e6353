"""What a plan is made from, frozen as plain JSON, so that it can be explained and solved again years later."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from .horizons import horizon_of
from .kernel import casefile
from .kernel.horizon import Horizon
from .kernel.network import Network
from .kernel.problems import InvalidNetwork
from .kernel.validation import problems
from .models import Plan
from .sectors import Parts, sectors


@dataclass(frozen=True)
class Inputs:
    network: Network
    horizon: Horizon
    snapshot: dict[str, Any]
    synthetic: bool

    @property
    def sha256(self) -> str:
        text = json.dumps(self.snapshot, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def take(plan: Plan, known_at: datetime) -> Inputs:
    """Asks every sector for its parts as of `known_at`. Raises InvalidNetwork with every problem of the whole."""
    horizon = horizon_of(plan)
    shares = {found.name: found.parts(plan.city, horizon, known_at) for found in sectors()}
    network = sum((share.network for share in shares.values()), Network())
    found_problems = problems(network, horizon)
    if found_problems:
        raise InvalidNetwork(found_problems)
    snapshot = _as_json(network, horizon, shares, known_at)
    return Inputs(network, horizon, snapshot, any(share.synthetic for share in shares.values()))


def read(snapshot: dict[str, Any]) -> tuple[Network, Horizon]:
    """The network and horizon of a stored snapshot. Raises InvalidCase."""
    return casefile.from_dict(snapshot["case"])


def _as_json(network: Network, horizon: Horizon, shares: dict[str, Parts], known_at: datetime) -> dict[str, Any]:
    return {
        "known_at": known_at.isoformat(),
        "case": casefile.to_dict(network, horizon),
        "labels": {name: asdict(label) for share in shares.values() for name, label in share.labels.items()},
        "forecasts": [pk for share in shares.values() for pk in share.forecasts],
        "notes": [asdict(note) for share in shares.values() for note in share.notes],
        "extra": {name: dict(share.extra) for name, share in shares.items()},
    }
