"""The small venue (tests/venues/05_small_venue.rulebook) once more, in plain Python, from its text alone.

Deliberately shares nothing with the project: a second reading of the same rules, to find a mistake in our first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


class Rejected(Exception):
    pass


@dataclass
class Account:
    margin: Fraction
    position: Fraction = Fraction(0)
    unsettled: Fraction = Fraction(0)


@dataclass
class SmallVenue:
    accounts: list[Account]
    fund: Fraction
    book: Fraction = Fraction(0)
    inventory: Fraction = Fraction(0)
    bad_debt: Fraction = Fraction(0)
    mark: Fraction = Fraction(100)
    money: Fraction = field(init=False)  # in the house; nothing enters or leaves after the start

    def __post_init__(self) -> None:
        self.money = self.fund + self.book + sum(a.margin + a.unsettled for a in self.accounts)

    def equity(self, who: int) -> Fraction:
        account = self.accounts[who]
        return account.margin + account.position * self.mark + account.unsettled

    def trade(self, buyer: int, seller: int, size: Fraction) -> None:
        if buyer == seller or size <= 0:
            raise Rejected
        for who, sign in ((buyer, 1), (seller, -1)):
            self.accounts[who].position += sign * size
            self.accounts[who].unsettled -= sign * size * self.mark
        if not all(10 * self.equity(who) >= abs(self.accounts[who].position) * self.mark for who in (buyer, seller)):
            for who, sign in ((buyer, 1), (seller, -1)):
                self.accounts[who].position -= sign * size
                self.accounts[who].unsettled += sign * size * self.mark
            raise Rejected

    def mark_moves(self, price: Fraction) -> None:
        if price <= 0:
            raise Rejected
        self.mark = price

    def in_danger(self) -> list[int]:
        return [i for i, a in enumerate(self.accounts) if 20 * self.equity(i) < abs(a.position) * self.mark]

    def round(self, order: list[int]) -> None:
        """A round in which those in danger are closed in this order."""
        for who in order:
            assert who in self.in_danger(), "closed without being in danger"
            account, loss = self.accounts[who], max(-self.equity(who), Fraction(0))
            self.book += account.margin + account.unsettled
            self.inventory += account.position
            self.accounts[who] = Account(Fraction(0))
            paid = min(loss, self.fund)
            self.fund, self.book = self.fund - paid, self.book + paid
            self.bad_debt += loss - paid
        assert not self.in_danger(), "in danger, and left alone"
