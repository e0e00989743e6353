"""How the fields stand: carried from day to day, from what was measured and what was delivered.

A stored state stands until more of its past is learned: yesterday's rain is often read after midnight's plan, a gate
out of reach tells a day later that it stayed closed, and neither may be lost. Then, and where nothing is stored yet,
the days are walked from the last state that still holds, with the weather and the deliveries known by then. What a plan
was made from stands in its snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from django.db.models import Max
from django.utils import timezone

from cities.models import City
from planning.models import Plan

from .blocks import crop_of, kernel_block, planting
from .deliveries import Delivery, deliveries, reports, runs_known
from .kernel.daily_eto import Climate
from .kernel.fields import Block, after, first_state, gross_km3, need_mm
from .models import CropBlock, FieldState, IrrigationSystem, Lateral, Turnout
from .skies import SPIN_UP_DAYS, WEATHER_ROWS, Skies, skies_of

PATIENCE_DAYS = 2
"""So long a day's state waits for the day's weather to be measured before it is stored without."""


@dataclass(frozen=True)
class Field:
    """A crop block with its turnout, its lateral and its system."""

    row: CropBlock
    turnout: Turnout
    lateral: Lateral
    system: IrrigationSystem

    def block(self, first_day: date, last_day: date, climate: Climate | None) -> Block:
        """The kernel's block with the planting day that these days belong to."""
        planted = planting(self.row, crop_of(self.row), first_day, last_day)
        return kernel_block(self.row, self.system, self.lateral, planted, climate)


@dataclass(frozen=True)
class Standing:
    """How the fields of a system stand before a day, by block key, and what turnouts have got since it began.

    `assumed` are blocks of which nothing was stored; of those no state is known unless weather was measured.
    `last_watered` is by turnout key.
    """

    states: Mapping[str, float]
    delivered_m3: Mapping[str, float] = field(default_factory=dict)
    last_watered: Mapping[str, date] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()
    synthetic: bool = False
    climate: Climate | None = None


@dataclass(frozen=True)
class FieldDay:
    """What a walk found for a block and a day."""

    entry: Field
    day: date
    state_mm: float
    applied_mm: float
    measured: bool


def fields_of(system: IrrigationSystem, laterals: Sequence[Lateral]) -> list[Field]:
    return [
        Field(block, turnout, lateral, system)
        for lateral in laterals
        for turnout in lateral.turnouts.all()
        for block in turnout.blocks.all()
    ]


def state_on(fields: Sequence[Field], day: date, known_at: datetime, skies: Skies | None = None) -> Standing:
    """How the fields of one system stand before a local day, as known at a moment; nothing is written.

    `skies` spares reading the weather for each of several systems anew.
    """
    if not fields:
        return Standing({})
    walk = _Walk(fields, day, known_at, skies)
    for _ in walk.days():
        pass
    return Standing(
        walk.states, assumed=frozenset(walk.assumed), synthetic=walk.skies.synthetic, climate=walk.skies.climate
    )


def standing(
    fields: Sequence[Field], day: date, until: datetime, known_at: datetime, skies: Skies | None = None
) -> Standing:
    """As `state_on`, with what the turnouts got from the day's first moment to `until`."""
    found = state_on(fields, day, known_at, skies)
    if not fields:
        return found
    zone = fields[0].system.city.zone
    turnouts = {entry.turnout.pk: entry.turnout.key for entry in fields}
    got = deliveries(list(turnouts), datetime.combine(day, time(), zone), until, zone, known_at)
    runs = runs_known(turnouts, known_at).filter(start__lt=until)
    last = dict(runs.values_list("turnout").annotate(at=Max("start")))
    return replace(
        found,
        delivered_m3={turnouts[pk]: found.m3 for (pk, _), found in got.items()},
        last_watered={turnouts[pk]: at.astimezone(zone).date() for pk, at in last.items()},
    )


def keep(city: City, now: datetime) -> int:
    """Stores the state of every field at the end of each past day that is not stored yet. Returns how many rows."""
    today = now.astimezone(city.zone).date()
    laterals = Lateral.objects.filter(city=city).prefetch_related("turnouts__blocks").order_by("key")
    rows: list[FieldState] = []
    systems = list(IrrigationSystem.objects.filter(city=city).select_related(*WEATHER_ROWS))
    skies = skies_of(systems, now)
    for system in systems:
        fields = fields_of(system, [lateral for lateral in laterals if lateral.system_id == system.pk])
        if fields:
            rows += _new_rows(_Walk(fields, today, now, skies[system.pk]), today)
    # Two workers may walk the same day and find the same; a state that no longer holds gives way.
    figures = ["depletion_mm", "ponding_mm", "applied_mm", "source", "synthetic", "stored_at"]
    FieldState.objects.bulk_create(rows, update_conflicts=True, unique_fields=["block", "day"], update_fields=figures)
    return len(rows)


def split(blocks: Sequence[Block], needs_mm: Mapping[str, float], volume_m3: float) -> dict[str, float]:
    """A turnout's volume as net depth on each of its blocks: in proportion to what they need, or else to their area."""
    wants = {block.name: gross_km3(block, needs_mm[block.name]) for block in blocks}
    if not sum(wants.values()):
        wants = {block.name: block.area_ha for block in blocks}
    total = sum(wants.values())
    return {
        block.name: volume_m3 * wants[block.name] / total * block.application_efficiency / (block.area_ha * 10.0)
        for block in blocks
    }


class _Walk:
    """The fields of one system from their last stored states to the day before `until`."""

    def __init__(self, fields: Sequence[Field], until: date, known_at: datetime, skies: Skies | None) -> None:
        self.fields, self.until, self.known_at = fields, until, known_at
        self.system = fields[0].system
        self.skies = skies or skies_of([self.system], known_at)[self.system.pk]
        self.states: dict[str, float] = {}
        self.since: dict[str, date] = {}
        """The first day that each block has still to be walked through."""
        self.assumed: set[str] = set()
        """Blocks without a stored state."""
        self._begin()

    def days(self) -> Iterator[list[FieldDay]]:
        """One list per day; afterwards `states` is where the fields stand before `until`."""
        day = min(self.since.values())
        if day >= self.until:
            return
        zone = self.system.city.zone
        begin, end = datetime.combine(day, time(), zone), datetime.combine(self.until, time(), zone)
        got = deliveries([entry.turnout.pk for entry in self.fields], begin, end, zone, self.known_at)
        covered = _days_with_a_plan(self.system.city, day, self.until, self.known_at)
        while day < self.until:
            today = [entry for entry in self.fields if self.since[entry.row.key] <= day]
            yield [found for group in _by_turnout(today) for found in self._step(group, day, got, day in covered)]
            day += timedelta(days=1)

    def _begin(self) -> None:
        oldest = self.until - timedelta(days=SPIN_UP_DAYS)
        stored = FieldState.objects.filter(
            block__in=[entry.row.pk for entry in self.fields],
            day__lt=self.until,
            day__gte=oldest,
            stored_at__lte=self.known_at,
        ).order_by("day")
        told = self._told(oldest)
        last = {state.block_id: state for state in stored if self._holds(state, told[state.block_id])}
        measured = [day for day in self.skies.eto if oldest <= day < self.until]
        first_day = min(measured, default=self.until)
        for entry in self.fields:
            known = last.get(entry.row.pk)
            if known:
                self.since[entry.row.key], self.states[entry.row.key] = known.day + timedelta(days=1), known.state_mm
            else:
                self.since[entry.row.key] = first_day
                self.assumed.add(entry.row.key)
                if measured:
                    first = entry.block(first_day, first_day, self.skies.climate)
                    self.states[entry.row.key] = first_state(first, self.skies.on(first_day))

    def _told(self, oldest: date) -> dict[int, Sequence[tuple[date, datetime]]]:
        """By block id what controllers said of its turnout's runs: the day, and when it was heard."""
        zone = self.system.city.zone
        turnouts = list({entry.turnout.pk for entry in self.fields})
        said = reports(turnouts, datetime.combine(oldest, time(), zone), zone, self.known_at)
        return {entry.row.pk: said.get(entry.turnout.pk, ()) for entry in self.fields}

    def _holds(self, state: FieldState, told: Sequence[tuple[date, datetime]]) -> bool:
        """Whether nothing of its past was learned after it was stored: neither weather nor what a gate did."""
        heard = all(at <= state.stored_at for day, at in told if day <= state.day)
        return heard and self.skies.all_known(state.day, state.stored_at)

    def _step(
        self, group: Sequence[Field], day: date, got: Mapping[tuple[int, date], Delivery], covered: bool
    ) -> Iterator[FieldDay]:
        """The blocks of one turnout through one day."""
        weather = self.skies.on(day)
        blocks = {entry.row.key: entry.block(day, day, self.skies.climate) for entry in group}
        needs = {key: need_mm(block, self.states[key], weather) for key, block in blocks.items()}
        found = got.get((group[0].turnout.pk, day))
        # Before there were plans, somebody watered: a day that no plan covers is taken to have brought what was needed.
        recorded = found is not None or covered
        applied = split(list(blocks.values()), needs, found.m3 if found else 0.0) if recorded else needs
        for entry in group:
            key = entry.row.key
            self.states[key] = after(blocks[key], self.states[key], weather, applied[key])
            measured = self.skies.measured(day) and found is not None and found.measured
            yield FieldDay(entry, day, self.states[key], applied[key], measured)


def _new_rows(walk: _Walk, today: date) -> list[FieldState]:
    """The walk's rows, day by day; of a field that is new only the last day, for its spin-up is no record."""
    rows: list[FieldState] = []
    newest: dict[str, FieldState] = {}
    for found in walk.days():
        if not walk.skies.measured(found[0].day) and (today - found[0].day).days <= PATIENCE_DAYS:
            break
        for item in found:
            row = _row(item, walk)
            if item.entry.row.key in walk.assumed:
                newest[item.entry.row.key] = row
            else:
                rows.append(row)
    return rows + list(newest.values())


def _row(found: FieldDay, walk: _Walk) -> FieldState:
    rice = crop_of(found.entry.row).paddy is not None
    return FieldState(
        block=found.entry.row,
        day=found.day,
        depletion_mm=None if rice else found.state_mm,
        ponding_mm=found.state_mm if rice else None,
        applied_mm=found.applied_mm,
        source=FieldState.Source.MEASURED if found.measured else FieldState.Source.MODELLED,
        synthetic=walk.skies.synthetic,
        stored_at=walk.known_at,
    )


def _by_turnout(fields: Sequence[Field]) -> list[list[Field]]:
    groups: dict[int, list[Field]] = {}
    for entry in fields:
        groups.setdefault(entry.turnout.pk, []).append(entry)
    return list(groups.values())


def _days_with_a_plan(city: City, first: date, until: date, known_at: datetime) -> set[date]:
    """Local days of [first, until) in which a plan was in force, as known at a moment: what its runs did not bring was
    not brought.
    """
    begin, end = (datetime.combine(day, time(), city.zone) for day in (first, until))
    plans = Plan.objects.filter(city=city, published_at__lt=end, published_at__lte=known_at, valid_until__gt=begin)
    covered = set()
    for published_at, ended_at, valid_until in plans.values_list("published_at", "ended_at", "valid_until"):
        day = max(first, timezone.localtime(published_at, city.zone).date())
        last = valid_until if ended_at is None or ended_at > known_at else min(valid_until, ended_at)
        while day < until and datetime.combine(day, time(), city.zone) < last:
            covered.add(day)
            day += timedelta(days=1)
    return covered
