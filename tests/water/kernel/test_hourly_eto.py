"""FAO-56 worked example 19, and hourly forecast weather as daily ETo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from planning.kernel.problems import InvalidInput
from water.kernel.evapotranspiration import DayWeather, Site, penman_monteith_mm
from water.kernel.hourly_eto import HourWeather, eto_by_day, hourly_eto, radiation

# N'Diaye, Senegal, 16°13'N 16°15'W, 8 m; the book's clock is that of 15° west
NDIAYE, LONGITUDE = Site(latitude_deg=16 + 13 / 60, elevation_m=8), -16.25
CLOCK = timezone(timedelta(hours=-1))
NIGHT = HourWeather(datetime(2015, 10, 1, 2, tzinfo=CLOCK), 28, 90, 1.9, solar_mj_m2=0.0, clear_share=0.8)
NOON = HourWeather(datetime(2015, 10, 1, 14, tzinfo=CLOCK), 38, 52, 3.3, solar_mj_m2=2.450)
TAIPEI = ZoneInfo("Asia/Taipei")
KAOHSIUNG = Site(latitude_deg=22.57, elevation_m=10)


def test_example_19_two_hours_of_a_day_in_ndiaye() -> None:
    night, noon = hourly_eto(NDIAYE, LONGITUDE, [NIGHT, NOON])
    # printed: 0.00 and 0.63 mm an hour
    assert (f"{night:.2f}", f"{noon:.2f}") == ("0.00", "0.63")


def test_example_19_radiation() -> None:
    night, noon = radiation(NDIAYE, LONGITUDE, [NIGHT, NOON])
    # printed: Ra 0 and 3.543, Rso 0 and 2.658, Rn -0.100 and 1.749 MJ/m²/h
    assert (night.above_air, night.clear_sky) == (0.0, 0.0)
    assert f"{night.net:.3f}" == "-0.100"
    assert (f"{noon.above_air:.3f}", f"{noon.clear_sky:.3f}") == ("3.543", "2.658")
    # 0.77 × 2.450 − 0.137 = 1.749; the book's Stefan–Boltzmann constant differs in the fourth place
    assert noon.net == pytest.approx(1.749, abs=0.001)


def test_a_night_takes_the_clouds_of_the_afternoon_before() -> None:
    noon, night = (datetime(2026, 3, 1, hour, tzinfo=TAIPEI) for hour in (12, 20))

    def net_at_night(noon_mj: float) -> float:
        hours = [HourWeather(noon, 25, 70, 2, noon_mj), HourWeather(night, 25, 70, 2, 0.0)]
        return radiation(KAOHSIUNG, 120.3, hours)[1].net

    clear, cloudy = net_at_night(2.5), net_at_night(1.2)
    assert clear < cloudy < 0


def spring_day(start: datetime, hours: int) -> list[HourWeather]:
    """A clear day of 20 to 30 °C, coldest at 2, warmest at 14 (by the clock of Taiwan)."""
    found = []
    for k in range(hours):
        at = start + timedelta(hours=k)
        warm = 25 - 5 * (1 - abs((at.astimezone(TAIPEI).hour - 14) % 24 - 12) / 6)
        found.append(HourWeather(at, warm, 70, 2, clear_share=0.75))
    return found


def test_a_day_of_hours_comes_near_the_daily_equation() -> None:
    start = datetime(2026, 3, 20, tzinfo=TAIPEI)
    days = eto_by_day(KAOHSIUNG, 120.3, spring_day(start, 24), TAIPEI)
    hours = spring_day(start, 24)
    solar = sum(found.solar for found in radiation(KAOHSIUNG, 120.3, hours))
    whole = penman_monteith_mm(
        KAOHSIUNG, DayWeather(start.date(), 30, 20, rh_mean_pct=70, wind_m_s=2, solar_mj_m2=solar)
    )
    assert list(days) == [date(2026, 3, 20)]
    assert days[date(2026, 3, 20)] == pytest.approx(whole, rel=0.1)


def test_only_whole_local_days_are_summed() -> None:
    # from 22:00 in Taiwan: two hours of one day, the whole next one, an hour of the third
    hours = spring_day(datetime(2026, 3, 19, 14, tzinfo=UTC), 27)
    assert list(eto_by_day(KAOHSIUNG, 120.3, hours, TAIPEI)) == [date(2026, 3, 20)]


def test_impossible_hours_are_refused_with_every_reason() -> None:
    noon = datetime(2026, 3, 20, 12, tzinfo=TAIPEI)
    bad = [HourWeather(noon, 99, 120, 2, 1.0), HourWeather(noon + timedelta(hours=1), 25, 70, -1, 1.0)]
    with pytest.raises(InvalidInput) as refused:
        hourly_eto(KAOHSIUNG, 120.3, bad)
    assert [problem.place.rpartition(".")[2] for problem in refused.value.problems] == [
        "temperature_c",
        "rh_pct",
        "wind_m_s",
    ]


def test_an_hour_of_the_day_needs_to_know_the_sun() -> None:
    with pytest.raises(InvalidInput, match="sun is up"):
        hourly_eto(KAOHSIUNG, 120.3, [HourWeather(datetime(2026, 3, 20, 12, tzinfo=TAIPEI), 25, 70, 2)])
