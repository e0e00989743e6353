"""What can only be seen across the objects of a pack: references, units, policies, places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any, cast

from forecasting.kernel import driving, profiles
from water.kernel.crops import CROPS
from water.kernel.soil import SOILS

from . import schema_common as common
from . import schema_energy as power
from . import schema_water as water
from .fields import Part, Ref, Thing
from .problems import Problem
from .reading import Item

NEIGHBOURHOOD_DEGREES = 1.5
"""About 160 km: a city's sources may lie in the next county, a swapped latitude and longitude does not pass."""

Checked = Sequence[tuple[Item, Part]]
"""Objects that their own schema accepts, with their places."""


def cross_problems(items: Sequence[Item], good: Checked) -> list[Problem]:
    """`items`: all objects as written (a reference to a faulty object is no further error); `good`: the sound ones."""
    return [
        *_repeated_keys(items),
        *_references(items, good),
        *_profiles(good),
        *_drivers(items, good),
        *_policies(items, good),
        *_places(good),
        *_seasons(good),
        *_fields(good),
    ]


def _repeated_keys(items: Sequence[Item]) -> Iterator[Problem]:
    # Water and power share one network, whose buses have one list of names.
    scopes = {"power_buses": "power_buses and water_buses", "water_buses": "power_buses and water_buses"}
    keyed = [(item, scopes.get(item.section, item.section)) for item in items if "key" in item.data]
    count = Counter((scope, item.key) for item, scope in keyed)
    for item, scope in keyed:
        if count[scope, item.key] > 1 and item.section != "city":
            yield item.problem("key", item.key, f"a key used once in {scope}")


def refs_of(schema: type[Part]) -> dict[str, Ref]:
    """The fields of a schema that name objects of other sections."""
    found = {}
    for name, info in schema.model_fields.items():
        # The Ref of `A | None` stands one level down, in the metadata of the union's first member.
        options = [info.metadata, *(getattr(kind, "__metadata__", ()) for kind in _members(info.annotation))]
        for ref in chain.from_iterable(options):
            if isinstance(ref, Ref):
                found[name] = ref
    return found


def _members(annotation: Any) -> Sequence[Any]:
    return cast(Sequence[Any], getattr(annotation, "__args__", ()))


def _references(items: Sequence[Item], good: Checked) -> Iterator[Problem]:
    keys = {(item.section, item.key) for item in items}
    units = {(item.section, part.key): part.unit for item, part in good if isinstance(part, common.Series)}
    for item, part in good:
        for name, ref in refs_of(type(part)).items():
            key = getattr(part, name)
            if not key:
                continue
            if (ref.section, key) not in keys:
                yield item.problem(name, key, f"the key of one of {ref.section}")
            elif ref.unit and units.get((ref.section, key), ref.unit) != ref.unit:
                yield item.problem(name, key, f"a series in {ref.unit}, not {units[ref.section, key]}")


def _profiles(good: Checked) -> Iterator[Problem]:
    for item, part in good:
        if isinstance(part, common.Series):
            for name, value, expected in profiles.problems_of(part.profile):
                yield item.problem(f"profile.{name}", value, expected)


def _drivers(items: Sequence[Item], good: Checked) -> Iterator[Problem]:
    keys = {item.key for item in items if item.section == "series"}
    series = {part.key: (item, part.drivers) for item, part in good if isinstance(part, common.Series)}
    drivers = {key: named for key, (_item, named) in series.items()}
    for key, (item, named) in series.items():
        for k, driver in enumerate(named):
            if driver not in keys:
                yield item.problem(f"drivers[{k}]", driver, "the key of one of series")
        way = driving.circle(drivers, key)
        if way:
            yield item.problem("drivers", " ← ".join(way), "no series that drives itself, be it through others")


def _policies(items: Sequence[Item], good: Checked) -> Iterator[Problem]:
    policies = [(item, part) for item, part in good if isinstance(part, common.Policy)]
    in_force = [item for item, part in policies if part.in_force]
    if len(in_force) != 1 and len(policies) == sum(item.section == "policies" for item in items):
        place = policies[0][0] if policies else next((item for item in items if item.section == "city"), None)
        if place:
            yield Problem(place.file, place.line, "policies", "in_force", str(len(in_force)), "exactly one in force")
    needed = _classes_in_use(good)
    for item, part in policies:
        for name in sorted(set(needed) - set(part.tiers)):
            yield item.problem("tiers", None, f"a tier for {name}, the class of {needed[name]}")


def _classes_in_use(good: Checked) -> dict[str, str]:
    """User class → one object that is of it."""
    found: dict[str, str] = {}
    for item, part in good:
        for name in _classes_of(part):
            found.setdefault(name, item.part)
    return found


def _classes_of(part: Part) -> Sequence[str]:
    if isinstance(part, power.BusDepot):
        return "depot", "storage"
    if isinstance(part, water.Reservoir) and part.target_share:
        return ("storage",)
    if isinstance(part, water.River) and part.environmental_flow_m3s:
        return ("environment",)
    if isinstance(part, water.WaterUser) and part.tank_km3:
        return part.user_class, "storage"
    user_class = getattr(part, "user_class", None)
    return (user_class,) if user_class else ()


def _places(good: Checked) -> Iterator[Problem]:
    city = next((part for _, part in good if isinstance(part, common.City)), None)
    for item, part in good:
        if city is None or not isinstance(part, Thing):
            continue
        for name in ("latitude", "longitude"):
            value, centre = getattr(part, name), getattr(city, name)
            if value is not None and abs(value - centre) > NEIGHBOURHOOD_DEGREES:
                yield item.problem(name, value, f"within {NEIGHBOURHOOD_DEGREES}° of the city's {centre}")


def _seasons(good: Checked) -> Iterator[Problem]:
    for item, part in good:
        if isinstance(part, power.Tariff):
            days = (date(2024, 1, 1) + timedelta(n) for n in range(366))
            for day in days:
                count = sum(_holds(season, f"{day:%m-%d}") for season in part.data.seasons)
                if count != 1:
                    yield item.problem("data.seasons", None, f"every day in one season; {day:%m-%d} is in {count}")
                    break


def _holds(season: power.Season, day: str) -> bool:
    if season.first <= season.last:
        return season.first <= day <= season.last
    return day >= season.first or day <= season.last


def _fields(good: Checked) -> Iterator[Problem]:
    """Crops, valves and laterals; and what leads back to where it begins."""
    laterals = {part.key: part for _, part in good if isinstance(part, water.Lateral)}
    controllers = {part.key: part for _, part in good if isinstance(part, water.Controller)}
    for item, part in good:
        start, end = getattr(part, "from_bus", None), getattr(part, "to_bus", None)
        if start is not None and start == end:
            yield item.problem("to_bus", end, "another bus than from_bus")
        if isinstance(part, water.CropBlock) and part.crop not in CROPS:
            yield item.problem("crop", part.crop, f"one of {', '.join(CROPS)}")
        if isinstance(part, water.CropBlock) and part.soil not in SOILS:
            yield item.problem("soil", part.soil, f"one of {', '.join(SOILS)}")
        if isinstance(part, water.Turnout):
            lateral, controller = laterals.get(part.lateral), controllers.get(part.controller)
            if lateral and part.flow_m3s > lateral.capacity_m3s:
                yield item.problem("flow_m3s", part.flow_m3s, f"at most the lateral's {lateral.capacity_m3s} m³/s")
            if controller and controller.lateral != part.lateral:
                yield item.problem("controller", part.controller, f"a controller of lateral {part.lateral}")
