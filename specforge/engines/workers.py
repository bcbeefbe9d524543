"""Worker processes: each has a line of its own to say what it finds, and ends when its solver does not come back.

They are forked from a process that has already imported everything, all alike, and never hear Ctrl-C: whoever started them
does.  They share nothing, so that one that is killed cannot leave a lock behind for the others.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from attrs import evolve

from specforge.records import frozen

if TYPE_CHECKING:  # which load the solver: only where it is asked
    from specforge.engines.deadline import Clock

LATE = 45.0  # seconds that a question may take longer than its solver was told; that does happen, and mostly ends
TRIES = 2  # of a task whose solver does not come back
STUCK = 75  # how a worker ends that will never hear from its solver again
NEVER = "the solver did not come back from a question, whatever its seed"  # why a task is given up
ENDED = "ended"  # what is heard of a worker that says nothing any more


class Task(Protocol):
    """`again`: how often it has been begun before, which is the solver's seed (`algebra.solver.set_seed`)."""

    @property
    def again(self) -> int: ...


T = TypeVar("T", bound=Task)


@frozen(eq=False)
class Worker(Generic[T]):
    """A process at work on a task.  `line`: what it says comes from here, and being told anything it stops."""

    process: Any
    task: T
    deadline: float
    line: Any

    @property
    def is_stuck(self) -> bool:
        """Of one that has ended: its solver did not come back."""
        return self.process.exitcode == STUCK

    def once_more(self) -> T | None:
        """Of one that has ended: its task, if it is to be begun again, with another seed."""
        again = self.task.again + 1
        return evolve(self.task, again=again) if self.is_stuck and again < TRIES else None  # type: ignore[misc]


def begun(work: Callable[..., None], task: T, *arguments: Any, deadline: float = math.inf) -> Worker[T]:
    """A process that calls `work(task, *arguments, line)`.  To be called where all are `alike`."""
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(task, *arguments, theirs), daemon=True)
    with no_interrupt():  # and the worker, which inherits this, never sees one
        process.start()
    theirs.close()
    return Worker(process, task, deadline, ours)


def heard(running: Sequence[Worker[T]]) -> Iterator[tuple[Worker[T], str, Any]]:
    """Whatever is said within the next moment; ENDED and the code of one that ended without a word."""
    speaking = connection.wait([each.line for each in running], timeout=0.2)
    for worker in [each for each in running if each.line in speaking]:
        try:
            with no_interrupt():  # in the middle of a sentence
                what, said = worker.line.recv()
        except (EOFError, OSError):
            worker.process.join()
            yield worker, ENDED, worker.process.exitcode
        else:
            yield worker, what, said


def at_work(until: float, line: Any, work: Callable[[Clock], Any]) -> None:
    """In a worker: the work until that time (of the monotonic clock); says ("done", what it comes to) or ("failed", why)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from specforge.algebra.solver import overdue
        from specforge.engines.deadline import Clock

        clock, done = Clock(until), threading.Event()

        def watch() -> None:
            """Ends the work in time, or when told to, whatever the solver is doing; and this process, if that is lost."""
            while not line.poll(max(0.0, min(1.0, clock.left))) and clock.left > 0:
                if overdue() > LATE:
                    os._exit(STUCK)
            clock.stop()
            while not done.wait(0.1) and clock.press():
                pass

        threading.Thread(target=watch, daemon=True).start()
        told = work(clock)
        done.set()
        line.send(("done", told))
    except BrokenPipeError:  # nobody is there to be told
        pass
    except BaseException:
        with suppress(OSError):
            line.send(("failed", traceback.format_exc()))


def _context() -> Any:
    """Workers are forked from a process that has already imported everything; where that cannot be, each imports it."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    resource_tracker.ensure_running()  # it would undo what `no_interrupt` has done, if it were started later
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["specforge.engines.portfolio", "specforge.elaborate"])
    return context


@contextmanager
def alike() -> Generator[None]:
    """Workers that start meanwhile go through sets in the same order every time."""
    seed = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "0"
    try:
        yield
    finally:
        del os.environ["PYTHONHASHSEED"]
        os.environ.update({} if seed is None else {"PYTHONHASHSEED": seed})


@contextmanager
def no_interrupt() -> Generator[None]:
    """Ctrl-C waits until this is over."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
