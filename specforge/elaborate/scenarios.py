"""Scenarios: who is there, what they start with, what happens, and what must then be so."""

from __future__ import annotations

from collections.abc import Sequence

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.elaborate import calls, claims, declare, expressions, names, starts, types
from specforge.elaborate.names import Book, Definition, Local, Member, Parameter, Party, Scope, Used
from specforge.syntax import tree


def scenarios(book: Book, items: Sequence[tree.Item]) -> dict[str, ir.Scenario]:
    result: dict[str, ir.Scenario] = {}
    for item in items:
        if isinstance(item, tree.Scenario):
            result.setdefault(item.name.text, _scenario(book, item))
    return result


def _scenario(book: Book, item: tree.Scenario) -> ir.Scenario:
    context = book.context
    scope = Scope(book)
    joining: dict[str, list[str]] = {
        party.full: [each.full for each in party.named] for party in context.parties.values() if party.open
    }
    begin: list[tuple[ir.Place, ir.Expr]] = []
    declare.cites(book, item)
    for line in item.lines:
        declare.cites(book, line)
        if isinstance(line, tree.Member):
            _members(line, scope, joining, begin)
    for line in item.lines:
        if isinstance(line, tree.With):
            for each in line.bindings:
                begin.extend(_with(each, scope))
    starts.each_once(begin, context)
    lines = [_line(each, scope) for each in item.lines if isinstance(each, tree.Act | tree.Then | tree.Check)]
    members = tuple((party, tuple(each)) for party, each in joining.items())
    return ir.Scenario(
        item.name.text, members, tuple(begin), tuple([each for each in lines if each is not None]),
        claims.text_of(item.description), span=item.span,
    )  # fmt: skip


def _members(
    line: tree.Member, scope: Scope, joining: dict[str, list[str]], begin: list[tuple[ir.Place, ir.Expr]]
) -> None:
    book, context = scope.book, scope.context
    found = names.find_path(book, line.party, Code.SF206, "party", lambda each: isinstance(each, Party))
    if not isinstance(found, Party) or not found.open:
        if isinstance(found, Party):
            context.report(
                Code.SF506,
                f"`{found.name.text}` is not open: its members are known already",
                Label(line.party.span, "no further members"),
                Label(found.name.span, f"`{found.name.text}` is declared here"),
            )
        for name in line.names:
            scope.members[name.text] = Local(ir.ZERO, types.HOLE, name)
        return
    for name in line.names:
        known = book.things.get(name.text)
        if isinstance(known, Member) and known.party is found:
            member = known  # a member that the rulebook names: the line says where it starts
        else:
            other = scope.members.get(name.text)
            if other is not None:
                labels = Label(name.span, "given again here"), Label(other.declared.span, "the first one")
                context.report(Code.SF202, f"`{name.text}` is given twice", *labels)
                continue
            member = Member(name, book, found, len(joining[found.full]))
            joining[found.full].append(name.text)
            scope.hides_nothing(name, None)
            at = ir.Lit(ir.Member(found.full, member.index), span=name.span)
            scope.members[name.text] = Local(at, ir.Of(found.full), name)
        begin.extend(starts.bindings_of(member, line.bindings, scope))


def _with(binding: tree.Binding, scope: Scope) -> list[tuple[ir.Place, ir.Expr]]:
    """`initial = 10%`, `Venue.fund = 10 USD`, `ann.margin = 1 USD`, `bybit.pledged = 5 USD`."""
    context = scope.context
    parts = list(binding.target.parts)
    found = names.find(scope, parts[0])
    used = 1
    while isinstance(found, Used) and used < len(parts):
        found = names.find_in(found.target, parts[used], ".".join(each.text for each in parts[:used]))
        used += 1
    rest = parts[used:]
    if found is None:
        expressions.lower(binding.value, scope)
        return []
    if isinstance(found, Parameter) and not rest:
        declared = Label(found.name.span, f"`{found.name.text}` is {types.words(found.type)}")
        value = expressions.of_type(binding.value, found.type, scope, Code.SF315, f"`{found.name.text}`", declared)
        message = "a scenario gives a parameter a value of its own"
        starts.only_reads(value, lambda read: starts.is_parameter(read, scope.book), Code.SF418, message, context)
        field = context.fields[found.full]
        starts.within(value, field.low, field.low_open, field.high, binding.value.span, context, Code.SF507)
        return [(ir.Place(found.full, expressions.RULES, span=binding.target.span), value)]
    if rest:
        if isinstance(found, Party) and found.one:
            at = ir.Lit(ir.Member(found.full, 0), span=parts[used - 1].span)
            return starts.start_of(found, at, rest, binding, scope)
        if isinstance(found, Member):
            at = ir.Lit(ir.Member(found.party.full, found.index), span=parts[used - 1].span)
            return starts.start_of(found.party, at, rest, binding, scope)
        if isinstance(found, Local) and isinstance(found.type, ir.Of):
            return starts.start_of(context.parties[found.type.party], found.expr, rest, binding, scope)
    expressions.lower(binding.value, scope)
    if not (isinstance(found, Local) and isinstance(found.type, types.Hole)):
        context.report(
            Code.SF208,
            f"`{binding.target.text}` is neither a parameter nor a field of a member",
            Label(binding.target.span, "what should this set?"),
            help="as in `with initial = 10%, Venue.fund = 0`",
        )
    return []


def _line(line: tree.Act | tree.Then | tree.Check, scope: Scope) -> ir.Line | None:
    match line:
        case tree.Check(condition):
            return ir.Check(expressions.flag(condition, scope), span=line.span)
        case tree.Act():
            return _act(line, scope)
        case tree.Then():
            return _then(line, scope)


def _act(line: tree.Act, scope: Scope) -> ir.Line | None:
    context, call = scope.context, line.call
    found = calls.resolve_callee(call.function, scope)
    if not isinstance(found, Definition) or found.word != "action":
        if found is not None:
            what = f"`{call.function.span.text}`"
            labels = [Label(call.function.span, "the world takes actions")]
            if isinstance(found, names.Thing):
                labels.append(Label(found.name.span, f"{names.kind_words(found)} is declared here"))
            help = f"a duty acts by itself; `then {call.function.span.text}(…)` pins whose turn it is"
            is_duty = isinstance(found, names.Duty)
            context.report(Code.SF513, f"{what} is not an action", *labels, help=help if is_duty else None)
        for each in call.args:
            expressions.lower(each, scope)
        return None
    args = calls.arguments(call, found, scope)
    if found.book.only is not None and found.name.text not in found.book.only:
        context.report(
            Code.SF510,
            f"`only` keeps `{call.function.span.text}` from the world",
            Label(call.function.span, "not taken directly"),
            Label(found.name.span, f"`{found.name.text}` is declared here"),
            help="call it in an action of this rulebook, or add it to `only`",
        )
    return None if args is None else ir.Act(found.full, tuple(args), line.refused, span=line.span)


def _then(line: tree.Then, scope: Scope) -> ir.Line | None:
    context, call = scope.context, line.call
    found = calls.resolve_callee(call.function, scope)
    if not isinstance(found, names.Duty):
        if found is not None:
            message = f"`{call.function.span.text}` is not a duty"
            context.report(Code.SF508, message, Label(call.function.span, "`then` says whose turn a duty is"))
        for each in call.args:
            expressions.lower(each, scope)
        return None
    if len(call.args) != len(found.params):
        calls.wrong_count(call, len(found.params), f"`{found.name.text}`", found.name, scope)
        return None
    args: list[ir.Expr] = []
    for param, kind, arg in zip(found.params, found.param_types, call.args, strict=True):
        label = Label(found.name.span, f"`{found.name.text}` acts for `{param.name}`, {types.words(kind)}")
        args.append(expressions.of_type(arg, kind, scope, Code.SF306, f"`{param.name}`", label))
    taking: list[ir.Member] = []
    if line.taking and not any(_leaves_open(each) for each in ir.walk(context.duties[found.full].body)):
        context.report(
            Code.SF509,
            f"nobody is picked inside `{found.name.text}`: it has no tier in an order",
            Label(line.taking[0].span.to(line.taking[-1].span), "nothing to pin"),
            Label(found.name.span, f"`{found.name.text}` is declared here"),
        )
    for name in line.taking or ():
        expr, kind = expressions.lower(tree.Ref(name, span=name.span), scope)
        if isinstance(expr, ir.Lit) and isinstance(expr.value, ir.Member):
            taking.append(expr.value)
        elif not isinstance(kind, types.Hole):
            context.report(Code.SF304, f"`{name.text}` is {types.words(kind)}, not a member", Label(name.span, "who gives?"))
    return ir.Then(found.full, tuple(args), tuple(taking), span=line.span)


def _leaves_open(node: object) -> bool:
    """A tier in which somebody is picked: in any order, or among equals of a rank."""
    return isinstance(node, ir.Tier) and node.party is not None and node.policy is not ir.Policy.PROPORTION
