"""Exact fractions: the reference carrier, and the interpreter built on it.  Whatever it says, is so."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any

from quicktions import Fraction

from specforge.core import ir
from specforge.core.evaluate import Env, Evaluator
from specforge.core.machine import Choice, DefectFound, Members, Picker, Refused, first_option
from specforge.diagnostics.source import Span

Cell = tuple[str, int, int]  # field, member, index (0 where there is none)
State = dict[Cell, Any]


class ExactAlgebra:
    """Numbers are Fractions, flags bools, members ints; a state is a dict from cells to values."""

    def __init__(self, sizes: Mapping[str, int]):
        self.sizes = sizes
        self.state: State = {}
        self.picker: Picker = first_option
        self.taken: list[tuple[str, tuple[Any, ...]]] = []
        self.on_took: Callable[[str, tuple[Any, ...]], None] | None = None
        self.fired: set[str] = set()  # the tiers in which somebody gave

    def number(self, value: Fraction) -> Fraction:
        return value

    def flag(self, value: bool) -> bool:
        return value

    def member(self, party: str, index: int) -> int:
        return index

    def apply(self, op: ir.Operator, *args: Any) -> Any:
        return OPERATIONS[op](*args)

    def divide(self, a: Fraction, b: Fraction, span: Span) -> Fraction:
        if b == 0:
            raise DefectFound(ir.Defect.DIVISION, span)
        return Fraction(a) / b  # never the host's division: two ints would make a float

    def undefined(self, defect: ir.Defect, span: Span) -> Any:
        raise DefectFound(defect, span)

    def decide(self, cond: Any) -> bool:
        """A condition as a Python bool."""
        return cond

    def choose(self, cond: bool, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        return then() if cond else orelse()

    def name(self, hint: str, value: Any) -> Any:
        return value

    def members(self, party: str) -> range:
        return range(self.sizes[party])

    def read(self, view: State | None, field: ir.Field, member: int, index: int | None) -> Any:
        return (self.state if view is None else view)[field.name, member, index or 0]

    def write(self, field: ir.Field, member: int, index: int | None, value: Any) -> None:
        self.state[field.name, member, index or 0] = value

    def freeze(self) -> State:
        return dict(self.state)

    def branch(self, cond: bool, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        (then if cond else orelse)()

    def require(self, cond: bool, span: Span) -> None:
        if not cond:
            raise Refused(span)

    def demand(self, cond: bool, defect: ir.Defect, span: Span) -> None:
        if not cond:
            raise DefectFound(defect, span)

    def took(self, action: str, args: tuple[Any, ...]) -> None:
        self.taken.append((action, args))
        if self.on_took is not None:
            self.on_took(action, args)

    def shares(
        self, tier: ir.Tier, asked: Fraction, members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any], step: Any
    ) -> list[Fraction]:
        given = share_out(tier, asked, members, caps, keys, step, self.picker)
        if any(x > 0 for x in given):
            self.fired.add(tier.name)
        return given


def share_out(
    tier: ir.Tier, asked: Any, members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any], step: Any, picker: Picker
) -> list[Any]:
    """LANGUAGE section 5, step 2, on concrete numbers: what each member gives."""
    if tier.policy is ir.Policy.PROPORTION:
        shares = _proportion(asked, caps, keys, tier.span)
    else:
        shares = _one_by_one(tier, asked, members, caps, keys, picker)
    if step is None:
        return shares
    if step <= 0:
        raise DefectFound(ir.Defect.DIVISION, tier.span)
    return [x // step * step for x in shares]


def _proportion(asked: Any, caps: Sequence[Any], weights: Sequence[Any], span: Span) -> list[Any]:
    """x = min(cap, rate * weight) with the one rate that fits; weight 0 gives nothing."""
    shares: list[Any] = [Fraction(0)] * len(caps)
    if any(weight < 0 for weight in weights):
        raise DefectFound(ir.Defect.DIVISION, span)
    running = {i for i, (cap, weight) in enumerate(zip(caps, weights, strict=True)) if cap > 0 and weight > 0}
    remaining = asked
    while running and remaining > 0:
        rate = Fraction(remaining) / sum(weights[i] for i in running)
        full = {i for i in running if rate * weights[i] >= caps[i]}
        if not full:
            for i in running:
                shares[i] = rate * weights[i]
            break
        for i in full:
            shares[i] = caps[i]
            remaining -= caps[i]
        running -= full
    return shares


def _one_by_one(
    tier: ir.Tier, asked: Any, members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any], picker: Picker
) -> list[Any]:
    """Best key first; among equals somebody is picked, and emptied before the next."""
    shares: list[Any] = [Fraction(0)] * len(caps)
    waiting = [i for i, cap in enumerate(caps) if cap > 0]
    remaining = asked
    while waiting and remaining > 0:
        best = waiting
        if tier.policy is not ir.Policy.ANY:
            top = (max if tier.policy is ir.Policy.HIGHEST else min)(keys[i] for i in waiting)
            best = [i for i in waiting if keys[i] == top]
        if len(best) > 1 and remaining < sum(caps[i] for i in best):
            options = tuple((members[i],) for i in best)
            chosen = best[picker(Choice(tier.name, options))]
        else:
            chosen = best[0]
        shares[chosen] = min(caps[chosen], remaining)
        remaining -= shares[chosen]
        waiting.remove(chosen)
    return shares


OPERATIONS: dict[ir.Operator, Callable[..., Any]] = {
    ir.Operator.ADD: lambda a, b: a + b,
    ir.Operator.SUB: lambda a, b: a - b,
    ir.Operator.MUL: lambda a, b: a * b,
    ir.Operator.LT: lambda a, b: a < b,
    ir.Operator.LE: lambda a, b: a <= b,
    ir.Operator.EQ: lambda a, b: a == b,
    ir.Operator.NOT: lambda a: not a,
    ir.Operator.FLOOR: lambda a: Fraction(a.__floor__()),
}


class ExactMachine:
    """The interpreter: a state of exact numbers, and the rulebook acting on it.

    `sizes`: how many members each open party has.  Starts empty; `begin` (or `restore`) gives it a state.
    """

    def __init__(self, system: ir.System, sizes: Mapping[str, int], carrier: type[ExactAlgebra] | None = None):
        self.system = system
        self.sizes = {ir.RULES: 1} | {
            name: len(party.members) if party.members is not None else sizes.get(name, 0)
            for name, party in system.parties.items()
        }
        self.on_took: Callable[[str, tuple[Any, ...]], None] | None = None
        self.algebra = (carrier or ExactAlgebra)(self.sizes)
        self.evaluator = Evaluator(system, self.algebra)

    # -- state

    def save(self) -> State:
        return dict(self.algebra.state)

    def restore(self, state: State) -> None:
        self.algebra.state = dict(state)

    def cells(self, field: ir.Field) -> list[Cell]:
        indexes = range(self.sizes[field.per]) if field.per else range(1)
        return [(field.name, member, index) for member, index in product(range(self.sizes[field.party]), indexes)]

    @cached_property
    def layout(self) -> list[tuple[ir.Field, list[Cell]]]:
        """Every field with its cells, parameters first."""
        fields = sorted(self.system.fields.values(), key=lambda field: field.kind is not ir.Kind.PARAMETER)
        return [(field, self.cells(field)) for field in fields]

    @cached_property
    def bounded(self) -> list[tuple[ir.Field, list[Cell]]]:
        """The fields that may not hold just anything, as the text has them, with their cells."""
        fields = self.system.fields.values()
        return [(each, self.cells(each)) for each in fields if each.lowest is not None or each.high is not None]

    def begin(self, fixed: Mapping[Cell, Any]) -> None:
        """The start: `fixed` where it says so, else the declared start, else the nearest legal value to 0 (no; the first
        of a list).  Holdings are the sum of the accounts.  Raises DefectFound where a start breaks a bound."""
        self.algebra.state = state = {}
        houses: dict[str, Fraction] = {}
        named = self.named_starts
        for field, cells in self.layout:
            if field.kind is ir.Kind.HOUSE:
                houses.setdefault(field.name, Fraction(0))
                continue
            for cell in cells:
                if cell in fixed:
                    state[cell] = fixed[cell]
                elif cell in named:
                    state[cell] = self.evaluate(named[cell], {"self": cell[1]})
                elif field.start is not None:
                    state[cell] = self.evaluate(field.start, {"self": cell[1]})
                else:
                    state[cell] = self._nearest(field, cell)
                if field.kind in (ir.Kind.BALANCE, ir.Kind.NET):
                    house = ir.holdings_field(field.house, field.asset)
                    houses[house] = self.algebra.apply(ir.Operator.ADD, houses.get(house, Fraction(0)), state[cell])
        for house, total in houses.items():
            state[house, 0, 0] = total
        self.check_start()

    def check_start(self) -> None:
        """Raises DefectFound where the state breaks a declared bound or floor."""
        for field, cells in self.bounded:
            for _, member, index in cells:
                if not all(self.evaluator.within_bounds(field, member, index if field.per else None)):
                    raise DefectFound(ir.Defect.BOUNDS, field.span)

    @cached_property
    def named_starts(self) -> dict[Cell, ir.Expr]:
        """What the text says of the start of members who have a name."""
        return {
            (place.field, index, place.index.value.index if isinstance(place.index, ir.Lit) else 0): start  # type: ignore[union-attr]
            for party in self.system.open_parties()
            for index, each in enumerate(party.named)
            for place, start in each.starts
        }

    def _nearest(self, field: ir.Field, cell: Cell) -> Any:
        if isinstance(field.type, ir.Flag):
            return False
        if isinstance(field.type, ir.Of):
            return 0
        if field.kind is ir.Kind.NET:
            return Fraction(0)
        low = ir.ZERO if field.low is None and field.kind is ir.Kind.BALANCE else field.low
        env = {"self": cell[1]}
        value = Fraction(0)
        if low is not None:
            bound, less = self.evaluate(low, env), ir.Operator.LE if field.low_open else ir.Operator.LT
            if self.algebra.decide(self.algebra.apply(less, value, bound)):
                value = self.algebra.apply(ir.Operator.ADD, bound, Fraction(1)) if field.low_open else bound
        if field.high is not None:
            high = self.evaluate(field.high, env)
            value = high if self.algebra.decide(self.algebra.apply(ir.Operator.LT, high, value)) else value
        return value

    # -- running

    def evaluate(self, expr: ir.Expr, env: Env | None = None, old: State | None = None) -> Any:
        self.evaluator.old = old
        return self.evaluator.value(expr, env or {})

    def act(self, action: str, args: Sequence[Any], picker: Picker = first_option) -> list[tuple[str, tuple[Any, ...]]]:
        rule = self.system.actions[action]
        before = self.save()
        self.algebra.picker, self.algebra.taken, self.algebra.on_took = picker, [], self.on_took
        self.evaluator.in_duty = False
        self.algebra.took(action, tuple(args))
        try:
            self.evaluator.execute(rule.body, {param.name: arg for param, arg in zip(rule.params, args, strict=True)})
        except Refused:
            self.restore(before)
            raise
        return self.algebra.taken

    def due(self, duty: ir.Duty, acted: Container[Members] = ()) -> list[Members]:
        env_of = lambda members: dict(zip([p.name for p in duty.params], members, strict=True))  # noqa: E731
        ranges = [range(self.sizes[p.type.party]) for p in duty.params]  # type: ignore[union-attr]
        waiting = [members for members in product(*ranges) if self.evaluate(duty.when, env_of(members))]
        due = [members for members in waiting if members not in acted]
        if duty.rank is None or len(due) < 2:
            return due
        ranks = [self.evaluate(duty.rank, env_of(members)) for members in due]
        best = (max if duty.highest else min)(ranks)
        return [members for members, rank in zip(due, ranks, strict=True) if rank == best]

    def fire(self, duty: ir.Duty, members: Members, picker: Picker = first_option) -> list[tuple[str, tuple[Any, ...]]]:
        self.algebra.picker, self.algebra.taken, self.algebra.on_took = picker, [], self.on_took
        self.evaluator.in_duty = True
        self.evaluator.execute(duty.body, dict(zip([p.name for p in duty.params], members, strict=True)))
        return self.algebra.taken
