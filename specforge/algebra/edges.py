"""In which interval one unknown may lie so that what was decided in a run stays as it was: exactly, without a search.

A decision compares numbers made from the unknown by the four operations: quotients of polynomials.  Between the points at
which one of these is 0 or has no value, no decision changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

import z3
from attrs import field
from quicktions import Fraction

from specforge.algebra.symbolic import as_term
from specforge.algebra.terms import real, roots
from specforge.records import define, frozen

DEGREE = 16  # of a polynomial; what is more is not looked at
PRECISION = 30  # decimal digits of a point that is not rational

Polynomial = tuple[Fraction, ...]  # the coefficients, the constant first, the last not 0; 0 is ()
Quotient = tuple[Polynomial, Polynomial]
ONE: Polynomial = (Fraction(1),)


@frozen
class Interval:
    """From `low` to `high` (None: no end); `_open`: the end itself is not included."""

    low: Fraction | None
    low_open: bool
    high: Fraction | None
    high_open: bool


class TooMuch(Exception):
    """The decisions are not of the form described above, or too high powers occur."""


def range_around(conditions: Sequence[Any], name: str, value: Fraction) -> Interval:
    """The widest interval around `value` in which the unknown `name` (the only one) keeps every condition; where that would
    end at a number that is no fraction, `value` itself."""
    reading = _Reading(name)
    try:
        held = [reading.condition(as_term(each)) for each in conditions]
        points = _points(reading.polynomials)
    except TooMuch:
        return Interval(value, False, value, False)

    def holds(at: Fraction) -> bool:
        return all(each(at) for each in held)

    high, high_open = _edge([each for each in points if each[0] > value], value, holds, 1)
    low, low_open = _edge([each for each in reversed(points) if each[1] < value], value, holds, -1)
    return Interval(low, low_open, high, high_open)


Point = tuple[Fraction, Fraction]  # somewhere between these two, which are one if it is a fraction


def _edge(
    points: Sequence[Point], value: Fraction, holds: Callable[[Fraction], bool], way: int
) -> tuple[Fraction | None, bool]:
    """How far one can go from `value` (`way` 1: up, -1: down; the points in this order) before something is broken, and
    whether it is broken there already.  (None, True) is for ever."""
    last = value, value
    for point in points:
        before, after = last[way > 0], point[way < 0]
        if (after - before) * way <= 0:  # two that are no fractions, too near to each other
            return value, False
        if not holds((before + after) / 2):
            return (before if last[0] == last[1] else value), False
        if point[0] == point[1] and not holds(after):
            return after, True
        last = point
    if holds(last[way > 0] + way):
        return None, True
    return (last[0] if last[0] == last[1] else value), False


def _points(polynomials: Sequence[Polynomial]) -> list[Point]:
    """Where one of them is 0, in order."""
    found: set[Point] = set()
    for each in set(polynomials):
        if len(each) == 2:
            root = -each[0] / each[1]
            found.add((root, root))
        elif len(each) > 2:
            found.update(_roots(each))
    return sorted(found)


def _roots(of: Polynomial) -> list[Point]:
    x: Any = z3.Var(0, z3.RealSort())
    powers: list[Any] = [z3.RealVal(1), x]
    while len(powers) < len(of):
        powers.append(powers[-1] * x)
    term: Any = z3.Sum([real(factor) * power for factor, power in zip(of, powers, strict=False) if factor])
    found: list[Point] = []
    for root in roots(term):
        rational = z3.is_rational_value(root)
        about: Fraction = (root if rational else root.approx(PRECISION)).as_fraction()
        error = Fraction(0 if rational else 1, 10**PRECISION)
        found.append((about - error, about + error))
    return found


@define(eq=False)
class _Reading:
    """Conditions read as functions of a fraction; `polynomials`: of which their truth depends."""

    name: str
    numbers: dict[int, Quotient] = field(factory=dict)  # by the identity of the term, which the conditions keep alive
    polynomials: list[Polynomial] = field(factory=list)

    def condition(self, term: Any) -> Callable[[Fraction], bool]:
        kind, parts = term.decl().kind(), term.children()
        if kind in (z3.Z3_OP_TRUE, z3.Z3_OP_FALSE):
            return lambda at: kind == z3.Z3_OP_TRUE
        if kind == z3.Z3_OP_NOT:
            inner = self.condition(parts[0])
            return lambda at: not inner(at)
        if kind in (z3.Z3_OP_AND, z3.Z3_OP_OR):
            every, each = all if kind == z3.Z3_OP_AND else any, [self.condition(part) for part in parts]
            return lambda at: every(part(at) for part in each)
        if kind == z3.Z3_OP_EQ and z3.is_bool(parts[0]):
            one, other = (self.condition(part) for part in parts)
            return lambda at: one(at) is other(at)
        if kind not in SIGNS:
            raise TooMuch
        over, under = _plus(self.number(parts[0]), self.number(parts[1]), -1)
        self.polynomials += [over, under]
        fits = SIGNS[kind]
        return lambda at: fits(_at(over, at) * _at(under, at))

    def number(self, term: Any) -> Quotient:
        known = self.numbers.get(term.get_id())
        if known is None:
            known = self.numbers[term.get_id()] = self._number(term)
            if max(map(len, known)) > DEGREE:
                raise TooMuch
        return known

    def _number(self, term: Any) -> Quotient:
        if z3.is_rational_value(term):
            value = term.as_fraction()
            return ((value,) if value else ()), ONE
        kind, parts = term.decl().kind(), [self.number(each) for each in term.children()]
        match kind:
            case z3.Z3_OP_UNINTERPRETED if term.decl().name() == self.name:
                return (Fraction(0), Fraction(1)), ONE
            case z3.Z3_OP_ADD | z3.Z3_OP_SUB:
                total = parts[0]
                for each in parts[1:]:
                    total = _plus(total, each, 1 if kind == z3.Z3_OP_ADD else -1)
                return total
            case z3.Z3_OP_UMINUS:
                return _plus(((), ONE), parts[0], -1)
            case z3.Z3_OP_MUL:
                over, under = parts[0]
                for each in parts[1:]:
                    over, under = _product(over, each[0]), _product(under, each[1])
                return over, under
            case z3.Z3_OP_DIV if parts[1][0]:
                return _product(parts[0][0], parts[1][1]), _product(parts[0][1], parts[1][0])
            case _:
                raise TooMuch


# of a comparison, by the sign of the difference; where that has no value (its denominator is 0), another condition says so
SIGNS: dict[int, Callable[[Fraction], bool]] = {
    z3.Z3_OP_LT: lambda sign: sign < 0,
    z3.Z3_OP_LE: lambda sign: sign <= 0,
    z3.Z3_OP_GT: lambda sign: sign > 0,
    z3.Z3_OP_GE: lambda sign: sign >= 0,
    z3.Z3_OP_EQ: lambda sign: sign == 0,
}


def _plus(a: Quotient, b: Quotient, sign: int) -> Quotient:
    if a[1] == b[1]:
        return _sum(a[0], b[0], sign), a[1]
    return _sum(_product(a[0], b[1]), _product(b[0], a[1]), sign), _product(a[1], b[1])


def _sum(a: Polynomial, b: Polynomial, sign: int) -> Polynomial:
    total = [x + sign * y for x, y in zip_longest(a, b, fillvalue=Fraction(0))]
    while total and not total[-1]:
        total.pop()
    return tuple(total)


def _product(a: Polynomial, b: Polynomial) -> Polynomial:
    if not a or not b:
        return ()
    if len(a) == 1 or len(b) == 1:
        (factor,), other = (a, b) if len(a) == 1 else (b, a)
        return other if factor == 1 else tuple(factor * each for each in other)
    found = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            found[i + j] += x * y
    return tuple(found)


def _at(of: Polynomial, value: Fraction) -> Fraction:
    total = Fraction(0)
    for each in reversed(of):
        total = total * value + each
    return total
