"""A test whose solver does not come back ends: the process with it, and the test is reported as the one it crashed in."""

from __future__ import annotations

import faulthandler
import os
import threading
import time

from specforge.algebra.solver import overdue

LATE = 120.0  # seconds


def _watch() -> None:
    while overdue() < LATE:
        time.sleep(1)
    faulthandler.dump_traceback()
    os._exit(1)


threading.Thread(target=_watch, daemon=True).start()
