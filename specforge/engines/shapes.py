"""Small pieces of core language that guesses at lemmas are made of."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from specforge.core import ir
from specforge.engines.cases import RULES_MEMBER, Book

Op = ir.Operator
YES = ir.YES


def busy(book: Book) -> tuple[ir.Expr, ...]:
    """The settling of some action to which a duty listens is on."""
    return tuple(
        ir.Read(name, RULES_MEMBER) for name in book.system.fields if name.startswith("by:") and book.listening({name[3:]})
    )


def venue_fields(book: Book) -> Iterator[tuple[str, ir.Field, ir.Expr]]:
    """The fields of parties with a closed list, one by one, as the text writes them."""
    for each in book.system.fields.values():
        party = book.system.parties.get(each.party)
        if party is not None and party.members is not None and not each.per and ":" not in each.name:
            for index, name in enumerate(party.members):
                place = f"{party.name if len(party.members) == 1 else name}.{each.short}"
                yield place, each, ir.Read(each.name, ir.Lit(ir.Member(party.name, index)))


def member_fields(book: Book) -> Iterator[ir.Field]:
    for each in book.system.fields.values():
        party = book.system.parties.get(each.party)
        if party is not None and party.members is None and not each.per and ":" not in each.name:
            yield each


def never_below_zero(each: ir.Field) -> bool:
    low = each.lowest
    return isinstance(each.type, ir.Number) and isinstance(low, ir.Lit) and low.value >= 0  # type: ignore[operator]


def total(system: ir.System, each: ir.Field) -> ir.Expr:
    """What stands on all accounts that the field describes, over all members (and all of `per`)."""
    member = ir.Var("m")
    where = RULES_MEMBER if each.party == ir.RULES else member
    read: ir.Expr = ir.Read(each.name, where, ir.Var("k") if each.per else None)
    if each.per:
        read = ir.Fold(ir.Folding.SUM, "k", each.per, YES, read)
    if each.party == ir.RULES:
        return read
    return ir.Fold(ir.Folding.SUM, "m", each.party, YES, read)


def conjuncts(expr: ir.Expr) -> list[ir.Expr]:
    if isinstance(expr, ir.Op) and expr.op is Op.AND:
        return [each for arg in expr.args for each in conjuncts(arg)]
    return [expr]


def variables(expr: ir.Expr) -> set[str]:
    bound = {node.var for node in ir.walk(expr) if isinstance(node, ir.Fold)} | {
        node.name for node in ir.walk(expr) if isinstance(node, ir.Let)
    }
    return {node.name for node in ir.walk(expr) if isinstance(node, ir.Var)} - bound


def replaced(expr: object, name: str, by: ir.Expr) -> object:
    """`expr` with the local name replaced (no binder of that name inside)."""
    if isinstance(expr, ir.Var):
        return by if expr.name == name else expr
    if isinstance(expr, tuple):
        return tuple(replaced(each, name, by) for each in expr)
    if attrs.has(type(expr)):
        changes = {
            a.name: replaced(getattr(expr, a.name), name, by)
            for a in attrs.fields(type(expr))
            if isinstance(getattr(expr, a.name), tuple | ir.Op | ir.Var | ir.Read | ir.If | ir.Let | ir.Fold | ir.Old)
        }
        return attrs.evolve(expr, **changes) if changes else expr
    return expr


def guards_of(block: ir.Block) -> list[ir.Expr]:
    return [each for node in block if isinstance(node, ir.Require) for each in conjuncts(node.cond)]


def absolute_of(expr: ir.Expr) -> ir.Expr | None:
    """x, if the expression is abs(x)."""
    match expr:
        case ir.If(ir.Op(Op.LT, (x, zero)), _, y) if zero == ir.ZERO and x == y:
            return x
        case _:
            return None


def absolute(x: ir.Expr) -> ir.Expr:
    return ir.If(ir.Op(Op.LT, (x, ir.ZERO)), ir.Op(Op.SUB, (ir.ZERO, x)), x)


def without(expr: ir.Expr, node: object) -> ir.Expr:
    """The product without one of its factors."""
    if expr is node:
        return ir.ONE
    if isinstance(expr, ir.Op) and expr.op is Op.MUL:
        return attrs.evolve(expr, args=tuple(without(each, node) for each in expr.args))
    return expr


def as_it_was(book: Book, expr: object) -> ir.Expr:
    """The same, with the venue's figures as they were when the settling began."""
    if isinstance(expr, ir.Read) and f"was:{expr.field}" in book.system.fields:
        return attrs.evolve(expr, field=f"was:{expr.field}")
    if isinstance(expr, tuple):
        return tuple(as_it_was(book, each) for each in expr)  # type: ignore[return-value]
    if attrs.has(type(expr)):
        changes = {
            a.name: as_it_was(book, getattr(expr, a.name))
            for a in attrs.fields(type(expr))
            if isinstance(getattr(expr, a.name), tuple | ir.Op | ir.Var | ir.Read | ir.If | ir.Let | ir.Fold | ir.Old)
        }
        return attrs.evolve(expr, **changes) if changes else expr  # type: ignore[return-value]
    return expr  # type: ignore[return-value]


def one_line(expr: ir.Expr) -> str:
    """The words of the text where the expression stands."""
    return " ".join(expr.span.text.split()) or "it"


def every(var: str, party: str, body: ir.Expr) -> ir.Expr:
    return ir.Fold(ir.Folding.ALL, var, party, YES, body)
