"""What resists the proof for any number of members is proved for a few, and the row says so."""

from __future__ import annotations

import math

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.engines import portfolio
from specforge.engines.deadline import Clock
from specforge.engines.portfolio import decide
from specforge.evidence.report import CheckOptions
from specforge.evidence.verdict import Result, Scope, Verdict

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


def rows(monkeypatch: pytest.MonkeyPatch, options: CheckOptions) -> dict[str, Result]:
    monkeypatch.setattr(portfolio, "prove", lambda *_, **__: {})  # the prover for any number finds nothing
    system, diagnostics = compile_text(TEXT)
    assert isinstance(system, ir.System), diagnostics
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


def test_no_more_members_than_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows(monkeypatch, CheckOptions(jobs=1, members=2))["counted"].scope == Scope(2, "any")
