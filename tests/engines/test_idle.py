"""Guards that never refuse anything are named, and those that do are not."""

from __future__ import annotations

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.engines.induction import Known, idle, prove
from specforge.evidence.goal import DefectGoal

BANK = """rulebook "A bank" "One customer has a credit line of 65 billion."
asset USD
party Customer:
    credit: USD at least 0 = 0
    usd: balance USD at least -credit = 0 USD
party Venue, one:
    treasury: net USD
member alameda: Customer with credit = 65_000_000_000 USD
action deposit(c: Customer, amount: USD):
    require amount > 0
    receive amount into c.usd
action withdraw(c: Customer, amount: USD):
    require 0 < amount and amount <= c.usd + c.credit and amount <= holdings(USD)
    pay amount from c.usd
assumption small: (sum of brought_in(c, USD) for c: Customer) <= {most} USD
assumption in_the_black: for all c: Customer: c.usd >= 0
claim solvent:
    (sum of c.usd for c: Customer) <= holdings(USD)
    expect refuted given {given}
"""


def found(text: str) -> list[str]:
    system, diagnostics = compile_text(text)
    assert system is not None, diagnostics
    known = Known()
    prove(system, [DefectGoal(ir.Defect.FUNDED)], known=known)
    given = next((e.given for c in system.claims.values() for e in c.expects), ())
    return [each.text() for each in (*(idle(system, (), known) if given else ()), *idle(system, given, known))]


def test_a_limit_above_all_deposits_never_refuses_its_member_anything() -> None:
    said = found(BANK.format(most="65_000_000_000", given="small"))
    assert said == ["`amount <= c.usd + c.credit` in `withdraw` (line 13) never refuses anything for alameda, given small"]


@pytest.mark.parametrize(
    ("most", "given"), [("66_000_000_000", "small"), ("65_000_000_001", "small, in_the_black"), ("1", "in_the_black")]
)
def test_a_limit_that_may_be_met_is_no_idle_one(most: str, given: str) -> None:
    assert found(BANK.format(most=most, given=given)) == []


RULES = """rulebook "Guards" "One by one."
asset USD
party Trader:
    margin: balance USD
party Venue, one:
    fund: balance USD
    open: flag = yes
action pay_in(t: Trader, n: USD):
    {guard}
    transfer n from t.margin to Venue.fund
"""


@pytest.mark.parametrize(
    ("guard", "idle_ones"),
    [
        ("require n > 0 and n <= t.margin", []),
        ("require n > 0 and n >= 0 and n <= t.margin", ["n >= 0"]),
        ("require n > 0\n    require n <= t.margin and n <= holdings(USD)", ["n <= holdings(USD)"]),
        ("require n > 0 and n <= t.margin and Venue.open", ["Venue.open"]),
        ("require n <= t.margin", []),  # that a negative amount is a defect makes no guard idle
        ("require n > 0 and n <= t.margin and not Venue.open", []),  # nothing passes: that is said elsewhere
        ("require n > 0 and n <= t.margin\n    transfer n from t.margin to Venue.fund\n    require t.margin >= n", []),
    ],
)
def test_what_follows_from_the_other_guards_is_idle(guard: str, idle_ones: list[str]) -> None:
    assert [each.split("`")[1] for each in found(RULES.format(guard=guard))] == idle_ones
