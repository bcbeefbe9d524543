"""What is put to a solver, and what need not be."""

from __future__ import annotations

from typing import Any

import pytest

from specforge.algebra import obligation
from specforge.algebra.obligation import Hypothesis, Question
from specforge.algebra.solver import new_flag, new_real
from specforge.algebra.symbolic import conj, negate

A, B, C = (new_flag(name) for name in "abc")
POSITIVE = new_real("x") > 0


def asked(goal: Any, *hypotheses: Hypothesis, desk: obligation.Desk | None = None) -> Question:
    made = Question(([], [], []), list(hypotheses), goal)
    made.desk = desk or made.desk
    made.ask()
    return made


def test_what_is_among_what_may_be_used_is_not_put_to_a_solver(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Question, "_check", lambda *args: pytest.fail("a solver was asked"))
    one, two, other = Hypothesis("one", 0, A), Hypothesis("two", 0, conj((B, POSITIVE))), Hypothesis("other", 0, C)
    assert asked(A, one, two, other).used == {"one"}
    assert asked(conj((POSITIVE, A)), one, two, other).used == {"one", "two"}


@pytest.mark.parametrize("goal", [B, conj((A, B)), negate(A), False])
def test_what_is_not_all_of_it_is_asked(goal: Any):
    assert asked(goal, Hypothesis("one", 0, A), Hypothesis("nothing", 0, True)).answer == "open"


def test_what_may_no_longer_be_used_is_forgotten():
    desk = obligation.Desk()
    one, again = Hypothesis("one", 0, A), Hypothesis("again", 0, A)
    assert asked(A, one, desk=desk).used == {"one"}
    assert asked(A, desk=desk).answer == "open"
    assert asked(A, again, desk=desk).used == {"again"}


def test_what_takes_more_facts_to_believe_is_left_to_the_solver():
    found = asked(A, Hypothesis("later", 2, A))
    assert (found.answer, found.stage, found.used) == ("proved", 2, {"later"})


@pytest.mark.parametrize(
    ("facts", "answer", "stage"),
    [
        (([A], [], []), "proved", 0),
        (([], [A], [C]), "proved", 1),  # no more than is needed, though more is tried first
        (([], [C], [A]), "proved", 2),
        (([], [C], [B]), "open", 2),
    ],
)
def test_a_proof_uses_the_least_that_suffices_and_a_counterexample_has_all(facts: Any, answer: str, stage: int):
    found = Question(facts, [], A)
    found.ask()
    assert (found.answer, found.stage) == (answer, stage)
    assert (found.counterexample is not None) == (answer == "open")
    assert answer == "proved" or found.model == {"a": False, "b": True, "c": True}
