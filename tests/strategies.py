"""Random little rulebooks: a fixed set of parties and accounts, and random expressions, statements and states over them.

Used to hold the carriers together: whatever is drawn here must mean the same on every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen
from hypothesis import strategies as st
from quicktions import Fraction

from specforge.algebra.exact import Cell, ExactMachine
from specforge.core import ir
from specforge.core.ir import Operator as O
from specforge.diagnostics.source import SourceFile, Span

NUMBER, FLAG = ir.Number(), ir.Flag()
TRADER, MARKET, VENUE = ir.Of("Trader"), ir.Of("Market"), ir.Of("Venue")
SELF, THE_VENUE, THE_RULES = ir.Var("self"), ir.Lit(ir.Member("Venue", 0)), ir.Lit(ir.Member(ir.RULES, 0))
FILE = SourceFile("drawn", "")
Draw = Callable[..., Any]
Scope = dict[str, ir.Type]


def op(operator: O, *args: ir.Expr, span: Span | None = None) -> ir.Expr:
    return ir.Op(operator, args) if span is None else ir.Op(operator, args, span=span)


def number(value: int | str | Fraction) -> ir.Lit:
    return ir.Lit(Fraction(value))


def read(name: str, member: ir.Expr, index: ir.Expr | None = None) -> ir.Read:
    return ir.Read(name, member, index)


def _fields() -> dict[str, ir.Field]:
    plain, balance, net = ir.Kind.PLAIN, ir.Kind.BALANCE, ir.Kind.NET
    fields = [
        ir.Field("rate", ir.RULES, NUMBER, ir.Kind.PARAMETER, low=ir.ZERO, high=ir.ONE),
        ir.Field("Trader.credit", "Trader", NUMBER, plain, low=ir.ZERO),
        ir.Field("Trader.margin", "Trader", NUMBER, balance, asset="USD"),
        ir.Field("Trader.wallet", "Trader", NUMBER, balance, asset="USD", low=op(O.SUB, ir.ZERO, read("Trader.credit", SELF))),
        ir.Field("Trader.position", "Trader", NUMBER, net, asset="BTC"),
        ir.Field("Trader.size", "Trader", NUMBER, net, per="Market", asset="LOT"),
        ir.Field("Trader.bound", "Trader", NUMBER, plain, per="Market", low=number(-100), high=number(100)),
        ir.Field("Trader.exempt", "Trader", FLAG, plain),
        ir.Field("Trader.market", "Trader", MARKET, plain),
        ir.Field("Venue.fund", "Venue", NUMBER, balance, asset="USD"),
        ir.Field("Venue.book", "Venue", NUMBER, net, asset="USD"),
        ir.Field("Venue.held", "Venue", NUMBER, net, asset="BTC"),
        ir.Field("Venue.mark", "Venue", NUMBER, plain, low=ir.ZERO, low_open=True),
        ir.Field("Venue.level", "Venue", NUMBER, plain, low=number(0), high=number(100)),
        ir.Field("Venue.shut", "Venue", FLAG, plain),
        ir.Field("Venue.focus", "Venue", MARKET, plain),
        ir.Field("vault.usd", "Venue", NUMBER, balance, house="vault", asset="USD"),
    ]
    houses = [
        ir.Field(ir.holdings_field(house, asset), ir.RULES, NUMBER, ir.Kind.HOUSE, house=house, asset=asset)
        for house, asset in (("", "USD"), ("", "BTC"), ("", "LOT"), ("vault", "USD"))
    ]
    return {each.name: each for each in fields + houses}


FIELDS = _fields()
PARTIES = {
    ir.RULES: ir.Party(ir.RULES, ("",)),
    "Trader": ir.Party("Trader", None),
    "Market": ir.Party("Market", ("spot", "future")),
    "Venue": ir.Party("Venue", ("Venue",)),
}
ARGUMENTS = (
    ir.Argument("who", TRADER),
    ir.Argument("other", TRADER),
    ir.Argument("n", NUMBER),
    ir.Argument("flag", FLAG),
    ir.Argument("where", MARKET),
)


def system_with(body: ir.Block = (), duties: tuple[ir.Duty, ...] = (), **more: Any) -> ir.System:
    """The playground with one action, `act`, that performs `body`; and one that does nothing, `idle`."""
    actions = {"act": ir.Action("act", ARGUMENTS, body), "idle": ir.Action("idle", (), ())}
    empty = {name: {} for name in ("assumptions", "claims", "reaches", "scenarios", "tables", "sources")}
    return ir.System(
        "Playground", "", PARTIES, FIELDS, actions, {each.name: each for each in duties}, **(empty | more)
    )  # fmt: skip


@frozen
class Features:
    """What may be drawn.  `products`: of two values that both depend on the state; `division`, `rounding`: likewise."""

    products: bool = True
    division: bool = True
    rounding: bool = True
    old: bool = False
    policies: tuple[ir.Policy, ...] = tuple(ir.Policy)
    steps: bool = True


LINEAR = Features(products=False, division=False, rounding=False, policies=(ir.Policy.ANY, ir.Policy.HIGHEST), steps=False)

small_numbers = st.one_of(
    st.integers(-6, 12).map(Fraction),
    st.fractions(-5, 10, max_denominator=6).map(Fraction),
    st.sampled_from([Fraction(1, 200), Fraction(3)]),
)


class Drawer:
    """Draws expressions and statements; every defect and refusal gets a place of its own, so that they can be told apart."""

    def __init__(self, draw: Draw, features: Features = Features()):
        self.draw, self.features = draw, features
        self.count = 0

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def span(self) -> Span:
        self.count += 1
        return Span(FILE, self.count, self.count + 1)

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    # -- expressions

    def of(self, wanted: ir.Type, scope: Scope, depth: int) -> ir.Expr:
        if wanted == NUMBER:
            return self.number(scope, depth)
        return self.flag(scope, depth) if wanted == FLAG else self.member(wanted, scope, depth)

    def member(self, wanted: ir.Type, scope: Scope, depth: int = 1) -> ir.Expr:
        assert isinstance(wanted, ir.Of)
        known: list[ir.Expr] = [ir.Var(name) for name, kind in scope.items() if kind == wanted]
        if wanted == VENUE:
            return THE_VENUE
        if wanted == MARKET:
            known += [ir.Lit(ir.Member("Market", i)) for i in range(2)]
            if depth > 0:
                known += [read("Venue.focus", THE_VENUE), read("Trader.market", self.member(TRADER, scope, 0))]
        if depth > 1 and len(known) > 1:
            known.append(ir.If(self.flag(scope, depth - 2), self.pick(*known), self.pick(*known)))
        return self.pick(*known)

    def read(self, wanted: ir.Type, scope: Scope, depth: int, kinds: tuple[ir.Kind, ...] = tuple(ir.Kind)) -> ir.Read:
        name = self.pick(*(each.name for each in FIELDS.values() if each.type == wanted and each.kind in kinds))
        return ir.Read(name, *self.whose(FIELDS[name], scope, depth))

    def whose(self, field: ir.Field, scope: Scope, depth: int) -> tuple[ir.Expr, ir.Expr | None]:
        member = THE_RULES if field.party == ir.RULES else self.member(ir.Of(field.party), scope, depth)
        return member, self.member(ir.Of(field.per), scope, depth) if field.per else None

    def number(self, scope: Scope, depth: int) -> ir.Expr:
        known = [name for name, kind in scope.items() if kind == NUMBER]
        simple = ["literal", "read", "read"] + ["var"] * bool(known)
        more = ["sum", "times", "if", "let", "fold", "extreme"]
        more += ["product"] * self.features.products + ["divide"] * self.features.division + ["floor"] * self.features.rounding
        match self.pick(*(simple if depth <= 0 else simple + more * 2)):
            case "literal":
                return ir.Lit(self.draw(small_numbers))
            case "var":
                return ir.Var(self.pick(*known))
            case "read":
                return self.read(NUMBER, scope, depth)
            case "sum":
                return op(self.pick(O.ADD, O.SUB), self.number(scope, depth - 1), self.number(scope, depth - 1))
            case "times":
                return op(O.MUL, ir.Lit(self.draw(small_numbers)), self.number(scope, depth - 1))
            case "product":
                return op(O.MUL, self.number(scope, depth - 1), self.number(scope, depth - 1))
            case "divide":
                return op(O.DIV, self.number(scope, depth - 1), self.number(scope, depth - 1), span=self.span())
            case "floor":
                return op(O.FLOOR, self.number(scope, depth - 1))
            case "if":
                orelse = (
                    ir.Undefined(ir.Defect.TABLE, span=self.span()) if self.pick(0, 0, 0, 1) else self.number(scope, depth - 1)
                )
                return ir.If(self.flag(scope, depth - 1), self.number(scope, depth - 1), orelse)
            case "let":
                return self.let(NUMBER, scope, depth)
            case "fold":
                return self.fold(ir.Folding.SUM, NUMBER, scope, depth)
            case _:
                return self.fold(self.pick(ir.Folding.LARGEST, ir.Folding.SMALLEST), NUMBER, scope, depth)

    def flag(self, scope: Scope, depth: int) -> ir.Expr:
        known = [name for name, kind in scope.items() if kind == FLAG]
        simple = ["read", "compare", "literal"] + ["var"] * bool(known)
        match self.pick(
            *(simple if depth <= 0 else [*simple, "compare", "and", "or", "not", "if", "let", "all", "same", "old"])
        ):
            case "literal":
                return ir.Lit(self.pick(True, False))
            case "var":
                return ir.Var(self.pick(*known))
            case "read":
                return self.read(FLAG, scope, depth)
            case "and":
                return op(O.AND, *(self.flag(scope, depth - 1) for _ in range(self.pick(2, 3))))
            case "or":
                return op(O.OR, *(self.flag(scope, depth - 1) for _ in range(self.pick(2, 3))))
            case "not":
                return op(O.NOT, self.flag(scope, depth - 1))
            case "if":
                return ir.If(self.flag(scope, depth - 1), self.flag(scope, depth - 1), self.flag(scope, depth - 1))
            case "let":
                return self.let(FLAG, scope, depth)
            case "all":
                return self.fold(ir.Folding.ALL, FLAG, scope, depth)
            case "same":
                kind = self.pick(TRADER, MARKET, FLAG)
                has = kind in (FLAG, MARKET) or kind in scope.values()
                kind = kind if has else MARKET
                return op(O.EQ, self.of(kind, scope, depth - 1), self.of(kind, scope, depth - 1))
            case "old" if self.features.old:
                return ir.Old(self.flag(scope, depth - 1))
            case _:
                return op(self.pick(O.LT, O.LE, O.EQ), self.number(scope, depth - 1), self.number(scope, depth - 1))

    def let(self, wanted: ir.Type, scope: Scope, depth: int) -> ir.Expr:
        name, kind = self.fresh(), self.pick(NUMBER, NUMBER, FLAG, MARKET)
        return ir.Let(name, self.of(kind, scope, depth - 1), self.of(wanted, {**scope, name: kind}, depth - 1))

    def fold(self, kind: ir.Folding, wanted: ir.Type, scope: Scope, depth: int) -> ir.Fold:
        name, party = self.fresh(), self.pick("Trader", "Trader", "Market", "Venue")
        inner = {**scope, name: ir.Of(party)}
        where = ir.YES if self.pick(True, False) else self.flag(inner, depth - 1)
        return ir.Fold(kind, name, party, where, self.of(wanted, inner, depth - 1), span=self.span())

    # -- statements

    def block(self, scope: Scope, depth: int, own: str | None = None, most: int = 3) -> ir.Block:
        """`own`: inside a simultaneous loop, the member whose own fields may change."""
        scope = dict(scope)
        statements: list[ir.Statement] = []
        for _ in range(self.draw(st.integers(0 if depth < 2 else 1, most))):
            statement = self.statement(scope, depth, own)
            statements.append(statement)
            if isinstance(statement, ir.Bind):
                scope[statement.name] = NUMBER
        return tuple(statements)

    def statement(self, scope: Scope, depth: int, own: str | None) -> ir.Statement:
        simple = ["set", "set", "move", "move", "bind", *(["require", "took"] if own is None else [])]
        compound = ["if"] + (["each", "each", "collect", "collect", "turn"] if own is None else ["each"])
        match self.pick(*(simple if depth <= 0 else simple + compound)):
            case "require":
                return ir.Require(self.flag(scope, depth), span=self.span())
            case "took":
                args = (
                    self.member(TRADER, scope),
                    self.member(TRADER, scope),
                    self.number(scope, 1),
                    ir.NO,
                    self.member(MARKET, scope),
                )
                return ir.Took("act", args)
            case "bind":
                return ir.Bind(self.fresh(), self.number(scope, depth))
            case "set":
                return self.set(scope, depth, own)
            case "move":
                return self.move(self.number(scope, depth), scope, own)
            case "if":
                return ir.Branch(
                    self.flag(scope, depth), self.block(scope, depth - 1, own, 2), self.block(scope, depth - 1, own, 2)
                )
            case "each":
                name = self.fresh()
                inner = {**scope, name: TRADER}
                body = self.block(inner, depth - 1, own or name, 2)
                return ir.ForEach(name, "Trader", self.flag(inner, depth - 1), body, span=self.span())
            case "turn":
                return self.in_turn(scope, depth)
            case _:
                return self.collect(scope, depth)

    def in_turn(self, scope: Scope, depth: int) -> ir.InTurn:
        name = self.fresh()
        inner = {**scope, name: TRADER}
        policy = self.pick(*(each for each in self.features.policies if each is not ir.Policy.PROPORTION), ir.Policy.ANY)
        key = None if policy is ir.Policy.ANY else self.number(inner, depth - 1)
        body = self.block(inner, depth - 1, None, 2)
        where = ir.YES if self.pick(True, False) else self.flag(inner, depth - 1)
        turn = ir.Tier(name, "Trader", where, ir.ONE, policy, key, None, self.fresh(), body, self.fresh(), span=self.span())
        return ir.InTurn(turn, span=turn.span)

    def set(self, scope: Scope, depth: int, own: str | None) -> ir.Set:
        wanted = self.pick(NUMBER, NUMBER, FLAG, MARKET)
        add = wanted == NUMBER and self.pick(True, False)
        if own is not None:
            scope = {name: kind for name, kind in scope.items() if kind != TRADER or name == own}
        place = self.read(wanted, scope, 1, (ir.Kind.PLAIN,))
        if own is not None and FIELDS[place.field].party == "Venue":
            place, add, wanted = read("Trader.credit", ir.Var(own)), self.pick(True, False), NUMBER
        value = self.of(wanted, scope, depth)
        return ir.Set(ir.Place(place.field, place.member, place.index), value, add, span=self.span())

    def move(self, amount: ir.Expr, scope: Scope, own: str | None, asset: str | None = None) -> ir.Move:
        asset = asset or self.pick("USD", "USD", "USD", "BTC", "LOT")
        ends = [self.account(asset, scope), self.account(asset, scope)]
        if own is not None:
            ends[self.pick(0, 1)] = self.account(asset, {own: TRADER}, "Trader")
        which = self.pick("both", "both", "in", "out") if own is None else "both"
        source, target = (None if which == "in" else ends[0]), (None if which == "out" else ends[1])
        return ir.Move(amount, source, target, span=self.span())

    def account(self, asset: str, scope: Scope, party: str | None = None) -> ir.Place:
        fits = [
            each.name
            for each in FIELDS.values()
            if each.asset == asset and each.kind in (ir.Kind.BALANCE, ir.Kind.NET) and party in (None, each.party)
        ]
        name = self.pick(*fits)
        return ir.Place(name, *self.whose(FIELDS[name], scope, 1))

    def collect(self, scope: Scope, depth: int) -> ir.Collect:
        tiers = tuple(self.tier(scope, depth) for _ in range(self.pick(1, 2)))
        left = self.fresh()
        rest = self.block({**scope, left: NUMBER}, depth - 1, None, 2) if self.pick(True, True, False) else None
        return ir.Collect(self.number(scope, depth - 1), tiers, left, rest, span=self.span())

    def tier(self, scope: Scope, depth: int) -> ir.Tier:
        var, share = self.fresh(), self.fresh()
        party = self.pick("Trader", "Trader", None)
        inner = {**scope, var: TRADER} if party else scope
        policy = self.pick(*self.features.policies)
        key = None
        if policy is ir.Policy.PROPORTION:
            key = self.pick(ir.ONE, read("Trader.margin", ir.Var(var)) if party else ir.ONE, self.number(inner, depth - 1))
        elif policy is not ir.Policy.ANY:
            key = self.number(inner, depth - 1)
        step = self.pick(ir.ONE, number("1/2"), number(3)) if self.features.steps and self.pick(0, 0, 1) else None
        where = ir.YES if party is None else self.flag(inner, depth - 1)
        # a cap is the account itself often enough for the transfer that follows to be funded
        source = read("Trader.margin", ir.Var(var)) if party else read("Venue.fund", THE_VENUE)
        cap, body = source, self.block({**inner, share: NUMBER}, depth - 1, var if party else None, 2)
        if self.pick(True, True, False):
            target = ir.Place("Venue.book", THE_VENUE)
            body = (ir.Move(ir.Var(share), ir.Place(source.field, source.member), target, span=self.span()), *body)
        else:
            cap = self.number(inner, depth - 1)
        return ir.Tier(var, party, where, cap, policy, key, step, share, body, self.fresh(), span=self.span())


SCOPE: Scope = {each.name: each.type for each in ARGUMENTS}


@st.composite
def blocks(draw: Draw, features: Features = Features(), depth: int = 2) -> ir.Block:
    """The body of an action over ARGUMENTS."""
    return Drawer(draw, features).block(SCOPE, depth)


@st.composite
def expressions(draw: Draw, wanted: ir.Type = NUMBER, features: Features = Features(), depth: int = 3) -> ir.Expr:
    """An expression over ARGUMENTS."""
    return Drawer(draw, features).of(wanted, SCOPE, depth)


@st.composite
def duties(draw: Draw, features: Features = Features()) -> tuple[ir.Duty, ...]:
    drawer = Drawer(draw, features)
    result: list[ir.Duty] = []
    for i in range(drawer.pick(1, 2)):
        params = (ir.Argument("t", TRADER),) if drawer.pick(True, True, False) else ()
        scope: Scope = {each.name: each.type for each in params}
        if not params:
            scope = {}
        rank = drawer.number(scope, 1) if params and drawer.pick(True, False) else None
        body = drawer.block(scope, 1) if params else _venue_only(drawer)
        after = ("act",) if drawer.pick(True, False) else ()
        duty = ir.Duty(
            f"duty{i}", params, after, drawer.flag(scope, 1) if params else drawer.read(FLAG, {"": VENUE, "x": TRADER}, 0),
            rank, drawer.pick(True, False), drawer.pick(True, True, False), body, span=drawer.span(),
        )  # fmt: skip
        if not params:
            duty = evolve(duty, when=read("Venue.shut", THE_VENUE))
        result.append(duty)
    return tuple(result)


def _venue_only(drawer: Drawer) -> ir.Block:
    mark, fund, book = ir.Place("Venue.mark", THE_VENUE), ir.Place("Venue.fund", THE_VENUE), ir.Place("Venue.book", THE_VENUE)
    return (
        ir.Set(mark, ir.Lit(drawer.draw(small_numbers)), True, span=drawer.span()),
        ir.Move(ir.Lit(drawer.draw(small_numbers)), fund, book, span=drawer.span()),
    )


@st.composite
def arguments(draw: Draw, members: int) -> tuple[Any, ...]:
    who, other = (draw(st.integers(0, members - 1)) for _ in range(2))
    return who, other, draw(small_numbers), draw(st.booleans()), draw(st.integers(0, 1))


@st.composite
def states(draw: Draw, system: ir.System, sizes: dict[str, int]) -> dict[Cell, Any]:
    """A legal start: every declared bound and floor holds."""
    machine = ExactMachine(system, sizes)
    fixed: dict[Cell, Any] = {}
    for each in system.fields.values():
        if each.kind is ir.Kind.HOUSE:
            continue
        for cell in machine.cells(each):
            if each.type == FLAG:
                fixed[cell] = draw(st.booleans())
            elif each.type == MARKET:
                fixed[cell] = draw(st.integers(0, 1))
            else:
                value = draw(small_numbers)
                if each.name == "rate":
                    value = Fraction(abs(value) / 12)
                elif each.name == "Venue.mark":
                    value = abs(value) or Fraction(1)
                elif each.name in ("Venue.level", "Trader.credit") or each.kind is ir.Kind.BALANCE:
                    value = abs(value)
                fixed[cell] = value
    for spare, asset in ((("Venue.fund", 0, 0), "USD"), (("Venue.held", 0, 0), "BTC"), (("Trader.size", 0, 0), "LOT")):
        held = sum(value for cell, value in fixed.items() if FIELDS[cell[0]].asset == asset and not FIELDS[cell[0]].house)
        fixed[spare] += max(-held, 0)  # a house holds no less than nothing
    machine.begin(fixed)
    return machine.save()
