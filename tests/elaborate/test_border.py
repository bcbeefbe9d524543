"""What members brought in and took out is counted by the rules that receive and pay, whatever else they do."""

from __future__ import annotations

from typing import Any

from quicktions import Fraction

from specforge.core import ir
from specforge.core.machine import first_option
from specforge.diagnostics.codes import Code
from tests.elaborate.helpers import codes, good, machine

HEAD = """rulebook "Test"
asset USD
asset FTT issued
party Market, one of a, b
party Trader:
    margin: balance USD = 5 USD
    debt: net USD
    tokens: balance FTT = 0
    per Market:
        side_pot: balance USD = 1 USD
party Venue, one:
    fund: balance USD = 100 USD
action pay_in(t: Trader, n: USD):
    receive n into t.margin
action leave(t: Trader):
    pay t.margin from t.margin
action everybody_leaves:
    for each t: Trader:
        pay t.margin from t.margin
action in_turn:
    for each t: Trader in any order:
        if t.margin > 0:
            pay 1 USD from t.margin
action share(n: USD):
    collect n:
        taking x from each t: Trader up to t.margin in proportion to t.margin:
            pay x from t.margin
        rest left:
            pay left from Venue.fund
action inside(t: Trader, n: USD):
    transfer n from Venue.fund to t.margin
action mint(t: Trader, n: FTT):
    issue n into t.tokens
action bring_tokens(t: Trader, n: FTT):
    receive n into t.tokens
let came(t: Trader) = brought_in(t, USD)
let went(t: Trader) = taken_out(t, USD)
"""
ASKED = "let all_of_it(t: Trader) = came(t) + went(t)\nlet v = taken_out(Venue, USD)\nlet c(t: Trader) = brought_in(t, FTT)\n"


def after(*acts: tuple[Any, ...]) -> dict[str, Any]:
    system = good(ASKED, HEAD)
    run = machine(system, Trader=2)
    for action, *args in acts:
        run.act(action, [Fraction(each) if index else each for index, each in enumerate(args)], first_option)
    state = run.save()
    return {f"{cell[0].partition('.')[2]}{cell[1]}": value for cell, value in state.items() if cell[0][:2] == "Tr"}


def test_what_accounts_hold_at_the_start_was_brought_in() -> None:
    assert after()["brought_in(USD)0"] == 7


def test_what_is_received_and_paid_is_counted_once() -> None:
    state = after(("pay_in", 0, 3), ("leave", 0))
    assert (state["brought_in(USD)0"], state["taken_out(USD)0"], state["margin0"]) == (10, 8, 0)
    assert (state["brought_in(USD)1"], state["taken_out(USD)1"]) == (7, 0)


def test_loops_and_tiers_count_for_each_member() -> None:
    state = after(("everybody_leaves",))
    assert (state["taken_out(USD)0"], state["taken_out(USD)1"]) == (5, 5)
    state = after(("in_turn",))
    assert (state["taken_out(USD)0"], state["taken_out(USD)1"]) == (1, 1)
    system = good(ASKED, HEAD)
    run = machine(system, Trader=2)
    run.act("share", [Fraction(12)], first_option)
    state = run.save()
    assert state["Trader.taken_out(USD)", 0, 0] == 5
    assert state["Venue.taken_out(USD)", 0, 0] == 2


def test_moves_inside_and_what_is_issued_do_not_count() -> None:
    state = after(("inside", 0, 3), ("mint", 0, 4), ("bring_tokens", 0, 2))
    assert (state["brought_in(USD)0"], state["brought_in(FTT)0"], state["tokens0"]) == (7, 2, 6)


def test_nothing_is_counted_that_nobody_asks_for() -> None:
    system = good("", HEAD.partition("let came")[0])
    assert not any("brought" in name or "taken" in name for name in system.fields)
    assert not any(isinstance(each, ir.Set) for rule in system.actions.values() for each in ir.walk(rule.body))


def test_mistakes() -> None:
    assert codes("let y(t: Trader) = brought_in(t, BTC)\n", HEAD) == [Code.SF207]
    assert codes("let y = brought_in(Venue, FTT)\n", HEAD) == [Code.SF204]
    assert codes("let y = brought_in(5 USD, USD)\n", HEAD) == [Code.SF304]
    assert codes("let y(t: Trader) = brought_in(t)\n", HEAD) == [Code.SF305]
    assert codes("let taken_out = 5\n", HEAD) == [Code.SF214]
