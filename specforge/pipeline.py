"""Text to verdict: load every rulebook, decide its claims in worker processes, gather the rows.

    files -> elaborate.load -> System -> engines.portfolio.decide -> Result, Result, … -> Report
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from specforge.core import ir
from specforge.diagnostics.diagnostic import Diagnostic
from specforge.elaborate import load
from specforge.evidence.bundle import write_bundle
from specforge.evidence.report import CheckOptions, FileReport, Report
from specforge.evidence.verdict import Result

SECONDS_PER_FILE = 20.0  # of search, unless a budget is given
SEARCH = 0.9  # of a task's time is for searching; the rest is for saying what was found
PATIENCE = 2.0  # seconds that a stopped worker has to say what it knows


@frozen
class Task:
    """A share of one file's goals."""

    file: int
    path: str
    part: int
    parts: int


@define(eq=False)
class Loaded:
    path: Path
    system: ir.System | None
    diagnostics: list[Diagnostic]
    results: list[Result] = field(factory=list)
    began: float = 0.0
    seconds: float = 0.0


def check(
    paths: list[Path],
    options: CheckOptions,
    on_result: Callable[[Result], None],
    on_progress: Callable[[str], None],
) -> Report:
    """Every claim of every rulebook in `paths`.  An interruption (Ctrl-C) ends it with what is known by then."""
    start = time.monotonic()
    files = [Loaded(path, *load(str(path))) for path in paths]
    compiled = [at for at, each in enumerate(files) if each.system is not None]
    jobs = max(1, options.jobs)
    parts = 1 if len(compiled) >= jobs else jobs
    tasks = [Task(at, str(files[at].path), part, parts) for at in compiled for part in range(parts)]
    interrupted, internal = False, []
    if tasks:
        crew = _Crew(files, tasks, options, on_result, on_progress, start)
        try:
            internal = crew.run(min(jobs, len(tasks)))
        except KeyboardInterrupt:
            interrupted = True
            crew.hurry()
        finally:
            crew.stop()
            if not interrupted:
                crew.fill()
    reports = tuple(
        FileReport(each.path, each.system, tuple(each.diagnostics), tuple(_in_order(each)), each.seconds) for each in files
    )
    return Report(reports, interrupted, tuple(internal), time.monotonic() - start)


def _in_order(loaded: Loaded) -> list[Result]:
    """Rows as the rulebook has them: claims, reaches, scenarios, then the free checks."""
    kinds = ("claim", "reach", "scenario", "free")
    system = loaded.system
    written: list[tuple[str, tuple[str, ...]]] = []
    if system is not None:
        for claim in system.claims.values():
            written += [(claim.name, tuple(given.text for given in each.given)) for each in claim.expects] or [(claim.name, ())]
    place = {row: at for at, row in enumerate(written)}
    return sorted(loaded.results, key=lambda each: (kinds.index(each.kind), place.get((each.name, each.given), len(place))))


class _Crew:
    """Worker processes, each taking the next task; every row comes back as soon as it is known."""

    def __init__(
        self, files: list[Loaded], tasks: list[Task], options: CheckOptions, on_result: Callable[[Result], None],
        on_progress: Callable[[str], None], start: float,
    ):  # fmt: skip
        self.files, self.waiting, self.options = files, list(tasks), options
        self.on_result, self.on_progress, self.start = on_result, on_progress, start
        self.total = len(tasks)
        self.budget = options.budget if options.budget is not None else SECONDS_PER_FILE * self.total
        self.context = multiprocessing.get_context("spawn")
        self.rows: Any = self.context.Queue()
        self.halt = self.context.Event()
        self.running: dict[int, tuple[Any, Task, float]] = {}
        self.internal: list[str] = []

    def run(self, jobs: int) -> list[str]:
        self.jobs = jobs
        while self.waiting or self.running:
            while self.waiting and len(self.running) < jobs:
                self._begin(self.waiting.pop(0))
            self._listen()
            self._stop_the_late()
        return self.internal

    def _begin(self, task: Task) -> None:
        """The time that is left, shared fairly among the tasks that are left."""
        left = max(0.5, self.start + self.budget - time.monotonic())
        rounds = -(-(len(self.waiting) + 1) // self.jobs)
        seconds = left / rounds if self.options.budget is not None else SECONDS_PER_FILE
        number = self.total - len(self.waiting)
        process = self.context.Process(target=_work, args=(number, task, self.options, seconds, self.rows, self.halt), daemon=True)
        process.start()
        self.running[number] = (process, task, time.monotonic() + seconds + PATIENCE)
        loaded = self.files[task.file]
        loaded.began = loaded.began or time.monotonic()

    def _listen(self) -> None:
        try:
            number, what, said = self.rows.get(timeout=0.2)
        except queue.Empty:
            return
        if number not in self.running:
            return
        process, task, _ = self.running[number]
        loaded = self.files[task.file]
        if what == "row":
            loaded.results.append(said)
            loaded.seconds = time.monotonic() - loaded.began
            self.on_result(said)
        elif what == "progress":
            done = self.total - len(self.waiting) - len(self.running)
            self.on_progress(f"{loaded.path.stem}: {said} ({done} of {self.total} done)")
        else:
            if what == "failed":
                self.internal.append(write_bundle(RuntimeError(said), "check", [str(loaded.path)], {"traceback": said}))
            process.join()
            loaded.seconds = time.monotonic() - loaded.began
            del self.running[number]

    def _stop_the_late(self) -> None:
        for number, (process, task, deadline) in list(self.running.items()):
            if not process.is_alive() and self.rows.empty():
                said = f"the worker for {task.path} ended with code {process.exitcode}"
                self.internal.append(write_bundle(RuntimeError(said), "check", [task.path], {"exit": said}))
                del self.running[number]
            elif time.monotonic() > deadline:
                process.terminate()
                del self.running[number]

    def hurry(self) -> None:
        """Asks the workers for what they know by now, and listens a little longer."""
        self.halt.set()
        until = time.monotonic() + PATIENCE
        while self.running and time.monotonic() < until:
            self._listen()

    def fill(self) -> None:
        """A row that never came is not forgotten: it is undecided."""
        from specforge.engines.portfolio import missing

        for loaded in self.files:
            if loaded.system is not None:
                for row in missing(loaded.system, str(loaded.path), self.options, loaded.results):
                    loaded.results.append(row)
                    self.on_result(row)

    def stop(self) -> None:
        for process, _, _ in self.running.values():
            process.terminate()


def _work(number: int, task: Task, options: CheckOptions, seconds: float, rows: Any, halt: Any) -> None:
    """In a worker: decide one task, sending each row as soon as it is known."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    began = time.monotonic()
    try:
        from specforge.algebra.solver import interrupt
        from specforge.engines.portfolio import decide
        from specforge.engines.refute import Clock

        clock, done = Clock(began + seconds * SEARCH), threading.Event()

        def watch() -> None:
            """Ends the search in time, or when told to, whatever the solver is doing."""
            halt.wait(max(0.0, clock.left))
            clock.stop()
            while not done.wait(0.1):
                interrupt()

        threading.Thread(target=watch, daemon=True).start()
        system, _ = load(task.path)
        assert system is not None
        decide(
            system, task.path, options, clock, lambda text: rows.put((number, "progress", text)),
            lambda result: rows.put((number, "row", result)), task.part, task.parts,
        )  # fmt: skip
        done.set()
        rows.put((number, "done", None))
    except BaseException:
        rows.put((number, "failed", traceback.format_exc()))
