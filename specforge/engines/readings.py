"""Guesses at what always holds that are read off the text: what was required, who is due, lines, phases, weakest conditions."""

from __future__ import annotations

from collections.abc import Sequence

from specforge.core import ir
from specforge.engines.cases import RULES_MEMBER, Book, no
from specforge.engines.shapes import (
    YES,
    Op,
    absolute,
    absolute_of,
    as_it_was,
    busy,
    conjuncts,
    every,
    guards_of,
    one_line,
    replaced,
    variables,
    venue_fields,
    without,
)
from specforge.evidence.certificate import Lemma
from specforge.evidence.goal import ClaimGoal


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
            unset = ir.Op(Op.EQ, (read, replaced(each.start, "self", node.place.member)))  # type: ignore[arg-type]
            name = f"{each.name} as set by {action.name}"
            if f"by:{action.name}" in system.fields:
                by = ir.Read(f"by:{action.name}", RULES_MEMBER)
                result.append(
                    Lemma(
                        f"{name} settled",
                        ir.Op(Op.OR, (unset, by)),
                        f"{each.name} is only set while {action.name} settles",
                        "set",
                    )
                )
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
                    if (
                        isinstance(each, ir.Set)
                        and not each.add
                        and each.place.member == ir.Var(node.var)
                        and variables(each.value) <= {node.var}
                    ):
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
                text = f"for all {t}: {party}: {one_line(value)} >= 0" + (
                    ", at the figures with which the settling began" if was else ""
                )
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
                kinds = [each.params[0] for each in book.system.duties.values() if each.params]
                party = next((k.type.party for k in kinds if k.name == var and isinstance(k.type, ir.Of)), "")
                result.append(Lemma(text, every(var, party, body) if var else body, text, "phase"))
    return result


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
            held = absolute_of(collect.asked) if isinstance(collect, ir.Collect) else None
            if not isinstance(collect, ir.Collect) or not worth or held is None:
                continue
            for tier in collect.tiers:
                for cond in conjuncts(tier.where):
                    match cond:
                        case ir.Op(Op.LT, (ir.Op(Op.MUL, (ir.Read() as own, other)), zero)) if (
                            other == held and zero == ir.ZERO
                        ):
                            result += _closable(system, worth[0], held, own, tier)
                        case _:
                            pass
    return result


def _closable(system: ir.System, worth: ir.Expr, held: ir.Expr, own: ir.Read, tier: ir.Tier) -> list[Lemma]:
    result = []
    how_much = absolute(held)
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
                per_one = without(least, node)
                if variables(per_one) or variables(value) != {inner.member.name} or per_one in seen:
                    continue
                seen.append(per_one)
                deep = ir.Op(Op.LE, (ir.ZERO, ir.Op(Op.ADD, (worth, ir.Op(Op.MUL, (per_one, how_much))))))
                text = f"{one_line(worth)} + {one_line(least)}, for what the venue holds, is not below zero"
                result.append(Lemma(text, deep, text, "weakest condition"))
                e = replaced(value, inner.member.name, ir.Var("t"))
                p = ir.Read(own.field, ir.Var("t"))
                opposed = ir.Op(Op.LT, (ir.Op(Op.MUL, (p, held)), ir.ZERO))
                afford = ir.Op(Op.ADD, (ir.Op(Op.MUL, (e, how_much)), ir.Op(Op.MUL, (worth, absolute(p)))))  # type: ignore[arg-type]
                text = f"whoever can be made to close against the venue can afford the price ({tier.name})"
                body = ir.Op(Op.OR, (no(opposed), ir.Op(Op.LE, (ir.ZERO, afford))))
                result.append(Lemma(text, every("t", tier.party or "", body), text, "weakest condition"))
    return result
