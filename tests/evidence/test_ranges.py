"""The ends of a range, as they are read: never more than is true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quicktions import Fraction

from specforge.algebra.edges import Interval
from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.evidence.ranges import in_words
from specforge.evidence.words import Words

TEXT = """rulebook "One" "One amount."
asset USD
party Venue, one:
    fund: balance USD
"""
HUGE = 10**15


def said(low: Fraction | None, low_open: bool, high: Fraction | None, high_open: bool, value: Fraction) -> str:
    system, _ = compile_text(TEXT)
    assert system is not None
    type = system.fields["Venue.fund"].type
    assert isinstance(type, ir.Number)
    return in_words(Words(system, {}), type, Interval(low, low_open, high, high_open), value, "fund")


@pytest.mark.parametrize(
    ("low", "high", "value", "expected"),
    [
        (Fraction(5), Fraction(20, 3), 6, "any fund from 5 USD, below 20/3 USD, does"),
        (Fraction(5 * HUGE + 1, HUGE), Fraction(1917 * HUGE - 1, 3 * HUGE), 6, "any fund from 5.00001 USD to 638.999 USD does"),
        (Fraction(2 * HUGE - 1, HUGE), Fraction(2 * HUGE + 1, HUGE), 2, ""),  # hardly more than the value itself
        (Fraction(2 * HUGE - 1, HUGE), None, 2, "any fund from 2 USD up does"),
    ],
)
def test_ends_can_be_read(low: Fraction, high: Fraction | None, value: int, expected: str) -> None:
    assert said(low, False, high, True, Fraction(value)) == expected


numbers = st.fractions(min_value=-50, max_value=50, max_denominator=10**14).map(Fraction)


@given(st.lists(numbers, min_size=3, max_size=3))
def test_a_range_is_never_said_to_be_wider(three: list[Fraction]) -> None:
    from specforge.evidence.ranges import _plain

    low, value, high = sorted(three)
    found = _plain(Interval(low, False, high, False), value)
    assert found.low is not None and found.high is not None
    assert low <= found.low <= value <= found.high <= high
