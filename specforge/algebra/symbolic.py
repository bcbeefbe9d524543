"""Z3 terms as a carrier: one run of the evaluator describes every run of a rule at once.

Plain constants stay Python values (Fraction, bool, int) for as long as they are known; a `Num` is a real-valued term that
may know the finitely many values it can take.  A product is linear when one factor knows its values: it becomes a choice
among them.  That is how `position * price` is kept out of nonlinear arithmetic (docs/adr/0004).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, combinations
from typing import Any

import z3
from attrs import field
from quicktions import Fraction

from specforge.algebra import terms
from specforge.algebra.exact import OPERATIONS, Cell
from specforge.algebra.terms import real as real
from specforge.core import ir
from specforge.diagnostics.source import Span
from specforge.records import define, frozen

RATE = "rate"  # the source of a proportional collect's common rate
SUPPORT_LIMIT = 81  # beyond this many values a term forgets them
CLAUSES_LIMIT = 16
Support = tuple[Fraction, ...]
Bool = Any  # bool or z3.BoolRef
Cases = tuple[tuple[Fraction, Bool], ...]


class When:
    """A condition, as the choices it makes: `signs` says what it takes each of the flags (or groups of flags of which exactly
    one holds) to be, so that two that contradict each other are seen to."""

    __slots__ = ("cond", "signs")

    def __init__(self, cond: Bool, signs: Mapping[Any, Any]):
        self.cond, self.signs = cond, signs

    def __and__(self, other: When) -> When | None:
        """Both; None if that cannot be."""
        for key, value in other.signs.items():
            if self.signs.get(key, value) != value:
                return None
        if self.cond is True or self.cond is other.cond:
            return other
        if other.signs.keys() <= self.signs.keys():
            return self
        return When(conj((self.cond, other.cond)), {**self.signs, **other.signs})


ALWAYS = When(True, {})
Forms = tuple[tuple[When, z3.ArithRef], ...]
MANY_FORMS = 2  # from so many forms on a number is worth a name
FORMS_LIMIT = 12  # beyond this many forms a number is one term, with choices in it


def when(cond: Bool) -> When:
    if isinstance(cond, bool):
        return ALWAYS if cond else When(False, {None: False})
    number, sign, name = terms.literal(cond)
    group, chosen, value = name.rpartition("=")
    return When(cond, {group: value} if chosen else {number: sign})


def one_of(found: Iterable[tuple[When | None, z3.ArithRef]], made_of: frozenset[str]) -> Num | None:
    """The number that is each form when it says so; None if the forms are too many."""
    kept: list[tuple[When, z3.ArithRef]] = []
    for when, form in found:
        if when is not None and when.cond is not False:
            if len(kept) == FORMS_LIMIT:
                return None
            kept.append((when, form))
    return Num(kept[0][1], None, made_of) if len(kept) == 1 else Num(None, None, made_of, tuple(kept))


def paired(a: Fraction | Num, b: Fraction | Num) -> list[tuple[When, z3.ArithRef, z3.ArithRef]] | None:
    """The forms of both, where they go together; None if these are too many."""
    left, right = forms(a), forms(b)
    return together(left, right) if len(left) * len(right) <= 4 * FORMS_LIMIT else None


def together(left: Forms, right: Forms) -> list[tuple[When, z3.ArithRef, z3.ArithRef]] | None:
    """Those that do not contradict each other; None if they are too many."""
    pairs: list[tuple[When, z3.ArithRef, z3.ArithRef]] = []
    for p, x in left:
        for q, y in right:
            both = p & q
            if both is not None and both.cond is not False:
                if len(pairs) == FORMS_LIMIT:
                    return None
                pairs.append((both, x, y))
    return pairs


def forms(value: Fraction | Num) -> Forms:
    return value.forms if isinstance(value, Num) else ((ALWAYS, real(value)),)


class Num:
    """A real number not yet known.  `cases`: the values it can take, each with the condition under which it does (exactly one
    holds); None if they are not known or too many.  Else it is one of a few `forms`, terms without a choice in them, or just
    a `term`.  `sources`: the kinds of unknown it is made of (units as texts, or "rate")."""

    __slots__ = ("_forms", "_term", "cases", "sources")

    def __init__(
        self,
        term: z3.ArithRef | None,
        cases: Cases | None = None,
        sources: frozenset[str] = frozenset(),
        forms: Forms | None = None,
    ):
        self._term, self.cases, self.sources, self._forms = term, cases, sources, forms

    @property
    def term(self) -> z3.ArithRef:
        if self._term is None:
            if self.cases is not None:
                self._term = by_cases(self.cases, real)
            else:
                assert self._forms is not None
                self._term = self._forms[-1][1]
                for when, form in reversed(self._forms[:-1]):
                    self._term = terms.choice(when.cond, form, self._term)
        return self._term

    @property
    def forms(self) -> Forms:
        """What it is, and when (exactly one holds)."""
        if self._forms is None:
            if self.cases is not None:
                self._forms = tuple((when(cond), real(value)) for value, cond in self.cases)
            else:
                self._forms = ((ALWAYS, self.term),)
        return self._forms

    @property
    def support(self) -> Support | None:
        return None if self.cases is None else tuple(value for value, _ in self.cases)


@frozen(eq=False)
class Sel:
    """A member not yet known: `is_[k]` says it is the k-th (exactly one is true)."""

    is_: tuple[Any, ...]


def term(value: Fraction | Num) -> z3.ArithRef:
    return value.term if isinstance(value, Num) else real(value)


def cases(value: Fraction | Num) -> Cases | None:
    return value.cases if isinstance(value, Num) else ((value, True),)


def by_cases(values: Cases, result: Callable[[Fraction], z3.ArithRef]) -> z3.ArithRef:
    """result(v) for the v that holds."""
    out = result(values[-1][0])
    for value, cond in reversed(values[:-1]):
        out = terms.choice(cond, result(value), out)
    return out


def gathered(found: Iterable[tuple[Fraction, Bool]], sources: frozenset[str]) -> Fraction | Num | None:
    """The number that is each value under the conditions given for it; None if the values are too many."""
    table: dict[Fraction, list[Bool]] = {}
    for value, cond in found:
        if cond is not False:
            table.setdefault(value, []).append(cond)
            if len(table) > SUPPORT_LIMIT:
                return None
    if len(table) == 1:
        return next(iter(table))
    return Num(None, tuple((value, disj(conds)) for value, conds in sorted(table.items())), sources)


def sources(*values: Fraction | Num) -> frozenset[str]:
    return frozenset().union(*(each.sources for each in values if isinstance(each, Num)))


def conj(parts: Iterable[Bool]) -> Bool:
    left = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            left.append(part)
    return True if not left else left[0] if len(left) == 1 else terms.both(left)


def disj(parts: Iterable[Bool]) -> Bool:
    left = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            left.append(part)
    return False if not left else left[0] if len(left) == 1 else terms.either(left)


def negate(cond: Bool) -> Bool:
    return not cond if isinstance(cond, bool) else terms.no(cond)


def implies(a: Bool, b: Bool) -> Bool:
    if a is True:
        return b
    if a is False or b is True:
        return True
    return negate(a) if b is False else terms.follows(a, b)


def exactly_one(conds: Sequence[Bool]) -> Bool:
    """Exactly one of these holds: as clauses, which propagate faster than counting while they are few."""
    if len(conds) > CLAUSES_LIMIT:
        return z3.PbEq([(each, 1) for each in conds], 1)
    return conj((disj(conds), *(negate(conj(pair)) for pair in combinations(conds, 2))))


def same(new: Any, old: Any) -> Bool:
    """An unknown is this value: as `equal`, in clauses that propagate from the value to the unknown."""
    if isinstance(new, Num):
        known = cases(old) if new.cases is not None else None
        if known is not None:
            mine = dict(new.cases or ())
            return conj(implies(cond, mine.get(value, False)) for value, cond in known)
        if new.cases is None:
            x = new.term
            both_ways = [(this, terms.both((terms.at_most(x, form), terms.at_least(x, form)))) for this, form in forms(old)]
            return conj(implies(this.cond, it_is) for this, it_is in both_ways)
    if isinstance(new, Sel):
        return conj(implies(equal(old, k), mine) for k, mine in enumerate(new.is_))
    return equal(new, old)


def as_term(value: Any) -> Any:
    """Any value as a Z3 term (flags and numbers only)."""
    if type(value) is z3.BoolRef:
        return value
    if isinstance(value, bool):
        return z3.BoolVal(value)
    return term(value) if isinstance(value, Fraction | Num) else value


def equal(a: Any, b: Any) -> Bool:
    """Equality of two values of the same kind."""
    if isinstance(a, int) and isinstance(b, int):  # bools and members
        return a == b
    if isinstance(a, Sel) or isinstance(b, Sel):
        if isinstance(a, int):
            a, b = b, a
        if isinstance(b, int):
            return a.is_[b]
        return disj(conj(pair) for pair in zip(a.is_, b.is_, strict=True))
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    if isinstance(a, Fraction | Num):
        return compare(a, b, ir.Operator.EQ, terms.alike)
    if isinstance(a, bool):
        a, b = b, a
    if isinstance(b, bool):
        return a if b else negate(a)
    return terms.alike(a, b)


def compare(a: Any, b: Any, op: ir.Operator, of_terms: Callable[[Any, Any], Any]) -> Bool:
    """A comparison: decided case by case where both know their values."""
    left, right = cases(a), cases(b)
    if left is None or right is None:
        pairs = paired(a, b)
        if pairs is None:
            return of_terms(term(a), term(b))
        return disj(conj((both.cond, of_terms(x, y))) for both, x, y in pairs)
    holds = OPERATIONS[op]
    return disj(conj((p, disj(q for y, q in right if holds(x, y)))) for x, p in left if any(holds(x, y) for y, _ in right))


def merge(cond: Bool, a: Any, b: Any) -> Any:
    """`a` where `cond` holds, else `b`."""
    if cond is True or a is b:
        return a
    if cond is False:
        return b
    if isinstance(a, Fraction | Num):
        if isinstance(a, Fraction) and isinstance(b, Fraction) and a == b:
            return a
        left, right, other = cases(a), cases(b), negate(cond)
        if left is not None and right is not None:
            both = (*((v, conj((cond, c))) for v, c in left), *((v, conj((other, c))) for v, c in right))
            known = gathered(both, sources(a, b))
            if known is not None:
                return known
        this, that = when(cond), when(other)
        ways = chain(((this & p, x) for p, x in forms(a)), ((that & p, x) for p, x in forms(b)))
        split = one_of(ways, sources(a, b))
        return split if split is not None else Num(terms.choice(cond, term(a), term(b)), None, sources(a, b))
    if isinstance(a, Sel) or isinstance(b, Sel) or (isinstance(a, int) and not isinstance(a, bool)):
        if isinstance(a, int) and isinstance(b, int) and a == b:
            return a
        width = max(len(x.is_) if isinstance(x, Sel) else x + 1 for x in (a, b))
        return Sel(tuple(merge(cond, equal(a, k), equal(b, k)) if _within(k, a, b) else False for k in range(width)))
    if a is True:
        return disj((cond, b))
    if a is False:
        return conj((negate(cond), b))
    if b is True:
        return disj((negate(cond), a))
    if b is False:
        return conj((cond, a))
    return terms.choice(cond, a, b)


def _within(k: int, a: Any, b: Any) -> bool:
    return all(not isinstance(x, Sel) or k < len(x.is_) for x in (a, b))


@define
class Demand:
    """A defect arises where `broken` holds, provided everything before it went well (`before`: how many conditions)."""

    broken: Bool
    defect: ir.Defect
    span: Span
    before: int


@define(eq=False)
class SymbolicAlgebra:
    """`state` maps cells to values.  While a rule runs, `conditions` collects what must hold for it to go through (guards of
    `require`, absence of defects), `facts` what the fresh unknowns satisfy, `demands` where defects may arise, `shared` who
    gives what in which tier.

    `rate_grid`: the values a common rate of a proportional collect may take (None: any).  `products`: the pairs of sources
    whose product (or quotient: the divisor's, twice) is nonlinear as things stand."""

    sizes: Mapping[str, int]
    state: dict[Cell, Any] = field(factory=dict)
    rate_grid: Support | None = None
    conditions: list[Bool] = field(factory=list)
    facts: list[Bool] = field(factory=list)
    demands: list[Demand] = field(factory=list)
    taken: list[tuple[Bool, str, tuple[Any, ...]]] = field(factory=list)
    guards: list[Bool] = field(factory=list)
    products: list[tuple[frozenset[str], frozenset[str]]] = field(factory=list)
    prefix: str = ""
    fresh: list[z3.ExprRef] = field(factory=list)
    shared: list[tuple[ir.Tier, tuple[int, ...], list[Any], list[Any]]] = field(factory=list)
    on_took: Callable[[str, tuple[Any, ...]], None] | None = None
    cells: set[Cell] = field(factory=set)
    naming: bool = False  # INVARIANT: only while `facts` is gathered by whoever runs the evaluator

    # -- unknowns

    def unknown(self, hint: str, source: str = "", values: Support | None = None) -> Num:
        made = new_number(f"{self.prefix}{hint}!{len(self.fresh)}", values, frozenset((source,)))
        self._register(made, self.facts.append)
        return made

    def _register(self, made: Num, fact: Callable[[Bool], None]) -> None:
        if made.cases is None:
            self.fresh.append(made.term)
        else:
            self.fresh += [cond for _, cond in made.cases]
            fact(exactly_one([cond for _, cond in made.cases]))

    def unknown_flag(self, hint: str) -> z3.BoolRef:
        const = z3.Bool(f"{self.prefix}{hint}!{len(self.fresh)}")
        self.fresh.append(const)
        return const

    def unknown_member(self, hint: str, count: int) -> Sel | int:
        if count == 1:
            return 0
        hint = f"{hint}!{len(self.fresh)}"  # INVARIANT: flags alike up to their last "=" are choices of one thing
        is_ = tuple(z3.Bool(f"{self.prefix}{hint}={k}") for k in range(count))
        self.fresh += is_
        self.facts.append(exactly_one(is_))
        return Sel(is_)

    # -- values

    def number(self, value: Fraction) -> Fraction:
        return value

    def flag(self, value: bool) -> bool:
        return value

    def member(self, party: str, index: int) -> int:
        return index

    def name(self, hint: str, value: Any) -> Any:
        """Where names are wanted, a number that may be many things gets an unknown of its own."""
        if not self.naming or not isinstance(value, Num) or value.cases is not None or len(value.forms) < MANY_FORMS:
            return value
        made = self.unknown(hint)
        made.sources = value.sources
        self.facts.append(same(made, value))
        return made

    def members(self, party: str) -> range:
        return range(self.sizes[party])

    def apply(self, op: ir.Operator, *args: Any) -> Any:
        if op is ir.Operator.EQ:
            return equal(*args)
        if op is ir.Operator.NOT:
            return negate(args[0])
        if all(isinstance(each, Fraction) for each in args):
            return OPERATIONS[op](*args)
        if op is ir.Operator.LT:
            return compare(args[0], args[1], op, terms.less)
        if op is ir.Operator.LE:
            return compare(args[0], args[1], op, terms.at_most)
        if op is ir.Operator.FLOOR:
            return self._floor(args[0])
        return self._arithmetic(op, *args)

    def _arithmetic(self, op: ir.Operator, a: Any, b: Any) -> Any:
        if op is ir.Operator.MUL:
            return self._multiply(a, b)
        if b == Fraction(0) if isinstance(b, Fraction) else False:
            return a
        if op is ir.Operator.ADD and isinstance(a, Fraction) and a == 0:
            return b
        known = self._table(op, a, b)
        if known is not None:
            return known
        pairs = paired(a, b)
        if pairs is not None:
            result = terms.plus if op is ir.Operator.ADD else terms.minus
            split = one_of(((both, result(x, y)) for both, x, y in pairs), sources(a, b))
            if split is not None:
                return split
        result = terms.plus if op is ir.Operator.ADD else terms.minus
        return Num(result(term(a), term(b)), None, sources(a, b))

    def _table(self, op: ir.Operator, a: Any, b: Any) -> Any:
        """The result case by case, where both know their values and these are few."""
        left, right = cases(a), cases(b)
        if left is None or right is None or len(left) * len(right) > 8 * SUPPORT_LIMIT:
            return None
        result = OPERATIONS[op]
        return gathered(((result(x, y), conj((p, q))) for x, p in left for y, q in right), sources(a, b))

    def _multiply(self, a: Any, b: Any) -> Any:
        if isinstance(a, Fraction):
            a, b = b, a
        if isinstance(b, Fraction) and b in (0, 1):
            return b if b == 0 else a
        known = self._table(ir.Operator.MUL, a, b)
        if known is not None:
            return known
        left, right = cases(a), cases(b)
        if left is None and right is None:
            self.products.append((sources(a), sources(b)))
            return Num(terms.times(term(a), term(b)), None, sources(a, b))
        if left is None or (right is not None and len(right) < len(left)):
            a, b, left = b, a, right
        assert left is not None
        pairs = together(forms(a), forms(b)) if len(left) <= FORMS_LIMIT else None
        if pairs is not None:
            split = one_of(((both, terms.times(y, x)) for both, x, y in pairs), sources(a, b))
            if split is not None:
                return split
        return Num(by_cases(left, lambda v: terms.times(term(b), real(v))), None, sources(a, b))

    def divide(self, a: Any, b: Any, span: Span) -> Any:
        if isinstance(b, Fraction):
            if b == 0:
                self.demand(False, ir.Defect.DIVISION, span)
                return Fraction(0)
            return self.apply(ir.Operator.MUL, a, 1 / b)
        right = cases(b)
        if right is None or any(v == 0 for v, _ in right):
            self.demand(negate(equal(b, Fraction(0))), ir.Defect.DIVISION, span)
        if right is None:
            self.products.append((sources(b), sources(b)))
            return Num(term(a) / b.term, None, sources(a, b))
        inverse = [(1 / v if v != 0 else Fraction(0), cond) for v, cond in right]
        upside_down = gathered(inverse, sources(b))
        return self._multiply(a, upside_down)

    def _floor(self, a: Num) -> Any:
        if a.cases is not None:
            return gathered(((Fraction(v.__floor__()), cond) for v, cond in a.cases), sources(a))
        return Num(z3.ToReal(z3.ToInt(a.term)), None, sources(a))

    def undefined(self, defect: ir.Defect, span: Span) -> Any:
        self.demand(False, defect, span)
        return Fraction(0)

    def choose(self, cond: Bool, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        if cond is True:
            return then()
        if cond is False:
            return orelse()
        with_then = self._under(cond, then)
        with_else = self._under(negate(cond), orelse)
        return merge(cond, with_then, with_else)

    def _under(self, cond: Bool, run: Callable[[], Any]) -> Any:
        self.guards.append(cond)
        try:
            return run()
        finally:
            self.guards.pop()

    # -- state

    def read(self, view: dict[Cell, Any] | None, field: ir.Field, member: Any, index: Any) -> Any:
        state = self.state if view is None else view
        if isinstance(member, Sel):
            return self._pick(member, lambda k: self.read(view, field, k, index))
        if isinstance(index, Sel):
            return self._pick(index, lambda k: self.read(view, field, member, k))
        return state[field.name, member, index or 0]

    def _pick(self, member: Sel, of: Callable[[int], Any]) -> Any:
        possible = [(k, cond) for k, cond in enumerate(member.is_) if cond is not False]
        out = of(possible[-1][0])
        for k, cond in reversed(possible[:-1]):
            out = merge(cond, of(k), out)
        return out

    def write(self, field: ir.Field, member: Any, index: Any, value: Any) -> None:
        for k, here in self._alternatives(member):
            for i, there in self._alternatives(index):
                cell = (field.name, k, i)
                self.cells.add(cell)
                self.state[cell] = merge(conj((here, there)), value, self.state[cell])

    def _alternatives(self, member: Any) -> list[tuple[int, Bool]]:
        if isinstance(member, Sel):
            return [(k, cond) for k, cond in enumerate(member.is_) if cond is not False]
        return [(member or 0, True)]

    def freeze(self) -> dict[Cell, Any]:
        return dict(self.state)

    # -- statements

    def branch(self, cond: Bool, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        if isinstance(cond, bool):
            (then if cond else orelse)()
            return
        before = self.state
        self.state = dict(before)
        self._under(cond, then)
        after_then = self.state
        self.state = dict(before)
        self._under(negate(cond), orelse)
        after_else = self.state
        self.state = {
            cell: value if value is after_else[cell] else self.name(cell[0], merge(cond, value, after_else[cell]))
            for cell, value in after_then.items()
        }

    def require(self, cond: Bool, span: Span) -> None:
        needed = implies(conj(self.guards), cond)
        if needed is not True:
            self.conditions.append(needed)

    def demand(self, cond: Bool, defect: ir.Defect, span: Span) -> None:
        if cond is True:
            return
        guard = conj(self.guards)
        self.demands.append(Demand(conj((guard, negate(cond))), defect, span, len(self.conditions)))
        self.conditions.append(implies(guard, cond))

    def took(self, action: str, args: tuple[Any, ...]) -> None:
        self.taken.append((conj(self.guards), action, args))
        if self.on_took is not None:
            self.on_took(action, args)

    # -- sharing (LANGUAGE section 5, step 2) as a relation over fresh shares

    def shares(
        self, tier: ir.Tier, asked: Any, members: Sequence[int], caps: Sequence[Any], keys: Sequence[Any], step: Any
    ) -> list[Any]:
        live = [i for i, cap in enumerate(caps) if not (isinstance(cap, Fraction) and cap <= 0)]
        given: list[Any] = [Fraction(0)] * len(caps)
        if tier.policy is ir.Policy.PROPORTION:
            for each in keys:
                self.demand(self.apply(ir.Operator.LE, Fraction(0), each), ir.Defect.DIVISION, tier.span)
        if len(live) == 1 and tier.policy is not ir.Policy.PROPORTION:
            given[live[0]] = self._minimum(asked, caps[live[0]])
        elif live:
            chosen = self._proportion if tier.policy is ir.Policy.PROPORTION else self._one_by_one
            shares = chosen(tier, asked, [caps[i] for i in live], [keys[i] for i in live] if keys else [])
            for i, x in zip(live, shares, strict=True):
                given[i] = x
        if step is not None:
            self.demand(self.apply(ir.Operator.LT, Fraction(0), step), ir.Defect.DIVISION, tier.span)
            given = [self._down_to(x, step, tier.span) for x in given]
        if tier.party is not None:
            self.shared.append((tier, tuple(members), given, list(caps)))
        return given

    def _down_to(self, x: Any, step: Any, span: Span) -> Any:
        whole = self.divide(x, step, span)
        whole = Fraction(whole.__floor__()) if isinstance(whole, Fraction) else self._floor(whole)
        return self.apply(ir.Operator.MUL, whole, step)

    def _minimum(self, a: Any, b: Any) -> Any:
        return merge(self.apply(ir.Operator.LE, a, b), a, b)

    def _fact(self, *parts: Bool) -> None:
        needed = implies(conj(self.guards), conj(parts))
        if needed is not True:
            self.facts.append(needed)

    def _one_by_one(self, tier: ir.Tier, asked: Any, caps: list[Any], keys: list[Any]) -> list[Any]:
        """Somebody's order: at most one is served in part, and a worse key gives only if every better one is emptied."""
        values = _grid_below([asked, *caps])
        shares = [self._share(tier, values, sources(asked, *caps)) for _ in caps]
        total = sum_of(self, shares)
        everything = sum_of(self, caps)
        self._fact(equal(total, self._minimum(asked, everything)))
        less, at_most, zero = ir.Operator.LT, ir.Operator.LE, Fraction(0)
        for x, cap in zip(shares, caps, strict=True):
            self._fact(self.apply(at_most, zero, x), self.apply(at_most, x, cap))
        partial = [conj((self.apply(less, zero, x), self.apply(less, x, cap))) for x, cap in zip(shares, caps, strict=True)]
        possible = [each for each in partial if not isinstance(each, bool)]
        if len(possible) > 1:
            self._fact(z3.AtMost(*possible, 1))
        if tier.policy is not ir.Policy.ANY:
            for i, (x, cap) in enumerate(zip(shares, caps, strict=True)):
                for j, y in enumerate(shares):
                    if i != j:
                        better = self._better(tier, keys[i], keys[j])
                        self._fact(implies(conj((better, self.apply(less, zero, y))), equal(x, cap)))
        return shares

    def _better(self, tier: ir.Tier, a: Any, b: Any) -> Bool:
        if tier.policy is ir.Policy.HIGHEST:
            a, b = b, a
        return self.apply(ir.Operator.LT, a, b)

    def _share(self, tier: ir.Tier, values: Support | None, made_of: frozenset[str]) -> Num:
        made = new_number(f"{self.prefix}{tier.share}!{len(self.fresh)}", values, made_of)
        self._register(made, self._fact)
        return made

    def _proportion(self, tier: ir.Tier, asked: Any, caps: list[Any], weights: list[Any]) -> list[Any]:
        """x = min(cap, rate * weight) with one rate; all at their caps if that is not enough; alone, one gives it all."""
        caps = [merge(equal(w, Fraction(0)), Fraction(0), cap) for w, cap in zip(weights, caps, strict=True)]
        everything = sum_of(self, caps)
        enough = self.apply(ir.Operator.LT, asked, everything)
        total = merge(enough, asked, everything)
        rate = self._rate(tier)
        eligible = [self.apply(ir.Operator.LT, Fraction(0), cap) for cap in caps]
        shares: list[Any] = []
        for i, (w, cap) in enumerate(zip(weights, caps, strict=True)):
            alone = conj(negate(each) for j, each in enumerate(eligible) if j != i)
            pro_rata = self._minimum(self.apply(ir.Operator.MUL, rate, w), cap)
            shares.append(merge(negate(enough), cap, merge(alone, self._minimum(total, cap), pro_rata)))
        proper = conj(self.apply(ir.Operator.LE, Fraction(0), w) for w in weights)  # else a defect, not an impossibility
        self._fact(implies(proper, equal(sum_of(self, shares), total)))
        return shares

    def _rate(self, tier: ir.Tier) -> Num:
        made = new_number(f"{self.prefix}rate!{len(self.fresh)}", self.rate_grid, frozenset((RATE,)))
        self._register(made, self._fact)
        self._fact(self.apply(ir.Operator.LE, Fraction(0), made))
        return made


def new_number(name: str, values: Support | None, made_of: frozenset[str]) -> Num:
    """An unknown number; one flag a value if its values are given."""
    if values is None:
        return Num(terms.number(name), None, made_of)
    return Num(None, tuple((v, terms.flag(f"{name}={v}")) for v in values), made_of)


def sum_of(algebra: SymbolicAlgebra, values: Sequence[Any]) -> Any:
    total: Any = Fraction(0)
    for each in values:
        total = algebra.apply(ir.Operator.ADD, total, each)
    return total


def _grid_below(values: Sequence[Any]) -> Support | None:
    """The values that minima and differences of these can take, on their common step; None if one of them is not finite."""
    step, top = Fraction(0), Fraction(0)
    for each in values:
        known = cases(each)
        if known is None:
            return None
        for v, _ in known:
            step = _common(step, abs(v))
            top = max(top, v)
    if step == 0:
        return (Fraction(0),)
    count = int(top / step)
    return tuple(step * k for k in range(count + 1)) if count < SUPPORT_LIMIT else None


def _common(a: Fraction, b: Fraction) -> Fraction:
    """The greatest fraction that divides both."""
    while b:
        a, b = b, a - b * (a / b).__floor__()
    return a
