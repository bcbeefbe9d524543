"""The rules: definitions and tables that are written out where they are used, actions, and duties in their order."""

from __future__ import annotations

from collections.abc import Sequence

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.elaborate import declare, expressions, names, starts, statements, types
from specforge.elaborate.names import Book, Definition, Scope
from specforge.syntax import tree

PROPERTIES = ("continuous", "rising", "convex")
Written = tree.Let | tree.Table | tree.Procedure | tree.Action


def enter(book: Book) -> None:
    """Gives definitions their names and argument types; their bodies are checked later, in any order."""
    for item in book.tree.items:
        match item:
            case tree.Let():
                _definition(book, item, "let", item.params)
            case tree.Table():
                _definition(book, item, "table", (item.param,))
            case tree.Procedure():
                _definition(book, item, "procedure", item.params)
            case tree.Action():
                _definition(book, item, "action", item.params)
            case tree.Duty():
                duty = book.things.get(item.name.text)
                if isinstance(duty, names.Duty) and duty.written is item:
                    duty.params, duty.param_types = declare.arguments(book, item.params)
                    _chosen(duty)
            case _:
                pass


def _definition(book: Book, item: Written, word: str, written: tuple[tree.Param, ...] | None) -> None:
    arguments, kinds = declare.arguments(book, written or ())
    params = None if written is None else arguments

    def build() -> tuple[ir.Expr | ir.Block, types.Type]:
        scope = declare.scope_of(book, written or (), kinds)
        match item:
            case tree.Let():
                return expressions.lower(item.value, scope)
            case tree.Table():
                return _table(item, scope, kinds[0])
            case tree.Procedure() | tree.Action():
                return statements.block(item.body, scope), types.HOLE

    declare.enter(book, Definition(item.name, book, word, params, kinds, build))


def _chosen(duty: names.Duty) -> None:
    """A duty acts for members; nobody chooses its numbers."""
    for param, kind in zip(duty.written.params, duty.param_types, strict=True):
        if not isinstance(kind, ir.Of | types.Hole):
            duty.book.context.report(
                Code.SF304,
                f"a duty acts for members, and `{param.name.text}` is {types.words(kind)}",
                Label(param.span, "nobody chooses this"),
                help="work it out in the body: `let … = …`",
            )


# ---------------------------------------------------------------- tables


def _table(item: tree.Table, scope: Scope, kind: types.Type) -> tuple[ir.Expr, types.Type]:
    """The lookup, written out: the first row whose bound is not passed."""
    context = scope.context
    if not types.is_number(kind):
        context.report(Code.SF303, f"a table is over a number, not over {types.words(kind)}", Label(item.param.span, "here"))
        kind = types.HOLE
    for mark in item.marks:
        if mark.text not in PROPERTIES:
            message = f"a table can be {', '.join(PROPERTIES)}, not `{mark.text}`"
            names.unknown(context, Code.SF201, message, mark, PROPERTIES)
    looked_up = ir.Var(item.param.name.text, span=item.param.name.span)
    rows: list[ir.Row] = []
    result: types.Type = types.ZERO
    first: tree.Row | None = None
    for row in item.rows:
        bound = None
        if row.limit is not None:
            declared = Label(item.param.span, f"`{item.param.name.text}` is {types.words(kind)}")
            bound = expressions.of_type(row.limit, kind, scope, Code.SF319, "the bound of a row", declared)
            _ascending(rows, bound, row, scope)
        if rows and rows[-1].bound is None:
            last = Label(rows[-1].span, "everything else stops here")
            context.report(Code.SF419, "a row after `otherwise` is never used", Label(row.span, "never used"), last)
        body, of = expressions.number(row.value, scope)
        if not types.fits(of, result) and first is not None:
            other = Label(first.value.span, f"this is {types.words(result)}")
            labels = Label(row.value.span, f"this is {types.words(of)}"), other
            context.report(Code.SF316, f"rows of a table must have one unit, and this is {types.words(of)}", *labels)
        elif not isinstance(of, types.Zero) and (first is None or isinstance(result, types.Zero)):
            first, result = row, of
        rows.append(ir.Row(bound, row.kind is tree.RowKind.UP_TO, body, span=row.span))
        declare.cites(scope.book, row)
    context.reached(context.level + len(rows), item.span)
    lookup: ir.Expr = ir.Undefined(ir.Defect.TABLE, span=item.name.span)
    for row in reversed(rows):
        if row.bound is None:
            lookup = row.body
        else:
            op = ir.Operator.LE if row.closed else ir.Operator.LT
            inside = ir.Op(op, (looked_up, row.bound), types.settled(kind), span=row.span)
            lookup = ir.If(inside, row.body, lookup, span=row.span)
    properties = tuple(mark.text for mark in item.marks if mark.text in PROPERTIES)
    full = scope.book.full(item.name.text)
    argument = ir.Argument(item.param.name.text, types.settled(kind))
    context.tables[full] = ir.Table(full, argument, properties, tuple(rows), span=item.span)
    return lookup, result


def _ascending(rows: list[ir.Row], bound: ir.Expr, row: tree.Row, scope: Scope) -> None:
    if not rows:
        return
    here, before = starts.constant(bound), starts.constant(rows[-1].bound)
    wider = row.kind is tree.RowKind.UP_TO and not rows[-1].closed
    if here is not None and before is not None and (here < before or (here == before and not wider)):
        scope.context.report(
            Code.SF419,
            "the rows of a table go upwards",
            Label(row.span, "nothing is left for this row"),
            Label(rows[-1].span, "the row above it"),
        )


# ---------------------------------------------------------------- everything in order


def lower(book: Book) -> None:
    """Checks every definition, used or not, and writes actions and duties in the core."""
    context = book.context
    for item in book.tree.items:
        match item:
            case tree.Let() | tree.Table() | tree.Procedure() | tree.Action():
                thing = book.things.get(item.name.text)
                if isinstance(thing, Definition) and thing.name is item.name:
                    template = context.demand(thing, item.name.span)
                    if template is not None:
                        context.spend(template.size, item.span)
                        _finished(thing, item, template)
            case tree.Duty():
                _duty(book, item)
            case _:
                pass


def _finished(thing: Definition, item: Written, template: names.Template) -> None:
    context = thing.book.context
    cited = _together(declare.cites(thing.book, item), template.cites)
    if isinstance(item, tree.Action) and isinstance(template.body, tuple):
        open_ = thing.book.only is None or item.name.text in thing.book.only
        text = item.description.text if item.description is not None else ""
        context.actions[thing.full] = ir.Action(
            thing.full, thing.params or (), template.body, text, open_, cited, span=item.span
        )
    elif isinstance(item, tree.Let) and thing.params is None and not isinstance(template.body, tuple):
        context.lets[thing.full] = template.body
    elif isinstance(item, tree.Let | tree.Table) and not isinstance(template.body, tuple):
        context.functions.append(ir.Function(thing.full, thing.params or (), template.body))


def _together(own: Sequence[ir.Cite], inside: Sequence[ir.Cite]) -> tuple[ir.Cite, ...]:
    """The citations above a rule, then those above the sentences in it."""
    return tuple(dict.fromkeys([*own, *inside]))


def _duty(book: Book, item: tree.Duty) -> None:
    thing = book.things.get(item.name.text)
    if not isinstance(thing, names.Duty) or thing.written is not item:
        return
    context = book.context
    scope = declare.scope_of(book, item.params, thing.param_types)
    when = ir.YES if item.when is None else expressions.flag(item.when, scope)
    rank, highest = None, True
    if item.order is not None:
        rank, _ = expressions.number(item.order.key, scope)
        highest = item.order.highest
        if not item.params:
            context.report(
                Code.SF421,
                f"`in order of` chooses whose turn it is, and `{item.name.text}` is nobody's in particular",
                Label(item.order.span, "nobody to choose"),
                Label(item.name.span, "takes no member"),
                help=f"give it one: `duty {item.name.text}(t: Trader)`",
            )
            rank = None
    after: list[str] = []
    for path in item.after:
        event = names.find_path(book, path, Code.SF216, "action", is_action)
        if event is not None:
            after.append(event.full)
    context.cited = []
    body = statements.block(item.body, scope)
    cited = _together(declare.cites(book, item), context.cited)
    text = item.description.text if item.description is not None else ""
    context.duties[thing.full] = ir.Duty(
        thing.full, thing.params, tuple(after), when, rank, highest, item.once, body, text, cited, span=item.span,
    )  # fmt: skip


def is_action(thing: names.Thing) -> bool:
    return isinstance(thing, Definition) and thing.word == "action"


