"""The one meaning of expressions and statements, over any algebra of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from quicktions import Fraction

from specforge.core import ir
from specforge.core.algebra import Algebra, Value, View
from specforge.diagnostics.source import Span

Env = dict[str, Value]
LIVE: View = None


class Evaluator:
    """Runs the core over `algebra`.  `view` is the state that expressions read (LIVE outside simultaneous loops)."""

    def __init__(self, system: ir.System, algebra: Algebra):
        self.system = system
        self.algebra = algebra
        self.view: View = LIVE
        self.old: View = LIVE
        self.in_duty = False
        self._touched: list[tuple[ir.Field, Value, Value | None, Span]] | None = None  # inside a simultaneous loop
        self._bounded_by = bounded_by(system)
        self.zero = algebra.number(Fraction(0))
        self.yes, self.no = algebra.flag(True), algebra.flag(False)

    # ------------------------------------------------------------ expressions

    def value(self, expr: ir.Expr, env: Env) -> Value:
        algebra = self.algebra
        if isinstance(expr, ir.Op):  # the frequent ones first, and without taking them apart: this is where the time goes
            return self._operate(expr.op, expr.args, env, expr.span)
        if isinstance(expr, ir.Read):
            at = None if expr.index is None else self.value(expr.index, env)
            return algebra.read(self.view, self.system.fields[expr.field], self.value(expr.member, env), at)
        if isinstance(expr, ir.Var):
            return env[expr.name]
        match expr:
            case ir.Lit(literal):
                if isinstance(literal, bool):
                    return self.yes if literal else self.no
                if isinstance(literal, ir.Member):
                    return algebra.member(literal.party, literal.index)
                return algebra.number(literal)
            case ir.If(cond, then, orelse):
                return algebra.choose(self.value(cond, env), lambda: self.value(then, env), lambda: self.value(orelse, env))
            case ir.Let(name, value, body):
                return self.value(body, {**env, name: algebra.name(name, self.value(value, env))})
            case ir.Fold():
                return self._fold(expr, env)
            case ir.Old(body):
                view, self.view = self.view, self.old
                try:
                    return self.value(body, env)
                finally:
                    self.view = view
            case ir.Undefined(defect):
                return algebra.undefined(defect, expr.span)
        assert_never(expr)

    def _operate(self, op: ir.Operator, args: tuple[ir.Expr, ...], env: Env, span: Span) -> Value:
        algebra = self.algebra
        if op is ir.Operator.AND:
            return self._chain(args, env, stop=False)
        if op is ir.Operator.OR:
            return self._chain(args, env, stop=True)
        values = [self.value(each, env) for each in args]
        if op is ir.Operator.DIV:
            return algebra.divide(values[0], values[1], span)
        return algebra.apply(op, *values)

    def _chain(self, args: tuple[ir.Expr, ...], env: Env, stop: bool) -> Value:
        """`and` (stop at no) and `or` (stop at yes), left to right; what is not reached need not be defined."""
        first = self.value(args[0], env)
        if len(args) == 1:
            return first
        rest = lambda: self._chain(args[1:], env, stop)  # noqa: E731
        if stop:
            return self.algebra.choose(first, lambda: self.yes, rest)
        return self.algebra.choose(first, rest, lambda: self.no)

    def _fold(self, expr: ir.Fold, env: Env) -> Value:
        algebra = self.algebra
        members = algebra.members(expr.party)
        result: Value | None = self.zero if expr.kind is ir.Folding.SUM else None
        if expr.kind is ir.Folding.ALL:
            return self._all(expr, env, list(members))
        found = self.no
        for index in members:
            inner = {**env, expr.var: algebra.member(expr.party, index)}
            counted = self.value(expr.where, inner)
            if expr.kind is ir.Folding.SUM:
                item = algebra.choose(counted, lambda: self.value(expr.body, inner), lambda: self.zero)  # noqa: B023
                result = self.gather(ir.Operator.ADD, result, item)
            else:
                result, found = self._extreme(expr, inner, counted, result, found)
        if expr.kind is ir.Folding.SUM:
            return result
        best = result
        return algebra.choose(found, lambda: best, lambda: algebra.undefined(ir.Defect.DIVISION, expr.span))

    def _all(self, expr: ir.Fold, env: Env, members: list[int]) -> Value:
        if not members:
            return self.yes
        inner = {**env, expr.var: self.algebra.member(expr.party, members[0])}
        where = self.value(expr.where, inner)
        holds = self.algebra.choose(where, lambda: self.value(expr.body, inner), lambda: self.yes)
        if len(members) == 1:
            return holds
        return self.algebra.choose(holds, lambda: self._all(expr, env, members[1:]), lambda: self.no)

    def _extreme(self, expr: ir.Fold, env: Env, counted: Value, best: Value | None, found: Value) -> tuple[Value, Value]:
        """One more member for `largest of` / `smallest of`: the best so far, and whether there is one."""
        algebra = self.algebra
        item = algebra.name("item", algebra.choose(counted, lambda: self.value(expr.body, env), lambda: self.zero))
        if best is None:
            return item, algebra.name("found", counted)
        so_far = best
        first, second = (so_far, item) if expr.kind is ir.Folding.LARGEST else (item, so_far)
        better = algebra.choose(found, lambda: algebra.apply(ir.Operator.LT, first, second), lambda: self.yes)
        take = algebra.choose(counted, lambda: better, lambda: self.no)
        best = algebra.name("best", algebra.choose(take, lambda: item, lambda: so_far))
        return best, algebra.name("found", algebra.choose(found, lambda: self.yes, lambda: counted))

    def gather(self, op: ir.Operator, total: Value, one: Value) -> Value:
        """A total, with one more member's part added or taken away."""
        return self.algebra.apply(op, total, one)

    def at_least(self, a: Value, b: Value) -> Value:
        return self.algebra.apply(ir.Operator.LE, b, a)

    # ------------------------------------------------------------ statements

    def execute(self, block: ir.Block, env: Env) -> None:
        env = dict(env)
        for statement in block:
            match statement:
                case ir.Bind(name, value):
                    env[name] = self.algebra.name(name, self.value(value, env))
                case ir.Require(cond):
                    if self.in_duty:
                        self.algebra.demand(self.value(cond, env), ir.Defect.REFUSED, statement.span)
                    else:
                        self.algebra.require(self.value(cond, env), statement.span)
                case ir.Set():
                    self._set(statement, env)
                case ir.Move():
                    self._move(statement, env)
                case ir.Branch(cond, then, orelse):
                    self.algebra.branch(
                        self.value(cond, env),
                        lambda then=then: self.execute(then, env),
                        lambda orelse=orelse: self.execute(orelse, env),
                    )
                case ir.ForEach(var, party, where, body):
                    self._for_each(var, party, where, body, env)
                case ir.InTurn(turn):
                    self._in_turn(turn, env)
                case ir.Collect():
                    self._collect(statement, env)
                case ir.Took(action, args):
                    self.algebra.took(action, tuple(self.value(each, env) for each in args))
                case _:
                    assert_never(statement)

    def _set(self, statement: ir.Set, env: Env) -> None:
        field, member, index = self._place(statement.place, env)
        value = self.value(statement.value, env)
        if statement.add:
            value = self.algebra.apply(ir.Operator.ADD, self.algebra.read(LIVE, field, member, index), value)
        self.algebra.write(field, member, index, value)
        self._touch(field, member, index, statement.span)

    def _move(self, statement: ir.Move, env: Env) -> None:
        algebra, add, sub = self.algebra, ir.Operator.ADD, ir.Operator.SUB
        amount = algebra.name("amount", self.value(statement.amount, env))
        ends = [self._place(place, env) if place is not None else None for place in (statement.source, statement.target)]
        if not all(end is not None and end[0].kind is ir.Kind.NET for end in ends):
            algebra.demand(self.at_least(amount, self.zero), ir.Defect.FUNDED, statement.span)
        houses = [ir.holdings_field(end[0].house, end[0].asset) if end is not None else None for end in ends]
        for end, house, op in zip(ends, houses, (sub, add), strict=True):
            if end is not None:
                field, member, index = end
                algebra.write(field, member, index, algebra.apply(op, algebra.read(LIVE, field, member, index), amount))
            if house is not None and houses[0] != houses[1]:
                held, rules = self.system.fields[house], algebra.member(ir.RULES, 0)
                algebra.write(held, rules, None, algebra.apply(op, algebra.read(LIVE, held, rules, None), amount))
                self._touch(held, rules, None, statement.span)
        source, target = ends
        if source is not None:
            self._touch(*source, statement.span)
        if target is not None and (target[0].high is not None or target[0].name in self._bounded_by):
            self._touch(*target, statement.span)

    def _for_each(self, var: str, party: str, where: ir.Expr, body: ir.Block, env: Env) -> None:
        def each() -> None:
            for index in self.algebra.members(party):
                inner = {**env, var: self.algebra.member(party, index)}
                self.algebra.branch(self.value(where, inner), lambda inner=inner: self.execute(body, inner), lambda: None)

        self._simultaneously(each)

    def _simultaneously(self, bodies: Callable[[], None]) -> None:
        """All expressions read the state as it is now; floors and bounds are checked when everybody has acted.  A loop inside
        a loop reads the same state, the one from before the outer loop."""
        if self._touched is not None:
            bodies()
            return
        self.view, self._touched = self.algebra.freeze(), []
        try:
            bodies()
            touched = self._touched
        finally:
            self.view, self._touched = LIVE, None
        seen: set[object] = set()
        for field, member, index, span in touched:
            key = (field.name, str(member), str(index))
            if key not in seen:
                seen.add(key)
                self._touch(field, member, index, span)

    def _collect(self, statement: ir.Collect, env: Env) -> None:
        algebra, less = self.algebra, ir.Operator.LT
        asked = algebra.name("asked", self.value(statement.asked, env))
        asked = algebra.name("asked", algebra.choose(algebra.apply(less, asked, self.zero), lambda: self.zero, lambda: asked))
        for tier in statement.tiers:
            asked = self._tier(tier, asked, env)
        something_left = algebra.apply(less, self.zero, asked)
        if statement.rest is None:
            algebra.demand(algebra.apply(ir.Operator.NOT, something_left), ir.Defect.REFUSED, statement.span)
        else:
            rest, inner = statement.rest, {**env, statement.left: asked}
            algebra.branch(something_left, lambda: self.execute(rest, inner), lambda: None)

    def _tier(self, tier: ir.Tier, asked: Value, env: Env) -> Value:
        """One tier: freeze, share, do; what is still asked afterwards."""
        algebra = self.algebra
        members, inner, caps, keys = self._frozen(tier, env)
        step = None if tier.step is None else algebra.name("step", self.value(tier.step, env))
        shares = [algebra.name(tier.share, x) for x in algebra.shares(tier, asked, members, caps, keys, step)]

        def give() -> None:
            for each, share in zip(inner, shares, strict=True):
                giving = algebra.apply(ir.Operator.LT, self.zero, share)
                acts = {**each, tier.share: share}
                algebra.branch(giving, lambda acts=acts: self.execute(tier.body, acts), lambda: None)

        if tier.party is None:
            give()
        else:
            self._simultaneously(give)
        for share in shares:
            asked = self.gather(ir.Operator.SUB, asked, share)
        return algebra.name("asked", asked)

    def _frozen(self, tier: ir.Tier, env: Env) -> tuple[list[int], list[Env], list[Value], list[Value]]:
        """The members, each with the names in its body, its cap and its key, in the state as it is now."""
        algebra = self.algebra
        members = [0] if tier.party is None else list(algebra.members(tier.party))
        inner = [env if tier.party is None else {**env, tier.var: algebra.member(tier.party, index)} for index in members]
        caps, keys = [], []
        for each in inner:
            counts = algebra.name("counts", self.value(tier.where, each))
            caps.append(algebra.name("cap", algebra.choose(counts, lambda each=each: self._cap(tier, each), lambda: self.zero)))
            if tier.key is not None:
                key = lambda each=each: self.value(tier.key, each)  # noqa: E731  # type: ignore[arg-type]
                keys.append(algebra.name("key", algebra.choose(counts, key, lambda: self.zero)))
        return members, inner, caps, keys

    def _in_turn(self, turn: ir.Tier, env: Env) -> None:
        """One turn after the other is given away by the law of tiers: to one who still waits, by the order."""
        algebra = self.algebra
        members, inner, waiting, keys = self._frozen(turn, env)
        one = algebra.number(Fraction(1))
        for _ in members:
            turns = [algebra.name(turn.share, x) for x in algebra.shares(turn, one, members, waiting, keys, None)]
            waiting = [algebra.apply(ir.Operator.SUB, *pair) for pair in zip(waiting, turns, strict=True)]
            waiting = [algebra.name("waiting", each) for each in waiting]
            for each, has_it in zip(inner, turns, strict=True):
                acts = algebra.apply(ir.Operator.LT, self.zero, has_it)
                algebra.branch(acts, lambda each=each: self.execute(turn.body, each), lambda: None)

    def _cap(self, tier: ir.Tier, env: Env) -> Value:
        cap = self.algebra.name("cap", self.value(tier.cap, env))
        return self.algebra.choose(self.algebra.apply(ir.Operator.LT, cap, self.zero), lambda: self.zero, lambda: cap)

    # ------------------------------------------------------------ places and their bounds

    def _place(self, place: ir.Place, env: Env) -> tuple[ir.Field, Value, Value | None]:
        index = None if place.index is None else self.algebra.name("index", self.value(place.index, env))
        return self.system.fields[place.field], self.algebra.name("member", self.value(place.member, env)), index

    def _touch(self, field: ir.Field, member: Value, index: Value | None, span: Span) -> None:
        """The place has changed: check its floor or bounds, and the bounds that depend on it, now or at the loop's end."""
        if self._touched is not None:
            self._touched.append((field, member, index, span))
            return
        for cond in self.within_bounds(field, member, index):
            self.algebra.demand(cond, DEFECT_OF[field.kind], span)
        for other in self._bounded_by.get(field.name, ()):
            if other.per is None or other.per == field.per:
                for cond in self.within_bounds(other, member, index if other.per else None):
                    self.algebra.demand(cond, ir.Defect.BOUNDS, span)

    def within_bounds(self, field: ir.Field, member: Value, index: Value | None) -> list[Value]:
        """The conditions that the declared bounds (or the floor) put on what the place holds now."""
        low = field.lowest
        conditions: list[Value] = []
        here = self.algebra.read(LIVE, field, member, index)
        env = {"self": member}
        if field.low is not None and field.low == field.high:  # set by a `use … with`: flags and members have no order
            return [self.algebra.apply(ir.Operator.EQ, self.value(field.low, env), here)]
        if low is not None:
            bound = self.value(low, env)
            op = ir.Operator.LT if field.low_open else ir.Operator.LE
            conditions.append(self.algebra.apply(op, bound, here))
        if field.high is not None:
            conditions.append(self.algebra.apply(ir.Operator.LE, here, self.value(field.high, env)))
        return conditions


DEFECT_OF = {
    ir.Kind.BALANCE: ir.Defect.FUNDED,
    ir.Kind.NET: ir.Defect.FUNDED,
    ir.Kind.HOUSE: ir.Defect.FUNDED,
    ir.Kind.PLAIN: ir.Defect.BOUNDS,
    ir.Kind.PARAMETER: ir.Defect.BOUNDS,
}


def bounded_by(system: ir.System) -> dict[str, list[ir.Field]]:
    """For each field, the fields whose bounds mention it (a credit line, say, under an account's floor)."""
    result: dict[str, list[ir.Field]] = {}
    for each in system.fields.values():
        for bound in (each.low, each.high):
            if bound is None:
                continue
            for node in ir.walk(bound):
                if isinstance(node, ir.Read) and system.fields[node.field].kind is not ir.Kind.PARAMETER:
                    result.setdefault(node.field, []).append(each)
    return result
