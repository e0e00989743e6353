"""Numbers as people read them, and as a spreadsheet counts with them."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from planning.figures import change, figure, full_moment, moment, money, percent
from planning.sectors import Section


def test_a_figure_reads_as_text_and_keeps_its_number():
    found = figure(1234.56, 1)
    assert (found, found.value, found.form) == ("1,234.6", 1234.56, "#,##0.0")
    assert json.dumps([found]) == '["1,234.6"]'


def test_what_rounds_to_nothing_has_no_sign():
    assert (figure(-0.04, 1), figure(-0.06, 1), percent(-0.0001), change(-0.04, 1)) == ("0.0", "-0.1", "0%", "0.0")


def test_shares_differences_and_money_keep_their_meaning():
    assert (percent(0.256, 1), percent(0.256, 1).form) == ("25.6%", "0.0%")
    assert (change(3, 1), change(-1500)) == ("+3.0", "-1,500")
    assert (money("NT$", -2000), money('N"T', 1, 2).form) == ("NT$ -2,000", '"NT" #,##0.00')


def test_what_is_no_finite_number_is_told_by_a_sign():
    assert (figure(math.inf, 1), figure(-math.inf), figure(math.nan, 1)) == ("∞", "-∞", "–")
    assert (percent(math.nan), change(math.inf, 1), money("NT$", math.nan)) == ("–", "+∞", "NT$ –")


def test_times_are_those_of_the_city():
    at = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
    taipei = ZoneInfo("Asia/Taipei")
    assert (moment(at, taipei), full_moment(at, taipei)) == ("11-22 00:30", "2026-11-22 00:30")


def test_a_column_of_numbers_is_told_from_names_that_end_in_one():
    rows = (("Turnout 1", "11-21 14:30", "1,234.5", "NT$ -5", "25%", ""), ("Turnout 2", "", "-3", "NT$ 6", "", ""))
    assert Section("", ("",) * 6, rows).are_numbers() == [False, True, True, True, True, True]
