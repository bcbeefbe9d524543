"""The CCP default waterfall (tests/venues/12_ccp_waterfall.rulebook) once more, in plain Python, from its text alone.

Deliberately shares nothing with the project: a second reading of the same rules, to find a mistake in our first.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

ZERO = Fraction(0)


class Rejected(Exception):
    pass


@dataclass
class Clearer:
    margin: Fraction = ZERO
    share: Fraction = ZERO
    frozen: Fraction = ZERO
    gain: Fraction = ZERO
    called: Fraction = ZERO
    failed: bool = False


def split(amount: Fraction, caps: list[Fraction], weights: list[Fraction]) -> list[Fraction]:
    """Everybody pays weight times one rate, or the cap if that is less.  The rate at which the whole is paid is found among the
    rates at which somebody's cap begins to bind."""
    able = [(cap / weight, cap, weight) for cap, weight in zip(caps, weights, strict=True) if weight > 0]
    rate = max((bend for bend, _, _ in able), default=ZERO)
    if sum(cap for _, cap, _ in able) > amount:
        rate = ZERO
        for bend in sorted(bend for bend, _, _ in able):
            if sum(min(cap, bend * weight) for _, cap, weight in able) >= amount:
                bound = sum(cap for own, cap, _ in able if own < bend)
                rate = (amount - bound) / sum(weight for own, _, weight in able if own >= bend)
                break
    return [min(cap, rate * weight) if weight > 0 else ZERO for cap, weight in zip(caps, weights, strict=True)]


@dataclass
class Ccp:
    members: list[Clearer]
    skin: Fraction
    cap: Fraction
    money: Fraction
    book: Fraction = ZERO
    torn: Fraction = ZERO

    def join(self, m: int, margin: Fraction, share: Fraction) -> None:
        if margin < 0 or share < 0 or self.members[m].failed:
            raise Rejected
        self.members[m].margin += margin
        self.members[m].share += share
        self.money += margin + share

    def prices_move(self, loser: int, winner: int, amount: Fraction) -> None:
        if loser == winner or amount <= 0 or self.members[loser].failed or self.members[winner].failed:
            raise Rejected
        self.members[loser].gain -= amount
        self.members[winner].gain += amount

    def pay_variation(self, m: int) -> None:
        debt = -self.members[m].gain
        if debt <= 0 or self.members[m].margin < debt:
            raise Rejected
        self.members[m].margin -= debt
        self.members[m].gain = ZERO

    def take_variation(self, m: int, amount: Fraction) -> None:
        if not 0 < amount <= min(self.members[m].gain, self.money):
            raise Rejected
        self.members[m].gain -= amount
        self.members[m].margin += amount

    def default(self, m: int, cost: Fraction) -> None:
        """The default and what the waterfall makes of it."""
        failing = self.members[m]
        if failing.failed or failing.gain >= 0 or cost < 0:
            raise Rejected
        failing.failed = True
        owed = cost - failing.gain
        self.book += cost
        failing.gain = ZERO
        for each in self.members:
            each.frozen, each.called = each.share, ZERO
        survivors = [each for each in self.members if not each.failed]

        own = min(owed, failing.margin)
        failing.margin -= own
        contribution = min(owed - own, failing.share)
        failing.share -= contribution
        house = min(owed - own - contribution, self.skin)
        self.skin -= house
        owed -= own + contribution + house

        frozen = [each.frozen for each in survivors]
        for each, paid in zip(survivors, split(owed, [each.share for each in survivors], frozen), strict=True):
            each.share -= paid
            owed -= paid
        for each, paid in zip(survivors, split(owed, [self.cap * f for f in frozen], frozen), strict=True):
            each.called += paid
            self.money += paid
            owed -= paid
        gains = [max(each.gain, ZERO) for each in survivors]
        for each, paid in zip(survivors, split(owed, gains, gains), strict=True):
            each.gain -= paid
            owed -= paid
        self.book -= owed
        self.torn += owed
