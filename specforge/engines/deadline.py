"""How much may be done: work that is counted, the same on every machine; and for the last resort, time.

A piece of work that time ends is broken off wherever it is: what it had not told by then is lost, what others hold stays.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType

from attrs import field

from specforge.algebra.solver import Interrupted, interrupt, work_done
from specforge.records import define

AGAIN = 0.2  # seconds; the first time may fall on deaf ears (in a `__del__`, nothing that is raised gets out)
SOON = 0.001  # seconds; the solver's binding is in the middle of something
UNBREAKABLE = ("z3", "specforge.algebra.terms")  # whose counts of references are wrong for ever after, if broken off
LONGEST = 1e8  # seconds that an alarm can be set for


class OutOfTime(BaseException):
    """The time given is over.  Not an Exception: nothing that catches those may swallow it."""


@contextmanager
def at_most(seconds: float, worked: bool = False) -> Generator[None]:
    """Raises OutOfTime in the block after so many seconds (`worked`: of the processor's time, however busy the machine is).
    Only the main thread of a process can do so; elsewhere (and where there are no such alarms) the block must keep time by
    itself."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    live, rung = True, False

    def ring(number: int, frame: FrameType | None) -> None:
        nonlocal rung
        if live and _unbreakable(frame):
            signal.setitimer(timer, SOON, AGAIN)
        elif live:
            rung = True
            raise OutOfTime

    def quiet(what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is not OutOfTime:
            told(what)

    timer, alarm = (signal.ITIMER_VIRTUAL, signal.SIGVTALRM) if worked else (signal.ITIMER_REAL, signal.SIGALRM)
    before, told, sys.unraisablehook = signal.signal(alarm, ring), sys.unraisablehook, quiet
    signal.setitimer(timer, min(max(0.01, seconds), LONGEST), AGAIN)
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
        signal.setitimer(timer, 0)
        signal.signal(alarm, before)
        sys.unraisablehook = told


def _unbreakable(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(UNBREAKABLE):
            return True
        frame = frame.f_back
    return False


@define(eq=False)
class Clock:
    """When to stop (time.monotonic); may be moved while others look at it.  `searching`: afterwards nobody is interrupted."""

    deadline: float
    searching: bool = True
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def stop(self) -> None:
        self.deadline = min(self.deadline, time.monotonic())

    def press(self) -> bool:
        """From another thread: ends what the solver is doing, if the search is still on."""
        with self._lock:
            if self.searching:
                interrupt()
            return self.searching

    @contextmanager
    def tolerant(self) -> Generator[None]:
        """What is broken off because it is time is simply not known."""
        try:
            yield
        except Interrupted:
            if self.left > 0:
                raise

    def over(self) -> None:
        """The search has ended: what follows is not interrupted."""
        with self._lock:
            self.searching = False


@define
class Work:
    """What may still be done, in the solver's own units; `also`: what was done besides, in other ways, in these units."""

    units: float
    clock: Clock
    begun: int = field(factory=work_done)
    also: float = 0.0

    @property
    def spent(self) -> float:
        return work_done() - self.begun + self.also

    @property
    def left(self) -> float:
        """Nothing when it is time."""
        return self.units - self.spent if self.clock.left > 0 else 0.0
