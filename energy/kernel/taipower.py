"""Taiwan Power Company's time-of-use price table, in force from 2025-10-01.

Source: the published table approved by MOEA letter 11458000380 of 2025-09-26. Later reviews (April and October 2026)
are not in it. High voltage summer is 16 May to 15 October. Money is NT$. Holidays are left empty: dates are not prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from energy.kernel.tariff import Band, ContractKind, DayType, Season, Section, Tariff

SUMMER = ((5, 16), (10, 15))
NON_SUMMER = ((10, 16), (5, 15))

_SUMMER_BANDS = (
    Band(DayType.WEEKDAY, 9, 16, Section.SEMI_PEAK),
    Band(DayType.WEEKDAY, 16, 22, Section.PEAK),
    Band(DayType.WEEKDAY, 22, 24, Section.SEMI_PEAK),
    Band(DayType.SATURDAY, 9, 24, Section.SATURDAY_SEMI_PEAK),
)
_NON_SUMMER_BANDS = (
    Band(DayType.WEEKDAY, 6, 11, Section.SEMI_PEAK),
    Band(DayType.WEEKDAY, 14, 24, Section.SEMI_PEAK),
    Band(DayType.SATURDAY, 6, 11, Section.SATURDAY_SEMI_PEAK),
    Band(DayType.SATURDAY, 14, 24, Section.SATURDAY_SEMI_PEAK),
)


def _energy(peak: float | None, semi_peak: float, saturday: float, off_peak: float) -> Mapping[Section, float]:
    prices = {Section.SEMI_PEAK: semi_peak, Section.SATURDAY_SEMI_PEAK: saturday, Section.OFF_PEAK: off_peak}
    return prices if peak is None else {Section.PEAK: peak, **prices}


def _contract(regular: float, semi_peak: float, saturday_and_off_peak: float) -> Mapping[ContractKind, float]:
    return {
        ContractKind.REGULAR: regular,
        ContractKind.SEMI_PEAK: semi_peak,
        ContractKind.SATURDAY_SEMI_PEAK: saturday_and_off_peak,
        ContractKind.OFF_PEAK: saturday_and_off_peak,
    }


def _ev_season(
    name: str, days: tuple[tuple[int, int], tuple[int, int]], peak_from: float, peak: float, off: float, fee: float
) -> Season:
    band = Band(DayType.WEEKDAY, peak_from, peak_from + 6, Section.PEAK)
    return Season(name, *days, (band,), {Section.PEAK: peak, Section.OFF_PEAK: off}, {ContractKind.REGULAR: fee})


HIGH_VOLTAGE_THREE_SECTION = Tariff(
    name="taipower-high-voltage-three-section",
    timezone="Asia/Taipei",
    seasons=(
        Season("summer", *SUMMER, _SUMMER_BANDS, _energy(9.39, 5.85, 2.60, 2.53), _contract(223.6, 166.9, 44.7)),
        Season(
            "non_summer", *NON_SUMMER, _NON_SUMMER_BANDS, _energy(None, 5.47, 2.41, 2.32), _contract(166.9, 166.9, 33.3)
        ),
    ),
    valid_from=date(2025, 10, 1),
    source="Taipower price table of 2025-10-01, high voltage, three-section fixed peak",
)

EXTRA_HIGH_VOLTAGE_THREE_SECTION = replace(
    HIGH_VOLTAGE_THREE_SECTION,
    name="taipower-extra-high-voltage-three-section",
    seasons=(
        Season("summer", *SUMMER, _SUMMER_BANDS, _energy(8.69, 5.38, 2.50, 2.40), _contract(217.3, 160.6, 43.4)),
        Season(
            "non_summer", *NON_SUMMER, _NON_SUMMER_BANDS, _energy(None, 5.03, 2.31, 2.18), _contract(160.6, 160.6, 32.1)
        ),
    ),
    source="Taipower price table of 2025-10-01, extra high voltage, three-section fixed peak",
)

HIGH_VOLTAGE_EV_CHARGING = replace(
    HIGH_VOLTAGE_THREE_SECTION,
    name="taipower-high-voltage-ev-charging",
    seasons=(
        _ev_season("summer", SUMMER, 16, 11.8465, 2.8975, 44.84),
        _ev_season("non_summer", NON_SUMMER, 15, 11.533, 2.755, 32.87),
    ),
    customer_fee_per_month=249.375,
    source="Taipower price table of 2025-10-01, high voltage, electric vehicle charging",
)

TARIFFS = {
    tariff.name: tariff
    for tariff in (HIGH_VOLTAGE_THREE_SECTION, EXTRA_HIGH_VOLTAGE_THREE_SECTION, HIGH_VOLTAGE_EV_CHARGING)
}
