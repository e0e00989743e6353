"""The words people see: which ones the code uses, which ones the catalogs translate, and compiling the catalogs."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import django
import polib
from django.utils.translation.template import templatize

ROOMS = ("cities", "config", "energy", "forecasting", "planning", "water")
_CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "Said", "Counted"}
# What `templatize` makes of {% translate %} and {% blocktranslate %}.
_TEMPLATE_CALL = re.compile(r"""\b(?:gettext|ngettext|_)\(u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


@dataclass(frozen=True)
class Word:
    """A text to translate and where it stands."""

    text: str
    file: Path
    line: int


def catalogs(root: Path) -> list[Path]:
    return sorted(path for room in ROOMS for path in (root / room).glob("locale/*/LC_MESSAGES/*.po"))


def compile_all(root: Path) -> int:
    """Writes a .mo beside every .po that is newer; returns how many there are."""
    found = catalogs(root)
    for path in found:
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime <= path.stat().st_mtime:
            polib.pofile(str(path)).save_as_mofile(str(compiled))
    return len(found)


def untranslated(root: Path) -> list[Word]:
    """Words of the code that neither our zh-Hant catalogs nor Django's own translate."""
    known = {entry.msgid for path in catalogs(root) for entry in polib.pofile(str(path)).translated_entries()}
    django_own = _django_words()
    words = (word for room in ROOMS for word in words_in(root / room))
    return [word for word in words if word.text not in known and word.text not in django_own]


def words_in(room: Path) -> Iterator[Word]:
    """Every text that a room hands to gettext, in its modules and templates."""
    for path in sorted(room.rglob("*.py")):
        yield from _python_words(path)
    for path in sorted((room / "templates").rglob("*.*")):
        yield from _template_words(path)


def _python_words(path: Path) -> Iterator[Word]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in _CALLS:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value:
                yield Word(first.value, path, node.lineno)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _template_words(path: Path) -> Iterator[Word]:
    source = templatize(path.read_text(encoding="utf-8"))
    for match in _TEMPLATE_CALL.finditer(source):
        yield Word(ast.literal_eval(match[1]), path, source.count("\n", 0, match.start()) + 1)


def _django_words() -> set[str]:
    folder = Path(django.__file__).parent
    files = [*folder.glob("conf/locale/zh_Hant/LC_MESSAGES/django.mo")]
    files += folder.glob("contrib/*/locale/zh_Hant/LC_MESSAGES/django.mo")
    found: set[str] = set()
    for file in files:
        with file.open("rb") as stream:
            found.update(key for key in gettext.GNUTranslations(stream)._catalog if isinstance(key, str))  # type: ignore[attr-defined]
    return found
