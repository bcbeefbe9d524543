"""Why a condition does not hold: the part of it that fails, in the rulebook's words, with its values filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve
from quicktions import Fraction

from specforge.algebra.exact import Cell, ExactMachine, State
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal
from specforge.evidence.phrases import one_line, written_operator
from specforge.evidence.play import Judge
from specforge.evidence.replay import Script
from specforge.evidence.sayings import SYMBOLS, TURNED, Env, Sayings, article, either, has_parts, together
from specforge.evidence.trace import Trace
from specforge.evidence.words import Words
from specforge.records import frozen

Op = ir.Operator
MANY = 8  # more values than this are not listed


@frozen
class Moment:
    """Where a goal was shown: the machine in that state, the names that the claim's moment binds, and the state before."""

    machine: ExactMachine
    env: Env
    old: State | None = None
    span: Span = NOWHERE  # of a defect


class _Finder(Judge):
    """A judge that remembers what it judged last."""

    def __init__(self, machine: ExactMachine, goal: Goal):
        super().__init__(machine, goal)
        self.env: Env = {}
        self.before: State | None = None

    def _judge(self, env: Env, before: Any) -> None:
        self.env, self.before = env, before
        super()._judge(env, before)


def moment_of(system: ir.System, trace: Trace) -> Moment:
    """Replays the trace once more, up to the moment at which its goal was shown."""
    machine = ExactMachine(system, trace.plan.sizes)
    machine.begin(trace.plan.start)
    finder = _Finder(machine, trace.goal)
    firings = trace.plan.firings or (None,)
    played = finder.start(Script((), firings[0]))
    for count, event in enumerate(trace.plan.events, start=1):
        played = finder.step(event, Script(event.giving, firings[count] if count < len(firings) else None))
    return Moment(machine, finder.env, finder.before, played.span or NOWHERE)


def why(system: ir.System, trace: Trace) -> tuple[str, ...]:
    """The claim with its values, in sentences; nothing for a state that was only to be reached."""
    if trace.why:
        return trace.why
    words = Words(system, trace.names)
    moment = moment_of(system, trace)
    explainer = Explainer(words, moment.machine, moment.old)
    try:
        match trace.goal:
            case ClaimGoal(claim):
                return tuple(explainer.failing(claim.cond, moment.env, claim.span))
            case ReachGoal(reach):
                return tuple(explainer.values(reach.cond, moment.env))
            case DefectGoal():
                return tuple(explainer.defect(trace.defect, moment.span))
            case RuleGoal():
                return ()
    except DefectFound:  # a part that plays no role has no value there; the steps speak for themselves
        return ()


@frozen
class Reason:
    """Why a condition fails: what should be and is not, and what makes it so; the part this is about, the values told."""

    said: str
    part: ir.Expr
    env: Env
    told: frozenset[tuple[Cell, bool]] = frozenset()
    premises: tuple[str, ...] = ()

    def given(self, *premises: str) -> Reason:
        return evolve(self, premises=(*(each for each in premises if each), *self.premises))

    def sentence(self) -> str:
        premises = together(self.premises)
        return f"{premises}{';' if has_parts(premises) else ','} so {self.said}" if premises else self.said


def _before(expr: ir.Expr, past: bool) -> ir.Expr:
    return ir.Old(expr) if past else expr


def _since(said: str, past: bool) -> str:
    return f"beforehand {said}" if past else said


class Explainer:
    """Explains conditions in the state of `machine`; `old` is the state that `old(...)` speaks of."""

    def __init__(self, words: Words, machine: ExactMachine, old: State | None = None):
        self.words, self.machine, self.old = words, machine, old
        self.sayings = Sayings(words, NOWHERE)

    def value(self, expr: ir.Expr, env: Env) -> Any:
        return self.machine.evaluate(expr, env, self.old)

    # -- a condition that fails

    def failing(self, cond: ir.Expr, env: Env, home: Span) -> list[str]:
        """Why `cond`, of the sentence at `home`, fails: its first failing part, and the values that this part reads."""
        self.sayings = Sayings(self.words, home)
        reason = self._why(cond, env)
        values = self._values(reason.part, reason.env, reason.told)
        return [reason.sentence(), ", ".join(values)] if values and len(values) <= MANY else [reason.sentence()]

    def _holds(self, cond: ir.Expr, env: Env, past: bool) -> bool:
        return bool(self.value(ir.Old(cond) if past else cond, env))

    def _why(self, cond: ir.Expr, env: Env, wanted: bool = True, past: bool = False) -> Reason:
        """Why `cond` does not come to what is `wanted`.  `past`: in the state before."""
        match cond:
            case ir.Op(Op.NOT, (inner,)):
                return self._why(inner, env, not wanted, past)
            case ir.Op(Op.AND, args) if wanted:
                return self._why(next((each for each in args if not self._holds(each, env, past)), args[0]), env, True, past)
            case ir.Op(Op.OR, args) if wanted:
                return self._neither(cond, args, env, past)
            case ir.Op(Op.OR, args):
                return self._why(next((each for each in args if self._holds(each, env, past)), args[0]), env, False, past)
            case ir.Op(op) if op in SYMBOLS:
                return self._comparison(cond, env, wanted, past)
            case ir.Let(name, value, body):
                self.sayings.called[name] = self.sayings.text(value, env)
                at = self.value(ir.Old(value) if past else value, env)
                return self._why(body, {**env, name: at}, wanted, past)
            case ir.Fold(ir.Folding.ALL, var, party, where, body) if wanted:
                for member in range(self.machine.sizes[party]):
                    inner = {**env, var: member}
                    if self._holds(where, inner, past) and not self._holds(body, inner, past):
                        return self._of_all(cond, body, inner, past)
            case ir.If(condition, then, orelse):
                chosen = self._holds(condition, env, past)
                because = self.sayings.holds(condition, env, chosen, past)
                return self._why(then if chosen else orelse, env, wanted, past).given(because)
            case ir.Old(body):
                return self._why(body, env, wanted, True)
            case _:
                pass
        return self._plainly(cond, env, wanted, past)

    def _neither(self, cond: ir.Op, args: tuple[ir.Expr, ...], env: Env, past: bool) -> Reason:
        """None of several alternatives holds; `A implies B` is such a pair, and `not A` where A only says who is who is one."""
        implied = len(args) == 2 and isinstance(args[0], ir.Op) and args[0].op is Op.NOT
        left = args[1:] if implied else [each for each in args if not self.sayings.who_is_who(each)] or args
        premises = [self.sayings.holds(each, env, False, past) for each in args if each not in left]
        if len(left) == 1:
            return self._why(left[0], env, True, past).given(*premises)
        reasons = [self._why(each, env, True, past) for each in left]
        told = frozenset[tuple[Cell, bool]]().union(*(each.told for each in reasons))
        return Reason(either([each.sentence() for each in reasons]), _before(cond, past), env, told).given(*premises)

    def _of_all(self, cond: ir.Fold, body: ir.Expr, env: Env, past: bool) -> Reason:
        """The member named in `env` is one for whom the condition fails."""
        if isinstance(body, ir.Lit):
            member = self.words.member(cond.party, env[cond.var])
            be, is_ = ("have been", "was") if past else ("be", "is")
            others = {name: at for name, at in env.items() if name != cond.var}
            said = f"there should {be} no {self.sayings.member(cond, others, past)}, but {member} {is_} one"
            return Reason(_since(said, past), _before(cond.where, past), env)
        where = "" if cond.where == ir.YES else self.sayings.holds(cond.where, env, True, past)
        return self._why(body, env, True, past).given(where)

    def _comparison(self, cond: ir.Op, env: Env, wanted: bool, past: bool) -> Reason:
        """`a should be at most b, 3 USD, but is 5 USD`"""
        found = self.sayings.compared(cond, env, wanted, past)
        if found is None:
            return self._plainly(cond, env, wanted, past)
        written = one_line(found.limit.span) if found.constant and isinstance(found.limit, ir.Lit) else ""
        type = ir.Number((), "ratio") if written.endswith("%") else cond.of
        values = [self._value(type, self.value(_before(each, past), env)) for each in (found.about, found.limit)]
        if found.constant and not isinstance(type, ir.Of | ir.Flag):
            found = evolve(found, limit_name=written if written[:1].isdigit() else values[1])
        be, is_ = ("have been", "was") if found.past else ("be", "is")
        relation = found.relation()
        no = relation.startswith("not ")
        said = f"{found.name} should {'not ' if no else ''}{be} {relation.removeprefix('not ')}"
        said += ("" if found.constant else f", {values[1]}") + f", but {is_}" + ("" if no else f" {values[0]}")
        told = frozenset(cell for each in (found.about, found.limit) for cell in self._told(_before(each, past), env))
        return Reason(_since(said, found.past), _before(cond, past), env, told)

    def _plainly(self, cond: ir.Expr, env: Env, wanted: bool, past: bool) -> Reason:
        """A condition that is no comparison: a flag, or one that has a name."""
        is_ = "was" if past else "is"
        have = "have been" if past else "be"
        told = frozenset(self._told(_before(cond, past), env))
        yes, no = ("yes", "no") if wanted else ("no", "yes")
        match cond:
            case ir.Read(field) if ":" not in field:
                said = f"{self.sayings.text(cond, env)} should {have} {yes}, but {is_} {no}"
            case ir.Fold(ir.Folding.ALL, body=body) if body == ir.NO:
                member = self.sayings.member(cond, env, past)
                said = f"there should {have} {article(cond.party)} {member}, but there {is_} none"
            case _ if name := self.sayings.name_of(cond, env):
                hold, does = ("have held", "did") if past else ("hold", "does")
                said = f"{name} should {'' if wanted else 'not '}{hold}, but {does}{' not' if wanted else ''}"
            case _:
                says = self.sayings.holds(cond, env, True, past) or self.sayings.text(cond, env)
                said = f"it should {'' if wanted else 'not '}{have} that {says}, but it {is_}{' not' if wanted else ''} so"
        return Reason(_since(said, past), _before(cond, past), env, told)

    def _told(self, side: ir.Expr, env: Env) -> Iterator[tuple[Cell, bool]]:
        """The cell whose value a sentence has told, when it is a side of its own."""
        old = isinstance(side, ir.Old)
        if isinstance(side.body if old else side, ir.Read):
            yield from self._read_by(side, env)

    def compared(self, cond: ir.Expr, env: Env) -> str:
        """`-10 USD < 0`, `80 USD = 80 USD and 0 = 0`: a condition with its values; empty if it is not made of comparisons."""
        if isinstance(cond, ir.Op) and cond.op is Op.AND:
            parts = [self.compared(each, env) for each in cond.args]
            return " and ".join(parts) if all(parts) else ""
        inner = cond.args[0] if isinstance(cond, ir.Op) and cond.op is Op.NOT else cond
        if not (isinstance(inner, ir.Op) and inner.op in SYMBOLS):
            return ""
        shown = [self._value(inner.of, self.value(each, env)) for each in inner.args]
        symbol, written = SYMBOLS[inner.op], written_operator(one_line(cond.span))
        if written == TURNED[symbol] != symbol:  # `a >= b` is kept as `b <= a`
            shown, symbol = shown[::-1], written
        if inner is not cond and symbol == "=":
            symbol, inner = "!=", cond
        return ("" if inner is cond else "not ") + f"{shown[0]} {symbol} {shown[1]}"

    def _value(self, type: ir.Type | None, value: Any) -> str:
        if isinstance(value, Fraction):
            if value == 0 and isinstance(type, ir.Number):
                return "0"
            return self.words.value(type if isinstance(type, ir.Number) else ir.Number(), value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return self.words.value(type, value) if isinstance(type, ir.Of) else str(value)

    # -- the values behind it

    def values(self, expr: ir.Expr, env: Env) -> list[str]:
        """`Venue.engine -20 USD, Venue.fund 0 USD`: what `expr` reads, if that can be taken in at a glance."""
        values = self._values(expr, env)
        return [", ".join(values)] if values and len(values) <= MANY else []

    def _values(self, expr: ir.Expr, env: Env, told: frozenset[tuple[Cell, bool]] = frozenset()) -> list[str]:
        now: dict[Cell, Any] = {}
        before: dict[Cell, Any] = {}
        read = dict.fromkeys(self._read_by(expr, env))
        untold = {cell for cell, old in read if (cell, old) not in told}
        for cell, old in read:
            state = (self.old or {}) if old else self.machine.algebra.state
            if cell in state:
                (before if old else now)[cell] = state[cell]
        cells = [cell for cell in dict.fromkeys([*now, *before]) if cell in untold]
        if len(cells) > MANY:
            cells = [cell for cell in cells if now.get(cell) or before.get(cell)]
        return [self._value_of(cell, now, before) for cell in cells]

    def _value_of(self, cell: Cell, now: State, before: State) -> str:
        if cell not in now:
            return f"{self.words.place(cell)} {self.words.cell(cell, before[cell])} before"
        if cell in before and before[cell] != now[cell]:
            return self.words.change(cell, before[cell], now[cell])
        return f"{self.words.place(cell)} {self.words.cell(cell, now[cell])}"

    def _read_by(self, expr: ir.Expr, env: Env, old: bool = False) -> Iterator[tuple[Cell, bool]]:
        match expr:
            case ir.Read(field, member, index):
                try:
                    at = self.value(member, env)
                    yield (field, at, self.value(index, env) if index is not None else 0), old
                except (KeyError, DefectFound):
                    return
            case ir.Old(body):
                yield from self._read_by(body, env, True)
            case ir.Let(name, value, body):
                yield from self._read_by(value, env, old)
                try:
                    yield from self._read_by(body, {**env, name: self.value(value, env)}, old)
                except DefectFound:
                    return
            case ir.Fold(_, var, party, where, body):
                for member in range(self.machine.sizes[party]):
                    yield from self._read_by(where, {**env, var: member}, old)
                    yield from self._read_by(body, {**env, var: member}, old)
            case ir.Op(_, args):
                for each in args:
                    yield from self._read_by(each, env, old)
            case ir.If(cond, then, orelse):
                for each in (cond, then, orelse):
                    yield from self._read_by(each, env, old)
            case _:
                return

    # -- defects

    def defect(self, defect: ir.Defect | None, span: Span) -> Iterator[str]:
        """What was about to happen when the defect was met; the machine stands where it stopped."""
        assert defect is not None
        where = f"`{one_line(span)}`" if span is not NOWHERE and span.text else "this rule"
        yield f"{where} {DEFECTS[defect]}"
        if defect in (ir.Defect.FUNDED, ir.Defect.BOUNDS):
            yield from self._broken()

    def _broken(self) -> Iterator[str]:
        """The places that stand outside their bounds."""
        system, machine = self.machine.system, self.machine
        for field in system.fields.values():
            for cell in machine.cells(field):
                index = cell[2] if field.per else None
                try:
                    inside = all(machine.evaluator.within_bounds(field, cell[1], index))
                except DefectFound:
                    continue
                if not inside:
                    yield f"{self.words.place(cell)} would be {self.words.cell(cell, machine.algebra.state[cell])}"


DEFECTS = {
    ir.Defect.FUNDED: "moves money that is not there",
    ir.Defect.BOUNDS: "goes beyond a declared bound",
    ir.Defect.DIVISION: "has no value here: it divides by zero, or weighs by something below zero",
    ir.Defect.TABLE: "looks beyond the last row of a table",
    ir.Defect.REFUSED: "cannot be carried out, and a duty may not be refused",
    ir.Defect.RESTS: "goes on for ever: the duties never come to rest",
}
