"""Checks an expression and writes it in the core: every name found, every unit worked out, every definition written out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

import attrs

from specforge.core import derived, ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Fix, Label
from specforge.diagnostics.source import Span
from specforge.elaborate import names, types, units
from specforge.elaborate.inline import substitute
from specforge.elaborate.names import Definition, FieldOf, Local, Member, Parameter, Party, Scope, Thing, Unit, Used
from specforge.syntax import tree

Typed = tuple[ir.Expr, types.Type]
RULES = ir.Lit(ir.Member(ir.RULES, 0))
BUILT_IN = ("abs", "min", "max", "floor", "ceil", "half_even", "toward_zero", "old", "holdings")
ROUNDING = {
    "floor": derived.floor_to,
    "ceil": derived.ceil_to,
    "half_even": derived.half_even,
    "toward_zero": derived.toward_zero,
}
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


def hole(span: Span) -> Typed:
    return ir.Lit(Fraction(0), span=span), types.HOLE


def lower(node: tree.Expr, scope: Scope) -> Typed:
    """The expression in the core, and its type."""
    context = scope.context
    context.level += 1
    context.size += 1
    try:
        if context.too_large or not context.reached(context.level, node.span):
            return hole(node.span)
        match node:
            case tree.Ref():
                return _reference(node, scope)
            case tree.Number():
                return _number(node, scope)
            case tree.Call():
                return _call(node, scope)
            case tree.Compare():
                return _compare(node, scope)
            case tree.Arith():
                return _arithmetic(node, scope)
            case tree.And(parts):
                return _connect(ir.Operator.AND, parts, node.span, scope)
            case tree.Or(parts):
                return _connect(ir.Operator.OR, parts, node.span, scope)
            case tree.Percent():
                return _percent(node, scope)
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


def number(node: tree.Expr, scope: Scope) -> Typed:
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
    return ir.Lit(Fraction(0), span=node.span)


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


# ---------------------------------------------------------------- literals


def _number(node: tree.Number, scope: Scope) -> Typed:
    value, dims, style = node.value, units.NONE, "number"
    if node.unit is None:
        kind = types.NUMBER if value else types.ZERO
        if value:
            scope.context.literals.setdefault((value, types.NUMBER))
        return ir.Lit(value, span=node.span), kind
    if node.unit.text == "bps":
        value, style = value * units.BPS, "ratio"
    else:
        factor, dims = _unit(node.unit, scope)
        value *= factor
    for each in node.per:
        factor, below = _unit(each, scope)
        value, dims = value / factor, units.combine(dims, below, -1)
    if units.base("") in (dims,) or any(name == "" for name, _ in dims):
        return hole(node.span)
    kind = types.number(dims, style)
    scope.context.literals.setdefault((value, kind))
    return ir.Lit(value, span=node.span), kind


def _unit(name: tree.Name, scope: Scope) -> tuple[Fraction, units.Dims]:
    """A unit after a number: what to multiply the number by, and the base unit ("" when unknown)."""
    if name.text in units.TIME_UNITS:
        return units.TIME_UNITS[name.text], units.SECONDS
    thing = scope.book.things.get(name.text)
    if isinstance(thing, Unit):
        scope.context.used(name.span, thing.name)
        return Fraction(1), units.base(name.text)
    if thing is not None:
        names.wrong_kind(scope.context, name.span, thing, "unit")
    else:
        known = [each for each, thing in scope.book.things.items() if isinstance(thing, Unit)]
        message = f"there is no asset or unit called `{name.text}`"
        names.unknown(scope.context, Code.SF207, message, name, [*known, *sorted(units.UNIT_WORDS)])
    return Fraction(1), units.base("")


def _percent(node: tree.Percent, scope: Scope) -> Typed:
    if node.per is None:
        scope.context.literals.setdefault((node.value, types.RATIO))
        return ir.Lit(node.value, span=node.span), types.RATIO
    factor = units.TIME_UNITS.get(node.per.text)
    if factor is None:
        scope.context.report(
            Code.SF317,
            f"`{node.per.text}` is not a unit of time",
            Label(node.per.span, "a rate is per seconds, minutes, hours, days or weeks"),
        )
        return hole(node.span)
    kind = types.number(units.combine(units.NONE, units.SECONDS, -1))
    scope.context.literals.setdefault((node.value / factor, kind))
    return ir.Lit(node.value / factor, span=node.span), kind


# ---------------------------------------------------------------- operators


def _arithmetic(node: tree.Arith, scope: Scope) -> Typed:
    left, a = number(node.left, scope)
    right, b = number(node.right, scope)
    context = scope.context
    expr = ir.Op(ARITHMETIC[node.op], (left, right), span=node.span)
    if node.op in (tree.ArithOp.ADD, tree.ArithOp.SUB):
        if not types.fits(a, b):
            verb = "add" if node.op is tree.ArithOp.ADD else "subtract"
            message = f"cannot {verb} {types.words(a)} and {types.words(b)}"
            _two_units(Code.SF312, message, (node.left, a), (node.right, b), scope)
            return hole(node.span)
        return expr, types.joined(a, b)
    if node.op is tree.ArithOp.DIV and isinstance(right, ir.Lit) and right.value == 0 and not isinstance(b, types.Hole):
        context.report(Code.SF321, "division by zero", Label(node.right.span, "this is always 0"))
        return hole(node.span)
    kind = types.product(a, b, 1 if node.op is tree.ArithOp.MUL else -1)
    if isinstance(kind, ir.Number) and units.too_large(kind.dims):
        names.report_power(context, kind, node.span)
        return hole(node.span)
    return expr, kind


def _two_units(
    code: Code, message: str, left: tuple[tree.Expr, types.Type], right: tuple[tree.Expr, types.Type], scope: Scope
) -> None:
    """Reports two operands whose types do not go together."""
    help = conversion(right[0], right[1], left[1], scope) or conversion(left[0], left[1], right[1], scope)
    labels = [Label(node.span, f"this is {types.words(kind)}") for node, kind in (left, right)]
    scope.context.report(code, message, *labels, help=help)


def _connect(op: ir.Operator, parts: Sequence[tree.Expr], span: Span, scope: Scope) -> Typed:
    scope.context.reached(scope.context.level + len(parts), span)
    return ir.Op(op, tuple([flag(each, scope) for each in parts]), span=span), types.FLAG


def _compare(node: tree.Compare, scope: Scope) -> Typed:
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
    op: tree.CompareOp, nodes: tuple[tree.Expr, tree.Expr], left: Typed, right: Typed, span: Span, scope: Scope
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
        _two_units(Code.SF307 if members else Code.SF313, message, *ends, scope)
        return ir.Lit(True, span=span)
    of = types.settled(types.joined(kind_a, kind_b))
    if op in EQUALITIES:
        equal = ir.Op(ir.Operator.EQ, (a, b), of, span=span)
        return equal if op is tree.CompareOp.EQ else ir.Op(ir.Operator.NOT, (equal,), span=span)
    operator, swapped = COMPARISONS[op]
    return ir.Op(operator, (b, a) if swapped else (a, b), of, span=span)


def _choose(node: tree.Choose, scope: Scope) -> Typed:
    cond = flag(node.condition, scope)
    then, a = lower(node.then, scope)
    orelse, b = lower(node.otherwise, scope)
    if not types.fits(a, b):
        message = f"the two choices are {types.words(a)} and {types.words(b)}"
        _two_units(Code.SF316, message, (node.then, a), (node.otherwise, b), scope)
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


def _fold(node: tree.Fold, scope: Scope) -> Typed:
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


# ---------------------------------------------------------------- names and fields


class Resolved:
    """What a reference comes to: a value (`expr`), and the field it ends in if it ends in one; or a `thing`."""

    __slots__ = ("expr", "field", "kind", "thing")

    def __init__(
        self, expr: ir.Expr | None, kind: types.Type, field: FieldOf | None = None, thing: Thing | None = None
    ):
        self.expr, self.kind, self.field, self.thing = expr, kind, field, thing


def resolve(node: tree.Ref, scope: Scope) -> Resolved | None:
    """Follows a name and its trailers as far as they go; None after a mistake."""
    found = names.find(scope, node.name)
    if found is None:
        return None
    current = _start(found, node.name.span, scope)
    trailers = list(node.trailers)
    span = node.name.span
    while trailers:
        trailer = trailers.pop(0)
        whole = span.to(trailer.span) if isinstance(trailer, tree.Index) else span.to(trailer.name.span)
        if isinstance(trailer, tree.Index):
            scope.context.report(
                Code.SF309, f"`{span.text}` has no entries to choose from with `[ ]`", Label(trailer.span, "not a `per` field")
            )
            return None
        if isinstance(current.thing, Used):
            thing = names.find_in(current.thing.target, trailer.name, span.text)
            if thing is None:
                return None
            current = _start(thing, whole, scope)
        else:
            base = _as_value(current, span, scope)
            if base is None:
                return None
            field = _field_of(base.kind, trailer.name, span, scope)
            if field is None or base.expr is None:
                return None
            index: ir.Expr | None = None
            if field.per is not None:
                if not trailers or not isinstance(trailers[0], tree.Index):
                    scope.context.report(
                        Code.SF309,
                        f"`{trailer.name.text}` is kept for each `{field.per.name.text}`: say which one",
                        Label(whole, "which one?"),
                        Label(field.name.span, f"one for each `{field.per.name.text}`"),
                        help=f"write `{whole.text}[m]` with a `{field.per.name.text}`",
                    )
                    return None
                key = trailers.pop(0)
                assert isinstance(key, tree.Index)
                whole = whole.to(key.span)
                label = Label(field.name.span, f"one for each `{field.per.name.text}`")
                wanted = ir.Of(field.per.full)
                index = of_type(key.key, wanted, scope, Code.SF306, "what stands in `[ ]`", label)
            current = Resolved(ir.Read(field.full, base.expr, index, span=whole), field.type, field)
        span = whole
    return current


def _start(found: names.Found, span: Span, scope: Scope) -> Resolved:
    """What a name alone stands for."""
    if isinstance(found, Local):
        expr = found.expr
        return Resolved(ir.Var(expr.name, span=span) if isinstance(expr, ir.Var) else expr, found.type)
    if isinstance(found, FieldOf):
        return Resolved(ir.Read(found.full, ir.Var("self", span=span), span=span), found.type, found)
    if isinstance(found, Member):
        return Resolved(ir.Lit(ir.Member(found.party.full, found.index), span=span), ir.Of(found.party.full), thing=found)
    if isinstance(found, Parameter):
        return Resolved(ir.Read(found.full, RULES, span=span), found.type, thing=found)
    if isinstance(found, Party) and found.one:
        return Resolved(ir.Lit(ir.Member(found.full, 0), span=span), ir.Of(found.full), thing=found)
    if isinstance(found, Definition) and found.params is None and found.word == "let":
        context = scope.context
        template = context.demand(found, span)
        if template is None or not context.spend(template.size, span):
            return Resolved(*hole(span))
        context.reached(context.level + template.depth, span)
        assert not isinstance(template.body, tuple)
        return Resolved(template.body, template.type, thing=found)
    return Resolved(None, types.HOLE, thing=found)


def _as_value(current: Resolved, span: Span, scope: Scope) -> Resolved | None:
    """Reports a name that has no value of its own."""
    if current.expr is not None:
        return current
    thing = current.thing
    assert thing is not None
    words, help = names.kind_words(thing), None
    if isinstance(thing, Party):
        help = f"for one of its members: `(exists x: {span.text} where …)`, `for all x: {span.text}: …`"
    elif isinstance(thing, Definition) and thing.word in ("let", "table"):
        help = f"write `{span.text}({', '.join(each.name for each in thing.params or ())})`"
    elif isinstance(thing, Unit):
        help = f"for what the house has of it: `holdings({span.text})`" if thing.asset else None
    scope.context.report(
        Code.SF203,
        f"`{span.text}` is {words}, not a value",
        Label(span, "a value is needed here"),
        Label(thing.name.span, f"`{thing.name.text}` is declared here"),
        help=help,
    )
    return None


def _field_of(kind: types.Type, name: tree.Name, span: Span, scope: Scope) -> FieldOf | None:
    if isinstance(kind, types.Hole):
        return None
    if not isinstance(kind, ir.Of):
        scope.context.report(
            Code.SF304,
            f"`{span.text}` is {types.words(kind)} and has no fields",
            Label(span, f"this is {types.words(kind)}"),
            Label(name.span, "a field of what?"),
        )
        return None
    party = party_named(kind.party, scope)
    field = party.fields.get(name.text)
    if field is None:
        message = f"`{party.name.text}` has no field `{name.text}`"
        declared = Label(party.name.span, f"`{party.name.text}` is declared here")
        names.unknown(scope.context, Code.SF204, message, name, party.fields, declared)
        return None
    scope.context.used(name.span, field.name)
    return field


def party_named(full: str, scope: Scope) -> Party:
    """The party with this full name (it exists: types come from declarations)."""
    return scope.context.parties[full]


def _reference(node: tree.Ref, scope: Scope) -> Typed:
    current = resolve(node, scope)
    if current is not None:
        current = _as_value(current, node.span, scope)
    if current is None or current.expr is None:
        return hole(node.span)
    return current.expr, current.kind


# ---------------------------------------------------------------- calls


def _call(node: tree.Call, scope: Scope) -> Typed:
    name = node.function.name.text
    if name in BUILT_IN and not node.function.trailers:
        return _built_in(name, node, scope)
    definition = callee(node, scope)
    if definition is None:
        return hole(node.span)
    if definition.word not in ("let", "table") or definition.params is None:
        names.wrong_kind(scope.context, node.function.span, definition, "function")
        return hole(node.span)
    args = arguments(node, definition, scope)
    context = scope.context
    template = context.demand(definition, node.function.span)
    if args is None or template is None or not context.spend(template.size, node.span):
        return hole(node.span)[0], template.type if template is not None else types.HOLE
    context.reached(context.level + template.depth, node.span)
    assert not isinstance(template.body, tuple)
    return write_out(definition, template.body, args, node.span, scope), template.type


def write_out(definition: Definition, body: ir.Expr, args: Sequence[ir.Expr], span: Span, scope: Scope) -> ir.Expr:
    """The body with the arguments in it.  An argument that is not an atom is let-bound, so it is computed once."""
    atoms: list[ir.Expr] = []
    lets: list[tuple[str, ir.Expr]] = []
    for param, arg in zip(definition.params or (), args, strict=True):
        if derived.is_atom(arg):
            atoms.append(arg)
        else:
            name = scope.context.fresh(param.name)
            lets.append((name, arg))
            atoms.append(ir.Var(name, span=arg.span))
    key = tuple(atoms)
    result = definition.memo.get(key)
    if result is None:
        by = {param.name: atom for param, atom in zip(definition.params or (), atoms, strict=True)}
        unchanged = all(isinstance(atom, ir.Var) and atom.name == name for name, atom in by.items())
        result = definition.memo[key] = body if unchanged else substitute(body, by)
    for name, arg in reversed(lets):
        result = ir.Let(name, arg, result, span=span)
    return result


def callee(node: tree.Call, scope: Scope) -> Definition | None:
    """The definition that is called."""
    function = node.function
    for trailer in function.trailers:
        if isinstance(trailer, tree.Index):
            scope.context.report(Code.SF308, f"`{function.span.text}` cannot be called", Label(function.span, "not a function"))
            return None
    current = resolve_callee(function, scope)
    if current is None:
        return None
    if not isinstance(current, Definition) or (current.params is None):
        declared = current.declared if isinstance(current, Local) else current.name
        scope.context.report(
            Code.SF308,
            f"`{function.span.text}` is not a function",
            Label(function.span, "called here"),
            Label(declared.span, f"`{declared.text}` is declared here"),
            help=f"write `{function.span.text}` without brackets" if not node.args else None,
        )
        return None
    return current


def resolve_callee(function: tree.Ref, scope: Scope) -> names.Found | None:
    """Like `resolve`, but the last name is called, not read."""
    text = function.name.text
    if text not in scope.book.things and text not in scope.locals and not function.trailers:
        functions = [name for name, each in scope.book.things.items() if isinstance(each, Definition) and each.params is not None]
        message = f"there is no function called `{text}`"
        names.unknown(scope.context, Code.SF201, message, function.name, [*functions, *BUILT_IN])
        return None
    found = names.find(scope, function.name)
    span = function.name.span
    for trailer in function.trailers:
        assert isinstance(trailer, tree.Dot)
        if not isinstance(found, Used):
            if found is not None:
                scope.context.report(
                    Code.SF308,
                    f"`{function.span.text}` is not a function",
                    Label(function.span, "called here"),
                    help="write `*` to multiply",
                )
            return None
        found = names.find_in(found.target, trailer.name, span.text)
        span = span.to(trailer.name.span)
    return found


def arguments(node: tree.Call, definition: Definition, scope: Scope) -> list[ir.Expr] | None:
    """The arguments, one for each parameter; None after a mistake."""
    params = definition.params or ()
    if len(params) != len(node.args):
        for each in node.args:
            lower(each, scope)
        wrong_count(node, len(params), f"`{definition.name.text}`", definition.name, scope)
        return None
    result: list[ir.Expr] = []
    for param, kind, arg in zip(params, definition.param_types, node.args, strict=True):
        declared = Label(definition.name.span, f"`{definition.name.text}` takes `{param.name}`, {types.words(kind)}")
        result.append(of_type(arg, kind, scope, Code.SF306, f"`{param.name}`", declared))
    return result


def wrong_count(node: tree.Call, count: int, what: str, declared: tree.Name | None, scope: Scope) -> None:
    labels = [Label(declared.span, f"{what} is declared here")] if declared is not None else []
    plural = "argument" if count == 1 else "arguments"
    scope.context.report(
        Code.SF305,
        f"{what} takes {count} {plural}, and here it is given {len(node.args)}",
        Label(node.span, f"{len(node.args)} given"),
        *labels,
    )


def _built_in(name: str, node: tree.Call, scope: Scope) -> Typed:
    match name:
        case "holdings":
            return _holdings(node, scope)
        case "old":
            return _old(node, scope)
        case "abs":
            count = (1, 1)
        case "min" | "max":
            count = (2, 20)
        case _:
            count = (2, 2)
    if not count[0] <= len(node.args) <= count[1]:
        for each in node.args:
            lower(each, scope)
        wrong_count(node, count[0], f"`{name}`", None, scope)
        return hole(node.span)
    operands = [number(each, scope) for each in node.args]
    result, kind = operands[0]
    if name == "abs":
        return derived.absolute(result, node.span), kind
    for position in range(1, len(operands)):
        expr, other = operands[position]
        if not types.fits(kind, other):
            message = f"`{name}` needs one unit, and these are {types.words(kind)} and {types.words(other)}"
            _two_units(Code.SF313, message, (node.args[0], kind), (node.args[position], other), scope)
            return hole(node.span)
        if name in ROUNDING:
            result = ROUNDING[name](result, expr, node.span)
        else:
            result = (derived.minimum if name == "min" else derived.maximum)(result, expr, node.span)
        kind = types.joined(kind, other)
    return result, kind


def _holdings(node: tree.Call, scope: Scope) -> Typed:
    """`holdings(USD)`, `holdings(bybit.USD)`: a field of the hidden party."""
    if len(node.args) != 1 or not isinstance(node.args[0], tree.Ref):
        scope.context.report(
            Code.SF305, "`holdings` takes the name of an asset", Label(node.span, "as in `holdings(USD)`")
        )
        return hole(node.span)
    ref = node.args[0]
    parts = [ref.name, *(each.name for each in ref.trailers if isinstance(each, tree.Dot))]
    if len(parts) != 1 + len(ref.trailers):
        scope.context.report(Code.SF203, "`holdings` takes the name of an asset", Label(ref.span, "not an asset"))
        return hole(node.span)
    path = tree.Path(tuple(parts), span=ref.span)
    asset = names.find_path(scope.book, path, Code.SF207, "asset", lambda each: isinstance(each, Unit) and each.asset)
    if asset is None:
        return hole(node.span)
    field = asset.book.house_of(asset.name.text)
    return ir.Read(field, RULES, span=node.span), types.number(units.base(asset.name.text))


def _old(node: tree.Call, scope: Scope) -> Typed:
    if len(node.args) != 1:
        wrong_count(node, 1, "`old`", None, scope)
        return hole(node.span)
    if not scope.old:
        scope.context.report(
            Code.SF420,
            "`old` is known only in a claim about a moment",
            Label(node.span, "the value before what?"),
            help="write the claim as `claim … after some_action:`, or `after some_duty(t):`",
        )
        return hole(node.span)
    body, kind = lower(node.args[0], attrs.evolve(scope, old=False))
    return ir.Old(body, span=node.span), kind
