"""Whether a table keeps what it is said to be: without jumps, never falling, rising faster and faster; for all values at once.

What is asked of the solver has no bound on anything.  A value that breaks a property is computed again with exact numbers
before it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import ExactMachine, State
from specforge.algebra.solver import Irrational, Session
from specforge.algebra.symbolic import Num, SymbolicAlgebra, equal, negate
from specforge.core import ir
from specforge.core.evaluate import Evaluator
from specforge.core.machine import DefectFound
from specforge.records import frozen

WORK = 4_000_000  # of the solver, for one question
LESS, AT_MOST = ir.Operator.LT, ir.Operator.LE
HALF = Fraction(1, 2)


@frozen
class Kept:
    """What is known of one property of a table: it holds (`yes`), it does not (`no`: how, in words), or neither."""

    table: ir.Table
    property: str
    holds: bool | None
    reason: str = ""


def tables_kept(system: ir.System) -> list[Kept]:
    """Every property that a table is said to have."""
    return [_Asked(system, table).judge(each) for table in system.tables.values() for each in table.properties]


def lookup(table: ir.Table) -> ir.Expr:
    """The value of the table at its argument."""
    value: ir.Expr = ir.Undefined(ir.Defect.TABLE, span=table.span)
    for row in reversed(table.rows):
        value = row.body if row.bound is None else ir.If(_within(row, ir.Var(table.param.name)), row.body, value)
    return value


def _within(row: ir.Row, at: ir.Expr) -> ir.Expr:
    assert row.bound is not None
    return ir.Op(AT_MOST if row.closed else LESS, (at, row.bound))


class _Asked:
    def __init__(self, system: ir.System, table: ir.Table):
        self.system, self.table, self.name = system, table, table.param.name
        self.machine = ExactMachine(system, {party.name: 1 for party in system.open_parties()})
        self.algebra = SymbolicAlgebra(self.machine.sizes)
        self.evaluator = Evaluator(system, self.algebra)
        for each in system.fields.values():
            for cell in self.machine.cells(each):
                self.algebra.state[cell] = self._unknown(each)
        self.known: list[Any] = []
        for each in system.parameters():
            self.known += self.evaluator.within_bounds(each, 0, None)
        parts = [each for row in table.rows for each in (row.bound, row.body) if each is not None]
        self.read = {node.field for each in parts for node in ir.walk(each) if isinstance(node, ir.Read)}
        self.fixed = all(system.fields[each].kind is ir.Kind.PARAMETER for each in self.read)

    def _unknown(self, field: ir.Field) -> Any:
        if isinstance(field.type, ir.Number):
            return self.algebra.unknown(field.name)
        if isinstance(field.type, ir.Flag):
            return self.algebra.unknown_flag(field.name)
        return self.algebra.unknown_member(field.name, self.machine.sizes[field.type.party])

    def judge(self, property: str) -> Kept:
        if property == "continuous":
            return self._continuous()
        return self._search(property, *(self._falls() if property == "rising" else self._bulges()))

    # ------------------------------------------------------------ values

    def _at(self, x: Any, expr: ir.Expr) -> tuple[Any, list[Any]]:
        """The value of `expr` where the argument is x, and what makes it defined."""
        self.algebra.conditions = []
        value = self.evaluator.value(expr, {self.name: x})
        return value, self.algebra.conditions

    def _exact(self, x: Fraction, expr: ir.Expr, state: State) -> Fraction:
        self.machine.restore(state)
        return self.machine.evaluate(expr, {self.name: x})

    # ------------------------------------------------------------ rising, convex

    def _points(self) -> tuple[Num, Num, Any, Any, list[Any]]:
        x, y = self.algebra.unknown("x"), self.algebra.unknown("y")
        left, first = self._at(x, lookup(self.table))
        right, second = self._at(y, lookup(self.table))
        return x, y, left, right, [*self.known, *first, *second, self.algebra.apply(LESS, x, y)]

    def _falls(self) -> tuple[Num, Num, list[Any]]:
        x, y, left, right, known = self._points()
        return x, y, [*known, self.algebra.apply(LESS, right, left)]

    def _bulges(self) -> tuple[Num, Num, list[Any]]:
        """Above the middle of a chord somewhere: for the functions a table can be, that is the same as not convex."""
        apply = self.algebra.apply
        x, y, left, right, known = self._points()
        middle, more = self._at(self._half(x, y), lookup(self.table))
        return x, y, [*known, *more, apply(LESS, self._half(left, right), middle)]

    def _half(self, a: Any, b: Any) -> Any:
        return self.algebra.apply(ir.Operator.MUL, self.algebra.apply(ir.Operator.ADD, a, b), HALF)

    def _search(self, property: str, x: Num, y: Num, conditions: list[Any]) -> Kept:
        found = self._model(conditions, (x, y))
        if isinstance(found, str):
            return Kept(self.table, property, True if found == "unsat" else None, "" if found == "unsat" else found)
        (a, b), state = found
        try:
            values = [self._exact(each, lookup(self.table), state) for each in (a, (a + b) / 2, b)]
        except DefectFound:
            return Kept(self.table, property, None, "the solver's answer could not be confirmed")
        first, middle, last = values
        if property == "rising":
            return self._broken(property, last < first, f"it is {first} at {a} and only {last} at {b}", state)
        words = f"it is {middle} halfway between {a} and {b}, where it is {first} and {last}"
        return self._broken(property, middle > (first + last) / 2, words, state)

    def _broken(self, property: str, broken: bool, words: str, state: State) -> Kept:
        if not broken:
            return Kept(self.table, property, None, "the solver's answer could not be confirmed")
        if not self.fixed:
            return Kept(self.table, property, None, f"{words}, if such a state can be reached")
        return Kept(self.table, property, False, words + self._parameters(state))

    def _parameters(self, state: State) -> str:
        said = [f"{each} = {state[each, 0, 0]}" for each in sorted(self.read)]
        return f", with {', '.join(said)}" if said else ""

    def _model(self, conditions: Sequence[Any], wanted: Sequence[Num]) -> str | tuple[list[Fraction], State]:
        """Values that meet the conditions, with the state; "unsat"; or why neither is known."""
        session = Session()
        session.add([*self.algebra.facts, *conditions])
        answer = session.ask(rlimit=WORK)
        if answer == "unknown":
            return "the solver could not decide it"
        if answer == "unsat":
            return "unsat"
        model = session.model()
        try:
            state = {cell: model.value(value) for cell, value in self.algebra.state.items()}
            return [model.value(each) for each in wanted], state
        except Irrational:
            return "the values that would break it are no fractions"

    # ------------------------------------------------------------ continuous

    def _continuous(self) -> Kept:
        x = self.algebra.unknown("x")
        for before, after in pairwise(self.table.rows):
            assert before.bound is not None
            bound, defined = self._at(x, before.bound)
            left, first = self._at(bound, before.body)
            right, second = self._at(bound, after.body)
            range_ = self._between(bound, before, after)
            conditions = [*self.known, *defined, *first, *second, *range_, equal(x, bound), negate(equal(left, right))]
            found = self._model(conditions, (x,))
            if found == "unsat":
                continue
            if isinstance(found, str):
                return Kept(self.table, "continuous", None, found)
            (at,), state = found
            values = [self._exact(at, row.body, state) for row in (before, after)]
            words = f"at {at} it jumps from {values[0]} to {values[1]}"
            return self._broken("continuous", values[0] != values[1], words, state)
        for row in self.table.rows:
            reason = self._smooth(row)
            if reason:
                return Kept(self.table, "continuous", None, reason)
        return Kept(self.table, "continuous", True)

    def _between(self, bound: Any, before: ir.Row, after: ir.Row) -> list[Any]:
        """The rows on both sides of the bound are not empty."""
        conditions: list[Any] = []
        at = self.table.rows.index(before)
        if at > 0 and (lower := self.table.rows[at - 1].bound) is not None:
            conditions.append(self.algebra.apply(LESS, self._at(bound, lower)[0], bound))
        if after.bound is not None:
            conditions.append(self.algebra.apply(LESS, bound, self._at(bound, after.bound)[0]))
        return conditions

    def _smooth(self, row: ir.Row) -> str:
        """Empty if the row itself has no jump; else why that is not known."""
        body = _written_out(row.body, {})
        if any(isinstance(node, ir.Fold) for node in ir.walk(body)):
            return "a row adds up over members"
        if any(isinstance(node, ir.Op) and node.op is ir.Operator.FLOOR for node in ir.walk(body)):
            return "it rounds, and what is rounded jumps"
        for choice in (node for node in ir.walk(body) if isinstance(node, ir.If)):
            cond = choice.cond
            if not any(isinstance(node, ir.Var) for node in ir.walk(cond)):
                continue
            if not (isinstance(cond, ir.Op) and cond.op in (LESS, AT_MOST)):
                return "a row chooses by more than one comparison"
            x = self.algebra.unknown("x")
            sides = [self._at(x, each) for each in (*cond.args, choice.then, choice.orelse)]
            (a, _), (b, _), (then, _), (orelse, _) = sides
            known = [each for _, conditions in sides for each in conditions]
            inside = [self._at(x, _within(row, ir.Var(self.name)))[0]] if row.bound is not None else []
            if self._model([*self.known, *known, *inside, equal(a, b), negate(equal(then, orelse))], (x,)) != "unsat":
                return "a row may jump where it chooses"
        return ""


def _written_out(expr: ir.Expr, known: dict[str, ir.Expr]) -> ir.Expr:
    match expr:
        case ir.Var(name):
            return known.get(name, expr)
        case ir.Let(name, value, body):
            return _written_out(body, {**known, name: _written_out(value, known)})
        case ir.Op(op, args):
            return ir.Op(op, tuple(_written_out(each, known) for each in args), span=expr.span)
        case ir.If(cond, then, orelse):
            return ir.If(*(_written_out(each, known) for each in (cond, then, orelse)), span=expr.span)
        case _:
            return expr
