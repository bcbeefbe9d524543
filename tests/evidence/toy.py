"""A small venue built by hand, so that reports are tested without the parser: accounts, a fund, a duty, a collect."""

from __future__ import annotations

from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.source import SourceFile, Span

TEXT = '''rulebook "Toy" "Winners are paid by losers, by the fund, by nobody."
asset USD
parameter seed: USD at least 0 = 0
party Trader:
    margin: balance USD
    exempt: flag
party Venue, one:
    fund: balance USD = seed
    hole: USD = 0
    rate: ratio = 1%
action deposit(t: Trader, amount: USD):
    require amount > 0
    receive amount into t.margin
action lose(t: Trader, amount: USD):
    collect amount into Venue.fund: # from t, then from anybody
    rest unpaid: Venue.hole += unpaid
duty cut(t: Trader):
    when t.margin > 100 USD and not t.exempt
claim no_hole "the house has no hole":
    Venue.hole = 0
claim funded_when_open:
    Venue.hole > 0 implies Venue.fund >= 1 USD and Venue.hole <= 2 USD
claim small:
    for all t: Trader: t.margin <= 100 USD
reach rich: Venue.fund > 50 USD
'''
FILE = SourceFile("toy.rulebook", TEXT)
USD, RATIO = ir.Number((("USD", 1),)), ir.Number((), "ratio")
TRADER = ir.Of("Trader")


def at(text: str) -> Span:
    start = TEXT.index(text)
    return Span(FILE, start, start + len(text))


def usd(value: int | str) -> ir.Lit:
    return ir.Lit(Fraction(value))


def venue(field: str) -> ir.Read:
    return ir.Read(f"Venue.{field}", ir.Lit(ir.Member("Venue", 0)), span=at(f"Venue.{field}"))


def of(name: str, field: str) -> ir.Read:
    return ir.Read(f"Trader.{field}", ir.Var(name))


def trader(index: int) -> ir.Lit:
    return ir.Lit(ir.Member("Trader", index))


def place(field: str, member: ir.Expr) -> ir.Place:
    return ir.Place(field, member)


VENUE = ir.Lit(ir.Member("Venue", 0))
SELF = ir.Lit(ir.Member(ir.RULES, 0))


def compare(op: ir.Operator, a: ir.Expr, b: ir.Expr, text: str, type: ir.Type = USD) -> ir.Op:
    return ir.Op(op, (a, b), type, span=at(text))


def system() -> ir.System:
    fields = [
        ir.Field("seed", ir.RULES, USD, ir.Kind.PARAMETER, low=ir.ZERO, start=ir.ZERO),
        ir.Field("Trader.margin", "Trader", USD, ir.Kind.BALANCE, asset="USD"),
        ir.Field("Trader.exempt", "Trader", ir.Flag(), ir.Kind.PLAIN),
        ir.Field("Venue.fund", "Venue", USD, ir.Kind.BALANCE, asset="USD", start=ir.Read("seed", SELF)),
        ir.Field("Venue.hole", "Venue", USD, ir.Kind.PLAIN, start=ir.ZERO),
        ir.Field("Venue.rate", "Venue", RATIO, ir.Kind.PLAIN, start=usd("1/100")),
        ir.Field("holdings(USD)", ir.RULES, USD, ir.Kind.HOUSE, asset="USD"),
    ]
    t, amount = ir.Argument("t", TRADER), ir.Argument("amount", USD)
    positive = compare(ir.Operator.LT, ir.ZERO, ir.Var("amount"), "amount > 0")
    deposit = ir.Action(
        "deposit",
        (t, amount),
        (
            ir.Require(positive, span=at("require amount > 0")),
            ir.Move(ir.Var("amount"), None, place("Trader.margin", ir.Var("t")), span=at("receive amount into t.margin")),
        ),
        span=at("action deposit"),
    )
    give = ir.Move(ir.Var("x"), place("Trader.margin", ir.Var("w")), place("Venue.fund", VENUE))
    anybody = ir.Tier("w", "Trader", ir.YES, of("w", "margin"), ir.Policy.ANY, None, None, "x", (give,), "x")
    owed = ir.Set(place("Venue.hole", VENUE), ir.Var("unpaid"), True)
    lose = ir.Action(
        "lose",
        (t, amount),
        (ir.Collect(ir.Var("amount"), (anybody,), "unpaid", (owed,)),),
        span=at("action lose"),
    )
    rich = compare(ir.Operator.LT, usd(100), of("t", "margin"), "t.margin > 100 USD")
    take = ir.Move(usd(10), place("Trader.margin", ir.Var("t")), place("Venue.fund", VENUE))
    cut = ir.Duty("cut", (t,), (), rich, None, False, True, (take,), span=at("duty cut"))
    holeless = compare(ir.Operator.EQ, venue("hole"), ir.ZERO, "Venue.hole = 0")
    fund = compare(ir.Operator.LE, usd(1), venue("fund"), "Venue.fund >= 1 USD")
    modest = compare(ir.Operator.LE, venue("hole"), usd(2), "Venue.hole <= 2 USD")
    hole = compare(ir.Operator.LT, ir.ZERO, venue("hole"), "Venue.hole > 0")
    premise = ir.Op(ir.Operator.NOT, (hole,), span=at("Venue.hole > 0"))
    both = ir.Op(ir.Operator.AND, (fund, modest), span=at("Venue.fund >= 1 USD and Venue.hole <= 2 USD"))
    text = "Venue.hole > 0 implies Venue.fund >= 1 USD and Venue.hole <= 2 USD"
    implies = ir.Op(ir.Operator.OR, (premise, both), span=at(text))
    low = compare(ir.Operator.LE, of("t'1", "margin"), usd(100), "t.margin <= 100 USD")
    small = ir.Fold(ir.Folding.ALL, "t'1", "Trader", ir.YES, low, span=at("for all t: Trader: t.margin <= 100 USD"))
    nobody_exempt = ir.Fold(ir.Folding.ALL, "t", "Trader", ir.YES, ir.Op(ir.Operator.NOT, (of("t", "exempt"),)))
    by = ir.Expect("refuted", by="short")
    claims = [
        ir.Claim("no_hole", ir.AtRest(), holeless, (by,), text="the house has no hole", span=at("claim no_hole")),
        ir.Claim("funded_when_open", ir.AtRest(), implies, (), span=at("claim funded_when_open")),
        ir.Claim("small", ir.EveryStep(), small, (), span=at("claim small")),
    ]
    reach = ir.Reach("rich", compare(ir.Operator.LT, usd(50), venue("fund"), "Venue.fund > 50 USD"), span=at("reach rich"))
    return ir.System(
        name="Toy",
        text="",
        parties={"Trader": ir.Party("Trader", None), "Venue": ir.Party("Venue", ("Venue",))},
        fields={each.name: each for each in fields},
        actions={"deposit": deposit, "lose": lose},
        duties={"cut": cut},
        assumptions={"plain": ir.Assumption("plain", None, (), nobody_exempt)},
        claims={each.name: each for each in claims},
        reaches={"rich": reach},
        scenarios={"short": short()},
        tables={},
        sources={},
        span=Span(FILE, 0, 0),
    )


def act(action: str, member: int, amount: int, refused: bool = False) -> ir.Act:
    return ir.Act(action, (trader(member), usd(amount)), refused, span=at(f"action {action}"))


def scenario(*lines: ir.Line, name: str = "trial", margins: tuple[int, ...] = (10, 20)) -> ir.Scenario:
    starts = tuple((place("Trader.margin", trader(i)), usd(margin)) for i, margin in enumerate(margins))
    members = (("Trader", ("ann", "bob", "carol")[: len(margins)]),)
    return ir.Scenario(name, members, starts, lines, span=at("rulebook"))


def short() -> ir.Scenario:
    """The scenario that breaks `no_hole`: 40 USD are owed, and 30 are there."""
    hole = compare(ir.Operator.EQ, venue("hole"), usd(10), "Venue.hole")
    return scenario(act("lose", 0, 40), ir.Check(hole), name="short")
