"""What may happen under a rulebook, one by one: the start, a rest, an action, a duty, and who its members are.

Where the language lets two arguments be the same member, each way of coinciding is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from attrs import evolve

from specforge.core import ir
from specforge.engines.encoding import written_fields
from specforge.records import frozen

Extra = tuple[tuple[str, int], ...]  # how many further members of each party stand for any

RULES_MEMBER = ir.Lit(ir.Member(ir.RULES, 0))


@frozen(eq=False)
class Book:
    """A system with the settling's own memory as fields: `by:A` (action A takes part in this settling), `acted:D`,
    and `was:F`: the venue's field F as it was when the settling began."""

    system: ir.System
    written: frozenset[str]

    @staticmethod
    def of(system: ir.System) -> Book:
        ghosts: dict[str, ir.Field] = {}
        listened = {name for duty in system.duties.values() for name in duty.after}
        after = {c.moment.name for c in system.claims.values() if isinstance(c.moment, ir.After) and not c.moment.duty}
        for name in sorted(listened | after):
            ghosts[f"by:{name}"] = ir.Field(f"by:{name}", ir.RULES, ir.Flag(), ir.Kind.PLAIN, start=ir.NO)
        for duty in system.duties.values():
            if duty.once and len(duty.params) <= 1:
                party = duty.params[0].type.party if duty.params else ir.RULES  # type: ignore[union-attr]
                ghosts[f"acted:{duty.name}"] = ir.Field(f"acted:{duty.name}", party, ir.Flag(), ir.Kind.PLAIN, start=ir.NO)
        for action in system.actions.values():
            if action.name in listened:
                for node in ir.walk(action.body):
                    if isinstance(node, ir.Set) and isinstance(node.place.member, ir.Lit) and node.place.index is None:
                        each = system.fields[node.place.field]
                        ghosts[f"was:{each.name}"] = evolve(each, name=f"was:{each.name}", kind=ir.Kind.PLAIN)
        written = frozenset({*written_fields(system), *ghosts})
        return Book(evolve(system, fields={**system.fields, **ghosts}), written)

    def listening(self, took: set[str]) -> list[ir.Duty]:
        return [duty for duty in self.system.duties.values() if not duty.after or took & set(duty.after)]

    def is_rigid(self, expr: ir.Expr) -> bool:
        return all(node.field not in self.written for node in ir.walk(expr) if isinstance(node, ir.Read))

    def rest_fact(self, duty: ir.Duty) -> ir.Expr | None:
        """At rest: whoever the duty listens for and has not acted for is not due.  None if that cannot be said."""
        if duty.once and len(duty.params) > 1:
            return None
        parts: list[ir.Expr] = []
        if duty.after:
            parts.append(no(self.listens(duty)))
        if duty.once:
            who = ir.Var(duty.params[0].name) if duty.params else RULES_MEMBER
            parts.append(ir.Read(f"acted:{duty.name}", who))
        parts.append(no(duty.when))
        fact: ir.Expr = ir.Op(ir.Operator.OR, tuple(parts)) if len(parts) > 1 else parts[0]
        for param in reversed(duty.params):
            fact = ir.Fold(ir.Folding.ALL, param.name, param.type.party, ir.YES, fact)  # type: ignore[union-attr]
        return fact

    def listens(self, duty: ir.Duty) -> ir.Expr:
        flags = tuple(ir.Read(f"by:{name}", RULES_MEMBER) for name in duty.after)
        return ir.Op(ir.Operator.OR, flags) if len(flags) > 1 else flags[0] if flags else ir.YES


def no(expr: ir.Expr) -> ir.Expr:
    return ir.Op(ir.Operator.NOT, (expr,))


@frozen(cache_hash=True)
class Case:
    """`kind`: the start, a rest, an action or a duty; `members`: which member each argument is (a number, per party);
    `named`: how many members of each open party that names; `fixed`: the parameters that are members, per value."""

    kind: Literal["start", "rest", "action", "duty"]
    rule: str
    members: tuple[tuple[str, int], ...]
    named: tuple[tuple[str, int], ...]
    fixed: tuple[tuple[str, int], ...] = ()
    then: str = ""  # the one duty that follows the action, if it is due

    def text(self) -> str:
        args = ", ".join(f"{name}={index}" for name, index in self.members)
        rest = "".join(f" [{name}={value}]" for name, value in self.fixed)
        return (f"{self.rule}({args})" if self.rule else self.kind) + (f" then {self.then}" if self.then else "") + rest


def all_fixed(system: ir.System) -> list[tuple[tuple[str, int], ...]]:
    """Every choice of the parameters that are members of a closed list."""
    result: list[tuple[tuple[str, int], ...]] = [()]
    for each in system.parameters():
        if isinstance(each.type, ir.Of):
            count = len(system.parties[each.type.party].members or ())
            result = [(*fixed, (each.name, k)) for fixed in result for k in range(count)]
    return result


def all_cases(book: Book) -> list[Case]:
    """Everything that may happen, and every way its members may coincide."""
    system = book.system
    base = {party.name: len(party.named) for party in system.open_parties()}
    cases = []
    for fixed in all_fixed(system):
        still = tuple(base.items())
        cases += [Case("start", "", (), still, fixed), Case("rest", "", (), still, fixed)]
        for kind, rules in (("action", system.actions), ("duty", system.duties)):
            for rule in rules.values():
                if kind == "duty" or rule.open:  # type: ignore[union-attr]
                    for members, named in _coincidences(system, rule.params, base):
                        cases.append(Case(kind, rule.name, members, tuple(named.items()), fixed))  # type: ignore[arg-type]
    return cases


def _coincidences(
    system: ir.System, params: Sequence[ir.Argument], named: Mapping[str, int]
) -> Iterator[tuple[tuple[tuple[str, int], ...], dict[str, int]]]:
    if not params:
        yield (), dict(named)
        return
    first, rest = params[0], params[1:]
    if not isinstance(first.type, ir.Of):
        yield from _coincidences(system, rest, named)
        return
    party = system.parties[first.type.party]
    count = len(party.members) if party.members is not None else named[party.name] + 1
    for index in range(count):
        now = dict(named)
        if party.members is None:
            now[party.name] = max(now[party.name], index + 1)
        for members, final in _coincidences(system, rest, now):
            yield ((first.name, index), *members), final


def members_text(extra: Extra) -> str:
    """`1 Trader, 2 Venue`: how many further members stand for any."""
    return ", ".join(f"{count} {party}" for party, count in extra if count)
