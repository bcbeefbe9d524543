"""Any number of members as a carrier of values: members that are named, and a crowd held as one virtual member per class.

The members that nobody names are cut into classes by the yes/no questions a rule asks of them.  Inside a class every member is
treated alike and every value is linear in the member's own fields, so the sums over the class run through the rule exactly
like one member (the laws are in algebra/laws.py).  A question asked for the first time raises `Split`: the class is cut in
two and the run starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import z3
from attrs import field
from quicktions import Fraction

from specforge.algebra import laws
from specforge.algebra import polynomial as po
from specforge.algebra.classes import (
    HEAD,
    PLAIN,
    STRICT,
    Cond,
    FlagCond,
    NotAdditive,
    Opaque,
    Own,
    OwnAtom,
    Split,
    Virtual,
    negative,
    only_atom,
    plus,
    share_of,
)
from specforge.algebra.polynomial import Poly, either
from specforge.algebra.symbolic import Sel, conj, disj, equal, implies, merge, negate
from specforge.core import ir
from specforge.diagnostics.source import Span
from specforge.records import define, frozen

Bool = Any


@frozen(eq=False)
class Owed:
    """What a statement demands: `wrong`, when it goes wrong (True: nothing can be said); `known`: how many conditions, and how
    many facts of each stage, were known by then."""

    wrong: Bool
    defect: ir.Defect
    span: Span
    known: tuple[int, int, int, int]


class Noted(list[Any]):
    """Facts, each with the sentence of the rulebook that it comes from (None: from none in particular)."""

    def __init__(self, algebra: CrowdAlgebra):
        super().__init__()
        self.algebra = algebra
        self.sentences: list[Any] = []

    def append(self, fact: Bool) -> None:
        super().append(fact)
        self.sentences.append(self.algebra.sentence)

    def __delitem__(self, at: Any) -> None:
        super().__delitem__(at)
        del self.sentences[at]


@define(eq=False)
class CrowdAlgebra:
    """`named`: how many members of each party are explicit; `crowd`: the classes of the others.  `facts[stage]`: what holds of
    the unknowns; `conditions`: what must hold for the rule to go through; `owed`: what is demanded, in the order
    of the statements, of the venue and of the members that are named."""

    named: Mapping[str, int]
    crowd: Mapping[str, list[Virtual]]
    state: dict[Any, Any] = field(factory=dict)
    owed: list[Owed] = field(factory=list)
    guarded: list[tuple[int, Span]] = field(factory=list)  # guards: which condition (-1: none by itself), and where it stands
    changes: list[tuple[int, int, int, int]] = field(factory=list)  # what was known (as in Owed) at each change of the state
    acting: list[Virtual] = field(factory=list)  # the classes whose members act, or of whom something is demanded
    forgotten: frozenset[Span] = frozenset()  # statements whose amounts may be anything
    sentence: Any = None  # of the rulebook, that is being carried out: whatever is noted meanwhile comes from it
    facts: tuple[Noted, Noted, Noted] = field(init=False)
    conditions: Noted = field(init=False)
    guards: list[Any] = field(factory=list)
    taken: list[tuple[Bool, str, tuple[Any, ...]]] = field(factory=list)
    on_took: Callable[[str, tuple[Any, ...]], None] | None = None
    known_signs: set[int] = field(factory=set)  # atoms that are never negative
    own_signs: set[tuple[str, OwnAtom]] = field(factory=set)
    quotients: dict[Any, Poly] = field(factory=dict)
    totals: dict[Any, Poly] = field(factory=dict)
    floors: dict[Any, int] = field(factory=dict)  # what each member's own value is that is rounded -> its number
    rounded: set[tuple[Virtual, OwnAtom]] = field(factory=set)  # of which it has been said what that means
    counts: dict[str, int] = field(factory=dict)
    kappa: Any = None  # the common ratio of cap and weight in the tier at hand, if there is one
    tiers: int = 0

    def __attrs_post_init__(self) -> None:
        self.facts = (Noted(self), Noted(self), Noted(self))
        self.conditions = Noted(self)

    @contextmanager
    def speaking(self, sentence: Any) -> Generator[None]:
        before, self.sentence = self.sentence, sentence
        try:
            yield
        finally:
            self.sentence = before

    # -- unknowns

    def named_total(self, total: Poly) -> Poly:
        """A sum over the crowd, with each plain sum in it under a name of its own: nothing later depends on how the crowd is
        cut, and what is the same sum times something else is seen to be."""
        if total.constant is not None:
            return total
        forms: dict[po.Monomial, dict[po.Monomial, po.Factor]] = {}
        for monomial, by in total.parts.items():
            classes = tuple(each for each in monomial if "~" in each.name and each.term.num_args() == 0)
            rest = tuple(each for each in monomial if each not in classes)
            forms.setdefault(rest, {})[classes] = by
        result = po.ZERO
        for rest in sorted(forms, key=lambda each: [a.name for a in each]):
            form = Poly(forms[rest])
            if form.constant is None:
                scale = Fraction(form.parts[min(form.parts, key=lambda each: [a.name for a in each])])
                form = form.scaled(1 / scale)
                key = form.key()
                if key not in self.totals:
                    self.totals[key] = self.fresh("crowd")
                    self.facts[PLAIN].append(po.is_zero(self.totals[key] - form))
                form = self.totals[key].scaled(scale)
            result = result + Poly({rest: 1}) * form
        return result

    def fresh(self, hint: str) -> Poly:
        number = self.counts.get(hint, 0)
        self.counts[hint] = number + 1
        return Poly.atom(z3.Real(f"{hint}!{number}"))

    def fact(self, stage: int, *conds: Bool) -> None:
        guard = self.guard()
        for cond in conds:
            needed = implies(guard, cond)
            if needed is not True:
                self.facts[stage].append(needed)

    def guard(self) -> Bool:
        return conj(each for each in self.guards if not isinstance(each, Cond))

    # -- values

    def number(self, value: Fraction) -> Poly:
        return Poly.of(value)

    def flag(self, value: bool) -> bool:
        return value

    def member(self, party: str, index: Any) -> Any:
        return index

    def name(self, hint: str, value: Any) -> Any:
        return value

    def members(self, party: str) -> Sequence[Any]:
        return [*range(self.named[party]), *self.crowd.get(party, ())]

    def apply(self, op: ir.Operator, *args: Any) -> Any:
        match op:
            case ir.Operator.ADD:
                return self._add(args[0], args[1])
            case ir.Operator.SUB:
                return self._add(args[0], self._negative(args[1]))
            case ir.Operator.MUL:
                return self._multiply(args[0], args[1])
            case ir.Operator.LT:
                return self._sign(self._add(args[1], self._negative(args[0])), ">")
            case ir.Operator.LE:
                return self._sign(self._add(args[1], self._negative(args[0])), ">=")
            case ir.Operator.EQ:
                return self._equal(args[0], args[1])
            case ir.Operator.NOT:
                return self.opposite(args[0])
            case ir.Operator.FLOOR:
                return self._floor(args[0])
            case ir.Operator.DIV | ir.Operator.AND | ir.Operator.OR:
                raise AssertionError(op)

    def opposite(self, cond: Any) -> Any:
        if isinstance(cond, Cond):
            return cond.negated()
        if isinstance(cond, FlagCond):
            return FlagCond(cond.of, cond.question, not cond.yes)
        return cond if isinstance(cond, Opaque) else negate(cond)

    def _negative(self, a: Any) -> Any:
        return negative(a) if isinstance(a, Own) else a if isinstance(a, Opaque) else -a

    def lift(self, a: Any, of: Virtual) -> Own:
        return a if isinstance(a, Own) else Own(of, {} if a.is_zero() else {HEAD: a})

    def _add(self, a: Any, b: Any) -> Any:
        if isinstance(a, Poly) and isinstance(b, Poly):
            return a + b
        if isinstance(a, Opaque) or isinstance(b, Opaque):
            return a if isinstance(a, Opaque) else b
        of = a.of if isinstance(a, Own) else b.of
        if isinstance(a, Own) and isinstance(b, Own) and a.of is not b.of:
            return Opaque(of, "two members of the crowd are compared")
        return plus(self.lift(a, of), self.lift(b, of))

    def _multiply(self, a: Any, b: Any) -> Any:
        if isinstance(a, Poly) and isinstance(b, Poly):
            return a * b
        if isinstance(a, Opaque) or isinstance(b, Opaque):
            return a if isinstance(a, Opaque) else b
        if isinstance(a, Own) and isinstance(b, Own):
            for x, y in ((a, b), (b, a)):
                if set(x.parts) <= {HEAD}:
                    return self._multiply(x.parts.get(HEAD, po.ZERO), y)
            return Opaque(a.of, "a member's own values are multiplied with each other")
        own, by = (a, b) if isinstance(a, Own) else (b, a)
        parts = {atom: coefficient * by for atom, coefficient in own.parts.items()}
        return Own(own.of, {atom: each for atom, each in parts.items() if not each.is_zero()})

    def _floor(self, a: Any) -> Any:
        if isinstance(a, Poly):
            value = a.constant
            return Poly.of(Fraction(value.__floor__())) if value is not None else Poly.atom(z3.ToReal(z3.ToInt(a.term())))
        if isinstance(a, Opaque):
            return a
        if set(a.parts) <= {HEAD}:
            return self.lift(self._floor(a.parts.get(HEAD, po.ZERO)), a.of)
        return self._each_rounded(a)

    def _each_rounded(self, own: Own) -> Own:
        """Each member's own value, rounded down: by less than 1 each."""
        meaning = own.of.party, frozenset((atom, by.key()) for atom, by in own.parts.items())
        atom: OwnAtom = ("floor", self.floors.setdefault(meaning, len(self.floors)))
        whole = Own(own.of, {atom: po.ONE})
        if (own.of, atom) not in self.rounded:
            self.rounded.add((own.of, atom))
            lost, heads = own.total() - whole.total(), own.of.sum(HEAD)
            # INVARIANT: of the numbers alone, not of the path.
            self.facts[PLAIN].append(conj(laws.ROUNDED.of(po.ONE, lost, heads)))
            self.facts[STRICT].append(conj(laws.ABOVE_ZERO.of(heads - lost, heads)))
            if all(self._never_above(own.of, atom, -by) for atom, by in own.parts.items()):
                self.own_signs.add((own.of.party, atom))
                self.facts[PLAIN].append(conj(laws.NOT_NEGATIVE.of(whole.total())))
        return whole

    def divide(self, a: Any, b: Any, span: Span) -> Any:
        """q with q * b = a.  INVARIANT: no division is left in a query."""
        if isinstance(b, Own) and set(b.parts) <= {HEAD}:
            b = b.parts.get(HEAD, po.ZERO)
        if isinstance(a, Opaque) or isinstance(b, Opaque | Own):
            of = next(each.of for each in (a, b) if not isinstance(each, Poly))
            return Opaque(of, "something is divided by a member's own value", span)
        if isinstance(b, Poly) and b.constant is not None:
            if b.constant == 0:
                self.demand(False, ir.Defect.DIVISION, span)
                return po.ZERO
            return self._multiply(a, Poly.of(1 / b.constant))
        self.demand(negate(po.is_zero(b)), ir.Defect.DIVISION, span)
        if isinstance(a, Own):
            return Own(a.of, {atom: self._quotient(by, b) for atom, by in a.parts.items()})
        return self._quotient(a, b)

    def _quotient(self, a: Poly, b: Poly) -> Poly:
        if a.is_zero():
            return a
        key = (a.key(), b.key())
        if key not in self.quotients:
            q = self.fresh("quotient")
            self.quotients[key] = q
            # INVARIANT: of the numbers alone, not of the path; where the divisor is 0 nothing is said.
            self.facts[PLAIN].append(disj((po.is_zero(b), po.is_zero(q * b - a))))
        return self.quotients[key]

    def undefined(self, defect: ir.Defect, span: Span) -> Any:
        self.demand(False, defect, span)
        return po.ZERO

    # -- conditions

    def _sign(self, value: Any, kind: str) -> Any:
        if isinstance(value, Own):
            if set(value.parts) <= {HEAD}:
                value = value.parts.get(HEAD, po.ZERO)
            else:
                return Cond(value, kind)
        if isinstance(value, Opaque):
            return value
        return po.positive(value) if kind == ">" else po.at_least_zero(value) if kind == ">=" else po.is_zero(value)

    def _equal(self, a: Any, b: Any) -> Any:
        for x in (a, b):
            if isinstance(x, Opaque):
                return x
        if isinstance(a, Poly | Own):
            return self._sign(self._add(a, self._negative(b)), "=")
        if isinstance(a, Virtual) or isinstance(b, Virtual):
            if a is b:
                return Opaque(a, "a member of the crowd is compared with another one")
            return False
        return equal(self.decide(a), self.decide(b))

    def answer(self, cond: Any) -> Bool | None:
        """What the class says, if it says anything; a plain condition says itself."""
        if isinstance(cond, FlagCond):
            known = cond.of.answers.get(cond.question)
            return None if known is None else known == cond.yes
        if not isinstance(cond, Cond):
            return cond
        if cond.kind == ">":
            return self._positive(cond.own)
        above, below = self._positive(cond.own), self._positive(negative(cond.own))
        if cond.kind == ">=":
            return None if below is None else not below
        if (above is None and below is None) or (above is None and below is False) or (below is None and above is False):
            return None
        zero = not above and not below
        return zero if cond.kind == "=" else not zero

    def _positive(self, own: Own) -> bool | None:
        answers = own.of.answers
        known = answers.get(own.question())
        if known is not None:
            return known
        if answers.get(negative(own).question()) is True:
            return False
        if all(self._never_above(own.of, atom, by) for atom, by in own.parts.items()):
            return False
        return None

    def _never_above(self, of: Virtual, atom: OwnAtom, by: Poly) -> bool:
        return (atom == HEAD or (of.party, atom) in self.own_signs) and self.never_negative(-by)

    def never_negative(self, p: Poly) -> bool:
        return all(by >= 0 and all(each.id in self.known_signs for each in monomial) for monomial, by in p.parts.items())

    def decide(self, cond: Any) -> Bool:
        """The condition as the class answers it.  Raises Split, or NotAdditive for what no class can answer."""
        if isinstance(cond, Opaque):
            raise NotAdditive(cond.reason, cond.span)
        known = self.answer(cond)
        if known is not None:
            return known
        if isinstance(cond, FlagCond):
            raise Split(cond.of, cond.question)
        if cond.kind == ">":
            raise Split(cond.own.of, cond.own.question())
        if cond.kind == ">=" or self._positive(cond.own) is not None:
            raise Split(cond.own.of, negative(cond.own).question())
        raise Split(cond.own.of, cond.own.question())

    def consequences(self, cond: Any) -> list[tuple[int, Bool]]:
        """What a condition that holds of every member of a class says of its sums."""
        if not isinstance(cond, Cond):
            return [] if isinstance(cond, FlagCond | Opaque) else [(PLAIN, cond)]
        total = cond.own.total()
        if cond.kind == "!=":
            return []
        if cond.kind == "=":
            return [(PLAIN, fact) for fact in laws.NOTHING.of(total)]
        result = [(PLAIN, fact) for fact in laws.NOT_NEGATIVE.of(total)]
        if cond.kind == ">":
            result += [(STRICT, fact) for fact in laws.ABOVE_ZERO.of(total, cond.own.of.sum(HEAD))]
        return result

    def choose(self, cond: Any, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        if isinstance(cond, Opaque):
            return cond
        cond = self.decide(cond)
        if isinstance(cond, bool):
            return then() if cond else orelse()
        return self.merge(cond, self._under(cond, then), self._under(negate(cond), orelse))

    def _under(self, cond: Any, run: Callable[[], Any]) -> Any:
        self.guards.append(cond)
        try:
            return run()
        finally:
            self.guards.pop()

    def merge(self, cond: Bool, a: Any, b: Any) -> Any:
        if a is b:
            return a
        if isinstance(a, Poly) and isinstance(b, Poly):
            return either(cond, a, b)
        for x in (a, b):
            if isinstance(x, Opaque):
                return x
        if isinstance(a, Own) or isinstance(b, Own):
            of = a.of if isinstance(a, Own) else b.of
            a, b = self.lift(a, of), self.lift(b, of)
            if a.of is not b.of:
                return Opaque(of, "two members of the crowd are compared")
            atoms = dict.fromkeys((*a.parts, *b.parts))
            return Own(of, {atom: either(cond, a.parts.get(atom, po.ZERO), b.parts.get(atom, po.ZERO)) for atom in atoms})
        if isinstance(a, Virtual) or isinstance(b, Virtual):
            return Opaque(a if isinstance(a, Virtual) else b, "a choice between members of the crowd")
        a, b = (self.decide(x) if isinstance(x, Cond | FlagCond) else x for x in (a, b))
        return merge(cond, a, b)

    # -- state

    def read(self, view: dict[Any, Any] | None, field: ir.Field, member: Any, index: Any) -> Any:
        state = self.state if view is None else view
        for which, at in ((0, member), (1, index)):
            if isinstance(at, Sel):
                possible = [(k, cond) for k, cond in enumerate(at.is_) if cond is not False]
                of = lambda k: self.read(view, field, *((k, index) if which == 0 else (member, k)))  # noqa: B023, E731
                result = of(possible[-1][0])
                for k, cond in reversed(possible[:-1]):
                    result = self.merge(cond, of(k), result)
                return result
        if isinstance(member, Opaque):
            return member
        value = state[field.name, member, index or 0]
        if isinstance(value, FlagCond) and isinstance(field.type, ir.Of):
            return self._which(value)
        return value

    def _which(self, value: FlagCond) -> int:
        """A member of a closed list that each member of a class has: asked one by one."""
        count = value.question[-1]
        for k in range(count - 1):
            if self.decide(FlagCond(value.of, (*value.question[:-1], k))) is True:
                return k
        return count - 1

    def write(self, field: ir.Field, member: Any, index: Any, value: Any) -> None:
        self.changes.append(self.known())
        for k, here in self._alternatives(member):
            for i, there in self._alternatives(index):
                cell, cond = (field.name, k, i), conj((here, there))
                if isinstance(value, Own | Opaque) and k is not value.of:
                    self._add_to_shared(cell, cond, value)
                elif self.acting and k is not self.acting[-1] and isinstance(value, Poly):
                    # INVARIANT: what everybody adds to a shared account is added by each of a class, however alike it is.
                    self._add_to_shared(cell, cond, self.lift(value, self.acting[-1]))
                else:
                    if isinstance(k, Virtual) and isinstance(value, Poly):
                        value = self.lift(value, k)
                    self.state[cell] = value if cond is True else self.merge(cond, value, self.state[cell])

    def _add_to_shared(self, cell: Any, cond: Bool, value: Own | Opaque) -> None:
        """What each member of a class adds to an account that is not its own: all of it together, kept aside until the loop
        ends (`flush`)."""
        if isinstance(value, Opaque):
            raise NotAdditive(value.reason, value.span)
        before = self.state[cell]
        change = plus(value, negative(self.lift(before, value.of))).total()
        aside = ("~", *cell)
        sofar = self.state.get(aside, po.ZERO)
        self.state[aside] = either(cond, sofar + change, sofar)

    def flush(self) -> None:
        """A loop over everybody has ended: what the crowd added to shared accounts arrives, each under one name (so that
        nothing later depends on how the crowd is cut)."""
        for aside in [cell for cell in self.state if cell[0] == "~"]:
            change = self.state.pop(aside)
            cell = aside[1:]
            self.state[cell] = self.state[cell] + self.named_total(change)

    def _alternatives(self, member: Any) -> list[tuple[Any, Bool]]:
        if isinstance(member, Sel):
            return [(k, cond) for k, cond in enumerate(member.is_) if cond is not False]
        return [(member or 0, True)]

    def freeze(self) -> dict[Any, Any]:
        return dict(self.state)

    # -- statements

    def branch(self, cond: Any, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        share = share_of(cond)
        if share is None:
            cond = self.decide(cond)
        if isinstance(cond, bool):
            (then if cond else orelse)()
            return
        before = self.state
        self.state = dict(before)
        self._under(cond, then)
        after_then = self.state
        if share is not None and self._nothing_without(share, before, after_then):
            return
        cond = self.decide(cond)
        if isinstance(cond, bool):  # its class had answered already
            if not cond:
                self.state = before
                orelse()
            return
        self.state = dict(before)
        self._under(negate(cond), orelse)
        after_else = self.state
        for cell in [each for each in (*after_then, *after_else) if each not in before]:
            after_then.setdefault(cell, po.ZERO)
            after_else.setdefault(cell, po.ZERO)
        self.state = {
            cell: value if value is after_else[cell] else self.merge(cond, value, after_else[cell])
            for cell, value in after_then.items()
        }

    def _nothing_without(self, share: Any, before: dict[Any, Any], after: dict[Any, Any]) -> bool:
        """Whoever gives nothing changes nothing: the body is linear in the share, so it need not be asked who gives."""
        for cell, value in after.items():
            old = before.get(cell, po.ZERO)
            if value is old:
                continue
            if cell[0] == "~":
                if isinstance(share, tuple) and not (value - old).each_has(only_atom(share[0].sum(share[1]))):
                    return False
                if not isinstance(share, tuple) and not (value - old).each_has(share):
                    return False
            elif isinstance(value, Own) and isinstance(share, tuple):
                if set(plus(value, negative(old)).parts) - {share[1]}:
                    return False
            elif not (isinstance(value, Poly) and not isinstance(share, tuple) and (value - old).each_has(share)):
                return False
        return True

    def require(self, cond: Any, span: Span) -> None:
        before = len(self.conditions)
        self._hold(cond, span)
        plain = not isinstance(cond, Cond | FlagCond | Opaque)
        if not plain or len(self.conditions) > before:
            self.guarded.append((before if plain else -1, span))

    def known(self) -> tuple[int, int, int, int]:
        plain, policy, strict = (len(each) for each in self.facts)
        return len(self.conditions), plain, policy, strict

    def _hold(self, cond: Any, span: Span) -> None:
        with self.speaking(("span", span)):
            for stage, fact in self.consequences(cond):
                needed = implies(self.guard(), fact)
                if needed is not True:
                    (self.conditions if stage == PLAIN else self.facts[stage]).append(needed)

    @contextmanager
    def of_crowd(self, member: Any) -> Generator[None]:
        """What is demanded meanwhile is demanded of this member."""
        virtual = [member] if isinstance(member, Virtual) else []
        self.acting.extend(virtual)
        try:
            yield
        finally:
            del self.acting[len(self.acting) - len(virtual) :]

    def demand(self, cond: Any, defect: ir.Defect, span: Span) -> None:
        """A run that counts meets no defect, so the condition holds.  Of members who give nothing it is said only if it is
        clear for them."""
        if cond is True:
            return
        giving = [each for each in self.guards if isinstance(each, Cond)]
        if giving and not (isinstance(cond, Cond) and cond.kind == ">=" and set(cond.own.parts) <= set(giving[-1].own.parts)):
            return
        if not self.acting:
            wrong = True if isinstance(cond, Cond | FlagCond | Opaque) else conj((self.guard(), negate(cond)))
            if wrong is not False:
                self.owed.append(Owed(wrong, defect, span, self.known()))
        self._hold(cond, span)

    def took(self, action: str, args: tuple[Any, ...]) -> None:
        self.taken.append((self.guard(), action, args))
        if self.on_took is not None:
            self.on_took(action, args)

    def shares(
        self, tier: ir.Tier, asked: Any, members: Sequence[Any], caps: Sequence[Any], keys: Sequence[Any], step: Any
    ) -> list[Any]:
        from specforge.algebra.tiers import share_out

        return share_out(self, tier, asked, members, caps, keys, step)
