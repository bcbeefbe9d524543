"""One bounded search for one goal: runs of so many members, longer and longer, with what it keeps to (a `Spec`).

While the straight way is quick it is taken length by length.  Once it is not, the search goes on from stepping stones as
well: short runs in which some duty has acted, whose steps and members are kept while their amounts stay open; that is how a
run of nine steps is found without having excluded those of eight.  The next question is always asked where least work was
spent: work is what the solver counts, so that a slow or busy machine asks the same questions.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from enum import Enum
from typing import Any

from attrs import field

from specforge.algebra.exact import Cell
from specforge.algebra.solver import SECOND, Answer, Irrational
from specforge.algebra.symbolic import negate
from specforge.core import ir
from specforge.engines.bmc import Unrolling
from specforge.engines.deadline import Work
from specforge.engines.encoding import Encoding, Grids
from specforge.engines.grids import AFFORDABLE, Pairs, cheapest_cover, cost_of, covers, grids_for, lightest_grid, loosened
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal
from specforge.evidence.trace import Plan
from specforge.records import define, frozen

Fixed = Mapping[Cell, Any]

LONGEST = 18  # steps of a run, actions and firings together
CANDIDATES = 12  # suggestions taken from one question
STONES, NEAREST, FARTHEST = 3, 7, 8  # stepping stones of a duty and length; steps to them, steps beyond them
MOST_STONES = 10
PATIENCE = 0.5 * SECOND  # of work that a question may take at least; then twice what its line has taken so far
LONELY = 0.6 * SECOND  # before stones are looked for
STRAIGHT = 0.25  # of the work of a turn: runs from the start, without a stone
ROOTED = 0.4  # runs from the start get so much more than those by way of one stone
BUILDING, EXTENDING = 0.1 * SECOND, 0.01 * SECOND  # what it costs to write down a step, and one more of a run


class Way(Enum):
    """What is done where no grid of contracts and ratios makes all products linear."""

    LINEAR = "the rules whose products stay nonlinear are left out"
    LIGHT = "they are left to the solver"
    COVER = "money and prices are kept to a grid too"
    FREE = "nothing is kept to a grid"


@frozen
class Spec:
    """What one search keeps to.  `members` of each open party; `fixed`: the parameters' values (none: open); `level`: how
    wide the grid; `only`: the actions (None: all); `share`: how much work it gets, against the others."""

    members: int
    fixed: Fixed
    level: int
    only: frozenset[str] | None = None
    way: Way = Way.COVER
    share: float = 1.0


@define(order=False)
class Line:
    """Runs that begin in one way (`kept`: none, or those that come by a stepping stone `steps` long): the next `length` to be
    asked about, and the work spent on it so far."""

    kept: Any
    steps: int
    length: int
    spent: float = 0.0


class Search:
    """The runs that one search suggests, none with more than `longest` steps.  `exhausted`: it has nothing more to say."""

    def __init__(self, suits: Suits, spec: Spec, seed: int = 0, longest: int = LONGEST):
        self.suits, self.spec, self.seed, self.longest = suits, spec, seed, min(longest, LONGEST)
        self.unrolling: Unrolling | None = None
        self.root = Line(True, 0, 0)
        self.lines = [self.root]
        self.looked = 1  # the steps up to which stones were looked for
        self.exhausted = False

    def run(self, units: float, work: Work) -> Iterator[Plan]:
        """Goes on for so much work: first a while from the start, then where least was spent."""
        self._unrolling(work)
        end = work.spent + units
        straight = end - units * (1 - STRAIGHT)
        while not self.exhausted and work.left > 0 and (left := end - work.spent) > 0:
            ahead = work.spent < straight
            left -= (1 - STRAIGHT) * units if ahead else 0
            if not ahead and self.root.spent > LONELY and self.looked < min(self.root.length, NEAREST):
                self.looked += 1
                self._find_stones(self.looked, min(PATIENCE, left), work)
                continue
            line = self.root if ahead else min(self.lines, key=lambda each: each.spent * (ROOTED if each is self.root else 1))
            began = work.spent
            answer: Answer = "unsat"
            if line.length >= self.root.length:  # what is shorter was asked about without stones
                answer = yield from self._ask(line.length, line.kept, min(max(PATIENCE, 2 * line.spent), left), work)
            line.spent += work.spent - began
            if answer == "unsat":
                line.length += 1
            if line.length > min(self.longest, line.steps + FARTHEST if line.steps else LONGEST):
                self.lines.remove(line)
            self.exhausted = (line is self.root and self.root not in self.lines) or not self.lines

    def _find_stones(self, steps: int, units: float, work: Work) -> None:
        """Runs so long in which some duty acts last."""
        unrolling, end = self._unrolling(work), work.spent + units
        self._reach(steps, work)
        for duty in (each.name for each in unrolling.encoding.rules if each.duty):
            blocked: list[Any] = []
            while len(blocked) < STONES and len(self.lines) <= MOST_STONES and (left := end - work.spent) > 0:
                cond = unrolling.fires(duty, steps - 1)
                if unrolling.ask(0, cond, blocked, work.clock.left, min(left, work.left)) != "sat":
                    break
                kept = unrolling.shape(steps, giving=False)
                blocked.append(negate(kept))
                self.lines.append(Line(kept, steps, steps + 1))

    def _reach(self, length: int, work: Work) -> None:
        unrolling = self._unrolling(work)
        while len(unrolling.steps) < length:
            unrolling.extend()
            work.also += EXTENDING

    def _unrolling(self, work: Work) -> Unrolling:
        if self.unrolling is None:
            self.unrolling = Unrolling(self.suits.encoding(self.spec), self.seed, ends_early=True)
            work.also += BUILDING
        return self.unrolling

    def _ask(self, length: int, kept: Any, units: float, work: Work) -> Generator[Plan, None, Answer]:
        """The runs of that length that keep to `kept`: suggestions, and what the solver said last."""
        unrolling, end = self._unrolling(work), work.spent + units
        self._reach(length, work)
        t = length - unrolling.length_of(0)
        if t < 0:
            return "unsat"
        extra = [kept]
        answer: Answer = "unknown"
        while len(extra) <= CANDIDATES and (left := min(end - work.spent, work.left)) > 0:
            answer = unrolling.ask(0, unrolling.bad(0, t), extra, work.clock.left, left)
            if answer != "sat":
                break
            try:
                plan, shape = unrolling.plan(length), unrolling.shape(length)
            except Irrational:
                return "unknown"
            extra.append(negate(shape))
            yield plan
        return answer


@define(eq=False)
class Suits:
    """What to keep to a grid, for one goal: found once for each set of parameters that are fixed (with few members: more
    members multiply nothing else)."""

    system: ir.System
    goal: Goal
    known: dict[frozenset[Cell], tuple[ir.System, Pairs, dict[str, Pairs], tuple[str, ...]]] = field(factory=dict)

    def encoding(self, spec: Spec) -> Encoding:
        """One step as the search wants it: rankings are left open if that spares a grid."""
        system, pairs, pairs_in, cover = self.products(spec.fixed)
        kinds, only, never = cover, spec.only, frozenset[str]()
        if spec.way is not Way.COVER and self.has_ways(spec.fixed):
            kinds = lightest_grid(system, pairs) if spec.way is not Way.FREE else ()
            if spec.way is Way.LINEAR:
                bent = {rule for rule, own in pairs_in.items() if not all(covers(kinds, pair) for pair in own)}
                bent -= {judged_after(self.goal)}
                taken = [each.name for each in system.actions.values() if each.open and (only is None or each.name in only)]
                only, never = frozenset(taken) - bent, frozenset(bent & system.duties.keys())
        grids = grids_for(system, kinds, spec.level)
        return Encoding(system, self.sizes(spec.members), grids, [self.goal], only, spec.fixed, never)

    def has_ways(self, fixed: Fixed) -> bool:
        """Money or prices would have to be kept to a grid."""
        return any(cost_of(self.system, kind) > AFFORDABLE for kind in self.products(fixed)[3])

    def products(self, fixed: Fixed) -> tuple[ir.System, Pairs, dict[str, Pairs], tuple[str, ...]]:
        """The rulebook to search, what it multiplies, in which rules, and the kinds that would cover all of that."""
        key = frozenset(fixed)
        if key not in self.known:
            systems = [self.system] if isinstance(self.goal, DefectGoal) else [self.system, loosened(self.system)]
            found = []
            for system in systems:
                bare = Encoding(system, self.sizes(2), Grids(), [self.goal], None, fixed)
                cover = cheapest_cover(system, set(bare.products))
                found.append((system, set(bare.products), bare.products_in, cover))
            self.known[key] = min(found, key=lambda each: sum(cost_of(self.system, kind) for kind in each[3]))
        return self.known[key]

    def sizes(self, members: int) -> dict[str, int]:
        return {party.name: max(members, len(party.named)) for party in self.system.open_parties()}


def judged_after(goal: Goal) -> str:
    """The action or duty that the goal is judged after, if there is one."""
    return goal.claim.moment.name if isinstance(goal, ClaimGoal) and isinstance(goal.claim.moment, ir.After) else ""
