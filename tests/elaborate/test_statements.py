"""What statements come to in the core: calls written out, loops, tiers."""

from __future__ import annotations

from typing import TypeVar

from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.codes import Code
from tests.elaborate.helpers import HEAD, codes, good, machine

Node = TypeVar("Node")


def inside(of: type[Node], node: object) -> list[Node]:
    return [each for each in ir.walk(node) if isinstance(each, of)]


def test_arguments_of_a_procedure_are_fixed_before_it_runs() -> None:
    text = """
procedure add(x: USD, n: number):
    Venue.tally := Venue.tally + n
    receive x into Venue.fund
    Venue.tally := Venue.tally + n
action a(n: USD):
    add(n, Venue.tally + 1)
    add(n, Venue.tally)
"""
    run = machine(good(text), Trader=0)
    run.act("a", [Fraction(5)])
    assert run.algebra.state["Venue.tally", 0, 0] == 2 + 2 + 2
    assert run.algebra.state["Venue.fund", 0, 0] == 110


def test_a_procedure_swapping_its_arguments_does_not_capture() -> None:
    text = """
procedure give(a: Trader, b: Trader, n: USD):
    let x = n
    transfer x from a.margin to b.margin
procedure swap(a: Trader, b: Trader, n: USD):
    let x = n + n
    give(b, a, x)
    give(b, a, n)
action act(b: Trader, a: Trader, x: USD):
    let n = x + 1 USD
    swap(b, a, n)
"""
    system = good(text)
    run = machine(system, Trader=2)
    run.algebra.state["Trader.margin", 1, 0] = Fraction(100)
    run.algebra.state["holdings(USD)", 0, 0] += 100
    run.act("act", [0, 1, Fraction(4)])
    assert [run.algebra.state["Trader.margin", i, 0] for i in (0, 1)] == [15, 85]
    names = [each.name for each in inside(ir.Bind, system.actions["act"].body)]
    assert len(names) == len(set(names))


def test_a_called_action_is_marked_with_its_arguments() -> None:
    text = """
action pay_in(t: Trader, n: USD):
    receive n into t.margin
action both(t: Trader, n: USD):
    pay_in(t, n)
    pay_in(t, n + n)
"""
    body = good(text).actions["both"].body
    marks = inside(ir.Took, body)
    assert [each.action for each in marks] == ["pay_in", "pay_in"]
    assert marks[0].args == (ir.Var("t"), ir.Var("n"))
    assert isinstance(marks[1].args[1], ir.Var) and marks[1].args[1].name != "n"


def test_a_loop_over_a_closed_list_is_written_out_in_order() -> None:
    text = """
party Market, one of btc, eth:
    price: number = 1
party Log, one:
    last: number = 0
action a(k: number):
    for each m: Market where m.price > 0:
        let p = m.price + k
        m.price := p + Log.last
        Log.last += p
"""
    system = good(text, HEAD)
    body = system.actions["a"].body
    assert [type(each) for each in body] == [ir.Branch, ir.Branch]
    run = machine(system)
    run.act("a", [Fraction(2)])
    assert [run.algebra.state["Market.price", i, 0] for i in (0, 1)] == [3, 6]
    names = [each.name for each in inside(ir.Bind, body)]
    assert len(names) == len(set(names))


def test_a_loop_over_everybody_is_simultaneous() -> None:
    text = """
action share(n: USD):
    for each t: Trader where t.margin > 0:
        let part = n * t.margin / (sum of u.margin for u: Trader)
        transfer part from Venue.fund to t.margin
        t.exempt := yes
        Venue.tally += 1
"""
    system = good(text)
    (loop,) = inside(ir.ForEach, system.actions["share"].body)
    assert loop.party == "Trader"
    run = machine(system, Trader=2)
    run.algebra.state["Trader.margin", 0, 0] = Fraction(10)
    run.algebra.state["Trader.margin", 1, 0] = Fraction(30)
    run.act("share", [Fraction(40)])
    assert [run.algebra.state["Trader.margin", i, 0] for i in (0, 1)] == [20, 60]
    assert run.algebra.state["Venue.tally", 0, 0] == 2


def test_a_tier_takes_at_most_what_stands_above_the_floor() -> None:
    text = """
party Customer:
    credit: USD at least 0 = 20 USD
    usd: balance USD at least -credit = 5 USD
duty collect_all(c: Customer):
    once
    collect 100 USD into Venue.fund:
        from c.usd
        from c.usd up to 3 USD
        from w.usd of each w: Customer where w != c equally in steps of 1 USD
        rest left:
            nothing
"""
    first, second, third = inside(ir.Tier, good(text).duties["collect_all"].body)
    assert first.party is None and first.where == ir.YES and first.policy is ir.Policy.ANY
    usd = ir.Read("Customer.usd", ir.Var("c"))
    floor = ir.Op(ir.Operator.SUB, (ir.ZERO, ir.Read("Customer.credit", ir.Var("c"))))
    assert first.cap == ir.Op(ir.Operator.SUB, (usd, floor))
    assert first.name == "c.usd" and isinstance(first.body[0], ir.Move)
    assert first.body[0].amount == ir.Var(first.share)
    assert len(inside(ir.If, second.cap)) == 1
    assert (third.party, third.policy, third.key) == ("Customer", ir.Policy.PROPORTION, ir.ONE)
    assert third.step == ir.Lit(Fraction(1))
    assert inside(ir.Read, third.cap)[0].member == ir.Var(third.var)


def test_the_policies_and_what_may_be_left() -> None:
    text = """
duty d(t: Trader):
    once
    collect 3 BTC:
        taking x from each w: Trader where w != t up to w.position in order of w.margin, lowest first:
            transfer x from w.position to t.position
        taking x from each w: Trader up to w.position in any order:
            transfer x from w.position to t.position
        taking x from each w: Trader up to w.position in proportion to w.position:
            transfer x from w.position to t.position
        nothing may remain
"""
    (collect,) = inside(ir.Collect, good(text).duties["d"].body)
    assert [each.policy for each in collect.tiers] == [ir.Policy.LOWEST, ir.Policy.ANY, ir.Policy.PROPORTION]
    assert collect.rest is None
    assert len({each.share for each in collect.tiers}) == len({each.var for each in collect.tiers}) == 3


def test_a_rule_in_a_procedure_is_judged_where_the_loop_is() -> None:
    text = """
procedure p(t: Trader):
    require t.margin > 0
procedure q(t: Trader):
    Venue.tally := 1
action a:
    for each t: Trader:
        p(t)
        q(t)
"""
    assert codes(text) == [Code.SF409, Code.SF411]


def test_entries_of_a_per_field_are_ledgers_of_their_own() -> None:
    text = """
party Market, one of btc, eth
party Account:
    per Market:
        size: net BTC
action a(x: Account, y: Account, m: Market):
    transfer 1 BTC from x.size[m] to y.size[m]
    transfer 1 BTC from x.size[btc] to y.size[eth]
"""
    assert codes(text) == [Code.SF403]


def test_shrinking_is_growing_by_the_negative() -> None:
    (change,) = good("action a(n: number):\n    Venue.tally -= n + 1\n").actions["a"].body
    assert isinstance(change, ir.Set) and change.add
    assert isinstance(change.value, ir.Op) and change.value.args[0] == ir.ZERO


def test_cites_of_the_sentences_inside_belong_to_the_rule() -> None:
    text = """
source book = "a book"
cites book "one"
action a(t: Trader):
    cites book "two"
    require t.margin > 0
    if t.exempt:
        cites book "three"
        t.exempt := no
"""
    assert [each.section for each in good(text).actions["a"].cites] == ["one", "two", "three"]
