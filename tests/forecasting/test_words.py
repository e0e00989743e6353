"""Whatever the kernel says can be said in the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from config.words import compile_all
from forecasting import words
from forecasting.kernel.series import Rule

ROOT = Path(__file__).resolve().parents[2]


def sentences() -> Iterator[str]:
    """What the kernel's notes and refusals say, with a word in place of every figure."""
    for path in sorted((ROOT / "forecasting" / "kernel").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                if node.func.id == "Note" and len(node.args) == 4:
                    yield from texts(node.args[3])
                if node.func.id in ("Refused", "Refusal"):
                    yield from texts(node.args[0])


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)


def test_every_sentence_of_the_kernel_is_known():
    found = set(sentences())
    assert len(found) > 8
    assert {text for text in found if not any(pattern.fullmatch(text) for _text, pattern in words._PATTERNS)} == set()


def experts() -> Iterator[str]:
    """The names that the kernel's experts are offered under: every text in what `_suitable` yields first."""
    for node in ast.walk(ast.parse((ROOT / "forecasting" / "kernel" / "experts.py").read_text("utf-8"))):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            name = node.value.elts[0]
            for part in (name.body, name.orelse) if isinstance(name, ast.IfExp) else (name,):
                yield from texts(part)


def test_every_expert_has_a_name():
    found = set(experts())
    assert "recession" in found and "ridge" in found
    assert found <= set(words.EXPERTS)


def test_every_rule_has_a_name():
    assert set(words.RULES) == set(Rule)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("left out: the forecast starts there", "已剔除：預測由此開始"),
        ("5 usable values are too few, at least 96 are needed", "可用數值僅 5 筆，至少需要 96 筆"),
        ("stands in: no value at all", "作為替代：沒有任何數值"),
        (
            "line 3: value is 'x', expected a number; line 4: no series named",
            "第 3 行：value 為 'x'，應為數字；第 4 行：未指定數列",
        ),
    ],
)  # fmt: skip
def test_sentences_of_the_kernel_are_said_in_chinese(text, chinese):
    compile_all(ROOT)
    assert words.said(text) == text
    with override("zh-hant"):
        assert words.said(text) == chinese


def test_what_is_not_known_stays_as_it_is():
    assert words.said("something new; and more") == "something new; and more"
    assert words.expert_label("oracle") == "oracle"
    assert words.method_text({}, "profile") == "published profile"
