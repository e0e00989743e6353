"""What controllers said long ago goes: the fields' states, made of it, stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from .models import DeviceMessage

BATCH = 1000
"""Messages per transaction: a controller that reports meanwhile waits no longer than for so many."""


def prune_messages(now: datetime, days: int) -> int:
    """Deletes messages received more than `days` ago; returns how many."""
    old = DeviceMessage.objects.filter(received_at__lt=now - timedelta(days=days)).order_by("pk")
    count = 0
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        count += DeviceMessage.objects.filter(pk__in=batch).delete()[0]
    return count
