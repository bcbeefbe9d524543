"""Guesses at what always holds, cheapest first: what ledgers guarantee, the claims themselves, signs, guards.

A guess costs nothing but time: only those that hold at the start and are kept by every transition are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specforge.core import ir
from specforge.engines.cases import RULES_MEMBER, Book, no
from specforge.engines.readings import closable, kept_from_text, lines, pairs, phases
from specforge.engines.shapes import (
    YES,
    Op,
    busy,
    conjuncts,
    every,
    guards_of,
    member_fields,
    never_below_zero,
    one_line,
    total,
    variables,
    venue_fields,
)
from specforge.evidence.certificate import Lemma
from specforge.evidence.goal import ClaimGoal


def layers(book: Book, goals: Sequence[ClaimGoal], given: Sequence[tuple[str, ir.Expr]]) -> Iterator[list[Lemma]]:
    """Batches of guesses; a later one is tried only if the earlier ones do not suffice."""
    yield offered(book)
    yield [*ledger(book.system), *constants(book), *claims(book, goals)]
    yield [*kept_from_text(book, given), *signs(book), *flags(book), *pairs(book), *lines(book)]
    yield [*claims(book, goals), *lines(book), *phases(book, goals), *closable(book)]


def offered(book: Book) -> list[Lemma]:
    """What the author wrote down as lemmas: checked like any other guess."""
    lemmas = [claim for claim in book.system.claims.values() if claim.lemma]
    return [Lemma(f"claim {each.name}", each.cond, each.name, "claim") for each in lemmas]


def cheap_layers(book: Book) -> Iterator[list[Lemma]]:
    """Batches of guesses for the free checks: they must not cost more than the claims do."""
    yield offered(book)
    yield [*ledger(book.system), *constants(book)]
    yield own_signs(book)


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
        result += border(system, house)
        result.append(Lemma(f"none {house.name}", ir.Op(Op.EQ, (held, ir.ZERO)), f"{house.name} = 0", "ledger"))
    return result


def border(system: ir.System, house: ir.Field) -> list[Lemma]:
    """What is held is no more than members ever brought in; and what a member has, no more than he did."""
    result: list[Lemma] = []
    for each in system.fields.values():
        if each.short == f"brought_in({house.asset})" and not house.house:
            held = ir.Read(house.name, RULES_MEMBER)
            text = f"{house.name} <= (sum of brought_in(t, {house.asset}) for t: {each.party})"
            result.append(Lemma(text, ir.Op(Op.LE, (held, total(system, each))), text, "ledger"))
            t = ir.Var("t")
            for own in system.fields.values():
                if own.party == each.party and own.asset == house.asset and own.per is None:
                    text = f"for all t: {each.party}: t.{own.short} <= brought_in(t, {house.asset})"
                    fact = ir.Op(Op.LE, (ir.Read(own.name, t), ir.Read(each.name, t)))
                    result.append(Lemma(text, every("t", each.party, fact), text, "ledger"))
    return result


def constants(book: Book) -> list[Lemma]:
    """Fields of the venue that stay where they start; or do unless a parameter has one certain value."""
    result = _constants(book)
    for each in book.system.parameters():
        if not isinstance(each.type, ir.Of):
            continue
        for k, name in enumerate(book.system.parties[each.type.party].members or ()):
            has = ir.Op(Op.EQ, (ir.Read(each.name, RULES_MEMBER), ir.Lit(ir.Member(each.type.party, k))))
            unless = f"unless {each.short} = {name}"
            for lemma in _constants(book):
                guarded = ir.Op(Op.OR, (has, lemma.expr))
                result.append(Lemma(f"{lemma.name} {unless}", guarded, f"{lemma.text}, {unless}", lemma.why))
    return result


def _constants(book: Book) -> list[Lemma]:
    result: list[Lemma] = []
    for each in book.system.fields.values():
        party = book.system.parties.get(each.party)
        if party is None or party.members is None or each.per or ":" in each.name:
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


def signs(book: Book) -> list[Lemma]:
    """The sign of one quantity of the venue, or of one sum; and of sums and differences of two in the same unit."""
    result = []
    sums: list[tuple[str, ir.Field, ir.Expr]] = []
    for place, each, read in venue_fields(book):
        if isinstance(each.type, ir.Number) and each.name in book.written:
            if not never_below_zero(each):
                result.append(Lemma(f"{place} >= 0", ir.Op(Op.LE, (ir.ZERO, read)), f"{place} >= 0", "sign"))
            result.append(Lemma(f"{place} <= 0", ir.Op(Op.LE, (read, ir.ZERO)), f"{place} <= 0", "sign"))
            sums.append((place, each, read))
    for each in member_fields(book):
        if each.kind is ir.Kind.NET:
            text, value = f"(sum of t.{each.short} for t: {each.party})", total(book.system, each)
            result.append(Lemma(f"{text} >= 0", ir.Op(Op.LE, (ir.ZERO, value)), f"{text} >= 0", "sign"))
            result.append(Lemma(f"{text} <= 0", ir.Op(Op.LE, (value, ir.ZERO)), f"{text} <= 0", "sign"))
            for place, other, read in sums:
                if other.kind is ir.Kind.NET and other.asset == each.asset and other.house == each.house:
                    for op, sign in ((Op.ADD, "+"), (Op.SUB, "-")):
                        both = ir.Op(op, (value, read))
                        for low, high, way in ((ir.ZERO, both, ">="), (both, ir.ZERO, "<=")):
                            words = f"{text} {sign} {place} {way} 0"
                            result.append(Lemma(words, ir.Op(Op.LE, (low, high)), words, "two signs"))
    return result


def never(book: Book, rules: Sequence[str]) -> list[Lemma]:
    """That nobody is ever due, or part of what makes him so; that a guard of the venue never lets anything pass; and that an
    action was never taken."""
    result: list[Lemma] = []
    for name in rules:
        duty, action = book.system.duties.get(name), book.system.actions.get(name)
        guards = conjuncts(duty.when) if duty is not None else guards_of(action.body) if action is not None else []
        if duty is not None and len(guards) > 1:
            guards = [duty.when, *guards]
        for guard in guards:
            params = [each for each in (duty.params if duty is not None else ()) if each.name in variables(guard)]
            if variables(guard) <= {each.name for each in params}:
                fact = no(guard)
                for param in reversed(params):
                    fact = every(param.name, param.type.party, fact)  # type: ignore[union-attr]
                text = f"never: {one_line(guard)}"
                result.append(Lemma(text, fact, text, "never"))
        if f"by:{name}" in book.system.fields:
            text = f"{name} is never taken"
            result.append(Lemma(text, no(ir.Read(f"by:{name}", RULES_MEMBER)), text, "never"))
    return result


def own_signs(book: Book) -> list[Lemma]:
    """What a member keeps by hand, without a bound, is not below zero."""
    result = []
    for each in member_fields(book):
        plain = each.kind is ir.Kind.PLAIN and isinstance(each.type, ir.Number)
        if plain and each.name in book.written and not never_below_zero(each):
            text = f"for all t: {each.party}: t.{each.short} >= 0"
            fact = ir.Op(Op.LE, (ir.ZERO, ir.Read(each.name, ir.Var("t"))))
            result.append(Lemma(text, every("t", each.party, fact), text, "sign"))
    return result


def flags(book: Book) -> list[Lemma]:
    """What a member's yes/no field says of the signs of its other fields, always or outside settling."""
    result = []
    members = list(member_fields(book))
    for flag in members:
        if not isinstance(flag.type, ir.Flag):
            continue
        for each in members:
            if each.party != flag.party or not isinstance(each.type, ir.Number) or each.name not in book.written:
                continue
            m = ir.Var("t")
            is_, value = ir.Read(flag.name, m), ir.Read(each.name, m)
            for cond, way in (
                (ir.Op(Op.EQ, (value, ir.ZERO)), "= 0"),
                (ir.Op(Op.LE, (value, ir.ZERO)), "<= 0"),
                (ir.Op(Op.LE, (ir.ZERO, value)), ">= 0"),
            ):
                for always, when in ((True, ""), (False, " outside settling")):
                    body = ir.Op(Op.OR, (*(() if always else busy(book)), no(is_), cond))
                    if always or busy(book):
                        text = f"for all t: {flag.party}: t.{flag.short} implies t.{each.short} {way}{when}"
                        result.append(Lemma(text, ir.Fold(ir.Folding.ALL, "t", flag.party, YES, body), text, "flag"))
    return result
