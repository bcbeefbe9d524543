"""Builds the nodes of the tree: one method for each rule of grammar.lark, called as soon as its parts have been read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
from quicktions import Fraction

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, error
from specforge.diagnostics.source import SourceFile, Span
from specforge.syntax import tree
from specforge.syntax.lex import KIND, Words
from specforge.syntax.tree import Cite, Expr, Name, Path, Ref, Stmt, Text

_COMPARE = {KIND[op.value]: op for op in tree.CompareOp}
_ARITH = {KIND[op.value]: op for op in tree.ArithOp}
_TIME = frozenset(
    ["second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "year", "years"]
)
_SET = {KIND[op.value]: op for op in tree.SetOp}

S = TypeVar("S", bound=tree.Sentence)


def exact(text: str) -> Fraction:
    """`1_000.5`, and the spellings lex.py has complained about."""
    whole, _, decimals = text.replace("_", "").replace(",", "").partition(".")
    return Fraction(int(whole + decimals or "0"), 10 ** len(decimals))


def with_cites(sentence: S, cites: Sequence[Cite]) -> S:
    """The sentence with the citations that stand above it."""
    return attrs.evolve(sentence, cites=(*cites, *sentence.cites)) if cites else sentence


class Construct:
    """Methods in the order of the grammar.  Optional parts that are not there arrive as None; signs and reserved
    words that matter arrive as the number of their word."""

    def __init__(self, words: Words, assets: frozenset[str]) -> None:
        self.file: SourceFile = words.file
        self.words = words
        self.assets = assets  # names of assets and units declared in this file
        self.problems: list[Diagnostic] = []

    # ------------------------------------------------------------ words

    def leaf(self, kind: str, start: int, end: int) -> Name | Text | Fraction:
        text = self.file.text[start:end]
        if kind == "NAME":
            return Name(text, span=Span(self.file, start, end))
        if kind == "STRING":
            return Text(text[1:-1], span=Span(self.file, start, end))
        return exact(text) if kind == "NUMBER" else exact(text[:-1]) / 100

    def attach(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """Each citation joined to the sentence below it."""
        result: list[Any] = []
        above: list[Cite] = []
        for part in parts:
            if isinstance(part, Cite):
                above.append(part)
            else:
                result.append(with_cites(part, above))
                above = []
        self.dangling(above)
        return tuple(result)

    def dangling(self, cites: Sequence[Cite]) -> None:
        for cite in cites:
            self.problems.append(
                error(
                    Code.SF116,
                    "this citation has no sentence below it",
                    Label(cite.span),
                    help="`cites` stands directly above the sentence it is for",
                )
            )

    # ------------------------------------------------------------ declarations

    def header(self, span: Span, name: Text, description: Text | None) -> tree.Rulebook:
        return tree.Rulebook(name, description, (), span=span)

    def cites(self, span: Span, source: Name, text: Text) -> Cite:
        return Cite(source, text, span=span)

    def source(self, span: Span, name: Name, text: Text) -> tree.Source:
        return tree.Source(name, text, span=span)

    def use(
        self,
        span: Span,
        path: Text,
        alias: Name,
        only: tuple[Name, ...] | None,
        bindings: tuple[tree.Binding, ...] | None,
    ) -> tree.Use:
        return tree.Use(path, alias, only, bindings or (), span=span)

    def none_of_them(self, span: Span) -> tuple[Name, ...]:
        return ()

    def include(
        self, span: Span, path: Text, words: tuple[tree.Reword, ...] | None, without: tuple[Path, ...] | None
    ) -> tree.Include:
        return tree.Include(path, words or (), without or (), span=span)

    def rewordings(self, span: Span, *words: tree.Reword) -> tuple[tree.Reword, ...]:
        return words

    def reword(self, span: Span, old: Name, new: Name) -> tree.Reword:
        return tree.Reword(old, new, span=span)

    def asset(self, span: Span, name: Name, issued: bool | None) -> tree.Asset:
        return tree.Asset(name, bool(issued), span=span)

    def issued(self, span: Span, word: int) -> bool:
        return True

    def unit(self, span: Span, name: Name) -> tree.Unit:
        return tree.Unit(name, span=span)

    def parameter(
        self, span: Span, name: Name, type: tree.TypeExpr, bounds: tuple[tree.Bound, ...], default: Expr | None
    ) -> tree.Parameter:
        return tree.Parameter(name, type, bounds, default, span=span)

    def member(
        self, span: Span, names: tuple[Name, ...], party: Path, bindings: tuple[tree.Binding, ...] | None
    ) -> tree.Member:
        return tree.Member(names, party, bindings or (), span=span)

    def let(self, span: Span, name: Name, params: tuple[tree.Param, ...] | None, value: Expr) -> tree.Let:
        return tree.Let(name, params, value, span=span)

    def party(
        self,
        span: Span,
        name: Name,
        description: Text | None,
        census: tuple[tree.Census, tuple[Name, ...]] | None,
        fields: tuple[tree.Field | tree.Per, ...],
    ) -> tree.Party:
        kind, listed = census or (tree.Census.OPEN, ())
        return tree.Party(name, description, kind, listed, fields, span=span)

    def one(self, span: Span) -> tuple[tree.Census, tuple[Name, ...]]:
        return tree.Census.ONE, ()

    def one_apart(self, span: Span) -> tuple[tree.Census, tuple[Name, ...]]:
        return tree.Census.APART, ()

    def one_of(self, span: Span, names: tuple[Name, ...]) -> tuple[tree.Census, tuple[Name, ...]]:
        return tree.Census.LIST, names

    def fields(self, span: Span, *parts: tree.Field | tree.Per | Cite) -> tuple[tree.Field | tree.Per, ...]:
        return self.attach(parts)

    def field(
        self, span: Span, name: Name, type: tree.TypeExpr, bounds: tuple[tree.Bound, ...], start: Expr | None
    ) -> tree.Field:
        return tree.Field(name, type, bounds, start, span=span)

    def per(self, span: Span, party: Name, *parts: tree.Field | Cite) -> tree.Per:
        return tree.Per(party, self.attach(parts), span=span)

    # ------------------------------------------------------------ types, names, bounds

    def balance(self, span: Span, asset: Path) -> tree.Balance:
        return tree.Balance(asset, span=span)

    def net(self, span: Span, asset: Path) -> tree.Net:
        return tree.Net(asset, span=span)

    def quantity(self, span: Span, times: tuple[Path, ...], per: tuple[Path, ...]) -> tree.Quantity:
        return tree.Quantity(times, per, span=span)

    def times(self, span: Span, *paths: Path) -> tuple[Path, ...]:
        return paths

    pers = paths = times

    def bounds(self, span: Span, *bounds: tree.Bound) -> tuple[tree.Bound, ...]:
        return bounds

    def between(self, span: Span, low: Expr, high: Expr) -> tree.Between:
        return tree.Between(low, high, span=span)

    def above(self, span: Span, low: Expr) -> tree.Above:
        return tree.Above(low, span=span)

    def at_least(self, span: Span, low: Expr) -> tree.AtLeast:
        return tree.AtLeast(low, span=span)

    def params(self, span: Span, *params: tree.Param | None) -> tuple[tree.Param, ...]:
        return tuple(p for p in params if p is not None)

    def param(self, span: Span, name: Name, type: tree.TypeExpr) -> tree.Param:
        return tree.Param(name, type, span=span)

    def names(self, span: Span, *names: Name) -> tuple[Name, ...]:
        return names

    def bindings(self, span: Span, *bindings: tree.Binding) -> tuple[tree.Binding, ...]:
        return bindings

    def binding(self, span: Span, target: Path, value: Expr) -> tree.Binding:
        return tree.Binding(target, value, span=span)

    def path(self, span: Span, *parts: Name) -> Path:
        return Path(parts, span=span)

    # ------------------------------------------------------------ tables

    def table(
        self, span: Span, name: Name, param: tree.Param, marks: tuple[Name, ...] | None, *rows: tree.Row | Cite
    ) -> tree.Table:
        return tree.Table(name, param, marks or (), self.attach(rows), span=span)

    def row_up_to(self, span: Span, limit: Expr, value: Expr) -> tree.Row:
        return tree.Row(tree.RowKind.UP_TO, limit, value, span=span)

    def row_below(self, span: Span, limit: Expr, value: Expr) -> tree.Row:
        return tree.Row(tree.RowKind.BELOW, limit, value, span=span)

    def row_otherwise(self, span: Span, value: Expr) -> tree.Row:
        return tree.Row(tree.RowKind.OTHERWISE, None, value, span=span)

    # ------------------------------------------------------------ procedures, actions, duties

    def procedure(
        self, span: Span, name: Name, params: tuple[tree.Param, ...], body: tuple[Stmt, ...]
    ) -> tree.Procedure:
        return tree.Procedure(name, params, body, span=span)

    def action(
        self,
        span: Span,
        name: Name,
        params: tuple[tree.Param, ...] | None,
        description: Text | None,
        body: tuple[Stmt, ...],
    ) -> tree.Action:
        return tree.Action(name, params or (), description, body, span=span)

    def duty(
        self,
        span: Span,
        name: Name,
        params: tuple[tree.Param, ...] | None,
        description: Text | None,
        after: tuple[Path, ...] | None,
        when: Expr | None,
        order: tree.Ranked | None,
        once: bool | None,
        body: tuple[Stmt, ...],
    ) -> tree.Duty:
        return tree.Duty(name, params or (), description, after or (), when, order, bool(once), body, span=span)

    def once(self, span: Span, word: int, line: int) -> bool:
        return True

    # ------------------------------------------------------------ statements

    def stmts(self, span: Span, *parts: Stmt | Cite) -> tuple[Stmt, ...]:
        return self.attach(parts)

    def nothing(self, span: Span) -> tree.Nothing:
        return tree.Nothing(span=span)

    def require(self, span: Span, condition: Expr) -> tree.Require:
        return tree.Require(condition, span=span)

    def set(self, span: Span, target: Ref, op: int, value: Expr) -> tree.Set:
        return tree.Set(target, _SET[self.words.kinds[op]], value, op_span=self.words.span(op), span=span)

    def setter(self, span: Span, word: int) -> int:
        return word

    cmp_op = plus = times_sign = setter

    def transfer(self, span: Span, amount: Expr, source: Ref, target: Ref) -> tree.Transfer:
        return tree.Transfer(amount, source, target, span=span)

    def receive(self, span: Span, amount: Expr, target: Ref) -> tree.Receive:
        return tree.Receive(amount, target, span=span)

    def pay(self, span: Span, amount: Expr, source: Ref) -> tree.Pay:
        return tree.Pay(amount, source, span=span)

    def issue(self, span: Span, amount: Expr, target: Ref) -> tree.Issue:
        return tree.Issue(amount, target, span=span)

    def burn(self, span: Span, amount: Expr, source: Ref) -> tree.Burn:
        return tree.Burn(amount, source, span=span)

    def do(self, span: Span, call: tree.Call) -> tree.Do:
        return tree.Do(call, span=span)

    def if_stmt(self, span: Span, *parts: Any) -> tree.If:
        *branches, otherwise = parts
        return tree.If(tuple(branches), otherwise, span=span)

    def branch(self, span: Span, condition: Expr, body: tuple[Stmt, ...]) -> tree.Branch:
        return tree.Branch(condition, body, span=span)

    else_branch = branch

    def for_each(
        self, span: Span, binder: tree.Binder, order: tree.Ranked | tree.AnyOrder | None, body: tuple[Stmt, ...]
    ) -> tree.ForEach:
        return tree.ForEach(binder, body, order, span=span)

    # ------------------------------------------------------------ collect

    def collect(
        self,
        span: Span,
        amount: Expr,
        target: Ref | None,
        tiers: list[tree.Tier | Cite],
        rest: tree.Rest | tree.NothingMayRemain,
    ) -> tree.Collect:
        *joined, rest = self.attach([*tiers, rest])
        return tree.Collect(amount, target, tuple(joined), rest, span=span)

    def tiers(self, span: Span, *tiers: tree.Tier | Cite) -> list[tree.Tier | Cite]:
        return list(tiers)

    def from_one(self, span: Span, account: Ref, cap: Expr | None) -> tree.FromOne:
        return tree.FromOne(account, cap, span=span)

    def from_each(
        self,
        span: Span,
        account: Ref,
        binder: tree.Binder,
        cap: Expr | None,
        policy: tree.Policy,
        step: Expr | None,
    ) -> tree.FromEach:
        return tree.FromEach(account, binder, cap, policy, step, span=span)

    def taking(
        self,
        span: Span,
        share: Name,
        binder: tree.Binder,
        cap: Expr,
        policy: tree.Policy,
        step: Expr | None,
        body: tuple[Stmt, ...],
    ) -> tree.Taking:
        return tree.Taking(share, binder, cap, policy, step, body, span=span)

    def any_order(self, span: Span) -> tree.AnyOrder:
        return tree.AnyOrder(span=span)

    def proportion(self, span: Span, weight: Expr) -> tree.Proportion:
        return tree.Proportion(weight, span=span)

    def equally(self, span: Span) -> tree.Equally:
        return tree.Equally(span=span)

    def ranked(self, span: Span, key: Expr, highest: bool) -> tree.Ranked:
        return tree.Ranked(key, highest, span=span)

    def direction(self, span: Span, word: int) -> bool:
        return self.words.kinds[word] == KIND["highest"]

    def rest(self, span: Span, name: Name, body: tuple[Stmt, ...]) -> tree.Rest:
        return tree.Rest(name, body, span=span)

    def nothing_may_remain(self, span: Span) -> tree.NothingMayRemain:
        return tree.NothingMayRemain(span=span)

    # ------------------------------------------------------------ claims

    def assumption(
        self, span: Span, name: Name, description: Text | None, on: tree.On | None, condition: Expr
    ) -> tree.Assumption:
        return tree.Assumption(name, description, on, condition, span=span)

    def on(self, span: Span, action: Path, names: tuple[Name, ...] | None) -> tree.On:
        return tree.On(action, names or (), span=span)

    def claim(
        self,
        span: Span,
        name: Name,
        description: Text | None,
        moment: tree.Moment | None,
        citations: tuple[Cite, ...],
        condition: Expr,
        expects: tuple[tree.Expect, ...],
    ) -> tree.Claim:
        return tree.Claim(name, description, moment, condition, expects, cites=citations, span=span)

    def lemma(self, span: Span, name: Name, description: Text | None, condition: Expr) -> tree.Claim:
        return tree.Claim(name, description, tree.EveryStep(span=name.span), condition, lemma=True, span=span)

    def citations(self, span: Span, *cites: Cite) -> tuple[Cite, ...]:
        return cites

    def expects(self, span: Span, *expects: tree.Expect) -> tuple[tree.Expect, ...]:
        return expects

    def every_step(self, span: Span) -> tree.EveryStep:
        return tree.EveryStep(span=span)

    def after(self, span: Span, event: Path, names: tuple[Name, ...] | None) -> tree.After:
        return tree.After(event, names, span=span)

    def expect(
        self, span: Span, verdict: Name, reason: Text | None, given: tuple[Expr, ...], by: Name | None
    ) -> tree.Expect:
        return tree.Expect(verdict, reason, given, by, span=span)

    def givens(self, span: Span, *conditions: Expr) -> tuple[Expr, ...]:
        return conditions

    def reach(self, span: Span, name: Name, description: Text | None, condition: Expr) -> tree.Reach:
        return tree.Reach(name, description, condition, span=span)

    # ------------------------------------------------------------ scenarios

    def scenario(
        self, span: Span, name: Name, description: Text | None, *lines: tree.ScenarioLine | Cite
    ) -> tree.Scenario:
        return tree.Scenario(name, description, self.attach(lines), span=span)

    def with_line(self, span: Span, bindings: tuple[tree.Binding, ...]) -> tree.With:
        return tree.With(bindings, span=span)

    def act(self, span: Span, call: tree.Call, refused: bool | None) -> tree.Act:
        return tree.Act(call, bool(refused), span=span)

    refused = issued

    def then(self, span: Span, call: tree.Call, taking: tuple[Name, ...] | None) -> tree.Then:
        return tree.Then(call, taking, span=span)

    def check(self, span: Span, condition: Expr) -> tree.Check:
        return tree.Check(condition, span=span)

    # ------------------------------------------------------------ expressions

    def choose(self, span: Span, then: Expr, condition: Expr, otherwise: Expr) -> tree.Choose:
        return tree.Choose(condition, then, otherwise, span=span)

    def implies(self, span: Span, left: Expr, right: Expr) -> tree.Implies:
        return tree.Implies(left, right, span=span)

    def any_of(self, span: Span, *parts: Expr) -> tree.Or:
        return tree.Or(parts, span=span)

    def all_of(self, span: Span, *parts: Expr) -> tree.And:
        return tree.And(parts, span=span)

    def negated(self, span: Span, value: Expr) -> tree.Not:
        return tree.Not(value, span=span)

    def for_all(self, span: Span, binder: tree.Binder, body: Expr) -> tree.ForAll:
        return tree.ForAll(binder, body, span=span)

    def compare(self, span: Span, *parts: Any) -> tree.Compare:
        kinds = self.words.kinds
        return tree.Compare(parts[::2], tuple(_COMPARE[kinds[op]] for op in parts[1::2]), span=span)

    def add(self, span: Span, left: Expr, op: int, right: Expr) -> tree.Arith:
        return tree.Arith(_ARITH[self.words.kinds[op]], left, right, op_span=self.words.span(op), span=span)

    def mul(self, span: Span, left: Expr, op: int, right: Expr) -> tree.Arith:
        node = self.add(span, left, op, right)
        if node.op is tree.ArithOp.DIV and isinstance(right, Ref) and isinstance(left, tree.Number | tree.Percent):
            self.slash_in_unit(left, right)
        return node

    def slash_in_unit(self, left: tree.Number | tree.Percent, right: Ref) -> None:
        """`100 USD/BTC` and `5%/day` would divide by a name."""
        number = isinstance(left, tree.Number) and left.unit is None
        if number or right.trailers or right.name.text not in self.assets | _TIME:
            return
        gap = Span(self.file, left.span.end, right.span.start)
        self.problems.append(
            error(
                Code.SF112,
                f"`{left.span.text}` is divided by a name `{right.name.text}` here; a price is written with `per`",
                Label(left.span.to(right.span)),
                help=f"write `{left.span.text} per {right.name.text}`",
                fixes=(Fix(gap, " per ", "write `per`"),),
            )
        )

    def neg(self, span: Span, value: Expr) -> tree.Neg:
        return tree.Neg(value, span=span)

    def yes(self, span: Span) -> tree.Flag:
        return tree.Flag(True, span=span)

    def no(self, span: Span) -> tree.Flag:
        return tree.Flag(False, span=span)

    def sum_of(self, span: Span, value: Expr, binder: tree.Binder) -> tree.Fold:
        return tree.Fold(tree.FoldKind.SUM, value, binder, span=span)

    def largest_of(self, span: Span, value: Expr, binder: tree.Binder) -> tree.Fold:
        return tree.Fold(tree.FoldKind.LARGEST, value, binder, span=span)

    def smallest_of(self, span: Span, value: Expr, binder: tree.Binder) -> tree.Fold:
        return tree.Fold(tree.FoldKind.SMALLEST, value, binder, span=span)

    def count_of(self, span: Span, binder: tree.Binder) -> tree.Count:
        return tree.Count(binder, span=span)

    def exists(self, span: Span, binder: tree.Binder) -> tree.Exists:
        return tree.Exists(binder, span=span)

    def binder(self, span: Span, names: tuple[Name, ...], party: Path, where: Expr | None) -> tree.Binder:
        return tree.Binder(names, party, where, span=span)

    def number(self, span: Span, value: Fraction, unit: Name | None, per: tuple[Name, ...] | None) -> tree.Number:
        return tree.Number(value, unit, per or (), span=span)

    def percent(self, span: Span, value: Fraction, per: Name | None) -> tree.Percent:
        return tree.Percent(value, per, span=span)

    pers_of = names

    def ref(self, span: Span, name: Name, *trailers: tree.Trailer) -> Ref:
        return Ref(name, trailers, span=span)

    def dot(self, span: Span, name: Name) -> tree.Dot:
        return tree.Dot(name, span=span)

    def index(self, span: Span, key: Expr) -> tree.Index:
        return tree.Index(key, span=span)

    def call(self, span: Span, function: Ref, *args: Expr | None) -> tree.Call:
        return tree.Call(function, tuple(a for a in args if a is not None), span=span)
