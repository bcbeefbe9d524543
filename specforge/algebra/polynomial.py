"""Sums of products of unknowns, kept in one normal form, so that equal quantities look equal before a solver is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import z3
from quicktions import Fraction

from specforge.algebra import terms as direct
from specforge.algebra.symbolic import conj, negate, real

Bool = Any


class Atom:
    """One unknown (or a term that is no polynomial) of the solver.  INVARIANT: it holds its term, so its id is not reused."""

    __slots__ = ("_name", "id", "term")

    def __init__(self, term: z3.ArithRef):
        self.term, self.id = term, term.get_id()
        self._name: str | None = None

    @property
    def name(self) -> str:
        """Of the unknown; or of what the term does."""
        if self._name is None:
            self._name = direct.name_of(self.term)
        return self._name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and other.id == self.id

    def __hash__(self) -> int:
        return self.id

    def __lt__(self, other: Atom) -> bool:
        return self.id < other.id


Monomial = tuple[Atom, ...]
Factor = Fraction | int  # whole numbers stay int, which is several times as fast; INVARIANT: nothing divides two of them


class Poly:
    """A polynomial; `parts` has no zero coefficients.  Never changed after it is made."""

    __slots__ = ("_term", "parts")

    def __init__(self, parts: Mapping[Monomial, Factor]):
        self.parts = parts
        self._term: Any = None

    # -- making

    @staticmethod
    def of(value: Fraction) -> Poly:
        return Poly({(): value.numerator if value.denominator == 1 else value} if value else {})

    @staticmethod
    def atom(term: z3.ArithRef) -> Poly:
        return Poly({(Atom(term),): 1})

    # -- looking

    @property
    def constant(self) -> Fraction | None:
        """The number this is, if it is one."""
        if not self.parts:
            return Fraction(0)
        return Fraction(self.parts[()]) if len(self.parts) == 1 and () in self.parts else None

    def is_zero(self) -> bool:
        return not self.parts

    def same(self, other: Poly) -> bool:
        return self.parts == other.parts

    def key(self) -> frozenset[tuple[Monomial, Factor]]:
        return frozenset(self.parts.items())

    def each_has(self, atom: Atom) -> bool:
        """Zero wherever `atom` is."""
        return all(atom in monomial for monomial in self.parts)

    # -- arithmetic

    def __add__(self, other: Poly) -> Poly:
        if not other.parts:
            return self
        if not self.parts:
            return other
        parts = dict(self.parts)
        for monomial, by in other.parts.items():
            now = parts.get(monomial, 0) + by
            if now:
                parts[monomial] = now
            else:
                del parts[monomial]
        return Poly(parts)

    def __neg__(self) -> Poly:
        return Poly({monomial: -by for monomial, by in self.parts.items()})

    def __sub__(self, other: Poly) -> Poly:
        return self + -other

    def __mul__(self, other: Poly) -> Poly:
        parts: dict[Monomial, Factor] = {}
        for a, x in self.parts.items():
            for b, y in other.parts.items():
                monomial = tuple(sorted((*a, *b))) if a and b else a or b
                now = parts.get(monomial, 0) + x * y
                if now:
                    parts[monomial] = now
                else:
                    parts.pop(monomial, None)
        return Poly(parts)

    def scaled(self, by: Factor) -> Poly:
        if by == 1:
            return self
        return Poly({monomial: x * by for monomial, x in self.parts.items()}) if by else Poly({})

    # -- to the solver

    def term(self) -> z3.ArithRef:
        if self._term is None:
            terms = [_product(monomial, by) for monomial, by in self.parts.items()]
            self._term = real(Fraction(0)) if not terms else terms[0] if len(terms) == 1 else direct.total(terms)
        return self._term


def _product(monomial: Monomial, by: Factor) -> z3.ArithRef:
    terms = [each.term for each in monomial]
    if by != 1 or not terms:
        terms.insert(0, real(Fraction(by)))
    return terms[0] if len(terms) == 1 else direct.product(terms)


ZERO, ONE = Poly({}), Poly.of(Fraction(1))
NOTHING = real(Fraction(0))


def either(cond: Bool, a: Poly, b: Poly) -> Poly:
    """`a` where `cond` holds, else `b`; what both have in common stays outside the choice."""
    if cond is True or a.same(b):
        return a
    if cond is False:
        return b
    common = Poly({monomial: by for monomial, by in a.parts.items() if b.parts.get(monomial) == by})
    return common + Poly.atom(direct.choice(cond, (a - common).term(), (b - common).term()))


def positive(p: Poly) -> Bool:
    value = p.constant
    return value > 0 if value is not None else direct.more(p.term(), NOTHING)


def at_least_zero(p: Poly) -> Bool:
    value = p.constant
    return value >= 0 if value is not None else direct.at_least(p.term(), NOTHING)


def is_zero(p: Poly) -> Bool:
    value = p.constant
    return value == 0 if value is not None else direct.alike(p.term(), NOTHING)


def minimum(a: Poly, b: Poly) -> Poly:
    return either(at_least_zero(b - a), a, b)


def is_minimum(t: Poly, a: Poly, b: Poly) -> Bool:
    """t is the smaller of a and b, without an if."""
    first, second = at_least_zero(a - t), at_least_zero(b - t)
    return conj((first, second, negate(conj((negate(is_zero(a - t)), negate(is_zero(b - t)))))))
