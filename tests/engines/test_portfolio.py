"""From engines to rows: what is known is told at once, and a contradiction between engines is never a verdict."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from specforge.elaborate import load
from specforge.engines import portfolio
from specforge.engines.portfolio import Disagreement, decide
from specforge.engines.refute import Clock, Refuter
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.report import CheckOptions
from specforge.evidence.verdict import Result

TEXT = """\
rulebook "Till" "Money in, money out."
asset USD
party Till, one:
    cash: balance USD = 0
    taken: USD = 0
action take(amount: USD):
    require amount > 0
    receive amount into Till.cash
    Till.taken += amount
claim counted:
    Till.cash = Till.taken
    expect proved
claim empty:
    Till.cash = 0
    expect refuted
"""


@pytest.fixture
def system(tmp_path: Path):
    path = tmp_path / "till.rulebook"
    path.write_text(TEXT)
    loaded, _ = load(str(path))
    assert loaded is not None
    return loaded


def decided(system, emit) -> None:
    options = CheckOptions(off=portfolio.FREE_CHECKS)
    decide(system, "till.rulebook", options, Clock(time.monotonic() + 60), lambda text: None, emit)


def test_what_is_proved_is_told_before_the_search(system, monkeypatch):
    def cut_short(self: Refuter) -> None:
        raise KeyboardInterrupt

    rows: list[Result] = []
    monkeypatch.setattr(Refuter, "run", cut_short)
    with pytest.raises(KeyboardInterrupt):
        decided(system, rows.append)
    assert [(each.name, each.verdict.value) for each in rows] == [("counted", "proved")]


def test_a_run_that_refutes_what_is_proved_is_an_error_of_ours(system, monkeypatch):
    real = portfolio._prove

    def too_much(system, rows, clock, tell, known) -> None:
        real(system, rows, clock, tell, known)
        proof = next(row.proof for row in rows if row.proof is not None)
        for row in rows:
            if isinstance(row.quest.goal, ClaimGoal):
                row.proof = proof

    monkeypatch.setattr(portfolio, "_prove", too_much)
    with pytest.raises(Disagreement, match="`empty` is proved, and a run refutes it"):
        decided(system, lambda row: None)
