"""English and Traditional Chinese: which one is asked for, and a text in both."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import translation

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
