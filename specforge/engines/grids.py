"""Which quantities of a rulebook a bounded search keeps to a few values, and to which (docs/adr/0004).

Every product of unknowns becomes linear when one factor knows its values.  The kinds of quantity to make finite are chosen
by the compiler, never by the user; what is ranked by something nonlinear is let in any order instead (`loosened`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve
from quicktions import Fraction

from specforge.algebra.exact import Cell
from specforge.core import ir
from specforge.engines.encoding import Encoding, Grids, source_of
from specforge.evidence.goal import Goal

Pairs = set[tuple[frozenset[str], frozenset[str]]]

RATES = (0, Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), 1)
RATIOS = (
    (0, Fraction(1, 20), Fraction(1, 10), Fraction(1, 5), 1),
    (0, Fraction(1, 200), Fraction(1, 100), Fraction(1, 20), Fraction(1, 10), Fraction(1, 5), Fraction(1, 2), 1),
)
BOUNDS = (1, 2, 5, 12)
AFFORDABLE = 5  # what a kind may cost (`cost_of`) to be kept to a grid where others are left to the solver


def products(
    system: ir.System, sizes: Mapping[str, int], goals: Sequence[Goal], fixed: Mapping[Cell, Any] | None = None
) -> Pairs:
    """The kinds of quantity that are multiplied together (of a quotient: the divisor's, twice)."""
    return set(Encoding(system, sizes, Grids(), goals, fixed=fixed).products)


def choose_grid(
    system: ir.System, sizes: Mapping[str, int], goals: Sequence[Goal], fixed: Mapping[Cell, Any] | None = None
) -> tuple[str, ...]:
    """The kinds of quantity to make finite: a cheapest set that leaves every product with a factor that is (ENGINES)."""
    return cheapest_cover(system, products(system, sizes, goals, fixed))


def cheapest_cover(system: ir.System, pairs: Pairs) -> tuple[str, ...]:
    kinds = sorted(frozenset().union(*(a | b for a, b in pairs)))
    best: tuple[int, tuple[str, ...]] | None = None
    for mask in range(1 << len(kinds)):
        chosen = frozenset(kind for at, kind in enumerate(kinds) if mask >> at & 1)
        if all(a <= chosen or b <= chosen for a, b in pairs):
            cost = sum(cost_of(system, kind) for kind in chosen)
            if best is None or cost < best[0]:
                best = (cost, tuple(sorted(chosen)))
    return best[1] if best is not None else ()


def lightest_grid(system: ir.System, pairs: Pairs) -> tuple[str, ...]:
    """The contracts, ratios and rates that leave the fewest products nonlinear: not money, not prices."""
    kinds = sorted(kind for kind in frozenset().union(*(a | b for a, b in pairs)) if cost_of(system, kind) <= AFFORDABLE)
    rated: list[tuple[int, int, tuple[str, ...]]] = []
    for mask in range(1 << len(kinds)):
        chosen = frozenset(kind for at, kind in enumerate(kinds) if mask >> at & 1)
        left = sum(not covers(chosen, pair) for pair in pairs)
        rated.append((left, sum(cost_of(system, kind) for kind in chosen), tuple(sorted(chosen))))
    return min(rated)[2]


def covers(kinds: Iterable[str], pair: tuple[frozenset[str], frozenset[str]]) -> bool:
    """The product is linear when quantities of these kinds are on a grid."""
    chosen = frozenset(kinds)
    return pair[0] <= chosen or pair[1] <= chosen


def cost_of(system: ir.System, kind: str) -> int:
    """How much is lost by keeping a kind of quantity on a grid: rates and contracts little, prices more, money most."""
    if kind == "rate":
        return 1
    if " per " in kind:
        return 6
    fields = system.fields.values()
    held_by_all = any(each.kind is ir.Kind.BALANCE and each.asset == kind and each.start is None for each in fields)
    return 9 if held_by_all else 2


def grids_for(system: ir.System, kinds: Sequence[str], level: int) -> Grids:
    """The values of each kind: whole multiples, up to the level's bound, of one unit (or of what the text starts with, if
    that is another size); for ratios the usual ones."""
    values: dict[str, tuple[Fraction, ...]] = {}
    for kind in kinds:
        if kind == "rate":
            continue
        own = {
            abs(each.start.value)
            for each in system.fields.values()
            if (isinstance(each.type, ir.Number) and source_of(each.type) == kind)
            and isinstance(each.start, ir.Lit) and isinstance(each.start.value, Fraction) and each.start.value != 0
        }  # fmt: skip
        if kind == "number":
            found = {Fraction(x) for x in RATIOS[min(level, 1)]} | own
        else:
            found = {scale * k for scale in (own or {Fraction(1)}) for k in range(-BOUNDS[level], BOUNDS[level] + 1)}
        values[kind] = tuple(sorted(found))
    return Grids(values, tuple(Fraction(x) for x in RATES) if "rate" in kinds else None)


# ---------------------------------------------------------------- rankings by something nonlinear


def loosened(system: ir.System) -> ir.System:
    """The same rulebook with every ranking left open: it may do all that the rulebook may, and more."""
    return evolve(
        system,
        actions={name: evolve(each, body=_any_order(each.body)) for name, each in system.actions.items()},
        duties={name: evolve(each, body=_any_order(each.body), rank=None) for name, each in system.duties.items()},
    )


def _any_order(block: ir.Block) -> ir.Block:
    return tuple(_unranked(each) for each in block)


def _unranked(statement: ir.Statement) -> ir.Statement:
    match statement:
        case ir.Branch(_, then, orelse):
            return evolve(statement, then=_any_order(then), orelse=_any_order(orelse))
        case ir.ForEach(body=body):
            return evolve(statement, body=_any_order(body))
        case ir.InTurn(turn):
            return evolve(statement, turn=_unranked_tier(turn))
        case ir.Collect(tiers=tiers, rest=rest):
            return evolve(statement, tiers=tuple(map(_unranked_tier, tiers)), rest=None if rest is None else _any_order(rest))
        case _:
            return statement


def _unranked_tier(tier: ir.Tier) -> ir.Tier:
    if tier.policy in (ir.Policy.HIGHEST, ir.Policy.LOWEST):
        tier = evolve(tier, policy=ir.Policy.ANY, key=None)
    return evolve(tier, body=_any_order(tier.body))
