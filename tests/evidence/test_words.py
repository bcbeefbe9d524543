"""Values, places and events in the rulebook's own words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quicktions import Fraction as F

from specforge.algebra.exact import ExactMachine
from specforge.core import ir
from specforge.elaborate.load import compile_text
from specforge.evidence.words import Words, decimal, exact
from tests.evidence import toy

USD, PRICE = ir.Number((("USD", 1),)), ir.Number((("USD", 1), ("XBT", -1)))
RATIO, PLAIN, TIME = ir.Number((), "ratio"), ir.Number((), "number"), ir.Number((("seconds", 1),), "time")
RATE, SQUARE, INVERSE = ir.Number((("seconds", -1),)), ir.Number((("USD", 2),)), ir.Number((("XBT", -1),))
WORDS = Words(toy.system(), {"Trader": ("ann", "bob")})


@pytest.mark.parametrize(
    ("type", "value", "shown", "source"),
    [
        (USD, F(10), "10 USD", "10 USD"),
        (USD, F(-25, 2), "-12.5 USD", "-12.5 USD"),
        (USD, F(1, 3), "1/3 USD", "1 USD / 3"),
        (USD, F(-20000, 3), "-20_000/3 USD", "-20_000 USD / 3"),
        (USD, F(1234567), "1_234_567 USD", "1_234_567 USD"),
        (USD, F(0), "0 USD", "0"),
        (PRICE, F(120), "120 USD per XBT", "120 USD per XBT"),
        (PRICE, F(1, 3), "1/3 USD per XBT", "1 USD per XBT / 3"),
        (RATIO, F(1, 200), "0.5%", "0.5%"),
        (RATIO, F(1, 3), "1/3", "1/3"),
        (PLAIN, F(7, 2), "3.5", "3.5"),
        (TIME, F(28_800), "8 hours", "8 hours"),
        (TIME, F(86_400), "1 day", "1 day"),
        (TIME, F(90), "90 seconds", "90 seconds"),
        (TIME, F(5400), "90 minutes", "90 minutes"),
        (TIME, F(1, 3), "1/3 seconds", "1 seconds / 3"),
        (RATE, F(1, 20) / 86_400, "5% per day", None),
        (SQUARE, F(4), "4 USD * USD", "4 USD * 1 USD"),
        (INVERSE, F(4), "4 per XBT", "4 / (1 XBT)"),
        (ir.Flag(), True, "yes", "yes"),
        (ir.Of("Trader"), 1, "bob", "bob"),
        (ir.Of("Venue"), 0, "Venue", "Venue"),
    ],
)
def test_a_value_for_people_and_as_the_rulebook_would_write_it(type, value, shown, source):
    assert WORDS.value(type, value) == shown
    if source is not None:
        assert WORDS.source(type, value) == source


def test_decimals_are_exact_or_not_decimals():
    assert decimal(F(1, 8)) == "0.125" and decimal(F(1, 3)) is None and decimal(F(-1, 10)) == "-0.1"
    assert exact(F(1, 3)) == "1/3" and exact(F(1234567)) == "1234567"


def test_places_and_changes():
    assert WORDS.place(("Trader.margin", 1, 0)) == "bob.margin"
    assert WORDS.place(("Venue.fund", 0, 0)) == "Venue.fund"
    assert WORDS.place(("seed", 0, 0)) == "seed"
    assert WORDS.change(("Trader.margin", 0, 0), F(0), F(10)) == "ann.margin 0 → 10 USD"
    assert WORDS.change(("Trader.exempt", 0, 0), False, True) == "ann.exempt no → yes"
    assert WORDS.change(("Venue.rate", 0, 0), F(1, 100), F(1, 3)) == "Venue.rate 1% → 1/3"


def test_events():
    assert WORDS.call("lose", (0, F(40))) == "lose(ann, 40 USD)"
    assert WORDS.call("cut", (1,)) == "cut(bob)"


UNITS = st.dictionaries(st.sampled_from(["USD", "XBT", "seconds"]), st.integers(-2, 2).filter(bool), max_size=2)


@settings(max_examples=60, deadline=None)
@given(UNITS, st.fractions(-1000, 1000, max_denominator=900).map(F), st.booleans())
def test_what_is_written_as_a_rulebook_would_reads_back_exactly(powers: dict[str, int], value: F, ratio: bool):
    style = "ratio" if ratio and not powers else ""
    type = ir.Number(tuple(sorted(powers.items())), style)
    text = f'rulebook "x"\nasset USD\nasset XBT\nlet here = {WORDS.source(type, value)}\nreach yes_it_is: here = here\n'
    system, diagnostics = compile_text(text)
    assert system is not None, (text, diagnostics)
    assert ExactMachine(system, {}).evaluate(system.lets["here"]) == value, text
