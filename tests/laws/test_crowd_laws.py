"""The laws that the any-number prover relies on, proved: one more member keeps each of them; and tried: on random members, to
whom the exact interpreter does what the law is about."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import z3
from attrs import evolve
from quicktions import Fraction

from specforge.algebra import laws
from specforge.algebra.exact import ExactMachine, share_out
from specforge.algebra.laws import Law, Sum
from specforge.algebra.polynomial import Poly
from specforge.algebra.symbolic import as_term, conj
from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.engines.induction import prove
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal

LAWS = (*(each.one_more() for each in laws.SUMS), *laws.LAWS)


def unknowns(count: int) -> list[Poly]:
    return [Poly.atom(z3.Real(f"x{k}")) for k in range(count)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_what_is_given_makes_it_so(law: Law) -> None:
    """Of a sum: one more member keeps it."""
    values, solver = unknowns(law.unknowns), z3.Solver()
    solver.add(*map(as_term, law.given(*values)))
    assert solver.check() == z3.sat, "it is about something"
    solver.add(z3.Not(as_term(law.then(*values))))
    assert solver.check() == z3.unsat


@pytest.mark.parametrize("law", laws.SUMS, ids=lambda law: law.name)
def test_it_holds_of_nobody(law: Sum) -> None:
    assert law.of_nobody(*unknowns(law.common)) is True


@pytest.mark.parametrize("law", laws.SUMS, ids=lambda law: law.name)
def test_what_is_known_of_one_member_makes_it_so_of_him_alone(law: Sum) -> None:
    values, solver = unknowns(law.common + law.summed), z3.Solver()
    one = [Poly.of(Fraction(1))] if law.counts else []
    solver.add(*map(as_term, (law.each or law.of)(*values, *one)))
    assert solver.check() == z3.sat
    solver.add(z3.Not(as_term(conj(law.of(*values, *one)))))
    assert solver.check() == z3.unsat


def tier(policy: ir.Policy) -> ir.Tier:
    return ir.Tier("w", "P", ir.YES, ir.ONE, policy, ir.ONE, None, "x", ())


@pytest.mark.parametrize("policy", list(ir.Policy))
def test_what_the_interpreter_shares_out_obeys_the_laws(policy: ir.Policy) -> None:
    rng = random.Random(5)
    for _ in range(300):
        count = rng.randint(1, 7)
        caps = [Fraction(rng.randint(0, 6), rng.randint(1, 3)) for _ in range(count)]
        keys = [Fraction(rng.randint(0, 3)) for _ in range(count)]
        asked = Fraction(rng.randint(0, 20), rng.randint(1, 3))
        pick = lambda choice: rng.randrange(len(choice.options))  # noqa: E731
        shares = share_out(tier(policy), asked, range(count), caps, keys, None, pick)
        weighted = [cap if policy is not ir.Policy.PROPORTION or key > 0 else 0 for cap, key in zip(caps, keys, strict=True)]
        assert all(0 <= x <= cap for x, cap in zip(shares, weighted, strict=True))
        assert sum(shares) == min(asked, sum(weighted))
        if policy is ir.Policy.PROPORTION:
            rates = [x / key for x, cap, key in zip(shares, weighted, keys, strict=True) if key > 0 and x < cap]
            assert len(set(rates)) <= 1
            assert all(x <= rate * key for rate in rates for x, key in zip(shares, keys, strict=True))
        else:
            assert sum(0 < x < cap for x, cap in zip(shares, caps, strict=True)) <= 1
        if policy in (ir.Policy.HIGHEST, ir.Policy.LOWEST):
            way = 1 if policy is ir.Policy.HIGHEST else -1
            for x, cap, key in zip(shares, caps, keys, strict=True):
                for y, worse in zip(shares, keys, strict=True):
                    assert not (way * key > way * worse and y > 0 and x < cap)


# ---------------------------------------------------------------- each law on random members


BOOK = """\
rulebook "Class" "Members of a class, and one more."
party Member:
    x: number = 0
party Desk, one:
    gains: number = 0
    total: number = 0
    heads: number = 0
action change(a: number, c: number):
    for each m: Member:
        m.x := a * m.x + c
action look:
    Desk.gains := (sum of max(m.x, 0) for m: Member)
    Desk.total := (sum of m.x for m: Member)
    Desk.heads := (count of m: Member)
"""
Values = tuple[Any, ...]


class Class:
    """Some members with values of one sign, or of any; `s` and `n`: the sum and number of all but the last, `x`: the last."""

    def __init__(self, rng: random.Random, signs: Sequence[int] = (-1, 1), least: int = 0, nobody: bool = False):
        sign, low = rng.choice(signs), 0 if nobody else 1
        self.xs = [Fraction(sign * rng.randint(least, 6), rng.randint(1, 3)) for _ in range(rng.randint(low, 5) + 1)]
        system, problems = compile_text(BOOK)
        assert isinstance(system, ir.System), problems
        self.machine = ExactMachine(system, {"Member": len(self.xs)})
        self.machine.begin({("Member.x", at, 0): x for at, x in enumerate(self.xs)})

    def told(self, name: str) -> Fraction:
        self.machine.act("look", ())
        return self.machine.save()["Desk." + name, 0, 0]

    @property
    def now(self) -> list[Fraction]:
        return [self.machine.save()["Member.x", at, 0] for at in range(len(self.xs))]

    @property
    def x(self) -> Fraction:
        return self.now[-1]

    @property
    def s(self) -> Fraction:
        return self.told("total") - self.x

    @property
    def n(self) -> Fraction:
        return self.told("heads") - 1


def signs(rng: random.Random) -> Values:
    a = rng.choice((-1, 1))
    made = Class(rng, (a,), nobody=True)
    return a * made.s, a * made.x


def zero(rng: random.Random) -> Values:
    made = Class(rng, (0,), nobody=True)
    return made.s, made.x


def strict(rng: random.Random) -> Values:
    made = Class(rng, (1,), least=1, nobody=True)
    return made.s, made.x, made.n


def linear(rng: random.Random) -> Values:
    made = Class(rng, nobody=True)
    a, c, s, x = Fraction(rng.randint(-3, 3)), Fraction(rng.randint(-3, 3), 2), made.s, made.x
    n = made.n
    made.machine.act("change", (a, c))
    return a, c, s, n, x, made.s, made.x


def larger(rng: random.Random) -> Values:
    made = Class(rng, nobody=True)
    up = max(made.x, Fraction(0))
    return made.s, made.told("gains") - up, made.x, up


def nothing_given(rng: random.Random) -> Values:
    made = Class(rng)
    before, b, share = made.x, Fraction(rng.randint(-3, 3)), Fraction(0)
    made.machine.act("change", (Fraction(1), b * share))
    assert made.x == before
    return before, b, share


def somebody(rng: random.Random) -> Values:
    made = Class(rng, (1,), least=0, nobody=True)
    return made.s, made.x, made.n


class Shared:
    """What the interpreter's `collect` makes of random caps and weights; the last member apart."""

    def __init__(
        self, rng: random.Random, policy: ir.Policy = ir.Policy.PROPORTION, asked: Fraction | None = None,
        kappa: Fraction | None = None, twins: bool = False,
    ):  # fmt: skip
        count = rng.randint(2, 6)
        self.weights = [Fraction(rng.randint(1, 4)) for _ in range(count)]
        self.caps = [Fraction(rng.randint(1, 6), rng.randint(1, 3)) for _ in range(count)]
        if kappa is not None:
            self.caps = [kappa * each for each in self.weights]
        if twins:
            self.weights[0], self.caps[0] = self.weights[-1], self.caps[-1]
        self.asked = Fraction(rng.randint(0, 20), rng.randint(1, 3)) if asked is None else asked
        self.picks = lambda choice: rng.randrange(len(choice.options))
        self.policy = policy
        self.shares = self.share(self.asked)

    def share(self, asked: Fraction, step: Fraction | None = None) -> list[Any]:
        return share_out(tier(self.policy), asked, range(len(self.caps)), self.caps, self.weights, step, self.picks)

    def rate(self, shares: Sequence[Any]) -> Fraction:
        """The common rate: of whoever is not at the cap; of those who all are, the highest."""
        rates = [x / w for x, w, cap in zip(shares, self.weights, self.caps, strict=True) if x < cap]
        return rates[0] if rates else max(x / w for x, w in zip(shares, self.weights, strict=True))


def within(rng: random.Random) -> Values:
    made = Shared(rng, rng.choice(list(ir.Policy)))
    return sum(made.shares[:-1]), sum(made.caps[:-1]), made.shares[-1], made.caps[-1]


def common(rng: random.Random) -> Values:
    made = Shared(rng, kappa=Fraction(100))
    return made.rate(made.shares), sum(made.shares[:-1]), sum(made.weights[:-1]), made.shares[-1], made.weights[-1]


def unstopped(rng: random.Random) -> Values:
    kappa = Fraction(rng.randint(1, 6), 2)
    made = Shared(rng, kappa=kappa)
    rate = made.rate(made.shares)
    assert all(x == min(kappa, rate) * w for x, w in zip(made.shares, made.weights, strict=True))
    return kappa, rate, made.weights[-1]


def higher(rng: random.Random) -> Values:
    made = Shared(rng)
    more = made.asked + rng.randint(0, 5)
    low, high = made.rate(made.shares), made.rate(made.share(more))
    assert all(x <= y for x, y in zip(made.shares, made.share(more), strict=True))
    return made.caps[-1], made.weights[-1], low, high


def twins(rng: random.Random) -> Values:
    made = Shared(rng, twins=True)
    rate = made.rate(made.shares)
    return rate, made.caps[0], made.weights[0], made.shares[0], made.caps[-1], made.weights[-1], made.shares[-1]


def all_needed(rng: random.Random) -> Values:
    made = Shared(rng, rng.choice(list(ir.Policy)), asked=Fraction(1000))
    return sum(made.shares[:-1]), sum(made.caps[:-1]), made.shares[-1], made.caps[-1]


def none_asked(rng: random.Random) -> Values:
    made = Shared(rng, rng.choice(list(ir.Policy)), asked=Fraction(0))
    return sum(made.shares[:-1]), made.shares[-1]


def in_order(rng: random.Random) -> Values:
    """A better one and a worse one who gives something."""
    while True:
        made = Shared(rng, ir.Policy.HIGHEST)
        giving = [at for at, x in enumerate(made.shares) if x > 0]
        if not giving:
            continue
        worse = min(giving, key=lambda at: made.weights[at])
        better = max(giving, key=lambda at: made.weights[at])
        if made.weights[better] > made.weights[worse]:
            limit = made.weights[worse]
            one, other = ((made.weights[at], made.shares[at], made.caps[at]) for at in (better, worse))
            return limit, *one, other[0], other[1], other[2]


def in_part(rng: random.Random) -> Values:
    """Two who are asked one after the other, and what is left when the first of them is."""
    while True:
        made = Shared(rng, ir.Policy.HIGHEST)
        order = sorted(range(len(made.weights)), key=lambda at: -made.weights[at])
        first, second = sorted(rng.sample(range(len(order)), 2))
        left = made.asked - sum(made.shares[at] for at in order[:first])
        between = sum(made.shares[at] for at in order[first + 1 : second])
        if len(set(made.weights)) == len(made.weights):
            one, other = order[first], order[second]
            return left, made.shares[one], made.caps[one], between, made.shares[other], made.caps[other]


def rounded(rng: random.Random) -> Values:
    made, step = Shared(rng), Fraction(1, rng.randint(1, 3))
    lost = [x - y for x, y in zip(made.shares, made.share(made.asked, step), strict=True)]
    return step, sum(lost[:-1]), lost[-1], len(lost) - 1


SAMPLES: dict[str, Callable[[random.Random], Values]] = {
    "signs add up": signs,
    "nothing adds up to nothing": zero,
    "strict signs add up": strict,
    "linear changes add up": linear,
    "the larger of two splits by class": larger,
    "shares stay within caps": within,
    "a common rate adds up": common,
    "caps that are the weights times something stop nobody": unstopped,
    "a higher rate takes no less from anybody": higher,
    "alike means alike": twins,
    "when all caps are needed, everybody is at the cap": all_needed,
    "when nothing is asked, nobody is touched": none_asked,
    "one after the other": in_order,
    "only one gives in part": in_part,
    "rounding down loses less than a step each": rounded,
    "whoever gives nothing changes nothing": nothing_given,
    "some member, if any": somebody,
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_what_the_interpreter_does_to_random_members_obeys_the_law(law: Law) -> None:
    rng = random.Random(7)
    for _ in range(60):
        values = [Poly.of(Fraction(each)) for each in SAMPLES[law.name](rng)]
        assert len(values) == law.unknowns
        assert all(given is True for given in law.given(*values)), "the law is about what was done"
        assert law.then(*values) is True


# ---------------------------------------------------------------- the prover knows no others

TIER = """\
rulebook "Tier" "Each gives something, up to a cap."
party Member:
    cap: number at least 0
    gift: number = 0
action ask(amount: number):
    require amount >= 0
    for each m: Member:
        m.gift := 0
    collect amount:
        taking share from each m: Member up to m.cap in any order:
            m.gift += share
        rest left:
            nothing
claim within "nobody gives more than the cap":
    for all m: Member: m.gift <= m.cap
claim half "nobody gives more than half of it":
    for all m: Member: 2 * m.gift <= m.cap
"""


def proved() -> set[str]:
    system, problems = compile_text(TIER)
    assert isinstance(system, ir.System), problems
    outcomes = prove(system, [ClaimGoal(claim) for claim in system.claims.values()])
    return {goal.name for goal, outcome in outcomes.items() if isinstance(outcome, Proved)}


def test_what_is_proved_is_what_the_laws_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proved() == {"within"}
    within = laws.WITHIN.of
    with monkeypatch.context() as wrong:
        wrong.setattr(laws, "WITHIN", evolve(laws.WITHIN, of=lambda share, cap: within(share + share, cap)))
        assert proved() == {"within", "half"}, "a false law proves what is false"
    with monkeypatch.context() as missing:
        missing.setattr(laws, "WITHIN", evolve(laws.WITHIN, of=lambda share, cap: (True, True)))
        assert proved() == set()
