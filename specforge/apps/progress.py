"""How far the work has come: one line that renews itself on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import IO

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAME = 0.1  # seconds between two pictures on a terminal
INTERVAL = 10.0  # seconds between two lines elsewhere
SHORTEST = 0.3  # work shorter than this shows nothing


class Progress:
    """`with Progress() as progress: … progress.say("01_bitmex solvent: 3 members, 5 actions")`"""

    def __init__(self, stream: IO[str] | None = None, interval: float = INTERVAL):
        self.stream = stream or sys.stderr
        self.interval = interval
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.text = ""
        self.began = time.monotonic()
        self._shown = False
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Progress:
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join(timeout=1)
        with self._lock:
            self._clear()

    @contextmanager
    def aside(self) -> Generator[None]:
        """Meanwhile somebody else writes to the terminal."""
        with self._lock:
            self._clear()
            yield

    def say(self, text: str) -> None:
        """What is being worked on now."""
        self.text = text

    def _renew(self) -> None:
        frame = 0
        while not self._done.wait(FRAME if self.live else self.interval):
            elapsed = time.monotonic() - self.began
            if elapsed < SHORTEST:
                continue
            with self._lock:
                if self.live:
                    self._draw(f"{SPINNER[frame % len(SPINNER)]} {elapsed:.0f} s  {self.text}")
                else:
                    self._write(f"specforge: {elapsed:.0f} s{': ' if self.text else ''}{self.text}\n")
            frame += 1

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size((80, 24)).columns - 1
        self._write("\r\x1b[2K" + (line if len(line) <= width else line[: width - 1] + "…"))
        self._shown = True

    def _clear(self) -> None:
        if self._shown:
            self._write("\r\x1b[2K")
            self._shown = False

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError, UnicodeError):
            self._done.set()
