"""Text to verdict: load every rulebook, decide its claims in worker processes, gather the rows.

    files -> elaborate.load -> System -> engines.portfolio, stage by stage -> Result, Result, … -> Report

A file's stages are the same pieces of work, in fresh processes of the same kind, however many there are at once.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import field

from specforge.core import ir
from specforge.diagnostics.diagnostic import Diagnostic
from specforge.engines import workers
from specforge.engines.workers import Worker
from specforge.evidence.bundle import write_bundle
from specforge.evidence.kept import Store
from specforge.evidence.report import CheckOptions, FileReport, Report
from specforge.evidence.verdict import FREE_CHECKS, Result
from specforge.records import define, frozen

LAST_RESORT = 1800.0  # seconds for one stage of a file, where no budget is given: work is bounded otherwise, long before
SEARCH = 0.9  # of a task's time is for searching; the rest is for saying what was found
PATIENCE = 2.0  # seconds that a stopped worker has to say what it knows
OVERDRAWN = 1.05  # of a budget that was given: then nobody is waited for any longer
LEAST = 0.25  # seconds below which a task is not worth beginning
STAGES = ("seek", "prove", "rest")  # of engines/portfolio.py; at most so many of a file have to wait for each other


@frozen
class Task:
    """One stage of one file's work.  `known`: what the stages before it have told, for the next.  `again`: how often it has
    been begun before."""

    file: int
    path: str
    stage: str
    known: Any = field(default=None, eq=False, repr=False)
    again: int = 0


@define(eq=False)
class Loaded:
    path: Path
    system: ir.System | None
    diagnostics: list[Diagnostic]
    results: list[Result] = field(factory=list)
    began: float = 0.0
    seconds: float = 0.0
    kept: bool = False
    news: Any = None  # what the stages have told so far
    short: bool = False  # some rows never came
    why: str = "the search was stopped before it was decided"


def check(
    paths: list[Path],
    options: CheckOptions,
    on_result: Callable[[Result], None],
    on_progress: Callable[[str], None],
    on_file: Callable[[FileReport], None] = lambda report: None,
) -> Report:
    """Every claim of every rulebook in `paths`.  An interruption (Ctrl-C) ends it with what is known by then.

    `on_result` and `on_file` hear of each row and each finished file as soon as it is known, in whatever order that is."""
    start, began = time.monotonic(), time.time()
    store = Store(options) if options.keep else None
    with _nothing_is_garbage():
        files = [_loaded(path, store) for path in paths]
    for each in files:
        if each.system is None or each.kept:
            for row in each.results:
                on_result(row)
            on_file(_report(each))
    interrupted, internal = False, []
    compiled = [at for at, each in enumerate(files) if each.system is not None and not each.kept]
    if compiled:
        crew = _Crew(files, compiled, options, on_result, on_progress, on_file, start)
        try:
            internal = crew.run(max(1, options.jobs))
        except KeyboardInterrupt:
            interrupted = True
            crew.hurry()
        finally:
            crew.stop()
        for each in crew.complete():
            if store is not None:
                store.keep(_report(each), began)
    return Report(tuple(_report(each) for each in files), interrupted, tuple(internal), time.monotonic() - start)


@contextmanager
def _nothing_is_garbage() -> Generator[None]:
    """What is made meanwhile is kept to the end, and never looked through for what nobody needs: with many rulebooks, that
    would take a third of the time in which rows are shown again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _loaded(path: Path, store: Store | None) -> Loaded:
    """The rulebook, with its rows if they are known from an earlier run."""
    found = store.find(path) if store is not None else None
    if found is not None:
        return Loaded(path, found.system, list(found.diagnostics), list(found.results), seconds=found.seconds, kept=True)
    from specforge.elaborate import load

    return Loaded(path, *load(str(path)))


def _report(each: Loaded) -> FileReport:
    return FileReport(each.path, each.system, tuple(each.diagnostics), tuple(_in_order(each)), each.seconds, each.kept)


def _in_order(loaded: Loaded) -> list[Result]:
    """Rows as the rulebook has them: claims, reaches, scenarios, then the free checks."""
    kinds = ("claim", "reach", "scenario", "free")
    system = loaded.system
    written: list[tuple[str, str, tuple[str, ...]]] = [("free", name, ()) for name in FREE_CHECKS]
    if system is not None:
        for claim in system.claims.values():
            given = [tuple(given.text for given in each.given) for each in claim.expects] or [()]
            written += [("claim", claim.name, each) for each in given]
    place = {row: at for at, row in enumerate(written)}
    last = len(place)
    return sorted(
        loaded.results, key=lambda each: (kinds.index(each.kind), place.get((each.kind, each.name, each.given), last))
    )


class _Crew:
    """Worker processes, each taking the next task, the largest files first; every row comes back as soon as it is known."""

    def __init__(
        self, files: list[Loaded], compiled: list[int], options: CheckOptions, on_result: Callable[[Result], None],
        on_progress: Callable[[str], None], on_file: Callable[[FileReport], None], start: float,
    ):  # fmt: skip
        self.files, self.options = files, options
        self.on_result, self.on_progress, self.on_file, self.start = on_result, on_progress, on_file, start
        self.budget = options.budget
        self.end = start + options.budget * OVERDRAWN if options.budget is not None else math.inf
        self.waiting = [Task(at, str(files[at].path), STAGES[0]) for at in sorted(compiled, key=self._size)]
        self.unborn = dict.fromkeys(compiled, len(STAGES) - 1)  # stages of a file that may still come
        self.finished: set[int] = set()
        self.running: list[Worker[Task]] = []
        self.internal: list[str] = []
        self.hurried = False

    def _size(self, file: int) -> tuple[int, int]:
        """What there is to follow, included files too, as often as there is something to say of it."""
        system = self.files[file].system
        if system is None:
            return 0, file
        rules = [*system.actions.values(), *system.duties.values()]
        return -sum(1 for rule in rules for _ in ir.walk(rule.body)) * (1 + len(system.claims)), file

    def run(self, jobs: int) -> list[str]:
        self.jobs = jobs
        with workers.alike():
            while self.waiting or self.running:
                while self.waiting and len(self.running) < jobs:
                    self._begin(self.waiting.pop(0))
                if self.budget is not None and time.monotonic() > self.start + self.budget:
                    given_up, self.waiting = self.waiting, []
                    for file in dict.fromkeys(task.file for task in given_up):
                        self._falls_short(file)
                        self._finish(file)
                self._listen()
                self._stop_the_late()
        return self.internal

    def _begin(self, task: Task) -> None:
        """The time that is left, shared fairly among the tasks that are left; a worker's start is part of it."""
        now = time.monotonic()
        seconds = LAST_RESORT
        if self.budget is not None:
            left = len(self.waiting) + 1 + sum(self.unborn.values())
            rounds = max(-(-left // self.jobs), len(STAGES) - STAGES.index(task.stage))
            seconds = max(LEAST, (self.start + self.budget - now) / rounds)
        deadline = min(now + seconds + PATIENCE, self.end)
        self.running.append(workers.begun(_work, task, self.options, now + seconds * SEARCH, deadline=deadline))
        loaded = self.files[task.file]
        loaded.began = loaded.began or time.monotonic()

    def _listen(self) -> None:
        for worker, what, said in workers.heard(self.running):
            if what == workers.ENDED:
                self._lost(worker)
            else:
                self._heard(worker, what, said)

    def _heard(self, worker: Worker[Task], what: str, said: Any) -> None:
        file = worker.task.file
        loaded = self.files[file]
        if what == "progress":
            self.on_progress(f"{loaded.path.stem}: {said} ({len(self.finished)} of {len(self.unborn)} done)")
            return
        loaded.seconds = time.monotonic() - loaded.began
        if what == "row":
            known = {(each.kind, each.name, each.given) for each in loaded.results} if worker.task.again else set[Any]()
            if (said.kind, said.name, said.given) not in known:
                loaded.results.append(said)
                self.on_result(said)
        elif what == "seen":  # enough for the prover, who need not wait for the rest of it
            if self.unborn[file] == len(STAGES) - 1:
                self._comes(Task(file, worker.task.path, "prove", said))
        elif what == "done":
            loaded.news = said if loaded.news is None else loaded.news.with_(said)
            self._leaves(worker)
        else:
            self.internal.append(write_bundle(RuntimeError(said), "check", [str(loaded.path)], {"traceback": said}))
            self._falls_short(file)
            self._leaves(worker)

    def _lost(self, worker: Worker[Task]) -> None:
        if (again := worker.once_more()) is not None:
            self.waiting.insert(0, again)
            self.running.remove(worker)
            worker.line.close()
            return
        if worker.is_stuck:
            self.files[worker.task.file].why = workers.NEVER
            self._give_up(worker)
            return
        said = f"the worker for {worker.task.path} ended with code {worker.process.exitcode}"
        self.internal.append(write_bundle(RuntimeError(said), "check", [worker.task.path], {"exit": said}))
        self._falls_short(worker.task.file)
        self._leaves(worker)

    def _comes(self, task: Task) -> None:
        """The next stage of a file: before other files are begun."""
        if not self.hurried:
            self.unborn[task.file] -= 1
            self.waiting.insert(0, task)

    def _falls_short(self, file: int) -> None:
        self.files[file].short, self.unborn[file] = True, 0

    def _leaves(self, worker: Worker[Task]) -> None:
        self.running.remove(worker)
        worker.line.close()
        file = worker.task.file
        loaded = self.files[file]
        alone = not any(task.file == file for task in (*self.waiting, *(each.task for each in self.running)))
        if self.hurried or not alone:
            return
        if worker.task.stage != "rest" and not loaded.short and loaded.news is not None and loaded.news.has_rest:
            self._comes(Task(file, worker.task.path, "rest", loaded.news))
        else:
            self.unborn[file] = 0
            self._finish(file)

    def _stop_the_late(self) -> None:
        for worker in [each for each in self.running if time.monotonic() > each.deadline]:
            worker.process.kill()
            self._give_up(worker)

    def _give_up(self, worker: Worker[Task]) -> None:
        file, unproved = worker.task.file, self.unborn[worker.task.file] == len(STAGES) - 1
        self._falls_short(file)
        if unproved and worker.task.stage == STAGES[0]:  # what is to be proved need not wait for what was to be found
            self.unborn[file] = 1
            self._comes(Task(file, worker.task.path, STAGES[1]))
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
        self.finished.add(file)
        if loaded.short and loaded.system is not None:
            from specforge.engines.rows import missing

            for row in missing(loaded.system, str(loaded.path), self.options, loaded.results, loaded.why):
                loaded.results.append(row)
                self.on_result(row)
        self.on_file(_report(loaded))

    def complete(self) -> list[Loaded]:
        """The files of which nothing was cut short."""
        return [self.files[at] for at in self.finished if not self.files[at].short and not self.internal]

    def stop(self) -> None:
        for worker in self.running:
            worker.process.kill()


def _work(task: Task, options: CheckOptions, until: float, line: Any) -> None:
    """In a worker: one task until that time (of the monotonic clock), sending each row as soon as it is known."""

    def stage(clock: Any) -> Any:
        from specforge.elaborate import load
        from specforge.engines.portfolio import work

        system, _ = load(task.path)
        assert system is not None
        return work(
            task.stage, task.known, system, task.path, options, clock, lambda text: line.send(("progress", text)),
            lambda result: line.send(("row", result)), lambda news: line.send(("seen", news)), task.again,
        )  # fmt: skip

    workers.at_work(until, line, stage)
