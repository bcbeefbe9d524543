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


def closed(policy: str, sizes: list[Fraction], ranks: list[int], asked: Fraction) -> list[Fraction]:
    """How much of each position is closed: one after the other by rank, in proportion, or the same from each."""
    taken = [Fraction(0)] * len(sizes)
    if policy == "pro rata":
        return [asked * size / sum(sizes) for size in sizes]
    if policy == "in turn":
        for at in sorted(range(len(sizes)), key=lambda at: -ranks[at]):
            taken[at] = min(sizes[at], asked - sum(taken))
        return taken
    while asked > sum(taken):
        open_ = [at for at in range(len(sizes)) if taken[at] < sizes[at]]
        each = (asked - sum(taken)) / len(open_)
        for at in open_:
            taken[at] = min(sizes[at], taken[at] + each)
    return taken


def test_one_account_against_the_same_in_two_pieces():
    sizes, lost = [Fraction(1), Fraction("0.9"), Fraction("0.1")], Fraction(10)  # whole, large, small; 10 lost for each coin
    for ranks, whole, pieces in (([3, 2, 1], 62, 72), ([2, 1, 3], 63, 71)):  # by profit, by leverage
        taken = closed("in turn", sizes, ranks, Fraction(1))
        assert 72 - lost * taken[0] == whole and 72 - lost * (taken[1] + taken[2]) == pieces
    taken = closed("pro rata", sizes, [], Fraction(1))
    assert taken[0] == taken[1] + taken[2]
    taken = closed("same size", [Fraction(1), Fraction(1, 2), Fraction(1, 2)], [], Fraction(1))
    assert rounded(72 - lost * taken[0], 2) == Fraction("68.67") and rounded(72 - lost * (taken[1] + taken[2]), 2) == Fraction(
        "65.33"
    )


def test_the_largest_part_is_smallest_pro_rata():
    sizes, asked = [Fraction(1, 2), Fraction(2)], Fraction(1)
    largest = {
        policy: max(part / size for part, size in zip(closed(policy, sizes, [1, 2], asked), sizes, strict=True))
        for policy in ("pro rata", "in turn", "same size")
    }
    assert largest == {"pro rata": asked / sum(sizes), "in turn": Fraction(1, 2), "same size": Fraction(1)}


def test_collateral_in_tiers():
    def value(notional: Fraction) -> Fraction:
        total, floor = Fraction(0), Fraction(0)
        for top, ratio in ((100, "1"), (120, "0.975"), (150, "0.95"), (180, "0.9"), (200, "0.85")):
            total += max(min(notional, Fraction(top)) - floor, Fraction(0)) * Fraction(ratio)
            floor = Fraction(top)
        return total

    assert value(Fraction(6_000 * 20_000, 10**6)) == Fraction("119.5")
    assert value(Fraction(150)) == 148 and value(Fraction(200)) == 192


def test_a_liquidation_that_costs_more_than_selling():
    cash, size, marks = Fraction(38_000), 100, (1_805, 1_715, 1_630)
    worth = [cash + size * (mark - 1_900) for mark in marks]
    due = [3 * each < 2 * Fraction("0.12") * size * mark for each, mark in zip(worth, marks, strict=True)]
    assert due == [False, False, True] and worth[2] == 11_000 and Fraction("0.02") * size * 1_630 == 3_260
