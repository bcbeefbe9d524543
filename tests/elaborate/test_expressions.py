"""What expressions mean once they stand in the core, by evaluating them."""

from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quicktions import Fraction

from specforge.algebra.exact import ExactAlgebra
from specforge.core import derived, ir
from specforge.core.evaluate import Evaluator
from specforge.core.machine import DefectFound
from specforge.diagnostics.codes import Code
from tests.elaborate.helpers import HEAD, PARTIES, codes, good, machine, number, value

numbers = st.fractions(min_value=-20, max_value=20, max_denominator=12).map(Fraction)
steps = st.sampled_from([Fraction(1), Fraction(1, 4), Fraction(3), Fraction(2, 3)])


def evaluated(expr: ir.Expr) -> Fraction:
    empty = ir.System("", "", {}, {}, {}, {}, {}, {}, {}, {}, {}, {})
    return Evaluator(empty, ExactAlgebra({})).value(expr, {})


def literal(x: Fraction) -> ir.Expr:
    return ir.Lit(x)


def computed(x: Fraction) -> ir.Expr:
    """The same number as something that is not an atom."""
    return ir.Op(ir.Operator.ADD, (ir.Lit(x - 1), ir.ONE))


@settings(max_examples=60, deadline=None)
@given(x=numbers, y=numbers, step=steps)
@pytest.mark.parametrize("form", [literal, computed])
def test_the_derived_operators_mean_what_they_say(form, x: Fraction, y: Fraction, step: Fraction) -> None:  # type: ignore[no-untyped-def]
    assert evaluated(derived.minimum(form(x), form(y))) == min(x, y)
    assert evaluated(derived.maximum(form(x), form(y))) == max(x, y)
    assert evaluated(derived.absolute(form(x))) == abs(x)
    assert evaluated(derived.floor_to(form(x), form(step))) == floor(x / step) * step
    assert evaluated(derived.ceil_to(form(x), form(step))) == ceil(x / step) * step
    assert evaluated(derived.half_even(form(x), form(step))) == round(x / step) * step
    assert evaluated(derived.toward_zero(form(x), form(step))) == int(x / step) * step


def test_nested_minima_do_not_capture_each_other() -> None:
    assert number("max(min(1 + 1, 2 + 2), min(3 + 3, max(4 + 4, 5 + 5)))") == 6
    assert number("abs(abs(1 - 3) - abs(2 - 10))") == 6
    assert number("max(1 + 0, 2 + 0, 3 + 0)") == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4 - 6 / 4", Fraction(25, 2)),
        ("-(2 - 5)", 3),
        ("25 bps * 4", Fraction(1, 100)),
        ("5% * 10 + 1%", Fraction(51, 100)),
        ("8 hours", 28_800),
        ("(5% per day) * 12 hours", Fraction(1, 40)),
        ("5% per day * 12 hours", Fraction(1, 40)),
        ("Venue.fund / Venue.mark", 1),
        ("7 if 1 < 2 otherwise 8", 7),
        ("7 if 2 < 1 otherwise 8 if 1 = 1 otherwise 9", 8),
        ("half_even(2.5, 1) + ceil(2.1, 1) + floor(-2.1, 1) + toward_zero(-2.9, 1)", 2 + 3 - 3 - 2),
    ],
)
def test_numbers(text: str, expected: Fraction | int) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 < 2 <= 2 < 3", True),
        ("1 < 2 > 3", False),
        ("3 > 2 >= 2 != 1 + 0", True),
        ("1 = 1 = 1", True),
        ("not 1 = 2 and yes", True),
        ("1 = 2 implies 1 / Venue.tally = 3", True),
        ("1 = 2 and 1 / Venue.tally = 3", False),
        ("1 = 1 or 1 / Venue.tally = 3", True),
        ("(1 < 2) = (3 < 4)", True),
        ("yes != no", True),
        ("Venue.fund > 0 and 0 < Venue.fund", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    assert value(text) is expected


def test_the_middle_of_a_chain_is_computed_once() -> None:
    system = good("let result = 0 < Venue.fund + 1 USD <= 200 USD\n")
    expr = system.lets["result"]
    sums = [each for each in ir.walk(expr) if isinstance(each, ir.Op) and each.op is ir.Operator.ADD]
    assert len(sums) == 1
    assert machine(system, Trader=0).evaluate(expr) is True


def test_a_function_computes_its_argument_once_and_does_not_capture() -> None:
    text = """
let double(x: number) = x + x
let shifted(x: number, y: number) = double(y) - double(x + y)
let five = 5
let result = shifted(double(1 + 1), five + 1)
"""
    system = good(text)
    assert machine(system, Trader=0).evaluate(system.lets["result"]) == 12 - 2 * (8 - 4 + 6)


def test_a_bound_member_is_not_captured_by_the_function_it_is_given_to() -> None:
    text = """
party Point, one of a, b:
    x: number = 1
let poorer(t: Point) = (count of u: Point where u.x < t.x)
let total = (sum of poorer(u) + u.x for u: Point)
let pairs = (count of t, u: Point where t != u)
let alone = for all t, u: Point: t = u or t.x = u.x
let some = (exists t: Point where t.x > 1)
let most = (largest of t.x for t: Point)
"""
    system = good(text, HEAD)
    run = machine(system)
    run.algebra.state["Point.x", 1, 0] = Fraction(3)
    results = {name: run.evaluate(expr) for name, expr in system.lets.items()}
    assert results == {"total": 5, "pairs": 2, "alone": False, "some": True, "most": 3}


def test_tables_keep_their_boundaries_and_end() -> None:
    text = """
table rate(x: USD), continuous, rising:
    up to 10 USD: 1%
    below 20 USD: 2%
let look(x: USD) = rate(x + 0 USD)
let low = look(10 USD)
let high = look(11 USD)
let beyond = look(20 USD)
"""
    system = good(text)
    run = machine(system, Trader=0)
    assert run.evaluate(system.lets["low"]) == Fraction(1, 100)
    assert run.evaluate(system.lets["high"]) == Fraction(2, 100)
    with pytest.raises(DefectFound) as found:
        run.evaluate(system.lets["beyond"])
    assert found.value.defect is ir.Defect.TABLE
    assert system.tables["rate"].properties == ("continuous", "rising")
    assert [row.closed for row in system.tables["rate"].rows] == [True, False]


def test_a_bare_zero_has_every_unit_and_other_bare_numbers_have_none() -> None:
    good("let a = Venue.fund + 0 > 0\nlet b = 0 if a otherwise Venue.mark\nlet c = max(Venue.fund - 3 USD, 0)\n")
    assert codes("let a = Venue.fund > 1\n") == [Code.SF313]
    assert codes("let a = Venue.fund + 1\n") == [Code.SF312]


def test_units_multiply_and_cancel() -> None:
    good("let a = Venue.fund / Venue.fund + 3%\nlet b = 3 BTC * Venue.mark + Venue.fund\nlet c = b / Venue.mark + 2 BTC\n")
    assert codes("let a = 3 BTC * Venue.fund + Venue.fund\n") == [Code.SF312]


def test_one_mistake_is_one_message() -> None:
    assert codes("let a = Vnue.fund + 3\nlet b = a + 3 USD\nclaim c:\n    a = 5 and b > 3 BTC\n") == [Code.SF201]


def test_every_literal_is_kept_once_with_its_unit() -> None:
    system = good("let a = 3 USD + 3 USD\nlet b = 5% * 3\n")
    assert [(value, of.text()) for value, of in system.literals] == [
        (100, "USD"), (100, "USD per BTC"), (3, "USD"), (Fraction(1, 20), ""), (3, ""),
    ]  # fmt: skip


def test_spans_point_at_the_text() -> None:
    system = good("let a = Venue.fund + 3 USD\n")
    expr = system.lets["a"]
    assert expr.span.text == "Venue.fund + 3 USD"
    assert isinstance(expr, ir.Op) and [each.span.text for each in expr.args] == ["Venue.fund", "3 USD"]
    assert PARTIES in expr.span.file.text
