"""Bybit's and OKX's figures once more, in plain fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest

from tests.rulebooks.test_figures import CASES, cut, figures, rounded


@pytest.mark.parametrize("name", ["bybit-adl-drawdown-ex1", "bybit-adl-drawdown-ex2"])
def test_what_the_pool_pays_and_what_users_bear(name: str):
    given, expected = figures(name)
    ratio = (given["before"] - given["loss"] - given["best"]) / given["most"]
    pool = min(given["loss"], given["trigger"] * given["most"] - (given["best"] - given["before"]))
    assert [ratio, given["loss"] - pool, pool] == [Fraction(each) for each in expected.values()]


def test_the_alarm_along_a_path():
    case = CASES["bybit-adl-hysteresis"]
    start, stop = Fraction(case["inputs"]["start"]), Fraction(case["inputs"]["stop"])
    alarm, seen = False, list[bool]()
    for each in map(Fraction, case["inputs"]["path"]):
        alarm = each < start or (alarm and each <= stop)
        seen.append(alarm)
    assert seen == case["expected"]["alarm"]


def test_linear_prices_and_tiers():
    given, expected = figures("bybit-bankruptcy-9800")
    assert given["entry"] * (1 - 1 / given["leverage"]) == Fraction(expected["bankruptcy"])
    given, expected = figures("bybit-tiered-mm-3500")
    floor, margin = Fraction(0), Fraction(0)
    for top, rate in CASES["bybit-tiered-mm-3500"]["inputs"]["tiers"]:
        margin += max(min(given["value"], Fraction(top)) - floor, Fraction(0)) * Fraction(rate)
        floor = Fraction(top)
    assert (
        margin
        == Fraction(expected["maintenance"])
        == given["value"] * Fraction(expected["rate"]) - Fraction(expected["deduction"])
    )
    assert given["value"] / given["leverage"] == Fraction(expected["initial"])


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("bybit-iso-")])
def test_isolated_fixtures(name: str):
    given, expected = figures(name)
    price = given["at"] * (1 - given["side"] * (1 / given["leverage"] - given["mmr"]))
    [(how, published)] = expected.items()
    places = int(how.split("_")[1])
    assert (cut(price, places) if how.endswith("cut") else rounded(price, places)) == Fraction(published)


def test_inverse_prices():
    given, expected = figures("bybit-inverse-cross-5739")
    value = given["contracts"] / given["entry"]
    bankruptcy = (1 + given["fee"]) * given["contracts"] / (value + given["balance"])
    assert rounded(bankruptcy, 2) == Fraction(expected["bankruptcy_2_places"])
    closing = given["contracts"] * given["fee"] / rounded(bankruptcy, 2)
    price = given["contracts"] / (value + given["balance"] - value * given["rate"] - closing)
    assert rounded(price, 4) == Fraction(expected["price_4_places"])
    assert Fraction(ceil(price * 2), 2) == Fraction(expected["shown"])
    given, expected = figures("bybit-uta-inverse-iso")
    value = given["contracts"] / given["entry"]
    initial, maintenance = value / given["leverage"], value * given["rate"]
    assert [value, initial, maintenance] == [Fraction(each) for each in list(expected.values())[:3]]
    assert rounded(given["contracts"] / (value + initial - maintenance), 4) == Fraction(expected["long_4_places"])
    assert rounded(given["contracts"] / (value - initial + maintenance), 4) == Fraction(expected["short_4_places"])


def test_inverse_margins_and_the_pool():
    given, expected = figures("bybit-inverse-im-003")
    assert given["contracts"] / given["price"] / given["leverage"] == Fraction(expected["initial"])
    given, expected = figures("bybit-isolated-releverage")
    value = given["contracts"] / given["price"]
    assert [value / given["before"], value / given["after"]] == [Fraction(each) for each in expected.values()]
    given, expected = figures("bybit-fund-two-traders")
    assert [given["fill"] - given["first"], given["fill"] - given["second"]] == [Fraction(each) for each in expected.values()]


def test_the_price_of_deleveraging():
    given, expected = figures("bybit-adl-price-cap-abc")
    bankruptcy = (given["entry"] * given["size"] - given["margin"] - given["wallet"]) / given["size"]
    assert bankruptcy == Fraction(expected["bankruptcy"])
    assert abs(bankruptcy - given["mark"]) > given["most_apart"] * given["mark"]
    assert (given["mark"] - bankruptcy) * given["size"] == Fraction(expected["pool"])


def test_okx():
    given, expected = figures("okx-iso-1")
    price = (given["at"] - given["side"] * given["margin"] / given["size"]) / (
        1 - given["side"] * (given["mmr"] + given["fee"])
    )
    assert rounded(price, 14) == Fraction(expected["price_14_places"]) == rounded(Fraction("13.193482419684678"), 14)
    assert rounded(price, 15) == Fraction("13.193482419684676")
    given, expected = figures("okx-adl-volatility-threshold")
    line = given["reference"] - max(given["drop"] * given["reference"], given["least"])
    assert line == Fraction(expected["line"]) and (given["fund"] < line) is expected["alarm"]
