"""What the fields behind each lateral want: water by day, as a demand on the canal system's bus.

What a plan remembers of the turnouts is `Sheet.turnouts`, by lateral and turnout a `TurnoutDay` (reading.py), and
stands in the snapshot as extra["water"]["turnouts"]. What each lateral would ask for under many courses of rain, and
which of these figures the plan counts on, stands beside it as extra["water"]["irrigation"].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean

from django.utils.translation import gettext_noop as _

from forecasting.models import Series
from planning.kernel.network import Demand

from .fields import Field, Standing, fields_of, split
from .kernel.crops import STAGES
from .kernel.daily_eto import Basis
from .kernel.ensembles import DEPENDABLE, asked_by_day, courses
from .kernel.fields import Block, Weather, check, first_state, kept_as, need_mm, overdue_days, shortfall, stage_name
from .kernel.soil import dependable_share
from .kernel.units import HOURS_PER_DAY, M3_PER_KM3, km3_per_hour_from_cms
from .models import IrrigationSystem, Lateral, WeatherStation
from .reading import SERIES, Evaporation, Reading, Sheet, TurnoutDay, Why

FLOWERING_TIER = 1
OTHER_TIER = 2
RAIN_DAYS = 3
"""A farmer is told of the dependable rain of these days."""


def add_system(
    sheet: Sheet, reading: Reading, system: IrrigationSystem, laterals: Sequence[Lateral], standing: Standing
) -> None:
    """One demand "irrigation.…" per lateral, counted where the system takes its water, even over each local day."""
    days = local_days(reading)
    eto, rain = _eto(sheet, reading, system), by_day(reading, system.rain)
    relied_on, usual = dependable_share(fmean(rain)), fmean(eto)
    weather = [Weather(day, use, relied_on * mm, usual) for day, use, mm in zip(days, eto, rain, strict=True)]
    for lateral in laterals:
        fields = fields_of(system, [lateral])
        blocks = {entry.row.key: entry.block(days[0], days[-1], standing.climate) for entry in fields}
        check(list(blocks.values()))
        first = {key: first_state(block, weather[0]) for key, block in blocks.items() if key not in standing.states}
        now = replace(standing, states={**standing.states, **first})
        applied = _applied(fields, blocks, now, weather[0])
        wanted = _wanted(sheet, reading, lateral, blocks, now.states, applied, weather)
        _add_demand(sheet, reading, system, lateral, wanted)
        sheet.turnouts[lateral.key] = _first_day(reading, fields, blocks, wanted, now, weather)
    if standing.assumed:
        words = _("{name}: of {count} fields no earlier state is stored; they are taken to have got what they needed.")
        sheet.note("info", words, name=system, count=len(standing.assumed))
    sheet.synthetic |= standing.synthetic


def _eto(sheet: Sheet, reading: Reading, system: IrrigationSystem) -> list[float]:
    """By local day: from the weather of the system's station where that is known, else what its series expects."""
    known = reading.eto.get(system.weather_id or 0, {})
    days = local_days(reading)
    expected = by_day(reading, system.reference_eto)
    eto = [known[day].mm if day in known else mm for day, mm in zip(days, expected, strict=True)]
    sheet.eto[system.key] = Evaporation(
        station=system.weather.key if system.weather else "",
        mm=[round(mm, 2) for mm in eto],
        basis=[known[day].basis.value if day in known else SERIES for day in days],
    )
    return eto


def tell_of_weather(sheet: Sheet, reading: Reading, station: WeatherStation) -> None:
    """A note of what a station's weather was good for."""
    found = reading.eto.get(station.pk, {})
    days = [found[day] for day in local_days(reading) if day in found]
    by_hour = sum(day.basis == Basis.HOURS for day in days)
    rest = len(local_days(reading)) - len(days)
    if not days:
        words = _("{name}: too little of its weather is known; reference evapotranspiration is that of its series.")
        sheet.note("warning", words, name=station)
        return
    words = _("Reference evapotranspiration is {mm:.1f} mm a day: from the weather of {name}, by the hour.")
    if by_hour < len(days) or rest:
        words = _(
            "Reference evapotranspiration from the weather of {name}: {hours} days by the hour, {days} by the day with "
            "estimates; {rest} more from its series."
        )
    mm = fmean(day.mm for day in days)
    sheet.note("info", words, name=station, mm=mm, hours=by_hour, days=len(days) - by_hour, rest=rest)


def _wanted(
    sheet: Sheet,
    reading: Reading,
    lateral: Lateral,
    blocks: Mapping[str, Block],
    states: Mapping[str, float],
    applied: Mapping[str, float],
    weather: Sequence[Weather],
) -> list[Mapping[str, float]]:
    """Day by day what each block asks for, gross 10³ m³: the figure that the plan counts on (`Reading.basis`)."""
    every, hours = list(blocks.values()), _hours_of_days(reading)
    most = [_most_km3(lateral, span) for span in hours]
    dependable = asked_by_day(every, states, weather, applied, hours, most)
    rain = reading.rain.get(lateral.system.rain_id)
    if rain is None or not every:
        return dependable
    found = courses(every, states, weather, rain.mm, applied, hours, most)
    counted = dependable if reading.basis == DEPENDABLE else found.counted_on(reading.basis)
    planned = [sum(day.values()) for day in counted]
    sheet.irrigation[lateral.key] = {**found.spread().as_dict(), "planned": [round(km3, 3) for km3 in planned]}
    return counted


def _applied(
    fields: Sequence[Field], blocks: Mapping[str, Block], standing: Standing, weather: Weather
) -> dict[str, float]:
    """The net depth that each block has got today."""
    found: dict[str, float] = {}
    for turnout, volume in standing.delivered_m3.items():
        mine = [blocks[entry.row.key] for entry in fields if entry.turnout.key == turnout]
        needs = {block.name: need_mm(block, standing.states[block.name], weather) for block in mine}
        found |= split(mine, needs, volume) if mine else {}
    return found


def _most_km3(lateral: Lateral, hours: float) -> float:
    """What a lateral can carry in the hours of a day in which its valves may be open, counted at the system's head."""
    open_share = 1.0 - sum(_window_hours(window) for window in lateral.quiet_windows) / HOURS_PER_DAY
    at_head = km3_per_hour_from_cms(lateral.capacity_m3s) / lateral.system.conveyance_efficiency
    return at_head * hours * max(0.0, open_share)


def _window_hours(window: Sequence[str]) -> float:
    first, until = (int(clock[:2]) + int(clock[3:]) / 60 for clock in window)
    return (until - first) % HOURS_PER_DAY


def _add_demand(
    sheet: Sheet, reading: Reading, system: IrrigationSystem, lateral: Lateral, wanted: Sequence[Mapping[str, float]]
) -> None:
    rates = {
        day: sum(volumes.values()) / hours
        for day, volumes, hours in zip(local_days(reading), wanted, _hours_of_days(reading), strict=True)
    }
    demand = Demand(
        f"irrigation.{lateral.key}",
        system.bus.key,
        tuple(rates[day] for day in _day_of_steps(reading)),
        tier=reading.tier(system.user_class),
        penalty=system.penalty_per_m3 * M3_PER_KM3,
    )
    sheet.put(demand, lateral, "irrigation")
    # What the lateral's turns cannot deliver is told of the turnouts: the plan itself brings the water to the lateral.
    sheet.call(f"turnouts.{lateral.key}", lateral, "turnouts", _("{name}, at the turnouts"))


def _first_day(
    reading: Reading,
    fields: Sequence[Field],
    blocks: Mapping[str, Block],
    wanted: Sequence[Mapping[str, float]],
    standing: Standing,
    weather: Sequence[Weather],
) -> dict[str, TurnoutDay]:
    """What each turnout wants in the first 24 hours, which may lie in two local days, and why."""
    shares = [first / hours for first, hours in zip(_first_hours(reading), _hours_of_days(reading), strict=True)]
    asked = {key: sum(day[key] * share for day, share in zip(wanted, shares, strict=True)) for key in blocks}
    today = weather[0].day
    applied = _applied(fields, blocks, standing, weather[0])
    found: dict[str, TurnoutDay] = {}

    def to_the_fore(key: str) -> tuple[float, bool, float]:
        lacks, allowed = shortfall(blocks[key], standing.states[key], weather[0])
        return -asked[key], stage_name(blocks[key], today) == "fallow", allowed - lacks

    for key in sorted(asked, key=to_the_fore):
        turnout = next(entry.turnout.key for entry in fields if entry.row.key == key)
        tier = FLOWERING_TIER if _flowers(blocks[key], today) else OTHER_TIER
        # The block that asks for most speaks for its turnout; where none asks, a crop that stands goes before fallow
        # land, or its farmer would read that nothing grows there.
        if turnout not in found:
            last = standing.last_watered.get(turnout)
            why = _why(blocks[key], standing.states[key], applied.get(key, 0.0), weather, last)
            found[turnout] = TurnoutDay(km3=0.0, tier=tier, why=why)
        found[turnout]["km3"] += asked[key]
        found[turnout]["tier"] = min(found[turnout]["tier"], tier)
    return found


def _why(block: Block, state_mm: float, applied_mm: float, weather: Sequence[Weather], last: date | None) -> Why:
    lacks, allowed = shortfall(block, state_mm, weather[0])
    why = Why(
        crop=block.crop.name,
        stage=stage_name(block, weather[0].day),
        deficit_mm=round(lacks, 1),
        allowed_mm=round(allowed, 1),
        overdue_days=round(overdue_days(block, state_mm, weather[0], applied_mm), 2),
        rain_mm=round(sum(day.rain_mm for day in weather[:RAIN_DAYS]), 1),
        days_since=None if last is None else (weather[0].day - last) // timedelta(days=1),
    )
    if rice := kept_as(block, weather[0].day):
        why |= {"kept_as": rice, "standing_mm": round(state_mm, 1)}
    if applied_mm > 0:
        why["applied_mm"] = round(applied_mm, 1)
    return why


def _flowers(block: Block, day: date) -> bool:
    """Rice in its mid season, when heading and flowering fall."""
    return block.crop.paddy is not None and stage_name(block, day) == STAGES[2]


def local_days(reading: Reading) -> list[date]:
    return sorted(set(_day_of_steps(reading)))


def by_day(reading: Reading, series: Series) -> list[float]:
    """The mean of a series of daily amounts over the part of each local day that the horizon covers."""
    amounts = dict.fromkeys(local_days(reading), 0.0)
    steps = zip(reading.horizon.steps, _day_of_steps(reading), reading.values(series), strict=True)
    for step, day, value in steps:
        amounts[day] += step.hours * value
    return [amount / hours for amount, hours in zip(amounts.values(), _hours_of_days(reading), strict=True)]


def _hours_of_days(reading: Reading) -> list[float]:
    """How many hours of each local day the horizon covers."""
    hours = dict.fromkeys(local_days(reading), 0.0)
    for step, day in zip(reading.horizon.steps, _day_of_steps(reading), strict=True):
        hours[day] += step.hours
    return list(hours.values())


def _first_hours(reading: Reading) -> list[float]:
    """How many of the first 24 hours lie in each local day of the horizon."""
    hours = []
    left = HOURS_PER_DAY
    for length in _hours_of_days(reading):
        hours.append(min(left, length))
        left -= hours[-1]
    return hours


def _day_of_steps(reading: Reading) -> list[date]:
    return [step.start.astimezone(reading.city.zone).date() for step in reading.horizon.steps]
