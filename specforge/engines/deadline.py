"""Ends a piece of work in time, wherever it is: what it had not told by then is lost, what others hold stays."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(BaseException):
    """The time given is over.  Not an Exception: nothing that catches those may swallow it."""


@contextmanager
def at_most(seconds: float) -> Generator[None]:
    """Raises OutOfTime in the block after so many seconds; only the main thread of a process can do so, elsewhere (and where
    there are no such alarms) the block must keep time by itself."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
