"""Ctrl-C and TERM as an exception that comes once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
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
    """INT and TERM raise Interrupted the first time and are passed over from then on, to the end of the process.

    A second one would cut short what the first one set going: a process that ends while HiGHS still searches in a
    thread aborts, and its plan stays "solving".
    """
    with _handled_by(_raise_once):
        yield


@contextmanager
def flagged(flag: threading.Event) -> Iterator[None]:
    """INT and TERM set the flag, as often as they come: what goes on inside is asked to end, and does so itself."""
    with _handled_by(lambda number, frame: flag.set()):
        yield


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, old)


def _raise_once(number: int, frame: FrameType | None) -> None:
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)  # Python itself ends with this one in force, not with a handler of ours
    raise Interrupted(number)
