"""Text to verdict: load every rulebook, decide its claims in worker processes, gather the rows.

    files -> elaborate.load -> System -> engines.portfolio.decide -> Result, Result, … -> Report
"""

from __future__ import annotations

import math
import multiprocessing
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from specforge.core import ir
from specforge.diagnostics.diagnostic import Diagnostic
from specforge.elaborate import load
from specforge.evidence.bundle import write_bundle
from specforge.evidence.report import CheckOptions, FileReport, Report
from specforge.evidence.verdict import Result

SECONDS_PER_FILE = 30.0  # of search, unless a budget is given
SEARCH = 0.9  # of a task's time is for searching; the rest is for saying what was found
PATIENCE = 2.0  # seconds that a stopped worker has to say what it knows
OVERDRAWN = 1.05  # of a budget that was given: then nobody is waited for any longer
LEAST = 0.25  # seconds below which a task is not worth beginning


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
    on_file: Callable[[FileReport], None] = lambda report: None,
) -> Report:
    """Every claim of every rulebook in `paths`.  An interruption (Ctrl-C) ends it with what is known by then.

    `on_result` and `on_file` hear of each row and each finished file as soon as it is known, in whatever order that is."""
    start = time.monotonic()
    files = [Loaded(path, *load(str(path))) for path in paths]
    compiled = [at for at, each in enumerate(files) if each.system is not None]
    jobs = max(1, options.jobs)
    parts = 1 if len(compiled) >= jobs else jobs
    tasks = [Task(at, str(files[at].path), part, parts) for at in compiled for part in range(parts)]
    for each in files:
        if each.system is None:
            on_file(_report(each))
    interrupted, internal = False, []
    if tasks:
        crew = _Crew(files, tasks, options, on_result, on_progress, on_file, start)
        try:
            internal = crew.run(min(jobs, len(tasks)))
        except KeyboardInterrupt:
            interrupted = True
            crew.hurry()
        finally:
            crew.stop()
    return Report(tuple(_report(each) for each in files), interrupted, tuple(internal), time.monotonic() - start)


def _report(each: Loaded) -> FileReport:
    return FileReport(each.path, each.system, tuple(each.diagnostics), tuple(_in_order(each)), each.seconds)


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


@frozen(eq=False)
class Worker:
    """A process at work on a task.  `line`: what it says comes from here, and being told anything it stops."""

    process: Any
    task: Task
    deadline: float
    line: Any


class _Crew:
    """Worker processes, each taking the next task; every row comes back as soon as it is known.

    Each has a line of its own and shares nothing else: one that is killed cannot leave a lock behind for the others."""

    def __init__(
        self, files: list[Loaded], tasks: list[Task], options: CheckOptions, on_result: Callable[[Result], None],
        on_progress: Callable[[str], None], on_file: Callable[[FileReport], None], start: float,
    ):  # fmt: skip
        self.files, self.waiting, self.options = files, list(tasks), options
        self.on_result, self.on_progress, self.on_file, self.start = on_result, on_progress, on_file, start
        self.total = len(tasks)
        self.budget = options.budget if options.budget is not None else SECONDS_PER_FILE * self.total
        self.end = start + self.budget * OVERDRAWN if options.budget is not None else None
        self.context = _context()
        self.running: list[Worker] = []
        self.internal: list[str] = []
        self.short: set[int] = set()  # files of which some rows never came
        self.hurried = False

    def run(self, jobs: int) -> list[str]:
        self.jobs = jobs
        while self.waiting or self.running:
            while self.waiting and len(self.running) < jobs:
                self._begin(self.waiting.pop(0))
            if self.options.budget is not None and time.monotonic() > self.start + self.budget:
                given_up, self.waiting = self.waiting, []
                self.short.update(task.file for task in given_up)
                for file in dict.fromkeys(task.file for task in given_up):
                    self._finish(file)
            self._listen()
            self._stop_the_late()
        return self.internal

    def _begin(self, task: Task) -> None:
        """The time that is left, shared fairly among the tasks that are left; a worker's start is part of it."""
        now = time.monotonic()
        rounds = -(-(len(self.waiting) + 1) // self.jobs)
        seconds = SECONDS_PER_FILE
        if self.options.budget is not None:
            seconds = max(LEAST, (self.start + self.budget - now) / rounds)
        ours, theirs = self.context.Pipe()
        arguments = (task, self.options, now + seconds * SEARCH, theirs)
        process = self.context.Process(target=_work, args=arguments, daemon=True)
        with _no_interrupt():  # and the worker, which inherits this, never sees one
            process.start()
        theirs.close()
        self.running.append(Worker(process, task, min(now + seconds + PATIENCE, self.end or math.inf), ours))
        loaded = self.files[task.file]
        loaded.began = loaded.began or time.monotonic()

    def _listen(self) -> None:
        """Whatever is said within the next moment."""
        speaking = connection.wait([each.line for each in self.running], timeout=0.2)
        for worker in [each for each in self.running if each.line in speaking]:
            try:
                with _no_interrupt():  # in the middle of a sentence
                    what, said = worker.line.recv()
            except (EOFError, OSError):  # it ended, without a word
                self._lost(worker)
            else:
                self._heard(worker, what, said)

    def _heard(self, worker: Worker, what: str, said: Any) -> None:
        loaded = self.files[worker.task.file]
        if what == "progress":
            done = self.total - len(self.waiting) - len(self.running)
            self.on_progress(f"{loaded.path.stem}: {said} ({done} of {self.total} done)")
            return
        loaded.seconds = time.monotonic() - loaded.began
        if what == "row":
            loaded.results.append(said)
            self.on_result(said)
            return
        if what == "failed":
            self.short.add(worker.task.file)
            self.internal.append(write_bundle(RuntimeError(said), "check", [str(loaded.path)], {"traceback": said}))
        self._leaves(worker)

    def _lost(self, worker: Worker) -> None:
        worker.process.join()
        said = f"the worker for {worker.task.path} ended with code {worker.process.exitcode}"
        self.internal.append(write_bundle(RuntimeError(said), "check", [worker.task.path], {"exit": said}))
        self.short.add(worker.task.file)
        self._leaves(worker)

    def _leaves(self, worker: Worker) -> None:
        self.running.remove(worker)
        worker.line.close()
        if not self.hurried:
            self._finish(worker.task.file)

    def _stop_the_late(self) -> None:
        for worker in [each for each in self.running if time.monotonic() > each.deadline]:
            worker.process.kill()
            self.short.add(worker.task.file)
            self._leaves(worker)

    def hurry(self) -> None:
        """Asks the workers for what they know by now, and listens a little longer."""
        self.hurried = True
        for worker in self.running:
            with suppress(OSError):
                worker.line.send("stop")
        until = time.monotonic() + PATIENCE
        while self.running and time.monotonic() < until:
            self._listen()

    def _finish(self, file: int) -> None:
        """After the last task of a file.  A row that never came is not forgotten: it is undecided."""
        if any(task.file == file for task in (*self.waiting, *(each.task for each in self.running))):
            return
        loaded = self.files[file]
        if file in self.short and loaded.system is not None:
            from specforge.engines.portfolio import missing

            for row in missing(loaded.system, str(loaded.path), self.options, loaded.results):
                loaded.results.append(row)
                self.on_result(row)
        self.on_file(_report(loaded))

    def stop(self) -> None:
        for worker in self.running:
            worker.process.kill()


def _context() -> Any:
    """Workers are forked from a process that has already imported everything; where that cannot be, each imports it."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    resource_tracker.ensure_running()  # it would undo what `_no_interrupt` has done, if it were started later
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["specforge.engines.portfolio"])
    return context


@contextmanager
def _no_interrupt() -> Generator[None]:
    """Ctrl-C waits until this is over."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(task: Task, options: CheckOptions, until: float, line: Any) -> None:
    """In a worker: decide one task until that time (of the monotonic clock), sending each row as soon as it is known."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from specforge.engines.portfolio import decide
        from specforge.engines.refute import Clock

        clock, done = Clock(until), threading.Event()

        def watch() -> None:
            """Ends the search in time, or when told to, whatever the solver is doing."""
            line.poll(max(0.0, clock.left))
            clock.stop()
            while not done.wait(0.1) and clock.press():
                pass

        threading.Thread(target=watch, daemon=True).start()
        system, _ = load(task.path)
        assert system is not None
        decide(
            system, task.path, options, clock, lambda text: line.send(("progress", text)),
            lambda result: line.send(("row", result)), task.part, task.parts,
        )  # fmt: skip
        done.set()
        line.send(("done", None))
    except BrokenPipeError:  # nobody is there to be told
        pass
    except BaseException:
        with suppress(OSError):
            line.send(("failed", traceback.format_exc()))
