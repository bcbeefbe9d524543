"""The exit code of a check follows from its rows, in the order of precedence that is promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import error, warning
from specforge.evidence.report import Exit, FileReport, Report, contradicts, exit_code, weakest
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.evidence import toy

SYSTEM = toy.system()


def row(verdict: Verdict, kind: str = "claim", **fields: object) -> Result:
    return Result(**{"kind": kind, "rulebook": "toy", "name": "x", "verdict": verdict, "engine": "table", **fields})  # type: ignore[arg-type]


MET = row(Verdict.PROVED, met=True, scope=Scope("any", "any"))
EXPECTED = row(Verdict.REFUTED, met=True, expected="refuted")
SURPRISE = row(Verdict.REFUTED, met=False, contradicts=True)
OPEN = row(Verdict.BOUNDED, met=None, expected="proved", scope=Scope(3, 5))
EMPTY = row(Verdict.PROVED, met=True, vacuous=True)
UNREACHABLE = row(Verdict.REFUTED, "reach", met=False)
UNREACHED = row(Verdict.UNKNOWN, "reach", met=None)
FAILING = row(Verdict.REFUTED, "scenario", met=False)
BROKEN_FREE = row(Verdict.REFUTED, "free")
OPEN_FREE = row(Verdict.BOUNDED, "free", scope=Scope(3, 5))


def report(*rows: Result, **fields: object) -> Report:
    return Report((FileReport(Path("toy.rulebook"), SYSTEM, (), rows),), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], Exit.MET),
        ([MET, EXPECTED], Exit.MET),
        ([MET, OPEN_FREE], Exit.MET),
        ([MET, OPEN], Exit.UNDECIDED),
        ([MET, UNREACHED], Exit.UNDECIDED),
        ([MET, UNREACHABLE], Exit.VACUOUS),
        ([EMPTY, OPEN], Exit.VACUOUS),
        ([SURPRISE, EMPTY, OPEN], Exit.CONTRADICTED),
        ([FAILING], Exit.CONTRADICTED),
        ([BROKEN_FREE], Exit.CONTRADICTED),
    ],
)
def test_by_expectation(rows: list[Result], code: Exit):
    assert exit_code(report(*rows)) is code


def test_precedence_is_130_70_3_1_5_4():
    broken = FileReport(Path("bad.rulebook"), None, (error(Code.SF100, "what is this"),))
    good = FileReport(Path("toy.rulebook"), SYSTEM, (), (SURPRISE, EMPTY, OPEN))
    assert exit_code(Report((good, broken), interrupted=True, internal=("bundle",))) == 130
    assert exit_code(Report((good, broken), internal=("bundle",))) == 70
    assert exit_code(Report((good, broken))) == 3


def test_a_warning_does_not_keep_a_rulebook_from_compiling():
    assert FileReport(Path("x"), SYSTEM, (warning(Code.SF425, "no effect"),)).compiles


@pytest.mark.parametrize(
    ("rows", "fail_on", "code"),
    [
        ([EXPECTED], ["refuted"], Exit.CONTRADICTED),
        ([OPEN, EMPTY], ["refuted"], Exit.MET),
        ([UNREACHED], ["unknown"], Exit.UNDECIDED),
        ([OPEN], ["unknown"], Exit.MET),
        ([EMPTY], ["vacuous"], Exit.VACUOUS),
        ([UNREACHABLE], ["vacuous"], Exit.VACUOUS),
        ([OPEN], ["any"], Exit.UNDECIDED),
        ([EXPECTED, OPEN], ["unknown", "refuted"], Exit.CONTRADICTED),
        ([MET], ["any"], Exit.MET),
    ],
)
def test_by_verdict(rows: list[Result], fail_on: list[str], code: Exit):
    assert exit_code(report(*rows), fail_on) is code  # type: ignore[arg-type]


def test_the_headline_is_the_weakest_verdict():
    assert weakest([MET, OPEN, EXPECTED]) is Verdict.REFUTED
    assert weakest([MET, OPEN, UNREACHED]) is Verdict.BOUNDED  # a reach is no claim
    assert weakest([MET, OPEN_FREE]) is Verdict.BOUNDED
    assert weakest([]) is None


def test_a_state_that_cannot_be_reached_is_not_a_contradiction():
    assert not contradicts(UNREACHABLE) and contradicts(BROKEN_FREE)
