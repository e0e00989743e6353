"""Who uses water from the mains: supply zones, fabs and industry."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from planning.kernel.network import Bus, Demand, Final, Link, Store

from .intakes import WATER
from .kernel.units import M3_PER_KM3
from .models import WaterUser
from .reading import Reading, Sheet

TANK_SHARE = 0.8
"""How full a user's own tanks are taken to be where no plan in force says, and what they should hold at the end."""
SERVICE_FACTOR = 2.0
"""A service main carries twice the highest demand, so that tanks can be filled while power is cheap."""


def add_user(sheet: Sheet, reading: Reading, user: WaterUser) -> None:
    """A demand; one with tanks stands behind them, on a bus of its own."""
    amount = reading.values(user.demand)
    bus = f"{user.key}.site" if user.tank_km3 else user.bus.key
    if user.tank_km3:
        _add_tank(sheet, reading, user, bus, max(amount))
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


def _add_tank(sheet: Sheet, reading: Reading, user: WaterUser, site: str, peak: float) -> None:
    name, wished = f"tank.{user.key}", TANK_SHARE * user.tank_km3
    level = min(user.tank_km3, max(0.0, reading.before.levels.get(name, wished)))
    words = _("Tanks of {name}")
    sheet.put(Bus(site, WATER), user, user.kind)
    final = Final(min=wished, tier=reading.tier("storage"))
    sheet.put(Store(name, site, user.tank_km3, level, final=final), user, "tank", words)
    service = Link(f"service.{user.key}", user.bus.key, SERVICE_FACTOR * peak, to={site: 1.0})
    sheet.put(service, user, "conduit", _("Service main of {name}"))
