"""An expression with its local names replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from specforge.core import ir

Mapping_ = Mapping[str, ir.Expr]


def substitute(expr: ir.Expr, by: Mapping_) -> ir.Expr:
    """`expr` with local names replaced; the very same object where nothing changes."""
    match expr:
        case ir.Var(name):
            return by.get(name, expr)
        case ir.Lit() | ir.Undefined():
            return expr
        case ir.Read(field, member, index):
            new = substitute(member, by)
            at = None if index is None else substitute(index, by)
            return expr if new is member and at is index else ir.Read(field, new, at, span=expr.span)
        case ir.Op(op, args):
            changed = tuple([substitute(each, by) for each in args])
            if all(a is b for a, b in zip(changed, args, strict=True)):
                return expr
            return ir.Op(op, changed, expr.of, span=expr.span)
        case ir.If(cond, then, orelse):
            c, t, o = substitute(cond, by), substitute(then, by), substitute(orelse, by)
            return expr if c is cond and t is then and o is orelse else ir.If(c, t, o, span=expr.span)
        case ir.Let(name, value, body):
            v, b = substitute(value, by), substitute(body, by)
            return expr if v is value and b is body else ir.Let(name, v, b, span=expr.span)
        case ir.Fold(kind, var, party, where, body):
            w, b = substitute(where, by), substitute(body, by)
            return expr if w is where and b is body else ir.Fold(kind, var, party, w, b, span=expr.span)
        case ir.Old(body):
            b = substitute(body, by)
            return expr if b is body else ir.Old(b, span=expr.span)
    assert_never(expr)
