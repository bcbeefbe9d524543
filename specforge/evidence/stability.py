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
FAR = 10**9  # more than any number of members or actions


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


def contradictions(reports: Sequence[Report]) -> list[Result]:
    """Rows for which one seed shows a run, or that there is none, and another the opposite: an error of SpecForge."""
    found: dict[Key, set[Verdict]] = {}
    for result in (each for report in reports for each in report.results):
        for_few = isinstance(result.scope.members, int) and result.trace is None
        if result.verdict is Verdict.REFUTED or (result.verdict is Verdict.PROVED and not for_few):
            found.setdefault(_key(result), set()).add(result.verdict)
    return [each for each in reports[0].results if len(found.get(_key(each), ())) > 1]


def _key(result: Result) -> Key:
    return result.rulebook, result.kind, result.name, result.given


def _strongest(answers: Sequence[Result]) -> Result:
    best = min(answers, key=_rank)
    others = [said for each in answers if (said := answer(each)) != answer(best)]
    said = [f"{what} with {others.count(what)} of {len(answers)} seeds" for what in dict.fromkeys(others)]
    vacuous = True if any(each.vacuous is True for each in answers) else best.vacuous
    return evolve(best, vacuous=vacuous, fragile=" and ".join(said))


def _rank(result: Result) -> tuple[int, int, int, int]:
    """The strongest first: the word, then how far it reaches (or how short the run is), then what it takes for granted."""
    if result.trace is not None:
        return STRONGEST_FIRST.index(result.verdict), result.trace.actions, result.trace.members, not result.shortest
    scope = result.scope
    far = [-FAR if each == "any" else -(each or 0) for each in (scope.members, scope.steps)]
    proof = result.verdict is Verdict.PROVED
    reach = far if proof or result.verdict is Verdict.BOUNDED else [0, 0]
    return STRONGEST_FIRST.index(result.verdict), reach[0], reach[1], len(scope.limits) if proof else 0


def answer(result: Result) -> str:
    """The verdict, with what makes it weaker: `PROVED for 3 members`, `PROVED where settling ends`."""
    scope, said = result.scope, result.verdict.name
    if result.kind in ("reach", "scenario") or result.verdict not in (Verdict.PROVED, Verdict.BOUNDED):
        return said
    if isinstance(scope.members, int) and result.trace is None:
        bounded = result.verdict is Verdict.BOUNDED
        said += f" to {scope.members} members, {scope.steps} actions" if bounded else f" for {scope.members} members"
    return " ".join([said, *(scope.limits if result.verdict is Verdict.PROVED else ())])
