"""Fields ask for water, and a lateral carries what it can of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from forecasting.models import Series
from tests.water.small import bus, demand, path, reading, series
from water.blocks import crop_of, planting
from water.fields import Standing
from water.irrigation import add_system
from water.models import (
    CropBlock,
    IrrigationSystem,
)
from water.reading import Reading, Sheet
from water.turns import quiet_slots


# --- what the fields ask for ---------------------------------------------------------------------------------
class Fields:
    """Turnouts of a lateral that is not in a database: {turnout: block or blocks}."""

    def __init__(self, system: IrrigationSystem, capacity_m3s: float, **blocks: CropBlock | list[CropBlock]) -> None:
        self.key, self.efficiency, self.system, self.blocks = "lateral", 0.9, system, blocks
        self.capacity_m3s, self.quiet_windows = capacity_m3s, [["22:00", "04:00"]]

    def __str__(self) -> str:
        return "Lateral"

    @property
    def turnouts(self) -> Any:
        blocks = {key: block if isinstance(block, list) else [block] for key, block in self.blocks.items()}
        return _Rows([type("Rows", (), {"key": key, "blocks": _Rows(rows)}) for key, rows in blocks.items()])


class _Rows:
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def all(self) -> list[Any]:
        return self.rows


def guava(area_ha: float = 20.0) -> CropBlock:
    return CropBlock(key=f"guava{area_ha}", crop="guava", area_ha=area_ha, planted="01-01", application_efficiency=1.0)


def rice() -> CropBlock:
    return CropBlock(
        key="rice", crop="rice", area_ha=10.0, planted="01-28", season_days=107, application_efficiency=1.0
    )


FULL = 14.0
"""What the guava may lack at 5 mm a day: Kc 0.70 × 5 × 4 days."""


def ask(
    read: Reading,
    rain: Series,
    eto: Series,
    standing: Standing,
    capacity_m3s: float = 5.0,
    **blocks: CropBlock | list[CropBlock],
) -> Sheet:
    system = IrrigationSystem(
        key="fields",
        name="Fields",
        bus=bus("field"),
        reference_eto=eto,
        rain=rain,
        conveyance_efficiency=0.8,
        turn_days=4.0,
        user_class="agriculture",
        penalty_per_m3=4.0,
    )
    sheet = Sheet()
    add_system(sheet, read, system, [Fields(system, capacity_m3s, **blocks)], standing)  # type: ignore[list-item]
    return sheet


def asked(sheet: Sheet) -> tuple[float, ...]:
    amount = demand(sheet.network(), "irrigation.lateral").amount
    assert isinstance(amount, tuple)
    return amount


def test_a_lateral_asks_for_what_its_crops_need_over_the_losses_on_the_way():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00"))
    sheet = ask(read, rain, eto, Standing({"guava20.0": FULL}), upper=guava())
    found = demand(sheet.network(), "irrigation.lateral")
    # Kc 0.70 × 5 mm = 3.5 mm on 20 ha = 0.7 × 10³ m³; / (0.8 × 0.9) of the canals = 0.9722 a day, 0.0405 an hour
    assert found.amount == (pytest.approx(0.7 / 0.72 / 24),) * 24
    assert (found.bus, found.tier, found.penalty) == ("field", 2, 4000.0)


def test_a_field_with_water_in_its_soil_can_wait():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00", steps=72))
    sheet = ask(read, rain, eto, Standing({"guava20.0": 9.0}), upper=guava())
    # 9 + 3.5 = 12.5 of 14; the next day 16 would be 2 too many; then 3.5 a day
    days = [asked(sheet)[hour] * 24 * 0.72 / 0.2 for hour in (0, 24, 48)]
    assert days == pytest.approx([0.0, 2.0, 3.5])


def test_a_field_of_which_nothing_is_known_lacks_half_of_what_it_may():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00", steps=96))
    sheet = ask(read, rain, eto, Standing({}), upper=guava())
    # 7 of 14 mm, 10.5, 14, and on the third day 3.5 too many
    assert [asked(sheet)[hour] * 24 * 0.72 / 0.2 for hour in (0, 24, 48)] == pytest.approx([0.0, 0.0, 3.5])


def test_rain_that_can_be_relied_on_spares_water():
    eto, rain = series(5.0), series(5.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00"))
    sheet = ask(read, rain, eto, Standing({"guava20.0": FULL}), upper=guava())
    # 5 mm a day are 152 a month, of which 97.6 are relied on: 3.21 mm, 2.568 of them stay on the field
    assert sum(asked(sheet)) == pytest.approx((3.5 - 0.8 * 5 * 97.6 / 152) * 0.2 / 0.72)


def test_what_came_since_midnight_is_not_asked_for_again():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T12:00"))
    # 700 m³ on 20 ha are the 3.5 mm of the day: this afternoon asks for nothing, tomorrow until noon for its half
    standing = Standing({"guava20.0": FULL}, delivered_m3={"upper": 700.0})
    sheet = ask(read, rain, eto, standing, upper=guava())
    assert sum(asked(sheet)[:12]) == 0.0
    assert sum(asked(sheet)) == pytest.approx(0.35 / 0.72)
    assert sheet.turnouts["lateral"]["upper"]["km3"] == pytest.approx(0.35 / 0.72)


def test_a_lateral_asks_for_no_more_than_it_carries_while_its_valves_may_open():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T00:00"))
    sheet = ask(read, rain, eto, Standing({"guava20.0": 100.0}), capacity_m3s=0.01, upper=guava())
    # 0.01 m³/s are 0.036 an hour, 18 hours between 04:00 and 22:00, over the main canal's 0.8
    assert sum(asked(sheet)) == pytest.approx(0.036 * 18 / 0.8)


def test_the_first_day_of_a_turnout_takes_its_share_of_two_local_days():
    # From 18:00 for 48 hours: ETo 5 until midnight, 10 on the next day, 3 after it; 6 on average, 16.8 mm in four days
    eto, rain = series((5.0,) * 6 + (10.0,) * 24 + (3.0,) * 18), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T18:00", steps=48))
    standing = Standing({"guava20.0": 16.8, "guava40": 16.8})
    sheet = ask(read, rain, eto, standing, upper=guava(), lower=guava(40))
    # today a quarter of 3.5 mm, so that 2.625 are left for tomorrow, which uses 7:
    # 9.625, three quarters of them until 18:00
    depth_mm = 0.875 + 0.75 * 9.625
    assert sheet.turnouts["lateral"]["upper"]["km3"] == pytest.approx(depth_mm * 0.2 / 0.72)
    assert sheet.turnouts["lateral"]["lower"]["km3"] == pytest.approx(depth_mm * 0.4 / 0.72)


def test_a_farmer_is_told_why():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-01-10T12:00"))
    standing = Standing({"guava20.0": 9.04}, last_watered={"upper": date(2026, 1, 7)}, assumed=frozenset({"guava20.0"}))
    sheet = ask(read, rain, eto, standing, upper=guava())
    assert sheet.turnouts["lateral"]["upper"]["why"] == {
        "crop": "guava",
        "stage": "initial",
        "deficit_mm": 9.0,
        "allowed_mm": 14.0,
        "overdue_days": -1.42,  # (9.04 - 14) / 3.5 mm a day
        "rain_mm": 0.0,
        "days_since": 3,
    }
    assert "Fields: of 1 fields no earlier state is stored" in sheet.notes[0].en


def test_of_blocks_that_ask_for_nothing_the_crop_nearest_to_its_limit_speaks_and_fallow_land_last():
    eto, rain = series(5.0), series(0.0)
    read = reading(eto, rain, horizon=path("2026-06-20T00:00"))  # the rice is harvested in May
    standing = Standing({"rice": 0.0, "guava20.0": 2.0, "guava40": 6.0})
    sheet = ask(read, rain, eto, standing, upper=[rice(), guava(), guava(40)])
    upper = sheet.turnouts["lateral"]["upper"]
    assert upper["km3"] == 0.0
    assert (upper["why"]["crop"], upper["why"]["deficit_mm"]) == ("guava", 6.0)
    resting = ask(read, rain, eto, standing, upper=rice()).turnouts["lateral"]["upper"]
    assert (resting["why"]["crop"], resting["why"]["stage"]) == ("rice", "fallow")


def test_rice_in_flower_goes_first():
    eto, rain = series(5.0), series(0.0)
    standing = Standing({"rice": 50.0, "guava20.0": FULL})
    # 107 days: the mid season is days 43 to 85 after 28 January, that is from 12 March to 23 April
    march, may = (
        ask(reading(eto, rain, horizon=path(f"{day}T00:00")), rain, eto, standing, upper=rice(), lower=guava())
        for day in ("2026-03-28", "2026-05-10")
    )
    assert {key: day["tier"] for key, day in march.turnouts["lateral"].items()} == {"upper": 1, "lower": 2}
    assert may.turnouts["lateral"]["upper"]["tier"] == 2


@pytest.mark.parametrize(
    ("day", "planted"),
    [
        (date(2026, 12, 20), date(2026, 1, 28)),  # harvested in May, and too early to soak the soil again
        (date(2026, 12, 30), date(2027, 1, 28)),  # soaking begins 30 days before
        (date(2027, 4, 10), date(2027, 1, 28)),  # standing
    ],
)
def test_a_planting_day_is_that_of_the_season_at_hand(day: date, planted: date):
    block = rice()
    assert planting(block, crop_of(block), day, day) == planted


# --- the day of a lateral ------------------------------------------------------------------------------------
def test_quiet_windows_pass_midnight():
    # From 20:00: 22:00 is slot 8, 05:00 is slot 36
    assert quiet_slots([["22:00", "05:00"]], path("2026-11-23T20:00").start) == [[8, 36]]
    # From 23:00: until 05:00 = slot 24, and again from 22:00 = slot 92 to the end
    assert quiet_slots([["22:00", "05:00"]], path("2026-11-23T23:00").start) == [[0, 24], [92, 96]]
    assert quiet_slots([], path().start) == []
