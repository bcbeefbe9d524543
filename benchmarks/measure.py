"""What the benchmarks share: whole processes timed in turn, and rows printed beside what they are measured against.

Nothing here is promised in seconds: a row is a ratio to a peer measured in the same run, or it stands beside its bar.
Seconds are of the processor, not of the clock: every process here works by itself, and a busy machine makes it no slower.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"


@dataclass
class Row:
    """One figure.  `ours`, `peer`: seconds (None: there is no such figure, and `note` says why); `bar`: what is promised, in
    words; `met`: whether it is kept (None: cannot be said)."""

    work: str
    ours: float | None
    peer_name: str = ""
    peer: float | None = None
    bar: str = ""
    met: bool | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.ours is not None and self.peer else None


@dataclass
class Child:
    """A process that ran to its end: the seconds of the processor it took, and what it said about itself (its last line, as
    JSON)."""

    seconds: float
    said: dict[str, Any]

    @property
    def answer(self) -> str:
        return str(self.said.get("answer", "?"))

    @property
    def solving(self) -> float:
        return float(self.said.get("seconds", self.seconds))


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as when installed


def process(command: Sequence[str], limit: float = 120) -> Child:
    """Runs the command; one that is still busy at `limit` seconds (of the clock) is stopped, and its answer is "timeout"."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=limit, env=ENVIRONMENT)
    except subprocess.TimeoutExpired:
        return Child(limit, {"answer": "timeout", "seconds": limit})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = done.stdout.splitlines()
    if lines and lines[-1].startswith("{"):
        return Child(seconds, json.loads(lines[-1]))
    return Child(seconds, {"answer": "ok" if done.returncode == 0 else f"exit {done.returncode}: {done.stderr[-300:]}"})


def python(script: str, *arguments: object) -> list[str]:
    """The command that runs one of the scripts beside this file."""
    return [sys.executable, str(HERE / script), *(str(each) for each in arguments)]


def in_turn(*commands: Sequence[str], rounds: int = 3, limit: float = 120) -> list[Child]:
    """Each command's median run, the commands taking turns so that a busy machine is busy for all of them."""
    runs: list[list[Child]] = [[] for _ in commands]
    for _ in range(rounds):
        for command, those in zip(commands, runs, strict=True):
            if not (those and those[0].answer == "timeout"):
                those.append(process(command, limit))
    return [sorted(those, key=lambda each: each.seconds)[len(those) // 2] for those in runs]


def median_of(work: Callable[[], object], rounds: int) -> float:
    times: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times)


def show(name: str, title: str, rows: Sequence[Row]) -> None:
    """Prints the table and keeps it in results/NAME.json."""
    print(f"\n{title}")
    head = ("work", "ours", "peer", "ratio", "bar", "")
    cells = [head] + [
        (
            row.work, _time(row.ours), f"{_time(row.peer)} {row.peer_name}".strip(),
            "" if row.ratio is None else f"{row.ratio:.2f}", row.bar, {True: "kept", False: "MISSED", None: ""}[row.met],
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[at]) for line in cells) for at in range(len(head))]
    for line, row in zip(cells, [None, *rows], strict=True):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if row is not None and row.note:
            print(f"      {row.note}")
    RESULTS.mkdir(exist_ok=True)
    document = [{**asdict(row), "ratio": row.ratio} for row in rows]
    (RESULTS / f"{name}.json").write_text(json.dumps({"title": title, "rows": document}, indent=2) + "\n", encoding="utf-8")


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"
