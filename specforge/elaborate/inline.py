"""Writing definitions out: a template with its parameters replaced by what they are called with.

Every binder has a name of its own (`lots'3`), so nothing that is put in can be captured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from specforge.core import ir
from specforge.core.substitute import Mapping_, substitute


class Copier:
    """Copies statements with names replaced, and every name that they bind renamed to a fresh one."""

    def __init__(self, by: Mapping_, fresh: Callable[[str], str]):
        self.by = dict(by)
        self.fresh = fresh

    def expr(self, expr: ir.Expr) -> ir.Expr:
        return substitute(expr, self.by)

    def place(self, place: ir.Place) -> ir.Place:
        index = None if place.index is None else self.expr(place.index)
        return ir.Place(place.field, self.expr(place.member), index, span=place.span)

    def binder(self, name: str) -> str:
        new = self.fresh(name)
        self.by[name] = ir.Var(new)
        return new

    def block(self, block: ir.Block) -> ir.Block:
        return tuple([self.statement(each) for each in block])

    def statement(self, statement: ir.Statement) -> ir.Statement:
        span = statement.span
        match statement:
            case ir.Require(cond):
                return ir.Require(self.expr(cond), span=span)
            case ir.Set(place, value, add):
                return ir.Set(self.place(place), self.expr(value), add, span=span)
            case ir.Move(amount, source, target):
                ends = [None if end is None else self.place(end) for end in (source, target)]
                return ir.Move(self.expr(amount), ends[0], ends[1], span=span)
            case ir.Bind(name, value):
                new = self.expr(value)
                return ir.Bind(self.binder(name), new, span=span)
            case ir.Branch(cond, then, orelse):
                return ir.Branch(self.expr(cond), self.block(then), self.block(orelse), span=span)
            case ir.ForEach(var, party, where, body):
                var = self.binder(var)
                return ir.ForEach(var, party, self.expr(where), self.block(body), span=span)
            case ir.InTurn(turn):
                return ir.InTurn(self.tier(turn), span=span)
            case ir.Collect(asked, tiers, left, rest):
                asked = self.expr(asked)
                tiers = tuple([self.tier(each) for each in tiers])
                if rest is None:
                    return ir.Collect(asked, tiers, left, None, span=span)
                left = self.binder(left)
                return ir.Collect(asked, tiers, left, self.block(rest), span=span)
            case ir.Took(action, args):
                return ir.Took(action, tuple([self.expr(each) for each in args]), span=span)
        assert_never(statement)

    def tier(self, tier: ir.Tier) -> ir.Tier:
        step = None if tier.step is None else self.expr(tier.step)
        var = tier.var if tier.party is None else self.binder(tier.var)
        key = None if tier.key is None else self.expr(tier.key)
        where, cap = self.expr(tier.where), self.expr(tier.cap)
        share = self.binder(tier.share)
        body = self.block(tier.body)
        return ir.Tier(
            var, tier.party, where, cap, tier.policy, key, step, share, body, tier.name, span=tier.span
        )
