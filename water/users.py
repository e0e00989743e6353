"""Who uses water from the mains: supply zones, fabs and industry, and the tanks before them.

The lower part of a user's tanks is an operating reserve, a store of its own. Every 10³ m³ drawn from it takes as much
off the readiness of the city's tanks, a wish of the class "storage": people and fields of earlier tiers are served from
the reserve before they go short, but no tariff is reason enough to touch it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from planning.kernel.network import Bus, Demand, Final, Link, Store, Supply

from .intakes import WATER
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3
from .models import WaterUser
from .reading import Reading, Sheet

TANK_SHARE = 0.8
"""How full a user's own tanks are taken to be where no plan in force says, and what they should hold at the end."""
SERVICE_FACTOR = 2.0
"""A service main carries twice the highest demand, so that tanks can be filled while power is cheap."""
READINESS = "tank_reserves"
"""The bus and the wish that what is drawn from reserves is counted on."""
WAITING_PER_M3_DAY = 1.0
"""Price of filling a reserve up a day later (assumption, in the order of a day's tariff differences): without one,
every re-plan would put the filling off to the end of its own week."""


def add_users(sheet: Sheet, reading: Reading, users: Sequence[WaterUser]) -> None:
    """All users, and what their tanks have in common."""
    for user in users:
        add_user(sheet, reading, user)
    note_tanks(sheet, reading, users)
    _add_readiness(sheet, reading, [user for user in users if user.tank_km3 * user.tank_reserve_share])


def add_user(sheet: Sheet, reading: Reading, user: WaterUser) -> None:
    """A demand; one with tanks stands behind them, on a bus of its own."""
    amount = reading.values(user.demand)
    bus = f"{user.key}.site" if user.tank_km3 else user.bus.key
    if user.tank_km3:
        _add_tank(sheet, reading, user, max(amount))
    demand = Demand(
        f"water.{user.key}",
        bus,
        amount,
        tier=reading.tier(user.user_class),
        penalty=user.penalty_per_m3 * M3_PER_KM3,
    )
    sheet.put(demand, user, user.kind)


def note_tanks(sheet: Sheet, reading: Reading, users: Sequence[WaterUser]) -> None:
    """Tells how many tanks no plan in force knows the level of."""
    unknown = [user for user in users if user.tank_km3 and f"tank.{user.key}" not in reading.before.levels]
    if unknown:
        words = _("The own tanks of {count} users are taken to be {share:.0%} full.")
        sheet.note("info", words, count=len(unknown), share=TANK_SHARE)


def _add_tank(sheet: Sheet, reading: Reading, user: WaterUser, peak: float) -> None:
    """The service main into the tanks: their working volume and, below it, their reserve. What they hold is taken to
    have filled the reserve first.
    """
    site, reserve = f"{user.key}.site", user.tank_km3 * user.tank_reserve_share
    held = _held(reading, user)
    sheet.put(Bus(site, WATER), user, user.kind)
    working = user.tank_km3 - reserve
    final = Final(min=max(0.0, TANK_SHARE * user.tank_km3 - reserve), tier=reading.tier("storage"))
    words = _("Working volume of the tanks of {name}")
    sheet.put(Store(f"tank.{user.key}", site, working, max(0.0, held - reserve), final=final), user, "tank", words)
    service = Link(f"service.{user.key}", user.bus.key, SERVICE_FACTOR * peak, to={site: 1.0})
    sheet.put(service, user, "conduit", _("Service main of {name}"))
    if reserve:
        _add_reserve(sheet, reading, user, min(reserve, held), peak)


def _held(reading: Reading, user: WaterUser) -> float:
    """What all of a user's tanks hold when the horizon begins, 10³ m³."""
    levels = reading.before.levels
    if f"tank.{user.key}" not in levels:
        return TANK_SHARE * user.tank_km3
    held = levels[f"tank.{user.key}"] + levels.get(f"reserve.{user.key}", 0.0)
    return min(user.tank_km3, max(0.0, held))


def _add_reserve(sheet: Sheet, reading: Reading, user: WaterUser, level: float, peak: float) -> None:
    """The reserve on a bus of its own, a way to draw on it, and a way to fill it up again."""
    site, bus = f"{user.key}.site", f"{user.key}.reserve"
    full = user.tank_km3 * user.tank_reserve_share
    sheet.put(Bus(bus, WATER), user, user.kind)
    final = Final(min=full, tier=reading.tier("storage"))
    words = _("Reserve in the tanks of {name}")
    sheet.put(Store(f"reserve.{user.key}", bus, full, level, final=final), user, "reserve", words)
    draw = Link(f"draw.{user.key}", bus, peak, to={site: 1.0}, uses={READINESS: 1.0})
    sheet.put(draw, user, "conduit", _("Draw on the reserve of {name}"))
    begin = reading.horizon.start
    days = ((step.start - begin).total_seconds() / 3600 / HOURS_PER_DAY for step in reading.horizon.steps)
    waiting = tuple(WAITING_PER_M3_DAY * M3_PER_KM3 * day for day in days)
    fill = Link(f"fill.{user.key}", site, SERVICE_FACTOR * peak, to={bus: 1.0}, cost=waiting)
    sheet.put(fill, user, "conduit", _("Filling of the reserve of {name}"))


def _add_readiness(sheet: Sheet, reading: Reading, users: Sequence[WaterUser]) -> None:
    """One wish for all reserves: what could be drawn and is not. Drawing leaves less of it, so a draw is a shortage."""
    if not users:
        return
    ready = sum(max(reading.values(user.demand)) for user in users)
    words = _("Reserves of all tanks")
    sheet.put(Bus(READINESS, "readiness"), reading.city, "bus", words)
    sheet.put(Supply(READINESS, READINESS, ready), reading.city, "reserve", words)
    wish = Demand(READINESS, READINESS, ready, tier=reading.tier("storage"))
    sheet.put(wish, reading.city, "reserve", words)
