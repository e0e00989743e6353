"""What people see of series and forecasts: admin pages and the JSON API, for the own city only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Subquery
from django.utils import timezone
from django.utils.translation import override

from cities.models import City, Membership
from config.words import compile_all
from forecasting.admin import NEWEST, CappedPaginator
from forecasting.charts import fan_chart, sparkline
from forecasting.ingest import Row, ingest
from forecasting.models import Forecast, Observation, Series
from forecasting.readers import expected
from forecasting.reports import age_text, series_context
from forecasting.synthetic import demo_history

PROFILE = {"kind": "cycle", "level": 100, "noise": 0.05}
API = "/api/v1/cities/tainan/series/"


@pytest.fixture
def now() -> datetime:
    """Pages say how old a value is, so their histories end at the real hour."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def load(city, make_series, now):
    """A series with three synthetic days and a forecast."""
    series = make_series("load", name="Load of <Tainan>", profile=PROFILE)
    demo_history(city, now, days=3)
    expected(series, [now + timedelta(hours=k) for k in range(24)], [1.0] * 24, now)
    return series


@pytest.fixture
def member(city, client):
    def enter(role: str, place: City = city) -> User:
        user = User.objects.create_user(role, is_staff=True)
        Membership.objects.create(user=user, city=place, role=role)
        client.force_login(user)
        return user

    return enter


@pytest.fixture
def elsewhere(db) -> City:
    return City.objects.create(key="taipei", name="Taipei", latitude=25, longitude=121)


# --- charts --------------------------------------------------------------------------------------------------
def test_a_chart_is_one_svg_with_a_title_and_a_description(city):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    times = [at + timedelta(hours=k) for k in range(3)]
    drawn = fan_chart(
        [(at - timedelta(hours=1), 90.0)],
        times,
        [100.0, 110.0, 105.0],
        {"0.05": [90.0] * 3, "0.95": [120.0] * 3},
        label="Load of <Tainan>",
        unit="MW",
        zone=city.zone,
    )
    svg = ElementTree.fromstring(drawn)
    texts = [child.text for child in svg][:2]
    assert texts == ["Load of <Tainan>", "Last measured: 90 MW. Expected from 100 to 110 MW."]
    assert svg.attrib["role"] == "img"
    # Texts stay texts, so that the reader's fonts draw the Chinese ones.
    assert ">MW<" in drawn


def test_the_fan_tells_the_median_from_the_mean_of_a_skewed_series(city):
    at = [datetime(2026, 3, 1, k, tzinfo=UTC) for k in (1, 2)]
    bands = {"0.05": [1.0, 1.0], "0.25": [2.0, 2.0], "0.5": [3.0, 3.0], "0.75": [4.0, 4.0], "0.95": [30.0, 30.0]}
    drawn = fan_chart([], at, [6.0, 6.0], bands, label="River", unit="m³/s", zone=city.zone)
    assert ">median<" in drawn and ">mean, which plans count on<" in drawn
    told = fan_chart([], at, [6.0, 6.0], bands, label="Ramp", unit="share", zone=city.zone, steps=True)
    assert ">expected<" in told and ">median<" not in told


def test_a_chart_of_nothing_says_so(city):
    drawn = fan_chart([], [], [], {}, label="Load", unit="MW", zone=city.zone)
    assert "No values yet." in drawn


def test_a_sparkline_runs_from_the_least_to_the_greatest_value():
    assert 'points="0.0,23.0 60.0,1.0 120.0,12.0"' in sparkline([1, 3, 2])
    assert sparkline([1]) == ""


@pytest.mark.parametrize(("hours", "text"), [(-0.5, "0 min"), (0.5, "30 min"), (31, "31 h"), (100, "4 days")])
def test_an_age_reads_as_people_say_it(hours, text):
    assert age_text(timedelta(hours=hours)) == text


# --- admin ---------------------------------------------------------------------------------------------------
def test_the_list_shows_the_last_value_its_age_and_that_it_is_synthetic(client, member, load):
    member("engineer")
    shown = client.get("/admin/forecasting/series/").content.decode()
    assert "synthetic" in shown
    assert "<polyline" in shown
    assert " min" in shown
    assert "Load of &lt;Tainan&gt;" in shown


def test_the_list_marks_a_stale_feed_and_one_without_values(client, city, member, make_series, now):
    make_series("old", stale_after_hours=24)
    make_series("none")
    ingest(city, [Row("old", now - timedelta(hours=31), 5)], now=now)
    member("viewer")
    shown = client.get("/admin/forecasting/series/").content.decode()
    assert "stale: 30 h" in shown or "stale: 31 h" in shown
    assert "no value" in shown


def test_the_page_of_a_series_shows_the_fan_the_weights_and_the_warning(client, member, load):
    member("engineer")
    shown = client.get(f"/admin/forecasting/series/{load.pk}/change/").content.decode()
    assert "<desc>" in shown
    assert re.search(r"<dt>Method</dt><dd>[a-z ]+ \d+ %", shown)
    assert "nobody measured them" in shown


def test_the_page_of_a_series_says_what_was_measured_last_and_what_comes(client, city, member, make_series, now):
    air = make_series("air", name="Air")
    series = make_series("load", unit="MW", drivers=["air"], stale_after_hours=24)
    ingest(city, [Row("load", now - timedelta(hours=31), 5)], now=now)
    Forecast.objects.create(
        series=series, known_at=now, start=now + timedelta(hours=1), step_minutes=60, mean=[10.0] * 12 + [20.0] * 12,
        quantiles={"0.05": [8.0] * 24, "0.95": [30.0] * 24}, method="test",
    )  # fmt: skip
    member("viewer")
    shown = client.get(f"/admin/forecasting/series/{series.pk}/change/").content.decode()
    assert re.search(r"<dt>Last value</dt><dd>5 MW · [-\d]{10} \d\d:00 · <span[^>]*>stale: 3[01] h</span>", shown)
    # The day ahead begins now; whether its first or last step still counts depends on the minute.
    assert re.search(r"<dt>Next 24 hours</dt><dd>1\d(\.\d+)? MW on average, from 8 to 30 MW within the 90 %", shown)
    link = f'<a href="/admin/forecasting/series/{air.pk}/change/">Air</a>'
    assert f"<dt>Explained by</dt><dd>{link}</dd>" in shown
    assert shown.count(link) == 2 and "[&quot;air&quot;]" not in shown  # once more among the settings, by name


def test_the_page_of_an_empty_series_opens(client, member, make_series):
    member("engineer")
    shown = client.get(f"/admin/forecasting/series/{make_series('new').pk}/change/").content.decode()
    assert "No forecast has been made yet." in shown


def test_a_bad_profile_is_refused_where_it_is_typed_in(client, city, member, make_series):
    member("engineer")
    series = make_series("load")
    data = {"city": city.pk, "key": "load", "name": "Load", "unit": "MW", "step_minutes": 60, "stale_after_hours": 24}
    page = f"/admin/forecasting/series/{series.pk}/change/"
    answer = client.post(page, {**data, "profile": '{"kind": "cycle", "colour": 1}'})
    assert len(answer.context["adminform"].form.errors["profile"]) == 2
    assert client.post(page, {**data, "profile": '{"kind": "flat", "level": 1}'}).status_code == 302


def test_rows_are_named_by_their_series_and_the_citys_time(client, city, member, make_series):
    city.time_zone = "Asia/Taipei"
    city.save()
    series = make_series("load", name="Load", unit="MW")
    at = datetime(2026, 3, 1, 17, tzinfo=UTC)
    ingest(city, [Row("load", at, 5)], now=at + timedelta(hours=1))
    forecast = Forecast.objects.create(
        series=series, issued_at=at, known_at=at, start=at, step_minutes=60, mean=[7.0], method="test"
    )
    assert str(forecast) == str(Observation.objects.get()) == "Load · 2026-03-02 01:00"
    member("viewer")
    shown = client.get(f"/admin/forecasting/observation/{Observation.objects.get().pk}/change/").content.decode()
    assert "5 MW" in shown


def test_measurements_and_forecasts_are_read_and_never_edited(client, member, load):
    member("engineer")
    for model, row in (("observation", Observation.objects.first()), ("forecast", Forecast.objects.first())):
        assert client.get(f"/admin/forecasting/{model}/").status_code == 200
        page = f"/admin/forecasting/{model}/{row.pk}/"
        assert client.get(f"{page}change/").status_code == 200
        assert client.post(f"{page}change/", {"value": 1}).status_code == 403
        assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
        assert client.get(f"/admin/forecasting/{model}/add/").status_code == 403


@pytest.mark.parametrize("model", ["series", "observation", "forecast"])
def test_people_of_another_city_find_no_row(client, member, elsewhere, load, model):
    member("engineer", elsewhere)
    shown = client.get(f"/admin/forecasting/{model}/").content.decode()
    assert "Load of" not in shown
    assert "Tainan" not in shown


def test_a_list_of_millions_is_counted_to_ten_thousand(load):
    many = Observation.objects.order_by("pk")
    assert CappedPaginator(many, 10).count == many.count()
    assert "LIMIT 10000" in str(many[:10_000].query)


# --- API -----------------------------------------------------------------------------------------------------
def test_the_api_lists_series_with_their_freshness(client, member, load, now):
    member("viewer")
    [row] = client.get(API).json()
    assert (row["key"], row["unit"], row["stale"]) == ("load", "MW", False)
    assert datetime.fromisoformat(row["last_value_at"]) == now - timedelta(hours=1)
    assert client.get(f"{API}load/").json() == row


def test_the_api_gives_the_history_as_it_was_known(client, member, load, now):
    member("viewer")
    body = client.get(f"{API}load/history/", {"days": 1}).json()
    assert body["synthetic"] is True
    assert len(body["times"]) == len(body["values"]) in (23, 24)
    then = client.get(f"{API}load/history/", {"days": 1, "known_at": (now - timedelta(days=5)).isoformat()}).json()
    assert then["values"] == []


def test_the_api_names_every_bad_parameter(client, member, load):
    member("viewer")
    answer = client.get(f"{API}load/history/", {"days": -1, "known_at": "yesterday"})
    assert answer.status_code == 400
    assert {problem["place"] for problem in answer.json()["errors"]} == {"days", "known_at"}


def test_the_api_gives_the_newest_forecast_or_404(client, member, make_series, load):
    member("viewer")
    body = client.get(f"{API}load/forecast/").json()
    assert body["synthetic"] is True
    assert len(body["mean"]) == len(body["quantiles"]["0.95"]) >= 24
    make_series("new")
    assert client.get(f"{API}new/forecast/").status_code == 404


def test_a_replay_of_an_old_day_is_not_the_newest_forecast(client, member, load):
    member("engineer")
    last = Forecast.objects.get(series=load)
    long_ago = last.known_at - timedelta(days=300)
    Forecast.objects.create(series=load, known_at=long_ago, start=long_ago, step_minutes=60, mean=[7.0], method="test")
    assert client.get(f"{API}load/forecast/").json()["id"] == last.pk
    assert Series.objects.annotate(newest=Subquery(NEWEST.values("pk")[:1])).get(pk=load.pk).newest == last.pk
    assert series_context(load)["forecast"] == last


@pytest.mark.parametrize("path", ["", "load/", "load/history/", "load/forecast/"])
def test_the_api_is_closed_to_strangers_and_to_a_fabs_people(client, member, elsewhere, load, path):
    assert client.get(API + path).status_code == 401
    member("engineer", elsewhere)
    assert client.get(API + path).status_code == 404
    member("fab")
    assert client.get(API + path).status_code == 403


def test_words_are_chinese_for_those_who_read_chinese(client, member, load):
    compile_all(settings.BASE_DIR)
    member("engineer")
    # The request's language would stay active in this thread and in the tests after this one.
    with override("en"):
        shown = client.get("/admin/forecasting/series/", headers={"Accept-Language": "zh-hant"}).content.decode()
    assert "合成" in shown


@pytest.mark.parametrize(
    ("unit", "shown"), [("km3", "10³ m³"), ("km3/h", "10³ m³/h"), ("m3/s", "m³/s"), ("MW", "MW"), ("share", "share")]
)
def test_units_are_written_as_people_write_them_and_kept_as_codes(client, member, make_series, unit, shown):
    series = make_series("storage", unit=unit)
    member("engineer")
    page = client.get("/admin/forecasting/series/").content.decode()
    assert f'<td class="field-unit_shown">{shown}</td>' in page
    assert f"?unit={unit.replace('/', '%2F')}" in page and f">{shown}</a>" in page
    assert client.get(f"{API}storage/").json()["unit"] == series.unit == unit
