"""What is put to a solver, and what need not be."""

from __future__ import annotations

from typing import Any

import pytest

from specforge.algebra import obligation
from specforge.algebra.obligation import Hypothesis, Question
from specforge.algebra.solver import new_flag, new_real
from specforge.algebra.symbolic import conj, disj, negate

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


def test_a_counterexample_to_less_is_one_to_all_if_all_holds_in_it(monkeypatch: pytest.MonkeyPatch):
    stages: list[int] = []
    check = Question._check  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(Question, "_check", lambda self, stage, *rest: stages.append(stage) or check(self, stage, *rest))
    found = Question(([negate(A)], [], [disj((A, B, negate(B)))]), [Hypothesis("later", 2, negate(A))], A)
    assert (found.ask(), found.stage, stages) == ("open", 2, [0])
    stages.clear()
    found = Question(([], [], [negate(C), C]), [], A)
    assert (found.ask(), stages) == ("proved", [0, 2]), "what does not hold in it is asked for"


def test_where_the_quick_procedure_gave_up_the_strong_one_is_asked_first(monkeypatch: pytest.MonkeyPatch):
    order: list[str] = []
    quick, strong = obligation.Told.ask, obligation._ask_strongly  # pyright: ignore[reportPrivateUsage]

    def quickly(told: Any, *known: Any) -> Any:
        order.append("quick")
        *what, work, milliseconds = known
        return quick(told, *what, work if can else 1, milliseconds)

    monkeypatch.setattr(obligation.Told, "ask", quickly)
    monkeypatch.setattr(obligation, "_ask_strongly", lambda *known: order.append("strong") or strong(*known))
    desk, can = obligation.Desk(), False
    for expected in (["quick", "strong"], ["strong"]):
        order.clear()
        assert asked(conj((POSITIVE, A)), Hypothesis("one", 0, A), desk=desk).answer == "open"
        assert order == expected
    monkeypatch.setattr(obligation, "_ask_strongly", lambda *known: order.append("strong") or obligation.UNKNOWN)
    can = True
    for expected in (["strong", "quick"], ["quick"]):
        order.clear()
        assert asked(conj((POSITIVE, A)), Hypothesis("one", 0, A), desk=desk).answer == "open"
        assert order == expected
