"""Claims that rest on numbers kept by hand which no money ever changes: true of every rulebook whose author forgot a line.

A counter is an amount of an asset that is no ledger account (`bad_debt: USD = 0`).  The ledgers feed it if some assignment to
it depends on them: its value reads an account, a share or what a `collect` left over, it stands where one of these decides,
or it is the very amount that moves."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field

from specforge.core import ir
from specforge.records import frozen

LEDGERS = (ir.Kind.BALANCE, ir.Kind.NET, ir.Kind.HOUSE)


def unfed_claims(system: ir.System) -> list[tuple[ir.Claim, tuple[str, ...]]]:
    """The claims about counters only, none of which the ledgers feed; with these counters."""
    fed = fed_fields(system)
    result: list[tuple[ir.Claim, tuple[str, ...]]] = []
    for claim in system.claims.values():
        read = {node.field for node in ir.walk(claim.cond) if isinstance(node, ir.Read)}
        counters = tuple(sorted(each for each in read if _is_counter(system, system.fields[each])))
        on_ledgers = any(system.fields[each].kind in LEDGERS or each in fed for each in read)
        if counters and not on_ledgers:
            result.append((claim, counters))
    return result


def _is_counter(system: ir.System, of: ir.Field) -> bool:
    assets = {each.asset for each in system.fields.values() if each.asset}
    if of.kind is not ir.Kind.PLAIN or not isinstance(of.type, ir.Number):
        return False
    return len(of.type.dims) == 1 and of.type.dims[0][1] == 1 and of.type.dims[0][0] in assets


def fed_fields(system: ir.System) -> set[str]:
    """The plain fields that depend on the ledgers, directly or through one another."""
    found = list(_assignments(system))
    fed: set[str] = set()
    while True:
        more = {each.field for each in found if each.fed or each.reads & fed} - fed
        if not more:
            return fed
        fed |= more


@frozen
class _Assignment:
    field: str
    reads: frozenset[str]
    fed: bool


@frozen
class _Context:
    """What decides over a statement: the fields read, and whether a ledger, a share or a rest has a say.  `names`: local names
    with what they are made of."""

    reads: frozenset[str] = frozenset()
    fed: bool = False
    names: dict[str, tuple[frozenset[str], bool]] = field(factory=dict)


def _assignments(system: ir.System) -> Iterator[_Assignment]:
    for action in system.actions.values():
        yield from _block(system, action.body, _moved(_Context(), action.body))
    for duty in system.duties.values():
        yield from _block(system, duty.body, _under(system, _moved(_Context(), duty.body), duty.when))


def _moved(context: _Context, body: ir.Block) -> _Context:
    """A name that is an amount of money moved in this rule speaks of the ledger."""
    amounts = [each.amount for each in ir.walk(body) if isinstance(each, ir.Move)]
    names = {node.name for each in amounts for node in ir.walk(each) if isinstance(node, ir.Var)}
    return _Context(context.reads, context.fed, {**context.names, **{each: (frozenset(), True) for each in names}})


def _depends(system: ir.System, context: _Context, expr: ir.Expr) -> tuple[frozenset[str], bool]:
    reads, fed = set(context.reads), context.fed
    for node in ir.walk(expr):
        if isinstance(node, ir.Read):
            fed = fed or system.fields[node.field].kind in LEDGERS
            reads.add(node.field)
        elif isinstance(node, ir.Var) and node.name in context.names:
            more, also = context.names[node.name]
            reads |= more
            fed = fed or also
    return frozenset(reads), fed


def _under(system: ir.System, context: _Context, *conds: ir.Expr, sure: bool = False) -> _Context:
    for cond in conds:
        reads, fed = _depends(system, context, cond)
        context = _Context(reads, fed, context.names)
    return _Context(context.reads, context.fed or sure, context.names)


def _block(system: ir.System, block: ir.Block, context: _Context) -> Iterator[_Assignment]:
    for statement in block:
        match statement:
            case ir.Bind(name, value):
                reads, fed = _depends(system, context, value)
                fed = fed or context.names.get(name, (frozenset(), False))[1]
                context = _Context(context.reads, context.fed, {**context.names, name: (reads, fed)})
            case ir.Set(place, value):
                yield _Assignment(place.field, *_depends(system, context, value))
            case ir.Branch(cond, then, orelse):
                inner = _under(system, context, cond)
                yield from _block(system, then, inner)
                yield from _block(system, orelse, inner)
            case ir.ForEach(where=where, body=body):
                yield from _block(system, body, _under(system, context, where))
            case ir.InTurn(turn):
                yield from _block(system, turn.body, _under(system, context, turn.where))
            case ir.Collect(tiers=tiers, rest=rest):
                inside = _under(system, context, sure=True)
                for tier in tiers:
                    yield from _block(system, tier.body, inside)
                yield from _block(system, rest or (), inside)
            case _:
                pass
