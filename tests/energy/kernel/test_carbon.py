from __future__ import annotations

import pytest

from energy.kernel.carbon import CarbonFee, emissions_kg, fee_per_mwh, yearly_fee


def test_two_mwh_at_half_a_kilogram_per_kwh_are_one_tonne() -> None:
    assert emissions_kg([2.0, 0.0], [0.5, 0.474]) == (1000.0, 0.0)


def test_a_factor_series_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        emissions_kg([1.0, 1.0], [0.5])


def test_300_a_tonne_at_the_2024_grid_factor_adds_142_to_a_mwh() -> None:
    # 0.474 t/MWh × 300 NT$/t
    assert fee_per_mwh(0.474, 300) == pytest.approx(142.2)


def test_only_what_is_above_the_free_amount_is_charged() -> None:
    assert yearly_fee(24_000_000, CarbonFee()) == 0
    assert yearly_fee(26_000_000, CarbonFee()) == pytest.approx(1_000 * 300)
    assert yearly_fee(26_000_000, CarbonFee(adjustment=0.2)) == pytest.approx(1_000 * 300 * 0.2)
