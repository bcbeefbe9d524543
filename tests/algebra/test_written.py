"""A step as a text: no more than it needs, everything it needs, and each fact under where it comes from."""

from __future__ import annotations

import pytest
import z3

from specforge.algebra import written
from specforge.algebra.obligation import Hypothesis, Question
from specforge.algebra.second import ask_z3, has_cvc5
from specforge.algebra.written import NotConfirmed, is_plain
from specforge.evidence.smtlib import mistake

x, y, z, odd = z3.Reals("x y z a;(b:0")
flag = z3.Bool("flag:0")


def asked(goal: object, *hypotheses: Hypothesis) -> Question:
    question = Question(([z3.And(x >= 0, z > 5), flag], [], []), list(hypotheses), goal)
    assert question.ask() == "proved"
    return question


def test_only_what_is_needed_is_written_with_its_reason():
    question = asked(x + y >= 0, Hypothesis("above", 0, y >= 0), Hypothesis("other", 0, z >= 0))
    done = written.written(question, ["a heading\n(exit)"], lambda source: f"lemma {source}")
    assert done.uses == {"above"} and done.logic == "QF_LRA"
    assert "z" not in done.text.split("(check-sat)")[0].split("declare", 1)[1].replace("what is", "").split()
    assert "; a heading\\u{a}(exit)\n" in done.text and "; lemma above\n(assert (>= y 0.0))" in done.text
    assert mistake(done.text) == "" and ask_z3(done.text, 1_000_000) == "unsat"


def test_products_and_rounding_are_named_in_the_logic():
    question = asked(x * y >= 0, Hypothesis("above", 0, y >= 0))
    assert written.written(question, ["p"], str).logic == "QF_NRA"
    question = asked(z3.ToReal(z3.ToInt(y)) <= y)
    assert written.written(question, ["r"], str).logic == "QF_LIRA"


@pytest.mark.skipif(not has_cvc5(), reason="cvc5 is an extra")
def test_a_name_may_hold_any_sign():
    from specforge.algebra.second import ask_cvc5

    done = written.written(asked(odd * odd + x >= 0), ["n"], str)
    assert mistake(done.text) == "" and "|a;(b:0|" in done.text
    assert ask_cvc5(done.text, 1_000_000) == "unsat"
    assert ask_cvc5(done.text.replace("(assert (not", "(assert (and"), 1_000_000) == "sat"
    with pytest.raises(ValueError):
        ask_cvc5("(assert nobody)(check-sat)", 1_000)


def test_the_strong_procedure_finds_what_is_needed_too():
    facts = written._facts(asked(x * x * y >= 0, Hypothesis("above", 0, y >= 0), Hypothesis("other", 0, z >= x)))
    least = written._one_by_one(facts)
    assert len(least) < len(facts) and written._core(least, written._strong(), 1_000_000) is not None


def test_a_proof_that_the_text_does_not_bear_out_is_not_written():
    question = asked(x >= 0)
    question.goal = x >= 1
    with pytest.raises(NotConfirmed):
        written.written(question, ["false"], str)


def test_what_needs_no_solver():
    assert is_plain(None) and is_plain(Question(([], [], []), [], True)) and not is_plain(asked(x >= 0))
