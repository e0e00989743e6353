"""Typed readers of the environment. Nonsense fails at start, naming the key, the value and what was expected.

The environment wins over the demo file, so that one variable can be tried without editing anything.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Env:
    """`os.environ` over the KEY=VALUE lines of a file that need not exist."""

    def __init__(self, file: Path | None = None) -> None:
        self._values = {**(read_file(file) if file else {}), **os.environ}

    def text(self, key: str, default: str | None = None) -> str:
        """The value; without a default the key is required and must not be empty."""
        value = self._values.get(key, "").strip()
        if value:
            return value
        if default is None:
            refuse(key, value, "a value: it is required here")
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.text(key, "1" if default else "0").lower()
        if value not in _TRUE | _FALSE:
            refuse(key, value, "one of 1, true, yes, on, 0, false, no, off")
        return value in _TRUE

    def integer(self, key: str, default: int, least: int = 0) -> int:
        value = self.text(key, str(default))
        if not value.isdecimal() or int(value) < least:
            refuse(key, value, f"a whole number of at least {least}")
        return int(value)

    def words(self, key: str, default: list[str] | None = None) -> list[str]:
        """A comma-separated list; without a default at least one word is required."""
        value = self.text(key, None if default is None else ",".join(default))
        return [word.strip() for word in value.split(",") if word.strip()]

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(key, default)
        if value not in choices:
            refuse(key, value, f"one of {', '.join(choices)}")
        return value

    def key_bytes(self, key: str, length: int, default: str | None = None) -> str:
        """Base64 text that stands for exactly `length` bytes; the value itself is never shown."""
        value = self.text(key, default)
        if value and value != default and not _is_base64(value, length):
            refuse(key, "(hidden)", f"{length} bytes in base64")
        return value


def read_file(path: Path) -> dict[str, str]:
    """The KEY=VALUE lines of a file; empty when it does not exist."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def refuse(key: str, value: str, expected: str) -> NoReturn:
    raise ImproperlyConfigured(f"{key} is {value!r}, expected {expected}")


def _is_base64(value: str, length: int) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == length
    except binascii.Error:
        return False
