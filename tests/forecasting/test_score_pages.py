"""What people see of scores, alerts and cleaning: the page of a series, the list of alerts, the JSON API."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from cities.models import City, Membership
from config.words import compile_all
from forecasting.charts import skill_chart
from forecasting.models import Alert, Forecast, Lead, Score, Series
from forecasting.words import alert_text

API = "/api/v1/cities/tainan/series/load/scores/"
ALERTS = "/admin/forecasting/alert/"
WEIGHTS = {"ar (week)": 0.624, "ridge": 0.3, "seasonal naive": 0.072, "persistence": 0.004}
NOTES = [
    {"rule": "spike", "count": 2, "first": "2026-03-01T16:30:00+00:00", "did": "not used"},
    {"rule": "short history", "count": 9, "first": None, "did": "moved the profile's level by a factor of 1.25"},
]


@pytest.fixture
def load(make_series):
    """Two judged forecasts of yesterday, one of them on synthetic truth."""
    series = make_series("load", name="Load of <Tainan>")
    known_at = timezone.now() - timedelta(days=1)
    for k, (mae, synthetic) in enumerate(((1.0, False), (3.0, True))):
        forecast = Forecast.objects.create(
            series=series, known_at=known_at, start=known_at, step_minutes=60, mean=[5.0, 6.0],
            quantiles={"0.05": [4.0, 5.0], "0.95": [6.0, 7.0]}, method="ar", weights=WEIGHTS, notes=NOTES,
        )  # fmt: skip
        figures = {"wanted": 6, "count": 4 + 2 * k, "mae": mae, "bias": -mae, "pinball": 0.3, "naive_mae": 4.0}
        Score.objects.create(
            series=series, forecast=forecast, known_at=known_at, lead=Lead.HOURS_6, synthetic=synthetic,
            covered_50=0.5, covered_90=1.0, **figures,
        )  # fmt: skip
    return series


@pytest.fixture
def alert(load):
    return Alert.objects.create(series=load, kind="stale", since=timezone.now(), figures={"hours": 30.0})


@pytest.fixture
def member(city, client):
    def enter(role: str, place: City = city) -> User:
        user = User.objects.create_user(role, is_staff=True)
        Membership.objects.create(user=user, city=place, role=role)
        client.force_login(user)
        return user

    return enter


# --- the page of a series ------------------------------------------------------------------------------------
def page(client: Client, series: Series, language: str = "en") -> str:
    # The request's language would stay active in this thread and in the tests after this one.
    with override("en"):
        answer = client.get(f"/admin/forecasting/series/{series.pk}/change/", headers={"Accept-Language": language})
    return str(answer.content.decode())


def test_the_page_shows_how_good_the_forecasts_were(client, member, load):
    member("viewer")
    shown = page(client, load)
    # Four steps at 1 and six at 3 against a naive 4: 22 / 10 = 2.2, skill 1 - 22 / 40.
    assert "<td>2.2</td>" in shown and "<td>45 %</td>" in shown
    assert "0–6 h (synthetic)" in shown
    assert "mean absolute error, MW" in shown
    assert "Skill of the forecasts of Load of &lt;Tainan&gt;" in shown


def test_the_page_says_how_the_forecast_was_made_and_what_was_cleaned_in_local_time(client, member, load):
    member("viewer")
    shown = page(client, load)
    assert "autoregression on weeks 62 %, ridge regression 30 %, same time yesterday 7 %" in shown
    assert "<td>spike</td><td>2</td><td>2026-03-02 00:30</td><td>not used</td>" in shown


def test_the_page_speaks_chinese(client, member, load, alert):
    compile_all(settings.BASE_DIR)
    member("viewer")
    shown = page(client, load, "zh-hant")
    assert "週自迴歸 62 %、脊迴歸 30 %" in shown
    assert "<td>突跳值</td>" in shown and "公布型態的水準乘以 1.25" in shown
    assert "資料逾時" in shown and "最後一筆數值距今 30 小時。" in shown


def test_the_page_shows_open_alerts_only(client, member, load, alert):
    member("viewer")
    assert "The last value is 30 h old." in page(client, load)
    Alert.objects.update(until=timezone.now())
    assert "The last value is 30 h old." not in page(client, load)


def test_a_chart_of_skill_tells_its_last_day_and_cuts_what_is_worse_than_twice_the_naive(city):
    noon = timezone.now()
    drawn = skill_chart({"0–6 h": [(noon, 0.25)], "day 2": [(noon, -30.0)]}, label="Skill", zone=city.zone)
    svg = ElementTree.fromstring(drawn)
    assert svg[1].text == "0–6 h: 25 % on the last day. day 2: -3000 % on the last day."


# --- alerts --------------------------------------------------------------------------------------------------
def acknowledge(client: Client, alert: Alert) -> int:
    answer = client.post(ALERTS, {"action": "acknowledge", "_selected_action": [alert.pk]}, follow=True)
    return int(answer.status_code)


def test_an_engineer_acknowledges_an_alert_once(client, member, alert):
    user = member("engineer")
    assert acknowledge(client, alert) == 200
    alert.refresh_from_db()
    first = alert.acknowledged_at
    assert (alert.acknowledged_by, alert.until) == (user, None)
    acknowledge(client, alert)
    alert.refresh_from_db()
    assert alert.acknowledged_at == first
    assert "engineer" in client.get(ALERTS).content.decode()


def test_a_viewer_reads_alerts_and_acknowledges_none(client, member, alert):
    member("viewer")
    shown = client.get(ALERTS).content.decode()
    assert "The last value is 30 h old." in shown
    acknowledge(client, alert)
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_an_engineer_who_only_views_a_city_acknowledges_nothing_there(client, member, city, alert):
    elsewhere = City.objects.create(key="taipei", name="Taipei", latitude=25, longitude=121)
    user = member("engineer", elsewhere)
    Membership.objects.create(user=user, city=city, role="viewer")
    acknowledge(client, alert)
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_people_of_another_city_see_no_alert(client, member, alert):
    member("engineer", City.objects.create(key="taipei", name="Taipei", latitude=25, longitude=121))
    assert "Load of" not in client.get(ALERTS).content.decode()
    acknowledge(client, alert)
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_the_list_of_series_counts_open_alerts(client, member, load, alert):
    member("viewer")
    row = client.get("/admin/forecasting/series/").content.decode().split("field-alerts")[1]
    assert ">1</span>" in row[:200]


@pytest.mark.parametrize("kind", Alert.Kind)
def test_every_kind_of_alert_has_words_for_its_figures(load, kind):
    figures = {"hours": 30.0, "ratio": 3.0, "recent": 3.0, "usual": 1.0, "value": 5.0, "count": 2}
    assert alert_text(Alert(series=load, kind=kind, since=timezone.now(), figures=figures)).endswith(".")


# --- API -----------------------------------------------------------------------------------------------------
def test_the_api_gives_scores_by_lead_and_by_day(client, member, load):
    member("viewer")
    body = client.get(API).json()
    [score] = body["leads"]
    assert (score["lead"], score["forecasts"], score["wanted"], score["count"]) == ("0-6h", 2, 12, 10)
    assert (score["mae"], score["bias"], score["skill"]) == (
        pytest.approx(2.2),
        pytest.approx(-2.2),
        pytest.approx(0.45),
    )
    assert score["synthetic"] is True
    [day] = body["by_day"]
    assert day["day"] and {key: value for key, value in day.items() if key != "day"} == score


def test_the_api_takes_a_number_of_days(client, member, load):
    member("viewer")
    assert client.get(API, {"days": 0.5}).json()["leads"] == []
    assert client.get(API, {"days": -1}).status_code == 400


def test_scores_are_closed_to_strangers_and_to_a_fabs_people(client, member, load):
    assert client.get(API).status_code == 401
    member("fab")
    assert client.get(API).status_code == 403
