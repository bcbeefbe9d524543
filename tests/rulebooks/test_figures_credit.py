"""The figures of credit, custody, shared losses and own tokens once more, in plain fractions: nothing here uses SpecForge."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CASES: dict[str, dict[str, Any]] = {
    case["id"]: case for path in (HERE / "cases").glob("*.json") for case in json.loads(path.read_text(encoding="utf-8"))
}


def figures(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    def exact(value: Any) -> Any:
        if isinstance(value, list):
            return [exact(each) for each in value]
        return [Fraction(each) for each in value.split()] if " " in value else Fraction(value)

    case = CASES[name]
    return {key: exact(value) for key, value in case["inputs"].items()}, {
        key: exact(value) for key, value in case["expected"].items()
    }


def rounded(value: Fraction, places: int) -> Fraction:
    return Fraction(round(value * 10**places), 10**places)  # half to even


def test_the_weekly_clawback():
    given, expected = figures("okex-2018-socialised-prorata")
    won = [max(each, Fraction(0)) for each in given["profits"]]
    rate = (given["shortfall"] - given["fund"]) / sum(won)
    assert [rounded(rate, 10), [rounded(each * rate, 6) for each in won]] == list(expected.values())


def test_the_same_dollar_twice():
    given, expected = figures("custody-same-dollar-twice")
    paid = [given["own"], given["own"] - given["loss"]]
    assert [*paid, given["locked"] - given["loss"], given["locked"]] == list(expected.values())


def test_what_was_at_stake_is_what_was_not_settled():
    given, expected = figures("ethena-bybit-hack-2025-02-21")
    first, second, third = given["at_stake"]
    assert [first - second, second - third] == expected["settled"]


def test_a_hole_that_grows():
    given, expected = figures("coinflex-2022")
    assert expected["hole_after_unwinding"] - given["first_hole"] == expected["growth"]
    assert given["tokens"] * (1 + given["coupon"]) == expected["tokens_after_a_year"]


def test_a_margin_that_grows_with_the_square():
    given, expected = figures("deribit-im-25-350")
    rates = [given["base"] + given["per_btc"] * size for size in given["sizes"]]
    assert [rates, [rate * size for rate, size in zip(rates, given["sizes"], strict=True)]] == list(expected.values())
    given, expected = figures("deribit-pm-contingency-futures")
    assert min(given["long"], given["short"]) * given["rate"] == expected["contingency_btc"]
    given, expected = figures("deribit-pm-contingency-short-options")
    short = -(given["calls"] + given["puts"])
    assert [short, short * given["each"]] == list(expected.values())
    given, expected = figures("deribit-fund-2020-03")
    assert [given["after"] - given["before"], given["after"] + given["added"]] == list(expected.values())


def test_the_stages_of_the_chart():
    given, expected = figures("ftx-flowchart")
    assert [given["collateral"] + given["notional"] * move for move in given["moves"]] == expected["equity"]
    second = given["moves"][1]
    assert rounded(expected["equity"][1] / (given["notional"] * (1 + second)), 4) == expected["fraction_at_minus_11_4_places"]


@pytest.mark.parametrize(("name", "places"), [("ftx-zero-price-split", 2), ("ftx-zero-price-negative-mf", 6)])
def test_zero_price_and_who_gets_what_is_left(name: str, places: int):
    given, expected = figures(name)
    left = given["mark"] * given["fraction"]
    zero = given["mark"] - left
    price = zero * 2 / 3 + given["mark"] / 3
    sign = 1 if left > 0 else -1
    parts = [rounded(sign * (given["mark"] - price), places), rounded(sign * (price - zero), places)]
    assert [zero, rounded(price, places), *parts] == list(expected.values())


def test_how_much_is_closed_in_a_second():
    given, expected = figures("ftx-autoclose-speed")
    closed = [
        given["size"] if each < 0 else min(given["size"], max((1 - each / given["limit"]) * given["size"], Fraction(1000)))
        for each in given["fractions"]
    ]
    assert [rounded(each, 4) for each in closed] == expected["closed_4_places"]


def test_roots():
    given, expected = figures("ftx-mngo-imf")
    low, high = expected["exact_5_places"] - Fraction(1, 200_000), expected["exact_5_places"] + Fraction(1, 200_000)
    assert low**2 < given["factor"] ** 2 * given["tokens"] < high**2
    given, expected = figures("ftx-ftt-collateral-large")
    found: list[Fraction] = []
    for size in given["sizes"]:
        root = Fraction(isqrt(int(size)))
        assert root**2 == size
        found.append(rounded(min(given["weight"], Fraction("1.1") / (1 + given["factor"] * root)), 6))
    assert found == expected["ratio_6_places"]


def test_leveraged_tokens():
    given, expected = figures("ftx-lt-path-dependence")
    for path, told in zip(given["paths"], expected["returns"], strict=True):
        value = Fraction(1)
        for old, new in pairwise(path):
            value *= 1 + given["target"] * (new / old - 1)
        places = 3 if told == Fraction("-0.284") else 4
        assert rounded(value - 1, places) == told
    given, expected = figures("ftx-lt-intraday-trigger")
    for target, move in zip(given["targets"], expected["exact"], strict=True):
        assert target * (1 + move) / (1 + target * move) == target * 4 / 3


def test_a_token_that_is_sold_to_fill_a_hole():
    given, expected = figures("terra-reflexive-refill")
    value = given["supply"] * given["price"]
    issued = [need * given["supply"] / (value - need) for need in given["claims"] if need < value]
    assert [value, [rounded(each, 6) for each in issued]] == list(expected.values())[:2]
    assert [need for need in given["claims"] if need >= value] == [expected["impossible"]]


def test_the_reserve_and_what_is_burned():
    given, expected = figures("terra-lfg-btc-reconciliation")
    first, second = given["sold"]
    left = given["start"] - first - second + given["returned"]
    assert [given["start"] - first, left, left + 1, first + second] == list(expected.values())
    assert given["start"] - first < second
    given, expected = figures("terra-community-pool-share")
    burned = given["pool"] + given["elsewhere"]
    shares = [rounded(given["pool"] / given["supply"], 4), burned, rounded(burned / given["supply"], 2)]
    assert shares == list(expected.values())
