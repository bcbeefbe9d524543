"""Checks an expression and writes it in the core: every name found, every unit worked out, every definition written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from specforge.core import derived, ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate import calls, literals, names, quantities, references, types, units
from specforge.elaborate.names import Parameter, Party, Scope
from specforge.syntax import tree

RULES = ir.Lit(ir.Member(ir.RULES, 0))
COMPARISONS = {
    tree.CompareOp.LT: (ir.Operator.LT, False),
    tree.CompareOp.LE: (ir.Operator.LE, False),
    tree.CompareOp.GT: (ir.Operator.LT, True),
    tree.CompareOp.GE: (ir.Operator.LE, True),
}
EQUALITIES = (tree.CompareOp.EQ, tree.CompareOp.NE)
ARITHMETIC = {
    tree.ArithOp.ADD: ir.Operator.ADD,
    tree.ArithOp.SUB: ir.Operator.SUB,
    tree.ArithOp.MUL: ir.Operator.MUL,
    tree.ArithOp.DIV: ir.Operator.DIV,
}
EXTREMES = {
    tree.FoldKind.SUM: ir.Folding.SUM,
    tree.FoldKind.LARGEST: ir.Folding.LARGEST,
    tree.FoldKind.SMALLEST: ir.Folding.SMALLEST,
}


def hole(span: Span) -> types.Typed:
    """What stands for something that has been reported: it has no value and every type."""
    return ir.Undefined(ir.Defect.DIVISION, span=span), types.HOLE


def lower(node: tree.Expr, scope: Scope) -> types.Typed:
    """The expression in the core, and its type."""
    context = scope.context
    context.level += 1
    context.size += 1
    try:
        if context.too_large or not context.reached(context.level, node.span):
            return hole(node.span)
        match node:
            case tree.Ref():
                return references.value(node, scope)
            case tree.Number():
                return literals.number(node, scope)
            case tree.Call():
                return calls.lower(node, scope)
            case tree.Compare():
                return _compare(node, scope)
            case tree.Arith():
                return _arithmetic(node, scope)
            case tree.And(parts):
                return _connect(ir.Operator.AND, parts, node.span, scope)
            case tree.Or(parts):
                return _connect(ir.Operator.OR, parts, node.span, scope)
            case tree.Percent():
                return literals.percent(node, scope)
            case tree.Flag(value):
                return ir.Lit(value, span=node.span), types.FLAG
            case tree.Not(value):
                return ir.Op(ir.Operator.NOT, (flag(value, scope),), span=node.span), types.FLAG
            case tree.Implies(left, right):
                condition = ir.Op(ir.Operator.NOT, (flag(left, scope),), span=left.span)
                return ir.Op(ir.Operator.OR, (condition, flag(right, scope)), span=node.span), types.FLAG
            case tree.Neg(value):
                expr, kind = number(value, scope)
                return derived.negative(expr, node.span), kind
            case tree.Choose():
                return _choose(node, scope)
            case tree.Fold():
                return _fold(node, scope)
            case tree.Count(binder):
                inner, wrap = bind(binder, scope)
                del inner
                return wrap(ir.Folding.SUM, ir.ONE, node.span), types.NUMBER
            case tree.Exists(binder):
                inner, wrap = bind(binder, scope)
                del inner
                none = wrap(ir.Folding.ALL, ir.NO, node.span)
                return ir.Op(ir.Operator.NOT, (none,), span=node.span), types.FLAG
            case tree.ForAll(binder, body):
                inner, wrap = bind(binder, scope)
                return wrap(ir.Folding.ALL, flag(body, inner), node.span), types.FLAG
        assert_never(node)
    finally:
        context.level -= 1


# ---------------------------------------------------------------- expressions of a certain type


def flag(node: tree.Expr, scope: Scope) -> ir.Expr:
    """A condition."""
    expr, kind = lower(node, scope)
    if types.is_flag(kind):
        return expr
    scope.context.report(
        Code.SF302,
        f"a condition must be a flag, and this is {types.words(kind)}",
        Label(node.span, f"this is {types.words(kind)}"),
        help="compare it with something: `… > 0`" if types.is_number(kind) else None,
    )
    return ir.Lit(True, span=node.span)


def number(node: tree.Expr, scope: Scope) -> types.Typed:
    expr, kind = lower(node, scope)
    if types.is_number(kind):
        return expr, kind
    scope.context.report(
        Code.SF303,
        f"a number is needed here, and this is {types.words(kind)}",
        Label(node.span, f"this is {types.words(kind)}"),
    )
    return hole(node.span)


def of_type(node: tree.Expr, wanted: types.Type, scope: Scope, code: Code, what: str, *declared: Label) -> ir.Expr:
    """An expression that must have the type `wanted`; `what` in words ("the amount")."""
    expr, kind = lower(node, scope)
    if types.fits(kind, wanted):
        return expr
    help = conversion(node, kind, wanted, scope)
    scope.context.report(
        code,
        f"{what} must be {types.words(wanted)}, and this is {types.words(kind)}",
        Label(node.span, f"this is {types.words(kind)}"),
        *declared,
        help=help,
    )
    return hole(node.span)[0]


def conversion(node: tree.Expr, kind: types.Type, wanted: types.Type, scope: Scope) -> str | None:
    """How to come from one unit to another: by a price that the rulebook has, or by naming the unit."""
    if not isinstance(kind, ir.Number) or not isinstance(wanted, ir.Number):
        return None
    if isinstance(node, tree.Number) and node.unit is None and wanted.dims:
        return f"write the unit: `{node.span.text} {wanted.text()}`"
    text = node.span.text if "\n" not in node.span.text and len(node.span.text) <= 30 else "…"
    if isinstance(node, tree.Arith | tree.Choose):
        text = f"({text})"
    for sign, sentence in ((1, "multiply by a price: `{} * {}`"), (-1, "divide by a price: `{} / {}`")):
        factor = units.combine(wanted.dims, kind.dims, -1)
        if any(name == "seconds" for name, _ in factor):
            return None
        if sign < 0:
            factor = tuple((name, -power) for name, power in factor)
        price = _something_of(factor, scope)
        if factor and price is not None:
            return sentence.format(text, price)
    return None


def _something_of(dims: units.Dims, scope: Scope) -> str | None:
    """A local name, parameter or field of a one-member party with this unit."""
    for name, local in scope.locals.items():
        if isinstance(local.type, ir.Number) and local.type.dims == dims:
            return name
    for thing in scope.book.things.values():
        if isinstance(thing, Parameter) and isinstance(thing.type, ir.Number) and thing.type.dims == dims:
            return thing.name.text
        if isinstance(thing, Party) and thing.one:
            for each in thing.fields.values():
                if isinstance(each.type, ir.Number) and each.type.dims == dims and each.per is None:
                    return f"{thing.name.text}.{each.name.text}"
    return None


# ---------------------------------------------------------------- operators


def _arithmetic(node: tree.Arith, scope: Scope) -> types.Typed:
    left, a = number(node.left, scope)
    right, b = number(node.right, scope)
    context = scope.context
    expr = ir.Op(ARITHMETIC[node.op], (left, right), span=node.span)
    if node.op in (tree.ArithOp.ADD, tree.ArithOp.SUB):
        if not types.fits(a, b):
            verb = "add" if node.op is tree.ArithOp.ADD else "subtract"
            message = f"cannot {verb} {types.words(a)} and {types.words(b)}"
            two_units(Code.SF312, message, (node.left, a), (node.right, b), scope)
            return hole(node.span)
        return expr, types.joined(a, b)
    if node.op is tree.ArithOp.DIV and isinstance(right, ir.Lit) and right.value == 0 and not isinstance(b, types.Hole):
        context.report(Code.SF321, "division by zero", Label(node.right.span, "this is always 0"))
        return hole(node.span)
    kind = types.product(a, b, 1 if node.op is tree.ArithOp.MUL else -1)
    if isinstance(kind, ir.Number) and units.too_large(kind.dims):
        quantities.report_power(context, kind, node.span)
        return hole(node.span)
    return expr, kind


def two_units(
    code: Code, message: str, left: tuple[tree.Expr, types.Type], right: tuple[tree.Expr, types.Type], scope: Scope
) -> None:
    """Reports two operands whose types do not go together."""
    help = conversion(right[0], right[1], left[1], scope) or conversion(left[0], left[1], right[1], scope)
    labels = [Label(node.span, f"this is {types.words(kind)}") for node, kind in (left, right)]
    scope.context.report(code, message, *labels, help=help)


def _connect(op: ir.Operator, parts: Sequence[tree.Expr], span: Span, scope: Scope) -> types.Typed:
    scope.context.reached(scope.context.level + len(parts), span)
    return ir.Op(op, tuple([flag(each, scope) for each in parts]), span=span), types.FLAG


def _compare(node: tree.Compare, scope: Scope) -> types.Typed:
    operands = [lower(each, scope) for each in node.operands]
    middle: list[tuple[str, ir.Expr, Span]] = []
    for position in range(1, len(operands) - 1):
        expr, kind = operands[position]
        if not derived.is_atom(expr):
            name, span = scope.context.fresh("middle"), node.operands[position].span
            middle.append((name, expr, span))
            operands[position] = ir.Var(name, span=span), kind
    parts: list[ir.Expr] = []
    for position, op in enumerate(node.ops):
        pair = node.operands[position], node.operands[position + 1]
        span = node.span if len(node.ops) == 1 else pair[0].span.to(pair[1].span)
        parts.append(_comparison(op, pair, operands[position], operands[position + 1], span, scope))
    result = parts[0] if len(parts) == 1 else ir.Op(ir.Operator.AND, tuple(parts), span=node.span)
    for name, expr, span in reversed(middle):
        result = ir.Let(name, expr, result, span=span)
    return result, types.FLAG


def _comparison(
    op: tree.CompareOp, nodes: tuple[tree.Expr, tree.Expr], left: types.Typed, right: types.Typed, span: Span, scope: Scope
) -> ir.Expr:
    (a, kind_a), (b, kind_b) = left, right
    ends = (nodes[0], kind_a), (nodes[1], kind_b)
    if op not in EQUALITIES and not (types.is_number(kind_a) and types.is_number(kind_b)):
        wrong = ends[1] if types.is_number(kind_a) else ends[0]
        message = f"`{op.value}` compares numbers, and this is {types.words(wrong[1])}"
        scope.context.report(
            Code.SF314, message, Label(wrong[0].span, f"this is {types.words(wrong[1])}"), help="use `=` or `!=`"
        )
        return ir.Lit(True, span=span)
    if not types.fits(kind_a, kind_b):
        members = isinstance(kind_a, ir.Of) and isinstance(kind_b, ir.Of)
        message = f"cannot compare {types.words(kind_a)} and {types.words(kind_b)}"
        two_units(Code.SF307 if members else Code.SF313, message, *ends, scope)
        return ir.Lit(True, span=span)
    of = types.settled(types.joined(kind_a, kind_b))
    if op in EQUALITIES:
        equal = ir.Op(ir.Operator.EQ, (a, b), of, span=span)
        return equal if op is tree.CompareOp.EQ else ir.Op(ir.Operator.NOT, (equal,), span=span)
    operator, swapped = COMPARISONS[op]
    return ir.Op(operator, (b, a) if swapped else (a, b), of, span=span)


def _choose(node: tree.Choose, scope: Scope) -> types.Typed:
    cond = flag(node.condition, scope)
    then, a = lower(node.then, scope)
    orelse, b = lower(node.otherwise, scope)
    if not types.fits(a, b):
        message = f"the two choices are {types.words(a)} and {types.words(b)}"
        two_units(Code.SF316, message, (node.then, a), (node.otherwise, b), scope)
        return hole(node.span)
    return ir.If(cond, then, orelse, span=node.span), types.joined(a, b)


# ---------------------------------------------------------------- many members


class Wrap:
    """Puts one fold per name of a binder around a body; `where` stands in the innermost."""

    def __init__(self, binders: list[tuple[str, str]], where: ir.Expr):
        self.binders, self.where = binders, where

    def __call__(self, kind: ir.Folding, body: ir.Expr, span: Span) -> ir.Expr:
        where = self.where
        for var, party in reversed(self.binders):
            body = ir.Fold(kind, var, party, where, body, span=span)
            where = ir.YES
        return body


def bind(binder: tree.Binder, scope: Scope) -> tuple[Scope, Wrap]:
    """The scope with the bound members in it, and how to fold over them."""
    inner, bound = bind_members(binder, scope)
    where = ir.YES if binder.where is None else flag(binder.where, inner)
    return inner, Wrap(bound, where)


def bind_members(binder: tree.Binder, scope: Scope) -> tuple[Scope, list[tuple[str, str]]]:
    found = names.find_path(scope.book, binder.party, Code.SF206, "party", lambda each: isinstance(each, Party))
    inner = scope.child()
    bound: list[tuple[str, str]] = []
    for name in binder.names:
        var = scope.context.fresh(name.text)
        party = found.full if isinstance(found, Party) else ""
        inner.add(name, ir.Var(var, span=name.span), ir.Of(party) if party else types.HOLE)
        bound.append((var, party))
    return inner, bound


def _fold(node: tree.Fold, scope: Scope) -> types.Typed:
    inner, wrap = bind(node.binder, scope)
    body, kind = number(node.value, inner)
    if node.kind is not tree.FoldKind.SUM and len(node.binder.names) > 1:
        scope.context.report(
            Code.SF425,
            f"`{node.kind.value} of` goes over one name",
            Label(node.binder.names[1].span, "one too many"),
            help="compare inside: the largest of the largest",
        )
    return wrap(EXTREMES[node.kind], body, node.span), kind
