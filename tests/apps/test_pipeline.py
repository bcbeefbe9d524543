"""The real pipeline: workers that end as they should not, are stopped, or run out of time."""

from __future__ import annotations

import gc
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from specforge import pipeline
from specforge.algebra.solver import Interrupted, due_in
from specforge.engines import workers
from specforge.engines.deadline import Clock
from specforge.engines.portfolio import News
from specforge.evidence.bundle import write_bundle
from specforge.evidence.report import CheckOptions, Exit, Report, exit_code
from specforge.evidence.verdict import Result, Scope, Verdict

WORK = pipeline._work


def checked(path: Path, on_result: Any = lambda result: None, **options: Any) -> Report:
    return pipeline.check([path], CheckOptions(**options), on_result, lambda text: None)


def killed(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def failing(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    line.send(("failed", "Traceback: something of ours"))


def endless(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    while True:
        time.sleep(1)


def one_row_then_another_when_told(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    about = {"kind": "claim", "rulebook": task.path, "verdict": Verdict.PROVED, "scope": Scope("any", "any"), "met": True}
    line.send(("row", Result(name="first", **about)))
    line.recv()
    line.send(("row", Result(name="second", **about)))
    line.send(("done", News(frozenset())))


def test_a_rulebook_whose_every_expectation_is_met_ends_with_0(small: Path):
    report = checked(small, members=2, steps=2)
    assert exit_code(report) is Exit.MET and not report.internal
    assert {each.name for each in report.results if each.kind == "claim"} == {"no_hole"}


@pytest.mark.parametrize("jobs", (1, 2))
def test_a_worker_that_is_killed_is_an_internal_error_and_its_rows_are_undecided(small: Path, tmp_path, monkeypatch, jobs: int):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "_work", killed)
    report = checked(small, jobs=jobs)
    assert exit_code(report) is Exit.INTERNAL and len(report.internal) == 1
    assert "ended with code -9" in Path(report.internal[0]).read_text()
    assert {(each.kind, each.name) for each in report.results if each.kind != "free"} == {
        ("claim", "no_hole"),
        ("scenario", "ruin"),
    }
    assert all(each.verdict is Verdict.UNKNOWN for each in report.results)


def test_a_worker_that_fails_is_an_internal_error_with_its_traceback(small: Path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "_work", failing)
    report = checked(small)
    assert exit_code(report) is Exit.INTERNAL and "something of ours" in Path(report.internal[0]).read_text()


def test_a_worker_that_does_not_come_to_an_end_is_stopped_and_its_rows_are_undecided(small: Path, monkeypatch):
    monkeypatch.setattr(pipeline, "_work", endless)
    report = checked(small, budget=0.2)
    assert exit_code(report) is Exit.UNDECIDED and not report.internal
    assert all("stopped before" in each.reason for each in report.results)


def test_an_interruption_keeps_what_is_known_and_what_the_workers_say_when_told(small: Path, monkeypatch):
    def interrupt_at_the_first(result: Result) -> None:
        if result.name == "first":
            raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "_work", one_row_then_another_when_told)
    report = checked(small, interrupt_at_the_first)
    assert exit_code(report) is Exit.INTERRUPTED
    assert [each.name for each in report.results] == ["first", "second"]


def masked(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    line.send(("progress", str(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))))
    line.send(("done", News(frozenset())))


def test_ctrl_c_reaches_no_worker_not_even_while_it_starts(small: Path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(pipeline, "_work", masked)
    pipeline.check([small], CheckOptions(), lambda result: None, said.append)
    assert "small: True" in said[0] and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_what_is_broken_off_in_time_is_not_known_and_before_that_it_is_an_error():
    with Clock(time.monotonic() - 1).tolerant():
        raise Interrupted("canceled")
    with pytest.raises(Interrupted), Clock(time.monotonic() + 100).tolerant():
        raise Interrupted("canceled")


def test_after_the_search_nobody_is_interrupted():
    clock = Clock(time.monotonic() - 1)
    assert clock.press()
    clock.over()
    assert not clock.press()


def test_two_bundles_of_the_same_second_are_two_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write_bundle(None, "check") != write_bundle(None, "check")


def test_however_many_workers_there_are_the_rows_are_the_same(small: Path):
    alone, together = ([evolve(each, seconds=0) for each in checked(small, jobs=jobs).results] for jobs in (1, 2))
    assert alone == together and len(alone) > 5


def only_the_prover_comes_to_an_end(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    if task.stage == "seek":
        endless(task, options, until, line)
    about = {"kind": "claim", "rulebook": task.path, "verdict": Verdict.PROVED, "scope": Scope("any", "any"), "met": True}
    line.send(("row", Result(name=task.stage, **about)))
    line.send(("done", News(frozenset())))


def test_what_is_to_be_proved_does_not_wait_for_a_search_that_does_not_come_to_an_end(small: Path, monkeypatch):
    monkeypatch.setattr(pipeline, "_work", only_the_prover_comes_to_an_end)
    monkeypatch.setattr(pipeline, "PATIENCE", 0.0)
    report = checked(small, budget=12.0)
    assert "prove" in {each.name for each in report.results}
    assert exit_code(report) is Exit.UNDECIDED


def stuck(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    os._exit(workers.STUCK)


def stuck_at_first(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    """In every stage, after the first row or what others need to begin; the second time it goes well."""

    class Cut:
        def __init__(self) -> None:
            self.poll = line.poll

        def send(self, said: tuple[str, Any]) -> None:
            line.send(said)
            if said[0] in ("row", "seen") and not task.again:
                os._exit(workers.STUCK)

    WORK(task, options, until, Cut())


def test_a_stage_whose_solver_does_not_come_back_is_begun_once_more(small: Path, monkeypatch):
    expected = checked(small, members=2, steps=2)
    monkeypatch.setattr(pipeline, "_work", stuck_at_first)
    report = checked(small, members=2, steps=2)
    assert not report.internal and rows(report) == rows(expected)


def test_when_it_never_comes_back_the_rows_are_undecided_and_say_so(small: Path, monkeypatch):
    monkeypatch.setattr(pipeline, "_work", stuck)
    report = checked(small)
    assert exit_code(report) is Exit.UNDECIDED and not report.internal
    assert {each.reason for each in report.results} == {workers.NEVER}


def rows(report: Report) -> list[tuple[str, str, Verdict, Scope]]:
    return [(each.kind, each.name, each.verdict, each.scope) for each in report.results]


def asks_what_never_ends(task: pipeline.Task, options: CheckOptions, until: float, line: Any) -> None:
    monkey = pytest.MonkeyPatch()
    monkey.setattr(workers, "LATE", 0.1)
    monkey.setattr("specforge.engines.portfolio.work", late)
    WORK(task, options, until, line)


def late(*_: Any) -> News:
    with due_in(0.1):
        time.sleep(60)
    return News(frozenset())


def test_a_worker_ends_itself_when_its_solver_is_late(small: Path, monkeypatch):
    monkeypatch.setattr(pipeline, "_work", asks_what_never_ends)
    report = checked(small)
    assert {each.reason for each in report.results} == {workers.NEVER}


def test_what_is_no_longer_needed_is_looked_for_again_once_the_rulebooks_are_loaded(small: Path, tmp_path: Path):
    broken = tmp_path / "broken.rulebook"
    broken.write_text("rulebook\n", encoding="utf-8")
    pipeline.check([broken], CheckOptions(), lambda row: None, lambda text: None)
    assert gc.isenabled()
