"""What a carrier of values must offer, so that the one evaluator can run on it.

Three carriers stand in `specforge/algebra/`: exact fractions (the reference), Z3 terms, and Python source that is compiled
once.  A value is whatever the carrier says it is; the evaluator never looks inside one, and no operator of the host
language decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.source import Span

Value = Any  # a carrier's number, flag or member
View = Any  # a state to read from; None is the live one


class Algebra(Protocol):
    # -- values
    def number(self, value: Fraction) -> Value: ...

    def flag(self, value: bool) -> Value: ...

    def member(self, party: str, index: int) -> Value: ...

    def apply(self, op: ir.Operator, *args: Value) -> Value:
        """Any operator but DIV, AND and OR (those two are `choose`)."""
        ...

    def divide(self, a: Value, b: Value, span: Span) -> Value:
        """a / b; b = 0 is the defect DIVISION."""
        ...

    def undefined(self, defect: ir.Defect, span: Span) -> Value: ...

    def choose(self, cond: Value, then: Callable[[], Value], orelse: Callable[[], Value]) -> Value:
        """The value of the one that applies; the other one need not be defined."""
        ...

    def name(self, hint: str, value: Value) -> Value:
        """The same value, computed once from here on."""
        ...

    def members(self, party: str) -> Sequence[int]:
        """The members of a party, by position."""
        ...

    # -- state
    def read(self, view: View, field: ir.Field, member: Value, index: Value | None) -> Value: ...

    def write(self, field: ir.Field, member: Value, index: Value | None, value: Value) -> None: ...

    def freeze(self) -> View:
        """The state as it stands now, to read from later."""
        ...

    # -- statements
    def branch(self, cond: Value, then: Callable[[], None], orelse: Callable[[], None]) -> None: ...

    def require(self, cond: Value, span: Span) -> None:
        """The action is refused, as a whole, where `cond` fails."""
        ...

    def demand(self, cond: Value, defect: ir.Defect, span: Span) -> None:
        """The rulebook has a defect where `cond` fails."""
        ...

    def shares(
        self, tier: ir.Tier, asked: Value, members: Sequence[int], caps: Sequence[Value], keys: Sequence[Value],
        step: Value | None,
    ) -> list[Value]:
        """What each member gives: the law of LANGUAGE section 5, step 2.  Caps are at least 0; picks are the carrier's."""
        ...

    def took(self, action: str, args: tuple[Value, ...]) -> None: ...
