"""Terms made directly are the terms that Z3's own operators make."""

from __future__ import annotations

import pytest
import z3
from quicktions import Fraction

from specforge.algebra import terms

x, y, p, q = z3.Real("x"), z3.Real("y"), z3.Bool("p"), z3.Bool("q")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (terms.both([p, q]), z3.And(p, q)),
        (terms.either([p, q]), z3.Or(p, q)),
        (terms.no(p), z3.Not(p)),
        (terms.follows(p, q), z3.Implies(p, q)),
        (terms.choice(p, x, y), z3.If(p, x, y)),
        (terms.choice(p, q, terms.no(q)), z3.If(p, q, z3.Not(q))),
        (terms.at_most(x, y), x <= y),
        (terms.at_least(x, y), x >= y),
        (terms.less(x, y), x < y),
        (terms.more(x, y), x > y),
        (terms.alike(x, y), x == y),
        (terms.alike(p, q), p == q),
        (terms.plus(x, y), x + y),
        (terms.minus(x, y), x - y),
        (terms.times(x, y), x * y),
        (terms.total([x, y, x]), z3.Sum(x, y, x)),
        (terms.product([x, y, x]), z3.Product(x, y, x)),
        (terms.real(Fraction(-3, 4)), z3.simplify(z3.Q(-3, 4))),
        (terms.real(Fraction(10**30)), z3.RealVal(10**30)),
    ],
)
def test_a_term_made_directly_is_the_one_that_z3_makes(ours, theirs):
    assert ours.eq(theirs)
    assert type(ours) is type(theirs)


def test_many_arguments_are_one_term():
    flags = [z3.Bool(f"f{at}") for at in range(100)]
    assert terms.both(flags).eq(z3.And(flags))


def test_unknowns_are_those_of_that_name():
    assert terms.number("x").eq(x)
    assert terms.flag("p").eq(p)
    assert (terms.name_of(x), terms.name_of(z3.Bool("a!1=é"))) == ("x", "a!1=é")


def test_other_unknowns_are_put_in():
    formula = z3.And(p, z3.Or(q, x + y <= 3))
    pairs = [(p, q), (x, y + 1), (y, z3.RealVal(2))]
    assert terms.substitute(formula, pairs).eq(z3.substitute(formula, *pairs))


def test_a_mistake_in_the_sorts_is_noticed():
    with pytest.raises(z3.Z3Exception):
        terms.both([x, y])


def test_a_flag_is_known_with_its_opposite() -> None:
    number, sign, name = terms.literal(p)
    assert (number, sign, name) == (p.get_id(), True, "p") and terms.literal(z3.Not(p)) == (number, False, "")
    both = z3.And(p, q)
    assert terms.literal(both) == (both.get_id(), True, "") and terms.literal(z3.BoolVal(True))[1:] == (True, "")
