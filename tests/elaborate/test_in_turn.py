"""Loops with an order: one after the other, who and in which order settled as the loop begins."""

from __future__ import annotations

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.engines.scenarios import scenario_outcome
from tests.elaborate.helpers import codes, good

PLACES = "action go:\n    for each t: Trader where t.margin > 0 in order of t.margin, {}:\n"
TALLY = "        Venue.tally := 10 * Venue.tally + t.margin / 1 USD\n"
STORY = """scenario s:
    member ann: Trader with margin = 2 USD
    member bob: Trader with margin = 3 USD
    member cy: Trader with margin = 0
    member dora: Trader with margin = 1 USD
    go()
    check Venue.tally = {}
"""


def holds(text: str) -> bool:
    system = good(text)
    return all(scenario_outcome(system, each).holds for each in system.scenarios.values())


def test_members_act_in_the_order_of_the_key() -> None:
    assert holds(PLACES.format("lowest first") + TALLY + STORY.format(123))
    assert holds(PLACES.format("highest first") + TALLY + STORY.format(321))


def test_the_order_is_that_of_the_beginning() -> None:
    taxed = "        transfer t.margin from t.margin to Venue.fund\n"
    taxed += "        Venue.tally := 10 * Venue.tally + Venue.fund / 1 USD\n"
    text = PLACES.format("lowest first") + taxed
    assert holds(text + STORY.format("10 * (10 * 101 + 103) + 106"))


def test_equals_go_in_every_order() -> None:
    text = "action go:\n    for each t: Trader in any order:\n        Venue.tally := t.margin / 1 USD\n"
    system = good(text + STORY.format(1) + STORY.replace("scenario s", "scenario r").format(2))
    outcome = scenario_outcome(system, system.scenarios["s"])
    assert not outcome.holds
    text = "action go:\n    for each t: Trader in any order:\n        Venue.tally += t.margin / 1 USD\n"
    system = good(text + STORY.format(6))
    outcome = scenario_outcome(system, system.scenarios["s"])
    assert outcome.holds and outcome.executions == 24


def test_a_duty_that_goes_in_turn_can_be_pinned() -> None:
    text = """action round:
    nothing
duty go after round:
    once
    for each t: Trader in any order:
        Venue.tally := t.margin / 1 USD
"""
    story = STORY.replace("go()", "round()\n    then go() taking ann, cy, dora, bob").format(3)
    assert holds(text + story)


def test_the_body_may_hold_any_statement() -> None:
    text = """action go:
    for each t: Trader in order of t.margin, lowest first:
        require t.margin < 10 USD
        collect 1 USD into Venue.fund:
            from t.margin
            rest left:
                nothing
        for each u: Trader:
            u.exempt := yes
"""
    system = good(text)
    assert any(isinstance(each, ir.InTurn) for each in ir.walk(system.actions["go"].body))


def test_a_closed_list_may_be_gone_through_in_an_order_too() -> None:
    head = 'rulebook "Test"\nparty Market, one of a, b, c:\n    rank: number = 0\nparty Venue, one:\n    tally: number = 0\n'
    text = """action go:
    a.rank := 2
    b.rank := 3
    c.rank := 1
    for each m: Market in order of m.rank, highest first:
        Venue.tally := 10 * Venue.tally + m.rank
scenario s:
    go()
    check Venue.tally = 321
"""
    system = good(text, head)
    assert scenario_outcome(system, system.scenarios["s"]).holds


def test_everybody_at_once_holds_no_turns() -> None:
    text = "action go:\n    for each t: Trader:\n        for each u: Trader in any order:\n            u.exempt := yes\n"
    assert codes(text) == [Code.SF410]
