"""Mistakes written into the rulebooks on purpose: the claim that should fall is not proved.

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

EXAMPLES = Path(__file__).parents[2] / "examples"
SLOW, SECONDS = bool(os.environ.get("SPECFORGE_SLOW")), 2.0
BASIS = "        from Venue.fund\n"
MISTAKES = [
    ("04_bybit_copper_ethena", "transfer cut from t.unsettled", "transfer 2 * cut from t.unsettled", "nobody_below_what_he_brought"),
    ("04_bybit_copper_ethena", "up to profit(t) in proportion", "up to t.margin in proportion", "nobody_below_what_he_brought"),
    ("05_small_venue", BASIS, "        from Venue.fund up to 50% * Venue.fund\n", "own_money"),
    ("06_coinflex", "when not t.spared and", "when not t.spared and t.position > 0 and", "others_above_water"),
    ("06_coinflex", "    when not t.spared and equity(t) < maintenance", "    when not t.spared and equity(t) < -maintenance", "others_above_water"),
    ("07_deribit", "where profit(w) > 0 and not w.exempt up to", "where profit(w) > 0 up to", "exempt_untouched"),
    ("07_deribit", "up to profit(w) in proportion", "up to profit(w) / 2 in proportion", "last_resort"),
    ("07_deribit", "up to profit(w) in proportion", "up to profit(w) / 2 in proportion", "enough_base"),
    ("07_deribit", "in proportion to profit(w)", "in any order", "one_rate"),
    ("07_deribit", "in proportion to profit(w)", "in order of profit(w), highest first", "one_rate"),
    ("07_deribit", "in proportion to profit(w)", "equally", "one_rate"),
    ("08_ftx_2019", "3 * nav / btc.price - Bull.held", "2 * nav / btc.price - Bull.held", "on_target"),
    ("08_ftx_2019", "order_size * btc.price from Bull.cash", "order_size * btc.price * 2 from Bull.cash", "rebalance_is_free"),
    ("08_ftx_2019", "    require nav > 0\n", "", "with_the_trend"),
    ("10_okex_clawback", "up to profit(t) in proportion to profit(t)", "up to t.margin in proportion to t.margin", "nobody_pays_more_than_he_won"),
    ("10_okex_clawback", "where profit(t) > 0 up to profit(t) in proportion to profit(t)", "up to abs(profit(t)) equally", "losers_pay_nothing"),
    ("10_okex_clawback", "in proportion to profit(t)", "in order of profit(t), highest first", "one_rate"),
    ("10_okex_clawback", "in proportion to profit(t)", "equally", "one_rate"),
    ("10_okex_clawback", "up to profit(t) in proportion", "up to profit(t) / 2 in proportion", "always_enough"),
    ("12_ccp_waterfall", "        from m.margin\n        from m.share\n        from Ccp.skin\n", "        from Ccp.skin\n        from m.margin\n        from m.share\n", "defaulter_first"),
    ("12_ccp_waterfall", "        from m.share\n        from Ccp.skin\n", "        from Ccp.skin\n        from m.share\n", "defaulter_first"),
    ("12_ccp_waterfall", "        from Ccp.skin\n        from w.share of each w: Clearer where survives(w) in proportion to w.frozen\n", "        from w.share of each w: Clearer where survives(w) in proportion to w.frozen\n        from Ccp.skin\n", "house_before_members"),
    ("12_ccp_waterfall", "up to cap * w.frozen in", "up to 2 * cap * w.frozen in", "calls_are_capped"),
    ("12_ccp_waterfall", "w.called := 0 USD", "w.called := w.called", "calls_are_capped"),
    ("12_ccp_waterfall", "w.frozen := w.share", "w.frozen := w.margin", "mutual"),
    ("12_ccp_waterfall", "from w.share of each w: Clearer where survives(w) in proportion to w.frozen", "from w.share of each w: Clearer where survives(w) in any order", "mutual"),
    ("12_ccp_waterfall", "from m.margin\n", "from m.margin\n        from w.margin of each w: Clearer where survives(w) in any order\n", "margin_is_sacred"),
    ("12_ccp_waterfall", "not loser.failed and not winner.failed", "not loser.failed", "never_torn_up"),
    ("12_ccp_waterfall", "up to w.gain in proportion to w.gain", "up to w.gain / 2 in proportion to w.gain", "never_torn_up"),
    ("11_adl_policy", "let price = Venue.mark - equity(t) / t.position if t.position != 0 otherwise Venue.mark", "let price = Venue.mark", "solvent"),
    ("11_adl_policy", "in order of profit(w), highest first", "in order of profit(w), lowest first", "richest_first"),
    ("11_adl_policy", "in proportion to abs(w.position)", "in any order", "same_fate"),
    ("02_binance", "let bankruptcy = Venue.mark - equity(t) / t.position if t.position != 0 otherwise Venue.mark", "let bankruptcy = Venue.mark", "never_worse"),
    ("02_binance", "when equity(t) < required(t)", "when equity(t) < 0.5 * required(t)", "above_the_line"),
    ("02_binance", "where can_give(w, t) up to abs(w.position)", "where can_give(w, t) up to abs(w.position) / 2", "completes"),
    ("01_bitmex", "where opposes(w) and not w.exempt up to abs(w.position)", "where opposes(w) and not w.exempt up to abs(w.position) / 2", "always_closed"),
    ("01_bitmex", "when equity(t) < required(t)", "when equity(t) < required(t) and not t.exempt", "checked"),
    ("01_bitmex", "let price = -(Venue.engine + Venue.fund) / Venue.holding", "let price = Venue.mark", "solvent"),
    ("01_bitmex", "    require venue_equity >= 0\n", "", "solvent"),
    ("03_hyperliquid", "let money = proceeds(lot)", "let money = lot * token_price", "curve"),
]  # fmt: skip


def proved(system: ir.System, claim: str) -> list[ClaimGoal]:
    goals = [ClaimGoal(c, e.given) for c in system.claims.values() if c.name == claim for e in c.expects if e.verdict == "proved"]
    return proofs(system, goals)


def proofs(system: ir.System, goals: list[ClaimGoal]) -> list[ClaimGoal]:
    """What is proved of it, goal by goal: a proof of one is not lost to the time another takes."""
    found: list[ClaimGoal] = []
    for goal in goals:
        with suppress(OutOfTime), at_most(3600 if SLOW else SECONDS * 1.5):
            found += [each for each, outcome in prove(system, [goal], seconds=None if SLOW else SECONDS).items() if isinstance(outcome, Proved)]
    return found


@pytest.mark.parametrize(("name", "text", "mistake", "claim"), MISTAKES)
def test_the_claim_that_a_mistake_breaks_is_not_proved(name: str, text: str, mistake: str, claim: str) -> None:
    source = (EXAMPLES / f"{name}.rulebook").read_text()
    assert source.count(text) >= 1, "the rulebook has changed"
    system, diagnostics = compile_text(source.replace(text, mistake, 1))
    assert system is not None, diagnostics
    touched = "pro_rata" if name == "11_adl_policy" and claim == "same_fate" else ""
    assert [goal for goal in proved(system, claim) if touched in "".join(each.text for each in goal.given)] == []


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
