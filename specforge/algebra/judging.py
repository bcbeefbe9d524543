"""The core's evaluator over named members and a crowd, and the two sides of a proof: what may be assumed, what must be shown.

A condition that is assumed is used for what it says of each named member and of the sums of each class.  A condition to be
shown for all members is shown for members that stand for any (witnesses): the crowd need not be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from specforge.algebra import laws
from specforge.algebra import polynomial as po
from specforge.algebra.classes import PLAIN, Cond, FlagCond, NotAdditive, Opaque, Own, Split, Virtual, of_each
from specforge.algebra.crowd import CrowdAlgebra
from specforge.algebra.solver import new_flag
from specforge.algebra.symbolic import conj, disj, implies, negate
from specforge.core import ir
from specforge.core.evaluate import Env, Evaluator
from specforge.diagnostics.source import Span
from specforge.records import frozen

Bool = Any
Anybody = frozenset[tuple[str, int]]  # members that stand for any, of open parties
NONE_LEFT: Anybody = frozenset()
Fact = tuple[int, Bool]  # the stage from which it may be used, and what it says


@frozen
class Says:
    """What an assumed condition amounts to: `exact`, a formula with the same meaning, or (None) only `facts` that follow.
    `open`: conditions on a class that it has not answered."""

    exact: Bool | None
    facts: tuple[Fact, ...] = ()
    open: tuple[Any, ...] = ()

    def all_facts(self) -> tuple[Fact, ...]:
        return self.facts if self.exact is None else () if self.exact is True else ((PLAIN, self.exact),)


NOTHING = Says(None)


class CrowdEvaluator(Evaluator):
    """`algebra` is a CrowdAlgebra.  `splitting`: an assumption may cut a class (else what the class does not know is left out).
    `coarse`: who of the crowd counts in a tier is forgotten; each has some cap, at most the one the text gives (which is true
    whoever counts, and needs fewer classes)."""

    algebra: CrowdAlgebra

    def __init__(self, system: ir.System, algebra: CrowdAlgebra, coarse: bool = False):
        super().__init__(system, algebra)
        self.splitting = False
        self.coarse = coarse
        self.anybody = NONE_LEFT
        self._tier_now: ir.Tier | None = None
        self._anything: ir.Expr | None = None  # what is forgotten just now
        self._is_flag = False
        self._giving: ir.Tier | None = None

    # -- the crowd's own way of adding up

    def gather(self, op: ir.Operator, total: Any, one: Any) -> Any:
        if isinstance(one, Opaque):
            raise NotAdditive(one.reason, one.span)
        return super().gather(op, total, one.total() if isinstance(one, Own) else one)

    def _fold(self, expr: ir.Fold, env: Env) -> Any:
        crowd = self.algebra.crowd.get(expr.party, ())
        if not crowd or expr.kind is ir.Folding.ALL:
            return super()._fold(expr, env)
        if expr.kind is not ir.Folding.SUM:
            raise NotAdditive(f"the {expr.kind.value} of the crowd's values is not determined by their sums", expr.span)
        named, total = po.ZERO, po.ZERO
        members = self.algebra.members(expr.party)
        items = of_each(members, lambda index: self._counted(expr, env, index, self.zero))
        for index, item in zip(members, items, strict=True):
            if isinstance(index, Virtual):
                if isinstance(item, Own | Opaque) and item.of is not index:
                    raise NotAdditive("a sum of products of members of the crowd", expr.span)
                total = self.gather(
                    ir.Operator.ADD, total, self.algebra.lift(item, index) if isinstance(item, po.Poly) else item
                )
            elif isinstance(item, Own | Opaque):
                raise NotAdditive("a sum that depends on a member of the crowd", expr.span)
            else:
                named = named + item
        return named + self.algebra.named_total(total)

    def _counted(self, expr: ir.Fold, env: Env, index: Any, otherwise: Any) -> Any:
        """The body for a member that counts."""
        inner = {**env, expr.var: index}
        return self.algebra.choose(self.value(expr.where, inner), lambda: self.value(expr.body, inner), lambda: otherwise)

    def _all(self, expr: ir.Fold, env: Env, members: list[Any]) -> Any:
        def holds(index: Any) -> Bool:
            cond = self.algebra.decide(self._counted(expr, env, index, self.yes))
            return disj((index.empty, cond)) if isinstance(index, Virtual) else cond

        return conj(of_each(members, holds))

    def _simultaneously(self, bodies: Callable[[], None]) -> None:
        outermost = self._touched is None

        def and_together() -> None:
            bodies()
            if outermost:
                self.algebra.flush()

        super()._simultaneously(and_together)

    def _in_turn(self, turn: ir.Tier, env: Env) -> None:
        if self.algebra.crowd.get(turn.party or "", ()):
            raise NotAdditive("members who act one after the other are not known by their sums", turn.span)
        super()._in_turn(turn, env)

    def _set(self, statement: ir.Set, env: Env) -> None:
        self._is_flag = isinstance(self.system.fields[statement.place.field].type, ir.Flag)
        with self.algebra.speaking(("span", statement.span)), self._forgetting(statement.span, statement.value):
            super()._set(statement, env)

    def _move(self, statement: ir.Move, env: Env) -> None:
        self._is_flag = False
        with self.algebra.speaking(("span", statement.span)), self._forgetting(statement.span, statement.amount):
            super()._move(statement, env)

    @contextmanager
    def _forgetting(self, span: Span, amount: ir.Expr) -> Generator[None]:
        before, self._anything = self._anything, amount if span in self.algebra.forgotten else None
        try:
            yield
        finally:
            self._anything = before

    def _any_amount(self, env: Env) -> Any:
        """Inside a tier: any multiple of what a member gives; elsewhere anything."""
        algebra, tier = self.algebra, self._giving
        number = algebra.counts["anything"] = algebra.counts.get("anything", 0) + 1
        virtual = next((each for each in reversed(env.values()) if isinstance(each, Virtual)), None)
        if self._is_flag:
            return FlagCond(virtual, ("flag", f"anything!{number}", 0)) if virtual else new_flag(f"anything!{number}")
        any_ = algebra.fresh("any amount")
        if tier is not None and tier.share in env:
            return algebra.apply(ir.Operator.MUL, env[tier.share], any_)
        return Own(virtual, {("anything", number): po.ONE}) if virtual else any_

    def _tier(self, tier: ir.Tier, asked: Any, env: Env) -> Any:
        before, self._giving = self._giving, tier
        try:
            with self.algebra.speaking(("span", tier.span)):
                return self._shared(tier, asked, env)
        finally:
            self._giving = before

    def _shared(self, tier: ir.Tier, asked: Any, env: Env) -> Any:
        factor = cap_per_weight(tier)
        self.algebra.kappa = None
        if factor is not None:
            kappa = self.value(factor, env)
            self.algebra.kappa = kappa if isinstance(kappa, po.Poly) and self.algebra.never_negative(kappa) else None
        self._tier_now = tier if tier.party is not None else None
        try:
            return super()._tier(tier, asked, env)
        finally:
            self._tier_now = None

    def _cap(self, tier: ir.Tier, env: Env) -> Any:
        member = env.get(tier.var)
        if not self.coarse or self._tier_now is not tier or not isinstance(member, Virtual):
            return super()._cap(tier, env)
        atom = ("share", self.algebra.tiers, "cap")
        self.algebra.own_signs.add((member.party, atom))
        cap = Own(member, {atom: po.ONE})
        self.algebra.fact(PLAIN, *laws.NOT_NEGATIVE.of(cap.total()))
        try:
            most = self.value(tier.cap, env)
            known = self.algebra.answer(self.algebra.apply(ir.Operator.LE, self.zero, most))
        except (Split, NotAdditive):
            return cap
        if known is True and isinstance(most, Own):
            self.algebra.fact(PLAIN, *laws.NOT_NEGATIVE.of(most.total() - cap.total()))
        return cap

    # -- nothing goes wrong for members who are not there

    @contextmanager
    def _somebody(self, env: Env) -> Generator[None]:
        virtual = [each for each in env.values() if isinstance(each, Virtual)]
        self.algebra.guards.extend(negate(each.empty) for each in virtual)
        self.algebra.acting.extend(virtual)
        try:
            yield
        finally:
            del self.algebra.acting[len(self.algebra.acting) - len(virtual) :]
            del self.algebra.guards[len(self.algebra.guards) - len(virtual) :]

    def value(self, expr: ir.Expr, env: Env) -> Any:
        if expr is self._anything:
            return self._any_amount(env)
        tier = self._tier_now
        if tier is not None and (expr is tier.where or expr is tier.key) and isinstance(env.get(tier.var), Virtual):
            if expr is tier.where and self.coarse:
                return True
            if expr is tier.key and (self.coarse or tier.policy is not ir.Policy.PROPORTION):
                return Opaque(env[tier.var], "nothing is said of the crowd's order", tier.span)  # and never used
        if isinstance(expr, ir.Undefined):
            with self._somebody(env):
                return super().value(expr, env)
        return super().value(expr, env)

    def _operate(self, op: ir.Operator, args: tuple[ir.Expr, ...], env: Env, span: Span) -> Any:
        if op is ir.Operator.DIV:
            with self._somebody(env):
                return super()._operate(op, args, env, span)
        result = super()._operate(op, args, env, span)
        if isinstance(result, Opaque) and not result.span.file.path:
            return Opaque(result.of, result.reason, span)
        return result

    def execute(self, block: ir.Block, env: Env) -> None:
        with self._somebody(env):
            super().execute(block, env)

    def _touch(self, field: ir.Field, member: Any, index: Any, span: Span) -> None:
        with self.algebra.of_crowd(member):
            super()._touch(field, member, index, span)

    # -- assuming

    def assume(self, expr: ir.Expr, env: Env) -> list[Fact]:
        """What follows from `expr` (wherever it is defined)."""
        says, defined = self._apart(lambda: self._says(expr, env, True))
        return [(stage, implies(defined, fact)) for stage, fact in says.all_facts()]

    def _apart(self, run: Callable[[], Any]) -> tuple[Any, Bool]:
        """What `run` gives, and the conditions under which what it reads is defined."""
        algebra = self.algebra
        before, owed, guards = len(algebra.conditions), len(algebra.owed), algebra.guards
        algebra.guards = []
        try:
            result = run()
            return result, conj(algebra.conditions[before:])
        finally:
            algebra.guards = guards
            del algebra.conditions[before:], algebra.owed[owed:]

    def _says(self, expr: ir.Expr, env: Env, want: bool) -> Says:
        match expr:
            case ir.Op(ir.Operator.NOT, (inner,)):
                return self._says(inner, env, not want)
            case ir.Op(ir.Operator.AND | ir.Operator.OR as op, args):
                each = (self._says(arg, env, want) for arg in args)
                return self._both(each, env) if (op is ir.Operator.AND) == want else self._one_of(each)
            case ir.Fold(ir.Folding.ALL) if want:
                members = self.algebra.members(expr.party)
                return self._both(of_each(members, lambda index: self._of_member(expr, env, index)), env)
            case ir.Let(name, value, body):
                known = self._leaf(lambda: self.value(value, env))
                return NOTHING if known is None else self._says(body, {**env, name: known}, want)
            case ir.If(cond, then, orelse):
                one = self._one_of(iter((self._says(cond, env, False), self._says(then, env, want))))
                other = self._one_of(iter((self._says(cond, env, True), self._says(orelse, env, want))))
                return self._both(iter((one, other)), env)
            case _:
                return self._says_leaf(expr, env, want)

    def _of_member(self, expr: ir.Fold, env: Env, index: Any) -> Says:
        inner = {**env, expr.var: index}
        each = (self._says(part, inner, want) for part, want in ((expr.where, False), (expr.body, True)))
        says = self._one_of(each)
        if isinstance(index, Virtual) and says.exact is not None:
            return Says(disj((index.empty, says.exact)))
        return says

    def _leaf(self, run: Callable[[], Any]) -> Any | None:
        try:
            return run()
        except Split:
            if self.splitting:
                raise
            return None
        except NotAdditive:
            return None

    def _says_leaf(self, expr: ir.Expr, env: Env, want: bool) -> Says:
        value = self._leaf(lambda: self.value(expr, env))
        if value is None or isinstance(value, Opaque):
            return NOTHING
        cond = value if want else self.algebra.opposite(value)
        known = self.algebra.answer(cond)
        if known is not None:
            return Says(known)
        return Says(None, tuple(self.algebra.consequences(cond)), (cond,))

    def _both(self, parts: Iterable[Says], env: Env) -> Says:
        """All of them hold.  INVARIANT: what does not depend on a member's own values is said only if there is such a
        member."""
        known: list[Bool] = []
        facts: list[Fact] = []
        open_: list[Any] = []
        for part in parts:
            if part.exact is not None:
                known.append(part.exact)
            else:
                facts += part.facts
                open_ += part.open
                known.append(None)
        if None not in known:
            return Says(conj(known))
        nobody = [each.empty for each in env.values() if isinstance(each, Virtual)]
        facts += [(PLAIN, disj((*nobody, each))) for each in known if each is not None and each is not True]
        return Says(None, tuple(facts), tuple(open_))

    def _one_of(self, parts: Iterator[Says]) -> Says:
        """At least one holds.  Of several that a class has not answered nothing follows for its sums, unless it is cut."""
        known: list[Bool] = []
        unknown: list[Says] = []
        for part in parts:
            if part.exact is True:
                return Says(True)
            if part.exact is None:
                unknown.append(part)
            else:
                known.append(part.exact)
        if not unknown:
            return Says(disj(known))
        if len(unknown) > 1:
            if self.splitting:
                for part in unknown:
                    for cond in part.open:
                        self.algebra.decide(cond)
            return NOTHING
        return Says(None, tuple((stage, disj((*known, fact))) for stage, fact in unknown[0].facts), unknown[0].open)

    # -- showing

    def show(self, expr: ir.Expr, env: Env) -> Bool:
        """A formula that, if it is valid, shows `expr` for every choice of the members that stand for any.  Raises Split or
        NotAdditive."""
        formula, defined = self._apart(lambda: self._shown(expr, env, True, self.anybody))
        return implies(defined, formula)

    def _shown(self, expr: ir.Expr, env: Env, want: bool, left: Anybody) -> Bool:
        """`left`: members that stand for any and were not chosen yet.  INVARIANT: what does not speak of all of them is shown
        where there are fewer (engines/induction.py asks with none, with one, and so on)."""
        if left and not witnesses(expr, want):
            return True
        match expr:
            case ir.Op(ir.Operator.NOT, (inner,)):
                return self._shown(inner, env, not want, left)
            case ir.Op(ir.Operator.AND | ir.Operator.OR as op, args) if (op is ir.Operator.AND) == want:
                return conj([self._shown(arg, env, want, left) for arg in args])
            case ir.Op(ir.Operator.AND | ir.Operator.OR, args):
                return self._one_shown([(arg, want) for arg in args], env, left)
            case ir.Fold(ir.Folding.ALL) if want:
                chosen = ((index, {**env, expr.var: index}) for index in range(self.algebra.named[expr.party]))
                parts = [(expr.where, False), (expr.body, True)]
                return conj(self._one_shown(parts, now, left - {(expr.party, index)}) for index, now in chosen)
            case ir.Let(name, value, body):
                return self._shown(body, {**env, name: self.value(value, env)}, want, left)
            case _:
                value = self.algebra.decide(self.value(expr, env))
                return value if want else negate(value)

    def _one_shown(self, parts: Sequence[tuple[ir.Expr, bool]], env: Env, left: Anybody) -> Bool:
        """That one of them holds; of several that each choose members of their own, whatever each chooses."""
        choosing = [bool(witnesses(each, want)) for each, want in parts]
        if left and not any(choosing):
            return True
        left = left if sum(choosing) == 1 else NONE_LEFT
        shown = zip(parts, choosing, strict=True)
        return disj([self._shown(each, env, want, left if chooses else NONE_LEFT) for (each, want), chooses in shown])


def cap_per_weight(tier: ir.Tier) -> ir.Expr | None:
    """If every cap is the same multiple of the weight: that multiple."""
    if tier.policy is not ir.Policy.PROPORTION or tier.key is None:
        return None
    if tier.cap == tier.key:
        return ir.ONE
    match tier.cap:
        case ir.Op(ir.Operator.MUL, (a, b)):
            for factor, weight in ((a, b), (b, a)):
                mentioned = {node.name for node in ir.walk(factor) if isinstance(node, ir.Var)}
                if weight == tier.key and tier.var not in mentioned:
                    return factor
        case _:
            pass
    return None


def witnesses(expr: ir.Expr, want: bool = True) -> dict[str, int]:
    """How many members of each open party must stand for any, to show `expr`."""
    match expr:
        case ir.Op(ir.Operator.NOT, (inner,)):
            return witnesses(inner, not want)
        case ir.Op(ir.Operator.AND | ir.Operator.OR, args):
            counts = [witnesses(arg, want) for arg in args]
            # INVARIANT: two alternatives may each need members of their own; so may two conjuncts, but not at once.
            together = sum if (expr.op is ir.Operator.OR) == want else max
            return {party: together(c.get(party, 0) for c in counts) for c in counts for party in c}
        case ir.Fold(ir.Folding.ALL) if want:
            inside, where = witnesses(expr.body, True), witnesses(expr.where, False)
            inside = {party: inside.get(party, 0) + where.get(party, 0) for party in {*inside, *where}}
            return {**inside, expr.party: inside.get(expr.party, 0) + 1}
        case ir.Let(body=body):
            return witnesses(body, want)
        case _:
            return {}


__all__ = ["Cond", "CrowdEvaluator", "Fact", "FlagCond", "Says", "cap_per_weight", "witnesses"]
