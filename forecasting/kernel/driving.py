"""Which series drives which: keys of the drivers by the key of what they drive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Drivers = Mapping[str, Sequence[str]]


def circle(drivers: Drivers, key: str) -> list[str]:
    """The shortest way from a series over its drivers back to itself, as keys `key` at both ends; else empty."""
    ways, seen = [[key]], {key}
    while ways:
        way = ways.pop(0)
        for driver in drivers.get(way[-1], ()):
            if driver == key:
                return [*way, key]
            if driver not in seen:
                seen.add(driver)
                ways.append([*way, driver])
    return []


def ranks(drivers: Drivers) -> list[list[str]]:
    """All keys in an order in which drivers stand before what they drive; those of one rank are independent.

    What lies on a circle comes last, all at once: better a forecast without its driver than none.
    """
    every = {*drivers, *(key for keys in drivers.values() for key in keys)}
    found: list[list[str]] = []
    while every:
        free = sorted(key for key in every if not every & set(drivers.get(key, ()))) or sorted(every)
        found.append(free)
        every -= set(free)
    return found
