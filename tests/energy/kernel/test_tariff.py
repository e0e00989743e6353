"""Every cell of the 2025-10-01 table, at sample moments. 2026-07-06 and 2026-01-05 are Mondays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from energy.kernel.taipower import (
    EXTRA_HIGH_VOLTAGE_THREE_SECTION,
    HIGH_VOLTAGE_EV_CHARGING,
    HIGH_VOLTAGE_THREE_SECTION,
)
from energy.kernel.tariff import (
    Contract,
    ContractKind,
    Section,
    Tariff,
    monthly_basic_fee,
    over_contract_charges,
    price_per_mwh,
    section,
)
from planning.kernel.horizon import Horizon
from planning.kernel.network import PeakCharge

TAIPEI = ZoneInfo("Asia/Taipei")
HV, EHV, EV = HIGH_VOLTAGE_THREE_SECTION, EXTRA_HIGH_VOLTAGE_THREE_SECTION, HIGH_VOLTAGE_EV_CHARGING
SUMMER_MONDAY, SUMMER_SATURDAY, SUMMER_SUNDAY = (2026, 7, 6), (2026, 7, 11), (2026, 7, 12)
WINTER_MONDAY, WINTER_SATURDAY, WINTER_SUNDAY = (2026, 1, 5), (2026, 1, 10), (2026, 1, 11)


def at(day: tuple[int, int, int], hour: int, minute: int = 0) -> datetime:
    return datetime(*day, hour, minute, tzinfo=TAIPEI)


def price(tariff: Tariff, moment: datetime, hours: float = 0.25) -> float:
    """NT$ per kWh of one step."""
    return price_per_mwh(tariff, Horizon.path(moment, [(1, hours)]))[0] / 1000


@pytest.mark.parametrize(
    ("day", "hour", "expected", "high", "extra_high"),
    [
        (SUMMER_MONDAY, 0, Section.OFF_PEAK, 2.53, 2.40),
        (SUMMER_MONDAY, 8, Section.OFF_PEAK, 2.53, 2.40),
        (SUMMER_MONDAY, 9, Section.SEMI_PEAK, 5.85, 5.38),
        (SUMMER_MONDAY, 15, Section.SEMI_PEAK, 5.85, 5.38),
        (SUMMER_MONDAY, 16, Section.PEAK, 9.39, 8.69),
        (SUMMER_MONDAY, 21, Section.PEAK, 9.39, 8.69),
        (SUMMER_MONDAY, 22, Section.SEMI_PEAK, 5.85, 5.38),
        (SUMMER_MONDAY, 23, Section.SEMI_PEAK, 5.85, 5.38),
        (SUMMER_SATURDAY, 8, Section.OFF_PEAK, 2.53, 2.40),
        (SUMMER_SATURDAY, 9, Section.SATURDAY_SEMI_PEAK, 2.60, 2.50),
        (SUMMER_SATURDAY, 23, Section.SATURDAY_SEMI_PEAK, 2.60, 2.50),
        (SUMMER_SUNDAY, 18, Section.OFF_PEAK, 2.53, 2.40),
        (WINTER_MONDAY, 5, Section.OFF_PEAK, 2.32, 2.18),
        (WINTER_MONDAY, 6, Section.SEMI_PEAK, 5.47, 5.03),
        (WINTER_MONDAY, 11, Section.OFF_PEAK, 2.32, 2.18),
        (WINTER_MONDAY, 13, Section.OFF_PEAK, 2.32, 2.18),
        (WINTER_MONDAY, 14, Section.SEMI_PEAK, 5.47, 5.03),
        (WINTER_MONDAY, 18, Section.SEMI_PEAK, 5.47, 5.03),
        (WINTER_SATURDAY, 7, Section.SATURDAY_SEMI_PEAK, 2.41, 2.31),
        (WINTER_SATURDAY, 12, Section.OFF_PEAK, 2.32, 2.18),
        (WINTER_SATURDAY, 20, Section.SATURDAY_SEMI_PEAK, 2.41, 2.31),
        (WINTER_SUNDAY, 18, Section.OFF_PEAK, 2.32, 2.18),
    ],
)
def test_every_hour_of_the_table_has_its_section_and_price(
    day: tuple[int, int, int], hour: int, expected: Section, high: float, extra_high: float
) -> None:
    assert section(HV, at(day, hour)) == section(EHV, at(day, hour)) == expected
    assert price(HV, at(day, hour)) == pytest.approx(high)
    assert price(EHV, at(day, hour)) == pytest.approx(extra_high)


@pytest.mark.parametrize(
    ("day", "summer"),
    [((5, 15), False), ((5, 16), True), ((10, 15), True), ((10, 16), False), ((12, 31), False), ((1, 1), False)],
)
def test_summer_is_16_may_to_15_october(day: tuple[int, int], summer: bool) -> None:
    assert HV.season(date(2026, *day)).name == ("summer" if summer else "non_summer")


def test_bus_depots_pay_their_peak_an_hour_earlier_outside_summer() -> None:
    assert price(EV, at(SUMMER_MONDAY, 15)) == pytest.approx(2.8975)
    assert price(EV, at(SUMMER_MONDAY, 16)) == pytest.approx(11.8465)
    assert price(EV, at(WINTER_MONDAY, 15)) == pytest.approx(11.533)
    assert price(EV, at(WINTER_MONDAY, 21)) == pytest.approx(2.755)
    assert price(EV, at(SUMMER_SATURDAY, 17)) == pytest.approx(2.8975)


def test_a_holiday_on_a_weekday_or_saturday_is_off_peak_all_day() -> None:
    closed = replace(HV, holidays=frozenset({date(*SUMMER_MONDAY), date(*SUMMER_SATURDAY)}))
    assert section(closed, at(SUMMER_MONDAY, 18)) == Section.OFF_PEAK
    assert section(closed, at(SUMMER_SATURDAY, 18)) == Section.OFF_PEAK


def test_moments_kept_in_utc_are_read_on_the_tariffs_own_clock() -> None:
    # 08:30 UTC on a summer Monday is 16:30 in Taipei
    assert section(HV, datetime(2026, 7, 6, 8, 30, tzinfo=UTC)) == Section.PEAK
    with pytest.raises(ValueError, match="timezone"):
        section(HV, datetime(2026, 7, 6, 16, 30))


def test_a_step_over_a_border_pays_the_time_weighted_mean() -> None:
    # 15:30-16:30: half an hour at 5.85 and half at 9.39
    assert price(HV, at(SUMMER_MONDAY, 15, 30), hours=1) == pytest.approx((5.85 + 9.39) / 2)


def test_a_step_of_a_whole_day_pays_the_mean_of_its_sections() -> None:
    # summer weekday: 9 h off-peak, 9 h semi-peak, 6 h peak
    assert price(HV, at(SUMMER_MONDAY, 0), hours=24) == pytest.approx((9 * 2.53 + 9 * 5.85 + 6 * 9.39) / 24)


def test_a_step_into_another_season_changes_price_at_midnight() -> None:
    # Friday 15 May 2026 23:00-24:00 non-summer semi-peak 5.47, then Saturday 00:00-01:00 summer off-peak 2.53
    assert price(HV, at((2026, 5, 15), 23), hours=2) == pytest.approx((5.47 + 2.53) / 2)


def test_prices_of_a_horizon_come_one_per_step_and_per_mwh() -> None:
    prices = price_per_mwh(HV, Horizon.path(at(SUMMER_MONDAY, 15), [(8, 0.25)]))
    assert prices == pytest.approx([5850] * 4 + [9390] * 4)


def test_a_clock_set_back_neither_hangs_nor_loses_time() -> None:
    berlin = replace(HV, timezone="Europe/Berlin")
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight of the 25-hour Sunday
    assert price(berlin, start, hours=25) == pytest.approx(2.32)


@pytest.mark.parametrize(("tariff", "summer", "winter"), [(HV, 223.6, 166.9), (EHV, 217.3, 160.6), (EV, 44.84, 32.87)])
def test_over_contract_power_costs_twice_then_three_times_the_basic_fee(
    tariff: Tariff, summer: float, winter: float
) -> None:
    for day, fee in ((SUMMER_MONDAY, summer), (WINTER_MONDAY, winter)):
        first, steeper = over_contract_charges(tariff, 10.0, at(day, 12))
        assert (first.above, first.cost) == pytest.approx((10.0, 2 * fee * 1000))
        # 3 × in all: what comes above the 2 × already charged
        assert (steeper.above, steeper.cost) == pytest.approx((11.0, 1 * fee * 1000))


def test_a_peak_already_billed_this_month_is_free_to_reach_again() -> None:
    def bill(charges: tuple[PeakCharge, ...], mw: float) -> float:
        return sum(charge.cost * max(0.0, mw - charge.above) for charge in charges)

    charges = over_contract_charges(HV, 10.0, at(SUMMER_MONDAY, 12), month_peak_mw=10.5)
    assert bill(charges, 10.5) == 0
    # 10.5 → 11 at 2 ×, 11 → 12 at 3 ×
    assert bill(charges, 12) == pytest.approx((0.5 * 2 + 1 * 3) * 223_600)


@pytest.mark.parametrize(
    ("tariff", "summer", "winter"),
    [
        (HV, [223.6, 166.9, 44.7, 44.7], [166.9, 166.9, 33.3, 33.3]),
        (EHV, [217.3, 160.6, 43.4, 43.4], [160.6, 160.6, 32.1, 32.1]),
    ],
)
def test_the_fee_table_holds_every_kind_of_contract(tariff: Tariff, summer: list[float], winter: list[float]) -> None:
    found = [[season.contract_per_kw_month[kind] for kind in ContractKind] for season in tariff.seasons]
    assert found == [summer, winter]


def test_the_basic_fee_of_a_month() -> None:
    # 10 MW regular in July: 10 000 kW × 223.6
    assert monthly_basic_fee(HV, Contract(10), date(2026, 7, 6)) == pytest.approx(2_236_000)
    # 5 MW semi-peak more: + 5 000 × 166.9
    assert monthly_basic_fee(HV, Contract(10, 5), date(2026, 7, 1)) == pytest.approx(2_236_000 + 834_500)


def test_off_peak_capacity_is_free_up_to_half_of_the_firm_contract() -> None:
    free = monthly_basic_fee(HV, Contract(10), date(2026, 7, 1))
    assert monthly_basic_fee(HV, Contract(10, off_peak_mw=5), date(2026, 7, 1)) == pytest.approx(free)
    # 2 Saturday + 6 off-peak − 5 = 3 MW at 44.7
    more = monthly_basic_fee(HV, Contract(10, saturday_semi_peak_mw=2, off_peak_mw=6), date(2026, 7, 1))
    assert more - free == pytest.approx(3_000 * 44.7)


def test_may_is_split_by_days_between_its_two_seasons() -> None:
    # 15 days at 166.9 and 16 days at 223.6
    expected = 1000 * (15 * 166.9 + 16 * 223.6) / 31
    assert monthly_basic_fee(HV, Contract(1), date(2026, 5, 20)) == pytest.approx(expected)


def test_a_customer_fee_comes_once_a_month() -> None:
    assert monthly_basic_fee(EV, Contract(0), date(2026, 7, 1)) == pytest.approx(249.375)


def test_a_day_in_no_season_is_an_error_that_names_the_tariff() -> None:
    half = replace(HV, seasons=HV.seasons[:1])
    with pytest.raises(ValueError, match=HV.name):
        price(half, at(WINTER_MONDAY, 12) + timedelta(days=1))
