"""Why a claim is broken, in words that need no knowledge of the language: what should be, and what is instead."""

from __future__ import annotations

import pytest
from quicktions import Fraction as F

from specforge.elaborate import compile_text
from specforge.evidence.explain import why
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.play import Event
from specforge.evidence.replay import replay
from specforge.evidence.trace import Plan

BOOK = '''rulebook "A"
asset USD
party Side, one of long, short
parameter side: Side
parameter cent: USD = 0.01 USD
party Trader:
    margin: balance USD
    out: USD = 0
    exempt: flag
party Venue, one:
    hole: USD = 0
    fund: USD = 5 USD
    rate: ratio = 1%
    shut: flag = no
let limit = 3 USD
let short_of_money = Venue.hole > limit
let rich(u: Trader) = u.margin > 10 USD
let funded(x: USD) = Venue.fund >= x
let poor(t: Trader) = t.margin <= 10 USD
let sound(u: Trader) = u.margin >= 1 USD and u.out <= 50 USD and not u.exempt
action put(t: Trader, amount: USD):
    require amount > 0
    receive amount into t.margin
    t.out += amount
    Venue.hole += amount
    Venue.shut := yes
claim broken after put(t, amount):
    '''
RUN = Plan(
    {"Trader": 2},
    {("Trader.margin", 0, 0): F(2), ("Trader.margin", 1, 0): F(20), ("Trader.exempt", 1, 0): True, ("cent", 0, 0): F(1, 100)},
    (Event("put", (0, F(50))),),
)

ALWAYS = [
    ("Venue.hole = 0", "Venue.hole should be 0, but is 50 USD"),
    ("Venue.hole != 50 USD", "Venue.hole should not be 50 USD, but is"),
    ("Venue.hole < 50 USD", "Venue.hole should be below 50 USD, but is 50 USD"),
    ("Venue.hole <= 2 * 3 USD", "Venue.hole should be at most 6 USD, but is 50 USD"),
    ("Venue.fund > 5 USD", "Venue.fund should be above 5 USD, but is 5 USD"),
    ("50 USD <= Venue.fund", "Venue.fund should be at least 50 USD, but is 5 USD"),
    ("0 <= Venue.hole <= 2 USD", "Venue.hole should be at most 2 USD, but is 50 USD"),
    ("Venue.rate = 2%", "Venue.rate should be 2%, but is 1%"),
    ("side = short", "side should be short, but is long"),
    ("not (side = long)", "side should not be long, but is"),
    ("Venue.fund <= limit", "Venue.fund should be at most limit, 3 USD, but is 5 USD"),
    ("Venue.hole <= cent", "Venue.hole should be at most cent, 0.01 USD, but is 50 USD"),
    ("t.margin = t.out", "ann.margin should be equal to ann.out, 50 USD, but is 52 USD"),
    ("t.out != Venue.hole", "ann.out should be different from Venue.hole, 50 USD, but is 50 USD"),
    ("abs(t.out - t.margin) < 1 USD", "abs(ann.out - ann.margin) should be below 1 USD, but is 2 USD"),
    ("not Venue.shut", "Venue.shut should be no, but is yes"),
    ("t.exempt", "ann.exempt should be yes, but is no"),
    ("Venue.shut = t.exempt", "Venue.shut should be equal to ann.exempt, no, but is yes"),
    ("not short_of_money", "Venue.hole should be at most 3 USD, but is 50 USD"),
    ("for all v: Trader: sound(v)", "bob.exempt should be no, but is yes"),
    ("for all v: Trader where rich(v): v.out <= 5 USD", "rich(ann) holds, so ann.out should be at most 5 USD, but is 50 USD"),
    ("not (exists v: Trader where v.exempt)", "there should be no Trader v where v.exempt is yes, but bob is one"),
    (
        "(exists v: Trader where v.margin > 99 USD)",
        "there should be a Trader v where v.margin is above 99 USD, but there is none",
    ),
    ("not (rich(t) and Venue.shut)", "it should not be that rich(ann) holds and Venue.shut is yes, but it is so"),
    (
        "Venue.hole = 0 or t.exempt or t.out > Venue.fund * 10",
        "either Venue.hole should be 0, but is 50 USD, or ann.exempt should be yes, but is no,"
        " or ann.out should be above Venue.fund * 10, 50 USD, but is 50 USD",
    ),
]  # fmt: skip
IMPLIED = [
    ("Venue.hole > 0 implies Venue.fund = 0", "Venue.hole is above 0, so Venue.fund should be 0, but is 5 USD"),
    ("short_of_money implies not Venue.shut", "short_of_money holds, so Venue.shut should be no, but is yes"),
    (
        "rich(t) and Venue.shut and not t.exempt implies Venue.fund = 0",
        "rich(ann) holds, Venue.shut is yes and ann.exempt is no, so Venue.fund should be 0, but is 5 USD",
    ),
    (
        "for all v, w: Trader: v != w and rich(v) and rich(w) implies v.out = w.out",
        "rich(ann) and rich(bob) hold, so ann.out should be equal to bob.out, 0, but is 50 USD",
    ),
    ("for all v: Trader: v = t or v.out = t.out", "bob.out should be equal to ann.out, 50 USD, but is 0"),
    (
        "(exists v: Trader where v.exempt) implies Venue.fund = 0",
        "there is a Trader v where v.exempt is yes, so Venue.fund should be 0, but is 5 USD",
    ),
    (
        "(for all v: Trader: v.margin > cent) implies Venue.fund = 0",
        "for every Trader v, v.margin is above cent; so Venue.fund should be 0, but is 5 USD",
    ),
    (
        "(t.exempt or Venue.shut) implies (Venue.fund = 0 if side = long otherwise Venue.fund = 1 USD)",
        "either ann.exempt is yes, or Venue.shut is yes; and side is long; so Venue.fund should be 0, but is 5 USD",
    ),
]
BEFORE = [
    ("t.out = old(t.out)", "ann.out should be what it was before, 0, but is 50 USD"),
    ("old(t.margin) >= t.margin", "ann.margin should be at most what it was before, 2 USD, but is 52 USD"),
    ("t.out = old(t.margin)", "ann.out should be what ann.margin was before, 2 USD, but is 50 USD"),
    (
        "t.margin - old(t.margin) <= abs(old(t.out)) + 1 USD",
        "ann.margin - (ann.margin before) should be at most abs(ann.out before) + 1 USD, 1 USD, but is 50 USD",
    ),
    ("old(t.margin) = 0", "beforehand ann.margin should have been 0, but was 2 USD"),
    ("old(t.exempt or t.margin > cent * 1000)", "either beforehand ann.exempt should have been yes, but was no,"
     " or beforehand ann.margin should have been above cent * 1000, 10 USD, but was 2 USD"),
    (
        "old(t.margin = 2 USD and not rich(t)) implies t.out = 0",
        "ann.margin was 2 USD and rich(ann) did not hold before, so ann.out should be 0, but is 50 USD",
    ),
    (
        "old(t.margin) >= old(t.out) and old(Venue.hole) = 0 implies not Venue.shut",
        "ann.margin was at least ann.out before and Venue.hole was 0 before, so Venue.shut should be no, but is yes",
    ),
]  # fmt: skip


def reasons(condition: str) -> tuple[str, ...]:
    system, problems = compile_text(BOOK + condition + "\n", "a.rulebook")
    assert system is not None, problems
    return why(system, replay(system, RUN, ClaimGoal(system.claims["broken"])))


@pytest.mark.parametrize(("condition", "sentence"), ALWAYS + IMPLIED + BEFORE, ids=lambda each: each[:40])
def test_a_sentence_says_what_should_be_and_what_is(condition: str, sentence: str):
    assert reasons(condition)[0] == sentence


def test_the_values_behind_it_follow_but_those_that_the_sentence_has_told():
    assert reasons("Venue.hole = 0") == ("Venue.hole should be 0, but is 50 USD",)
    assert reasons("t.out = old(t.out)") == ("ann.out should be what it was before, 0, but is 50 USD",)
    assert reasons("t.margin - t.out < Venue.fund - 3 USD")[1] == "ann.margin 52 USD, ann.out 50 USD, Venue.fund 5 USD"
    assert reasons("t.margin = old(t.out + t.margin)")[1] == "ann.margin 2 → 52 USD, ann.out 0 USD before"


def test_a_definition_speaks_of_whom_it_is_used_for_not_of_the_names_it_is_written_with():
    assert reasons("funded(Venue.hole)") == ("Venue.fund should be at least Venue.hole, 50 USD, but is 5 USD",)
    said = reasons("for all v: Trader: v != t implies poor(v)")
    assert said == ("bob.margin should be at most 10 USD, but is 20 USD",)
