"""Scenarios are executed in every order that they leave open, and fail with the line and the values."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from specforge.core import ir
from specforge.elaborate import load
from specforge.elaborate.load import compile_text
from specforge.engines import scenarios
from specforge.engines.scenarios import run_scenario, scenario_outcome, scenario_result, scenario_results
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.verdict import Verdict
from tests.evidence import toy
from tests.evidence.toy import act, scenario

EXAMPLES = sorted((Path(__file__).parents[1] / "venues").glob("*.rulebook"))
SYSTEM = toy.system()
HOLE = toy.venue("hole")


def check(op: ir.Operator, a: ir.Expr, b: ir.Expr) -> ir.Check:
    return ir.Check(ir.Op(op, (a, b), toy.USD))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_scenario_of_the_examples_holds(path: Path):
    system, diagnostics = load(str(path))
    assert system is not None, diagnostics
    assert [each.name for each in scenario_results(system) if each.verdict is not Verdict.PROVED] == []


def test_every_order_is_tried_and_the_check_must_hold_in_each():
    ann = ir.Read("Trader.margin", toy.trader(0))
    either = scenario(act("lose", 0, 10), check(ir.Operator.EQ, HOLE, ir.ZERO))
    assert run_scenario(SYSTEM, either).executions == 2
    only_ann = scenario(act("lose", 0, 10), check(ir.Operator.EQ, ann, ir.ZERO))
    outcome = run_scenario(SYSTEM, only_ann)
    assert not outcome.holds and outcome.executions == 2 and "should be 0, but is 10 USD" in outcome.reason


def test_what_should_be_refused_must_be():
    assert run_scenario(SYSTEM, scenario(act("deposit", 0, -1, refused=True))).holds
    accepted = run_scenario(SYSTEM, scenario(act("deposit", 0, 1, refused=True)))
    assert not accepted.holds and "was not refused" in accepted.reason
    refused = run_scenario(SYSTEM, scenario(act("deposit", 0, -1)))
    assert not refused.holds and "is refused: `require amount > 0` (:12)" in refused.reason


def test_then_pins_whose_turn_it_is():
    cut = lambda index: ir.Then("cut", (toy.trader(index),), ())  # noqa: E731
    start = scenario(cut(1), margins=(101, 102))
    assert run_scenario(SYSTEM, start).executions == 1  # the other one is alone then
    assert run_scenario(SYSTEM, scenario(margins=(101, 102))).executions == 2
    wrong = run_scenario(SYSTEM, scenario(cut(0), margins=(10, 102)))
    assert not wrong.holds and "not its turn" in wrong.reason


def test_a_scenario_named_after_by_must_break_the_claim():
    assert scenario_outcome(SYSTEM, SYSTEM.scenarios["short"]).breaks == ("no_hole",)
    tame = scenario(act("lose", 0, 5), name="short")
    outcome = scenario_outcome(evolve(SYSTEM, scenarios={"short": tame}), tame)
    assert not outcome.holds and outcome.reason == "it does not break `no_hole`"


def test_it_must_break_it_inside_what_is_given():
    exempt = ((toy.place("Trader.exempt", toy.trader(1)), ir.YES),)
    outside = evolve(toy.short(), starts=toy.short().starts + exempt)
    given = (ir.Given("plain", "plain"),)
    outcome = run_scenario(SYSTEM, outside, ClaimGoal(SYSTEM.claims["no_hole"], given))
    assert not outcome.holds and "`given plain` does not hold" in outcome.reason


def test_a_failing_scenario_is_a_contradiction():
    hole = toy.compare(ir.Operator.EQ, toy.venue("hole"), toy.usd(3), "Venue.hole = 0")
    result = scenario_result(SYSTEM, scenario(act("lose", 0, 5), ir.Check(hole, span=toy.at("Venue.hole = 0"))))
    assert result.verdict is Verdict.REFUTED and result.contradicts and result.met is False
    assert result.reason.startswith("line 20: `check Venue.hole = 0` fails")


def test_too_many_orders_are_not_called_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scenarios, "MOST_EXECUTIONS", 1)
    result = scenario_result(SYSTEM, scenario(act("lose", 0, 10)))
    assert result.verdict is Verdict.BOUNDED and "only the first 1 of the orders" in result.reason


def test_a_defect_on_the_way_fails_the_scenario_with_the_rule():
    text = """\
rulebook "Defect"
asset USD
party Trader:
    margin: balance USD
action ruin(t: Trader):
    nothing
duty take(t: Trader) after ruin:
    once
    pay 10 USD from t.margin
scenario broke:
    member ann: Trader with margin = 5 USD
    ruin(ann)
"""
    system, diagnostics = compile_text(text)
    assert system is not None, diagnostics
    outcome = scenario_outcome(system, system.scenarios["broke"])
    assert not outcome.holds
    assert outcome.reason == "at `ruin(ann)`: `pay 10 USD from t.margin` (:9) moves money that is not there"


def test_a_start_outside_its_bounds_is_said():
    outcome = run_scenario(SYSTEM, scenario(margins=(-1, 5)))
    assert not outcome.holds and "outside its declared bounds" in outcome.reason
