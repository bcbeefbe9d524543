"""How far the work has come: a live line on a terminal, plain lines elsewhere, nothing for short work."""

from __future__ import annotations

import io
import time

import pytest

from specforge.apps import progress
from specforge.apps.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "SHORTEST", 0.0)
    monkeypatch.setattr(progress, "FRAME", 0.01)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_gets_one_line_that_is_gone_at_the_end():
    stream = Terminal()
    with Progress(stream) as shown:
        shown.say("01_bitmex solvent")
        time.sleep(0.06)
    assert "01_bitmex solvent" in stream.getvalue() and "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[2K")


def test_a_log_gets_plain_lines_now_and_then():
    stream = io.StringIO()
    with Progress(stream, interval=0.02) as shown:
        shown.say("01_bitmex solvent")
        time.sleep(0.06)
    assert stream.getvalue().startswith("specforge: 0 s: 01_bitmex solvent\n") and "\x1b" not in stream.getvalue()


def test_short_work_says_nothing_in_a_log():
    stream = io.StringIO()
    with Progress(stream) as shown:
        shown.say("done at once")
    assert stream.getvalue() == ""
