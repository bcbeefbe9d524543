"""The same questions asked again with other seeds: which answers are luck.

A proof found once is a proof, and a run that was replayed is a run; but if other seeds do not find it, it may be lost with the
next change, and the row says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from specforge.evidence.report import FileReport, Report
from specforge.evidence.verdict import Result, Verdict

Key = tuple[str, str, str, tuple[str, ...]]
STRONGEST_FIRST = (Verdict.REFUTED, Verdict.PROVED, Verdict.BOUNDED, Verdict.UNKNOWN)


def merged(reports: Sequence[Report]) -> Report:
    """One report out of those of several seeds: of each row the strongest verdict, and how often there was another."""
    answers: dict[Key, list[Result]] = {}
    for report in reports:
        for result in report.results:
            answers.setdefault(_key(result), []).append(result)
    files: list[FileReport] = []
    for file in reports[0].files:
        rows = tuple(_strongest(answers[_key(each)]) for each in file.results)
        same = [each for report in reports for each in report.files if each.path == file.path]
        files.append(evolve(file, results=rows, seconds=sum(each.seconds for each in same)))
    internal = tuple(each for report in reports for each in report.internal)
    seconds = sum(each.seconds for each in reports)
    return Report(tuple(files), any(each.interrupted for each in reports), internal, seconds)


def _key(result: Result) -> Key:
    return result.rulebook, result.kind, result.name, result.given


def _strongest(answers: Sequence[Result]) -> Result:
    best = min(answers, key=lambda each: STRONGEST_FIRST.index(each.verdict))
    others = [each.verdict for each in answers if each.verdict is not best.verdict]
    said = [f"{verdict.name} with {others.count(verdict)} of {len(answers)} seeds" for verdict in dict.fromkeys(others)]
    return evolve(best, fragile=" and ".join(said))
