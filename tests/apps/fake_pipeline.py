"""A stand-in for the pipeline: refutes what a scenario refutes, and leaves everything else undecided.

It knows no solver, so the command line is tested in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from specforge.elaborate import load
from specforge.engines.scenarios import scenario_results
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.replay import replay
from specforge.evidence.report import CheckOptions, FileReport, Report
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.evidence.plans import plan_of

FREE_CHECKS = ("funded", "bounds", "rests")


def check(
    paths: list[Path],
    options: CheckOptions,
    on_result: Callable[[Result], None],
    on_progress: Callable[[str], None],
    on_file: Callable[[FileReport], None] = lambda report: None,
) -> Report:
    files: list[FileReport] = []
    for path in paths:
        system, diagnostics = load(str(path))
        results: list[Result] = []
        if system is not None:
            on_progress(path.stem)
            for result in [*rows(system, str(path)), *scenario_results(system)]:
                if not options.only or result.name in options.only:
                    results.append(result)
                    on_result(result)
        files.append(FileReport(path, system, tuple(diagnostics), tuple(results), 0.1))
        on_file(files[-1])
    return Report(tuple(files), seconds=0.1)


def rows(system, path):  # type: ignore[no-untyped-def]
    for claim in system.claims.values():
        for expect in claim.expects:
            about = dict(
                kind="claim", rulebook=path, name=claim.name, text=claim.text, cites=claim.cites, span=claim.span,
                given=tuple(each.text for each in expect.given), expected=expect.verdict, engine="fake", seconds=0.01,
            )  # fmt: skip
            if expect.by is None:
                scope = Scope(2, 3, ("whole numbers of contracts",))
                yield Result(verdict=Verdict.BOUNDED, scope=scope, reason="the budget is spent", **about)
                continue
            scenario = system.scenarios[expect.by]
            trace = replay(system, plan_of(system, scenario), ClaimGoal(claim, expect.given), dict(scenario.members))
            yield Result(verdict=Verdict.REFUTED, scope=Scope(3, trace.actions), met=True, trace=trace, shortest=True, **about)
    for reach in system.reaches.values():
        yield Result("reach", path, reach.name, Verdict.UNKNOWN, Scope(2, 3), span=reach.span, reason="never seen")
    yield Result("free", path, "funded", Verdict.BOUNDED, Scope(2, 3), text="no account is overdrawn")
