"""The things of a rulebook: first every name, then every type."""

from __future__ import annotations

from collections.abc import Sequence

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.elaborate import names, quantities, types, units
from specforge.elaborate.names import Book, FieldOf, Member, Parameter, Party, Scope, Thing, Unit
from specforge.syntax import tree

BUILT_IN = frozenset(names.BUILT_IN) | frozenset(units.TYPE_WORDS) | units.UNIT_WORDS

# ---------------------------------------------------------------- names


def gather(book: Book) -> None:
    """Gives every declaration of the rulebook its name.  Those of `use` stand already."""
    for item in book.tree.items:
        match item:
            case tree.Source():
                _unique(book, item.name, book.sources.get(item.name.text), "source")
                book.sources.setdefault(item.name.text, item)
            case tree.Asset():
                enter(book, Unit(item.name, book, True, item.issued))
            case tree.Unit():
                enter(book, Unit(item.name, book, False, False))
            case tree.Party():
                _party(book, item)
            case tree.Parameter():
                enter(book, Parameter(item.name, book, types.HOLE, len(book.things), item))
            case tree.Assumption():
                enter(book, names.Assumption(item.name, book))
            case tree.Duty():
                enter(book, names.Duty(item.name, book, item))
            case tree.Claim() | tree.Reach():
                _unique(book, item.name, book.moments.get(item.name.text), "claim or reach line")
                book.moments.setdefault(item.name.text, item.name)
            case tree.Scenario():
                _unique(book, item.name, book.scenarios.get(item.name.text), "scenario")
                book.scenarios.setdefault(item.name.text, item.name)
            case _:
                pass  # definitions are entered by rules.py, members once parties are known


def enter(book: Book, thing: Thing) -> None:
    """A new name at the top level; the first one of two keeps it."""
    name = thing.name
    if name.text in BUILT_IN:
        book.context.report(
            Code.SF214,
            f"`{name.text}` is built in",
            Label(name.span, "cannot be declared again"),
            help="choose another name",
        )
        return
    if _unique(book, name, book.things.get(name.text), names.kind_words(thing)):
        book.things[name.text] = thing


def _unique(book: Book, name: tree.Name, other: Thing | tree.Source | tree.Name | None, what: str) -> bool:
    if other is None:
        return True
    declared = other if isinstance(other, tree.Name) else other.name
    book.context.report(
        Code.SF202,
        f"`{name.text}` is given twice",
        Label(name.span, "given again here"),
        Label(declared.span, "the first one"),
    )
    return False


def _party(book: Book, item: tree.Party) -> None:
    party = Party(item.name, book, item)
    enter(book, party)
    book.context.parties.setdefault(party.full, party)
    if item.census is tree.Census.LIST:
        listed: list[str] = []
        for name in item.listed:
            enter(book, Member(name, book, party, len(listed)))
            listed.append(name.text)
        party.listed = tuple(listed)


def parties(book: Book) -> list[Party]:
    return [each for each in book.things.values() if isinstance(each, Party)]


# ---------------------------------------------------------------- types


def settle_types(book: Book) -> None:
    """The types of parameters and of every field, and who the named members are."""
    for thing in list(book.things.values()):
        if isinstance(thing, Parameter):
            _parameter_type(thing)
        elif isinstance(thing, Party):
            for entry in thing.written.fields:
                if isinstance(entry, tree.Per):
                    per = names.find_path(book, _path(entry.party), Code.SF206, "party", lambda each: isinstance(each, Party))
                    if isinstance(per, Party) and not per.listed:
                        _not_a_list(book, entry.party, per)
                        per = None
                    for written in entry.fields:
                        _field(thing, written, per if isinstance(per, Party) else None)
                else:
                    _field(thing, entry, None)
    for item in book.tree.items:
        if isinstance(item, tree.Member):
            _named(book, item)


def _path(name: tree.Name) -> tree.Path:
    return tree.Path((name,), span=name.span)


def _not_a_list(book: Book, name: tree.Name, party: Party) -> None:
    book.context.report(
        Code.SF309,
        f"`{name.text}` is not a closed list",
        Label(name.span, "`per` needs a closed list"),
        Label(party.name.span, f"`{name.text}` is declared here"),
        help=f"declare it as `party {name.text}, one of …`",
    )


def _holdable(book: Book, written: tree.TypeExpr, what: str) -> types.Type:
    """The type of a parameter or plain field: never a member of an open party."""
    if not isinstance(written, tree.Quantity):
        book.context.report(
            Code.SF318,
            f"{what} cannot be a ledger account",
            Label(written.span, "`balance` and `net` are for fields of a party"),
        )
        return types.HOLE
    kind = quantities.resolve_quantity(book, written)
    if isinstance(kind, ir.Of) and book.context.parties[kind.party].open:
        party = book.context.parties[kind.party]
        book.context.report(
            Code.SF310,
            f"{what} cannot hold a member of `{party.name.text}`, which is open",
            Label(written.span, "a member of an open party"),
            Label(party.name.span, "any number of members"),
            help="a member of a closed list or of a one-member party can be held",
        )
        return types.HOLE
    return kind


def _parameter_type(thing: Parameter) -> None:
    thing.type = _holdable(thing.book, thing.written.type, "a parameter")
    field = ir.Field(
        thing.full, ir.RULES, types.settled(thing.type), ir.Kind.PARAMETER,
        cites=cites(thing.book, thing.written), span=thing.written.span,
    )  # fmt: skip
    thing.book.context.fields[thing.full] = field


def _field(party: Party, written: tree.Field, per: Party | None) -> None:
    book, context = party.book, party.book.context
    full = f"{party.full}.{written.name.text}"
    kind, asset = ir.Kind.PLAIN, ""
    if isinstance(written.type, tree.Balance | tree.Net):
        kind = ir.Kind.BALANCE if isinstance(written.type, tree.Balance) else ir.Kind.NET
        path = written.type.asset
        found = names.find_path(book, path, Code.SF207, "asset", lambda each: isinstance(each, Unit) and each.asset)
        asset = found.name.text if found is not None else ""
        type_: types.Type = types.number(units.base(asset)) if asset else types.HOLE
        if not asset:
            kind = ir.Kind.PLAIN
    else:
        type_ = _holdable(book, written.type, "a field")
    other = party.fields.get(written.name.text)
    if other is not None:
        _unique(book, written.name, other.name, "field")
        return
    position = len(party.fields)
    party.fields[written.name.text] = FieldOf(written.name, party, full, type_, kind, asset, per, position, written)
    house = party.house if asset else ""
    context.fields[full] = ir.Field(
        full, party.full, types.settled(type_), kind, per.full if per else None, house, asset,
        cites=cites(book, written), span=written.span,
    )  # fmt: skip


def _named(book: Book, item: tree.Member) -> None:
    found = names.find_path(book, item.party, Code.SF206, "party", lambda each: isinstance(each, Party))
    if not isinstance(found, Party):
        return
    if not found.open:
        book.context.report(
            Code.SF209,
            f"`{item.party.text}` is not open: its members are known already",
            Label(item.party.span, "no further members"),
            Label(found.name.span, f"`{found.name.text}` is declared here"),
        )
        return
    for name in item.names:
        member = Member(name, book, found, len(found.named))
        found.named.append(member)
        enter(book, member)


def cites(book: Book, sentence: tree.Sentence) -> tuple[ir.Cite, ...]:
    """The citations above a sentence; an unknown source is reported."""
    result: list[ir.Cite] = []
    for each in sentence.cites:
        source = book.sources.get(each.source.text)
        if source is None:
            message = f"there is no source called `{each.source.text}`"
            names.unknown(book.context, Code.SF205, message, each.source, book.sources)
            continue
        book.context.used(each.source.span, source.name)
        result.append(ir.Cite(book.full(each.source.text), each.text.text))
    return tuple(result)


# ---------------------------------------------------------------- arguments


def arguments(book: Book, params: Sequence[tree.Param]) -> tuple[tuple[ir.Argument, ...], tuple[types.Type, ...]]:
    """The parameters of a definition, action or duty."""
    result: list[ir.Argument] = []
    kinds: list[types.Type] = []
    seen: dict[str, tree.Name] = {}
    for param in params:
        if param.name.text in seen:
            _unique(book, param.name, seen[param.name.text], "argument")
        seen[param.name.text] = param.name
        if isinstance(param.type, tree.Quantity):
            kind = quantities.resolve_quantity(book, param.type)
        else:
            book.context.report(
                Code.SF318,
                "an argument cannot be a ledger account",
                Label(param.type.span, "`balance` and `net` are for fields of a party"),
                help="take the member as the argument, and name its account in the body",
            )
            kind = types.HOLE
        result.append(ir.Argument(param.name.text, types.settled(kind)))
        kinds.append(kind)
    return tuple(result), tuple(kinds)


def scope_of(book: Book, params: Sequence[tree.Param], kinds: Sequence[types.Type]) -> Scope:
    """The scope in which a body stands: its arguments under their own names."""
    scope = Scope(book)
    for param, kind in zip(params, kinds, strict=True):
        if param.name.text not in scope.locals:
            scope.add(param.name, ir.Var(param.name.text, span=param.name.span), kind)
    return scope


