"""Follows a name and what stands behind it, `bybit.Venue.mark`, `t.size[m]`, to a value, a field or a thing."""

from __future__ import annotations

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate import expressions, names, types
from specforge.elaborate.names import Definition, FieldOf, Local, Member, Parameter, Party, Scope, Thing, Unit, Used
from specforge.syntax import tree


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
            base = as_value(current, span, scope)
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
                index = expressions.of_type(key.key, wanted, scope, Code.SF306, "what stands in `[ ]`", label)
            current = Resolved(ir.Read(field.full, base.expr, index, span=whole), field.type, field)
        span = whole
    return current


def _start(found: names.Found, span: Span, scope: Scope) -> Resolved:
    """What a name alone stands for."""
    if isinstance(found, Local):
        expr = found.expr
        if isinstance(expr, ir.Var):
            return Resolved(ir.Var(expr.name, span=span), found.type)
        return Resolved(ir.Lit(expr.value, span=span) if isinstance(expr, ir.Lit) else expr, found.type)
    if isinstance(found, FieldOf):
        return Resolved(ir.Read(found.full, ir.Var("self", span=span), span=span), found.type, found)
    if isinstance(found, Member):
        return Resolved(ir.Lit(ir.Member(found.party.full, found.index), span=span), ir.Of(found.party.full), thing=found)
    if isinstance(found, Parameter):
        return Resolved(ir.Read(found.full, expressions.RULES, span=span), found.type, thing=found)
    if isinstance(found, Party) and found.one:
        return Resolved(ir.Lit(ir.Member(found.full, 0), span=span), ir.Of(found.full), thing=found)
    if isinstance(found, Definition) and found.params is None and found.word == "let":
        context = scope.context
        template = context.demand(found, span)
        if template is None or not context.spend(template.size, span):
            return Resolved(*expressions.hole(span))
        context.reached(context.level - 1 + template.depth, span)
        assert not isinstance(template.body, tuple)
        return Resolved(template.body, template.type, thing=found)
    return Resolved(None, types.HOLE, thing=found)


def as_value(current: Resolved, span: Span, scope: Scope) -> Resolved | None:
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


def value(node: tree.Ref, scope: Scope) -> types.Typed:
    current = resolve(node, scope)
    if current is not None:
        current = as_value(current, node.span, scope)
    if current is None or current.expr is None:
        return expressions.hole(node.span)
    return current.expr, current.kind
