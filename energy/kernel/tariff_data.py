"""A tariff as a city pack writes it (docs/city-pack.md) → the tariff that prices are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from .tariff import Band, ContractKind, DayType, OverContract, Season, Section, Tariff


def tariff_from(name: str, data: Mapping[str, Any], timezone: str, holidays: Iterable[date] = ()) -> Tariff:
    """`data` as the pack's schema has accepted it; `holidays` are billed like Sundays beside the tariff's own."""
    valid_from = data.get("valid_from")
    return Tariff(
        name=name,
        timezone=timezone,
        seasons=tuple(_season(season) for season in data["seasons"]),
        holidays=frozenset(holidays) | {date.fromisoformat(day) for day in data.get("holidays", ())},
        over_contract=OverContract(**data.get("over_contract", {})),
        customer_fee_per_month=data.get("customer_fee_per_month", 0.0),
        valid_from=date.fromisoformat(valid_from) if valid_from else None,
    )


def _season(data: Mapping[str, Any]) -> Season:
    return Season(
        name=data["name"],
        first=_month_day(data["first"]),
        last=_month_day(data["last"]),
        bands=tuple(
            Band(DayType(band["day_type"]), band["from_hour"], band["to_hour"], Section(band["section"]))
            for band in data["bands"]
        ),
        energy_per_kwh={Section(name): price for name, price in data["energy_per_kwh"].items()},
        contract_per_kw_month={ContractKind(kind): fee for kind, fee in data["contract_per_kw_month"].items()},
    )


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
