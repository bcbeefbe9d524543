"""Hunting for one goal: bounded searches that give up completeness for depth, the cheapest first.

A search keeps parameters at chosen values (what the text gives them, or just where a condition on them tips over) or leaves
them open, keeps some quantities to a grid, and may leave some actions out; it then asks for longer and longer runs, several
lengths in one question, and passes over lengths that take too long.  Rounds of such searches have more and more members,
wider grids and more time.  What comes out is a suggestion: the caller replays it, and asks on if it does not hold.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from random import Random
from typing import Any

from attrs import evolve, frozen

from specforge.algebra.exact import Cell, ExactMachine
from specforge.algebra.solver import Irrational
from specforge.algebra.symbolic import disj, negate
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.engines.bmc import Unrolling
from specforge.engines.encoding import Encoding, Grids
from specforge.engines.grids import cheapest_cover, cost_of, grids_for, loosened, products
from specforge.evidence.goal import DefectGoal, Goal, state_assumptions
from specforge.evidence.trace import Plan

Fixed = Mapping[Cell, Any]

FIRST, LONGEST, STRIDE = 2, 16, 2  # lengths, actions and firings together
CANDIDATES = 12  # suggestions taken from one question
USUAL_RATIOS = tuple(Fraction(x) for x in ("1/10", "1/5", "1/2", "1/20", "1/100"))
MOST_CHOICES = 12  # of values for the parameters


@frozen
class Hunt:
    """One search.  `fixed`: the parameters' values (none: open); `level`: how wide the grid; `only`: the actions (None:
    all)."""

    members: int
    fixed: Fixed
    level: int
    seconds: float
    only: frozenset[str] | None = None


def hunt(system: ir.System, goal: Goal, seconds: float, seed: int = 0) -> Iterator[Plan]:
    """Suggested runs that show the goal."""
    deadline = time.monotonic() + seconds
    for each in hunts(system, goal, seconds, seed):
        left = deadline - time.monotonic()
        if left <= 0.05:
            return
        yield from search(system, goal, evolve(each, seconds=min(each.seconds, left)), seed)


def hunts(system: ir.System, goal: Goal, seconds: float, seed: int) -> Iterator[Hunt]:
    """The searches, round by round: each round has more time, one more member, and every second one a wider grid."""
    random = Random(seed)
    choices: list[Fixed] = parameter_choices(system, goal)
    named = max((len(party.named) for party in system.open_parties()), default=0)
    least = max(2, named) if system.open_parties() else 0
    for turn in range(1000):
        slice_ = min(1.0 * 2**turn, seconds)
        members = sorted({least, least + min(turn, 2)}) if least else [0]
        level = min(turn // 2, 2)
        for count in reversed(members):
            for fixed in choices[: 2 + 2 * turn]:
                yield Hunt(count, fixed, level, slice_)
        for only in islice(_some_actions(system, goal, random), turn):
            for fixed in choices[: 1 + turn]:
                yield Hunt(members[-1], fixed, level, slice_, only)


def _some_actions(system: ir.System, goal: Goal, random: Random) -> Iterator[frozenset[str]]:
    """Small sets of actions, drawn at random."""
    names = [each.name for each in system.actions.values() if each.open]
    while len(names) > 3:
        yield frozenset(random.sample(names, random.choice((3, 4))))


# ---------------------------------------------------------------- one search


def search(system: ir.System, goal: Goal, spec: Hunt, seed: int = 0) -> Iterator[Plan]:
    """The runs that one search suggests, until its time is over."""
    deadline = time.monotonic() + spec.seconds
    sizes = {party.name: max(spec.members, len(party.named)) for party in system.open_parties()}
    model, grids = suited(system, sizes, goal, spec)
    unrolling = Unrolling(Encoding(model, sizes, grids, [goal], spec.only, spec.fixed), seed)
    asked, length, stride = 0, FIRST, STRIDE
    while length <= LONGEST:
        while len(unrolling.steps) < length:
            unrolling.extend()
            if time.monotonic() > deadline:
                return
        last = length - unrolling.length_of(0)
        cond = disj(unrolling.bad(0, t) for t in range(asked, last + 1))
        blocked: list[Any] = []
        for _ in range(CANDIDATES):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            answer = unrolling.ask(0, cond, blocked, left * (0.5 if not blocked else 0.3))
            if answer != "sat":
                break
            try:
                plan = unrolling.plan(length)
            except Irrational:
                break
            blocked.append(negate(unrolling.shape(length)))
            yield plan
        asked = last + 1
        length += stride


def suited(system: ir.System, sizes: Mapping[str, int], goal: Goal, spec: Hunt) -> tuple[ir.System, Grids]:
    """The rulebook to search, with rankings left open if that spares a grid, and the grids."""
    kinds = cheapest_cover(system, products(system, sizes, [goal], spec.fixed))
    if not isinstance(goal, DefectGoal):
        freer = loosened(system)
        others = cheapest_cover(freer, products(freer, sizes, [goal], spec.fixed))
        if sum(cost_of(system, kind) for kind in others) < sum(cost_of(system, kind) for kind in kinds):
            system, kinds = freer, others
    return system, grids_for(system, kinds, spec.level)


# ---------------------------------------------------------------- values for the parameters


def parameter_choices(system: ir.System, goal: Goal) -> list[Fixed]:
    """Values for the numbers among the parameters under which the goal's own conditions on them hold: the text's, values at
    which one of the conditions is just met, none (open), then others of the text."""
    numbers = [each for each in system.parameters() if isinstance(each.type, ir.Number) and not _is_constant(each)]
    if not numbers:
        return [{}]
    machine = ExactMachine(system, {party.name: len(party.named) for party in system.open_parties()})
    usual: dict[str, Any] = {}
    for each in numbers:
        usual[each.name] = each.start.value if isinstance(each.start, ir.Lit) else None
    if any(value is None for value in usual.values()):
        return [{}]
    conditions = [cond for cond in state_assumptions(system, goal) if _about_parameters(system, cond)]
    found: list[dict[str, Any]] = [usual]
    for a, b in _compared(conditions):
        values = [*USUAL_RATIOS, usual[a], usual[b]] if system.fields[a].type == ir.Number() else [usual[a], usual[b]]
        found += [{**usual, a: value, b: value} for value in dict.fromkeys(values)]
    pools = [list(dict.fromkeys((usual[each.name], *_own(system, each)))) for each in numbers]
    others = [dict(zip([each.name for each in numbers], values, strict=True)) for values in islice(product(*pools), 200)]
    kept: list[Fixed] = []
    for at, values in enumerate([*found, *others]):
        fixed = {(name, 0, 0): value for name, value in values.items()}
        if at == len(found) or (len(kept) == 2 and {} not in kept):
            kept.append({})
        if fixed not in kept and _allowed(machine, fixed, conditions):
            kept.append(fixed)
    return [*kept, {}][:MOST_CHOICES] if {} not in kept else kept[:MOST_CHOICES]


def _is_constant(each: ir.Field) -> bool:
    return each.low is not None and each.low == each.high


def _about_parameters(system: ir.System, cond: ir.Expr) -> bool:
    reads = [node for node in ir.walk(cond) if isinstance(node, ir.Read)]
    folds = any(isinstance(node, ir.Fold) for node in ir.walk(cond))
    return not folds and all(system.fields[node.field].kind is ir.Kind.PARAMETER for node in reads)


def _compared(conditions: Sequence[ir.Expr]) -> list[tuple[str, str]]:
    """The pairs of parameters that some condition compares."""
    pairs: list[tuple[str, str]] = []
    for cond in conditions:
        for node in ir.walk(cond):
            if isinstance(node, ir.Op) and node.op in (ir.Operator.LE, ir.Operator.LT, ir.Operator.EQ):
                a, b = node.args
                if isinstance(a, ir.Read) and isinstance(b, ir.Read):
                    pairs.append((a.field, b.field))
    return list(dict.fromkeys(pairs))


def _own(system: ir.System, each: ir.Field) -> list[Fraction]:
    """Other values worth trying for a parameter: the text's own numbers of its unit."""
    written = [value for value, unit in system.literals if unit == each.type]
    return [*(USUAL_RATIOS[:3] if each.type == ir.Number() else ()), *written[:4]]


def _allowed(machine: ExactMachine, fixed: Fixed, conditions: Sequence[ir.Expr]) -> bool:
    try:
        machine.begin(fixed)
        return all(machine.evaluate(cond) for cond in conditions)
    except DefectFound:
        return False
