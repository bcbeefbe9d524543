"""What every carrier must agree on, case by case: the operators, what need not be defined, folds, moves, loops and collects.

A new carrier joins by adding a machine to CARRIERS (anything that can be loaded with a state, act and evaluate).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from quicktions import Fraction

from specforge.algebra.exact import ExactMachine
from specforge.algebra.staged import StagedMachine
from specforge.core import ir
from specforge.core.ir import Operator as O
from specforge.core.machine import DefectFound, Refused, first_option
from tests.laws.symbolic import SymbolicMachine
from tests.strategies import THE_VENUE, op, read, system_with
from tests.strategies import number as lit

SIZES = {"Trader": 3}
START: dict[Any, Any] = {
    **{("Trader.margin", i, 0): Fraction(10 * (i + 1)) for i in range(3)},  # 10, 20, 30
    **{("Trader.credit", i, 0): Fraction(i) for i in range(3)},  # 0, 1, 2
    ("Trader.exempt", 2, 0): True,
    ("Venue.fund", 0, 0): Fraction(5),
    ("Venue.mark", 0, 0): Fraction(7, 2),
}
HERE = {"who": 0, "other": 1, "n": Fraction(3), "flag": False, "where": 0}


class Exact:
    def __init__(self, system: ir.System):
        self.machine = ExactMachine(system, SIZES)
        self.machine.begin(START)

    def state(self) -> dict[Any, Any]:
        return self.machine.save()


class Staged:
    def __init__(self, system: ir.System):
        self.machine = StagedMachine(system, SIZES)
        self.machine.begin(START)

    def state(self) -> dict[Any, Any]:
        return self.machine.exact()


class Symbolic:
    def __init__(self, system: ir.System):
        self.machine = SymbolicMachine(system, SIZES, Exact(system).state())

    def state(self) -> dict[Any, Any]:
        return self.machine.now


CARRIERS: dict[str, Callable[[ir.System], Any]] = {"exact": Exact, "staged": Staged, "symbolic": Symbolic}


@pytest.fixture(params=list(CARRIERS))
def carrier(request: pytest.FixtureRequest) -> Callable[[ir.System], Any]:
    return CARRIERS[request.param]


N, T, U = ir.Var("n"), ir.Var("t"), ir.Var("u")
BOOM = ir.Undefined(ir.Defect.TABLE)
MARGIN = read("Trader.margin", T)


def traders(kind: ir.Folding, body: ir.Expr, where: ir.Expr = ir.YES) -> ir.Fold:
    return ir.Fold(kind, "t", "Trader", where, body)


VALUES: list[tuple[str, ir.Expr, Any]] = [
    ("adding", op(O.ADD, lit("1/2"), N), Fraction(7, 2)),
    ("taking away", op(O.SUB, lit("1/2"), N), Fraction(-5, 2)),
    ("a third times three is one", op(O.EQ, op(O.MUL, lit("1/3"), N), ir.ONE), True),
    ("dividing exactly", op(O.DIV, N, lit(7)), Fraction(3, 7)),
    ("dividing what is divided", op(O.DIV, op(O.DIV, N, lit(7)), op(O.MUL, lit("1/7"), N)), Fraction(1)),
    ("floor goes down, below zero too", op(O.FLOOR, op(O.DIV, op(O.SUB, ir.ZERO, N), lit(2))), Fraction(-2)),
    ("floor of a whole number", op(O.FLOOR, N), Fraction(3)),
    ("floor of a literal below zero", op(O.FLOOR, lit("-7/2")), Fraction(-4)),
    ("minus of minus", op(O.SUB, ir.ZERO, op(O.SUB, ir.ZERO, N)), Fraction(3)),
    ("a - (b - c)", op(O.SUB, lit(1), op(O.SUB, N, lit(5))), Fraction(3)),
    ("equal though written otherwise", op(O.EQ, op(O.MUL, lit("3/6"), N), op(O.MUL, lit("1/2"), N)), True),
    ("less is not less or equal", op(O.LT, N, lit(3)), False),
    ("less or equal", op(O.LE, N, lit(3)), True),
    ("flags are equal", op(O.EQ, ir.Var("flag"), ir.NO), True),
    ("members are equal or not", op(O.EQ, ir.Var("who"), ir.Var("other")), False),
    ("not (a and not a)", op(O.NOT, op(O.AND, ir.Var("flag"), op(O.NOT, ir.Var("flag")))), True),
    ("and stops at the first no", op(O.AND, ir.Var("flag"), op(O.EQ, BOOM, BOOM)), False),
    ("or stops at the first yes", op(O.OR, op(O.LE, N, lit(3)), op(O.LT, op(O.DIV, N, ir.ZERO), N)), True),
    ("only the chosen branch is defined", ir.If(op(O.LT, N, lit(9)), N, op(O.DIV, N, ir.ZERO)), Fraction(3)),
    ("let", ir.Let("x", op(O.ADD, N, N), op(O.MUL, ir.Var("x"), ir.Var("x"))), Fraction(36)),
    ("sum", traders(ir.Folding.SUM, MARGIN), Fraction(60)),
    ("sum of those that count", traders(ir.Folding.SUM, MARGIN, op(O.NOT, read("Trader.exempt", T))), Fraction(30)),
    ("what does not count need not be defined", traders(ir.Folding.SUM, op(O.DIV, ir.ONE, N), ir.Var("flag")), Fraction(0)),
    ("largest", traders(ir.Folding.LARGEST, op(O.SUB, ir.ZERO, MARGIN)), Fraction(-10)),
    ("smallest of those that count", traders(ir.Folding.SMALLEST, MARGIN, op(O.LT, lit(10), MARGIN)), Fraction(20)),
    ("for all", traders(ir.Folding.ALL, op(O.LE, lit(10), MARGIN)), True),
    ("for all stops at the first no", traders(ir.Folding.ALL, op(O.LT, lit(10), MARGIN)), False),
    ("nobody at all", traders(ir.Folding.ALL, op(O.EQ, BOOM, BOOM), ir.Var("flag")), True),
]


@pytest.mark.parametrize(("expr", "expected"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_values(carrier: Callable[[ir.System], Any], expr: ir.Expr, expected: Any) -> None:
    assert carrier(system_with()).machine.evaluate(expr, HERE) == expected


UNDEFINED: list[tuple[str, ir.Expr, ir.Defect]] = [
    ("dividing by nothing", op(O.DIV, N, op(O.SUB, N, lit(3))), ir.Defect.DIVISION),
    ("nothing by nothing", op(O.DIV, ir.ZERO, op(O.SUB, N, lit(3))), ir.Defect.DIVISION),
    ("dividing by the literal nothing", op(O.DIV, N, ir.ZERO), ir.Defect.DIVISION),
    ("times zero, and still undefined", op(O.MUL, ir.ZERO, op(O.DIV, N, ir.ZERO)), ir.Defect.DIVISION),
    ("the largest of nobody", traders(ir.Folding.LARGEST, MARGIN, ir.NO), ir.Defect.DIVISION),
    ("a let that is not used", ir.Let("x", op(O.DIV, N, ir.ZERO), N), ir.Defect.DIVISION),
    ("beyond the table", ir.If(op(O.LT, N, ir.ZERO), N, BOOM), ir.Defect.TABLE),
]


@pytest.mark.parametrize(("expr", "defect"), [case[1:] for case in UNDEFINED], ids=[case[0] for case in UNDEFINED])
def test_what_has_no_value(carrier: Callable[[ir.System], Any], expr: ir.Expr, defect: ir.Defect) -> None:
    with pytest.raises(DefectFound) as found:
        carrier(system_with()).machine.evaluate(expr, HERE)
    assert found.value.defect is defect


def place(name: str, member: ir.Expr) -> ir.Place:
    return ir.Place(name, member)


FUND, BOOK = place("Venue.fund", THE_VENUE), place("Venue.book", THE_VENUE)
MARGINS = [("Trader.margin", i, 0) for i in range(3)]


def take(
    asked: int, policy: ir.Policy, key: ir.Expr | None = None, step: ir.Expr | None = None, cap: ir.Expr = MARGIN
) -> ir.Block:
    """`collect asked` from everybody's margin into the book; what is left is noted in the level."""
    body = (ir.Move(ir.Var("x"), place("Trader.margin", T), BOOK),)
    tier = ir.Tier("t", "Trader", ir.YES, cap, policy, key, step, "x", body, "margins")
    return (ir.Collect(lit(asked), (tier,), "left", (ir.Set(place("Venue.level", THE_VENUE), ir.Var("left"), False),)),)


COLLECTS: list[tuple[str, ir.Block, list[Any], Any]] = [
    ("in any order, the first pick first", take(15, ir.Policy.ANY), [0, 15, 30], 0),
    ("highest first", take(35, ir.Policy.HIGHEST, MARGIN), [10, 15, 0], 0),
    ("lowest first", take(15, ir.Policy.LOWEST, MARGIN), [0, 15, 30], 0),
    ("in proportion", take(12, ir.Policy.PROPORTION, MARGIN), [8, 16, 24], 0),
    ("equally, until somebody has nothing left", take(36, ir.Policy.PROPORTION, ir.ONE), [0, 7, 17], 0),
    ("weight zero gives nothing", take(30, ir.Policy.PROPORTION, read("Trader.credit", T)), [10, 10, 10], 0),
    ("in steps, the crumbs are left", take(20, ir.Policy.PROPORTION, ir.ONE, ir.ONE), [4, 14, 24], 2),
    ("more than there is", take(70, ir.Policy.HIGHEST, MARGIN), [0, 0, 0], 10),
    ("a cap below zero is none", take(5, ir.Policy.ANY, cap=op(O.SUB, MARGIN, lit(15))), [10, 15, 30], 0),
    ("less than nothing is nothing", take(-5, ir.Policy.ANY), [10, 20, 30], 0),
]


@pytest.mark.parametrize(("body", "margins", "left"), [case[1:] for case in COLLECTS], ids=[case[0] for case in COLLECTS])
def test_collects(carrier: Callable[[ir.System], Any], body: ir.Block, margins: list[Any], left: Any) -> None:
    runs = carrier(system_with(body))
    runs.machine.act("act", tuple(HERE.values()), first_option)
    state = runs.state()
    assert [state[cell] for cell in MARGINS] == margins
    assert state["Venue.level", 0, 0] == left
    assert state["Venue.book", 0, 0] == 60 - sum(margins)
    assert state["holdings(USD)", 0, 0] == 65


def half_of_the_fund(policy: ir.Policy, key: ir.Expr | None = None, where: ir.Expr = ir.YES) -> ir.Block:
    """Each gets half of what the fund then has."""
    half = op(O.MUL, lit("1/2"), read("Venue.fund", THE_VENUE))
    turn = ir.Tier("t", "Trader", where, ir.ONE, policy, key, None, "x", (ir.Move(half, FUND, place("Trader.margin", T)),), "t")
    return (ir.InTurn(turn),)


TURNS: list[tuple[str, ir.Block, list[str]]] = [
    ("in any order, the first pick first", half_of_the_fund(ir.Policy.ANY), ["25/2", "85/4", "245/8"]),
    ("highest first", half_of_the_fund(ir.Policy.HIGHEST, MARGIN), ["85/8", "85/4", "65/2"]),
    ("lowest first", half_of_the_fund(ir.Policy.LOWEST, MARGIN), ["25/2", "85/4", "245/8"]),
    ("only some", half_of_the_fund(ir.Policy.HIGHEST, MARGIN, op(O.LT, MARGIN, lit(30))), ["45/4", "45/2", "30"]),
]


@pytest.mark.parametrize(("body", "margins"), [case[1:] for case in TURNS], ids=[case[0] for case in TURNS])
def test_one_after_the_other_sees_what_those_before_did(
    carrier: Callable[[ir.System], Any], body: ir.Block, margins: list[str]
) -> None:
    runs = carrier(system_with(body))
    runs.machine.act("act", tuple(HERE.values()), first_option)
    assert [runs.state()[cell] for cell in MARGINS] == [Fraction(each) for each in margins]


def test_everybody_at_once_sees_the_state_from_before(carrier: Callable[[ir.System], Any]) -> None:
    """Each gives the fund what the fund had at first."""
    give = ir.Move(read("Venue.fund", THE_VENUE), place("Trader.margin", T), FUND)
    runs = carrier(system_with((ir.ForEach("t", "Trader", ir.YES, (give,)),)))
    runs.machine.act("act", tuple(HERE.values()), first_option)
    assert [runs.state()[cell] for cell in MARGINS] == [5, 15, 25]
    assert runs.state()["Venue.fund", 0, 0] == 20


def test_a_shared_account_must_afford_the_total(carrier: Callable[[ir.System], Any]) -> None:
    give = ir.Move(lit(2), FUND, place("Trader.margin", T))
    runs = carrier(system_with((ir.ForEach("t", "Trader", ir.YES, (give,)),)))
    with pytest.raises(DefectFound) as found:
        runs.machine.act("act", tuple(HERE.values()), first_option)
    assert found.value.defect is ir.Defect.FUNDED


def test_a_refusal_leaves_no_trace(carrier: Callable[[ir.System], Any]) -> None:
    body = (ir.Move(N, None, FUND), ir.Require(op(O.LT, read("Venue.fund", THE_VENUE), N)))
    runs = carrier(system_with(body))
    before = runs.state()
    with pytest.raises(Refused):
        runs.machine.act("act", tuple(HERE.values()), first_option)
    assert runs.state() == before


def test_a_house_pays_no_more_than_it_holds(carrier: Callable[[ir.System], Any]) -> None:
    runs = carrier(system_with((ir.Move(lit(66), BOOK, None),)))
    with pytest.raises(DefectFound) as found:
        runs.machine.act("act", tuple(HERE.values()), first_option)
    assert found.value.defect is ir.Defect.FUNDED


def test_less_than_nothing_moves_only_between_nets(carrier: Callable[[ir.System], Any]) -> None:
    nets = place("Trader.position", ir.Var("who")), place("Venue.held", THE_VENUE)
    runs = carrier(system_with((ir.Move(lit(-2), *nets),)))
    runs.machine.act("act", tuple(HERE.values()), first_option)
    assert runs.state()["Trader.position", 0, 0] == 2
    with pytest.raises(DefectFound):
        carrier(system_with((ir.Move(lit(-2), FUND, BOOK),))).machine.act("act", tuple(HERE.values()), first_option)


def test_a_credit_line_may_not_make_a_standing_balance_illegal(carrier: Callable[[ir.System], Any]) -> None:
    credit, wallet = place("Trader.credit", ir.Var("other")), place("Trader.wallet", ir.Var("other"))
    body = (ir.Move(ir.ONE, wallet, BOOK), ir.Set(credit, lit("1/2"), False))  # other may owe 1, and does
    with pytest.raises(DefectFound) as found:
        carrier(system_with(body)).machine.act("act", tuple(HERE.values()), first_option)
    assert found.value.defect is ir.Defect.BOUNDS
