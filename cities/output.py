"""Files that commands write: tried before the work begins, and whole or not at all when it has ended."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

BAD_TARGET = 2


def check_target(target: Path) -> None:
    """Raises CommandError where no file can be written: found out after a long work, that work would be lost."""
    try:
        problem = _problem_of(target)
    except OSError as error:
        raise _unwritable(target, error) from None
    if problem:
        raise CommandError(problem, returncode=BAD_TARGET)


def write_whole(target: Path, lines: Iterable[str]) -> None:
    """A reader of the last file never meets half of the next. Raises CommandError where the disk is full or away."""
    try:
        if _is_special(target):
            _write(target, lines)
        else:
            _replace(target.resolve(), lines)
    except OSError as error:
        raise _unwritable(target, error) from None


def _problem_of(target: Path) -> str:
    """Raises OSError where trying to write says more than looking."""
    if target.is_dir():
        return _("%(file)s: is a folder, expected a file") % {"file": target}
    if not target.absolute().parent.is_dir():
        return _("%(file)s: its folder does not exist") % {"file": target}
    if not _is_special(target):
        draft = _draft(target.resolve())
        draft.touch()
        draft.unlink()
    return ""


def _is_special(target: Path) -> bool:
    """A device or a pipe is written to; replacing it by a file would break it for everybody."""
    return target.exists() and not target.is_file()


def _replace(target: Path, lines: Iterable[str]) -> None:
    draft = _draft(target)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    try:
        if mode is not None:  # what was private is so from its first byte
            draft.touch(mode=0o600)
        _write(draft, lines)
        if mode is not None:
            draft.chmod(mode)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}")


def _unwritable(target: Path, error: OSError) -> CommandError:
    return CommandError(f"{target}: {error.strerror or error}", returncode=BAD_TARGET)
