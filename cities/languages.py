"""English and Traditional Chinese: which one is asked for, and a text in both."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import translation
from django.utils.translation import gettext

from .kernel.said import Said

ENGLISH, CHINESE = "en", "zh-hant"


def is_chinese() -> bool:
    """Whether the active language is any Chinese."""
    return (translation.get_language() or "").startswith("zh")


def in_both(say: Callable[[], str]) -> tuple[str, str]:
    """What `say` says in English and in Chinese, names included; for texts that are stored and read by both."""
    texts = []
    for language in (ENGLISH, CHINESE):
        with translation.override(language):
            texts.append(say())
    return texts[0], texts[1]


def in_words(text: str) -> str:
    """What a kernel said, in the active language; any other text as it is."""
    if not isinstance(text, Said):
        return text
    values = {key: in_words(value) if isinstance(value, str) else value for key, value in text.values.items()}
    return gettext(text.english) % values if values else gettext(text.english)
