"""Hunting for one goal: bounded searches that give up completeness for depth, the cheapest first.

A search keeps parameters at chosen values (what the text gives them, or just where a condition on them tips over) or leaves
them open, keeps some quantities to a grid, and may leave some actions out; then it asks for longer and longer runs.  Several
such searches take turns: each round more of them, with more members and wider grids, and more time for each.  When
lengths take too long, the search goes on from stepping stones: short runs in which some duty has acted, whose steps and
members are kept while their amounts stay open.  What comes out is a suggestion: the caller replays it, and
asks on if it does not hold.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from random import Random
from typing import Any

from attrs import define, frozen

from specforge.algebra.exact import Cell, ExactMachine
from specforge.algebra.solver import Answer, Irrational
from specforge.algebra.symbolic import negate
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.engines.bmc import Unrolling
from specforge.engines.encoding import Encoding, Grids
from specforge.engines.grids import cheapest_cover, cost_of, grids_for, loosened, products
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, state_assumptions
from specforge.evidence.trace import Plan

Fixed = Mapping[Cell, Any]

LONGEST = 18  # steps of a run, actions and firings together
CANDIDATES = 12  # suggestions taken from one question
STARTING, JOINING, SLICE, GROWTH = 2, 3, 1.0, 2.4  # searches at first, and that join in each round; seconds, and how they grow
STONES, NEAREST, FARTHEST = 3, 7, 8  # stepping stones of a duty and length; steps to them, steps beyond them
MOST_STONES = 16
PATIENCE = 1.0  # seconds that a question may take at least; then twice what its line has taken so far
USUAL_RATIOS = tuple(Fraction(x) for x in ("1/10", "1/5", "1/2", "1/20", "1/100"))
MOST_CHOICES = 12  # of values for the parameters


@frozen
class Spec:
    """What one search keeps to.  `members` of each open party; `fixed`: the parameters' values (none: open); `level`: how
    wide the grid; `only`: the actions (None: all)."""

    members: int
    fixed: Fixed
    level: int
    only: frozenset[str] | None = None


def hunt(system: ir.System, goal: Goal, seconds: float, seed: int = 0) -> Iterator[Plan]:
    """Suggested runs that show the goal."""
    deadline = time.monotonic() + seconds
    waiting = specs(system, goal, seed)
    searches: list[Search] = []
    slice_ = SLICE
    while time.monotonic() < deadline:
        for spec in islice(waiting, JOINING if searches else STARTING):
            searches.append(Search(system, goal, spec, seed))
        if not searches:
            return
        for each in searches:
            left = deadline - time.monotonic()
            if left <= 0.05:
                return
            yield from each.run(min(slice_, left))
        searches = [each for each in searches if not each.exhausted]
        slice_ *= GROWTH


def specs(system: ir.System, goal: Goal, seed: int) -> Iterator[Spec]:
    """What to search, the most promising first; then at random, without end."""
    choices = parameter_choices(system, goal)
    named = max((len(party.named) for party in system.open_parties()), default=0)
    few = max(2, named) if system.open_parties() else 0
    more, many = (few + 1, few + 2) if few else (0, 0)
    core = essential(system, goal)
    first, last = choices[0], choices[-1]
    edge = choices[1] if len(choices) > 1 else first
    listed = [
        *([Spec(more, edge, 0, core)] if edge and edge is not first else []),
        Spec(few, first, 0),
        Spec(more, last, 0),
        Spec(more, first, 1, core),
        Spec(few, last, 1),
        Spec(many, first, 0, core),
        Spec(more, first, 0, core),
        Spec(more, last, 1, core),
        Spec(more, edge, 1, core),
    ]
    done: list[Spec] = []
    random = Random(seed)
    names = sorted(core or [each.name for each in system.actions.values() if each.open])
    misses = 0
    while misses < 100:
        if listed:
            spec = listed.pop(0)
        else:
            only = core if len(names) <= 3 or random.random() < 0.5 else frozenset(random.sample(names, random.choice((3, 4))))
            spec = Spec(random.choice((few, more, more, many)), random.choice(choices), random.choice((0, 0, 1, 1, 2)), only)
        misses += 1
        if spec not in done:
            misses = 0
            done.append(spec)
            yield spec


def essential(system: ir.System, goal: Goal) -> frozenset[str] | None:
    """The actions without those that only change what one member has for himself, as another start could: deposits and the
    like.  None: all."""
    wanted = goal.claim.moment.name if isinstance(goal, ClaimGoal) and isinstance(goal.claim.moment, ir.After) else ""
    taking = [each for each in system.actions.values() if each.open]
    kept = frozenset(each.name for each in taking if each.name == wanted or not _solitary(system, each))
    return kept if 0 < len(kept) < len(taking) else None


def _solitary(system: ir.System, action: ir.Action) -> bool:
    places: list[ir.Place] = []
    for node in ir.walk(action.body):
        if isinstance(node, ir.ForEach | ir.Collect | ir.Took):
            return False
        places += [node] if isinstance(node, ir.Place) else []
    whose = {place.member for place in places}
    return len(whose) == 1 and all(system.parties[system.fields[place.field].party].members is None for place in places)


# ---------------------------------------------------------------- one search


@define(order=False)
class Line:
    """Runs that begin in one way (`kept`: none, or those that come by a stepping stone `steps` long): the next `length` to be
    asked about, and the seconds spent on it so far."""

    kept: Any
    steps: int
    length: int
    spent: float = 0.0


class Search:
    """The runs that one search suggests.  `exhausted`: it has nothing more to say."""

    def __init__(self, system: ir.System, goal: Goal, spec: Spec, seed: int = 0):
        self.system, self.goal, self.spec, self.seed = system, goal, spec, seed
        self.unrolling: Unrolling | None = None
        self.root = Line(True, 0, 0)
        self.lines = [self.root]
        self.exhausted = False

    def run(self, seconds: float) -> Iterator[Plan]:
        """Goes on for so long, always where least was spent."""
        end = time.monotonic() + seconds
        self._unrolling()
        while not self.exhausted and (left := end - time.monotonic()) > 0.02:
            line = min(self.lines, key=lambda each: each.spent)
            began = time.monotonic()
            answer: Answer = "unsat"
            if line.length >= self.root.length:  # what is shorter was asked about without stones
                answer = yield from self._ask(line.length, line.kept, min(max(PATIENCE, 2 * line.spent), left))
            line.spent += time.monotonic() - began
            if answer == "unsat":
                if line is self.root and 2 <= line.length <= NEAREST:
                    self._find_stones(line.length)
                line.length += 1
            if line.length > (line.steps + FARTHEST if line.steps else LONGEST):
                self.lines.remove(line)
            self.exhausted = line is self.root and self.root not in self.lines

    def _find_stones(self, steps: int) -> None:
        """Runs so long in which some duty acts last."""
        unrolling, end = self._unrolling(), time.monotonic() + 2 * PATIENCE
        for duty in self.system.duties:
            blocked: list[Any] = []
            while len(blocked) < STONES and len(self.lines) <= MOST_STONES and (left := end - time.monotonic()) > 0:
                if unrolling.ask(0, unrolling.fires(duty, steps - 1), blocked, left) != "sat":
                    break
                kept = unrolling.shape(steps, giving=False)
                blocked.append(negate(kept))
                self.lines.append(Line(kept, steps, steps + 1))

    def _reach(self, length: int) -> None:
        unrolling = self._unrolling()
        while len(unrolling.steps) < length:
            unrolling.extend()

    def _unrolling(self) -> Unrolling:
        if self.unrolling is None:
            spec = self.spec
            sizes = {party.name: max(spec.members, len(party.named)) for party in self.system.open_parties()}
            model, grids = suited(self.system, sizes, self.goal, spec)
            self.unrolling = Unrolling(Encoding(model, sizes, grids, [self.goal], spec.only, spec.fixed), self.seed, True)
        return self.unrolling

    def _ask(self, length: int, kept: Any, seconds: float) -> Generator[Plan, None, Answer]:
        """The runs of that length that keep to `kept`: suggestions, and what the solver said last."""
        unrolling, end = self._unrolling(), time.monotonic() + seconds
        self._reach(length)
        t = length - unrolling.length_of(0)
        if t < 0:
            return "unsat"
        extra = [kept]
        answer: Answer = "unknown"
        while len(extra) <= CANDIDATES and (left := end - time.monotonic()) > 0:
            answer = unrolling.ask(0, unrolling.bad(0, t), extra, left)
            if answer != "sat":
                break
            try:
                plan, shape = unrolling.plan(length), unrolling.shape(length)
            except Irrational:
                return "unknown"
            extra.append(negate(shape))
            yield plan
        return answer


def suited(system: ir.System, sizes: Mapping[str, int], goal: Goal, spec: Spec) -> tuple[ir.System, Grids]:
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
