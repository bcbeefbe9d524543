"""What is false is not proved: what a scenario refutes, and what would follow if a crowd added up wrongly.

Each proof has a few seconds to go wrong in; SPECFORGE_SLOW=1 gives it as long as it takes."""

# ruff: noqa: E501

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text, load
from specforge.engines.deadline import OutOfTime, at_most
from specforge.engines.induction import prove
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal

EXAMPLES = Path(__file__).parents[1] / "venues"
SLOW, SECONDS = bool(os.environ.get("SPECFORGE_SLOW")), 2.0


def proofs(system: ir.System, goals: list[ClaimGoal]) -> list[ClaimGoal]:
    """What is proved of it, goal by goal: a proof of one is not lost to the time another takes."""
    found: list[ClaimGoal] = []
    for goal in goals:
        with suppress(OutOfTime), at_most(3600 if SLOW else SECONDS * 1.5):
            found += [each for each, outcome in prove(system, [goal], seconds=None if SLOW else SECONDS).items() if isinstance(outcome, Proved)]
    return found


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.rulebook")), ids=lambda p: p.stem)
def test_nothing_that_a_scenario_refutes_is_proved(path: Path) -> None:
    system, _ = load(str(path))
    assert system is not None
    own = [c for c in system.claims.values() if "." not in c.name]
    goals = [ClaimGoal(c, e.given) for c in own for e in c.expects if e.verdict == "refuted"]
    assert [goal.name for goal in proofs(system, goals)] == []


EVERYBODY = """rulebook "Everybody" "Everybody adds to one account."
asset USD
party Trader:
    margin: balance USD
party Venue, one:
    hits: number = 0
    fund: balance USD = 5 USD
action go:
    require Venue.hits = 0 and Venue.fund = 5 USD
    {body}
claim bound after go:
    {claim}
"""
LOOP, TIER = "for each t: Trader where t.margin >= 1 USD:\n        ", "collect 1 USD:\n        taking x from each t: Trader up to t.margin in any order:\n            "
REST = "\n            transfer x from t.margin to Venue.fund\n        rest left:\n            nothing"


@pytest.mark.parametrize(
    ("body", "claim"),
    [
        (LOOP + "Venue.hits += 1", "Venue.hits <= 1"),
        (LOOP + "Venue.hits -= 1", "Venue.hits >= -1"),
        (LOOP + "transfer 1 USD from t.margin to Venue.fund", "Venue.fund <= 6 USD"),
        (TIER + "Venue.hits += 1" + REST, "Venue.hits <= 1"),
    ],
)
def test_what_everybody_adds_to_a_shared_account_is_added_by_each(body: str, claim: str) -> None:
    system, diagnostics = compile_text(EVERYBODY.format(body=body, claim=claim))
    assert system is not None, diagnostics
    assert proofs(system, [ClaimGoal(each) for each in system.claims.values()]) == []


def test_how_many_add_is_how_much_is_added() -> None:
    system, diagnostics = compile_text(
        EVERYBODY.format(body=LOOP + "Venue.hits += 1", claim="Venue.hits = (count of t: Trader where t.margin >= 1 USD)")
    )
    assert system is not None, diagnostics
    goals = [ClaimGoal(each) for each in system.claims.values()]
    assert proofs(system, goals) == goals


ROUNDED = """rulebook "Rounded" "Each is paid a part of his gain, in whole dollars."
asset USD
party Trader:
    gain: USD at least 0
    paid: USD = 0
party Venue, one:
    rate: ratio at least 0
    most: USD = 0
action payout:
    Venue.most := Venue.rate * (sum of t.gain for t: Trader)
    for each t: Trader:
        t.paid := floor(t.gain * Venue.rate, 1 USD)
let all_paid = (sum of t.paid for t: Trader)
claim bound after payout:
    {claim}
"""


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("all_paid <= Venue.most", True),
        ("all_paid >= 0", True),
        ("Venue.most - all_paid <= 1 USD * (count of t: Trader)", True),
        ("all_paid = Venue.most", False),
        ("all_paid >= Venue.most", False),
        ("Venue.most - all_paid <= 1 USD", False),
        ("Venue.most - all_paid < 1 USD * (count of t: Trader)", False),  # with nobody there, 0 < 0
    ],
)
def test_what_each_member_loses_by_rounding_is_less_than_a_step_each(claim: str, holds: bool) -> None:
    system, diagnostics = compile_text(ROUNDED.format(claim=claim))
    assert system is not None, diagnostics
    goals = [ClaimGoal(each) for each in system.claims.values()]
    assert proofs(system, goals) == (goals if holds else [])
