"""The rulebook as written: one class for each kind of sentence and each kind of expression.

Nothing is resolved here: names are text with a place, numbers are exact, brackets and comments are gone.
`span` is where a node stands in the file, and plays no part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeAlias

import attrs
from attrs import field
from quicktions import Fraction

from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import frozen


@frozen
class Node:
    """Anything with a place in the file."""

    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)


# ---------------------------------------------------------------- names and texts


@frozen
class Name(Node):
    """A name, where it is given or used."""

    text: str


@frozen
class Path(Node):
    """A name that may lie in another rulebook: `Trader`, `bybit.Trader`."""

    parts: tuple[Name, ...]

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@frozen
class Text(Node):
    """Something in quotes, without the quotes."""

    text: str


@frozen
class Cite(Node):
    """`cites part2 "who goes first"`: where the sentence below it comes from."""

    source: Name
    text: Text


@frozen
class Sentence(Node):
    """A declaration, field, row, statement, tier or scenario line, with the citations that stand above it."""

    cites: tuple[Cite, ...] = field(default=(), kw_only=True)


# ---------------------------------------------------------------- expressions


class ArithOp(Enum):
    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"


class CompareOp(Enum):
    EQ = "="
    NE = "!="
    LE = "<="
    GE = ">="
    LT = "<"
    GT = ">"


class FoldKind(Enum):
    SUM = "sum"
    LARGEST = "largest"
    SMALLEST = "smallest"


@frozen
class Number(Node):
    """`1_000`, `8 hours`, `100 USD per BTC` (unit USD, per BTC)."""

    value: Fraction
    unit: Name | None = None
    per: tuple[Name, ...] = ()


@frozen
class Percent(Node):
    """`0.5%`, `5% per day`.  The value of `5%` is 1/20."""

    value: Fraction
    per: Name | None = None


@frozen
class Flag(Node):
    """`yes` or `no`."""

    value: bool


@frozen
class Dot(Node):
    """`.margin`"""

    name: Name


@frozen
class Index(Node):
    """`[m]`"""

    key: Expr


Trailer: TypeAlias = Dot | Index


@frozen
class Ref(Node):
    """`Venue.mark`, `t.size[m]`, `bybit.Venue.fund`, `x`: a name and what follows it."""

    name: Name
    trailers: tuple[Trailer, ...] = ()


@frozen
class Call(Node):
    """`equity(t)`, `max(a, b)`, `old(x)`, `bybit.equity(t)`."""

    function: Ref
    args: tuple[Expr, ...]


@frozen
class Neg(Node):
    """`-x`"""

    value: Expr


@frozen
class Arith(Node):
    """`left + right`; op_span marks the sign."""

    op: ArithOp
    left: Expr
    right: Expr
    op_span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)


@frozen
class Compare(Node):
    """A chain: `0 < a <= b` has three operands and two ops."""

    operands: tuple[Expr, ...]
    ops: tuple[CompareOp, ...]


@frozen
class Not(Node):
    """`not x`"""

    value: Expr


@frozen
class And(Node):
    """`a and b and c`"""

    parts: tuple[Expr, ...]


@frozen
class Or(Node):
    """`a or b or c`"""

    parts: tuple[Expr, ...]


@frozen
class Implies(Node):
    """`a implies b`"""

    left: Expr
    right: Expr


@frozen
class Choose(Node):
    """`then if condition otherwise otherwise`"""

    condition: Expr
    then: Expr
    otherwise: Expr


@frozen
class Binder(Node):
    """`t, u: Trader where t != u`"""

    names: tuple[Name, ...]
    party: Path
    where: Expr | None = None


@frozen
class Fold(Node):
    """`(sum of E for t: Trader where C)`, and the same with largest and smallest."""

    kind: FoldKind
    value: Expr
    binder: Binder


@frozen
class Count(Node):
    """`(count of t: Trader where C)`"""

    binder: Binder


@frozen
class Exists(Node):
    """`(exists t: Trader where C)`"""

    binder: Binder


@frozen
class ForAll(Node):
    """`for all t, u: Trader: E`"""

    binder: Binder
    body: Expr


Expr: TypeAlias = (
    Number | Percent | Flag | Ref | Call | Neg | Arith | Compare | Not | And | Or | Implies | Choose
    | Fold | Count | Exists | ForAll
)


# ---------------------------------------------------------------- types and bounds


@frozen
class Balance(Node):
    """`balance USD`: a ledger account with a floor."""

    asset: Path


@frozen
class Net(Node):
    """`net USD`: a ledger account without a floor."""

    asset: Path


@frozen
class Quantity(Node):
    """`USD`, `LOT * USD per BTC per hours`, `flag`, `Market`."""

    times: tuple[Path, ...]
    per: tuple[Path, ...] = ()


TypeExpr: TypeAlias = Balance | Net | Quantity


@frozen
class Between(Node):
    """`from 0% to 100%`"""

    low: Expr
    high: Expr


@frozen
class Above(Node):
    """`above 0`"""

    low: Expr


@frozen
class AtLeast(Node):
    """`at least 0`"""

    low: Expr


Bound: TypeAlias = Between | Above | AtLeast


@frozen
class Param(Node):
    """`amount: USD`"""

    name: Name
    type: TypeExpr


@frozen
class Binding(Node):
    """`margin = 10 USD`, `Venue.fund = 0`"""

    target: Path
    value: Expr


# ---------------------------------------------------------------- statements


class SetOp(Enum):
    SET = ":="
    GROW = "+="
    SHRINK = "-="


@frozen
class Require(Sentence):
    """`require amount <= t.margin`"""

    condition: Expr


@frozen
class Set(Sentence):
    """`Venue.mark := price`; op_span marks the sign."""

    target: Ref
    op: SetOp
    value: Expr
    op_span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)


@frozen
class Transfer(Sentence):
    """`transfer X from a to b`"""

    amount: Expr
    source: Ref
    target: Ref


@frozen
class Receive(Sentence):
    """`receive X into a`"""

    amount: Expr
    target: Ref


@frozen
class Pay(Sentence):
    """`pay X from a`"""

    amount: Expr
    source: Ref


@frozen
class Issue(Sentence):
    """`issue X into a`"""

    amount: Expr
    target: Ref


@frozen
class Burn(Sentence):
    """`burn X from a`"""

    amount: Expr
    source: Ref


@frozen
class Do(Sentence):
    """A call of a procedure or an action as a sentence of its own."""

    call: Call


@frozen
class Nothing(Sentence):
    """`nothing`"""


@frozen
class Let(Sentence):
    """`let x = …` (params None) or `let f(t: Trader) = …`; at the top level or in a block."""

    name: Name
    params: tuple[Param, ...] | None
    value: Expr


@frozen
class Branch(Node):
    """One `if C:` or `otherwise if C:` with its block."""

    condition: Expr
    body: tuple[Stmt, ...]


@frozen
class If(Sentence):
    """The first branch whose condition holds; `otherwise` is None when there is no such block."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Stmt, ...] | None = None


@frozen
class ForEach(Sentence):
    """`for each t: Trader where … in order of …, lowest first:`; `order` None when it is not written."""

    binder: Binder
    body: tuple[Stmt, ...]
    order: Ranked | AnyOrder | None = None


@frozen
class Ranked(Node):
    """`in order of K, highest first`: who goes first, in a tier or in a duty."""

    key: Expr
    highest: bool


@frozen
class AnyOrder(Node):
    """`in any order`"""


@frozen
class Proportion(Node):
    """`in proportion to W`"""

    weight: Expr


@frozen
class Equally(Node):
    """`equally`"""


Policy: TypeAlias = Ranked | AnyOrder | Proportion | Equally


@frozen
class FromOne(Sentence):
    """Tier `from Venue.fund up to C`."""

    account: Ref
    cap: Expr | None = None


@frozen
class FromEach(Sentence):
    """Tier `from w.share of each w: Clearer where … up to C in proportion to W in steps of S`."""

    account: Ref
    binder: Binder
    cap: Expr | None
    policy: Policy
    step: Expr | None = None


@frozen
class Taking(Sentence):
    """Tier `taking x from each w: Trader where … up to C in order of …:` with what losing x means."""

    share: Name
    binder: Binder
    cap: Expr
    policy: Policy
    step: Expr | None
    body: tuple[Stmt, ...]


Tier: TypeAlias = FromOne | FromEach | Taking


@frozen
class Rest(Sentence):
    """`rest unpaid:` and what happens to it."""

    name: Name
    body: tuple[Stmt, ...]


@frozen
class NothingMayRemain(Sentence):
    """`nothing may remain`"""


@frozen
class Collect(Sentence):
    """`collect A into a:` with its tiers and what happens to what nobody could pay."""

    amount: Expr
    target: Ref | None
    tiers: tuple[Tier, ...]
    rest: Rest | NothingMayRemain


Stmt: TypeAlias = (
    Require | Set | Transfer | Receive | Pay | Issue | Burn | Do | Nothing | Let | If | ForEach
    | Collect
)


# ---------------------------------------------------------------- declarations


@frozen
class Source(Sentence):
    """`source part2 = "where the sentences come from"`"""

    name: Name
    text: Text


@frozen
class Use(Sentence):
    """`use "x.rulebook" as x only a, b with cap = 1`; `only` is None when it is not written, empty for `only nothing`."""

    path: Text
    alias: Name
    only: tuple[Name, ...] | None = None
    bindings: tuple[Binding, ...] = ()


@frozen
class Reword(Node):
    """`COIN as BTC`: wherever the included file says COIN, BTC is read."""

    old: Name
    new: Name


@frozen
class Include(Sentence):
    """`include "std/linear.rulebook" with COIN as BTC without required, Venue.fund`."""

    path: Text
    words: tuple[Reword, ...] = ()
    without: tuple[Path, ...] = ()


@frozen
class Asset(Sentence):
    """`asset USD`, `asset FTT issued`"""

    name: Name
    issued: bool = False


@frozen
class Unit(Sentence):
    """`unit point`"""

    name: Name


@frozen
class Parameter(Sentence):
    """`parameter cap: ratio from 0% to 100% = 20%`"""

    name: Name
    type: TypeExpr
    bounds: tuple[Bound, ...] = ()
    default: Expr | None = None


@frozen
class Field(Sentence):
    """`margin: balance USD at least 0 = 0`"""

    name: Name
    type: TypeExpr
    bounds: tuple[Bound, ...] = ()
    start: Expr | None = None


@frozen
class Per(Sentence):
    """`per Market:` and the fields there is one of for each market."""

    party: Name
    fields: tuple[Field, ...]


class Census(Enum):
    OPEN = "any number"
    ONE = "one"
    APART = "one, apart"  # with a house of its own
    LIST = "one of"


@frozen
class Party(Sentence):
    """`party Trader "text":`, `party Venue, one:`, `party Market, one of btc, eth:` (listed: btc, eth)."""

    name: Name
    description: Text | None
    census: Census
    listed: tuple[Name, ...] = ()
    fields: tuple[Field | Per, ...] = ()


@frozen
class Member(Sentence):
    """`member ann, bob: Trader with margin = 10 USD`: an item, and a line of a scenario."""

    names: tuple[Name, ...]
    party: Path
    bindings: tuple[Binding, ...] = ()


class RowKind(Enum):
    UP_TO = "up to"
    BELOW = "below"
    OTHERWISE = "otherwise"


@frozen
class Row(Sentence):
    """`up to 50_000 USD: E`, `below …: E`, `otherwise: E` (limit None)."""

    kind: RowKind
    limit: Expr | None
    value: Expr


@frozen
class Table(Sentence):
    """`table maintenance(notional: USD), continuous, rising:` (marks: continuous, rising)."""

    name: Name
    param: Param
    marks: tuple[Name, ...]
    rows: tuple[Row, ...]


@frozen
class Procedure(Sentence):
    """`procedure fill(buyer: Trader, …):`"""

    name: Name
    params: tuple[Param, ...]
    body: tuple[Stmt, ...]


@frozen
class Action(Sentence):
    """`action withdraw(t: Trader, amount: USD) "text":`"""

    name: Name
    params: tuple[Param, ...]
    description: Text | None
    body: tuple[Stmt, ...]


@frozen
class Duty(Sentence):
    """`duty liquidate(t: Trader) "text" after round:` with `when`, `in order of`, `once` and its body."""

    name: Name
    params: tuple[Param, ...]
    description: Text | None
    after: tuple[Path, ...]
    when: Expr | None
    order: Ranked | None
    once: bool
    body: tuple[Stmt, ...]


@frozen
class EveryStep(Node):
    """`at every step`"""


@frozen
class After(Node):
    """`after liquidate(t)`; names is None when no arguments are written."""

    event: Path
    names: tuple[Name, ...] | None = None


Moment: TypeAlias = EveryStep | After


@frozen
class On(Node):
    """`on mark_moves(price)`: the action an assumption limits."""

    action: Path
    names: tuple[Name, ...]


@frozen
class Assumption(Sentence):
    """`assumption prompt "text" on mark_moves(price): not Venue.stale`"""

    name: Name
    description: Text | None
    on: On | None
    condition: Expr


@frozen
class Expect(Node):
    """`expect refuted "why" given a, b by scenario`"""

    verdict: Name
    reason: Text | None = None
    given: tuple[Expr, ...] = ()
    by: Name | None = None


@frozen
class Claim(Sentence):
    """`claim solvent "text" after round:` (moment None: whenever duties are at rest).  `lemma`: written as `lemma solvent: …`,
    a claim at every step that other proofs may rest on once it is proved."""

    name: Name
    description: Text | None
    moment: Moment | None
    condition: Expr
    expects: tuple[Expect, ...] = ()
    lemma: bool = False


@frozen
class Reach(Sentence):
    """`reach fund_runs_dry: Venue.fund = 0`"""

    name: Name
    description: Text | None
    condition: Expr


@frozen
class With(Sentence):
    """Scenario line `with initial = 10%, Venue.fund = 0`."""

    bindings: tuple[Binding, ...]


@frozen
class Act(Sentence):
    """Scenario line `withdraw(bob, 1 USD) refused`."""

    call: Call
    refused: bool = False


@frozen
class Then(Sentence):
    """Scenario line `then liquidate(ann) taking carol, bob` (taking None when it is not written)."""

    call: Call
    taking: tuple[Name, ...] | None = None


@frozen
class Check(Sentence):
    """Scenario line `check Venue.fund = 0`."""

    condition: Expr


ScenarioLine: TypeAlias = With | Member | Act | Then | Check


@frozen
class Scenario(Sentence):
    """`scenario late_check "text":` and its lines."""

    name: Name
    description: Text | None
    lines: tuple[ScenarioLine, ...]


Item: TypeAlias = (
    Source | Use | Include | Asset | Unit | Parameter | Party | Member | Let | Table | Procedure | Action | Duty
    | Assumption | Claim | Reach | Scenario
)


@frozen
class Rulebook(Node):
    """A whole file: `rulebook "Name" "one sentence"` and its items in written order."""

    name: Text
    description: Text | None
    items: tuple[Item, ...]


# ---------------------------------------------------------------- going through a tree


def children(node: Any) -> Iterator[Any]:
    """The nodes directly inside `node`, in written order of its class."""
    for attribute in attrs.fields(type(node)):
        value = getattr(node, attribute.name)
        for part in value if isinstance(value, tuple) else (value,):
            if attrs.has(type(part)) and not isinstance(part, Span):
                yield part


def walk(node: Any) -> Iterator[Any]:
    """`node` and everything inside it, parents first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(children(node))))
