"""What rulebooks may say beyond the few operators, written with those operators: min, max, abs and rounding.

`floor` is the only rounding primitive.  An operand that is not an atom is let-bound, so nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span

HALF, TWO = ir.Lit(Fraction(1, 2)), ir.Lit(Fraction(2))


def is_atom(expr: ir.Expr) -> bool:
    """Cheap enough to stand in several places: a literal, a local name, a field of one of those."""
    if isinstance(expr, ir.Read):
        return isinstance(expr.member, ir.Lit | ir.Var) and (
            expr.index is None or isinstance(expr.index, ir.Lit | ir.Var)
        )
    return isinstance(expr, ir.Lit | ir.Var)


def bound(
    operands: Sequence[tuple[str, ir.Expr]], body: Callable[..., ir.Expr], span: Span
) -> ir.Expr:
    """`body` of the operands, each let-bound under its name unless it is an atom.

    INVARIANT: the names contain a dot, which no name of a rulebook and no other binder does, and a body is built from
    atoms only; so an operand never stands in the scope of a name that it uses itself."""
    result = body(*(each if is_atom(each) else ir.Var(name, span=span) for name, each in operands))
    for name, each in reversed(operands):
        if not is_atom(each):
            result = ir.Let(name, each, result, span=span)
    return result


def op(operator: ir.Operator, *args: ir.Expr, span: Span = NOWHERE) -> ir.Op:
    return ir.Op(operator, args, span=span)


def negative(x: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    """-x"""
    if isinstance(x, ir.Lit) and isinstance(x.value, Fraction):
        return ir.Lit(-x.value, span=span)
    return op(ir.Operator.SUB, ir.ZERO, x, span=span)


def minimum(a: ir.Expr, b: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    def body(x: ir.Expr, y: ir.Expr) -> ir.Expr:
        return ir.If(op(ir.Operator.LE, x, y, span=span), x, y, span=span)

    return bound((("min.a", a), ("min.b", b)), body, span)


def maximum(a: ir.Expr, b: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    def body(x: ir.Expr, y: ir.Expr) -> ir.Expr:
        return ir.If(op(ir.Operator.LE, y, x, span=span), x, y, span=span)

    return bound((("max.a", a), ("max.b", b)), body, span)


def absolute(x: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    def body(x: ir.Expr) -> ir.Expr:
        return ir.If(op(ir.Operator.LT, x, ir.ZERO, span=span), negative(x, span), x, span=span)

    return bound((("abs.x", x),), body, span)


def _steps(name: str, x: ir.Expr, step: ir.Expr, count: Callable[[ir.Expr], ir.Expr], span: Span) -> ir.Expr:
    """`count(x / step) * step`: rounding is counting whole steps."""

    def body(x: ir.Expr, step: ir.Expr) -> ir.Expr:
        ratio = op(ir.Operator.DIV, x, step, span=span)
        return op(ir.Operator.MUL, bound(((f"{name}.ratio", ratio),), count, span), step, span=span)

    return bound(((f"{name}.x", x), (f"{name}.step", step)), body, span)


def floor_to(x: ir.Expr, step: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    """The greatest multiple of `step` not above x."""
    return _steps("floor", x, step, lambda ratio: op(ir.Operator.FLOOR, ratio, span=span), span)


def ceil_to(x: ir.Expr, step: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    """The smallest multiple of `step` not below x."""

    def up(ratio: ir.Expr) -> ir.Expr:
        return negative(op(ir.Operator.FLOOR, negative(ratio, span), span=span), span)

    return _steps("ceil", x, step, up, span)


def half_even(x: ir.Expr, step: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    """The nearest multiple of `step`; halfway between two, the even one."""

    def floor(x: ir.Expr) -> ir.Expr:
        return op(ir.Operator.FLOOR, x, span=span)

    def nearest(ratio: ir.Expr) -> ir.Expr:
        def unless_odd(up: ir.Expr) -> ir.Expr:
            halfway = op(ir.Operator.EQ, op(ir.Operator.SUB, up, ratio, span=span), HALF, span=span)
            half = op(ir.Operator.MUL, up, HALF, span=span)
            even = op(ir.Operator.EQ, floor(half), half, span=span)
            odd_tie = op(ir.Operator.AND, halfway, op(ir.Operator.NOT, even, span=span), span=span)
            return ir.If(odd_tie, op(ir.Operator.SUB, up, ir.ONE, span=span), up, span=span)

        nearest_up = floor(op(ir.Operator.ADD, ratio, HALF, span=span))
        return bound((("half_even.up", nearest_up),), unless_odd, span)

    return _steps("half_even", x, step, nearest, span)


def toward_zero(x: ir.Expr, step: ir.Expr, span: Span = NOWHERE) -> ir.Expr:
    """The multiple of `step` next to x on the side of zero."""

    def toward(ratio: ir.Expr) -> ir.Expr:
        up = negative(op(ir.Operator.FLOOR, negative(ratio, span), span=span), span)
        down = op(ir.Operator.FLOOR, ratio, span=span)
        return ir.If(op(ir.Operator.LT, ratio, ir.ZERO, span=span), up, down, span=span)

    return _steps("toward_zero", x, step, toward, span)
