"""Checks a `collect` and writes it in the core: tiers of one unit, caps that no account goes below its floor for, a rest."""

from __future__ import annotations

from specforge.core import derived, ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate import declare, expressions, statements, together, types, units
from specforge.elaborate.inline import substitute
from specforge.elaborate.names import FieldOf, Scope
from specforge.syntax import tree


def lower(node: tree.Collect, scope: Scope) -> ir.Statement:
    context = scope.context
    asked, kind = expressions.number(node.amount, scope)
    target = None if node.target is None else statements.account(node.target, scope)
    _into(node, scope)
    if target is not None:
        declared = Label(target[1].name.span, f"`{target[1].name.text}` holds `{target[1].asset}`")
        into = types.number(units.base(target[1].asset))
        if not types.fits(kind, into):
            message = f"what is collected into `{target[1].name.text}` must be {types.words(into)}"
            context.report(Code.SF404, message, Label(node.amount.span, f"this is {types.words(kind)}"), declared)
        kind = into
    tiers = [_tier(each, node, kind, target, scope) for each in node.tiers]
    left, rest = "", None
    context.cited += declare.cites(scope.book, node.rest)
    if isinstance(node.rest, tree.Rest):
        inner = scope.child()
        left = context.fresh(node.rest.name.text)
        inner.add(node.rest.name, ir.Var(left, span=node.rest.name.span), kind)
        rest = statements.block(node.rest.body, inner)
    return ir.Collect(asked, tuple([each for each in tiers if each is not None]), left, rest, span=node.span)


def _into(node: tree.Collect, scope: Scope) -> None:
    """`into` stands exactly when there is a `from` tier."""
    froms = [each for each in node.tiers if isinstance(each, tree.FromOne | tree.FromEach)]
    if froms and node.target is None:
        scope.context.report(
            Code.SF407,
            "where does the money go? a `from` tier needs `into`",
            Label(froms[0].span, "this takes from an account"),
            Label(node.amount.span, "and nothing says into which"),
            help="write `collect … into Venue.fund:`",
        )
    if not froms and node.target is not None:
        scope.context.report(
            Code.SF407,
            "`into` is for `from` tiers, and there is none",
            Label(node.target.span, "nothing would go here"),
            *[Label(each.span, "this tier says itself what happens") for each in node.tiers[:1]],
            help="leave `into` out; the body of a `taking` tier says where it goes",
        )


Account = tuple[ir.Place, FieldOf]


def _tier(
    node: tree.Tier, whole: tree.Collect, kind: types.Type, target: Account | None, scope: Scope
) -> ir.Tier | None:
    if node.cites:
        scope.context.cited += declare.cites(scope.book, node)
    match node:
        case tree.FromOne():
            return _from_one(node, whole, kind, target, scope)
        case tree.FromEach():
            return _from_each(node, whole, kind, target, scope)
        case tree.Taking():
            return _taking(node, whole, kind, scope)


def _from_one(
    node: tree.FromOne, whole: tree.Collect, kind: types.Type, target: Account | None, scope: Scope
) -> ir.Tier | None:
    source = statements.account(node.account, scope)
    cap = None if node.cap is None else _cap(node.cap, whole, kind, scope)
    if source is None or target is None or not _same_asset(node.account.span, source, whole, target, scope):
        return None
    share = scope.context.fresh("share")
    limit = _limit(source, cap, node.account.span, scope)
    body = (ir.Move(ir.Var(share, span=node.span), source[0], target[0], span=node.span),)
    text = node.account.span.text
    return ir.Tier("", None, ir.YES, limit, ir.Policy.ANY, None, None, share, body, text, span=node.span)


def _from_each(
    node: tree.FromEach, whole: tree.Collect, kind: types.Type, target: Account | None, scope: Scope
) -> ir.Tier | None:
    inner, var, party = _member(node.binder, scope)
    where = ir.YES if node.binder.where is None else expressions.flag(node.binder.where, inner)
    source = statements.account(node.account, inner)
    cap = None if node.cap is None else _cap(node.cap, whole, kind, inner)
    policy_, key = policy(node.policy, inner)
    step = _step(node.step, whole, kind, scope)
    if source is None or target is None or not _same_asset(node.account.span, source, whole, target, scope):
        return None
    if party and not (isinstance(source[0].member, ir.Var) and source[0].member.name == var):
        name = node.binder.names[0]
        scope.context.report(
            Code.SF424,
            f"each `{name.text}` must give from an account of its own",
            Label(node.account.span, f"not an account of `{name.text}`"),
            Label(name.span, f"`{name.text}` is each of these"),
        )
        return None
    share = scope.context.fresh("share")
    limit = _limit(source, cap, node.account.span, scope)
    body = (ir.Move(ir.Var(share, span=node.span), source[0], target[0], span=node.span),)
    text = node.account.span.text
    return ir.Tier(var, party, where, limit, policy_, key, step, share, body, text, span=node.span) if party else None


def _taking(node: tree.Taking, whole: tree.Collect, kind: types.Type, scope: Scope) -> ir.Tier | None:
    inner, var, party = _member(node.binder, scope)
    where = ir.YES if node.binder.where is None else expressions.flag(node.binder.where, inner)
    cap = _cap(node.cap, whole, kind, inner)
    policy_, key = policy(node.policy, inner)
    step = _step(node.step, whole, kind, scope)
    share = scope.context.fresh(node.share.text)
    inner.add(node.share, ir.Var(share, span=node.share.span), kind)
    body = statements.block(node.body, inner)
    together.Simultaneous(var, node.binder.span, scope).check(body)
    text = node.share.text
    return ir.Tier(var, party, where, cap, policy_, key, step, share, body, text, span=node.span) if party else None


def _member(binder: tree.Binder, scope: Scope) -> tuple[Scope, str, str]:
    """The scope with the member in it, its local name, and its party ("" after a mistake)."""
    inner, bound = expressions.bind_members(binder, scope)
    if len(bound) > 1:
        scope.context.report(
            Code.SF425, "a tier goes over one name", Label(binder.names[1].span, "one too many")
        )
    return inner, bound[0][0], bound[0][1]


def _cap(node: tree.Expr, whole: tree.Collect, kind: types.Type, scope: Scope) -> ir.Expr:
    label = Label(whole.amount.span, f"what is collected is {types.words(kind)}")
    return expressions.of_type(node, kind, scope, Code.SF406, "what a tier gives at most", label)


def _step(node: tree.Expr | None, whole: tree.Collect, kind: types.Type, scope: Scope) -> ir.Expr | None:
    if node is None:
        return None
    label = Label(whole.amount.span, f"what is collected is {types.words(kind)}")
    return expressions.of_type(node, kind, scope, Code.SF406, "a step", label)


def policy(node: tree.Policy, scope: Scope) -> tuple[ir.Policy, ir.Expr | None]:
    match node:
        case tree.Ranked(key, highest):
            return (ir.Policy.HIGHEST if highest else ir.Policy.LOWEST), expressions.number(key, scope)[0]
        case tree.AnyOrder():
            return ir.Policy.ANY, None
        case tree.Proportion(weight):
            return ir.Policy.PROPORTION, expressions.number(weight, scope)[0]
        case tree.Equally():
            return ir.Policy.PROPORTION, ir.ONE


def _same_asset(span: Span, source: Account, whole: tree.Collect, target: Account, scope: Scope) -> bool:
    if source[1].asset == target[1].asset:
        return True
    scope.context.report(
        Code.SF406,
        f"cannot collect `{source[1].asset}` into `{target[1].name.text}`, which holds `{target[1].asset}`",
        Label(span, f"this holds `{source[1].asset}`"),
        Label(target[0].span, f"this holds `{target[1].asset}`"),
    )
    return False


def _limit(source: Account, cap: ir.Expr | None, span: Span, scope: Scope) -> ir.Expr:
    """At most what the account has above its floor, and at most `up to`."""
    place, field = source
    if field.kind is ir.Kind.NET:
        if cap is None:
            scope.context.report(
                Code.SF408,
                f"`{span.text}` has no floor: say how much may be taken",
                Label(span, "a `net` account"),
                Label(field.name.span, f"`{field.name.text}` is declared here"),
                help=f"write `from {span.text} up to …`",
            )
            return ir.ZERO
        return cap
    available: ir.Expr = ir.Read(place.field, place.member, place.index, span=place.span)
    low = scope.context.fields[field.full].low
    if low is not None and low != ir.ZERO:
        floor = substitute(low, {"self": place.member})
        available = ir.Op(ir.Operator.SUB, (available, floor), span=place.span)
    return available if cap is None else derived.minimum(cap, available, span)
