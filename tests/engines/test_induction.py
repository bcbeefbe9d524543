"""Proofs for any number of members: the examples' claims, their certificates, and that what is assumed is possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text, load
from specforge.engines.cases import Book
from specforge.engines.induction import Prover, prove
from specforge.evidence.certificate import Certificate, Incomplete, Lemma, Need, NotProved, Proved
from specforge.evidence.certificate import prove as put_together
from specforge.evidence.goal import ClaimGoal

EXAMPLES = sorted((Path(__file__).parents[1] / "venues").glob("*.rulebook"))
QUICK = [path for path in EXAMPLES if path.stem[:2] in ("05", "07", "10", "12")]


def goals_of(path: Path, verdict: str) -> tuple[ir.System, list[ClaimGoal]]:
    system, _ = load(str(path))
    assert system is not None
    own = [c for c in system.claims.values() if "." not in c.name]
    return system, [ClaimGoal(c, e.given) for c in own for e in c.expects if e.verdict == verdict]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_claim_that_should_be_is_proved(path: Path) -> None:
    system, goals = goals_of(path, "proved")
    outcomes = prove(system, goals)
    assert {goal.name: outcome for goal, outcome in outcomes.items() if not isinstance(outcome, Proved)} == {}
    assert set(outcomes) == set(goals)


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_a_fresh_solver_confirms_every_obligation_from_its_text(path: Path) -> None:
    system, goals = goals_of(path, "proved")
    for outcome in prove(system, goals).values():
        assert isinstance(outcome, Proved)
        assert outcome.certificate.obligations
        assert outcome.certificate.recheck() == []


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_what_is_assumed_is_possible(path: Path) -> None:
    """A transition whose hypotheses exclude each other proves anything."""
    system, goals = goals_of(path, "proved")
    groups = {goal.given: [other for other in goals if other.given == goal.given] for goal in goals}
    for group in groups.values():
        prover = Prover(Book.of(system), group)
        prover.run({})
        for case in prover.cases:
            if case.kind == "start":
                continue
            scene, _ = prover.scene(case, (), None, None, "plain", False)
            if scene.impossible:
                continue
            question = scene.question(False)
            question.hypotheses = [*question.hypotheses, *prover._assume_all(scene, prover.lemmas.values())]
            barred = any(each.assumption == "nothing_paid_out" for each in group[0].given) and case.rule == "take_variation"
            assert question.possible() is not barred, case.text()


BOOK = """rulebook "Two accounts" "Money moves."

asset USD

party Trader:
    margin: balance USD

party Venue, one:
    fund: balance USD = 0

action give(t: Trader, u: Trader, amount: USD):
    require 0 < amount and amount <= t.margin
    transfer amount from t.margin to u.margin

action pay_in(t: Trader, amount: USD):
    require 0 < amount and amount <= t.margin
    transfer amount from t.margin to Venue.fund

claim kept:
    (sum of t.margin for t: Trader) + Venue.fund = holdings(USD)
    expect proved
claim poor:
    for all t: Trader: t.margin <= 100 USD
"""


def test_an_unproved_claim_says_where_the_induction_fails() -> None:
    system, _ = compile_text(BOOK)
    assert system is not None
    outcomes = {goal.name: outcome for goal, outcome in prove(system, [ClaimGoal(c) for c in system.claims.values()]).items()}
    assert isinstance(outcomes["kept"], Proved)
    poor = outcomes["poor"]
    assert isinstance(poor, NotProved)
    assert poor.step == "the claim @ rest + 1 Trader"
    assert poor.state


def test_a_proof_with_an_open_obligation_is_refused() -> None:
    lemma = Lemma("always", ir.YES)
    with pytest.raises(Incomplete):
        put_together("claim", [Need("", "rest")], {"always": []}, {"always": lemma}, {}, (), 0.0, str)
    assert Certificate("claim", (), (), ()).recheck() == []


M1 = Path(__file__).parents[2] / "benchmarks" / "m1x.rulebook"
EXEMPT = "member whale: Trader with exempt = yes\n"


@pytest.mark.parametrize("changed", ["", "member whale: Trader\n", EXEMPT])
def test_a_flag_that_nobody_sets_is_what_it_was_at_the_start(changed: str) -> None:
    """M1 with exemptions, of which there are none: proved; with one exempt account it is false."""
    text = M1.read_text()
    assert EXEMPT in text
    system, diagnostics = compile_text(text.replace(EXEMPT, changed))
    assert system is not None, diagnostics
    goals = [ClaimGoal(claim) for claim in system.claims.values()]
    proved = {goal.name for goal, outcome in prove(system, goals).items() if isinstance(outcome, Proved)}
    refuted = {claim.name for claim in system.claims.values() for expect in claim.expects if expect.verdict == "refuted"}
    assert refuted
    assert proved & refuted == (set() if changed == EXEMPT else refuted)


SET_LATER = BOOK.replace("    margin: balance USD\n", "    margin: balance USD\n    held: flag = no\n") + """
action hold(t: Trader):
    t.held := yes
claim never_held:
    for all t: Trader: not t.held
"""


def test_a_flag_that_somebody_sets_is_not() -> None:
    system, diagnostics = compile_text(SET_LATER)
    assert system is not None, diagnostics
    goal = ClaimGoal(system.claims["never_held"])
    assert isinstance(prove(system, [goal])[goal], NotProved)
