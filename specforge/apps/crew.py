"""Worker processes for work that comes in pieces; Ctrl-C ends them all at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def crew_of(jobs: int, alike: bool = False) -> Generator[ProcessPoolExecutor]:
    """`alike`: a fresh process for each piece, in which sets are gone through in the same order every time."""
    crew = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _deaf, max_tasks_per_child=1 if alike else None)
    before = set(multiprocessing.active_children())
    seed = os.environ.get("PYTHONHASHSEED")
    if alike:
        os.environ["PYTHONHASHSEED"] = "0"
    try:
        yield crew
        crew.shutdown()
    except BaseException:
        crew.shutdown(wait=False, cancel_futures=True)
        for each in set(multiprocessing.active_children()) - before:
            each.terminate()
        raise
    finally:
        if alike:
            os.environ.pop("PYTHONHASHSEED")
            os.environ |= {} if seed is None else {"PYTHONHASHSEED": seed}


def _deaf() -> None:
    """Ctrl-C is heard by whoever started the crew."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
