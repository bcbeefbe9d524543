"""Why a condition does not hold: the part of it that fails, in the rulebook's words, with its values filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from attrs import frozen

from specforge.algebra.exact import Cell, ExactMachine, State
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal
from specforge.evidence.play import Judge
from specforge.evidence.replay import Script
from specforge.evidence.trace import Trace
from specforge.evidence.words import Words

Env = dict[str, Any]
MANY = 8  # more values than this are not listed
COMPARISON = re.compile(r"(?<![<>=!:])(!=|<=|>=|=|<|>)(?!=)")
SYMBOLS = {ir.Operator.LT: "<", ir.Operator.LE: "<=", ir.Operator.EQ: "="}
TURNED = {">": "<", ">=": "<="}


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
                return tuple(explainer.failing(claim.cond, moment.env))
            case ReachGoal(reach):
                return tuple(explainer.values(reach.cond, moment.env))
            case DefectGoal():
                return tuple(explainer.defect(trace.defect, moment.span))
            case RuleGoal():
                return ()
    except DefectFound:  # a part that plays no role has no value there; the steps speak for themselves
        return ()


def one_line(span: Span) -> str:
    """The rulebook's own text at `span`, in one line."""
    return " ".join(re.sub(r"#[^\n]*", "", span.text).split())


class Explainer:
    """Explains conditions in the state of `machine`; `old` is the state that `old(...)` speaks of."""

    def __init__(self, words: Words, machine: ExactMachine, old: State | None = None):
        self.words, self.machine, self.old = words, machine, old

    def value(self, expr: ir.Expr, env: Env) -> Any:
        return self.machine.evaluate(expr, env, self.old)

    # -- a condition that fails

    def failing(self, cond: ir.Expr, env: Env) -> list[str]:
        """Sentences that say why `cond` fails: its first failing part, and the values that this part reads."""
        said, part, inner = self._find(cond, env)
        values = [each for each in self._values(part, inner) if each not in _said(said)]
        return [said, ", ".join(values)] if values and len(values) <= MANY else [said]

    def _find(self, cond: ir.Expr, env: Env, wanted: bool = False) -> tuple[str, ir.Expr, Env]:
        """The sentence, the part it is about, and the names bound there.  `wanted`: what the part comes to."""
        match cond:
            case ir.Op(ir.Operator.AND, args) if not wanted:
                return self._find(next((each for each in args if not self.value(each, env)), args[0]), env)
            case ir.Op(ir.Operator.OR, args) if not wanted:
                return self._neither(cond, args, env)
            case ir.Op(ir.Operator.NOT, (inner,)) if not _is_comparison(inner):
                return self._find(inner, env, not wanted)
            case ir.Op(ir.Operator.OR, args) if wanted:
                return self._find(next((each for each in args if self.value(each, env)), args[0]), env, True)
            case ir.Let(name, value, body):
                return self._find(body, {**env, name: self.value(value, env)}, wanted)
            case ir.Fold(ir.Folding.ALL, var, party, where, body) if not wanted:
                for member in range(self.machine.sizes[party]):
                    inner_env = {**env, var: member}
                    if self.value(where, inner_env) and not self.value(body, inner_env):
                        if isinstance(body, ir.Lit):
                            text = self._text(cond, env) or "the condition"
                            return f"{text}: {self.words.member(party, member)} is one", where, inner_env
                        return self._find(body, inner_env)
            case ir.If(condition, then, orelse):
                return self._find(then if self.value(condition, env) else orelse, env, wanted)
            case ir.Old(body):
                inner_machine = ExactMachine(self.machine.system, self.machine.sizes)
                inner_machine.restore(self.old or {})
                said, part, inner = Explainer(self.words, inner_machine, self.old)._find(body, env, wanted)
                return f"before, {said}", ir.Old(part), inner
            case _:
                pass
        return self._atom(cond, env, wanted), cond, env

    def _neither(self, cond: ir.Op, args: tuple[ir.Expr, ...], env: Env) -> tuple[str, ir.Expr, Env]:
        """None of several alternatives holds; `A implies B` is such a pair."""
        first, last = args[0], args[-1]
        if len(args) == 2 and isinstance(first, ir.Op) and first.op is ir.Operator.NOT:
            premise = self._text(first.args[0], env) or self._text(first, env)
            said, part, inner = self._find(last, env)
            return (f"{premise}, yet {said}" if premise else said), part, inner
        sayings = [self._find(each, env)[0] for each in args]
        return " and ".join(sayings), cond, env

    def _atom(self, cond: ir.Expr, env: Env, wanted: bool) -> str:
        text = self._text(cond, env)
        compared = cond.args[0] if isinstance(cond, ir.Op) and cond.op is ir.Operator.NOT else cond
        if isinstance(compared, ir.Op) and _is_comparison(compared):
            return self._comparison(compared, compared is not cond, text, env)
        return f"{text or 'the condition'} is {'yes' if wanted else 'no'}"

    def compared(self, cond: ir.Expr, env: Env) -> str:
        """`-10 USD < 0`, `80 USD = 80 USD and 0 = 0`: a condition with its values; empty if it is not made of comparisons."""
        if isinstance(cond, ir.Op) and cond.op is ir.Operator.AND:
            parts = [self.compared(each, env) for each in cond.args]
            return " and ".join(parts) if all(parts) else ""
        inner = cond.args[0] if isinstance(cond, ir.Op) and cond.op is ir.Operator.NOT else cond
        if isinstance(inner, ir.Op) and _is_comparison(inner):
            return self._filled_in(inner, inner is not cond, self._text(cond, env), env)
        return ""

    def _comparison(self, cond: ir.Op, negated: bool, text: str, env: Env) -> str:
        values = self._filled_in(cond, negated, text, env)
        if not text:
            return values
        return f"{text} does not hold" if text == values else f"{text} is {values}"

    def _filled_in(self, cond: ir.Op, negated: bool, text: str, env: Env) -> str:
        shown = [self._value(cond.of, self.value(each, env)) for each in cond.args]
        symbol, written = SYMBOLS[cond.op], written_operator(text)
        if written is not None and TURNED.get(written) == symbol:  # `a >= b` is kept as `b <= a`
            shown, symbol = shown[::-1], written
        if negated and symbol == "=":
            symbol, negated = "!=", False
        return ("not " if negated else "") + f"{shown[0]} {symbol} {shown[1]}"

    def _value(self, type: ir.Type | None, value: Any) -> str:
        if isinstance(value, Fraction):
            if value == 0 and isinstance(type, ir.Number):
                return "0"
            return self.words.value(type if isinstance(type, ir.Number) else ir.Number(), value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return self.words.value(type, value) if isinstance(type, ir.Of) else str(value)

    def _text(self, expr: ir.Expr, env: Env) -> str:
        """The text of `expr`, with the members that its names stand for; empty if it has none."""
        if expr.span is NOWHERE or not expr.span.text:
            return ""
        text = one_line(expr.span)
        for name, value in env.items():
            plain = name.partition("'")[0]
            party = self._party_of(expr, name)
            if party is not None:
                text = re.sub(rf"(?<![\w.]){re.escape(plain)}(?![\w(])", self.words.member(party, value), text)
        return text

    def _party_of(self, expr: ir.Expr, name: str) -> str | None:
        """The party of the member that `name` stands for, where `expr` uses it to read a field."""
        for node in ir.walk(expr):
            if isinstance(node, ir.Read) and node.member == ir.Var(name):
                return self.words.system.fields[node.field].party
            if isinstance(node, ir.Op) and isinstance(node.of, ir.Of) and ir.Var(name) in node.args:
                return node.of.party
        return None

    # -- the values behind it

    def values(self, expr: ir.Expr, env: Env) -> list[str]:
        """`Venue.engine -20 USD, Venue.fund 0 USD`: what `expr` reads, if that can be taken in at a glance."""
        values = self._values(expr, env)
        return [", ".join(values)] if values and len(values) <= MANY else []

    def _values(self, expr: ir.Expr, env: Env) -> list[str]:
        now: dict[Cell, Any] = {}
        before: dict[Cell, Any] = {}
        for cell, old in self._read_by(expr, env):
            state = (self.old or {}) if old else self.machine.algebra.state
            if cell in state:
                (before if old else now)[cell] = state[cell]
        cells = list(dict.fromkeys([*now, *before]))
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


def _said(sentence: str) -> list[str]:
    """The values that `Venue.hole = 0 is 96 USD = 0` has told already: `Venue.hole 96 USD`."""
    text, _, values = sentence.rpartition(" is ")
    match = COMPARISON.search(text), COMPARISON.search(values)
    if match[0] is None or match[1] is None:
        return []
    sides = (text[: match[0].start()], text[match[0].end() :]), (values[: match[1].start()], values[match[1].end() :])
    return [f"{place.split()[-1]} {value.strip()}" for place, value in zip(*sides, strict=True) if place.split()]


def _is_comparison(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Op) and expr.op in SYMBOLS


def written_operator(text: str) -> str | None:
    """The comparison that stands outside all brackets of `text`; None if there is not exactly one."""
    depth, found = 0, []
    for match in re.finditer(r"[()\[\]]|" + COMPARISON.pattern, text):
        if match[0] in "([":
            depth += 1
        elif match[0] in ")]":
            depth -= 1
        elif depth == 0:
            found.append(match[0])
    return found[0] if len(found) == 1 else None
