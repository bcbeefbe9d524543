"""What is claimed, what is assumed, and what must be reachable."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.elaborate import declare, expressions, names, starts, types
from specforge.elaborate.names import Book, Definition, Parameter, Scope, Used
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
            if item.on.names:
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
        here = "1 is" if len(written) == 1 else f"{len(written)} are"
        scope.context.report(
            Code.SF305,
            f"`{thing.name.text}` has {len(kinds)} {plural}, and here {here} named",
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
    return ir.Claim(item.name.text, moment, cond, expects, text_of(item.description), cites, item.lemma, span=item.span)


def _after(book: Book, moment: tree.After, scope: Scope) -> ir.Moment:
    def event(thing: names.Thing) -> bool:
        return _is_action(thing) or isinstance(thing, names.Duty)

    found = names.find_path(book, moment.event, Code.SF216, "action or duty", event)
    if not isinstance(found, Definition | names.Duty):
        _unknown_arguments(moment.names or (), scope)
        return ir.AtRest()
    if isinstance(found, Definition):
        only, context = found.book.only, book.context
        if only is not None and found.name.text not in only and found.full not in context.called:
            context.report(
                Code.SF505,
                f"`{moment.event.text}` never happens: `only` keeps it from the world, and no rule takes it",
                Label(moment.event.span, "nothing to judge"),
                Label(found.name.span, f"`{found.name.text}` is declared here"),
            )
        _report_duties(book, moment, found)
    params: tuple[str, ...] = ()
    if moment.names is not None:
        params = _named_arguments(moment.names, found.param_types, found, scope)
    return ir.After(found.full, params, isinstance(found, names.Duty))


def _report_duties(book: Book, moment: tree.After, found: Definition) -> None:
    """A settling in which a duty takes the action has no one moment that is after it, and no one state before."""
    for duty in book.context.duties.values():
        if any(isinstance(node, ir.Took) and node.action == found.full for node in ir.walk(duty.body)):
            book.context.report(
                Code.SF514,
                f"the duty `{duty.name}` takes `{moment.event.text}`, and a claim after it would not be judged there",
                Label(moment.event.span, "judged only where the world takes it"),
                Label(duty.span, f"`{duty.name}` takes it here"),
                help=f"claim it `after {duty.name}`, or of every state, without `after`",
            )
            return


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
    starts.only_reads(cond, lambda read: starts.is_parameter(read, book), Code.SF504, message, book.context)
    return ir.Given(text, None, cond)


def _thing_at(book: Book, ref: tree.Ref) -> names.Thing | None:
    """What a path stands for, without a word if nothing."""
    thing = book.things.get(ref.name.text)
    for trailer in ref.trailers:
        if not isinstance(thing, Used) or not isinstance(trailer, tree.Dot):
            return thing if thing is None else None
        thing = thing.target.things.get(trailer.name.text)
    return thing
