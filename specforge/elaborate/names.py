"""What names stand for: the things a rulebook declares, the local names of a block, and how a use finds its declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, error
from specforge.diagnostics.source import Span
from specforge.diagnostics.suggest import suggest
from specforge.elaborate import types
from specforge.records import define, frozen
from specforge.syntax import tree

LARGEST_SIZE = 1_000_000  # nodes of the core, once everything is written out
DEEPEST = 150  # nesting of an expression or a block, once everything is written out
BUILT_IN = ("abs", "min", "max", "floor", "ceil", "half_even", "toward_zero", "old", "holdings", "brought_in", "taken_out")
DEEPEST_FORWARD = 40  # definitions that each use one further down

# ---------------------------------------------------------------- things


@define(eq=False)
class Thing:
    """Something with a name; `name` marks where it was given."""

    name: tree.Name
    book: Book = attrs.field(repr=False)

    @property
    def full(self) -> str:
        return self.book.full(self.name.text)


@define(eq=False)
class Unit(Thing):
    """An asset (a unit with a ledger) or a unit without one."""

    asset: bool
    issued: bool


@define(eq=False)
class Party(Thing):
    written: tree.Party
    fields: dict[str, FieldOf] = attrs.field(factory=dict)
    listed: tuple[str, ...] = ()  # the members of a closed list
    named: list[Member] = attrs.field(factory=list)

    @property
    def open(self) -> bool:
        return self.written.census is tree.Census.OPEN

    @property
    def one(self) -> bool:
        return self.written.census in (tree.Census.ONE, tree.Census.APART)

    @property
    def house(self) -> str:
        """Whose money its accounts hold: the rulebook's, or, of a party that stands apart, its own."""
        return self.full if self.written.census is tree.Census.APART else self.book.prefix


@define(eq=False)
class FieldOf:
    """A field of a party.  Bounds and start are in the core's field, which stands in `Context.fields`."""

    name: tree.Name
    party: Party
    full: str
    type: types.Type
    kind: ir.Kind
    asset: str = ""
    per: Party | None = None
    position: int = 0
    written: tree.Field | None = None


@define(eq=False)
class Member(Thing):
    """A member with a name: of a closed list, or a named one of an open party."""

    party: Party
    index: int


@define(eq=False)
class Parameter(Thing):
    type: types.Type
    position: int
    written: tree.Parameter


@define(eq=False)
class Used(Thing):
    """`use … as x`: another rulebook under the name x."""

    target: Book


@define(eq=False)
class Assumption(Thing):
    pass


@define(eq=False)
class Duty(Thing):
    written: tree.Duty
    params: tuple[ir.Argument, ...] = ()
    param_types: tuple[types.Type, ...] = ()


@frozen(eq=False)
class Template:
    """What a definition stands for, with its parameters as local names; written out at each use."""

    body: ir.Expr | ir.Block
    type: types.Type  # of an expression; HOLE for a block
    size: int
    depth: int
    cites: tuple[ir.Cite, ...] = ()  # above the sentences inside


@define(eq=False)
class Definition(Thing):
    """A let, table, procedure or action: checked once, written out wherever it is used.  `params` None: a plain let."""

    word: str  # "let", "table", "procedure", "action"
    params: tuple[ir.Argument, ...] | None
    param_types: tuple[types.Type, ...]
    build: Callable[[], tuple[ir.Expr | ir.Block, types.Type]] = attrs.field(repr=False)
    template: Template | None = None
    broken: bool = False
    memo: dict[tuple[ir.Expr, ...], ir.Expr] = attrs.field(factory=dict, repr=False)


KIND_WORDS: dict[type[Thing], str] = {
    Party: "a party",
    Member: "a member",
    Parameter: "a parameter",
    Used: "a rulebook in use",
    Assumption: "an assumption",
    Duty: "a duty",
}


def kind_words(thing: Thing) -> str:
    """`a procedure`, `an asset`: what sort of thing it is."""
    if isinstance(thing, Unit):
        return "an asset" if thing.asset else "a unit"
    if isinstance(thing, Definition):
        if thing.word == "let":
            return "a definition" if thing.params is None else "a function"
        return f"an {thing.word}" if thing.word == "action" else f"a {thing.word}"
    return KIND_WORDS.get(type(thing), "a name")


# ---------------------------------------------------------------- one rulebook and the whole run


@define(eq=False)
class Book:
    """A rulebook under the prefix it is used with (empty for the one that is checked)."""

    prefix: str
    tree: tree.Rulebook
    context: Context = attrs.field(repr=False)
    things: dict[str, Thing] = attrs.field(factory=dict, repr=False)
    sources: dict[str, tree.Source] = attrs.field(factory=dict)
    moments: dict[str, tree.Name] = attrs.field(factory=dict)  # claims and reaches
    scenarios: dict[str, tree.Name] = attrs.field(factory=dict)
    only: frozenset[str] | None = None  # the actions the world may still take

    def full(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    def house_of(self, asset: str) -> str:
        return ir.holdings_field(self.prefix, asset)


@frozen
class Use:
    """A use of a name and where it is declared, for editors."""

    span: Span
    declared: Span


@define(eq=False)
class Context:
    """What one run of the checker gathers."""

    diagnostics: list[Diagnostic] = attrs.field(factory=list)
    fields: dict[str, ir.Field] = attrs.field(factory=dict)
    parties: dict[str, Party] = attrs.field(factory=dict)
    starts: dict[Member, tuple[tuple[ir.Place, ir.Expr], ...]] = attrs.field(factory=dict)  # of named members
    tables: dict[str, ir.Table] = attrs.field(factory=dict)
    actions: dict[str, ir.Action] = attrs.field(factory=dict)
    duties: dict[str, ir.Duty] = attrs.field(factory=dict)
    lets: dict[str, ir.Expr] = attrs.field(factory=dict)
    functions: list[ir.Function] = attrs.field(factory=list)
    assumptions: dict[str, ir.Assumption] = attrs.field(factory=dict)
    uses: list[Use] = attrs.field(factory=list)
    literals: dict[tuple[Fraction, ir.Number], None] = attrs.field(factory=dict)
    size: int = 0
    level: int = 0
    deepest: int = 0
    building: list[Definition] = attrs.field(factory=list)
    counters: dict[str, int] = attrs.field(factory=dict)
    cited: list[ir.Cite] = attrs.field(factory=list)  # above the sentences of the block at hand
    border: dict[tuple[str, str, str], str] = attrs.field(factory=dict)  # what is counted there, of whom, of what: the field
    minted: set[Span] = attrs.field(factory=set)  # where assets are created or destroyed, which is no border
    called: set[str] = attrs.field(factory=set)  # the actions that some rule takes
    too_large: bool = False

    def report(self, code: Code, message: str, *labels: Label, help: str | None = None, fixes: tuple[Fix, ...] = ()) -> None:
        self.diagnostics.append(error(code, message, *labels, help=help, fixes=fixes))

    def fresh(self, name: str) -> str:
        """A local name nobody else has; a rulebook's own names have no apostrophe."""
        name = name.partition("'")[0]
        count = self.counters[name] = self.counters.get(name, 0) + 1
        return f"{name}'{count}"

    def used(self, use: Span, declared: tree.Name) -> None:
        self.uses.append(Use(use, declared.span))

    # -- size and depth of what is written out

    def reached(self, depth: int, span: Span) -> bool:
        self.deepest = max(self.deepest, depth)
        if depth > DEEPEST:
            self._overflow(Code.SF415, f"this is nested more than {DEEPEST} deep, definitions written out", span)
            return False
        return True

    def spend(self, size: int, span: Span) -> bool:
        """Adds `size` nodes; False when the rulebook has become too large."""
        self.size += size
        if self.size > LARGEST_SIZE:
            message = "the rulebook is too large once definitions and procedures are written out"
            self._overflow(Code.SF414, message, span)
            return False
        return True

    def _overflow(self, code: Code, message: str, span: Span) -> None:
        if not self.too_large:
            self.report(code, message, Label(span, "here the limit is passed"))
        self.too_large = True

    def demand(self, definition: Definition, use: Span) -> Template | None:
        """What the definition stands for, built the first time it is asked for; None after a mistake in it."""
        if definition.template is not None or definition.broken:
            return definition.template
        if definition in self.building:
            self._recursion(self.building[self.building.index(definition) :], use)
            return None
        if len(self.building) >= DEEPEST_FORWARD:
            self._overflow(Code.SF415, f"more than {DEEPEST_FORWARD} definitions each use one further down", use)
            return None
        outer = self.size, self.level, self.deepest, self.cited
        self.size, self.level, self.deepest, self.cited = 0, 0, 0, []
        self.building.append(definition)
        try:
            body, kind = definition.build()
        finally:
            self.building.pop()
            size, depth, cited = self.size, self.deepest, tuple(self.cited)
            self.size, self.level, self.deepest, self.cited = outer
        if not definition.broken:
            definition.template = Template(body, kind, size + 1, depth, cited)
        return definition.template

    def _recursion(self, cycle: list[Definition], use: Span) -> None:
        names = " → ".join(f"`{each.full}`" for each in [*cycle, cycle[0]])
        labels = [Label(each.name.span, f"`{each.full}` is defined here") for each in cycle[:6]]
        self.report(Code.SF412, f"`{cycle[0].full}` uses itself: {names}", Label(use, "used here"), *labels)
        for each in cycle:
            each.broken = True


# ---------------------------------------------------------------- local names


@frozen(eq=False)
class Local:
    """A local name: an argument, a `let` in a block, a bound member.  `expr` is what stands for it."""

    expr: ir.Expr
    type: types.Type
    declared: tree.Name


@frozen(eq=False)
class Scope:
    """Where an expression stands.  `own`: in a party's fields, the party, whose fields are known by their bare names."""

    book: Book
    locals: dict[str, Local] = attrs.field(factory=dict)
    old: bool = False  # `old` may be used
    own: Party | None = None
    members: dict[str, Local] = attrs.field(factory=dict)  # of a scenario

    @property
    def context(self) -> Context:
        return self.book.context

    def child(self) -> Scope:
        return attrs.evolve(self, locals=dict(self.locals))

    def add(self, name: tree.Name, expr: ir.Expr, kind: types.Type) -> None:
        """A new local name.  It may not hide another one, nor a value of the rulebook."""
        self.hides_nothing(name, self.locals.get(name.text))
        self.locals[name.text] = Local(expr, kind, name)

    def hides_nothing(self, name: tree.Name, local: Local | None) -> None:
        thing = self.book.things.get(name.text)
        if local is not None:
            other = local.declared
        elif isinstance(thing, Parameter | Member | Party) or (isinstance(thing, Definition) and thing.params is None):
            other = thing.name
        else:
            return
        self.context.report(
            Code.SF213,
            f"`{name.text}` already means something else here",
            Label(name.span, "a second meaning"),
            Label(other.span, "the first one"),
            help="choose another name",
        )


Found = Thing | Local | FieldOf


def find(scope: Scope, name: tree.Name) -> Found | None:
    """What a plain name stands for in `scope`; reported when nothing."""
    text = name.text
    found: Found | None = scope.own.fields.get(text) if scope.own is not None else None
    found = found or scope.locals.get(text) or scope.members.get(text) or scope.book.things.get(text)
    if found is None:
        own = list(scope.own.fields) if scope.own is not None else []
        candidates = [*own, *scope.locals, *scope.members, *scope.book.things]
        unknown(scope.context, Code.SF201, f"nothing here is called `{text}`", name, candidates)
        return None
    scope.context.used(name.span, found.declared if isinstance(found, Local) else found.name)
    return found


def find_in(book: Book, name: tree.Name, alias: str) -> Thing | None:
    """What `alias.name` stands for."""
    found = book.things.get(name.text)
    if found is None:
        message = f"`{alias}` has nothing called `{name.text}`"
        unknown(book.context, Code.SF201, message, name, book.things, Label(book.tree.name.span, f"`{alias}` is this rulebook"))
        return None
    book.context.used(name.span, found.name)
    return found


def find_path(book: Book, path: tree.Path, code: Code, what: str, wanted: Callable[[Thing], bool]) -> Thing | None:
    """What a path like `bybit.Trader` stands for at the top level; reported unless it is `wanted` (`what` in words)."""
    thing: Thing | None = None
    for position, part in enumerate(path.parts):
        last = position == len(path.parts) - 1
        found = book.things.get(part.text)
        if found is None or (last and not wanted(found)):
            names = [name for name, each in book.things.items() if (wanted(each) if last else isinstance(each, Used))]
            if found is None:
                unknown(book.context, code, f"there is no {what} called `{part.text}`", part, names)
            else:
                wrong_kind(book.context, path.span, found, what)
            return None
        book.context.used(part.span, found.name)
        thing = found
        if not last:
            if not isinstance(found, Used):
                wrong_kind(book.context, part.span, found, "rulebook in use")
                return None
            book = found.target
    return thing


def unknown(context: Context, code: Code, message: str, name: tree.Name, candidates: Iterable[str], *more: Label) -> None:
    """Reports a name that nothing has, with the nearest one that something has."""
    near = suggest(name.text, candidates)
    help = f"did you mean `{near}`?" if near else HELP.get(code, "").format(name.text) or None
    fixes = (Fix(name.span, near, f"write `{near}`"),) if near else ()
    context.report(code, message, Label(name.span, "unknown"), *more, help=help, fixes=fixes)


HELP = {
    Code.SF205: "declare it: `source {} = \"…\"`",
    Code.SF206: "declare it: `party {}:`",
    Code.SF207: "declare it: `asset {}`",
    Code.SF503: "declare it: `assumption {}: …`",
}


def wrong_kind(context: Context, span: Span, thing: Thing, wanted: str) -> None:
    context.report(
        Code.SF203,
        f"`{thing.name.text}` is {kind_words(thing)}, not {'an' if wanted[0] in 'aeiou' else 'a'} {wanted}",
        Label(span, f"a {wanted} is needed here" if wanted[0] not in "aeiou" else f"an {wanted} is needed here"),
        Label(thing.name.span, f"`{thing.name.text}` is declared here"),
    )
