"""Ranges of one unknown: exact where the ends are fractions, the value alone where they are not."""

from __future__ import annotations

from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from quicktions import Fraction

from specforge.algebra.edges import Interval, range_around

x: Any = z3.Real("x")
ONE = Fraction(1)
only = Interval(Fraction(3), False, Fraction(3), False)
EXAMPLES: list[tuple[str, list[Any], Interval]] = [
    ("nothing is asked", [], Interval(None, True, None, True)),
    ("below a line, end included", [2 * x <= 10], Interval(None, True, Fraction(5), False)),
    ("a square", [x * x < 16], Interval(Fraction(-4), True, Fraction(4), True)),
    ("a square whose root is no fraction", [x * x < 15], only),
    ("ends that are no fractions, beyond others", [x * x < 15, x < 3.5, x > 1], Interval(ONE, True, Fraction(7, 2), True)),
    ("equal", [x == 3], only),
    ("unequal", [z3.Not(x == 4)], Interval(None, True, Fraction(4), True)),
    ("touches, and goes on", [(x - 5) * (x - 5) >= 0], Interval(None, True, None, True)),
    ("a point that is missing", [z3.Not((x - 5) * (x - 5) == 0)], Interval(None, True, Fraction(5), True)),
    ("divided by the unknown", [z3.Not(x == 0), 12 / x >= 2], Interval(Fraction(0), True, Fraction(6), False)),
    ("either", [z3.Or(x < 4, x > 5), z3.And(x > 2, True)], Interval(Fraction(2), True, Fraction(4), True)),
    ("as another condition", [(x > 4) == z3.BoolVal(False)], Interval(None, True, Fraction(4), False)),
    ("another unknown", [x < z3.Real("y")], only),
    ("a power that is too high", [z3.Product([x] * 40) > 0], only),
]


@pytest.mark.parametrize(("conditions", "expected"), [each[1:] for each in EXAMPLES], ids=[each[0] for each in EXAMPLES])
def test_a_range_ends_where_a_condition_breaks(conditions: list[Any], expected: Interval) -> None:
    assert range_around(conditions, "x", Fraction(3)) == expected


factors = st.fractions(min_value=-5, max_value=5, max_denominator=4).map(Fraction)


@st.composite
def comparisons(draw: st.DrawFn) -> Any:
    a, b, c, d, e = (draw(factors) for _ in range(5))
    left = z3.Q(a.numerator, a.denominator) * x * x + z3.Q(b.numerator, b.denominator) * x + z3.Q(c.numerator, c.denominator)
    right = (x - z3.Q(d.numerator, d.denominator)) * z3.Q(e.numerator, e.denominator)
    return draw(st.sampled_from([left < right, left <= right, left == right, z3.Not(left == right), left * right > 0]))


@settings(max_examples=200, deadline=None)
@given(st.lists(comparisons(), min_size=1, max_size=4), factors)
def test_inside_everything_holds_and_just_outside_it_does_not(drawn: list[Any], value: Fraction) -> None:
    def is_so(condition: Any, at: Fraction) -> bool:
        return z3.is_true(z3.simplify(z3.substitute(condition, (x, z3.Q(at.numerator, at.denominator)))))

    def holds(at: Fraction) -> bool:
        return all(is_so(each, at) for each in conditions)

    conditions = [each if is_so(each, value) else z3.Not(each) for each in drawn]
    found, tiny = range_around(conditions, "x", value), Fraction(1, 10**12)
    for end, open_, way in ((found.low, found.low_open, -1), (found.high, found.high_open, 1)):
        for part in range(1, 10):
            assert holds(value + Fraction(part, 10) * ((end - value) if end is not None else way * 100 * part))
        if end is not None and end != value:
            assert holds(end) is not open_
            assert open_ or not holds(end + way * tiny)
