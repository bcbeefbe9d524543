"""Guesses at what always holds, cheapest first: what ledgers guarantee, the claims themselves, signs, guards.

A guess costs nothing but time: only those that hold at the start and are kept by every transition are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

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
    yield [*kept_from_text(book, given), *signs(book), *flags(book), *pairs(book), *lines(book)]
    yield [*claims(book, goals), *lines(book), *phases(book, goals), *closable(book)]


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


def busy(book: Book) -> tuple[ir.Expr, ...]:
    """The settling of some action to which a duty listens is on."""
    return tuple(ir.Read(name, RULES_MEMBER) for name in book.system.fields if name.startswith("by:") and book.listening({name[3:]}))


def venue_fields(book: Book) -> Iterator[tuple[str, ir.Field, ir.Expr]]:
    """The fields of parties with a closed list, one by one, as the text writes them."""
    for each in book.system.fields.values():
        party = book.system.parties.get(each.party)
        if party is not None and party.members is not None and not each.per and ":" not in each.name:
            for index, name in enumerate(party.members):
                place = f"{party.name if len(party.members) == 1 else name}.{each.short}"
                yield place, each, ir.Read(each.name, ir.Lit(ir.Member(party.name, index)))


def member_fields(book: Book) -> Iterator[ir.Field]:
    for each in book.system.fields.values():
        party = book.system.parties.get(each.party)
        if party is not None and party.members is None and not each.per and ":" not in each.name:
            yield each


def never_below_zero(each: ir.Field) -> bool:
    low = ir.ZERO if each.low is None and each.kind in (ir.Kind.BALANCE, ir.Kind.HOUSE) else each.low
    return isinstance(low, ir.Lit) and low.value >= 0  # type: ignore[operator]


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


def conjuncts(expr: ir.Expr) -> list[ir.Expr]:
    if isinstance(expr, ir.Op) and expr.op is Op.AND:
        return [each for arg in expr.args for each in conjuncts(arg)]
    return [expr]


def variables(expr: ir.Expr) -> set[str]:
    bound = {node.var for node in ir.walk(expr) if isinstance(node, ir.Fold)} | {
        node.name for node in ir.walk(expr) if isinstance(node, ir.Let)
    }
    return {node.name for node in ir.walk(expr) if isinstance(node, ir.Var)} - bound


def replaced(expr: object, name: str, by: ir.Expr) -> object:
    """`expr` with the local name replaced (no binder of that name inside)."""
    if isinstance(expr, ir.Var):
        return by if expr.name == name else expr
    if isinstance(expr, tuple):
        return tuple(replaced(each, name, by) for each in expr)
    if attrs.has(type(expr)):
        changes = {
            a.name: replaced(getattr(expr, a.name), name, by)
            for a in attrs.fields(type(expr))
            if isinstance(getattr(expr, a.name), tuple | ir.Op | ir.Var | ir.Read | ir.If | ir.Let | ir.Fold | ir.Old)
        }
        return attrs.evolve(expr, **changes) if changes else expr
    return expr


def guards_of(block: ir.Block) -> list[ir.Expr]:
    return [each for node in block if isinstance(node, ir.Require) for each in conjuncts(node.cond)]


def kept_from_text(book: Book, given: Sequence[tuple[str, ir.Expr]]) -> list[Lemma]:
    """What a sentence required or assumed when it set a field of the venue holds for as long as the field keeps that value."""
    result = []
    system = book.system
    del given
    for action in system.actions.values():
        conditions = [*guards_of(action.body)]
        for each in system.assumptions.values():
            if each.action == action.name:
                conditions += [c for c in conjuncts(_as(each, action))]
        for node in ir.walk(action.body):
            if not isinstance(node, ir.Set) or node.add or not isinstance(node.place.member, ir.Lit):
                continue
            each = system.fields[node.place.field]
            if each.start is None or each.per:
                continue
            read = ir.Read(each.name, node.place.member)
            unset = ir.Op(Op.EQ, (read, each.start))
            name = f"{each.name} as set by {action.name}"
            if f"by:{action.name}" in system.fields:
                by = ir.Read(f"by:{action.name}", RULES_MEMBER)
                result.append(Lemma(f"{name} settled", ir.Op(Op.OR, (unset, by)), f"{each.name} is only set while {action.name} settles", "set"))
            for at, cond in enumerate(conditions):
                if isinstance(node.value, ir.Var):
                    cond = replaced(cond, node.value.name, read)
                if not variables(cond):  # type: ignore[arg-type]
                    result.append(Lemma(f"{name} {at}", ir.Op(Op.OR, (unset, cond)), f"{name}: what was required then", "set"))  # type: ignore[arg-type]
    return result


def _as(assumption: ir.Assumption, action: ir.Action) -> ir.Expr:
    cond: object = assumption.cond
    for mine, theirs in zip(assumption.params, action.params, strict=False):
        cond = replaced(cond, mine, ir.Var(theirs.name))
    return cond  # type: ignore[return-value]


def pairs(book: Book) -> list[Lemma]:
    """While somebody is due: what the action that made him due wrote into everybody's fields still stands; and he is alone."""
    result = []
    for duty in book.system.duties.values():
        if len(duty.params) != 1 or not duty.after:
            continue
        party = duty.params[0].type.party  # type: ignore[union-attr]
        d = ir.Var("d")
        due = ir.Op(Op.AND, (book.listens(duty), replaced(duty.when, duty.params[0].name, d)))  # type: ignore[arg-type]
        e = ir.Op(Op.AND, (book.listens(duty), replaced(duty.when, duty.params[0].name, ir.Var("e"))))  # type: ignore[arg-type]
        same = ir.Op(Op.EQ, (d, ir.Var("e")))
        alone = ir.Op(Op.OR, (same, no(due), no(e)))
        text = f"at most one is due for {duty.name}"
        result.append(Lemma(text, every("d", party, every("e", party, alone)), text, "pair"))
        for name in duty.after:
            for node in book.system.actions[name].body:
                if not isinstance(node, ir.ForEach) or node.where != YES:
                    continue
                for each in node.body:
                    if isinstance(each, ir.Set) and not each.add and each.place.member == ir.Var(node.var) and variables(each.value) <= {node.var}:
                        w = ir.Var("w")
                        now = ir.Read(each.place.field, w)
                        kept = ir.Op(Op.EQ, (now, replaced(each.value, node.var, w)))  # type: ignore[arg-type]
                        text = f"while somebody is due for {duty.name}, {each.place.field} is as {name} set it"
                        body = ir.Op(Op.OR, (no(due), kept))
                        result.append(Lemma(text, every("d", party, every("w", node.party, body)), text, "pair"))
    return result


def lines(book: Book) -> list[Lemma]:
    """The lines that duties watch: outside settling nobody is over one; and what must not fall below it is not below zero, at
    today's figures, or at those with which the settling began."""
    result = []
    for duty in book.system.duties.values():
        if len(duty.params) != 1:
            continue
        party = duty.params[0].type.party  # type: ignore[union-attr]
        t = duty.params[0].name
        due = duty.when
        text = f"nobody is due for {duty.name} outside settling"
        result.append(Lemma(text, every(t, party, ir.Op(Op.OR, (*busy(book), no(due)))), text, "line"))
        for cond in conjuncts(due):
            if not (isinstance(cond, ir.Op) and cond.op is Op.LT):
                continue
            value = cond.args[0]
            others = tuple(no(each) for each in conjuncts(due) if each is not cond)
            for was in (False, True):
                low = as_it_was(book, value) if was else value
                if was and low == value:
                    continue
                fact = ir.Op(Op.LE, (ir.ZERO, low))
                text = f"for all {t}: {party}: {one_line(value)} >= 0" + (", at the figures with which the settling began" if was else "")
                result.append(Lemma(text, every(t, party, ir.Op(Op.OR, (*others, fact)) if others else fact), text, "line"))
                if not was:
                    body = ir.Op(Op.OR, (*busy(book), *others, fact))
                    result.append(Lemma(text + " outside settling", every(t, party, body), text + ", outside settling", "line"))
    return result


def phases(book: Book, goals: Sequence[ClaimGoal]) -> list[Lemma]:
    """Claims and lines again, suspended while a flag of the venue is up or down, or while one action settles."""
    result = []
    formulas: list[tuple[str, str, ir.Expr]] = []
    for goal in goals:
        claim = goal.claim
        if not any(isinstance(node, ir.Old) for node in ir.walk(claim.cond)) and not variables(claim.cond):
            formulas.append((claim.name, "", claim.cond))
    for duty in book.system.duties.values():
        if len(duty.params) == 1:
            formulas.append((f"nobody is due for {duty.name}", duty.params[0].name, no(duty.when)))
    guards: list[tuple[str, ir.Expr]] = []
    for place, each, read in venue_fields(book):
        if isinstance(each.type, ir.Flag) and each.name in book.written:
            guards += [(place, read), (f"not {place}", no(read))]
    settling = [(f"{read.field[3:]} settles", read) for read in busy(book) if isinstance(read, ir.Read)]  # type: ignore[union-attr]
    for name, var, cond in formulas:
        for while_, phase in (("", None), *settling):
            for unless, guard in (("", None), *guards):
                if guard is None and phase is None:
                    continue
                parts = tuple(each for each in (phase, guard, cond) if each is not None)
                text = f"{name}, except while {' or '.join(each for each in (while_, unless) if each)}"
                body: ir.Expr = ir.Op(Op.OR, parts)
                party = next((d.params[0].type.party for d in book.system.duties.values() if d.params and d.params[0].name == var), "")  # type: ignore[union-attr]
                result.append(Lemma(text, every(var, party, body) if var else body, text, "phase"))
    return result


def absolute_of(expr: ir.Expr) -> ir.Expr | None:
    """x, if the expression is abs(x)."""
    match expr:
        case ir.If(ir.Op(Op.LT, (x, zero)), _, y) if zero == ir.ZERO and x == y:
            return x
    return None


def closable(book: Book) -> list[Lemma]:
    """Whoever can be made to close against the venue can afford the price; and the venue's hole is never deeper than the margin
    that a newcomer must bring.  (The weakest conditions under which closing at the venue's price leaves nobody below zero: of
    the share, its cap; of the newcomer's worth, what is required.)"""
    result = []
    system = book.system
    for duty in system.duties.values():
        worth = [c.args[0] for c in conjuncts(duty.when) if isinstance(c, ir.Op) and c.op is Op.LT and c.args[1] == ir.ZERO]
        worth = [each for each in worth if not variables(each)]
        for collect in ir.walk(duty.body):
            if not isinstance(collect, ir.Collect) or not worth:
                continue
            held = absolute_of(collect.asked)
            for tier in collect.tiers:
                for cond in conjuncts(tier.where):
                    match cond:
                        case ir.Op(Op.LT, (ir.Op(Op.MUL, (ir.Read() as own, other)), zero)) if other == held and zero == ir.ZERO:
                            result += _closable(system, worth[0], held, own, tier)
    return result


def _closable(system: ir.System, worth: ir.Expr, held: ir.Expr, own: ir.Read, tier: ir.Tier) -> list[Lemma]:
    result = []
    how_much = _abs(held)
    seen: list[ir.Expr] = []
    for action in system.actions.values():
        for cond in guards_of(action.body):
            if not (isinstance(cond, ir.Op) and cond.op is Op.LE):
                continue
            least, value = cond.args
            for node in ir.walk(least):
                inner = absolute_of(node) if isinstance(node, ir.If) else None
                if not isinstance(inner, ir.Read) or inner.field != own.field or not isinstance(inner.member, ir.Var):
                    continue
                per_one = _with_one(least, node)
                if variables(per_one) or variables(value) != {inner.member.name} or per_one in seen:
                    continue
                seen.append(per_one)
                deep = ir.Op(Op.LE, (ir.ZERO, ir.Op(Op.ADD, (worth, ir.Op(Op.MUL, (per_one, how_much))))))
                text = f"{one_line(worth)} + {one_line(least)}, for what the venue holds, is not below zero"
                result.append(Lemma(text, deep, text, "weakest condition"))
                e = replaced(value, inner.member.name, ir.Var("t"))
                p = ir.Read(own.field, ir.Var("t"))
                opposed = ir.Op(Op.LT, (ir.Op(Op.MUL, (p, held)), ir.ZERO))
                afford = ir.Op(Op.ADD, (ir.Op(Op.MUL, (e, how_much)), ir.Op(Op.MUL, (worth, _abs(p)))))  # type: ignore[arg-type]
                text = f"whoever can be made to close against the venue can afford the price ({tier.name})"
                body = ir.Op(Op.OR, (no(opposed), ir.Op(Op.LE, (ir.ZERO, afford))))
                result.append(Lemma(text, every("t", tier.party or "", body), text, "weakest condition"))
    return result


def _abs(x: ir.Expr) -> ir.Expr:
    return ir.If(ir.Op(Op.LT, (x, ir.ZERO)), ir.Op(Op.SUB, (ir.ZERO, x)), x)


def _with_one(expr: ir.Expr, node: object) -> ir.Expr:
    """The product without one of its factors."""
    if expr is node:
        return ir.ONE
    if isinstance(expr, ir.Op) and expr.op is Op.MUL:
        return attrs.evolve(expr, args=tuple(_with_one(each, node) for each in expr.args))
    return expr


def as_it_was(book: Book, expr: object) -> ir.Expr:
    """The same, with the venue's figures as they were when the settling began."""
    if isinstance(expr, ir.Read) and f"was:{expr.field}" in book.system.fields:
        return attrs.evolve(expr, field=f"was:{expr.field}")
    if isinstance(expr, tuple):
        return tuple(as_it_was(book, each) for each in expr)  # type: ignore[return-value]
    if attrs.has(type(expr)):
        changes = {
            a.name: as_it_was(book, getattr(expr, a.name))
            for a in attrs.fields(type(expr))
            if isinstance(getattr(expr, a.name), tuple | ir.Op | ir.Var | ir.Read | ir.If | ir.Let | ir.Fold | ir.Old)
        }
        return attrs.evolve(expr, **changes) if changes else expr  # type: ignore[return-value]
    return expr  # type: ignore[return-value]


def one_line(expr: ir.Expr) -> str:
    """The words of the text where the expression stands."""
    return " ".join(expr.span.text.split()) or "it"


def every(var: str, party: str, body: ir.Expr) -> ir.Expr:
    return ir.Fold(ir.Folding.ALL, var, party, YES, body)
