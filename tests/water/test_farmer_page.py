"""A farmer opens a secret link on a phone and sees when the water comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone, translation

from forecasting.models import Forecast
from planning import lifecycle
from planning.models import Plan
from tests.water.fields import Fields, published, quarter, runs_of
from water import farmer
from water.models import DeviceMessage, FarmerLink, ValveRun

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Taipei")


def page(path: str, language: str = "en", **headers: str) -> str:
    response = Client().get(path, headers={"Accept-Language": language, **headers})
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def says(controller: Any, run: ValveRun, *statuses: str) -> None:
    for seq, status in enumerate(statuses):
        DeviceMessage.objects.create(
            controller=controller, kind="ack", seq=seq, run_uid=run.uid, status=status, at=timezone.now()
        )


def past(where: Fields, run: ValveRun, hours: float) -> None:
    """Moves a run into the past, as time would."""
    ValveRun.objects.filter(pk=run.pk).update(
        start=run.start - timedelta(hours=hours), end=run.end - timedelta(hours=hours)
    )


# --- the page ------------------------------------------------------------------------------------------------
def test_the_next_turn_stands_first_with_day_hours_and_volume(where: Fields, path: str) -> None:
    plan = published(where, ("upper", 3, 4.75), ("upper", 9, 10), ("lower", 1, 2))
    start = (plan.start + timedelta(hours=3)).astimezone(ZONE)
    with translation.override("en"):
        found = farmer.turns(where.upper, timezone.now())
    assert found.next is not None
    assert (found.next.first, found.next.volume_m3) == (f"{start:%H:%M}", pytest.approx(175))
    assert len(found.later) == 1
    # Behind midnight the end names its day too.
    assert found.next.until.endswith(f"{start + timedelta(minutes=105):%H:%M}")
    text = page(path)
    assert f"{found.next.first}–{found.next.until}" in text
    assert "175 m³ in this turn" in text
    assert text.index("Your next turn") < text.index("After that")


def test_days_are_named_as_people_name_them() -> None:
    today = datetime(2026, 11, 23).date()
    days = [today + timedelta(days=n) for n in (-1, 0, 1, 2)]
    with translation.override("en"):
        assert [farmer.day_in_words(day, today) for day in days] == ["Yesterday", "Today", "Tomorrow", "Wed 25 Nov"]
    with translation.override("zh-hant"):
        assert [farmer.day_in_words(day, today) for day in days] == ["昨天", "今天", "明天", "11月25日（星期三）"]


def test_a_turn_through_midnight_says_on_which_day_it_ends(where: Fields) -> None:
    evening = datetime.combine(timezone.now().astimezone(ZONE).date() + timedelta(days=1), datetime.min.time(), ZONE)
    published(where, ("upper", 0, 3), start=evening + timedelta(hours=22, minutes=30))
    with translation.override("en"):
        found = farmer.turns(where.upper, evening + timedelta(hours=20))
    assert found.next is not None
    assert (found.next.day, found.next.first, found.next.until) == ("Today", "22:30", "Tomorrow 01:30")


def test_a_turn_under_way_is_told_with_what_the_gate_reported(where: Fields, path: str) -> None:
    (run,) = runs_of(published(where, ("upper", 0.5, 2)))
    past(where, run, 1.5)
    says(where.controller, run, "received", "started")
    text = page(path)
    assert "Your turn is now" in text
    assert "The gate reported that it opened." in text
    assert "Your next turn" not in text


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ((), "The gate has not reported."),
        (("received", "completed"), "The gate opened and closed as planned."),
        (("received", "started", "aborted_fault"), "The gate stopped with a fault."),
        (("rejected_expired",), "The gate did not open."),
    ],
)
def test_the_last_turn_tells_whether_the_gate_really_opened(
    where: Fields, path: str, statuses: tuple[str, ...], words: str
) -> None:
    (run,) = runs_of(published(where, ("upper", 0.5, 2)))
    past(where, run, 5)
    says(where.controller, run, *statuses)
    assert words in page(path)


@pytest.mark.parametrize(("last", "look"), [("started", "open"), ("aborted_fault", "bad")])
def test_a_turn_that_went_wrong_does_not_look_open(where: Fields, path: str, last: str, look: str) -> None:
    (run,) = runs_of(published(where, ("upper", 0.5, 2)))
    past(where, run, 1)
    says(where.controller, run, "received", last)
    assert f'class="next {look}"' in page(path)


def test_a_run_that_is_done_already_is_no_turn_to_come(where: Fields, path: str) -> None:
    done, next_one = runs_of(published(where, ("upper", 1, 2), ("upper", 5, 6)))
    says(where.controller, done, "completed")
    with translation.override("en"):
        coming = farmer.turns(where.upper, timezone.now()).coming
    assert [turn.first for turn in coming] == [f"{next_one.start.astimezone(ZONE):%H:%M}"]


def test_what_is_missing_is_said_with_its_reason(where: Fields, path: str) -> None:
    items = [
        {"turnout": "upper", "short_m3": 120.0, "reason": "capacity"},
        {"turnout": "lower", "short_m3": 9.0, "reason": "quiet"},
    ]
    published(where, ("upper", 1, 2), short=items)
    text = page(path)
    assert "120 m³ less than your fields ask for: the canal was full." in text
    assert "quiet" not in text


def test_a_canal_that_goes_short_is_said_too(where: Fields, path: str) -> None:
    rates = {"served": [0.75] * 240, "short": [0.25] * 240}
    Plan.objects.filter(pk=published(where, ("upper", 1, 2)).pk).update(
        result={"demands": {"irrigation.lateral": rates}}
    )
    assert "the canal gets 25 % less than its fields ask for" in page(path)


RICE = {"crop": "rice", "deficit_mm": 0.0, "allowed_mm": 0.0}


def recorded(plan: Plan, km3: float, **why: Any) -> None:
    """What the plan's snapshot says of the fields behind the upper gate."""
    told = {"crop": "guava", "stage": "mid", "deficit_mm": 9.0, "allowed_mm": 14.0, "overdue_days": -1.4, **why}
    snapshot = {"extra": {"water": {"turnouts": {"lateral": {"upper": {"km3": km3, "tier": 2, "why": told}}}}}}
    Plan.objects.filter(pk=plan.pk).update(snapshot=snapshot)


def test_who_was_left_out_today_is_told_why_and_when_the_turn_comes(where: Fields, path: str) -> None:
    plan = published(where, ("lower", 1, 2))
    part = plan.parts.get()
    part.result["waiting"] = [{"turnout": "upper", "part_m3": 200.0}]
    part.save()
    recorded(plan, 0.28, deficit_mm=15.0, overdue_days=0.3)
    next_day = (plan.start + timedelta(days=1)).astimezone(ZONE).date()
    with translation.override("en"):
        named = farmer.day_in_words(next_day, timezone.now().astimezone(ZONE).date())
    text = page(path)
    assert "No turn is planned." in text
    assert "part of today&#x27;s water, 200 m³, is less than the shortest turn of your gate" in text
    assert "lack 15 mm and may lack 14 mm" in text
    assert f"comes first when water is shared again: {named}." in text
    assert "200 立方公尺，不足本水門最短開啟時間所需" in page(path, "zh-TW")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ({}, "need no water yet: they lack 9 mm and are watered from 14 mm on. Without rain their next turn"),
        ({"stage": "fallow"}, "Nothing grows on your fields"),
        ({"applied_mm": 12.0}, "Your fields have got their water of today: 12 mm. Without rain their next turn"),
        ({"crop": "rice"}, "Enough water stands on your fields today."),
        ({**RICE, "kept_as": "flooded", "standing_mm": 40.0}, "Enough water stands on your fields today."),
        ({**RICE, "kept_as": "flooded", "deficit_mm": 5.0}, "The rain that can be relied on is enough"),
        ({**RICE, "kept_as": "soaking", "allowed_mm": 120.0}, "Your land is soaked as far as it should be"),
        ({**RICE, "kept_as": "dry", "standing_mm": -9.0}, "Your rice is left to dry in these days."),
        ({**RICE, "kept_as": "drying", "standing_mm": 12.0}, "12 mm of water stand on your fields, which may fall dry"),
        ({**RICE, "kept_as": "drying", "standing_mm": -12.0, "deficit_mm": 32.0, "allowed_mm": 50.0},
         "they lack 32 mm and are watered from 50 mm on. Without rain their next turn"),
    ],
)  # fmt: skip
def test_whose_fields_need_nothing_is_told_so(where: Fields, path: str, why: dict[str, Any], words: str) -> None:
    recorded(published(where, ("lower", 1, 2)), 0.0, **why)
    assert words in page(path)


def test_what_a_plan_said_of_its_first_day_is_not_said_of_the_next(where: Fields, path: str) -> None:
    plan = published(where, ("lower", 1, 2))
    recorded(plan, 0.0)
    at = plan.start + timedelta(hours=23, minutes=59)
    with translation.override("en"):
        assert "need no water yet" in farmer.turns(where.upper, at).because
        told = farmer.turns(where.upper, at + timedelta(minutes=1)).because
    assert told == "The turns of this plan are over; the next plan brings new ones."


def test_a_turn_that_a_new_plan_goes_on_with_is_one_turn(where: Fields) -> None:
    start = quarter()
    published(where, ("upper", 0, 2), start=start)
    published(where, ("upper", 0, 1.5), ("upper", 3, 4), start=start + timedelta(hours=1))
    now = farmer.turns(where.upper, start + timedelta(minutes=10))
    running = now.running
    assert running is not None and running.volume_m3 == pytest.approx(100 + 150)
    assert running.until.endswith(f"{(start + timedelta(hours=2.5)).astimezone(ZONE):%H:%M}")
    assert [turn.volume_m3 for turn in now.coming] == [100.0]


def test_a_field_that_can_still_wait_is_told_the_day_of_its_next_turn(where: Fields, path: str) -> None:
    plan = published(where, ("lower", 1, 2))
    recorded(plan, 0.0)
    # 1.4 days from the plan's first day on: in the course of the second day after it
    day = plan.start.astimezone(ZONE).date() + timedelta(days=2)
    with translation.override("en"):
        named = farmer.day_in_words(day, timezone.now().astimezone(ZONE).date())
    assert f"Without rain their next turn may be expected: {named}." in page(path)


def test_a_cancelled_turn_is_shown_as_cancelled(where: Fields, path: str) -> None:
    lifecycle.withdraw(published(where, ("upper", 1, 2)))
    text = page(path)
    assert "does not take place" in text
    assert "No plan is in force: the gate stays closed." in text


def test_a_plan_that_stays_in_force_for_a_failed_one_is_flagged(where: Fields, path: str) -> None:
    published(where, ("upper", 1, 2), synthetic=True)
    lifecycle.fail(lifecycle.request(where.city), "the reservoirs have no level")
    text = page(path)
    assert "The previous plan stays in force" in text
    assert "rests on synthetic data" in text


def test_rain_is_told_where_a_fresh_forecast_knows_of_it(where: Fields, path: str) -> None:
    published(where, ("upper", 1, 2))
    assert "Rain is expected" not in page(path)
    rain = where.lateral.system.rain
    # Two days of 24 mm a day: until this time tomorrow 24 or 25 steps of 1 mm begin.
    Forecast.objects.create(
        series=rain, known_at=timezone.now(), start=quarter(-1), step_minutes=60, mean=[24.0] * 48, method="test"
    )
    assert "Rain is expected: about 24 mm" in page(path) or "Rain is expected: about 25 mm" in page(path)


def test_of_a_day_of_rain_no_more_is_told_than_falls_until_tomorrow(where: Fields) -> None:
    rain, noon = where.lateral.system.rain, datetime(2026, 6, 10, 12, tzinfo=ZONE)
    Forecast.objects.create(
        series=rain, known_at=noon, start=noon - timedelta(hours=12), step_minutes=1440, mean=[10.0, 30.0, 99.0],
        method="test",
    )  # fmt: skip
    with translation.override("en"):
        assert farmer.turns(where.upper, noon).rain == "Rain is expected: about 20 mm until tomorrow."


@pytest.mark.parametrize("method", ["climate", "profile"])
def test_what_usually_falls_is_not_told_as_rain_to_come(where: Fields, path: str, method: str) -> None:
    published(where, ("upper", 1, 2))
    rain = where.lateral.system.rain
    Forecast.objects.create(
        series=rain, known_at=timezone.now(), start=quarter(-1), step_minutes=60, mean=[24.0] * 48, method=method
    )
    assert "Rain is expected" not in page(path)


def test_a_forecast_replayed_today_for_an_old_day_tells_no_rain(where: Fields, path: str) -> None:
    published(where, ("upper", 1, 2))
    rain, long_ago = where.lateral.system.rain, timezone.now() - timedelta(days=1)
    Forecast.objects.create(
        series=rain, known_at=long_ago, start=quarter(-24), step_minutes=60, mean=[24.0] * 96, method="test"
    )
    assert "Rain is expected" not in page(path)


# --- the link ------------------------------------------------------------------------------------------------
def test_only_a_live_link_opens_anything(where: Fields, path: str) -> None:
    assert Client().get(path).status_code == 200
    assert Client().get("/turns/" + "A" * 32 + "/").status_code == 404
    assert Client().get(path.replace("/turns/", "/turns/x")).status_code == 404
    FarmerLink.objects.update(revoked_at=timezone.now())
    assert Client().get(path).status_code == 404
    assert Client().get(path + "calendar.ics").status_code == 404


def test_a_token_is_long_random_and_kept_nowhere(where: Fields) -> None:
    tokens = {farmer.make_link(where.upper) for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 22  # 22 letters of base64 are 132 bits
    assert not tokens & set(FarmerLink.objects.values_list("token_sha256", flat=True))


@pytest.mark.parametrize("file", ["", "calendar.ics"])
def test_the_secret_address_is_kept_from_search_engines_and_other_sites(where: Fields, path: str, file: str) -> None:
    response = Client().get(path + file)
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "private" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize(
    ("accepts", "query", "language"),
    [
        ("zh-TW,zh;q=0.9,en;q=0.8", "", "zh-hant"),
        ("en-GB,en;q=0.9,zh;q=0.2", "", "en"),
        ("vi", "", "zh-hant"),
        ("", "", "zh-hant"),
        ("zh-TW", "?lang=en", "en"),
        ("en", "?lang=zh-hant", "zh-hant"),
        ("en", "?lang=xx", "en"),
    ],
)
def test_the_page_speaks_the_language_that_was_asked_for(
    where: Fields, path: str, accepts: str, query: str, language: str
) -> None:
    response = Client().get(path + query, headers={"Accept-Language": accepts})
    assert response["Content-Language"] == language
    assert f'lang="{language}"' in response.content.decode()


def test_the_page_is_small_and_needs_no_script(where: Fields, path: str) -> None:
    published(where, ("upper", 1, 2))
    response = Client().get(path)
    assert len(response.content) < 14_000  # one round trip of a phone
    assert b"<script" not in response.content
