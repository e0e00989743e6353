"""Every text people see is in the catalogs."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.conf import settings

from config import words


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A tiny house: one room, one module, one template, one catalog."""
    (tmp_path / "water/templates/water").mkdir(parents=True)
    (tmp_path / "water/admin.py").write_text('from x import gettext as _\nprint(_("weir"))\nprint(_("turnout"))\n')
    template = "{% load i18n %}\n{% translate 'level' %}\n"
    template += "{% blocktranslate count n=n %}one gate{% plural %}gates{% endblocktranslate %}"
    (tmp_path / "water/templates/water/page.html").write_text(template)
    catalog = polib.POFile()
    catalog.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalog.append(polib.POEntry(msgid="weir", msgstr="攔河堰"))
    folder = tmp_path / "water/locale/zh_Hant/LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog.save(str(folder / "django.po"))
    return tmp_path


def test_missing_translations_are_listed_with_their_place(house: Path):
    missing = [(word.text, word.file.name, word.line) for word in words.untranslated(house)]
    assert missing == [("turnout", "admin.py", 3), ("level", "page.html", 2), ("one gate", "page.html", 3)]


def test_what_django_translates_itself_need_not_be_repeated(house: Path):
    (house / "water/admin.py").write_text('from x import gettext as _\nprint(_("Log out"))\n')
    assert "Log out" not in [word.text for word in words.untranslated(house)]


def test_a_catalog_is_compiled_when_it_is_new(house: Path):
    assert words.compile_all(house) == 1
    compiled = house / "water/locale/zh_Hant/LC_MESSAGES/django.mo"
    assert polib.mofile(str(compiled)).find("weir").msgstr == "攔河堰"


def test_a_translation_fills_in_the_same_values_as_its_text():
    # One that names another value would break the page for Chinese readers only.
    place = re.compile(r"%\(\w+\)|\{\w+\}")
    for catalog in words.catalogs(settings.BASE_DIR):
        for entry in polib.pofile(str(catalog)).translated_entries():
            for text in (entry.msgstr, *entry.msgstr_plural.values()):
                assert not text or set(place.findall(text)) == set(place.findall(entry.msgid)), entry.msgid


def test_no_catalog_says_a_text_twice():
    for catalog in words.catalogs(settings.BASE_DIR):
        texts = Counter((entry.msgctxt, entry.msgid) for entry in polib.pofile(str(catalog)))
        assert not [text for text, count in texts.items() if count > 1], catalog


def test_every_text_of_the_code_has_its_chinese():
    missing = [f"{word.file.name}:{word.line}: {word.text}" for word in words.untranslated(settings.BASE_DIR)]
    assert missing == []


def test_what_a_kernel_says_is_written_out_where_it_is_said():
    # A text that is put together before, or not marked at all, would be missed by the check above.
    said = [node for path in settings.BASE_DIR.glob("*/kernel/*.py") for node in calls(path) if name(node) == "Said"]
    assert len(said) > 80
    assert [ast.unparse(node) for node in said if not isinstance(node.args[0], ast.Constant)] == []


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]


def name(call: ast.Call) -> str:
    return getattr(call.func, "id", "")


def test_no_two_rooms_say_one_text_differently():
    # Django merges the catalogs: one room's words would be shown on the other's pages.
    said: dict[str, set[str]] = {}
    for catalog in words.catalogs(settings.BASE_DIR):
        for entry in polib.pofile(str(catalog)).translated_entries():
            said.setdefault(entry.msgid, set()).add(entry.msgstr or entry.msgstr_plural[0])
    assert {text: chinese for text, chinese in said.items() if len(chinese) > 1} == {}
