"""Hyperliquid's figures once more, in plain fractions: nothing here uses SpecForge, so a shared mistake would show."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.rulebooks.test_figures import CASES, figures, rounded

FILLS = [name for name in CASES if name.startswith("hl-adlfill-")]


@pytest.mark.parametrize(
    ("name", "side", "places"),
    [
        ("hl-adl-index-long", "longs", 10),
        ("hl-adl-index-short-antimonotone", "shorts", 10),
        ("hl-adl-index-low-leverage-winner", "longs", 6),
    ],
)
def test_the_published_index(name: str, side: str, places: int):
    case = CASES[name]
    mark = Fraction(case["inputs"]["mark"])
    found = [mark / Fraction(entry) * Fraction(notional) / Fraction(value) for entry, notional, value in case["inputs"][side]]
    assert [rounded(each, places) for each in found] == [Fraction(each) for each in case["expected"][f"index_{places}_places"]]
    order = sorted(range(len(found)), key=lambda at: -found[at])
    assert order == [int(each) for each in case["expected"]["order"]]


def test_the_index_of_two_shorts_falls_as_profit_rises():
    rich, modest = (Fraction(entry) for entry, _, _ in CASES["hl-adl-index-short-antimonotone"]["inputs"]["shorts"])
    mark = Fraction(3000)
    assert rich - mark > modest - mark and mark / rich < mark / modest


@pytest.mark.parametrize("name", FILLS)
def test_fills(name: str):
    given, expected = figures(name)
    assert (given["entry"] - given["price"]) * given["closed"] == Fraction(expected["realised"])
    assert given["closed"] - given["short"] == Fraction(expected["position_after"])


def test_the_twelfth_of_march():
    given, expected = figures("hl-eth-whale-2025-03-12")
    assert given["out"] - given["in"] == Fraction(expected["trader"])
    assert given["eth"] * given["price"] == Fraction(expected["taken_over"])
    left = given["in"] - given["out"] + given["eth"] * (given["price"] - 1900)
    sold_at = given["price"] - (left + 4_000_000) / given["eth"]
    assert left + given["eth"] * (sold_at - given["price"]) == Fraction(expected["vault_about"])


def test_jelly_and_popcat():
    given, expected = figures("hl-jelly-2025-03-26")
    tokens = given["notional"] / given["opened"]
    assert rounded(tokens, 2) == Fraction(expected["tokens_2_places"])
    assert rounded(tokens * (given["refunded"] - given["opened"]), 2) == Fraction(expected["loss_2_places"])
    given, expected = figures("hl-popcat-2025-11-12")
    assert rounded(given["vault_loss"] / given["collateral"], 3) == Fraction(expected["loss_over_collateral_3_places"])
    fall = (given["vault_loss"] + given["collateral"]) / given["exposure"]
    assert rounded(fall, 3) == Fraction(expected["fall_3_places"])


def test_the_tokens_that_fill_a_hole():
    dollars, tokens, hole = Fraction(100), Fraction(100), Fraction(50)
    lot = hole * tokens / (dollars - hole)
    assert dollars * lot / (tokens + lot) == hole and lot == 100


def test_the_liquidation_price_is_where_the_account_is_worth_its_maintenance_margin():
    price, size, cash, rate = Fraction(100_000), Fraction(2), Fraction(10_000), Fraction(1, 80)
    found = price - (cash - rate * size * price) / size / (1 - rate)
    assert rounded(found, 2) == Fraction("96202.53")
    assert cash + size * (found - price) == rate * size * found
    vault = (price * size - cash) / (size * (1 - Fraction(2, 3) * rate))
    assert rounded(vault, 2) == Fraction("95798.32")
