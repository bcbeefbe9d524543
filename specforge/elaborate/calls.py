"""Calls inside expressions: functions and tables written out, and the built-in ones."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from specforge.core import derived, ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate import border, expressions, names, types, units
from specforge.elaborate.inline import substitute
from specforge.elaborate.names import BUILT_IN, Definition, Local, Party, Scope, Unit, Used
from specforge.syntax import tree

ROUNDING = {
    "floor": derived.floor_to,
    "ceil": derived.ceil_to,
    "half_even": derived.half_even,
    "toward_zero": derived.toward_zero,
}


def lower(node: tree.Call, scope: Scope) -> types.Typed:
    name = node.function.name.text
    if name in BUILT_IN and not node.function.trailers:
        return _built_in(name, node, scope)
    definition = callee(node, scope)
    if definition is None:
        return expressions.hole(node.span)
    if definition.word not in ("let", "table") or definition.params is None:
        names.wrong_kind(scope.context, node.function.span, definition, "function")
        return expressions.hole(node.span)
    args = arguments(node, definition, scope)
    context = scope.context
    template = context.demand(definition, node.function.span)
    if args is None or template is None or not context.spend(template.size, node.span):
        return expressions.hole(node.span)[0], template.type if template is not None else types.HOLE
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
        words = names.kind_words(current) if isinstance(current, names.Thing) else "a value"
        help = f"write `{function.span.text}` without brackets" if not node.args else None
        scope.context.report(
            Code.SF308,
            f"`{function.span.text}` is {words}: it cannot be called",
            Label(function.span, "called here"),
            Label(declared.span, f"`{declared.text}` is declared here"),
            help="a duty acts by itself, when it is due" if isinstance(current, names.Duty) else help,
        )
        return None
    return current


def resolve_callee(function: tree.Ref, scope: Scope) -> names.Found | None:
    """Like `resolve`, but the last name is called, not read."""
    text = function.name.text
    if text not in scope.book.things and text not in scope.locals and not function.trailers:
        things = scope.book.things.items()
        functions = [name for name, each in things if isinstance(each, Definition) and each.params is not None]
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
            expressions.lower(each, scope)
        wrong_count(node, len(params), f"`{definition.name.text}`", definition.name, scope)
        return None
    result: list[ir.Expr] = []
    for param, kind, arg in zip(params, definition.param_types, node.args, strict=True):
        declared = Label(definition.name.span, f"`{definition.name.text}` takes `{param.name}`, {types.words(kind)}")
        result.append(expressions.of_type(arg, kind, scope, Code.SF306, f"`{param.name}`", declared))
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


def _built_in(name: str, node: tree.Call, scope: Scope) -> types.Typed:
    match name:
        case "holdings":
            return _holdings(node, scope)
        case "old":
            return _old(node, scope)
        case border.BROUGHT | border.TAKEN:
            return _across_the_border(name, node, scope)
        case "abs":
            count = (1, 1)
        case "min" | "max":
            count = (2, 20)
        case _:
            count = (2, 2)
    if not count[0] <= len(node.args) <= count[1]:
        for each in node.args:
            expressions.lower(each, scope)
        wrong_count(node, count[0], f"`{name}`", None, scope)
        return expressions.hole(node.span)
    operands = [expressions.number(each, scope) for each in node.args]
    result, kind = operands[0]
    if name == "abs":
        return derived.absolute(result, node.span), kind
    for position in range(1, len(operands)):
        expr, other = operands[position]
        if not types.fits(kind, other):
            message = f"`{name}` needs one unit, and these are {types.words(kind)} and {types.words(other)}"
            expressions.two_units(Code.SF313, message, (node.args[0], kind), (node.args[position], other), scope)
            return expressions.hole(node.span)
        if name in ROUNDING:
            result = ROUNDING[name](result, expr, node.span)
        else:
            result = (derived.minimum if name == "min" else derived.maximum)(result, expr, node.span)
        kind = types.joined(kind, other)
    return result, kind


def _holdings(node: tree.Call, scope: Scope) -> types.Typed:
    """`holdings(USD)`, `holdings(bybit.USD)`: a field of the hidden party."""
    if len(node.args) != 1 or not isinstance(node.args[0], tree.Ref):
        scope.context.report(
            Code.SF305, "`holdings` takes the name of an asset", Label(node.span, "as in `holdings(USD)`")
        )
        return expressions.hole(node.span)
    ref = node.args[0]
    parts = [ref.name, *(each.name for each in ref.trailers if isinstance(each, tree.Dot))]
    if len(parts) != 1 + len(ref.trailers):
        scope.context.report(Code.SF203, "`holdings` takes the name of an asset", Label(ref.span, "not an asset"))
        return expressions.hole(node.span)
    path = tree.Path(tuple(parts), span=ref.span)
    owner = _owner(parts, scope)
    if owner is not None:
        return _held_apart(node, owner, parts[-1], scope)
    asset = names.find_path(scope.book, path, Code.SF207, "asset", lambda each: isinstance(each, Unit) and each.asset)
    if asset is None:
        return expressions.hole(node.span)
    field = asset.book.house_of(asset.name.text)
    return ir.Read(field, expressions.RULES, span=node.span), types.number(units.base(asset.name.text))


def _across_the_border(name: str, node: tree.Call, scope: Scope) -> types.Typed:
    """`brought_in(t, USD)`, `taken_out(t, USD)`: a field of t that counts by itself."""
    context = scope.context
    if len(node.args) != 2 or not isinstance(node.args[1], tree.Ref):
        message = f"`{name}` takes a member and the name of an asset"
        context.report(Code.SF305, message, Label(node.span, f"as in `{name}(t, USD)`"))
        return expressions.hole(node.span)
    expr, kind = expressions.lower(node.args[0], scope)
    ref = node.args[1]
    parts = (ref.name, *(each.name for each in ref.trailers if isinstance(each, tree.Dot)))
    path = tree.Path(parts, span=ref.span)
    asset = names.find_path(scope.book, path, Code.SF207, "asset", lambda each: isinstance(each, Unit) and each.asset)
    if asset is None or isinstance(kind, types.Hole):
        return expressions.hole(node.span)
    if not isinstance(kind, ir.Of):
        message = f"`{name}` is about a member, and this is {types.words(kind)}"
        context.report(Code.SF304, message, Label(node.args[0].span, f"this is {types.words(kind)}"))
        return expressions.hole(node.span)
    party = context.parties[kind.party]
    if not any(each.asset == asset.name.text for each in party.fields.values()):
        assets = sorted({each.asset for each in party.fields.values() if each.asset})
        message = f"`{party.name.text}` has no account in `{asset.name.text}`"
        names.unknown(context, Code.SF204, message, parts[-1], assets, Label(party.name.span, "declared here"))
        return expressions.hole(node.span)
    field = border.field(name, party, asset.name.text, context)
    return ir.Read(field, expr, span=node.span), types.number(units.base(asset.name.text))


def _owner(parts: Sequence[tree.Name], scope: Scope) -> Party | None:
    """The party in `Copper.USD`, `bank.Copper.USD`."""
    thing = scope.book.things.get(parts[0].text)
    for part in parts[1:-1]:
        thing = thing.target.things.get(part.text) if isinstance(thing, Used) else None
    return thing if isinstance(thing, Party) and len(parts) > 1 else None


def _held_apart(node: tree.Call, owner: Party, asset: tree.Name, scope: Scope) -> types.Typed:
    """`holdings(Copper.USD)`: what a party that stands apart holds."""
    text = owner.name.text
    if owner.house == owner.book.prefix:
        scope.context.report(
            Code.SF203,
            f"`{text}` has no house of its own",
            Label(node.args[0].span, "whose money is this?"),
            Label(owner.name.span, f"`{text}` is declared here"),
            help=f"write `party {text}, one, apart:`" if owner.one else "only a one-member party can stand apart",
        )
        return expressions.hole(node.span)
    scope.context.used(node.args[0].span, owner.name)
    assets = {each.asset for each in owner.fields.values() if each.asset}
    if asset.text not in assets:
        message = f"`{text}` has no account in `{asset.text}`"
        declared = Label(owner.name.span, f"`{text}` is declared here")
        names.unknown(scope.context, Code.SF204, message, asset, assets, declared)
        return expressions.hole(node.span)
    field = ir.holdings_field(owner.house, asset.text)
    return ir.Read(field, expressions.RULES, span=node.span), types.number(units.base(asset.text))


def _old(node: tree.Call, scope: Scope) -> types.Typed:
    if len(node.args) != 1:
        wrong_count(node, 1, "`old`", None, scope)
        return expressions.hole(node.span)
    if not scope.old:
        scope.context.report(
            Code.SF420,
            "`old` is known only in a claim about a moment",
            Label(node.span, "the value before what?"),
            help="write the claim as `claim … after some_action:`, or `after some_duty(t):`",
        )
        return expressions.hole(node.span)
    body, kind = expressions.lower(node.args[0], attrs.evolve(scope, old=False))
    return ir.Old(body, span=node.span), kind
