"""A claim that is not proved shows a state and a step at which the induction fails, in the rulebook's words."""

from __future__ import annotations

from pathlib import Path

from quicktions import Fraction

from specforge.algebra.exact import ExactMachine
from specforge.elaborate import load
from specforge.engines.cases import Book
from specforge.engines.induction import Prover, prove
from specforge.engines.lead import excluded_by
from specforge.evidence.certificate import NotProved
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.layout import Layout
from specforge.evidence.lead import Lead
from specforge.evidence.proof_text import undecided
from specforge.evidence.report_json import result_json
from specforge.evidence.verdict import Result, Verdict
from tests.apps.test_run_and_trace import valid

LOANS = """\
rulebook "Loans"

asset USD

party Trader:
    margin: balance USD
    debt: USD = 0

party Venue, one:
    lost: USD = 0
    spare: USD = 0

action deposit(t: Trader, n: USD):
    require n > 0
    receive n into t.margin

action borrow(t: Trader, n: USD):
    require n > 0 and n <= t.margin
    t.debt += n

action lose(t: Trader):
    require t.debt > 0
    Venue.lost += t.debt
    t.debt := 0

claim covered "what is lost stood on somebody's account":
    Venue.lost <= (sum of t.margin for t: Trader)
"""


def book(tmp_path: Path) -> tuple[Prover, ClaimGoal]:
    file = tmp_path / "loans.rulebook"
    file.write_text(LOANS)
    system, problems = load(str(file))
    assert system is not None, problems
    goal = ClaimGoal(system.claims["covered"])
    return Prover(Book.of(system), [goal]), goal


def lead(tmp_path: Path) -> tuple[ClaimGoal, Lead]:
    prover, goal = book(tmp_path)
    outcome = prove(prover.system, [goal])[goal]
    assert isinstance(outcome, NotProved) and outcome.lead is not None
    return goal, outcome.lead()


def test_the_step_that_breaks_the_claim_has_few_members_and_round_values(tmp_path: Path):
    _, found = lead(tmp_path)
    assert found.event == "lose(ann)"
    assert found.before == ("ann.debt 1 USD",)
    assert found.changed == ("ann.debt 1 → 0 USD", "Venue.lost 0 → 1 USD")
    assert found.breaks == "Venue.lost <= (sum of t.margin for t: Trader)"


def test_it_is_said_that_the_state_may_not_be_reachable(tmp_path: Path):
    goal, found = lead(tmp_path)
    result = Result("claim", "loans.rulebook", "covered", Verdict.UNKNOWN, span=goal.claim.span, lead=found)
    text = undecided(result, Layout(width=80))
    assert "it may not be reachable" in text and "ann.debt 1 → 0 USD" in text
    document = result_json(None, result)
    valid(document, "result")
    assert document["lead"]["reachable"] is None and document["lead"]["event"] == "lose(ann)"


def test_the_lemma_that_would_exclude_the_state_is_false_there_and_true_in_every_run(tmp_path: Path):
    prover, _ = book(tmp_path)
    machine = ExactMachine(prover.system, {"Trader": 1})
    machine.begin({})
    state = {**machine.save(), ("Venue.spare", 0, 0): Fraction(-1)}
    sentence, runs = excluded_by(prover, state, {"Trader": 1})
    assert sentence in ("Venue.spare = 0", "Venue.spare >= 0") and runs > 0


def test_no_lemma_is_named_for_a_state_that_runs_do_reach(tmp_path: Path):
    prover, _ = book(tmp_path)
    machine = ExactMachine(prover.system, {"Trader": 1})
    machine.begin({})
    state = {**machine.save(), ("Trader.debt", 0, 0): Fraction(1)}
    assert excluded_by(prover, state, {"Trader": 1})[0] == ""
