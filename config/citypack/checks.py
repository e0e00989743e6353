"""What can only be seen across the objects of a pack: references, units, policies, places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any, cast

from django.utils.translation import gettext as _

from cities.languages import in_words
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
        *_listed_series(items, good),
        *_drivers(good),
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
            yield item.problem("key", item.key, _("a key used once in %(section)s") % {"section": scope})


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
                yield item.problem(name, key, _("the key of one of %(section)s") % {"section": ref.section})
            elif ref.unit and units.get((ref.section, key), ref.unit) != ref.unit:
                wanted = {"wanted": ref.unit, "found": units[ref.section, key]}
                yield item.problem(name, key, _("a series in %(wanted)s, not %(found)s") % wanted)


def _profiles(good: Checked) -> Iterator[Problem]:
    for item, part in good:
        if isinstance(part, common.Series):
            for name, value, expected in profiles.problems_of(part.profile):
                yield item.problem(f"profile.{name}", value, in_words(expected))


def _listed_series(items: Sequence[Item], good: Checked) -> Iterator[Problem]:
    keys = {item.key for item in items if item.section == "series"}
    for item, part in good:
        for name in ("drivers", "feeds"):
            for k, key in enumerate(getattr(part, name, None) or ()):
                if key not in keys:
                    yield item.problem(f"{name}[{k}]", key, _("the key of one of %(section)s") % {"section": "series"})


def _drivers(good: Checked) -> Iterator[Problem]:
    series = {part.key: (item, part.drivers) for item, part in good if isinstance(part, common.Series)}
    drivers = {key: named for key, (_item, named) in series.items()}
    for key, (item, _named) in series.items():
        way = driving.circle(drivers, key)
        if way:
            yield item.problem("drivers", " ← ".join(way), _("no series that drives itself, be it through others"))


def _policies(items: Sequence[Item], good: Checked) -> Iterator[Problem]:
    policies = [(item, part) for item, part in good if isinstance(part, common.Policy)]
    in_force = [item for item, part in policies if part.in_force]
    if len(in_force) != 1 and len(policies) == sum(item.section == "policies" for item in items):
        place = policies[0][0] if policies else next((item for item in items if item.section == "city"), None)
        if place:
            yield Problem(place.file, place.line, "policies", "in_force", str(len(in_force)), _("exactly one in force"))
    needed = _classes_in_use(good)
    for item, part in policies:
        for name in sorted(set(needed) - set(part.tiers)):
            wanted = _("a tier for %(name)s, the class of %(part)s") % {"name": name, "part": needed[name]}
            yield item.problem("tiers", None, wanted)


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
    city = next((part for _item, part in good if isinstance(part, common.City)), None)
    for item, part in good:
        if city is None or not isinstance(part, Thing):
            continue
        for name in ("latitude", "longitude"):
            value, centre = getattr(part, name), getattr(city, name)
            if value is not None and abs(value - centre) > NEIGHBOURHOOD_DEGREES:
                wanted = _("within %(degrees)s° of the city's %(centre)s")
                figures = {"degrees": NEIGHBOURHOOD_DEGREES, "centre": centre}
                yield item.problem(name, value, wanted % figures)


def _seasons(good: Checked) -> Iterator[Problem]:
    for item, part in good:
        if isinstance(part, power.Tariff):
            days = (date(2024, 1, 1) + timedelta(n) for n in range(366))
            for day in days:
                count = sum(_holds(season, f"{day:%m-%d}") for season in part.data.seasons)
                if count != 1:
                    wanted = _("every day in one season; %(day)s is in %(count)d")
                    yield item.problem("data.seasons", None, wanted % {"day": f"{day:%m-%d}", "count": count})
                    break


def _holds(season: power.Season, day: str) -> bool:
    if season.first <= season.last:
        return season.first <= day <= season.last
    return day >= season.first or day <= season.last


def _fields(good: Checked) -> Iterator[Problem]:
    """Crops, valves and laterals; and what leads back to where it begins."""
    laterals = {part.key: part for _item, part in good if isinstance(part, water.Lateral)}
    controllers = {part.key: part for _item, part in good if isinstance(part, water.Controller)}
    for item, part in good:
        start, end = getattr(part, "from_bus", None), getattr(part, "to_bus", None)
        if start is not None and start == end:
            yield item.problem("to_bus", end, _("another bus than from_bus"))
        if isinstance(part, water.CropBlock) and part.crop not in CROPS:
            yield item.problem("crop", part.crop, _("one of %(names)s") % {"names": ", ".join(CROPS)})
        if isinstance(part, water.CropBlock) and part.soil not in SOILS:
            yield item.problem("soil", part.soil, _("one of %(names)s") % {"names": ", ".join(SOILS)})
        if isinstance(part, water.Turnout):
            lateral, controller = laterals.get(part.lateral), controllers.get(part.controller)
            if lateral and part.flow_m3s > lateral.capacity_m3s:
                wanted = _("at most the lateral's %(flow)s m³/s") % {"flow": lateral.capacity_m3s}
                yield item.problem("flow_m3s", part.flow_m3s, wanted)
            if controller and controller.lateral != part.lateral:
                wanted = _("a controller of lateral %(key)s") % {"key": part.lateral}
                yield item.problem("controller", part.controller, wanted)
