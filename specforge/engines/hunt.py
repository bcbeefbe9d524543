"""Hunting for one goal: bounded searches that give up completeness for depth, the cheapest first.

A search (engines/search.py) keeps parameters at chosen values (what the text gives them, or just where a condition on them
tips over) or leaves them open, keeps some quantities to a grid, and may leave some actions out.  Several such searches take
turns: each round more of them, with more members and wider grids, and more work for each.  What comes out is a suggestion:
the caller replays it, and asks on if it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from random import Random
from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import Cell, ExactMachine
from specforge.algebra.solver import SECOND
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.engines.deadline import Work
from specforge.engines.search import LONGEST, Fixed, Search, Spec, Suits, Way, judged_after
from specforge.evidence.goal import ClaimGoal, Goal, ReachGoal, state_assumptions
from specforge.evidence.trace import Plan

STARTING, JOINING = 6, 2  # searches at first, and that join in each round
SLICE, GROWTH = 0.4 * SECOND, 2.0  # of work for each in its turn, and how that grows
USUAL_RATIOS = tuple(Fraction(x) for x in ("1/10", "1/5", "1/2", "1/20", "1/100"))
MOST_CHOICES = 12  # of values for the parameters


class Hunt:
    """Looks for runs that show the goal, none with more than `longest` steps; may be gone on with.  `over`: nothing is left."""

    def __init__(self, system: ir.System, goal: Goal, seed: int = 0, longest: int = LONGEST):
        self.suits = Suits(system, goal)
        self.seed, self.longest = seed, longest
        self.waiting = specs(self.suits, seed)
        self.searches: list[Search] = []
        self.turn: list[Search] = []  # those that are still to come in this round
        self.slice = SLICE / GROWTH
        self.over = False

    def run(self, work: Work) -> Iterator[Plan]:
        """Suggested runs."""
        while work.left > 0 and not self.over:
            if not self.turn:
                self._next_round()
            while self.turn and work.left > 0:
                each = self.turn.pop(0)
                yield from each.run(self.slice * each.spec.share, work)

    def _next_round(self) -> None:
        self.searches = [each for each in self.searches if not each.exhausted]
        for spec in islice(self.waiting, JOINING if self.searches else STARTING):
            self.searches.append(Search(self.suits, spec, self.seed, self.longest))
        self.slice *= GROWTH
        self.turn = list(self.searches)
        self.over = not self.searches


def specs(suits: Suits, seed: int) -> Iterator[Spec]:
    """What to search, the most promising first; then at random, without end."""
    system, goal = suits.system, suits.goal
    choices, at_edge = parameter_choices(system, goal)
    named = max((len(party.named) for party in system.open_parties()), default=0)
    few = max(2, named) if system.open_parties() else 0
    more, many = (few + 1, few + 2) if few else (0, 0)
    core = essential(system, goal)
    first, last, edges = choices[0], choices[-1], choices[1 : 1 + at_edge]
    hard = suits.has_ways(first)
    ways = list(Way) if hard else [Way.COVER]
    if hard:
        listed = [
            Spec(few, first, 1, None, Way.LINEAR),
            Spec(few, first, 1, None, Way.LIGHT),
            Spec(more, first, 1, core, Way.LIGHT),
            Spec(few, last, 0, None, Way.LIGHT),
            Spec(few, first, 1, None, Way.FREE),
            Spec(few, last, 1, None, Way.FREE),
            Spec(few, first, 1, None, Way.COVER),
            Spec(more, first, 0, core, Way.FREE),
            Spec(more, last, 0, core, Way.LIGHT),
            Spec(more, first, 1, core, Way.LINEAR),
            Spec(many, first, 0, core, Way.LIGHT),
            Spec(more, first, 1, core, Way.COVER),
        ]
    else:
        listed = [
            *(Spec(more, each, 0, core, share=2.5) for each in edges[:1]),
            Spec(few, first, 1),
            Spec(more, first, 0, core),
            Spec(more, first, 1, core),
            Spec(many, first, 0, core),
            *([Spec(few, last, 0), Spec(more, last, 0)] if first != last else []),
            Spec(many, first, 1, core),
            *(Spec(more, each, 1, core) for each in edges),
            *([Spec(few, last, 1), Spec(more, last, 1, core)] if first != last else []),
        ]
    if any("rate" in kinds for pair in suits.products(first)[1] for kinds in pair):  # shares of one are in no narrow grid
        listed = [each for each in listed if each.level > 0]
    done: list[Spec] = []
    random = Random(seed)
    names = [each.name for each in system.actions.values() if each.open and (core is None or each.name in core)]
    misses = 0
    while misses < 100:
        if listed:
            spec = listed.pop(0)
        else:
            some = frozenset(random.sample(names, min(len(names), random.choice((3, 4)))))
            only = random.choice((None, core, core, some))
            members, level = random.choice((few, more, more, many)), random.choice((0, 0, 1, 1, 2))
            spec = Spec(members, random.choice(choices), level, only, random.choice(ways))
        misses += 1
        if spec not in done:
            misses = 0
            done.append(spec)
            yield spec


def essential(system: ir.System, goal: Goal) -> frozenset[str] | None:
    """The actions without those that only change what one member has for himself, as another start could: deposits and the
    like.  None: all."""
    wanted = judged_after(goal)
    taking = [each for each in system.actions.values() if each.open]
    kept = frozenset(each.name for each in taking if each.name == wanted or not _solitary(system, each))
    return kept if 0 < len(kept) < len(taking) else None


def _solitary(system: ir.System, action: ir.Action) -> bool:
    places: list[ir.Place] = []
    for node in ir.walk(action.body):
        if isinstance(node, ir.ForEach | ir.InTurn | ir.Collect | ir.Took):
            return False
        places += [node] if isinstance(node, ir.Place) else []
    whose = {place.member for place in places}
    return len(whose) == 1 and all(system.parties[system.fields[place.field].party].members is None for place in places)


# ---------------------------------------------------------------- values for the parameters


def parameter_choices(system: ir.System, goal: Goal) -> tuple[list[Fixed], int]:
    """Values for the numbers among the parameters under which the goal's own conditions on them hold: the text's, values at
    which one of the conditions is just met (and how many of these), others of the text, and none (open).  What the goal
    itself speaks of stays open."""
    shown = goal.claim.cond if isinstance(goal, ClaimGoal) else goal.reach.cond if isinstance(goal, ReachGoal) else ir.YES
    about = {node.field for node in ir.walk(shown) if isinstance(node, ir.Read)}
    numbers = [each for each in system.parameters() if isinstance(each.type, ir.Number) and each.name not in about]
    starts = {each.name: each.start.value for each in numbers if isinstance(each.start, ir.Lit) and not _is_constant(each)}
    conditions = [cond for cond in state_assumptions(system, goal) if _about_parameters(system, cond)]
    forced = _forced(conditions)
    if not starts:
        return [forced], 0
    machine = ExactMachine(system, {party.name: len(party.named) for party in system.open_parties()})
    pools = [list(dict.fromkeys((starts[each.name], *_own(system, each)))) for each in numbers if each.name in starts]
    others = [dict(zip(starts, values, strict=True)) for values in islice(product(*pools), 200)]
    kept: list[Fixed] = []
    counts: list[int] = []
    for group in ([starts], [starts | each for each in _edges(system, conditions, starts)], others):
        for values in group:
            fixed = {(name, 0, 0): value for name, value in values.items()} | forced
            if fixed not in kept and len(kept) < MOST_CHOICES and _allowed(machine, fixed, conditions):
                kept.append(fixed)
        counts.append(len(kept))
    return [*kept, forced], counts[1] - counts[0] if counts[0] else 0


def _forced(conditions: Sequence[ir.Expr]) -> dict[Cell, Any]:
    """The values that conditions leave no choice about: `policy = pro_rata`."""
    found: dict[Cell, Any] = {}
    for cond in conditions:
        match cond:
            case ir.Op(ir.Operator.EQ, (ir.Read(name), ir.Lit(value)) | (ir.Lit(value), ir.Read(name))):
                found[name, 0, 0] = value.index if isinstance(value, ir.Member) else value
            case ir.Read(name):
                found[name, 0, 0] = True
            case ir.Op(ir.Operator.NOT, (ir.Read(name),)):
                found[name, 0, 0] = False
            case _:
                pass
    return found


def _edges(system: ir.System, conditions: Sequence[ir.Expr], starts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Equal values for two parameters that some condition compares."""
    found: list[dict[str, Any]] = []
    for a, b in _compared(conditions):
        if a in starts and b in starts:
            usual = USUAL_RATIOS if system.fields[a].type == ir.Number() else ()
            found += [{a: value, b: value} for value in dict.fromkeys((*usual, starts[a], starts[b]))]
    return found


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
