"""Every fact becomes a sentence, in English and in Traditional Chinese."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

import polib
import pytest
from django.utils.translation import override

from cities.kernel.said import Said
from config.words import compile_all
from planning import words
from planning.kernel.explain import explain
from planning.kernel.problems import InvalidInput, Problem
from planning.sectors import InputsMissing
from tests.planning.kernel.test_explain import ANSWER, HORIZON, NETWORK

ROOT = Path(__file__).parents[2]
TAIPEI = ZoneInfo("Asia/Taipei")
CATALOG = Path(words.__file__).parent / "locale" / "zh_Hant" / "LC_MESSAGES" / "django.po"
CHINESE = {
    entry.msgid: entry.msgstr_plural[0] if entry.msgid_plural else entry.msgstr
    for entry in polib.pofile(str(CATALOG))
    if not entry.fuzzy
}
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]")


@pytest.fixture
def in_chinese(monkeypatch):
    """The catalog itself instead of its compiled form, which a fresh checkout does not have yet."""
    monkeypatch.setattr(words, "_", CHINESE.__getitem__)
    monkeypatch.setattr(words, "ngettext", lambda one, other, count: CHINESE[one])


def test_every_sentence_has_a_translation_with_the_same_places_for_values():
    for text in words.SENTENCES.values():
        english, other = (text.one, text.other) if isinstance(text, words.Counted) else (text, text)
        places = sorted(PLACEHOLDER.findall(english))
        assert sorted(PLACEHOLDER.findall(CHINESE[english])) == places == sorted(PLACEHOLDER.findall(other))
    assert all(unit in CHINESE for units in words.UNITS.values() for unit in units)


def test_every_fact_of_an_answer_becomes_a_sentence_with_names_and_local_times():
    told = [words.sentence(asdict(fact), {"homes": "Fengshan"}, TAIPEI) for fact in explain(NETWORK, HORIZON, ANSWER)]
    assert told[:2] == [
        "Fengshan: short of 2 10³ m³, 11.1% of what is wanted, between 01-01 08:00 and 01-01 09:00; "
        "worst at 01-01 08:00.",
        "Fengshan: held back by the limit of main, 6 10³ m³/h, for 1 h of the 1 h of shortage.",
    ]
    assert not any("%" in PLACEHOLDER.sub("%", line).replace("1%", "").replace("0%", "") for line in told)


def test_the_same_facts_in_chinese(in_chinese):
    names = {"homes": "鳳山給水區", "main": "鳳山幹管"}
    told = [words.sentence(asdict(fact), names, TAIPEI) for fact in explain(NETWORK, HORIZON, ANSWER)]
    assert told[:2] == [
        "鳳山給水區於 01-01 08:00 至 01-01 09:00 間短缺 2 千立方公尺，占需求量 11.1%，以 01-01 08:00 最為嚴重。",
        "鳳山給水區短缺原因：鳳山幹管已達容量上限 6 千立方公尺/小時，占短缺 1 小時中之 1 小時。",
    ]


@pytest.mark.parametrize(("hours", "told"), [(1.0, "1 hour of"), (0.25, "0.25 hours of"), (12.0, "12 hours of")])
def test_one_hour_of_full_use_is_an_hour(hours, told):
    values = {"commodity": "power", "value": 900.0, "hours": hours, "first": "2026-01-01T00:00:00+00:00"}
    fact = {"kind": "bottleneck_link", "place": "line", "values": values}
    assert f"over the {told} full use, first at 01-01 08:00" in words.sentence(fact, {}, TAIPEI, "NT$")


@pytest.mark.parametrize(
    ("value", "shown"), [(12345.6, "12,346"), (99.96, "100"), (12.34, "12.3"), (0.01234, "0.0123")]
)
def test_numbers_show_the_figures_that_matter(value, shown):
    assert words.number(value) == shown


def noted(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "gettext_noop":
            yield ast.literal_eval(node.args[0])


def test_every_note_in_a_plans_rows_can_be_said_again():
    room = Path(words.__file__).parent
    files = [room / name for name in ("lifecycle.py", "refusals.py", "run.py", "management/commands/plan.py")]
    found = {text for path in files for text in noted(path)}
    assert len(found) > 15
    assert found - set(words.NOTES) == set()


def test_notes_are_said_again_in_the_readers_language_and_a_persons_words_stay_theirs():
    compile_all(ROOT)
    why = "The follow-up work for east failed: Its worker died 3 times."
    assert words.retold(why) == why
    with override("zh-hant"):
        assert words.retold(why) == "east 之後續作業失敗：求解程序已中斷 3 次。"
        assert words.retold("without asking, as requested") == "依申請逕行辦理"
        assert words.retold("main break\n50 % less") == "main break\n50 % less"


def test_why_inputs_were_refused_is_told_in_the_readers_language():
    compile_all(ROOT)
    expected = Said("at most its %(field)s, %(high)g", field="max", high=4.5)
    refused = InvalidInput(
        [Problem("links.main.min[1]", 5.0, expected), Problem("links.main.bus", "x", Said("a name"))]
    )
    facts = json.loads(json.dumps(words.why_refused(refused)))
    assert words.sentence(facts[0], {}, TAIPEI) == "Not valid: links.main.min[1]: 5.0 — expected at most its max, 4.5"
    with override("zh-hant"):
        assert [words.sentence(fact, {}, TAIPEI) for fact in facts] == [
            "輸入不正確：links.main.min[1]：5.0，應為：不大於其 max 之 4.5",
            "輸入不正確：links.main.bus：'x'，應為：名稱",
        ]
        missing = words.why_refused(
            InputsMissing(Said("Nothing is known of %(names)s: load a history or give a profile.", names="河川 (r)"))
        )
        assert "河川 (r)" in words.sentence(missing[0], {}, TAIPEI) and "Nothing" not in words.sentence(
            missing[0], {}, TAIPEI
        )
