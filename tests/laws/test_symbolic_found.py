"""What the differential tests have found in the symbolic carrier, each as its smallest case."""

from __future__ import annotations

from typing import Any

import pytest
from quicktions import Fraction

from specforge.algebra.exact import ExactMachine
from specforge.core import ir
from tests import strategies as draw_
from tests.laws.symbolic import MODES, Mode
from tests.laws.test_symbolic_values import agree
from tests.strategies import THE_VENUE, number, op, read

SIZES = {"Trader": 2}
HERE = (0, 1, Fraction(3), False, 0)
TRADER = ir.Var("t")


def start() -> dict[Any, Any]:
    machine = ExactMachine(draw_.system_with(), SIZES)
    margins = {("Trader.margin", i, 0): Fraction(4) for i in (0, 1)}
    machine.begin({("Venue.fund", 0, 0): Fraction(10), ("Venue.mark", 0, 0): Fraction(1), **margins})
    return machine.save()


def tier(policy: ir.Policy, key: ir.Expr | None, step: ir.Expr | None = None, party: str | None = "Trader") -> ir.Collect:
    cap = read("Trader.margin", TRADER) if party else read("Venue.fund", THE_VENUE)
    assert isinstance(cap, ir.Read)
    body = (ir.Move(ir.Var("x"), ir.Place(cap.field, cap.member), ir.Place("Venue.book", THE_VENUE)),)
    made = ir.Tier("t", party, ir.YES, cap, policy, key, step, "x", body, "tier")
    return ir.Collect(ir.Var("n"), (made,), "left", (ir.Set(ir.Place("Venue.shut", THE_VENUE), ir.YES, False),))


CASES = {
    "2026-11-22 one account in steps": tier(ir.Policy.ANY, None, number(2), None),
    "2026-11-22 negative weights are a defect, not an impossibility": tier(ir.Policy.PROPORTION, number(-1)),
    "steps of nothing": tier(ir.Policy.ANY, None, ir.ZERO),
    "weight nothing gives nothing": tier(ir.Policy.PROPORTION, ir.ZERO),
    "one weight is nothing": tier(ir.Policy.PROPORTION, ir.If(op(ir.Operator.EQ, TRADER, ir.Var("who")), ir.ZERO, ir.ONE)),
    "one weight is negative": tier(ir.Policy.PROPORTION, ir.If(op(ir.Operator.EQ, TRADER, ir.Var("who")), number(-1), ir.ONE)),
    "a tie": tier(ir.Policy.HIGHEST, ir.ONE),
    "equally, in steps": tier(ir.Policy.PROPORTION, ir.ONE, ir.ONE),
    "the key does not exist": tier(ir.Policy.LOWEST, ir.Undefined(ir.Defect.DIVISION)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("collect", CASES.values(), ids=CASES)
def test_cases(mode: Mode, collect: ir.Collect) -> None:
    assert agree(mode, draw_.system_with((collect,)), SIZES, start(), HERE)
