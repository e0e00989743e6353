"""How often a controller may call: so often in each minute of the clock.

Counted in Django's cache: in Valkey where there is one, so that all web processes count together, else in the memory
of each. A poll must need the database alone, so where the count cannot be had every call is let in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.core.cache import cache
from redis.exceptions import RedisError

MOST = 60
"""Calls a minute: a device that comes back after days sends its log in a few dozen batches, and none polls so often."""
WINDOW = 60.0
PAUSE = 30.0
"""Seconds without counting after the cache was out of reach: not every call has to find that out, and wait for it."""
log = logging.getLogger(__name__)


class Calls:
    """Counts calls by name. Names are of callers that were let in, so nobody can make up many."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._open_until = 0.0

    def wait(self, name: str) -> float:
        """Counts a call; 0 when it may be made, else the seconds until the next may."""
        now = self._clock()
        if now < self._open_until:
            return 0.0
        try:
            count = _counted(f"calls:{name}:{now // WINDOW:.0f}")
        except (RedisError, OSError, ValueError) as error:  # ValueError: the server forgot the count in this moment
            self._open_until = now + PAUSE
            log.warning(
                "Controllers' calls are not counted for %.0f s, for the cache is out of reach: %s", PAUSE, error
            )
            return 0.0
        return 0.0 if count <= MOST else WINDOW - now % WINDOW


def _counted(key: str) -> int:
    cache.add(key, 0, timeout=2 * WINDOW)
    return cache.incr(key)
