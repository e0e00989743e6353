"""Ctrl-C and TERM as an exception that comes once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Somebody asked this process to end; `returncode` is what a shell expects of it then."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.returncode = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """INT and TERM raise Interrupted the first time and are passed over after that.

    A second one would cut short what the first one set going: a process that ends while HiGHS still searches in a
    thread aborts, and its plan stays "solving".
    """
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = {number: signal.signal(number, _raise_once) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_once(number: int, frame: FrameType | None) -> None:
    for one in SIGNALS:
        signal.signal(one, _pass_over)
    raise Interrupted(number)


def _pass_over(number: int, frame: FrameType | None) -> None:
    """A handler, and not SIG_IGN, which children would inherit."""
