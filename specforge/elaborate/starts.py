"""Bounds, defaults and starts: what parameters and fields may be, and what everybody begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate import declare, expressions, names, types
from specforge.elaborate.names import Book, FieldOf, Member, Parameter, Party, Scope, Used
from specforge.syntax import tree


def settle_values(book: Book) -> None:
    """Defaults, bounds and starts: of parameters, fields and named members."""
    for thing in list(book.things.values()):
        if isinstance(thing, Parameter):
            _parameter_values(thing)
    for thing in declare.parties(book):
        for field in thing.fields.values():
            _field_values(field)
    for item in book.tree.items:
        if isinstance(item, tree.Member):
            for name in item.names:
                member = book.things.get(name.text)
                if isinstance(member, Member) and member.name is name:
                    starts = bindings_of(member, item.bindings, Scope(book))
                    each_once(starts, book.context)
                    book.context.starts[member] = tuple(starts)


def _parameter_values(thing: Parameter) -> None:
    written, context = thing.written, thing.book.context
    scope = Scope(thing.book)
    low, low_open, high = bounds(written.bounds, thing.type, written.name, scope)
    declared = Label(written.name.span, f"`{thing.name.text}` is {types.words(thing.type)}")
    start = None
    if written.default is not None:
        start = expressions.of_type(written.default, thing.type, scope, Code.SF315, "the default", declared)

    def earlier(read: ir.Read) -> bool:
        other = thing.book.things.get(read.field.removeprefix(thing.book.prefix + "."))
        return isinstance(other, Parameter) and other.position < thing.position

    for each in (low, high, start):
        only_reads(each, earlier, Code.SF418, "a parameter may use only parameters declared before it", context)
    within(start, low, low_open, high, written.default.span if written.default else written.span, context)
    field = context.fields[thing.full]
    context.fields[thing.full] = attrs.evolve(field, low=low, low_open=low_open, high=high, start=start)


def _field_values(field: FieldOf) -> None:
    written, book = field.written, field.party.book
    assert written is not None
    scope = Scope(book, own=field.party)
    low, low_open, high = bounds(written.bounds, field.type, written.name, scope, field)
    start = None
    if written.start is not None:
        declared = Label(written.name.span, f"`{field.name.text}` is {types.words(field.type)}")
        start = expressions.of_type(written.start, field.type, scope, Code.SF315, "the start", declared)

    def own(read: ir.Read) -> bool:
        return is_parameter(read, book) or read.member == ir.Var("self")

    def earlier(read: ir.Read) -> bool:
        if is_parameter(read, book):
            return True
        other = field.party.fields.get(read.field.rpartition(".")[2])
        return read.member == ir.Var("self") and other is not None and other.position < field.position

    floors = "a bound may use parameters and the member's own fields only"
    for each in (low, high):
        only_reads(each, own, Code.SF417, floors, book.context)
    only_reads(start, earlier, Code.SF418, "a start may use parameters and earlier fields of the member only", book.context)
    within(start, low, low_open, high, written.start.span if written.start else written.span, book.context)
    if field.kind is ir.Kind.BALANCE and low is None:
        low = ir.ZERO
    known = book.context.fields[field.full]
    book.context.fields[field.full] = attrs.evolve(known, low=low, low_open=low_open, high=high, start=start)


def is_parameter(read: ir.Read, book: Book) -> bool:
    field = book.context.fields.get(read.field)
    return field is not None and field.kind is ir.Kind.PARAMETER


def bounds(
    written: Sequence[tree.Bound], kind: types.Type, name: tree.Name, scope: Scope, field: FieldOf | None = None
) -> tuple[ir.Expr | None, bool, ir.Expr | None]:
    """The lower bound, whether it is excluded, and the upper bound."""
    context = scope.context
    low: ir.Expr | None = None
    high: ir.Expr | None = None
    low_open = False
    if written and (not types.is_number(kind) or (field is not None and field.kind is ir.Kind.NET)):
        what = "a `net` account has no floor" if types.is_number(kind) else f"{types.words(kind)} has no bounds"
        help = "use `balance … at least …` for an account with a floor" if types.is_number(kind) else None
        context.report(Code.SF320, what, Label(written[0].span, "not here"), Label(name.span, "declared here"), help=help)
        return None, False, None
    for position, bound in enumerate(written):
        declared = Label(name.span, f"`{name.text}` is {types.words(kind)}")
        expr = expressions.of_type(bound.low, kind, scope, Code.SF319, "a bound", declared)
        if position > 0:
            message = f"`{name.text}` has two lower bounds"
            context.report(Code.SF320, message, Label(bound.span, "the second"), Label(written[0].span, "the first"))
            continue
        low, low_open = expr, isinstance(bound, tree.Above)
        if isinstance(bound, tree.Between):
            high = expressions.of_type(bound.high, kind, scope, Code.SF319, "a bound", declared)
            a, b = constant(low), constant(high)
            if a is not None and b is not None and a > b:
                message = f"nothing lies within the bounds of `{name.text}`"
                context.report(Code.SF320, message, Label(bound.low.span, "from"), Label(bound.high.span, "to less"))
    return low, low_open, high


def constant(expr: ir.Expr | None) -> Fraction | None:
    if isinstance(expr, ir.Lit) and isinstance(expr.value, Fraction):
        return expr.value
    return None


def within(
    start: ir.Expr | None, low: ir.Expr | None, low_open: bool, high: ir.Expr | None, span: Span, context: names.Context,
    code: Code = Code.SF323,
) -> None:
    """A start that is written as a number must lie within bounds that are."""
    value, least, most = constant(start), constant(low), constant(high)
    if value is None:
        return
    if least is not None and low is not None and (value < least or (value == least and low_open)):
        context.report(code, "this is below the lower bound", Label(span, "too low"), Label(low.span, "the bound"))
    elif most is not None and high is not None and value > most:
        context.report(code, "this is above the upper bound", Label(span, "too high"), Label(high.span, "the bound"))


def only_reads(
    expr: ir.Expr | None, allowed: Callable[[ir.Read], bool], code: Code, message: str, context: names.Context
) -> None:
    """Everything that `expr` reads must be `allowed`."""
    if expr is None:
        return
    for node in ir.walk(expr):
        if (isinstance(node, ir.Read) and not allowed(node)) or isinstance(node, ir.Fold):
            labels: list[Label] = []
            if isinstance(node, ir.Read) and node.field in context.fields:
                field = context.fields[node.field]
                labels.append(Label(field.span, f"`{field.short}` is declared here"))
            context.report(code, message, Label(node.span, "this may change or is not known yet"), *labels)
            return


def bindings_of(member: Member, bindings: Sequence[tree.Binding], scope: Scope) -> list[tuple[ir.Place, ir.Expr]]:
    """`with margin = 10 USD, size.btc = 1 LOT`: what a member starts with."""
    result: list[tuple[ir.Place, ir.Expr]] = []
    for each in bindings:
        at = ir.Lit(ir.Member(member.party.full, member.index), span=member.name.span)
        result.extend(start_of(member.party, at, each.target.parts, each, scope))
    return result


def each_once(starts: Sequence[tuple[ir.Place, ir.Expr]], context: names.Context) -> None:
    """Nobody starts with two values of one thing."""
    seen: dict[ir.Place, ir.Place] = {}
    for place, _ in starts:
        other = seen.setdefault(place, place)
        if other is not place:
            message = f"`{place.field.rpartition('.')[2]}` starts twice"
            context.report(Code.SF202, message, Label(place.span, "given again here"), Label(other.span, "the first one"))


def start_of(
    party: Party, member: ir.Expr, parts: Sequence[tree.Name], binding: tree.Binding, scope: Scope
) -> list[tuple[ir.Place, ir.Expr]]:
    """One binding of a field (`parts`: the field, and perhaps which entry of a `per` field)."""
    context = scope.context
    field = party.fields.get(parts[0].text)
    if field is None:
        message = f"`{party.name.text}` has no field `{parts[0].text}`"
        label = Label(party.name.span, f"`{party.name.text}` is declared here")
        names.unknown(context, Code.SF204, message, parts[0], party.fields, label)
        expressions.lower(binding.value, scope)
        return []
    context.used(parts[0].span, field.name)
    declared = Label(field.name.span, f"`{field.name.text}` is {types.words(field.type)}")
    value = expressions.of_type(binding.value, field.type, scope, Code.SF315, f"`{field.name.text}`", declared)
    message = "a start may use parameters only"
    only_reads(value, lambda read: is_parameter(read, scope.book), Code.SF418, message, context)
    core = context.fields[field.full]
    within(value, core.low, core.low_open, core.high, binding.value.span, context, Code.SF507)
    indexes: list[ir.Expr | None] = [None]
    if field.per is not None:
        indexes = [ir.Lit(ir.Member(field.per.full, index)) for index in range(len(field.per.listed))]
    if len(parts) > 1:
        listed = field.per.listed if field.per is not None else ()
        if parts[1].text not in listed or len(parts) > 2:
            names.unknown(
                context, Code.SF204, f"`{field.name.text}` has no entry `{parts[1].text}`", parts[1], listed, declared
            )
            return []
        indexes = [indexes[listed.index(parts[1].text)]]
    span = binding.target.span
    return [(ir.Place(field.full, member, index, span=span), value) for index in indexes]


def set_parameters(book: Book, used: Used, bindings: Sequence[tree.Binding]) -> None:
    """`use … with pledged = 150 USD`: the parameter has that one value."""
    context = book.context
    scope = Scope(book)
    for each in bindings:
        name = each.target.parts[0]
        thing = used.target.things.get(name.text)
        if not isinstance(thing, Parameter) or len(each.target.parts) > 1:
            known = [text for text, one in used.target.things.items() if isinstance(one, Parameter)]
            message = f"`{used.name.text}` has no parameter `{each.target.text}`"
            names.unknown(context, Code.SF208, message, name, known)
            expressions.lower(each.value, scope)
            continue
        context.used(name.span, thing.name)
        declared = Label(thing.name.span, f"`{name.text}` is {types.words(thing.type)}")
        value = expressions.of_type(each.value, thing.type, scope, Code.SF315, f"`{name.text}`", declared)
        message = "what a parameter is set to may use parameters only"
        only_reads(value, lambda read: is_parameter(read, book), Code.SF418, message, context)
        field = context.fields[thing.full]
        within(value, field.low, field.low_open, field.high, each.value.span, context)
        context.fields[thing.full] = attrs.evolve(field, low=value, low_open=False, high=value, start=value)
