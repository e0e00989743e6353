"""Rows → parts of the network: purchases, solar, batteries, loads, bus depots and lines of a city."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

from cities.models import City, policy_in_force
from forecasting.models import Series
from forecasting.readers import NothingKnown, expected_many, latest
from planning.kernel.horizon import Horizon
from planning.kernel.network import Bus, Demand, Final, Link, Store, Supply
from planning.sectors import InputsMissing, Parts, Sector
from planning.sheet import Sheet, rows_of

from .charts import charts
from .kernel.depot import Duty
from .kernel.tariff import over_contract_charges, price_per_mwh
from .kernel.tariff_data import tariff_from
from .models import Battery, BusDepot, GridConnection, PowerBus, PowerLine, PowerLoad, SolarPark
from .reading import Reading
from .reports import details, headline, summary

POWER = "power"
DEPOT_CLASS, STORAGE_CLASS = "depot", "storage"
UNKNOWN_CHARGE_SHARE = 0.5
"""Of capacity, where no state of charge is known: the guess that is never off by more than half."""
CHARGING_COST = 0.01
"""Money per MWh. A battery without losses or wear could else charge and discharge at once for nothing; a hundredth of
a dollar decides it and is far below any tariff's steps."""


def parts(city: City, horizon: Horizon, known_at: datetime) -> Parts:
    """The city's power network over a horizon, as known at a moment."""
    parks = rows_of(SolarPark, city, "bus", "capacity_factor")
    loads = rows_of(PowerLoad, city, "bus", "load")
    reading = _read(city, horizon, known_at, [*(row.capacity_factor for row in parks), *(row.load for row in loads)])
    sheet = Sheet()
    for bus in rows_of(PowerBus, city):
        sheet.put(Bus(bus.key, POWER), bus, "bus")
    for connection in reading.connections:
        add_connection(sheet, reading, connection)
    for park in parks:
        add_park(sheet, reading, park)
    for battery in rows_of(Battery, city, "bus", "state_of_charge"):
        add_battery(sheet, reading, battery)
    for load in loads:
        add_load(sheet, reading, load)
    for depot in rows_of(BusDepot, city, "bus"):
        add_depot(sheet, reading, depot)
    for line in rows_of(PowerLine, city, "from_bus", "to_bus"):
        add_line(sheet, line)
    return sheet.share(reading, _extra(reading))


def _read(city: City, horizon: Horizon, known_at: datetime, series: Sequence[Series]) -> Reading:
    starts = [step.start for step in horizon.steps]
    unique = {row.pk: row for row in series}
    connections = rows_of(GridConnection, city, "bus", "tariff")
    holidays = city.holidays(range(horizon.start.year, horizon.end.year + 1))
    tariffs = {row.pk: tariff_from(row.tariff.key, row.tariff.data, city.time_zone, holidays) for row in connections}
    try:
        expected = expected_many(unique.values(), starts, horizon.hours, known_at)
    except NothingKnown as error:
        raise InputsMissing(*error.args) from error
    return Reading(
        city,
        horizon,
        known_at,
        expected,
        policy_in_force(city),
        connections,
        tariffs,
        {pk: price_per_mwh(tariff, horizon) for pk, tariff in tariffs.items()},
    )


def _extra(reading: Reading) -> dict[str, Any]:
    """What a plan's reports and charts ask of the snapshot."""
    return {
        "policy": reading.policy.key,
        "carbon_kg_per_kwh": {_purchase(row): row.carbon_kg_per_kwh for row in reading.connections},
        "contract_mw": {_purchase(row): row.contract_mw for row in reading.connections},
    }


def _purchase(connection: GridConnection) -> str:
    return f"purchase.{connection.key}"


def add_connection(sheet: Sheet, reading: Reading, connection: GridConnection) -> None:
    """A purchase at the tariff's price of each step, up to the physical limit.

    What exceeds the contract pays the over-contract fee of the month of the first step. It is a fee on the month's
    highest quarter of an hour: the week in which the contract is exceeded pays for the whole month, and a later week
    of the same month would pay again, for no series tells of the peak so far. Hourly steps see hourly means, a little
    lower than the quarter hours that are billed. Basic fees do not depend on the plan and are left out.
    """
    tariff = reading.tariffs[connection.pk]
    supply = Supply(
        _purchase(connection),
        connection.bus.key,
        max=connection.limit_mw,
        cost=reading.prices[connection.pk],
        peak=over_contract_charges(tariff, connection.contract_mw, reading.horizon.start),
    )
    sheet.put(supply, connection, "purchase")


def add_park(sheet: Sheet, reading: Reading, park: SolarPark) -> None:
    """Power for nothing up to capacity × expected capacity factor; what is not taken is curtailed."""
    factors = reading.values(park.capacity_factor)
    most = tuple(park.capacity_mw * min(1.0, factor) for factor in factors)
    sheet.put(Supply(f"solar.{park.key}", park.bus.key, max=most), park, "solar")


def add_battery(sheet: Sheet, reading: Reading, battery: Battery) -> None:
    """Cells on a bus of their own, joined to the grid by a charging and a discharging link.

    What is left at the end is worth the cheapest purchase price p of the horizon. Putting a MWh in then costs
    p / η_charge, more than its worth, and taking it out saves p × η_discharge, less than its worth: the plan neither
    empties the battery at its end nor fills it, but still sells into every dearer hour. The reserve is a hard floor
    down to what an idle battery would hold, so that one that begins below it breaks no limit.
    """
    cells = f"{battery.key}.cell"
    initial = _state_of_charge(sheet, reading, battery)
    store = Store(
        f"battery.{battery.key}",
        cells,
        capacity=battery.capacity_mwh,
        initial=initial,
        min=_floor(battery, initial, reading.horizon),
        loss_per_hour=battery.loss_per_hour,
        end_value=reading.cheapest(battery.bus),
    )
    charge = Link(
        f"charge.{battery.key}",
        battery.bus.key,
        max=battery.power_mw,
        to={cells: battery.charge_efficiency},
        cost=CHARGING_COST,
    )
    # A link's limit is on what enters it; the battery's power is what the grid gets.
    discharge = Link(
        f"discharge.{battery.key}",
        cells,
        max=battery.power_mw / battery.discharge_efficiency,
        to={battery.bus.key: battery.discharge_efficiency},
        cost=battery.wear_cost_per_mwh * battery.discharge_efficiency,
    )
    sheet.put(Bus(cells, POWER), battery, "bus", gettext_noop("cells of {name}"))
    sheet.put(store, battery, "battery")
    sheet.put(charge, battery, "charge", gettext_noop("charging of {name}"))
    sheet.put(discharge, battery, "discharge", gettext_noop("discharge of {name}"))


def _floor(battery: Battery, initial: float, horizon: Horizon) -> tuple[float, ...]:
    reserve, idle, floor = battery.reserve_share * battery.capacity_mwh, initial, []
    for step in horizon.steps:
        idle *= (1 - battery.loss_per_hour) ** step.hours
        floor.append(min(reserve, idle))
    return tuple(floor)


def _state_of_charge(sheet: Sheet, reading: Reading, battery: Battery) -> float:
    """The latest known state of charge, MWh, within what the cells hold."""
    series = battery.state_of_charge
    seen = latest(series, reading.known_at) if series else None
    if series is None or seen is None:
        sheet.note(
            "warning", gettext_noop("No state of charge of {name} is known: half full is assumed."), name=battery
        )
        return UNKNOWN_CHARGE_SHARE * battery.capacity_mwh
    if reading.known_at - seen.valid_at > timedelta(hours=series.stale_after_hours):
        words = gettext_noop("The state of charge of {name} is old: it was last measured at {time}.")
        sheet.note("warning", words, name=battery, time=f"{seen.valid_at.astimezone(reading.city.zone):%Y-%m-%d %H:%M}")
    sheet.synthetic = sheet.synthetic or seen.synthetic
    return min(max(seen.value, 0.0), battery.capacity_mwh)


def add_load(sheet: Sheet, reading: Reading, load: PowerLoad) -> None:
    demand = Demand(
        f"load.{load.key}",
        load.bus.key,
        reading.values(load.load),
        tier=reading.tier(load.user_class),
        penalty=load.penalty_per_mwh,
    )
    sheet.put(demand, load, "fab_load" if load.kind == PowerLoad.Kind.FAB else "load")


def add_depot(sheet: Sheet, reading: Reading, depot: BusDepot) -> None:
    """The buses' own batteries as one store behind one plug.

    The plug works while buses are plugged in; while they drive, a demand of the class "depot" takes the day's energy
    evenly from the store. So a night's charging may lie anywhere before the morning, and what was not charged by then
    is missing on the road. No feed tells how full the buses are: at the start they are taken as charged and driven
    evenly so far, and at the end they should be so again. That is a wish of the class "storage", as it would else be as
    good to leave buses standing today for the sake of the day after the horizon.
    """
    duty = Duty(reading.city.zone, depot.plug_in_hour, depot.plug_out_hour)
    buses = f"{depot.key}.buses"
    day_mwh, penalty = depot.energy_mwh_per_day, depot.penalty_per_mwh
    plugged = [duty.plugged_share(step.start, step.end) for step in reading.horizon.steps]
    end_mwh = day_mwh * duty.charge_share(reading.horizon.end)
    store = Store(
        f"buses.{depot.key}",
        buses,
        capacity=day_mwh,
        initial=day_mwh * duty.charge_share(reading.horizon.start),
        final=Final(min=end_mwh, tier=reading.tier(STORAGE_CLASS), penalty=penalty),
    )
    plug = Link(
        f"plug.{depot.key}",
        depot.bus.key,
        max=tuple(depot.charger_mw * share for share in plugged),
        to={buses: 1.0},
    )
    driving_mw = day_mwh / duty.driving_hours
    drive = Demand(
        f"depot.{depot.key}",
        buses,
        tuple(driving_mw * (1 - share) for share in plugged),
        tier=reading.tier(DEPOT_CLASS),
        penalty=penalty,
    )
    sheet.put(Bus(buses, POWER), depot, "bus", gettext_noop("buses of {name}"))
    sheet.put(store, depot, "depot", gettext_noop("bus batteries of {name}"))
    sheet.put(plug, depot, "depot", gettext_noop("chargers of {name}"))
    sheet.put(drive, depot, "depot", gettext_noop("{name} (driving)"))


def add_line(sheet: Sheet, line: PowerLine) -> None:
    link = Link(
        f"line.{line.key}",
        line.from_bus.key,
        max=line.capacity_mw,
        to={line.to_bus.key: 1 - line.loss_share},
    )
    sheet.put(link, line, "line")


SECTOR = Sector(
    name="energy",
    label=gettext_lazy("Power"),
    parts=parts,
    summary=summary,
    charts=charts,
    headline=headline,
    details=details,
)
