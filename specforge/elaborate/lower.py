"""From trees to one System: a rulebook and those it uses, each checked in order, then put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Label, Severity
from specforge.elaborate import border, claims, declare, names, rules, scenarios, starts, types, units
from specforge.elaborate.names import Book, Context, Party, Unit, Used
from specforge.records import frozen
from specforge.syntax import tree

MOST_PROBLEMS = 40


@frozen
class Trees:
    """A parsed rulebook, and for each of its `use` lines (by alias) the rulebook that it names."""

    rulebook: tree.Rulebook
    used: Mapping[str, Trees]


@frozen
class Lowered:
    """What checking gives: the system (None after an error), the diagnostics, and for editors where names are declared."""

    system: ir.System | None
    diagnostics: list[Diagnostic]
    uses: list[names.Use]


def lower(trees: Trees, further: Sequence[tree.Item] = ()) -> Lowered:
    """Checks the rulebook, and writes it in the core.  `further`: scenarios from another file."""
    context = Context()
    books: list[Book] = []
    top = _book(trees, "", None, context, books)
    assumptions = context.assumptions
    extra = [each for each in further if _is_scenario(each, top)]
    found, reaches = claims.claims(top)
    played = scenarios.scenarios(top, [*trees.rulebook.items, *extra])
    border.counted(context)
    problems = _each_once(context.diagnostics, trees.rulebook.span.file.path)
    if any(each.severity is Severity.ERROR for each in problems):
        return Lowered(None, problems, context.uses)
    rulebook = trees.rulebook
    system = ir.System(
        name=rulebook.name.text,
        text=claims.text_of(rulebook.description),
        parties=_parties(context),
        fields=_fields(context, books),
        actions=context.actions,
        duties=context.duties,
        assumptions=assumptions,
        claims=found,
        reaches=reaches,
        scenarios=played,
        tables=context.tables,
        sources={book.full(name): source.text.text for book in books for name, source in book.sources.items()},
        lets=context.lets,
        functions=tuple(context.functions),
        literals=tuple(context.literals),
        span=rulebook.span,
    )
    return Lowered(system, problems, context.uses)


def _is_scenario(item: tree.Item, top: Book) -> bool:
    context = top.context
    if not isinstance(item, tree.Scenario):
        context.report(Code.SF118, "a file of scenarios holds scenarios only", Label(item.span, "not a scenario"))
        return False
    other = top.scenarios.get(item.name.text)
    if other is not None:
        labels = Label(item.name.span, "given again here"), Label(other.span, "the first one")
        context.report(Code.SF202, f"`{item.name.text}` is given twice", *labels)
        return False
    top.scenarios[item.name.text] = item.name
    return True


def _each_once(problems: Sequence[Diagnostic], first: str) -> list[Diagnostic]:
    """A rulebook that is used twice has its mistakes once; those of the file `first` come first."""
    seen: set[tuple[str, str, int, int]] = set()
    result: list[Diagnostic] = []
    for each in problems:
        key = each.message, each.span.file.path, each.span.start, each.span.end
        if key not in seen:
            seen.add(key)
            result.append(each)
    result.sort(key=lambda each: (each.span.file.path != first, each.span.file.path, each.span.start))
    if len(result) <= MOST_PROBLEMS:
        return result
    more = f"{len(result) - MOST_PROBLEMS} more mistakes follow, from here on"
    note = Diagnostic(Code.SF125, Severity.NOTE, more, (Label(result[MOST_PROBLEMS].span),))
    return [*result[:MOST_PROBLEMS], note]


def _book(trees: Trees, prefix: str, only: frozenset[str] | None, context: Context, books: list[Book]) -> Book:
    """One rulebook under one prefix; those it uses come first."""
    book = Book(prefix, trees.rulebook, context, only=only)
    set_later: list[tuple[Used, tree.Use]] = []
    for item in trees.rulebook.items:
        if not isinstance(item, tree.Use) or item.alias.text not in trees.used:
            continue
        if item.alias.text in book.things:
            declare.enter(book, Used(item.alias, book, book))  # reported as given twice
        else:
            only_these = None if item.only is None else frozenset(name.text for name in item.only)
            target = _book(trees.used[item.alias.text], book.full(item.alias.text), only_these, context, books)
            used = Used(item.alias, book, target)
            declare.enter(book, used)
            set_later.append((used, item))
    books.append(book)
    declare.gather(book)
    declare.settle_types(book)
    rules.enter(book)
    starts.settle_values(book)
    for used, item in set_later:
        _use(book, used, item)
    rules.lower(book)
    claims.assumptions(book)
    return book


def _use(book: Book, used: Used, item: tree.Use) -> None:
    """`only` names actions, `with` names parameters."""
    declare.cites(book, item)
    for name in item.only or ():
        thing = used.target.things.get(name.text)
        if thing is None or not rules.is_action(thing):
            known = [text for text, each in used.target.things.items() if rules.is_action(each)]
            message = f"`{used.name.text}` has no action `{name.text}`"
            names.unknown(book.context, Code.SF215, message, name, known)
        else:
            book.context.used(name.span, thing.name)
    starts.set_parameters(book, used, item.bindings)


def _parties(context: Context) -> dict[str, ir.Party]:
    result: dict[str, ir.Party] = {}
    for full, party in context.parties.items():
        named = tuple([ir.Named(each.full, context.starts.get(each, ()), span=each.name.span) for each in party.named])
        text = claims.text_of(party.written.description)
        result[full] = ir.Party(full, _members(party), named, text, span=party.written.span)
    return result


def _members(party: Party) -> tuple[str, ...] | None:
    if party.open:
        return None
    return (party.name.text,) if party.one else party.listed


def _fields(context: Context, books: Sequence[Book]) -> dict[str, ir.Field]:
    """Parameters (those of the user before those of what it uses, which they may set), then what members have, then
    what the houses hold."""
    rank = {book.prefix: len(books) - position for position, book in enumerate(books)}

    def order(field: ir.Field) -> int:
        return rank[field.name.rpartition(".")[0]] if field.kind is ir.Kind.PARAMETER else len(books) + 1

    result = {field.name: field for field in sorted(context.fields.values(), key=order)}
    for book in books:
        for thing in book.things.values():
            if isinstance(thing, Unit) and thing.asset:
                _holds(book.prefix, thing, result)
        for party in declare.parties(book):
            for asset in dict.fromkeys(each.asset for each in party.fields.values() if each.asset):
                unit = book.things.get(asset)
                if party.house != book.prefix and isinstance(unit, Unit):
                    _holds(party.house, unit, result)
    return result


def _holds(house: str, asset: Unit, fields: dict[str, ir.Field]) -> None:
    """The field that keeps what a house holds of an asset."""
    name, of = ir.holdings_field(house, asset.name.text), types.settled(types.number(units.base(asset.name.text)))
    fields[name] = ir.Field(
        name, ir.RULES, of, ir.Kind.HOUSE, house=house, asset=asset.name.text, low=ir.ZERO, span=asset.name.span
    )


