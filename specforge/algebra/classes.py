"""A class of the crowd as one virtual member, its values, and the questions it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import z3
from attrs import field
from quicktions import Fraction

from specforge.algebra import polynomial as po
from specforge.algebra.polynomial import Poly
from specforge.algebra.terms import number
from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import define, frozen

Bool = Any
OwnAtom = tuple[Any, ...]  # ("margin", 0): a field at the start; ("share", 2): what is given in the third tier; HEAD
HEAD: OwnAtom = ("",)  # 1 for every member: its sum is the head count
Question = tuple[Any, ...]
PLAIN, POLICY, STRICT = 0, 1, 2
CLASS_LIMIT = 40
SHARE = "share!"  # INVARIANT: no field's unknown is called so (names of the text have no "!")


class Split(Exception):
    """A class must be cut in two by a question.  `others`: classes that must be as well."""

    def __init__(self, virtual: Virtual, question: Question):
        super().__init__(str(question))
        self.virtual, self.question = virtual, question
        self.others: list[Split] = []


def of_each(members: Iterable[Any], run: Callable[[Any], Any]) -> list[Any]:
    """`run` of each member.  Where a class must be cut for it, the others are asked too, so that all can be cut at once."""
    result: list[Any] = []
    splits: list[Split] = []
    for member in members:
        try:
            result.append(run(member))
        except Split as split:
            splits += [split, *split.others]
    if splits:
        splits[0].others = splits[1:]
        raise splits[0]
    return result


class NotAdditive(Exception):
    """A rule uses members' values in a way that sums over a class do not determine."""

    def __init__(self, reason: str, span: Span = NOWHERE):
        super().__init__(reason)
        self.reason, self.span = reason, span


@define(eq=False)
class Virtual:
    """All members of a class as one.  `answers`: what makes the class; `signs`: the questions about signs among them."""

    party: str
    name: str
    answers: dict[Question, bool] = field(factory=dict)
    sums: dict[OwnAtom, Poly] = field(factory=dict)

    def __str__(self) -> str:
        return self.name

    def sum(self, atom: OwnAtom) -> Poly:
        known = self.sums.get(atom)
        if known is None:
            known = self.sums[atom] = Poly.atom(number(f"{self.name}:{':'.join(str(each) for each in atom)}"))
        return known

    @property
    def empty(self) -> Bool:
        return po.is_zero(self.sum(HEAD))

    @property
    def is_lasting(self) -> bool:
        """What makes the class is said in terms of the state alone, not of what was given a number on the way."""
        positive = [part for question in self.answers if question[0] == "positive" for part in question[1]]
        made = [atom[0] == "floor" or any("!" in x.name for monomial, _ in by for x in monomial) for atom, by in positive]
        return not any(made)

    def cut(self, question: Question, number: int) -> list[Virtual]:
        return [
            Virtual(self.party, f"{self.party}~{number + way}", {**self.answers, question: answer})
            for way, answer in enumerate((True, False))
        ]


@define(eq=False)
class Own:
    """A number that each member of a class has: a venue-level coefficient for each of its own fields (and for HEAD).  Never
    changed after it is made."""

    of: Virtual
    parts: dict[OwnAtom, Poly]
    _question: Question | None = field(default=None, init=False)

    def total(self) -> Poly:
        result = po.ZERO
        for atom, by in self.parts.items():
            result = result + by * self.of.sum(atom)
        return result

    def question(self) -> Question:
        """INVARIANT: made from the value itself, up to a positive factor: two different values never share a question."""
        if self._question is None:
            lead = min(self.parts.items(), key=lambda each: str(each[0]))[1]
            first = min(lead.parts.items(), key=lambda each: tuple(a.id for a in each[0]))[1]
            scale = Fraction(1) / abs(first)
            self._question = ("positive", frozenset((atom, by.scaled(scale).key()) for atom, by in self.parts.items()))
        return self._question


@frozen(eq=False)
class Opaque:
    """A number of each member of a class that is not linear in its fields: it may be handed on, but not used."""

    of: Virtual
    reason: str
    span: Span = NOWHERE


@frozen(eq=False)
class Cond:
    """A condition on each member of a class: `own` above zero (">"), at least zero (">="), zero ("=") or not ("!=")."""

    own: Own
    kind: str

    def negated(self) -> Cond:
        if self.kind in "=!=":
            return Cond(self.own, "!=" if self.kind == "=" else "=")
        return Cond(negative(self.own), ">=" if self.kind == ">" else ">")


@frozen(eq=False)
class FlagCond:
    """A yes/no field of each member of a class."""

    of: Virtual
    question: Question
    yes: bool = True


def negative(own: Own) -> Own:
    return Own(own.of, {atom: -by for atom, by in own.parts.items()})


def plus(a: Own, b: Own) -> Own:
    parts = dict(a.parts)
    for atom, by in b.parts.items():
        parts[atom] = parts.get(atom, po.ZERO) + by
    return Own(a.of, {atom: by for atom, by in parts.items() if not by.is_zero()})


def only_atom(p: Poly) -> po.Atom:
    ((monomial, _),) = p.parts.items()
    return monomial[0]


def share_of(cond: Any) -> Any:
    """If the condition asks whether somebody gives anything: his share (an atom, or a class and its own atom)."""
    if isinstance(cond, Cond) and cond.kind == ">" and len(cond.own.parts) == 1:
        ((atom, by),) = cond.own.parts.items()
        return (cond.own.of, atom) if atom[0] == "share" and by.same(po.ONE) else None
    if isinstance(cond, z3.BoolRef) and z3.is_gt(cond):
        share = cond.arg(0)
        if isinstance(share, z3.ArithRef) and z3.is_const(share) and share.decl().name().startswith(SHARE):
            return po.Atom(share)
    return None
