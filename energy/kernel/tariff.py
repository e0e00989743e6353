"""Time-of-use tariffs: what a kWh costs when, and what contract capacity costs.

A tariff is data; the rules here are those of Taiwan Power Company's price table (sections by season, day type and hour;
a basic fee per kW of contract; the highest 15-minute average of the month billed above the contract).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from planning.kernel.horizon import Horizon
from planning.kernel.network import PeakCharge

KWH_PER_MWH = 1000.0
KW_PER_MW = 1000.0


class Section(StrEnum):
    """The part of the week that a moment is billed in."""

    PEAK = "peak"
    SEMI_PEAK = "semi_peak"
    SATURDAY_SEMI_PEAK = "saturday_semi_peak"
    OFF_PEAK = "off_peak"


class DayType(StrEnum):
    """Sundays and the tariff's holidays are off days."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    OFF_DAY = "off_day"


class ContractKind(StrEnum):
    """Kinds of contract capacity; only the regular one may be used in every section."""

    REGULAR = "regular"
    SEMI_PEAK = "semi_peak"
    SATURDAY_SEMI_PEAK = "saturday_semi_peak"
    OFF_PEAK = "off_peak"


@dataclass(frozen=True)
class Band:
    """Local hours [from_hour, to_hour) of a day type that belong to a section; hours in no band are off-peak."""

    day_type: DayType
    from_hour: float
    to_hour: float
    section: Section


@dataclass(frozen=True)
class Season:
    """Days from `first` to `last` (month, day), both included; a season may pass New Year."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    bands: tuple[Band, ...]
    energy_per_kwh: Mapping[Section, float]
    contract_per_kw_month: Mapping[ContractKind, float]

    def contains(self, day: date) -> bool:
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True)
class OverContract:
    """Power above the contract: up to `first_share` of it costs `first_multiple` × the basic fee, the rest more."""

    first_share: float = 0.10
    first_multiple: float = 2.0
    beyond_multiple: float = 3.0


@dataclass(frozen=True)
class Tariff:
    """A price table. `holidays` are the dates billed like a Sunday; `timezone` is the one its hours are read in."""

    name: str
    timezone: str
    seasons: tuple[Season, ...]
    holidays: frozenset[date] = frozenset()
    over_contract: OverContract = OverContract()
    customer_fee_per_month: float = 0.0
    valid_from: date | None = None
    source: str = ""

    def season(self, day: date) -> Season:
        for season in self.seasons:
            if season.contains(day):
                return season
        raise ValueError(f"tariff {self.name} has no season for {day}")

    def day_type(self, day: date) -> DayType:
        if day in self.holidays or day.isoweekday() == 7:
            return DayType.OFF_DAY
        return DayType.SATURDAY if day.isoweekday() == 6 else DayType.WEEKDAY

    def local(self, moment: datetime) -> datetime:
        """The moment on the tariff's own clock. Raises ValueError for a moment without a timezone."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no timezone")
        return moment.astimezone(ZoneInfo(self.timezone))


@dataclass(frozen=True)
class Contract:
    """Contract capacity in MW by kind. The other kinds come on top of the regular one, in their own sections only."""

    regular_mw: float
    semi_peak_mw: float = 0.0
    saturday_semi_peak_mw: float = 0.0
    off_peak_mw: float = 0.0


def section(tariff: Tariff, moment: datetime) -> Section:
    """The section a timezone-aware moment is billed in."""
    return _section_until_border(tariff, tariff.local(moment))[0]


def price_per_mwh(tariff: Tariff, horizon: Horizon) -> tuple[float, ...]:
    """The energy price of every step, money per MWh; a step over a section border gets the time-weighted mean."""
    return tuple(
        sum(price * hours for price, hours in _pieces(tariff, step.start, step.end)) / step.hours
        for step in horizon.steps
    )


def over_contract_charges(
    tariff: Tariff, contract_mw: float, moment: datetime, month_peak_mw: float = 0.0
) -> tuple[PeakCharge, PeakCharge]:
    """What drawing above the regular contract costs, money per MW, in the month of `moment`.

    Excess up to 10 % of the contract is billed at 2 × the basic fee and the rest at 3 ×, on the highest 15-minute
    average of the month. The second charge is the extra price of the steeper part, as a supply's charges add up.
    `month_peak_mw` is the highest average already billed this month: below it, drawing more costs nothing further.
    """
    rule = tariff.over_contract
    fee_per_mw = _fees(tariff, tariff.local(moment).date())[ContractKind.REGULAR] * KW_PER_MW
    steeper_mw = contract_mw * (1 + rule.first_share)
    return (
        PeakCharge(max(contract_mw, month_peak_mw), rule.first_multiple * fee_per_mw),
        PeakCharge(max(steeper_mw, month_peak_mw), (rule.beyond_multiple - rule.first_multiple) * fee_per_mw),
    )


def monthly_basic_fee(tariff: Tariff, contract: Contract, month: date) -> float:
    """The basic fee of the calendar month holding `month`, money; a month of two seasons is split by days.

    fee = regular × r + semi × s + max(0, saturday + off − ½(regular + semi)) × o, in kW (price table, basic fee of the
    three-section plan). Saturday semi-peak and off-peak capacity share one rate o in that table.
    """
    first = month.replace(day=1)
    days = [first + timedelta(days=n) for n in range(_days_in_month(first))]
    total = sum(_basic_fee(_fees(tariff, day), contract) for day in days) / len(days)
    return total + tariff.customer_fee_per_month


def _basic_fee(fees: Mapping[ContractKind, float], contract: Contract) -> float:
    firm_mw = contract.regular_mw + contract.semi_peak_mw
    cheap_mw = max(0.0, contract.saturday_semi_peak_mw + contract.off_peak_mw - 0.5 * firm_mw)
    return KW_PER_MW * (
        contract.regular_mw * fees[ContractKind.REGULAR]
        + contract.semi_peak_mw * fees.get(ContractKind.SEMI_PEAK, 0.0)
        + cheap_mw * fees.get(ContractKind.OFF_PEAK, 0.0)
    )


def _fees(tariff: Tariff, day: date) -> Mapping[ContractKind, float]:
    return tariff.season(day).contract_per_kw_month


def _days_in_month(first: date) -> int:
    return ((first + timedelta(days=31)).replace(day=1) - first).days


def _pieces(tariff: Tariff, start: datetime, end: datetime) -> Iterator[tuple[float, float]]:
    """(price per MWh, hours) of the stretches of one section between two moments."""
    at, end = start.astimezone(UTC), end.astimezone(UTC)
    while at < end:
        local = tariff.local(at)
        name, border = _section_until_border(tariff, local)
        upto = min(end, border.astimezone(UTC))
        if upto <= at:  # a clock set back would otherwise hold us at the same border for ever
            upto = min(end, at + timedelta(minutes=15))
        price = tariff.season(local.date()).energy_per_kwh[name] * KWH_PER_MWH
        yield price, (upto - at).total_seconds() / 3600
        at = upto


def _section_until_border(tariff: Tariff, local: datetime) -> tuple[Section, datetime]:
    """The section at a local moment, and the local moment where its band, gap or day ends."""
    day = local.date()
    midnight = datetime.combine(day, time(), tzinfo=local.tzinfo)
    hour = local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600
    kind, border = tariff.day_type(day), 24.0
    for band in tariff.season(day).bands:
        if band.day_type != kind:
            continue
        if band.from_hour <= hour < band.to_hour:
            return band.section, midnight + timedelta(hours=band.to_hour)
        if band.from_hour > hour:
            border = min(border, band.from_hour)
    return Section.OFF_PEAK, midnight + timedelta(hours=border)
