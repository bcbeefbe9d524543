"""Checks statements and writes them in the core: whose money moves, who may change what, and calls written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from specforge.core import derived, ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Fix, Label
from specforge.diagnostics.source import Span
from specforge.elaborate import calls, collect, declare, expressions, names, references, together, types, units
from specforge.elaborate.inline import Copier
from specforge.elaborate.names import Definition, FieldOf, Parameter, Scope, Unit
from specforge.syntax import tree

LEDGERS = (ir.Kind.BALANCE, ir.Kind.NET)
IN_TURN = "one after the other is `for each … in order of …, lowest first:`"
MONEY = "transfer … from … to …, receive … into …, pay … from …"


def block(written: Sequence[tree.Stmt], scope: Scope) -> ir.Block:
    """The statements of a block, in a scope of their own."""
    inner = scope.child()
    context = scope.context
    context.level += 1
    result: list[ir.Statement] = []
    for each in written:
        if context.too_large:
            break
        context.size += 2
        if each.cites:
            context.cited += declare.cites(scope.book, each)
        result.extend(statement(each, inner))
    context.level -= 1
    return tuple(result)


def statement(node: tree.Stmt, scope: Scope) -> Sequence[ir.Statement]:
    """One sentence; a call comes out as several.  A `let` adds its name to `scope`."""
    span = node.span
    match node:
        case tree.Require(condition):
            return (ir.Require(expressions.flag(condition, scope), span=span),)
        case tree.Set():
            return _set(node, scope)
        case tree.Transfer(amount, source, target):
            return _move(amount, account(source, scope), account(target, scope), span, scope, "transfer")
        case tree.Receive(amount, target):
            return _move(amount, None, account(target, scope), span, scope, "receive")
        case tree.Pay(amount, source):
            return _move(amount, account(source, scope), None, span, scope, "pay")
        case tree.Issue(amount, target):
            scope.context.minted.add(span)
            return _move(amount, None, account(target, scope), span, scope, "issue")
        case tree.Burn(amount, source):
            scope.context.minted.add(span)
            return _move(amount, account(source, scope), None, span, scope, "burn")
        case tree.Do(call):
            return _call(call, scope)
        case tree.Nothing():
            return ()
        case tree.Let():
            return _let(node, scope)
        case tree.If():
            return (_if(node, scope),)
        case tree.ForEach():
            return _for_each(node, scope)
        case tree.Collect():
            return (collect.lower(node, scope),)
    assert_never(node)


# ---------------------------------------------------------------- places


def place(ref: tree.Ref, scope: Scope) -> tuple[ir.Place, FieldOf] | None:
    """Somewhere a value stands; reported when it is not."""
    found = references.resolve(ref, scope)
    if found is None:
        return None
    if found.field is not None and isinstance(found.expr, ir.Read):
        read = found.expr
        return ir.Place(read.field, read.member, read.index, span=ref.span), found.field
    labels = [Label(ref.span, "cannot be changed")]
    help = "what changes in a run is a field of a party"
    if isinstance(found.thing, Parameter):
        help = "a parameter stays the same for a whole run; use a field"
    if found.thing is not None:
        labels.append(Label(found.thing.name.span, f"`{found.thing.name.text}` is declared here"))
    elif ref.name.text in scope.locals:
        labels.append(Label(scope.locals[ref.name.text].declared.span, f"`{ref.name.text}` is fixed here"))
        help = "a `let` or an argument keeps its value; use a field"
    scope.context.report(Code.SF416, f"`{ref.span.text}` is not something that can be changed", *labels, help=help)
    return None


def account(ref: tree.Ref, scope: Scope) -> tuple[ir.Place, FieldOf] | None:
    """A ledger account; reported when it is not one."""
    found = place(ref, scope)
    if found is None or found[1].kind in LEDGERS:
        return found
    if isinstance(found[1].type, types.Hole):
        return None  # its declaration has been reported
    field = found[1]
    scope.context.report(
        Code.SF401,
        f"`{ref.span.text}` is not a ledger account",
        Label(ref.span, "money cannot move here"),
        Label(field.name.span, f"`{field.name.text}` is a plain quantity"),
        help=f"declare it as `{field.name.text}: balance …` or `net …`, or change it with `:=`, `+=`, `-=`",
    )
    return None


def owner_may_change(field: FieldOf, span: Span, scope: Scope, verb: str) -> bool:
    """A rulebook changes only its own fields; another one's by its actions and procedures, and by transfers."""
    if field.party.book is scope.book:
        return True
    alias = field.party.book.prefix
    scope.context.report(
        Code.SF423,
        f"`{verb}` would change `{alias}`, which is another rulebook",
        Label(span, f"this belongs to `{alias}`"),
        Label(field.name.span, f"`{field.name.text}` is declared here"),
        help=f"call one of its actions or procedures (`{alias}.…`), or transfer to or from your own account",
    )
    return False


# ---------------------------------------------------------------- changes


def _set(node: tree.Set, scope: Scope) -> Sequence[ir.Statement]:
    found = place(node.target, scope)
    if found is None:
        expressions.lower(node.value, scope)
        return ()
    where, field = found
    declared = Label(field.name.span, f"`{field.name.text}` is {types.words(field.type)}")
    if field.kind in LEDGERS:
        ledger = Label(field.name.span, f"`{field.name.text}` is a ledger account")
        expressions.lower(node.value, scope)
        scope.context.report(
            Code.SF402,
            f"`{node.op.value}` on the ledger account `{node.target.span.text}`: money moves, it does not appear",
            Label(node.op_span, "not on a ledger account"),
            ledger,
            help=f"use `{MONEY}`",
        )
        return ()
    value = expressions.of_type(node.value, field.type, scope, Code.SF315, f"what `{field.name.text}` becomes", declared)
    if not owner_may_change(field, node.target.span, scope, node.op.value):
        return ()
    if node.op is tree.SetOp.SET:
        return (ir.Set(where, value, False, span=node.span),)
    if not types.is_number(field.type):
        scope.context.report(
            Code.SF303, f"`{node.op.value}` changes numbers", Label(node.op_span, "use `:=`"), declared,
            fixes=(Fix(node.op_span, ":=", "write `:=`"),),
        )  # fmt: skip
        return ()
    if node.op is tree.SetOp.SHRINK:
        value = derived.negative(value, node.value.span)
    return (ir.Set(where, value, True, span=node.span),)


Account = tuple[ir.Place, FieldOf] | None


def _move(
    amount: tree.Expr, source: Account, target: Account, span: Span, scope: Scope, verb: str
) -> Sequence[ir.Statement]:
    ends = [each for each in (source, target) if each is not None]
    if len(ends) < (2 if verb == "transfer" else 1):
        expressions.lower(amount, scope)
        return ()
    context = scope.context
    field = ends[0][1]
    if len(ends) == 2:
        other = ends[1][1]
        if field.asset != other.asset:
            expressions.lower(amount, scope)
            context.report(
                Code.SF403,
                f"cannot transfer from {_of(field)} to {_of(other)}",
                Label(ends[0][0].span, f"this holds `{field.asset}`"),
                Label(ends[1][0].span, f"this holds `{other.asset}`"),
                help="an exchange of two assets is two transfers",
            )
            return ()
        _same_entry(ends[0][0], ends[1][0], scope)
    elif not owner_may_change(field, ends[0][0].span, scope, verb):
        return ()
    wanted = types.number(units.base(field.asset))
    declared = Label(field.name.span, f"`{field.name.text}` holds `{field.asset}`")
    value = expressions.of_type(amount, wanted, scope, Code.SF404, "the amount", declared)
    asset = scope.book.things.get(field.asset)
    if verb in ("issue", "burn") and isinstance(asset, Unit) and not asset.issued:
        context.report(
            Code.SF405,
            f"`{field.asset}` is not an asset that this rulebook issues",
            Label(span, f"`{verb}` creates or destroys it"),
            Label(asset.name.span, "declared without `issued`"),
            help=f"write `asset {field.asset} issued`, or use `{'receive' if verb == 'issue' else 'pay'}`",
            fixes=(Fix(asset.name.span.after(), " issued", "declare it `issued`"),),
        )
    return (ir.Move(value, source and source[0], target and target[0], span=span),)


def _of(field: FieldOf) -> str:
    return f"`{field.name.text}` (`{field.asset}`)"


def _same_entry(source: ir.Place, target: ir.Place, scope: Scope) -> None:
    """Two entries of `per` fields, written out as different members, are different ledgers."""
    a, b = source.index, target.index
    if isinstance(a, ir.Lit) and isinstance(b, ir.Lit) and a != b:
        scope.context.report(
            Code.SF403,
            f"`{source.span.text}` and `{target.span.text}` are different ledgers",
            Label(source.span, "from one"),
            Label(target.span, "to another"),
            help="each entry of a `per` field is a ledger of its own",
        )


# ---------------------------------------------------------------- let, if, for each


def _let(node: tree.Let, scope: Scope) -> Sequence[ir.Statement]:
    expr, kind = expressions.lower(node.value, scope)
    if node.params is not None:
        scope.context.report(
            Code.SF118, "a function stands at the top level of a rulebook, not in a block", Label(node.name.span, "not here")
        )
        scope.add(node.name, ir.ZERO, types.HOLE)
        return ()
    if isinstance(expr, ir.Lit | ir.Var):
        scope.add(node.name, expr, kind)
        return ()
    name = scope.context.fresh(node.name.text)
    scope.add(node.name, ir.Var(name, span=node.name.span), kind)
    return (ir.Bind(name, expr, span=node.span),)


def _if(node: tree.If, scope: Scope) -> ir.Statement:
    parts: list[tuple[ir.Expr, ir.Block, Span]] = []
    level = scope.context.level
    for branch in node.branches:
        cond = expressions.flag(branch.condition, scope)
        parts.append((cond, block(branch.body, scope), branch.span))
        scope.context.level += 1
    otherwise = () if node.otherwise is None else block(node.otherwise, scope)
    scope.context.level = level
    for cond, body, span in reversed(parts[1:]):
        otherwise = (ir.Branch(cond, body, otherwise, span=span),)
    cond, body, _ = parts[0]
    return ir.Branch(cond, body, otherwise, span=node.span)


def _for_each(node: tree.ForEach, scope: Scope) -> Sequence[ir.Statement]:
    context = scope.context
    inner, bound = expressions.bind_members(node.binder, scope)
    if len(bound) > 1:
        context.report(
            Code.SF425,
            "`for each` goes over one name",
            Label(node.binder.names[1].span, "one too many"),
            help="write one loop inside the other (over closed lists)",
        )
    var, full = bound[0]
    before = context.size
    where = ir.YES if node.binder.where is None else expressions.flag(node.binder.where, inner)
    policy, key = (ir.Policy.ANY, None) if node.order is None else collect.policy(node.order, inner)
    body = block(node.body, inner)
    if not full or len(bound) > 1:
        return ()
    party = context.parties[full]
    if node.order is not None:
        share, name = context.fresh("turn"), f"each {node.binder.names[0].text}"
        turn = ir.Tier(var, full, where, ir.ONE, policy, key, None, share, body, name, span=node.span)
        return (ir.InTurn(turn, span=node.span),)
    if party.open:
        together.Simultaneous(var, node.binder.span, scope, IN_TURN).check(body)
        return (ir.ForEach(var, full, where, body, span=node.span),)
    size = context.size - before
    result: list[ir.Statement] = []
    for index in range(len(party.listed) or 1):
        if not context.spend(size, node.span):
            break
        copier = Copier({var: ir.Lit(ir.Member(full, index), span=node.binder.span)}, context.fresh)
        result.append(ir.Branch(copier.expr(where), copier.block(body), (), span=node.span))
    return result


# ---------------------------------------------------------------- calls


def _call(call: tree.Call, scope: Scope) -> Sequence[ir.Statement]:
    """A procedure or an action, written out with its arguments fixed."""
    context = scope.context
    definition = calls.callee(call, scope)
    if definition is None:
        for each in call.args:
            expressions.lower(each, scope)
        return ()
    if definition.word not in ("procedure", "action"):
        names.wrong_kind(context, call.function.span, definition, "procedure or action")
        return ()
    args = calls.arguments(call, definition, scope)
    template = context.demand(definition, call.function.span)
    if args is None or template is None or not context.spend(template.size, call.span):
        return ()
    context.reached(context.level + template.depth, call.span)
    return write_out(definition, template.body, args, call.span, scope)


def write_out(
    definition: Definition, body: ir.Expr | ir.Block, args: Sequence[ir.Expr], span: Span, scope: Scope
) -> Sequence[ir.Statement]:
    assert isinstance(body, tuple)
    fresh = scope.context.fresh
    result: list[ir.Statement] = []
    by: dict[str, ir.Expr] = {}
    for param, arg in zip(definition.params or (), args, strict=True):
        if not isinstance(arg, ir.Lit | ir.Var):
            name = fresh(param.name)
            result.append(ir.Bind(name, arg, span=arg.span))
            arg = ir.Var(name, span=arg.span)
        by[param.name] = arg
    if definition.word == "action":
        scope.context.called.add(definition.full)
        result.append(ir.Took(definition.full, tuple(by.values()), span=span))
    result.extend(Copier(by, fresh).block(body))
    return result
