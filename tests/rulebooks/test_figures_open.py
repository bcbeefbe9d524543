"""Figures of the open protocols in plain fractions and whole units: dYdX, Drift, Vega and Mango once more."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest

from tests.rulebooks.test_figures import CASES

Numbers = dict[str, Fraction]
CENT = Fraction(1, 10**6)


def named(prefix: str) -> list[str]:
    return sorted(name for name in CASES if name.startswith(prefix))


def numbers(texts: dict[str, Any]) -> Numbers:
    return {key: Fraction(value) for key, value in texts.items() if isinstance(value, str) and value[-1].isdigit()}


def down(value: Fraction, step: Fraction = CENT) -> Fraction:
    return floor(value / step) * step


def up(value: Fraction, step: Fraction = CENT) -> Fraction:
    return ceil(value / step) * step


def cut(value: Fraction, step: Fraction = CENT) -> Fraction:
    return down(value, step) if value >= 0 else up(value, step)


# dYdX v4: an account is its dollars and its coins in each market.


class Chain:
    """One chain's prices and margins, and what an account is worth under them."""

    def __init__(self, inputs: dict[str, Any]):
        self.oracle = numbers(inputs["oracle_usdc"])
        self.initial, self.maintenance = Fraction(inputs["initial_margin"]), Fraction(inputs["maintenance_margin"])
        self.accounts = {name: numbers(held) for name, held in inputs["accounts"].items()}

    def worth(self, market: str, size: Fraction) -> Fraction:
        return cut(size * self.oracle[market])

    def margin(self, market: str, size: Fraction) -> tuple[Fraction, Fraction]:
        first = up(self.initial * self.worth(market, abs(size)))
        return first, up(self.maintenance / self.initial * first)

    def risk(self, held: Numbers) -> tuple[Fraction, Fraction, Fraction]:
        sizes = {market: held.get(f"{market}_coins", Fraction(0)) for market in self.oracle}
        margins = [self.margin(market, size) for market, size in sizes.items()]
        equity = held["quote_usdc"] + sum(self.worth(market, size) for market, size in sizes.items())
        return equity, sum((each[0] for each in margins), Fraction(0)), sum((each[1] for each in margins), Fraction(0))

    def bankruptcy_quote(self, held: Numbers, market: str, delta: Fraction) -> Fraction:
        size = held[f"{market}_coins"]
        freed = self.margin(market, size)[1] - self.margin(market, size + delta)[1]
        equity, _, needed = self.risk(held)
        return self.worth(market, size) - self.worth(market, size + delta) - down(equity * freed / needed)

    def allowed(self, before: Numbers, after: Numbers) -> bool:
        had, _, needed = self.risk(before)
        has, initial, needs = self.risk(after)
        if has >= initial:
            return True
        if needed == 0 or needs == 0:
            return needed == needs and has > had
        return needs <= needed and has * needed >= had * needs

    def swap(self, taken: str, other: str, market: str, delta: Fraction, quote: Fraction) -> bool:
        key = f"{market}_coins"
        one, two = self.accounts[taken], self.accounts[other]
        sizes = one[key], two.get(key, Fraction(0))
        if not (sizes[0] * delta < 0 < sizes[1] * delta and abs(delta) <= min(map(abs, sizes))):
            return False
        ones = {**one, "quote_usdc": one["quote_usdc"] + quote, key: sizes[0] + delta}
        twos = {**two, "quote_usdc": two["quote_usdc"] - quote, key: sizes[1] - delta}
        if not (self.allowed(one, ones) and self.allowed(two, twos)):
            return False
        self.accounts.update({taken: ones, other: twos})
        return True


@pytest.mark.parametrize("name", named("dydx4-delev") + named("dydx4-finalsettle"))
def test_dydx_closes_two_accounts_against_each_other(name: str):
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    chain, market, delta = Chain(inputs), inputs["market"], Fraction(inputs["delta_coins"])
    held = chain.accounts["liquidated"]
    at_oracle = inputs["price"] == "oracle"
    fits = held[f"{market}_coins"] * delta < 0 and abs(delta) <= abs(held[f"{market}_coins"])
    quote = chain.worth(market, -delta) if at_oracle or not fits else chain.bankruptcy_quote(held, market, delta)
    assert chain.swap("liquidated", "offsetting", market, delta, quote) == (expected["accepted"] == "yes")
    if expected["accepted"] == "yes":
        assert quote == Fraction(expected["quote_to_liquidated_usdc"])
        for who, figures in expected["accounts"].items():
            assert {key: chain.accounts[who][key] for key in figures} == numbers(figures)


@pytest.mark.parametrize("name", named("dydx4-offset"))
def test_dydx_walks_from_account_to_account(name: str):
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    chain, market, left = Chain(inputs), inputs["market"], Fraction(inputs["delta_coins"])
    fills: dict[str, Fraction] = {}
    for other in [each for each in chain.accounts if each != "liquidated"]:
        size = chain.accounts[other].get(f"{market}_coins", Fraction(0))
        if left == 0 or size * left <= 0:
            continue
        delta = size if abs(left) > abs(size) else left
        if chain.swap("liquidated", other, market, delta, chain.bankruptcy_quote(chain.accounts["liquidated"], market, delta)):
            fills[other] = abs(delta)
            left -= delta
    assert fills == numbers(expected["fills_coins"]) and abs(left) == Fraction(expected["remaining_coins"])
    for who, figures in expected["accounts"].items():
        assert chain.accounts[who]["quote_usdc"] == Fraction(figures["quote_usdc"])


@pytest.mark.parametrize("name", named("dydx4-bp") + named("dydx4-if-") + named("dydx4-fp"))
def test_dydx_prices_and_fees_of_a_liquidation(name: str):
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    chain, market = Chain(inputs), inputs["market"]
    held = chain.accounts["a"]
    if "delta_coins" in inputs:
        assert chain.bankruptcy_quote(held, market, Fraction(inputs["delta_coins"])) == Fraction(expected["quote_usdc"])
    elif "fill_coins" in inputs:
        filled = Fraction(inputs["fill_coins"])
        fill, empty = -cut(filled * Fraction(inputs["at_usdc"])), chain.bankruptcy_quote(held, market, filled)
        fee = min(fill - empty, down(Fraction(inputs["most_fee"]) * abs(fill)))
        assert [fee, empty, fill] == list(numbers(expected).values())
    else:
        equity, _, needed = chain.risk(held)
        size = held[f"{market}_coins"]
        part = min(max(Fraction(inputs["adjustment"]) * (1 - equity / needed), Fraction(0)), Fraction(1))
        away = part * Fraction(inputs["spread"]) * chain.margin(market, size)[1]
        assert (chain.worth(market, size) - away) / size == Fraction(expected["price_usdc"])


@pytest.mark.parametrize("name", named("dydx4-ifok"))
def test_dydx_fund_never_goes_below_zero(name: str):
    given = numbers(CASES[name]["inputs"])
    allowed = given["delta_usdc"] >= 0 or given["fund_usdc"] + given["delta_usdc"] >= 0
    assert allowed == (CASES[name]["expected"]["allowed"] == "yes")


@pytest.mark.parametrize("name", named("dydx3"))
def test_dydx_3_moves_the_same_part_of_margin_and_position(name: str):
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    price, amount = Fraction(inputs["price"]), Fraction(inputs["amount"])
    accounts = {who: numbers(held) for who, held in inputs["accounts"].items()}
    maker, taker = accounts[inputs["maker"]], accounts[inputs["taker"]]
    values = maker["margin"], maker["position"] * price
    above, below = sum(max(each, Fraction(0)) for each in values), sum(max(-each, Fraction(0)) for each in values)
    deleveraging = inputs["rule"] == "deleverage"
    accepted = above < below if deleveraging else above < Fraction(inputs["minimum_collateral"]) * below
    accepted = accepted and not (inputs["all_or_nothing"] == "yes" and amount > abs(maker["position"]))
    assert accepted == (expected["accepted"] == "yes")
    if accepted:
        size = min([amount, abs(maker["position"])] + ([abs(taker["position"])] if deleveraging else []))
        part = abs(maker["margin"]) * size / abs(maker["position"])
        side = 1 if maker["position"] > 0 else -1
        moved = side * (ceil(part) if side > 0 else floor(part))
        maker.update(margin=maker["margin"] + moved, position=maker["position"] - side * size)
        taker.update(margin=taker["margin"] - moved, position=taker["position"] + side * size)
        assert {who: accounts[who] for who in expected["accounts"]} == {
            who: numbers(held) for who, held in expected["accounts"].items()
        }


# Drift: millionths of a dollar, thousand-millionths of a coin, and fees by the millionth.


def perp_fund_fee(short: Fraction, coins: Fraction, given: Numbers, quote: Fraction, most: Fraction) -> Fraction:
    if coins == 0 or quote == 0:
        return Fraction(0)
    asked = down(down(short / coins) / down(given["oracle_usd"] * quote))
    return min(most, down(max(Fraction(0), given["margin_ratio"] - given["liquidator_fee"] - asked) * Fraction(19, 20)))


@pytest.mark.parametrize(
    "name", [each for kind in ("cover", "liab", "asset", "perpif", "spotif", "liqfee") for each in named(f"drift-{kind}")]
)
def test_drift_amounts_and_fees(name: str):
    given, expected = numbers(CASES[name]["inputs"]), list(numbers(CASES[name]["expected"]).values())
    kind = name.split("-")[1]
    found = Fraction(0)
    if kind == "cover":
        a_coin = down(down(given["oracle_usd"] * given["quote_token_usd"]) * (given["margin_ratio"] - given["liquidator_fee"]))
        found = down(given["shortage_usd"] / (a_coin - down(given["oracle_usd"] * given["fund_fee"])), Fraction(1, 10**9))
    elif kind == "liab":
        ratio = given["asset_weight"] * given["asset_multiplier"] / given["liability_multiplier"]
        open_part = given["liability_weight"] - down(ratio, Fraction(1, 10**5))
        room = (
            given["liability_price_usd"] * open_part
            - down(given["liability_price_usd"] * given["fund_fee"]) * given["liability_weight"]
        )
        unlimited = given["asset_weight"] >= given["liability_weight"]
        found = (
            Fraction(2**128 - 1)
            if unlimited
            else Fraction(floor(given["shortage_usd"] / room * 10 ** int(given["liability_decimals"])))
        )
    elif kind == "asset":
        value = given["liability"] * given["liability_price_usd"] * given["asset_multiplier"]
        found = down(
            value / (given["asset_price_usd"] * given["liability_multiplier"]), Fraction(1, 10 ** int(given["asset_decimals"]))
        )
    elif kind == "perpif":
        found = perp_fund_fee(given["shortage_usd"], given["coins"], given, given["quote_token_usd"], given["max_fund_fee"])
    elif kind == "spotif" and given["amount"] and given["asset_weight"] < given["liability_weight"]:
        room = given["liability_weight"] - down(
            given["asset_weight"] * given["asset_multiplier"] / given["liability_multiplier"]
        )
        room = max(Fraction(0), room - down(given["shortage_usd"] / (given["amount"] * given["price_usd"])))
        found = min(given["max_fund_fee"], down(room / given["liability_weight"]))
    elif kind == "liqfee":
        grown = 0 if given["slots"] < given["grace_slots"] else given["slots"] * given["per_slot"]
        found = min(given["max_fee"], given["base_fee"] + grown) if grown else given["base_fee"]
    assert [found] == expected


@pytest.mark.parametrize("name", named("drift-liqperp"))
def test_drift_takes_over_what_covers_the_shortage(name: str):
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    given, user = numbers(inputs), numbers(inputs["user"])
    price, needed = given["oracle_usd"], given["maintenance"] + given["buffer"]
    size = abs(user["base"])
    short = size * price * needed - (user["deposit"] + user["base"] * price + user["quote"])
    rates = {"oracle_usd": price, "margin_ratio": needed, "liquidator_fee": given["liquidator_fee"]}
    fund_fee = perp_fund_fee(short, size, rates, Fraction(1), given["max_fund_fee"])
    cover = up(
        down(short / (price * (needed - given["liquidator_fee"]) - price * fund_fee), Fraction(1, 10**9)), given["step_coins"]
    )
    size = min(size, cover, given["at_most_coins"])
    side = 1 if user["base"] > 0 else -1
    paid, fee, fund = side * size * price, size * price * given["liquidator_fee"], size * price * fund_fee
    assert fund == Fraction(expected["fund_fee_usd"])
    if "user" in expected:
        assert numbers(expected["user"]) == {"base": user["base"] - side * size, "quote": user["quote"] + paid - fee - fund}
        assert numbers(expected["liquidator"]) == {"base": side * size, "quote": fee - paid}


@pytest.mark.parametrize("name", named("drift-ifshare") + named("drift-social"))
def test_drift_shares_and_deposits(name: str):
    given, expected = numbers(CASES[name]["inputs"]), list(numbers(CASES[name]["expected"]).values())
    if "shares" in given:
        worth = down(given["vault_usd"] * given["shares"] / given["all_shares"])
        kept = (
            given["asked_value_usd"] * (given["all_shares"] - given["shares"]) / (given["vault_usd"] - given["asked_value_usd"])
        )
        assert [given["shares"] - down(kept) if worth > given["asked_value_usd"] else 0] == expected
    else:
        deposits = down(given["deposit_units"] * given["deposit_index"])
        assert [up(given["deposit_index"] * given["loss_usd"] / deposits, Fraction(1, 10**10)) if deposits else 0] == expected


# Vega: whole units; losers in their order, then winners in theirs.


@pytest.mark.parametrize("name", [each for each in named("vega") if "close" not in each and "insr" not in each])
def test_vega_collects_and_shares_out(name: str):
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    pool, balances = int(inputs["pool"]), dict[str, int]()
    if "losses" in inputs:
        balances = {who: int(held) for who, held in inputs["accounts"].items()}
        results = [(who, -int(loss)) for who, loss in inputs["losses"].items()] + [
            (who, int(gain)) for who, gain in inputs["gains"].items()
        ]
    else:
        balances = {who: int(held.get("balance", 0)) for who, held in inputs["accounts"].items()}
        before, after = int(inputs["mark_before"]), int(inputs["marks"][0])
        made = {who: int(held["position"]) * (after - before) for who, held in inputs["accounts"].items()}
        for trade in inputs["trades"]:
            gain = int(trade["lots"]) * (after - int(trade["price"]))
            made[trade["buyer"]] += gain
            made[trade["seller"]] -= gain
        results = list(made.items())
    wanted, got = sum(-amount for _, amount in results if amount < 0), 0
    for who, amount in results:
        if amount < 0:
            own = min(-amount, balances.get(who, 0))
            if own:
                balances[who] -= own
            lent = min(-amount - own, pool)
            pool -= lent
            got += own + lent
    ratio = Fraction(floor(Fraction(got, wanted) * 10**16 + Fraction(1, 2)), 10**16)
    paid = {who: floor(amount * ratio) if got < wanted else amount for who, amount in results if amount > 0}
    if got < wanted:
        paid["network" if "network" in paid else list(paid)[-1]] += got - sum(paid.values())
    for who, amount in paid.items():
        balances[who] = balances.get(who, 0) + amount
    pool += balances.pop("network", 0) + (got - sum(paid.values()) if inputs.get("rule") == "funding" else 0)
    assert pool == int(expected["pool_after"])
    assert all(paid[who] == int(amount) for who, amount in expected.get("paid", {}).items())
    assert {who: balances[who] for who in expected["balances"]} == {
        who: int(held) for who, held in expected["balances"].items()
    }


@pytest.mark.parametrize("name", named("mango"))
def test_mango_settles_insures_and_socialises(name: str):
    given, expected = numbers(CASES[name]["inputs"]), numbers(CASES[name]["expected"])
    up_to, asset, debt = given["at_most"], given["price"] * given["asset_weight"], given["price"] * given["debt_weight"]

    def weighted(balance: Fraction) -> Fraction:
        return balance * (asset if balance > 0 else debt)

    both, perp, token = given["token"] + given["perp"], given["perp"], given["token"]
    room, health = weighted(token) + given["other"], weighted(both) + given["other"]
    above = max(token, Fraction(0))
    can = Fraction(0) if room <= 0 else room / asset if room <= above * asset else above + (room - above * asset) / debt
    can = max(Fraction(0), min(can, -perp, given["settle_limit"]))
    settled = min(can, up_to)
    paid = covered = everybody = Fraction(0)
    if settled == can and perp + settled < 0:
        under = max(-both, Fraction(0))
        to_zero = -health / debt if -health <= under * debt else under + (-health - under * debt) / asset
        to_zero = min(-perp - settled, max(Fraction(0), to_zero))
        taken = min(to_zero, up_to - settled)
        paid = min(Fraction(ceil(taken * given["price"] / given["insurance_price"])), given["vault"])
        covered = min(paid * given["insurance_price"] / given["price"], taken)
        everybody = to_zero - covered if paid == given["vault"] else Fraction(0)
    found = [token - settled, perp + settled + covered + everybody, settled, -settled - covered, paid, everybody]
    allowances = [Fraction(1, 100), Fraction(1, 10), Fraction(1, 100), Fraction(1, 10), Fraction(1, 100), Fraction(1, 10)]
    assert all(abs(one - two) < by for one, two, by in zip(found, expected.values(), allowances, strict=False))
