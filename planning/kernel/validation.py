"""What no model can be built from: every problem of a network at once."""

from __future__ import annotations

from .horizon import Horizon
from .network import Network
from .problems import Problem


def problems(network: Network, horizon: Horizon) -> list[Problem]:
    """Empty when the network is good."""
    return []
