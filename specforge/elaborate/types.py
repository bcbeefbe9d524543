"""Types while a rulebook is checked: those of the core, a bare 0 that has every unit, and what is unknown after a mistake."""

from __future__ import annotations

from specforge.core import ir
from specforge.elaborate import units
from specforge.records import frozen


@frozen
class Zero:
    """The type of a bare `0`."""


@frozen
class Hole:
    """The type of something that has already been reported; it fits everywhere, so that one mistake is one message."""


Type = ir.Number | ir.Flag | ir.Of | Zero | Hole

Typed = tuple[ir.Expr, Type]  # an expression in the core, and its type
ZERO, HOLE, FLAG = Zero(), Hole(), ir.Flag()
NUMBER, RATIO = ir.Number(style="number"), ir.Number(style="ratio")
TIME = ir.Number(units.SECONDS, "time")


def number(dims: units.Dims, style: str = "") -> ir.Number:
    if dims == units.NONE:
        return RATIO if style == "ratio" else NUMBER
    return TIME if dims == units.SECONDS else ir.Number(dims)


def is_number(kind: Type) -> bool:
    return isinstance(kind, ir.Number | Zero | Hole)


def is_flag(kind: Type) -> bool:
    return isinstance(kind, ir.Flag | Hole)


def settled(kind: Type) -> ir.Type:
    """A type of the core, where one must be written down."""
    return NUMBER if isinstance(kind, Zero | Hole) else kind


def fits(kind: Type, wanted: Type) -> bool:
    """Whether a value of type `kind` may stand where `wanted` is asked for."""
    if isinstance(kind, Hole) or isinstance(wanted, Hole):
        return True
    if isinstance(kind, Zero) or isinstance(wanted, Zero):
        return isinstance(kind, ir.Number | Zero) and isinstance(wanted, ir.Number | Zero)
    return kind == wanted


def joined(a: Type, b: Type) -> Type:
    """The type of `a` and `b` together, when they fit."""
    if isinstance(a, Hole) or isinstance(b, Zero):
        return a
    if isinstance(b, Hole) or isinstance(a, Zero):
        return b
    if isinstance(a, ir.Number) and isinstance(b, ir.Number) and not a.dims and a.style != b.style:
        return NUMBER
    return a


def product(a: Type, b: Type, sign: int) -> Type:
    """The type of a product (`sign` 1) or a quotient of two numbers."""
    if isinstance(a, Hole) or isinstance(b, Hole):
        return HOLE
    if isinstance(a, Zero):
        return ZERO
    if isinstance(b, Zero):
        return ZERO if sign > 0 else HOLE
    assert isinstance(a, ir.Number) and isinstance(b, ir.Number)
    both_ratios = a.style == b.style == "ratio"
    return number(units.combine(a.dims, b.dims, sign), "ratio" if both_ratios else "number")


def words(kind: Type) -> str:
    """The type in words, to stand after "this is"."""
    match kind:
        case ir.Flag():
            return "a flag"
        case ir.Of(party):
            return f"a member of `{party}`"
        case ir.Number():
            if kind == TIME:
                return "a time"
            if kind.dims == units.combine(units.NONE, units.SECONDS, -1):
                return "a rate per time"
            return f"`{kind.text()}`" if kind.dims else "a plain number"
        case Zero():
            return "0"
        case Hole():
            return "unknown"
