"""Guesses at what always holds, cheapest first: what ledgers guarantee, the claims themselves, signs, guards.

A guess costs nothing but time: only those that hold at the start and are kept by every transition are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specforge.core import ir
from specforge.engines.transitions import RULES_MEMBER, Book, no
from specforge.evidence.certificate import Lemma
from specforge.evidence.goal import ClaimGoal

Op = ir.Operator
YES = ir.YES


def layers(book: Book, goals: Sequence[ClaimGoal], given: Sequence[tuple[str, ir.Expr]]) -> Iterator[list[Lemma]]:
    """Batches of guesses; a later one is tried only if the earlier ones do not suffice."""
    yield []
    yield [*ledger(book.system), *constants(book), *claims(book, goals)]


def total(system: ir.System, each: ir.Field) -> ir.Expr:
    """What stands on all accounts that the field describes, over all members (and all of `per`)."""
    member = ir.Var("m")
    where = RULES_MEMBER if each.party == ir.RULES else member
    read: ir.Expr = ir.Read(each.name, where, ir.Var("k") if each.per else None)
    if each.per:
        read = ir.Fold(ir.Folding.SUM, "k", each.per, YES, read)
    if each.party == ir.RULES:
        return read
    return ir.Fold(ir.Folding.SUM, "m", each.party, YES, read)


def ledger(system: ir.System) -> list[Lemma]:
    """The house: what is held of an asset is what stands on all its accounts.  And: what nobody brings in adds up to zero."""
    result = []
    for house in system.fields.values():
        if house.kind is not ir.Kind.HOUSE:
            continue
        accounts = [
            each
            for each in system.fields.values()
            if each.kind in (ir.Kind.BALANCE, ir.Kind.NET) and ir.holdings_field(each.house, each.asset) == house.name
        ]
        held = ir.Read(house.name, RULES_MEMBER)
        parts: ir.Expr | None = None
        for each in accounts:
            parts = total(system, each) if parts is None else ir.Op(Op.ADD, (parts, total(system, each)))
        if parts is not None:
            text = f"{house.name} = the sum of all its accounts"
            result.append(Lemma(f"house {house.name}", ir.Op(Op.EQ, (held, parts)), text, "ledger"))
        result.append(Lemma(f"none {house.name}", ir.Op(Op.EQ, (held, ir.ZERO)), f"{house.name} = 0", "ledger"))
    return result


def constants(book: Book) -> list[Lemma]:
    """Fields of the venue that stay where they start."""
    result = []
    for each in book.system.fields.values():
        party = book.system.parties.get(each.party)
        if party is None or party.members is None or each.per or each.kind in (ir.Kind.PARAMETER, ir.Kind.HOUSE):
            continue
        for index, name in enumerate(party.members):
            member = ir.Lit(ir.Member(party.name, index))
            place = f"{party.name if len(party.members) == 1 else name}.{each.short}"
            read = ir.Read(each.name, member)
            if isinstance(each.type, ir.Flag) and isinstance(each.start, ir.Lit):
                fact, text = (read, place) if each.start.value else (no(read), f"not {place}")
                result.append(Lemma(f"stays {place}", fact, text, "constant"))
            elif isinstance(each.type, ir.Number) and (each.start is not None or each.kind is ir.Kind.NET):
                start = each.start or ir.ZERO
                if not any(isinstance(node, ir.Var) for node in ir.walk(start)):
                    text = f"{place} stays at its start"
                    result.append(Lemma(f"stays {place}", ir.Op(Op.EQ, (read, start)), text, "constant"))
    return result


def claims(book: Book, goals: Sequence[ClaimGoal]) -> list[Lemma]:
    """The claims themselves, in every state; and while the duties of an action are not yet done, weakened."""
    result = []
    for goal in goals:
        claim = goal.claim
        if any(isinstance(node, ir.Old) for node in ir.walk(claim.cond)):
            continue
        if isinstance(claim.moment, ir.After) and claim.moment.params:
            continue
        result.append(Lemma(f"claim {claim.name}", claim.cond, claim.name, "claim"))
        busy = [name for name in book.system.fields if name.startswith("by:") and book.listening({name[3:]})]
        if busy:
            settling = tuple(ir.Read(name, RULES_MEMBER) for name in busy)
            text = f"{claim.name}, outside the settling of {', '.join(name[3:] for name in busy)}"
            result.append(Lemma(f"rested {claim.name}", ir.Op(Op.OR, (*settling, claim.cond)), text, "claim"))
    return result
