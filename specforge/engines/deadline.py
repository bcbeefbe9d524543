"""Ends a piece of work in time, wherever it is: what it had not told by then is lost, what others hold stays."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType

AGAIN = 0.2  # seconds; the first time may fall on deaf ears (in a `__del__`, nothing that is raised gets out)


class OutOfTime(BaseException):
    """The time given is over.  Not an Exception: nothing that catches those may swallow it."""


@contextmanager
def at_most(seconds: float) -> Generator[None]:
    """Raises OutOfTime in the block after so many seconds; only the main thread of a process can do so, elsewhere (and where
    there are no such alarms) the block must keep time by itself."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    live, rung = True, False

    def ring(number: int, frame: FrameType | None) -> None:
        nonlocal rung
        if live:
            rung = True
            raise OutOfTime

    def quiet(what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is not OutOfTime:
            told(what)

    before, told, sys.unraisablehook = signal.signal(signal.SIGALRM, ring), sys.unraisablehook, quiet
    signal.setitimer(signal.ITIMER_REAL, max(0.01, seconds), AGAIN)
    try:
        yield
    except Exception as error:  # some callers, C code among them, turn whatever is raised in them into something else
        if rung:
            raise OutOfTime from error
        raise
    finally:
        while live:
            with suppress(OutOfTime):
                live = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = told
