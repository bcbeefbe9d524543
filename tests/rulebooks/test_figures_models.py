"""Figures of the perpetual that papers draw, of deleveraging policies and of the list, in plain fractions."""

from __future__ import annotations

from fractions import Fraction

from tests.rulebooks.test_figures import CASES, figures, rounded


def test_funding_of_five_positions_does_not_cancel():
    case = CASES["model-chitra-p5-funding"]
    positions = [(Fraction(size), Fraction(side)) for size, side in case["inputs"]["positions"]]
    longs = sum(size for size, side in positions if side > 0)
    shorts = sum(size for size, side in positions if side < 0)
    for at, name in enumerate(("first_4_places", "second_4_places")):
        index, mark = Fraction(case["inputs"]["index"][at]), Fraction(case["inputs"]["mark"][at])
        rate = Fraction(longs) / shorts - mark / index
        assert rounded(rate, 4) == Fraction(case["expected"]["rate_4_places"][at])
        paid = [rate * mark * side * size for size, side in positions]
        assert [rounded(each, 4) for each in paid] == [Fraction(each) for each in case["expected"][name]]
        assert sum(paid) == rate * mark * (longs - shorts) != 0


def test_a_fill_beyond_the_bankruptcy_price():
    given, expected = figures("model-gap-1000-10x")
    size = given["collateral"] * given["leverage"]
    equity = given["collateral"] + size * given["move"]
    assert [equity, equity / size, equity / given["collateral"]] == [Fraction(each) for each in expected.values()]


def test_the_list_leaves_what_the_others_do_not_have():
    given, expected = figures("exempt-set-adl-cannot-complete")
    others = sum(Fraction(each) for each in CASES["exempt-set-adl-cannot-complete"]["inputs"]["others"])
    closed = min(given["liquidated"], others)
    assert [closed, given["liquidated"] - closed] == [Fraction(each) for each in expected.values()]


def test_a_winner_is_paid_the_depth_at_most():
    def paid(move: int, margins: list[int], fund: int) -> Fraction:
        pot = min(sum(min(margin, move) for margin in margins) + fund, move * len(margins))
        return Fraction(pot, len(margins))

    assert [paid(move, [8], 0) for move in (5, 8, 10, 90)] == [5, 8, 8, 8]
    assert [paid(move, [8], 7) for move in (10, 90)] == [10, 15]
    assert paid(10, [8, 50], 0) == 9


def test_a_fund_for_one_crash():
    exposure, jump, maintenance = Fraction(200), Fraction(1, 10), Fraction(5, 1000)
    needed = (jump - maintenance) * exposure / 2
    assert needed == Fraction("9.5") and needed - Fraction("9.41") == Fraction("0.09")
    assert (Fraction("0.105") - maintenance) * 20_000_000 / 2 == 1_000_000
