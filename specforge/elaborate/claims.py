"""What is claimed, what is assumed, what must be reachable, and the scenarios that show it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.elaborate import declare, expressions, names, types
from specforge.elaborate.names import Book, Definition, Local, Member, Parameter, Party, Scope, Used
from specforge.syntax import tree

VERDICTS = ("proved", "refuted", "open")


def text_of(text: tree.Text | None) -> str:
    return text.text if text is not None else ""


# ---------------------------------------------------------------- assumptions


def assumptions(book: Book) -> None:
    for item in book.tree.items:
        if isinstance(item, tree.Assumption):
            declare.cites(book, item)
            thing = book.things.get(item.name.text)
            if isinstance(thing, names.Assumption) and thing.name is item.name:
                book.context.assumptions[thing.full] = _assumption(book, item, thing.full)


def _assumption(book: Book, item: tree.Assumption, full: str) -> ir.Assumption:
    scope = Scope(book)
    action, params = None, ()
    if item.on is not None:
        found = names.find_path(book, item.on.action, Code.SF216, "action", _is_action)
        if isinstance(found, Definition):
            action = found.full
            params = _named_arguments(item.on.names, found.param_types, found, scope)
        else:
            _unknown_arguments(item.on.names, scope)
    cond = expressions.flag(item.condition, scope)
    return ir.Assumption(full, action, params, cond, text_of(item.description), span=item.span)


def _is_action(thing: names.Thing) -> bool:
    return isinstance(thing, Definition) and thing.word == "action"


def _named_arguments(
    written: Sequence[tree.Name], kinds: Sequence[types.Type], thing: Definition | names.Duty, scope: Scope
) -> tuple[str, ...]:
    """Gives names to the arguments of an action or duty."""
    if len(written) != len(kinds):
        plural = "argument" if len(kinds) == 1 else "arguments"
        scope.context.report(
            Code.SF305,
            f"`{thing.name.text}` has {len(kinds)} {plural}, and here {len(written)} are named",
            Label(written[0].span.to(written[-1].span), f"{len(written)} named"),
            Label(thing.name.span, f"`{thing.name.text}` is declared here"),
        )
        _unknown_arguments(written, scope)
        return ()
    for name, kind in zip(written, kinds, strict=True):
        scope.add(name, ir.Var(name.text, span=name.span), kind)
    return tuple(name.text for name in written)


def _unknown_arguments(written: Sequence[tree.Name], scope: Scope) -> None:
    for name in written:
        if name.text not in scope.locals:
            scope.add(name, ir.Var(name.text, span=name.span), types.HOLE)


# ---------------------------------------------------------------- claims


def claims(book: Book) -> tuple[dict[str, ir.Claim], dict[str, ir.Reach]]:
    found: dict[str, ir.Claim] = {}
    reaches: dict[str, ir.Reach] = {}
    for item in book.tree.items:
        if isinstance(item, tree.Claim):
            found.setdefault(item.name.text, _claim(book, item))
        elif isinstance(item, tree.Reach):
            declare.cites(book, item)
            cond = expressions.flag(item.condition, Scope(book))
            reaches.setdefault(item.name.text, ir.Reach(item.name.text, cond, text_of(item.description), span=item.span))
    return found, reaches


def _claim(book: Book, item: tree.Claim) -> ir.Claim:
    scope = Scope(book)
    moment: ir.Moment = ir.AtRest()
    match item.moment:
        case tree.EveryStep():
            moment = ir.EveryStep()
        case tree.After():
            scope = attrs.evolve(scope, old=True)
            moment = _after(book, item.moment, scope)
        case None:
            pass
    cond = expressions.flag(item.condition, scope)
    expects = tuple([_expect(book, each) for each in item.expects])
    cites = declare.cites(book, item)
    return ir.Claim(item.name.text, moment, cond, expects, text_of(item.description), cites, span=item.span)


def _after(book: Book, moment: tree.After, scope: Scope) -> ir.Moment:
    def event(thing: names.Thing) -> bool:
        return _is_action(thing) or isinstance(thing, names.Duty)

    found = names.find_path(book, moment.event, Code.SF216, "action or duty", event)
    if not isinstance(found, Definition | names.Duty):
        _unknown_arguments(moment.names or (), scope)
        return ir.AtRest()
    params: tuple[str, ...] = ()
    if moment.names is not None:
        params = _named_arguments(moment.names, found.param_types, found, scope)
    return ir.After(found.full, params, isinstance(found, names.Duty))


def _expect(book: Book, item: tree.Expect) -> ir.Expect:
    context = book.context
    verdict = item.verdict.text
    if verdict not in VERDICTS:
        names.unknown(context, Code.SF501, f"`{verdict}` is not a verdict: {', '.join(VERDICTS)}", item.verdict, VERDICTS)
    by = item.by.text if item.by is not None else None
    if item.by is not None:
        scenario = book.scenarios.get(item.by.text)
        if scenario is None:
            message = f"there is no scenario called `{item.by.text}`"
            names.unknown(context, Code.SF502, message, item.by, book.scenarios)
            by = None
        else:
            context.used(item.by.span, scenario)
        if verdict != "refuted" and verdict in VERDICTS:
            context.report(
                Code.SF511,
                f"a scenario can refute a claim; it cannot show that it is {verdict}",
                Label(item.by.span, "no scenario here"),
                Label(item.verdict.span, f"`{verdict}`"),
            )
    given = tuple([_given(book, each) for each in item.given])
    return ir.Expect(verdict, given, by, text_of(item.reason), span=item.span)


def _given(book: Book, node: tree.Expr) -> ir.Given:
    """An assumption by its name, or a condition over parameters."""
    text = " ".join(node.span.text.split())
    if isinstance(node, tree.Ref) and all(isinstance(each, tree.Dot) for each in node.trailers):
        thing = _thing_at(book, node)
        if isinstance(thing, names.Assumption):
            book.context.used(node.span, thing.name)
            return ir.Given(text, thing.full)
        if thing is None and not node.trailers:
            known = [name for name, each in book.things.items() if isinstance(each, names.Assumption | Parameter)]
            message = f"there is no assumption called `{node.name.text}`"
            names.unknown(book.context, Code.SF503, message, node.name, known)
            return ir.Given(text, None, ir.YES)
    cond = expressions.flag(node, Scope(book))
    message = "what is given is an assumption by name, or a condition over parameters"
    declare.only_reads(cond, lambda read: declare.is_parameter(read, book), Code.SF504, message, book.context)
    return ir.Given(text, None, cond)


def _thing_at(book: Book, ref: tree.Ref) -> names.Thing | None:
    """What a path stands for, without a word if nothing."""
    thing = book.things.get(ref.name.text)
    for trailer in ref.trailers:
        if not isinstance(thing, Used) or not isinstance(trailer, tree.Dot):
            return thing if thing is None else None
        thing = thing.target.things.get(trailer.name.text)
    return thing


# ---------------------------------------------------------------- scenarios


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
    starts: list[tuple[ir.Place, ir.Expr]] = []
    declare.cites(book, item)
    for line in item.lines:
        declare.cites(book, line)
        if isinstance(line, tree.Member):
            _members(line, scope, joining, starts)
    for line in item.lines:
        if isinstance(line, tree.With):
            for each in line.bindings:
                starts.extend(_with(each, scope))
    lines = [_line(each, scope) for each in item.lines if isinstance(each, tree.Act | tree.Then | tree.Check)]
    members = tuple((party, tuple(each)) for party, each in joining.items())
    return ir.Scenario(
        item.name.text, members, tuple(starts), tuple([each for each in lines if each is not None]),
        text_of(item.description), span=item.span,
    )  # fmt: skip


def _members(
    line: tree.Member, scope: Scope, joining: dict[str, list[str]], starts: list[tuple[ir.Place, ir.Expr]]
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
            at = ir.Lit(ir.Member(found.full, member.index), span=name.span)
            scope.members[name.text] = Local(at, ir.Of(found.full), name)
        starts.extend(declare.bindings_of(member, line.bindings, scope))


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
        declare.only_reads(value, lambda read: declare.is_parameter(read, scope.book), Code.SF418, message, context)
        field = context.fields[found.full]
        declare.within(value, field.low, field.low_open, field.high, binding.value.span, context, Code.SF507)
        return [(ir.Place(found.full, expressions.RULES, span=binding.target.span), value)]
    if rest:
        if isinstance(found, Party) and found.one:
            at = ir.Lit(ir.Member(found.full, 0), span=parts[used - 1].span)
            return declare.start_of(found, at, rest, binding, scope)
        if isinstance(found, Member):
            at = ir.Lit(ir.Member(found.party.full, found.index), span=parts[used - 1].span)
            return declare.start_of(found.party, at, rest, binding, scope)
        if isinstance(found, Local) and isinstance(found.type, ir.Of):
            return declare.start_of(context.parties[found.type.party], found.expr, rest, binding, scope)
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
    found = expressions.resolve_callee(call.function, scope)
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
    args = expressions.arguments(call, found, scope)
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
    found = expressions.resolve_callee(call.function, scope)
    if not isinstance(found, names.Duty):
        if found is not None:
            message = f"`{call.function.span.text}` is not a duty"
            context.report(Code.SF508, message, Label(call.function.span, "`then` says whose turn a duty is"))
        for each in call.args:
            expressions.lower(each, scope)
        return None
    if len(call.args) != len(found.params):
        expressions.wrong_count(call, len(found.params), f"`{found.name.text}`", found.name, scope)
        return None
    args: list[ir.Expr] = []
    for param, kind, arg in zip(found.params, found.param_types, call.args, strict=True):
        label = Label(found.name.span, f"`{found.name.text}` acts for `{param.name}`, {types.words(kind)}")
        args.append(expressions.of_type(arg, kind, scope, Code.SF306, f"`{param.name}`", label))
    taking: list[ir.Member] = []
    for name in line.taking or ():
        expr, kind = expressions.lower(tree.Ref(name, span=name.span), scope)
        if isinstance(expr, ir.Lit) and isinstance(expr.value, ir.Member):
            taking.append(expr.value)
        elif not isinstance(kind, types.Hole):
            context.report(Code.SF304, f"`{name.text}` is {types.words(kind)}, not a member", Label(name.span, "who gives?"))
    return ir.Then(found.full, tuple(args), tuple(taking), span=line.span)
