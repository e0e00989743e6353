"""How often a controller may call: a bucket of calls per key that fills up again with time.

In the memory of each web process, because a poll must need the database alone and a limit that costs a query limits
nothing. With several processes a device has as many buckets; the limit is against runaways, not a tariff.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BURST = 60
"""Calls at once: a device that comes back after days sends its log in a few dozen batches."""
PER_SECOND = 1.0
"""Far more than any poll interval asks for."""
MOST_BUCKETS = 20_000


class Buckets:
    """Calls left by name. Names are of callers that were let in, so nobody can make up many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, name: str) -> float:
        """Takes a call; 0 when there is one, else the seconds until there is."""
        with self._lock:
            now = self._clock()
            left, at = self._left.get(name, (float(BURST), now))
            left = min(float(BURST), left + (now - at) * PER_SECOND)
            if left < 1.0:
                return (1.0 - left) / PER_SECOND
            if len(self._left) >= MOST_BUCKETS:
                self._left.clear()
            self._left[name] = (left - 1.0, now)
            return 0.0
