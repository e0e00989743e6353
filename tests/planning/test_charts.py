"""Charts of plans: what is drawn, what is folded, and what a screen reader hears."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cities.models import City
from planning import lifecycle
from planning.charts import VERSION, charts_of, description, draw, fold
from planning.models import Plan, PlanPart
from planning.numbers import Numbers
from planning.run import run_here
from planning.sectors import Chart, ChartRow, Sector
from tests.worlds import toy
from tests.worlds.toy import Behaviour

pytestmark = pytest.mark.django_db
STEPS = 240
START = datetime(2026, 1, 1, 4, tzinfo=UTC)


def toy_charts(plan: Plan) -> list[Chart]:
    rows = tuple(ChartRow(row.label, tuple(row.rates)) for row in Numbers(plan).supplies("river"))
    return [Chart("river", "River <at work>", "10³ m³/h", "stack", rows), Chart("nothing", "Nothing", "", "stack", ())]


def toy_part_charts(part: PlanPart) -> list[Chart]:
    return [Chart("turns", "Turns", "", "gantt", (ChartRow("Gate 1", spans=((START, START + timedelta(hours=2)),)),))]


CHARTED = Sector("toy", toy.parts, toy.follow_ups, toy.run, charts=toy_charts, part_charts=toy_part_charts)


@pytest.fixture
def plan(city: City, toy_sector: Behaviour, settings) -> Plan:
    settings.HEADGATE_SECTORS = ["tests.planning.test_charts.CHARTED"]
    return run_here(lifecycle.request(city, start=START))


@pytest.fixture
def engineer(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def place(plan: Plan, key: str = "toy-river") -> str:
    return f"/admin/planning/plan/{plan.pk}/charts/{key}.svg"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_plan_has_the_charts_that_its_sectors_offer_without_empty_ones(plan: Plan) -> None:
    assert list(charts_of(plan)) == ["toy-river"]


def test_a_plan_that_is_not_solved_has_none(city: City) -> None:
    assert charts_of(lifecycle.request(city)) == {}


def test_a_drawing_says_what_it_shows(plan: Plan) -> None:
    drawn = ElementTree.fromstring(draw(charts_of(plan)["toy-river"], plan))
    assert drawn.attrib["role"] == "img"
    assert [child.text for child in drawn][:2] == ["River <at work>", "River: from 2 to 2 10³ m³/h."]


@pytest.mark.parametrize(
    "name",
    ["Riverbed water of the four upper intakes and the town", "上游四處取水口及市區之伏流水與地下水井群聯合供水"],
)
def test_a_long_name_leaves_the_drawing_its_room(plan: Plan, name: str) -> None:
    values = tuple([1.0] * STEPS)
    drawn = draw(Chart("river", "River", "MW", "stack", (ChartRow(name, values),)), plan)
    lines = [line for line in texts(drawn) if line and line in name]
    assert name not in lines and len(lines) >= 2
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")


def test_the_axis_shows_local_midnights(plan: Plan) -> None:
    # The plan starts at 04:00 UTC, noon in Taipei: seven midnights follow, 2 to 8 January.
    shown = texts(draw(charts_of(plan)["toy-river"], plan))
    assert [text for text in shown if text.startswith("01-")] == [f"01-{day:02}" for day in range(2, 9)]


def test_small_rows_are_folded_into_one_and_nothing_is_lost() -> None:
    rows = [ChartRow(f"row {k}", (float(k), float(k))) for k in range(10)]  # row 0 brings nothing
    folded = fold(rows)
    assert [row.label for row in folded] == [*(f"row {k}" for k in range(9, 3, -1)), "3 others"]
    assert folded[-1].values == (6.0, 6.0)  # 1 + 2 + 3
    assert sum(row.values[0] for row in folded) == 45


def test_levels_have_a_value_at_the_start_and_limits_are_dashed(plan: Plan) -> None:
    level = ChartRow("Lake", tuple(range(STEPS + 1)))
    limit = ChartRow("full", (300.0,) * (STEPS + 1), is_limit=True)
    drawn = draw(Chart("lake", "Lake", "10³ m³", "levels", (level, limit)), plan)
    assert "stroke-dasharray" in drawn
    assert {"Lake", "full"} <= set(texts(drawn))


def test_a_gantt_counts_the_runs_of_each_row() -> None:
    spans = ((START, START + timedelta(hours=1)), (START + timedelta(hours=2), START + timedelta(hours=3)))
    chart = Chart("turns", "Turns", "", "gantt", (ChartRow("Gate 1", spans=spans),))
    assert description(chart) == "Gate 1: 2 runs."


def test_the_page_shows_charts_with_their_words(engineer: Client, plan: Plan) -> None:
    shown = engineer.get(f"/admin/planning/plan/{plan.pk}/change/").content.decode()
    assert f'src="{place(plan)}?en-{VERSION}"' in shown
    assert 'alt="River &lt;at work&gt;. River: from 2 to 2 10³ m³/h."' in shown


def test_browsers_keep_a_chart_and_ask_whether_it_is_still_good(engineer: Client, plan: Plan) -> None:
    first = engineer.get(place(plan))
    assert first["Content-Type"] == "image/svg+xml"
    assert first["Cache-Control"].startswith("private, max-age=")
    again = engineer.get(place(plan), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    chinese = engineer.get(place(plan), headers={"If-None-Match": first["ETag"], "Accept-Language": "zh-TW"})
    assert chinese.status_code == 200
    assert "河" in chinese.content.decode()


def test_an_unknown_chart_does_not_exist(engineer: Client, plan: Plan) -> None:
    assert engineer.get(place(plan, "toy-lake")).status_code == 404


def test_a_part_shows_its_gantt(engineer: Client, plan: Plan) -> None:
    shown = engineer.get(f"/admin/planning/planpart/{plan.parts.get().pk}/change/").content.decode()
    assert "<svg" in shown and "Gate 1" in shown
