"""Greenhouse gas of electricity, and the fee on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

KWH_PER_MWH = 1000.0
KG_PER_TONNE = 1000.0

TAIWAN_GRID_KG_PER_KWH = {
    2017: 0.554,
    2018: 0.533,
    2019: 0.509,
    2020: 0.502,
    2021: 0.509,
    2022: 0.495,
    2023: 0.494,
    2024: 0.474,
}
"""Annual grid mean, kg CO2e/kWh, Energy Administration; 2024 as announced on 2025-04-14. An annual mean says nothing
about the hour of use: shifting load cannot be credited with it."""


@dataclass(frozen=True)
class CarbonFee:
    """Money per tonne on yearly emissions above `free_t`, times `adjustment` (0.2 for sectors at risk of leakage)."""

    rate_per_t: float = 300.0
    free_t: float = 25_000.0
    adjustment: float = 1.0


def emissions_kg(energy_mwh: Sequence[float], factor_kg_per_kwh: Sequence[float]) -> tuple[float, ...]:
    """kg CO2e per step = energy × factor. Raises ValueError when the two series differ in length."""
    return tuple(mwh * KWH_PER_MWH * factor for mwh, factor in zip(energy_mwh, factor_kg_per_kwh, strict=True))


def fee_per_mwh(factor_kg_per_kwh: float, rate_per_t: float) -> float:
    """What the fee adds to a MWh of a given factor, money per MWh."""
    return factor_kg_per_kwh * KWH_PER_MWH / KG_PER_TONNE * rate_per_t


def yearly_fee(emissions_kg_per_year: float, fee: CarbonFee) -> float:
    """(emissions − free) × adjustment × rate, not below zero."""
    charged_t = max(0.0, emissions_kg_per_year / KG_PER_TONNE - fee.free_t)
    return charged_t * fee.adjustment * fee.rate_per_t
