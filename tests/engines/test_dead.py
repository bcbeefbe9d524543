"""Actions and duties that cannot happen are proved to be dead; those that can are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text, load
from specforge.engines.induction import prove
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import RuleGoal

EXAMPLES = Path(__file__).parents[1] / "venues"
VENUE = """rulebook "Test" "A venue."
asset USD
party Trader:
    margin: balance USD
    due: flag = no
party Venue, one:
    fund: balance USD = 5 USD
    bad_debt: USD = 0
    stuck: flag = no
action pay_in(t: Trader, n: USD):
    require 0 < n and n <= t.margin
    transfer n from t.margin to Venue.fund
action tick(t: Trader):
    {tick}
duty close(t: Trader) after tick:
    when {when}
    t.due := no
    {body}
"""


def dead(system: ir.System, rules: list[str]) -> list[str]:
    outcomes = prove(system, [RuleGoal(name) for name in rules])
    proofs = {goal.name: each for goal, each in outcomes.items() if isinstance(each, Proved)}
    assert all(each.certificate.obligations and each.certificate.recheck() == [] for each in proofs.values())
    return list(proofs)


@pytest.mark.parametrize(
    ("tick", "when", "body", "found"),
    [
        ("t.due := yes", "t.due", "nothing", []),
        ("nothing", "t.due", "nothing", ["close"]),
        ("t.due := yes", "t.due and Venue.stuck", "nothing", ["close"]),
        ("t.due := yes", "t.due and Venue.stuck", "Venue.stuck := yes", ["close"]),  # it only feeds itself
        ("t.due := yes\n    Venue.stuck := yes", "t.due and Venue.stuck", "nothing", []),
        ("t.due := yes", "t.due and Venue.fund < 5 USD", "nothing", ["close"]),
        ("t.due := yes", "t.due and Venue.fund < 6 USD", "nothing", []),
        ("t.due := yes", "t.due and Venue.fund > 5 USD", "nothing", []),
        ("require Venue.fund < 0\n    t.due := yes", "t.due", "nothing", ["close", "tick"]),
        ("require Venue.bad_debt > 0\n    t.due := yes", "t.due", "Venue.bad_debt += 1 USD", ["close", "tick"]),
        ("require t.margin > 0 and t.margin < 0\n    t.due := yes", "t.due", "nothing", ["close", "tick"]),
    ],
)
def test_what_cannot_happen_is_dead(tick: str, when: str, body: str, found: list[str]) -> None:
    system, diagnostics = compile_text(VENUE.format(tick=tick, when=when, body=body))
    assert system is not None, diagnostics
    assert sorted(dead(system, ["close", "tick", "pay_in"])) == found


@pytest.mark.parametrize("name", ["05_small_venue", "07_deribit", "10_okex_clawback", "12_ccp_waterfall"])
def test_no_rule_of_an_example_is_dead(name: str) -> None:
    """Each of them is seen in some run."""
    system, _ = load(str(EXAMPLES / f"{name}.rulebook"))
    assert system is not None
    rules = [*(each.name for each in system.actions.values() if each.open), *system.duties]
    outcomes = prove(system, [RuleGoal(each) for each in rules], seconds=2)
    assert [goal.name for goal, each in outcomes.items() if isinstance(each, Proved)] == []
