"""Counts what each member brought in and took out across the border, wherever the rulebook asks for it.

`brought_in(t, USD)` and `taken_out(t, USD)` are fields that no rule can forget: whatever receives or pays changes them.
"""

from __future__ import annotations

from typing import assert_never

import attrs

from specforge.core import ir
from specforge.elaborate import types, units
from specforge.elaborate.names import Context, Party
from specforge.records import frozen

BROUGHT, TAKEN = "brought_in", "taken_out"


def field(what: str, party: Party, asset: str, context: Context) -> str:
    """The name of the field that counts; it is made the first time it is asked for."""
    full = f"{party.full}.{what}({asset})"
    if full not in context.fields:
        start = _at_the_start(party, asset) if what == BROUGHT else ir.ZERO
        of = types.settled(types.number(units.base(asset)))
        context.fields[full] = ir.Field(full, party.full, of, ir.Kind.PLAIN, start=start, span=party.name.span)
        context.border[what, party.full, asset] = full
    return full


def _at_the_start(party: Party, asset: str) -> ir.Expr:
    """What a member's accounts hold at the start counts as brought in."""
    held: list[ir.Expr] = []
    for each in party.fields.values():
        if each.asset == asset:
            entries = [None] if each.per is None else [ir.Lit(ir.Member(each.per.full, i)) for i in range(len(each.per.listed))]
            held += [ir.Read(each.full, ir.Var("self"), entry, span=each.name.span) for entry in entries]
    total = held[0]
    for each in held[1:]:
        total = ir.Op(ir.Operator.ADD, (total, each), span=party.name.span)
    return total


def counted(context: Context) -> None:
    """Adds the counting to every rule."""
    if context.border:
        count = _Count(context)
        context.actions = {name: attrs.evolve(each, body=count.block(each.body)) for name, each in context.actions.items()}
        context.duties = {name: attrs.evolve(each, body=count.block(each.body)) for name, each in context.duties.items()}


@frozen
class _Count:
    context: Context

    def block(self, block: ir.Block) -> ir.Block:
        return tuple([new for each in block for new in self.statement(each)])

    def statement(self, each: ir.Statement) -> tuple[ir.Statement, ...]:
        match each:
            case ir.Move(_, source, target):
                return self.move(each, source, target)
            case ir.Branch(_, then, orelse):
                return (attrs.evolve(each, then=self.block(then), orelse=self.block(orelse)),)
            case ir.ForEach(body=body):
                return (attrs.evolve(each, body=self.block(body)),)
            case ir.InTurn(turn):
                return (attrs.evolve(each, turn=self.tier(turn)),)
            case ir.Collect(tiers=tiers, rest=rest):
                kept = None if rest is None else self.block(rest)
                return (attrs.evolve(each, tiers=tuple([self.tier(tier) for tier in tiers]), rest=kept),)
            case ir.Require() | ir.Set() | ir.Bind() | ir.Took():
                return (each,)
        assert_never(each)

    def tier(self, tier: ir.Tier) -> ir.Tier:
        return attrs.evolve(tier, body=self.block(tier.body))

    def move(self, move: ir.Move, source: ir.Place | None, target: ir.Place | None) -> tuple[ir.Statement, ...]:
        """The amount is fixed first: what is paid may be what the account holds."""
        if (source is None) == (target is None) or move.span in self.context.minted:
            return (move,)
        place = source or target
        assert place is not None
        moved = self.context.fields[place.field]
        counter = self.context.border.get((BROUGHT if source is None else TAKEN, moved.party, moved.asset))
        if counter is None:
            return (move,)
        name = self.context.fresh("amount")
        amount = ir.Var(name, span=move.amount.span)
        grows = ir.Set(ir.Place(counter, place.member, span=place.span), amount, True, span=move.span)
        return ir.Bind(name, move.amount, span=move.span), grows, attrs.evolve(move, amount=amount)
