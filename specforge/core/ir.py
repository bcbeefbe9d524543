"""The core language: what a rulebook is once names are found, units checked and procedures written out.

A `System` is flat: the parties, ledgers, actions, duties and claims of a rulebook and of every rulebook it uses,
each under its full name (`bybit.Trader`).  Units are erased from the arithmetic and kept only for display.
Everything the engines do, they do on this; none of them sees the text.
"""

from __future__ import annotations

from enum import Enum

from attrs import field
from quicktions import Fraction

from specforge.diagnostics.source import NOWHERE, SourceFile, Span
from specforge.records import frozen

RULES = ""  # the hidden one-member party whose fields are the parameters and the houses' holdings


def _span() -> Span:
    return field(default=NOWHERE, eq=False, repr=False, kw_only=True)


# ---------------------------------------------------------------- types


@frozen
class Number:
    """An exact rational.  `dims`: base units with their powers, e.g. (("USD", 1), ("XBT", -1)); `style`: "ratio",
    "number", "time" or "" (how the text declared a quantity without units; display only)."""

    dims: tuple[tuple[str, int], ...] = ()
    style: str = field(default="", eq=False)

    def text(self) -> str:
        """The unit in the rulebook's own words: `USD per XBT`; empty for plain numbers and ratios."""
        up = [name for name, power in self.dims for _ in range(power)]
        down = [name for name, power in self.dims for _ in range(-power)]
        return (" * ".join(up) or ("1" if down else "")) + "".join(f" per {name}" for name in down)


@frozen
class Flag:
    """yes or no."""


@frozen
class Of:
    """A member of `party`."""

    party: str


Type = Number | Flag | Of


@frozen
class Member:
    """One member of a party, by position: a closed list's members as listed; an open party's named members first."""

    party: str
    index: int


# ---------------------------------------------------------------- expressions


class Operator(Enum):
    """The arithmetic every algebra must offer; `core/derived.py` writes min, abs, rounding and the rest with them."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    LT = "<"
    LE = "<="
    EQ = "="
    AND = "and"
    OR = "or"
    NOT = "not"
    FLOOR = "floor"  # greatest whole number not above; the only rounding primitive


class Defect(Enum):
    """What a rulebook must never do; each is one free check.  The value is the check's name."""

    FUNDED = "funded"  # an account below its floor, a house paying more than it holds, a negative amount
    BOUNDS = "bounds"  # a declared bound broken
    DIVISION = "defined"  # division by zero, an undefined key, a negative weight
    TABLE = "tables"  # a lookup beyond a table's last row
    REFUSED = "duties"  # a `require` that fails inside a duty, or something left where nothing may remain
    RESTS = "rests"  # settling that never ends


@frozen(cache_hash=True)
class Lit:
    value: Fraction | bool | Member
    span: Span = _span()


@frozen
class Var:
    """A local name: an argument, a `let`, a bound member."""

    name: str
    span: Span = _span()


@frozen(cache_hash=True)
class Read:
    """A field of a member; `index` for a `per` field.  Parameters and holdings are fields of the party RULES."""

    field: str
    member: Expr
    index: Expr | None = None
    span: Span = _span()


@frozen(cache_hash=True)
class Op:
    """`of`: for a comparison, the type of what is compared (display only)."""

    op: Operator
    args: tuple[Expr, ...]
    of: Type | None = field(default=None, eq=False, repr=False)
    span: Span = _span()


@frozen(cache_hash=True)
class If:
    """`then` where `cond` holds, else `orelse`; only the chosen one need be defined."""

    cond: Expr
    then: Expr
    orelse: Expr
    span: Span = _span()


@frozen(cache_hash=True)
class Let:
    name: str
    value: Expr
    body: Expr
    span: Span = _span()


class Folding(Enum):
    SUM = "sum"
    ALL = "all"
    LARGEST = "largest"
    SMALLEST = "smallest"


@frozen(cache_hash=True)
class Fold:
    """`body` over the members of `party` for which `where` holds.  exists = not all not; count = sum of 1."""

    kind: Folding
    var: str
    party: str
    where: Expr
    body: Expr
    span: Span = _span()


@frozen(cache_hash=True)
class Old:
    """`body` in the state before the moment a claim is about."""

    body: Expr
    span: Span = _span()


@frozen
class Undefined:
    """A value that does not exist (beyond a table's last row); reaching it is the defect named."""

    defect: Defect
    span: Span = _span()


Expr = Lit | Var | Read | Op | If | Let | Fold | Old | Undefined

YES, NO, ZERO, ONE = Lit(True), Lit(False), Lit(Fraction(0)), Lit(Fraction(1))


# ---------------------------------------------------------------- statements


@frozen
class Place:
    """Somewhere a value stands: a field of a member (`index` for a `per` field)."""

    field: str
    member: Expr
    index: Expr | None = None
    span: Span = _span()


@frozen
class Require:
    cond: Expr
    span: Span = _span()


@frozen
class Set:
    """`:=` when `add` is no; `+=` (or `-=`, with the value negated) when it is yes.  Never on a ledger account."""

    place: Place
    value: Expr
    add: bool
    span: Span = _span()


@frozen
class Move:
    """Money or contracts move.  `source` None: they come in over the border (receive, issue); `target` None: they
    leave (pay, burn).  Both: a transfer, between two houses if the fields' houses differ."""

    amount: Expr
    source: Place | None
    target: Place | None
    span: Span = _span()


@frozen
class Bind:
    """`let` in a block: a value fixed at that point, known to the end of the block."""

    name: str
    value: Expr
    span: Span = _span()


@frozen
class Branch:
    cond: Expr
    then: Block
    orelse: Block
    span: Span = _span()


@frozen
class ForEach:
    """Every member of an open party at once: all expressions read the state from before the loop."""

    var: str
    party: str
    where: Expr
    body: Block
    span: Span = _span()


class Policy(Enum):
    ANY = "in any order"
    HIGHEST = "highest first"
    LOWEST = "lowest first"
    PROPORTION = "in proportion"


@frozen
class Tier:
    """One source of a `collect`.  `party` None: a single account (`var` unused).  `cap` already includes what the
    account has above its floor for a `from` tier.  `key`: ranking key or weight.  `body` runs with `share` bound to what
    the member gives, for every member with a share above zero, all at once (one after the other if `party` is None)."""

    var: str
    party: str | None
    where: Expr
    cap: Expr
    policy: Policy
    key: Expr | None
    step: Expr | None
    share: str
    body: Block
    name: str = ""  # for counts and traces: the account or the share's name
    span: Span = _span()


@frozen
class Collect:
    """Take `asked` (a negative one counts as 0) tier by tier.  `rest` runs with `left` bound to what nobody could pay, if
    that is above zero; `rest` None: nothing may remain."""

    asked: Expr
    tiers: tuple[Tier, ...]
    left: str
    rest: Block | None
    span: Span = _span()


@frozen
class InTurn:
    """Every member for whom the tier's `where` holds acts, one after the other, each seeing what those before did.  Who, and in
    which order by the tier's key, is settled as the loop begins.  (The cap of the tier is 1: a turn.)"""

    turn: Tier
    span: Span = _span()


@frozen
class Took:
    """Marks that a called action took part in this settling, with its arguments (for `after`, and for claims about it)."""

    action: str
    args: tuple[Expr, ...]
    span: Span = _span()


Statement = Require | Set | Move | Bind | Branch | ForEach | InTurn | Collect | Took
Block = tuple[Statement, ...]


# ---------------------------------------------------------------- things


class Kind(Enum):
    PLAIN = "plain"
    BALANCE = "balance"  # a ledger account with a floor
    NET = "net"  # a ledger account without one
    PARAMETER = "parameter"  # never changes in a run
    HOUSE = "holdings"  # what a house holds of an asset; changed by Move only


@frozen
class Cite:
    source: str
    section: str


@frozen
class Field:
    """`house` and `asset` for ledger accounts and holdings.  `low`, `high`: bounds (for a balance `low` is the floor),
    expressions over the member `self`, parameters and the member's own fields.  `start` None: anything within bounds
    (0 for a net account); else an expression over `self`, parameters and earlier fields."""

    name: str
    party: str
    type: Type
    kind: Kind
    per: str | None = None
    house: str = ""
    asset: str = ""
    low: Expr | None = None
    low_open: bool = False  # `above`: the bound itself is excluded
    high: Expr | None = None
    start: Expr | None = None
    cites: tuple[Cite, ...] = ()
    span: Span = _span()

    @property
    def short(self) -> str:
        """The field's own name, without its party: `margin`."""
        return self.name.rpartition(".")[2]

    @property
    def lowest(self) -> Expr | None:
        """The bound from below: the declared one, or 0 for what holds money; None if there is none."""
        return ZERO if self.low is None and self.kind in (Kind.BALANCE, Kind.HOUSE) else self.low


@frozen
class Named:
    """A member every run has, with what it starts with."""

    name: str
    starts: tuple[tuple[Place, Expr], ...] = ()
    span: Span = _span()


@frozen
class Party:
    """`members` None: open, any number of them, `named` first.  Else the closed list (one name for a one-member party)."""

    name: str
    members: tuple[str, ...] | None
    named: tuple[Named, ...] = ()
    text: str = ""
    span: Span = _span()


@frozen
class Argument:
    name: str
    type: Type


@frozen
class Action:
    """`open`: the world may take it directly (no for one that `only` left out of a used rulebook)."""

    name: str
    params: tuple[Argument, ...]
    body: Block
    text: str = ""
    open: bool = True
    cites: tuple[Cite, ...] = ()
    span: Span = _span()


@frozen
class Duty:
    """`after`: full names of actions (empty: whenever due).  `rank`: who goes first, with `highest` first or lowest."""

    name: str
    params: tuple[Argument, ...]
    after: tuple[str, ...]
    when: Expr
    rank: Expr | None
    highest: bool
    once: bool
    body: Block
    text: str = ""
    cites: tuple[Cite, ...] = ()
    span: Span = _span()


@frozen
class AtRest:
    """Whenever duties are at rest, the start included."""


@frozen
class EveryStep:
    """At rest, and after each action's body and each duty."""


@frozen
class After:
    """After an action (at rest, once it has taken part in the settling) or after each acting of a duty; `params` name its
    arguments; `old(...)` is the state before it."""

    name: str
    params: tuple[str, ...]
    duty: bool


Moment = AtRest | EveryStep | After


@frozen
class Given:
    """One thing assumed: an assumption by name, or a condition over the parameters."""

    text: str
    assumption: str | None = None
    cond: Expr | None = None


@frozen
class Expect:
    """`verdict`: "proved", "refuted" or "open"; `by`: the scenario that shows it; `reason`: why it is open."""

    verdict: str
    given: tuple[Given, ...] = ()
    by: str | None = None
    reason: str = ""
    span: Span = _span()


@frozen
class Assumption:
    """`action` None: about states, over no arguments; else about that action's arguments (`params`) as it starts."""

    name: str
    action: str | None
    params: tuple[str, ...]
    cond: Expr
    text: str = ""
    span: Span = _span()


@frozen(cache_hash=True)
class Claim:
    """`lemma`: the author offers it to the other proofs; it is proved like any claim before one may rest on it."""

    name: str
    moment: Moment
    cond: Expr
    expects: tuple[Expect, ...]
    text: str = ""
    cites: tuple[Cite, ...] = ()
    lemma: bool = False
    span: Span = _span()


@frozen
class Reach:
    name: str
    cond: Expr
    text: str = ""
    span: Span = _span()


@frozen
class Act:
    """A scenario line: the world acts; `refused`: it must be."""

    action: str
    args: tuple[Expr, ...]
    refused: bool
    span: Span = _span()


@frozen
class Then:
    """Pins whose turn it is in the settling of the action above, and the order inside its collect."""

    duty: str
    args: tuple[Expr, ...]
    taking: tuple[Member, ...]
    span: Span = _span()


@frozen
class Check:
    cond: Expr
    span: Span = _span()


Line = Act | Then | Check


@frozen
class Scenario:
    """`starts`: what the `with` line and the member lines fix.  `members`: per open party, the names of all members, those
    the rulebook names first."""

    name: str
    members: tuple[tuple[str, tuple[str, ...]], ...]
    starts: tuple[tuple[Place, Expr], ...]
    lines: tuple[Line, ...]
    text: str = ""
    span: Span = _span()


@frozen
class Row:
    """One row of a table: up to `bound` (`closed`: included; None: all the rest), the value is `body`."""

    bound: Expr | None
    closed: bool
    body: Expr
    span: Span = _span()


@frozen
class Table:
    """Kept for its own checks; lookups are already written out.  `properties`: "continuous", "rising", "convex"."""

    name: str
    param: Argument
    properties: tuple[str, ...]
    rows: tuple[Row, ...]
    span: Span = _span()


@frozen
class Function:
    """A definition or table with arguments, as the text names it.  Its uses are already written out; this is for display."""

    name: str
    params: tuple[Argument, ...]
    body: Expr


@frozen
class System:
    """A whole rulebook, those it uses included.  `duties` stand in the order of their priority."""

    name: str
    text: str
    parties: dict[str, Party]
    fields: dict[str, Field]
    actions: dict[str, Action]
    duties: dict[str, Duty]
    assumptions: dict[str, Assumption]
    claims: dict[str, Claim]
    reaches: dict[str, Reach]
    scenarios: dict[str, Scenario]
    tables: dict[str, Table]
    sources: dict[str, str]
    lets: dict[str, Expr] = field(factory=dict)  # parameterless definitions, for `why` lines
    functions: tuple[Function, ...] = ()  # definitions with arguments, for display
    literals: tuple[tuple[Fraction, Number], ...] = ()  # numbers the text itself uses, with their units
    files: tuple[SourceFile, ...] = field(default=(), eq=False, repr=False)  # every text that was read for it
    span: Span = _span()

    def open_parties(self) -> list[Party]:
        return [party for party in self.parties.values() if party.members is None]

    def parameters(self) -> list[Field]:
        return [each for each in self.fields.values() if each.kind is Kind.PARAMETER]


def holdings_field(house: str, asset: str) -> str:
    """The name of the field that keeps what `house` (a used rulebook's name, "" for the rulebook itself) holds of `asset`."""
    return f"holdings({house + '.' if house else ''}{asset})"


def walk(node: object):
    """Every expression, statement and tier inside `node`, itself included, in the order written."""
    stack: list[object] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, tuple):
            stack.extend(reversed(each))
            continue
        yield each
        match each:
            case Read(member=m, index=i) | Place(member=m, index=i):
                stack.extend([i, m] if i is not None else [m])
            case Op(args=args):
                stack.extend(reversed(args))
            case If(a, b, c):
                stack.extend((c, b, a))
            case Let(value=v, body=b):
                stack.extend((b, v))
            case Fold(where=w, body=b):
                stack.extend((b, w))
            case Old(body=b):
                stack.append(b)
            case Require(cond=c) | Check(cond=c):
                stack.append(c)
            case Set(place=p, value=v):
                stack.extend((v, p))
            case Move(amount=a, source=s, target=t):
                stack.extend([x for x in (t, s, a) if x is not None])
            case Bind(value=v):
                stack.append(v)
            case Branch(c, t, o):
                stack.extend((o, t, c))
            case ForEach(where=w, body=b):
                stack.extend((b, w))
            case InTurn(turn=t):
                stack.append(t)
            case Tier(where=w, cap=c, key=k, step=s, body=b):
                stack.extend([x for x in (b, s, k, c, w) if x is not None])
            case Collect(asked=a, tiers=t, rest=r):
                stack.extend([x for x in (r, t, a) if x is not None])
            case Took(args=args):
                stack.extend(reversed(args))
            case _:
                pass
