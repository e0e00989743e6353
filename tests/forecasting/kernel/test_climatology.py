"""Spells of past days as futures."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from forecasting.kernel.climatology import spells


def years(first: int, last: int) -> dict[date, float]:
    """Every day's amount is its ordinal number, so that a spell tells where it comes from."""
    day, found = date(first, 1, 1), {}
    while day.year <= last:
        found[day] = float(day.toordinal())
        day += timedelta(days=1)
    return found


def test_days_follow_one_another_as_they_did() -> None:
    found = spells(years(2020, 2025), date(2026, 7, 1), 7, 20)
    assert found is not None and found.shape == (20, 7)
    assert (np.diff(found, axis=1) == 1).all()


def test_spells_come_from_the_season_even_over_new_year() -> None:
    found = spells(years(2020, 2025), date(2026, 1, 3), 5, 60)
    assert found is not None
    months = {date.fromordinal(int(first)).month for first in found[:, 0]}
    assert months <= {12, 1, 2} and {12, 1} <= months


def test_a_gap_in_the_history_is_never_bridged() -> None:
    history = years(2020, 2025)
    del history[date(2023, 7, 2)]
    found = spells(history, date(2026, 7, 1), 7, 400)
    assert found is not None
    assert not (found == date(2023, 7, 2).toordinal()).any()


def test_two_years_are_no_climate() -> None:
    assert spells(years(2024, 2025), date(2026, 7, 1), 7, 20) is None


def test_the_same_seed_gives_the_same_futures() -> None:
    history = years(2020, 2025)
    one, same, other = (spells(history, date(2026, 7, 1), 7, 20, seed) for seed in (1, 1, 2))
    assert (one == same).all() and not (one == other).all()
