"""What resists the proof for any number of members is proved for a few, and the row says so."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from specforge.core import ir
from specforge.engines import portfolio
from specforge.engines.deadline import Clock
from specforge.engines.portfolio import decide
from specforge.evidence.layout import Layout
from specforge.evidence.proof_text import all_undecided
from specforge.evidence.report import CheckOptions, FileReport
from specforge.evidence.report_text import table
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.engines.texts import SHIFTS, system_of

TEXT = """\
rulebook "Till" "Money in, money out."
unit USD
party Member "anyone":
    owed: USD = 0
party Till, one:
    taken: USD = 0
action take(m: Member, amount: USD):
    require amount > 0
    m.owed += amount
    Till.taken += amount
claim counted:
    (sum of m.owed for m: Member) = Till.taken
claim never_seven:
    Till.taken != 7 USD
    expect refuted
"""


def decided(text: str, *only: str) -> tuple[ir.System, list[Result]]:
    system = system_of(text)
    told: list[Result] = []
    decide(system, "a test", CheckOptions(only=only), Clock(math.inf), lambda text: None, told.append)
    return system, told


def rows(monkeypatch: pytest.MonkeyPatch, options: CheckOptions) -> dict[str, Result]:
    monkeypatch.setattr(portfolio, "prove", lambda *_, **__: {})  # the prover for any number finds nothing
    system = system_of(TEXT)
    told: list[Result] = []
    decide(system, "till", options, Clock(math.inf), lambda text: None, told.append)
    return {each.name: each for each in told if each.kind == "claim"}


def test_a_claim_is_proved_for_a_few_members_and_that_is_not_yet_what_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(monkeypatch, CheckOptions(jobs=1))
    assert found["counted"].verdict is Verdict.PROVED
    assert found["counted"].scope == Scope(3, "any")
    assert found["counted"].engine == "k-induction"
    assert found["counted"].met is None
    assert found["never_seven"].verdict is Verdict.REFUTED


SQUARES = """\
rulebook "Squares" "Everybody has a score."
party Member:
    score: number at least 0 = 0
party Board, one:
    total: number = 0
action scored(m: Member, n: number):
    require n >= 0
    Board.total += n * n - m.score * m.score
    m.score := n
claim summed:
    (sum of m.score * m.score for m: Member) = Board.total
    expect proved
"""


def test_the_sentence_that_cannot_be_said_for_any_number_is_named_beside_the_row() -> None:
    system, (row,) = decided(SQUARES, "summed")
    assert row.scope == Scope(3, "any") and row.met is None
    said = "not proved for any number of members: a member's own values are multiplied with each other in `m.score * m.score`"
    assert row.reason.startswith(said) and row.reason.endswith("(line 11)")
    shown = table(FileReport(Path("squares.rulebook"), system, (), (row,)), Layout())
    assert "not yet for any members" in shown and said in " ".join(shown.split())


SQUARED = """\
rulebook "Squared" "What is 0 stays 0."
party Member:
    low: number = 0
    high: number = 5
action change(m: Member):
    m.low := m.high * m.low - m.low
claim kept:
    for all m: Member: m.low * m.high <= 10
"""


def test_the_step_at_which_the_induction_fails_is_shown_beside_the_proof_for_a_few() -> None:
    system, (row,) = decided(SQUARED, "kept")
    assert row.scope == Scope(3, "any") and row.lead is not None and row.lead.event
    (said,) = all_undecided(FileReport(Path("squared.rulebook"), system, (), (row,)), Layout())
    assert "not proved for any number of members, only for 3: the induction does not go through" in said
    assert "(it may not be reachable)" in said and "Member: t.low <= 0" in said


def test_where_no_party_is_open_what_a_few_steps_keep_is_proved() -> None:
    system, told = decided('rulebook "Shifts" "No party is open."\n' + SHIFTS, "never_seven", "never_eight")
    found = {each.name: each for each in told}
    seven, eight = found["never_seven"], found["never_eight"]
    assert seven.verdict is Verdict.PROVED and seven.scope == Scope("any", "any") and seven.met and not seven.reason
    assert seven.engine == "k-induction" and eight.verdict is Verdict.REFUTED
    assert "2 actions  " in table(FileReport(Path("shifts.rulebook"), system, (), tuple(told)), Layout())


def test_no_more_members_than_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows(monkeypatch, CheckOptions(jobs=1, members=2))["counted"].scope == Scope(2, "any")
