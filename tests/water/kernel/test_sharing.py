"""A lateral's water of a day among valves that give at least their shortest run, or nothing."""

from __future__ import annotations

import pytest

from water.kernel.sharing import Claim, Shares, share_out

SLOT = 180.0
"""0.2 m³/s for 15 minutes."""


def claim(name: str, wanted_m3: float, **how_urgent: float) -> Claim:
    """A valve of 0.2 m³/s that opens for half an hour or longer: 360 m³ at least."""
    return Claim(name, wanted_m3, SLOT, min_slots=2, **how_urgent)  # type: ignore[arg-type]


def given(shares: Shares) -> dict[str, float]:
    return {name: slots * SLOT for name, slots in shares.slots.items()}


def test_water_for_one_of_two_goes_to_the_one_that_waits_longer():
    # 200 m³ for each: neither makes 360. Together they do, once.
    shares = share_out([claim("upper", 200, overdue_days=0.5), claim("lower", 200, overdue_days=1.5)], 400)
    assert given(shares) == {"upper": 0, "lower": 360}
    assert shares.waiting_m3 == {"upper": 200}
    assert shares.left_m3 == pytest.approx(40)


@pytest.mark.parametrize(
    ("upper", "lower", "first"),
    [
        ({"tier": 2, "overdue_days": 5.0}, {"tier": 1}, "lower"),
        ({"overdue_days": 1.0, "days_since": 9}, {"overdue_days": 1.1, "days_since": 2}, "lower"),
        ({"overdue_days": 1.0, "days_since": 3}, {"overdue_days": 1.0, "days_since": 4}, "lower"),
        ({"overdue_days": 1.0, "days_since": 3}, {"overdue_days": 1.0}, "lower"),  # never watered
        ({}, {}, "lower"),  # equals: by name, so that the same plan comes out every time
    ],
)
def test_the_neediest_is_found_by_tier_then_time_overdue_then_time_since_its_last_turn(
    upper: dict[str, float], lower: dict[str, float], first: str
):
    shares = share_out([claim("upper", 200, **upper), claim("lower", 200, **lower)], 400)
    assert [name for name, slots in shares.slots.items() if slots] == [first]


def test_a_valve_whose_own_part_makes_a_shortest_run_keeps_it():
    # 900 and 100 of 1,000: five slots of 180 are the upper one's own, and 100 m³ open nothing, however urgent
    shares = share_out([claim("upper", 900), claim("lower", 100, tier=0, overdue_days=9)], 1000)
    assert given(shares) == {"upper": 900, "lower": 0}
    assert (shares.waiting_m3, shares.left_m3) == ({"lower": 100}, pytest.approx(100))


def test_remainders_of_long_runs_open_a_valve_that_could_not_pay_for_its_own():
    # 500, 500 and 340: two slots each for the first two, 140 and 140 over; with the 340 that is 620: the third opens,
    # and 260 are left: a slot more for the first of two equal remainders
    shares = share_out([claim("a", 500), claim("b", 500), claim("c", 340)], 1340)
    assert given(shares) == {"a": 540, "b": 360, "c": 360}
    assert (shares.waiting_m3, shares.left_m3) == ({}, pytest.approx(80))


def test_parts_are_in_proportion_to_what_is_wanted():
    # Half of what is wanted is there: 720 of 1,440 and 360 of 720
    shares = share_out([claim("upper", 1440), claim("lower", 720)], 1080)
    assert given(shares) == {"upper": 720, "lower": 360}
    assert (shares.waiting_m3, shares.left_m3) == ({}, 0.0)


def test_a_valve_with_too_long_a_shortest_run_lets_the_next_one_pass():
    large = Claim("large", 300, SLOT, min_slots=4, overdue_days=3)
    shares = share_out([large, claim("small", 100)], 400)
    assert given(shares) == {"large": 0, "small": 360}


def test_water_for_nobody_is_left():
    shares = share_out([claim("upper", 50), claim("lower", 30)], 80)
    assert given(shares) == {"upper": 0, "lower": 0}
    assert shares.left_m3 == pytest.approx(80)
    assert share_out([], 10) == Shares({}, {}, 10)


def test_who_was_left_out_is_served_when_the_days_add_up():
    """Four fields that use 100 m³ a day each on a lateral that brings what is asked for: nobody waits for a week."""
    lacks, last = dict.fromkeys("abcd", 0.0), dict.fromkeys("abcd", 0)
    for day in range(1, 30):
        lacks = {name: amount + 100 for name, amount in lacks.items()}
        asked = {name: max(0.0, amount) for name, amount in lacks.items()}
        claims = [
            claim(name, amount, overdue_days=amount / 100, days_since=day - last[name])
            for name, amount in asked.items()
        ]
        got = given(share_out(claims, sum(asked.values())))
        lacks = {name: amount - got[name] for name, amount in lacks.items()}
        last |= {name: day for name, amount in got.items() if amount}
        assert sum(got.values()) <= sum(asked.values()) + 1e-6
        assert min(last.values()) >= day - 4  # 360 m³ are what a field uses in 3.6 days
