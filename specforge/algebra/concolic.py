"""Exact fractions that remember what they depend on: a run executed once, and the conditions under which it goes the same way.

Some inputs of the run are unknowns with a value.  Every decision (a guard, a branch, whose turn it is) is taken by the exact
value and written down as a condition on the unknowns.  Where all conditions hold, the same run shows the same thing: that is
how "any price below 90 does" is proved, and how amounts are made round without trying them one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import product
from typing import Any

import z3
from quicktions import Fraction

from specforge.algebra.exact import OPERATIONS, ExactAlgebra, ExactMachine
from specforge.algebra.symbolic import real
from specforge.core import ir
from specforge.core.evaluate import Env
from specforge.core.machine import Choice, DefectFound, Members
from specforge.diagnostics.source import Span
from specforge.records import frozen


@frozen(eq=False)
class Both:
    """An exact value (a number or a flag), and the term it is the value of."""

    exact: Any
    term: Any

    def __bool__(self) -> bool:
        raise TypeError("decide through the algebra")


def exact(value: Any) -> Any:
    return value.exact if isinstance(value, Both) else value


def _term(value: Any) -> Any:
    return value.term if isinstance(value, Both) else real(value) if isinstance(value, Fraction) else z3.BoolVal(value)


TERMS: dict[ir.Operator, Callable[..., Any]] = {
    ir.Operator.ADD: lambda a, b: a + b,
    ir.Operator.SUB: lambda a, b: a - b,
    ir.Operator.MUL: lambda a, b: a * b,
    ir.Operator.LT: lambda a, b: a < b,
    ir.Operator.LE: lambda a, b: a <= b,
    ir.Operator.EQ: lambda a, b: a == b,
    ir.Operator.NOT: lambda a: z3.Not(a),
}


class ConcolicAlgebra(ExactAlgebra):
    """`conditions`: what was decided so far, as formulas over the unknowns (each true of their values)."""

    def __init__(self, sizes: Mapping[str, int]):
        super().__init__(sizes)
        self.conditions: list[z3.BoolRef] = []

    def unknown(self, name: str, value: Fraction) -> Both:
        return Both(value, z3.Real(name))

    def decide(self, cond: Any) -> bool:
        """What the exact value says; written down if it depends on the unknowns."""
        if isinstance(cond, Both):
            self.conditions.append(cond.term if cond.exact else z3.Not(cond.term))
            return cond.exact
        return cond

    def apply(self, op: ir.Operator, *args: Any) -> Any:
        if not any(isinstance(each, Both) for each in args):
            return OPERATIONS[op](*args)
        value = OPERATIONS[op](*(exact(each) for each in args))
        if op is ir.Operator.FLOOR:
            self.conditions.append(z3.And(real(value) <= args[0].term, args[0].term < real(value + 1)))
            return value
        if op is ir.Operator.MUL and any(not isinstance(each, Both) and each == 0 for each in args):
            return value
        return Both(value, TERMS[op](*(_term(each) for each in args)))

    def divide(self, a: Any, b: Any, span: Span) -> Any:
        if self.decide(self.apply(ir.Operator.EQ, b, Fraction(0))):
            raise DefectFound(ir.Defect.DIVISION, span)
        if isinstance(b, Both):
            return Both(exact(a) / b.exact, _term(a) / b.term)
        return self.apply(ir.Operator.MUL, a, 1 / b)

    def choose(self, cond: Any, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        return super().choose(self.decide(cond), then, orelse)

    def branch(self, cond: Any, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        super().branch(self.decide(cond), then, orelse)

    def require(self, cond: Any, span: Span) -> None:
        super().require(self.decide(cond), span)

    def demand(self, cond: Any, defect: ir.Defect, span: Span) -> None:
        super().demand(self.decide(cond), defect, span)

    # -- sharing: the law of `share_out`, every comparison decided

    def _less(self, a: Any, b: Any) -> bool:
        return self.decide(self.apply(ir.Operator.LT, a, b))

    def _sub(self, a: Any, b: Any) -> Any:
        return self.apply(ir.Operator.SUB, a, b)

    def _total(self, values: Sequence[Any]) -> Any:
        total: Any = Fraction(0)
        for each in values:
            total = self.apply(ir.Operator.ADD, total, each)
        return total

    def shares(
        self, tier: ir.Tier, asked: Any, members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any], step: Any
    ) -> list[Any]:
        zero = Fraction(0)
        live = [i for i, cap in enumerate(caps) if self._less(zero, cap)]
        given: list[Any] = [zero] * len(caps)
        if tier.policy is ir.Policy.PROPORTION:
            self._proportion(tier, asked, live, caps, keys, given)
        else:
            self._one_by_one(tier, asked, live, members, caps, keys, given)
        if step is not None:
            if not self._less(zero, step):
                raise DefectFound(ir.Defect.DIVISION, tier.span)
            whole = [self.apply(ir.Operator.FLOOR, self.divide(x, step, tier.span)) for x in given]
            given = [self.apply(ir.Operator.MUL, x, step) for x in whole]
        return given

    def _proportion(
        self, tier: ir.Tier, asked: Any, live: list[int], caps: Sequence[Any], weights: Sequence[Any], given: list[Any]
    ) -> None:
        if any(self._less(w, Fraction(0)) for w in weights):
            raise DefectFound(ir.Defect.DIVISION, tier.span)
        running = [i for i in live if self._less(Fraction(0), weights[i])]
        remaining = asked
        while running and self._less(Fraction(0), remaining):
            rate = self.divide(remaining, self._total([weights[i] for i in running]), tier.span)
            part = {i: self.apply(ir.Operator.MUL, rate, weights[i]) for i in running}
            full = [i for i in running if not self._less(part[i], caps[i])]
            for i in full or running:
                given[i] = caps[i] if full else part[i]
            if not full:
                return
            remaining = self._sub(remaining, self._total([caps[i] for i in full]))
            running = [i for i in running if i not in full]

    def _one_by_one(
        self, tier: ir.Tier, asked: Any, live: list[int], members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any],
        given: list[Any],
    ) -> None:  # fmt: skip
        remaining, waiting = asked, list(live)
        while waiting and self._less(Fraction(0), remaining):
            best = waiting if tier.policy is ir.Policy.ANY else self.best(waiting, keys, tier.policy is ir.Policy.HIGHEST)
            chosen = best[0]
            if len(best) > 1 and self._less(remaining, self._total([caps[i] for i in best])):
                chosen = best[self.picker(Choice(tier.name, tuple((members[i],) for i in best)))]
            given[chosen] = remaining if self._less(remaining, caps[chosen]) else caps[chosen]
            remaining = self._sub(remaining, given[chosen])
            waiting.remove(chosen)

    def best(self, among: Sequence[int], keys: Sequence[Any], highest: bool) -> list[int]:
        """Those with the best key."""
        top = among[0]
        for i in among[1:]:
            if self._less(keys[top], keys[i]) if highest else self._less(keys[i], keys[top]):
                top = i
        return [i for i in among if i == top or self.decide(self.apply(ir.Operator.EQ, keys[i], keys[top]))]


class ConcolicMachine(ExactMachine):
    """The interpreter over values that remember; `begin` takes unknowns among the fixed cells."""

    def __init__(self, system: ir.System, sizes: Mapping[str, int]):
        super().__init__(system, sizes, ConcolicAlgebra)
        self.concolic: ConcolicAlgebra = self.algebra  # type: ignore[assignment]

    def evaluate(self, expr: ir.Expr, env: Env | None = None, old: Any = None) -> Any:
        value = super().evaluate(expr, env, old)
        return self.concolic.decide(value) if isinstance(exact(value), bool) else value

    def check_start(self) -> None:
        for field, cells in self.bounded:
            for _, member, index in cells:
                for cond in self.evaluator.within_bounds(field, member, index if field.per else None):
                    if not self.concolic.decide(cond):
                        raise DefectFound(ir.Defect.BOUNDS, field.span)

    def due(self, duty: ir.Duty, acted: Container[Members] = ()) -> list[Members]:
        names = [p.name for p in duty.params]
        ranges = [range(self.sizes[p.type.party]) for p in duty.params]  # type: ignore[union-attr]
        waiting = [m for m in product(*ranges) if self.evaluate(duty.when, dict(zip(names, m, strict=True)))]
        due = [m for m in waiting if m not in acted]
        if duty.rank is None or len(due) < 2:
            return due
        ranks = [self.evaluate(duty.rank, dict(zip(names, m, strict=True))) for m in due]
        return [due[i] for i in self.concolic.best(range(len(due)), ranks, duty.highest)]
