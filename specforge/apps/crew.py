"""Worker processes for work that comes in pieces; Ctrl-C ends them all at once."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def crew_of(jobs: int) -> Generator[ProcessPoolExecutor]:
    crew = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _deaf)
    before = set(multiprocessing.active_children())
    try:
        yield crew
        crew.shutdown()
    except BaseException:
        crew.shutdown(wait=False, cancel_futures=True)
        for each in set(multiprocessing.active_children()) - before:
            each.terminate()
        raise


def _deaf() -> None:
    """Ctrl-C is heard by whoever started the crew."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
