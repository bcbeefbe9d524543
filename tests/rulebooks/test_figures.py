"""The published figures once more, in plain fractions: nothing here uses SpecForge, so a shared mistake would show."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
RULEBOOKS = HERE.parents[1] / "rulebooks"
CASES: dict[str, dict[str, Any]] = {
    case["id"]: case for path in (HERE / "cases").glob("*.json") for case in json.loads(path.read_text(encoding="utf-8"))
}


def figures(name: str) -> tuple[dict[str, Fraction], dict[str, Any]]:
    case = CASES[name]
    return {key: Fraction(value) for key, value in case["inputs"].items() if isinstance(value, str)}, case["expected"]


def rounded(value: Fraction, places: int) -> Fraction:
    return Fraction(round(value * 10**places), 10**places)  # half to even


def cut(value: Fraction, places: int) -> Fraction:
    return Fraction(floor(value * 10**places), 10**places)


def test_an_inverse_long_with_its_funding():
    given, expected = figures("bitmex-funding-750")
    at_entry = given["contracts"] / given["entry"]
    profit = at_entry - given["contracts"] / given["exit"]
    paid = at_entry * given["rate"]
    assert [at_entry, profit] == [Fraction(each) for each in CASES["bitmex-inverse-pnl-750-800"]["expected"].values()]
    assert [paid, profit - paid] == [Fraction(each) for each in expected.values()]


def test_a_hundred_times_leverage():
    given, expected = figures("bitmex-inverse-100x-10000-10500")
    at_entry = given["contracts"] / given["entry"]
    profit = at_entry - given["contracts"] / given["exit"]
    assert profit == Fraction(10, 21)
    assert [at_entry, at_entry / given["leverage"], rounded(profit, 10)] == [Fraction(each) for each in expected.values()]


@pytest.mark.parametrize("name", ["bitmex-risk-limit-180-230", "bitmex-risk-limit-80-130-old"])
def test_risk_limits(name: str):
    given, expected = figures(name)

    def above(value: Fraction) -> int:
        return max(ceil((value - given["base"]) / given["increment"]), 0)

    after = above(given["before"] + given["added"])
    assert above(given["before"]) == 0
    assert [
        given["base_maintenance"] * given["before"],
        after,
        given["base_maintenance"] * (1 + after),
        given["base_initial"] + given["base_maintenance"] * after,
    ] == [Fraction(each) for each in expected.values()]


def test_the_jump_at_the_base_limit():
    case = CASES["bitmex-risk-limit-jump-discontinuity"]
    low, high = (Fraction(each) for each in case["inputs"]["positions"])
    margins = [low * Fraction("0.005"), high * Fraction("0.01")]
    assert margins == [Fraction(each) for each in case["expected"]["maintenance_xbt"]]


def test_the_two_traders_are_an_inverse_contract():
    given, expected = figures("bitmex-two-trader-shortfall")
    contracts = given["margin_btc"] * given["leverage"] * given["entry"]
    won = contracts / given["entry"] - contracts / given["price"]
    missing = won - given["margin_btc"]
    dollars = [won * given["price"], given["margin_btc"] * given["price"], missing * given["price"]]
    assert dollars == [Fraction(each) for each in expected.values()]
    paid = CASES["bitmex-two-traders"]["expected"]
    assert [Fraction(paid["paid_usd"]), Fraction(paid["paid_part"])] == [dollars[1], dollars[1] / dollars[0]]


def test_the_queue_of_six_longs():
    case = CASES["bitmex-adl-queue-quintiles"]
    quantities = [int(each) for each in case["inputs"]["quantities"]]
    ranks = [int(each) for each in case["inputs"]["ranks"]]
    left, closed, lights, before = int(case["inputs"]["liquidated"]), [0] * 6, [Fraction(0)] * 6, 0
    for at in sorted(range(6), key=lambda at: -ranks[at]):
        before += quantities[at]
        lights[at] = Fraction(ceil(Fraction(5 * before, sum(quantities))), 5)
        closed[at] = min(quantities[at], left)
        left -= closed[at]
    assert lights == [Fraction(each) for each in case["expected"]["percentiles"]]
    assert closed == [int(each) for each in case["expected"]["closed"]]


def liquidation_price(given: dict[str, Fraction]) -> Fraction:
    above = given["wallet"] - given["others_needed"] + given["others_profit"] + given["amount"]
    return (above - given["side"] * given["position"] * given["entry"]) / (given["position"] * (given["rate"] - given["side"]))


PRICES = [name for name, case in CASES.items() if {"wallet", "rate"} <= case["inputs"].keys()]


@pytest.mark.parametrize("name", PRICES)
def test_liquidation_prices(name: str):
    given, expected = figures(name)
    [(how, published)] = expected.items()
    places = int(re.findall(r"\d+", how)[0])
    value = cut(liquidation_price(given), places) if how.endswith("cut") else rounded(liquidation_price(given), places)
    assert value == Fraction(published)


def test_the_sums_of_the_other_contract_come_from_its_mark():
    btc, eth = Fraction("109.488"), Fraction("3683.979")
    btc_mark, eth_mark = Fraction("31967.27"), Fraction("1335.18")
    first, _ = figures("binance-usdm-liq-3")
    second, _ = figures("binance-usdm-liq-4")
    assert rounded(btc * btc_mark * Fraction("0.025") - 16300, 5) == first["others_needed"]
    assert rounded(btc * (btc_mark - Fraction("32481.98")), 2) == first["others_profit"]
    assert rounded(eth * eth_mark * Fraction("0.1") - 135365, 3) == second["others_needed"]
    assert rounded(eth * (eth_mark - Fraction("1456.84")), 2) == second["others_profit"]


def test_the_score_of_an_account():
    def score(wallet: Fraction, profit: Fraction, needed: Fraction) -> Fraction:
        left = wallet + profit
        return max(profit, Fraction(0)) / max(wallet, Fraction(1)) * (needed / left if left > 0 else 0)

    case = CASES["binance-adl-score-edge"]
    scores = [rounded(score(*(Fraction(each) for each in row)), 10) for row in case["inputs"]["cases"]]
    assert scores == [Fraction(each) for each in case["expected"]["scores_10_places"]]
    given, expected = figures("binance-adl-leverage-pnl")
    part = given["profit"] / max(given["wallet"], Fraction(1))
    assert [rounded(part, 2), rounded(part * given["ratio"], 2)] == [Fraction(each) for each in expected.values()]


def test_the_fund_of_2019_and_of_2020():
    given, expected = figures("binance-fund-8h-breaker-2019")
    assert (given["peak"] - given["now"] >= given["breaker"] * given["peak"]) is expected["out"]
    assert given["room"] * given["now"] == Fraction(expected["most"])
    given, expected = figures("binance-fund-2020-05-10")
    assert given["after"] - given["before"] == Fraction(expected["change"])


def test_fees_marks_and_the_exempt_winner():
    given, expected = figures("liq-fee-binance-vs-hyperliquid")
    assert given["binance_on_mark"] * given["mark"] * given["size"] == Fraction(expected["binance"])
    hyperliquid = given["hyperliquid_on_mark"] * given["mark"] + given["hyperliquid_on_fill"] * given["fill"]
    assert hyperliquid * given["size"] == Fraction(expected["hyperliquid"])
    given, expected = figures("binance-mark-price-basis")
    assert given["index"] * (1 + given["rate"] * given["hours"] / 8) == Fraction(expected["mark"])
    given, expected = figures("exempt-winner-insolvency")
    available = min(given["loss"], given["collateral"]) + given["fund"]
    assert [available, given["exempt_gain"] - available] == [Fraction(each) for each in expected.values()]


TABLE = re.compile(r"^table (\w+)\(notional: \w+\), continuous[^\n]*\n((?:    [^\n]*\n)+)", re.MULTILINE)
ROW = re.compile(r"^    (?:up to ([\d_.]+) \w+|otherwise): ([\d.]+)% \* notional(?: - ([\d_.]+) \w+)?$", re.MULTILINE)
Row = tuple[Fraction | None, Fraction, Fraction]  # upper end, rate, amount


def brackets() -> list[tuple[str, list[Row]]]:
    """The tables of maintenance margins, read from the text."""
    found: list[tuple[str, list[Row]]] = []
    for book in ("brackets", "btcusdt"):
        text = (RULEBOOKS / "binance" / f"{book}.rulebook").read_text(encoding="utf-8")
        for name, body in TABLE.findall(text):
            rows: list[Row] = []
            for top, rate, amount in ROW.findall(body):
                rows.append((Fraction(top) if top else None, Fraction(rate) / 100, Fraction(amount or "0")))
            assert len(rows) == body.count("\n")
            found.append((name, rows))
    return found


@pytest.mark.parametrize(("name", "rows"), brackets(), ids=[name for name, _ in brackets()])
def test_each_maintenance_amount_follows_from_the_one_before(name: str, rows: list[Row]):
    assert rows[0][2] == 0
    for (top, rate, amount), (_, next_rate, next_amount) in pairwise(rows):
        assert top is not None and next_rate > rate
        assert next_amount == amount + top * (next_rate - rate)


def test_no_table_is_overlooked():
    assert [name for name, _ in brackets()] == [
        "btcusdt_2021_03",
        "btcusdt_2021_06",
        "ethusdt_2021",
        "ethusdt_2024",
        "dogeusdt_2024",
        "btcusd_coinm",
        "maintenance",
    ]
