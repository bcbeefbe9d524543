"""What a whole run of `check` says: its options, its rows file by file, and the exit code that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Literal

from attrs import field

from specforge.core import ir
from specforge.diagnostics.diagnostic import Diagnostic, Severity
from specforge.evidence.sentences import Sentence, sentences
from specforge.evidence.verdict import Result, Verdict
from specforge.records import frozen


@frozen
class CheckOptions:
    """What the command line asks of a check.  `only`: claims, reaches, scenarios and free checks by name (empty: all).
    `off`: free checks switched off, by name.  `members`, `steps`: how far to search at most (None: as far as the budget
    goes).  `budget`: seconds for the whole run (None: the pipeline's own).  `jobs`: worker processes.
    `proofs`: what each proof needs of the text is worked out.
    `keep`: verdicts of earlier runs are shown where nothing has changed, and those of this one kept."""

    only: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    members: int | None = None
    steps: int | None = None
    budget: float | None = None
    jobs: int = 1
    seed: int = 0
    proofs: bool = False
    keep: bool = False


@frozen
class FileReport:
    """One file.  `system` None: it does not compile, and `diagnostics` say why.  `kept`: from an earlier run; nothing it rests
    on has changed since, and its runs have been replayed."""

    path: Path
    system: ir.System | None = field(repr=False)
    diagnostics: tuple[Diagnostic, ...] = field(default=(), repr=False)
    results: tuple[Result, ...] = ()
    seconds: float = 0.0
    kept: bool = False

    @property
    def compiles(self) -> bool:
        return self.system is not None and not any(each.severity is Severity.ERROR for each in self.diagnostics)

    @property
    def claims(self) -> int:
        """How many claims the file makes (a claim with three expectations is one)."""
        return len({each.name for each in self.results if each.kind == "claim"})


@frozen
class Report:
    """`interrupted`: the user stopped it; what is here was known by then.  `internal`: errors of SpecForge itself, each with
    the path of its bundle."""

    files: tuple[FileReport, ...]
    interrupted: bool = False
    internal: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def results(self) -> list[Result]:
        return [result for file in self.files for result in file.results]


def cored(file: FileReport) -> list[Result]:
    """The proofs of which it is known what they need."""
    return [each for each in file.results if each.core is not None]


def unused_sentences(file: FileReport) -> list[Sentence] | None:
    """The sentences that no proof needs; None if no proof was asked."""
    proofs = cored(file)
    if file.system is None or not proofs:
        return None
    used = {each.key for result in proofs for each in result.core or ()}
    return [each for each in sentences(file.system) if each.key not in used]


class Exit(IntEnum):
    """The exit codes of every command: a contract (docs: What users type and get)."""

    MET = 0
    CONTRADICTED = 1
    USAGE = 2
    NOT_A_RULEBOOK = 3
    UNDECIDED = 4
    VACUOUS = 5
    INTERNAL = 70
    INTERRUPTED = 130


FailOn = Literal["refuted", "unknown", "vacuous", "any"]
PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.INTERNAL,
    Exit.NOT_A_RULEBOOK,
    Exit.CONTRADICTED,
    Exit.VACUOUS,
    Exit.UNDECIDED,
    Exit.MET,
)


def exit_code(report: Report, fail_on: Iterable[FailOn] = ()) -> Exit:
    """The exit code of a check.  With `fail_on`, those verdicts count and no others, whatever was expected."""
    found: set[Exit] = {Exit.MET}
    if report.interrupted:
        found.add(Exit.INTERRUPTED)
    if report.internal:
        found.add(Exit.INTERNAL)
    if not all(file.compiles for file in report.files):
        found.add(Exit.NOT_A_RULEBOOK)
    counted = set(fail_on)
    for result in report.results:
        found.add(_by_verdict(result, counted) if counted else _by_expectation(result))
    return next(code for code in PRECEDENCE if code in found)


def contradicts(result: Result) -> bool:
    """Does this row stand against what the rulebook says of itself?"""
    refuted = result.verdict is Verdict.REFUTED and result.kind in ("scenario", "free") and result.vacuous is not True
    return result.contradicts or refuted


def is_vacuous(result: Result) -> bool:
    """Is there nothing that this row is about: a claim no run can break or keep, a state no run can reach?"""
    return result.vacuous is True or (result.kind == "reach" and result.verdict is Verdict.REFUTED)


def is_undecided(result: Result) -> bool:
    """An expectation that is neither met nor contradicted.  A free check that is not decided is no expectation."""
    return result.kind != "free" and result.met is not True and not contradicts(result) and not is_vacuous(result)


def _by_expectation(result: Result) -> Exit:
    if contradicts(result):
        return Exit.CONTRADICTED
    if is_vacuous(result):
        return Exit.VACUOUS
    return Exit.UNDECIDED if is_undecided(result) else Exit.MET


def _by_verdict(result: Result, counted: set[FailOn]) -> Exit:
    every = "any" in counted
    if is_vacuous(result):
        return Exit.VACUOUS if every or "vacuous" in counted else Exit.MET
    if result.verdict is Verdict.REFUTED:
        return Exit.CONTRADICTED if every or "refuted" in counted else Exit.MET
    if result.verdict is Verdict.UNKNOWN:
        return Exit.UNDECIDED if every or "unknown" in counted else Exit.MET
    fewer = result.kind == "claim" and result.scope.members != "any"
    return Exit.UNDECIDED if every and (result.verdict is Verdict.BOUNDED or fewer) else Exit.MET


WEAKEST_FIRST = (Verdict.REFUTED, Verdict.UNKNOWN, Verdict.BOUNDED, Verdict.PROVED)


def weakest(results: Iterable[Result]) -> Verdict | None:
    """The verdict that a headline shows: the weakest of the claims and free checks."""
    seen = {each.verdict for each in results if each.kind in ("claim", "free")}
    return next((verdict for verdict in WEAKEST_FIRST if verdict in seen), None)
