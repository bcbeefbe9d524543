"""The search for runs that show what is looked for, the shortest if that can be said, and how far runs were excluded.

Everything here is bounded by work that is counted (random events, and the solver's own units), so that the same text comes to
the same end on a slow or busy machine; a clock is only the last resort, unless the user asked for one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from attrs import field

from specforge.algebra.solver import SECOND, Irrational
from specforge.core import ir
from specforge.engines.bmc import Unrolling
from specforge.engines.deadline import Clock, Work
from specforge.engines.encoding import Encoding, Grids
from specforge.engines.free import Shown
from specforge.engines.grids import grids_for, lightest_grid, products
from specforge.engines.hunt import Hunt
from specforge.engines.search import BUILDING, EXTENDING, LONGEST
from specforge.engines.simulate import explore
from specforge.evidence.goal import ClaimGoal, Goal
from specforge.evidence.lead import Lead
from specforge.evidence.ranges import annotated
from specforge.evidence.replay import NotReplayed, replay
from specforge.evidence.simplify import shrink
from specforge.evidence.trace import Plan, Trace
from specforge.records import define, frozen

FEW = 2  # members with whom everything is multiplied that ever is
MEMBERS, STEPS = 3, 4  # how far runs are excluded unless more is asked for
MOST_STEPS = 40
PATIENT = 120.0  # seconds for making one run small and round, and as many for its ranges: a last resort


@frozen
class Effort:
    """How much work is worth it.  `events` of random runs; `hunt`: for a run that somebody expects, turn by turn; `backed`: for
    a shorter one than a scenario shows already; `passing`: for what nobody expects; `exclude`: for excluding runs, and so much
    more for each goal.  `endless`: and then on, as long as there is time."""

    events: int = 10_000
    hunt: tuple[float, ...] = (2 * SECOND, 6 * SECOND, 18 * SECOND)
    backed: tuple[float, ...] = (0.35 * SECOND,)
    passing: tuple[float, ...] = (0.5 * SECOND,)
    exclude: float = 0.9 * SECOND
    exclude_each: float = 0.2 * SECOND
    endless: bool = False


@frozen
class Bounds:
    """How far to look at most; None: as far as is usual, and worth it.  `counts`: with which numbers of members runs are
    excluded, if not with all."""

    members: int | None = None
    steps: int | None = None
    counts: tuple[int, ...] = ()


@define(eq=False)
class Quest:
    """One goal and what is known of it.  `hopeful`: it should be found; `excluding`: how far runs are excluded is of interest
    (what is hopeful without that is worth no more than a moment).  `proof`: that it cannot be found; `obstacle`: why there is
    none.  `known`: a run that shows it, from the rulebook itself; `source`: where from.  `excluded`: for a member count, every
    run with at most so many actions was excluded.  `stuck`: member counts at which the search gave up."""

    goal: Goal
    hopeful: bool = True
    excluding: bool = True
    proof: Shown | None = None
    obstacle: str = ""
    lead: Lead | None = None
    known: Trace | None = None
    source: str = ""
    trace: Trace | None = None
    engine: str = ""
    excluded: dict[int, int] = field(factory=dict)
    stuck: set[int] = field(factory=set)
    limits: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def proved(self) -> bool:
        return self.proof is not None

    @property
    def is_told(self) -> bool:
        """Its run is shown to people; of what only has to be possible, that there is one is all that is said."""
        return self.excluding or not self.hopeful

    @property
    def actions(self) -> int | None:
        return None if self.trace is None else self.trace.actions

    @property
    def found(self) -> bool:
        """Found by a search, and no longer than what is known anyway."""
        if self.trace is None or self.trace is self.known:
            return False
        return self.known is None or self.trace.actions <= self.known.actions

    def scope(self) -> tuple[int, int] | None:
        """Members and actions up to which every run was excluded; None if nothing was."""
        best: tuple[int, int] | None = None
        least: int | None = None
        for members in sorted(self.excluded):
            least = self.excluded[members] if least is None else min(least, self.excluded[members])
            if least >= 1 and (best is None or members * least >= best[0] * best[1]):
                best = (members, least)
        return best

    def shortest(self, least: int) -> int | None:
        """The member count up to which every run shorter than the one found was excluded; None if there is none."""
        if self.trace is None:
            return None
        if self.trace.actions == 0:
            return self._needed()  # nothing is shorter
        members = least
        while self.excluded.get(members, -1) >= self.trace.actions - 1:
            members += 1
        return members - 1 if members > self._needed() else None

    def _needed(self) -> int:
        assert self.trace is not None
        return max(self.trace.plan.sizes.values(), default=0)


class Refuter:
    """The search for a set of goals of one system, as far as is worth it and `clock` allows."""

    def __init__(
        self,
        system: ir.System,
        quests: Sequence[Quest],
        clock: Clock,
        bounds: Bounds = Bounds(),
        seed: int = 0,
        tell: Callable[[str], None] = lambda text: None,
        effort: Effort = Effort(),
    ):
        self.system, self.quests, self.bounds, self.seed, self.tell = system, list(quests), bounds, seed, tell
        self.clock, self.effort = clock, effort
        named = max((len(party.named) for party in system.open_parties()), default=0)
        self.least = max(1, named) if system.open_parties() else 0
        self.most = max(self.least, bounds.members or max(MEMBERS, self.least + 1)) if system.open_parties() else 0
        self.steps = bounds.steps or STEPS
        self.disagreements: list[str] = []
        self._hunts: dict[int, Hunt] = {}
        self._grids: dict[int, Grids] = {}

    @property
    def left(self) -> float:
        return self.clock.left

    def look(self) -> None:
        """Random runs, then the search for what should be found: nothing else."""
        self.explore()
        self._hunt([each for each in self.quests if each.hopeful])

    def search(self) -> None:
        """After random runs: what is expected and no scenario shows, then how short, then a moment for the rest."""
        wanted = [each for each in self.quests if each.hopeful and each.excluding]
        self._hunt([each for each in wanted if each.known is None])
        self._fall_back()
        units = self.effort.exclude + self.effort.exclude_each * sum(each.excluding for each in self.quests)
        asked = self.bounds.members is not None or self.bounds.steps is not None
        self._deepen(Work(math.inf if asked else units, self.clock))
        self._hunt([each for each in wanted if each.known is not None and not self._is_short(each)])
        self._hunt([each for each in self.quests if not each.hopeful and each.excluding and self._is_open(each)])
        if self.effort.endless:
            self._go_on()
        self._finish()

    def exclude(self) -> None:
        """The bounded search alone."""
        self._deepen(Work(math.inf, self.clock))
        self._finish()

    def _is_short(self, quest: Quest) -> bool:
        """Every shorter run was excluded; at least with some number of members that is not the least, and none was given up."""
        if quest.shortest(self.least) is not None:
            return True
        fewer = (quest.actions or 0) - 1
        return not quest.stuck and any(count > self.least and done >= fewer for count, done in quest.excluded.items())

    def _is_open(self, quest: Quest) -> bool:
        """A claim; or a free check for which runs of the usual size were not excluded."""
        usual = quest.excluded.get(self.most, -1) >= self.steps
        return isinstance(quest.goal, ClaimGoal) or not usual

    def glance(self) -> None:
        """A moment for each goal that should be found and is no expectation."""
        self._hunt([each for each in self.quests if each.hopeful and not each.excluding])

    def _go_on(self) -> None:
        """There is more time: half of it to exclude more, the rest to look for what is missing."""
        self._deepen(Work(math.inf, Clock(time.monotonic() + self.left / 2)))
        for at in range(len(self.effort.hunt), 30):
            missing = [each for each in self.quests if each.hopeful and each.excluding and each.trace is None]
            for quest in missing if self.left > 0.1 else []:
                self._hunt_once(quest, self.effort.hunt[-1] * 2**at)

    # ------------------------------------------------------------ random runs

    def explore(self) -> None:
        if not self.system.actions:
            return
        for members in dict.fromkeys((min(2, self.most), min(4, self.bounds.members or 4))):
            waiting = [each for each in self.quests if not each.found]
            if not waiting or members < self.least or self.left <= 0:
                continue
            self.tell(f"random runs with {members} members")
            found = explore(
                self.system, [each.goal for each in waiting], members, steps=12, seed=self.seed, seconds=self.left,
                events=self.effort.events, hoped=[at for at, each in enumerate(waiting) if each.hopeful],
            )  # fmt: skip
            for at, plan in found.plans.items():
                self._keep(waiting[at], plan, "random runs")

    def _keep(self, quest: Quest, plan: Plan, engine: str, exact: bool = False) -> bool:
        """Keeps what a plan shows, if it does, and if it is better than what was known.  `exact`: it must."""
        start = time.monotonic()
        try:
            trace = replay(self.system, plan, quest.goal)
        except NotReplayed as difference:
            if exact:
                self.disagreements.append(f"{quest.goal.name}: a run of the {engine} does not replay: {difference}; {plan}")
            return False
        if self.bounds.steps is not None and trace.actions > self.bounds.steps and engine == "random runs":
            return False
        if quest.is_told:
            trace = shrink(self.system, trace, min(PATIENT, max(0.2, self.left * 0.1)))
        if quest.trace is None or _size(trace) < _size(quest.trace):
            quest.trace, quest.engine = trace, engine
        quest.seconds += time.monotonic() - start
        return True

    # ------------------------------------------------------------ bounded search

    def _deepen(self, work: Work) -> None:
        """Length by length; at each length every member count.  A goal leaves when nothing shorter can be found."""
        looked = [each for each in self.quests if each.excluding and not each.proved and (each.actions or 0) <= self.steps + 1]
        if not self.system.actions or not looked:
            return
        counts = self.bounds.counts or range(self.least, self.most + 1)
        searches = [_Deepening(self, looked, members, work) for members in counts]
        length = 0
        while searches and length < MOST_STEPS:
            for search in list(searches):
                if work.left <= 0:
                    return
                self.tell(f"runs of {length} steps with {search.members} members")
                if not search.go(length):
                    searches.remove(search)
            length += 1

    def grids(self, members: int) -> Grids:
        """What a complete search keeps to a few values: found with few members, since more multiply nothing else."""
        few = min(members, max(FEW, self.least))
        if few not in self._grids:
            sizes = {party.name: max(few, len(party.named)) for party in self.system.open_parties()}
            self._grids[few] = grids_for(self.system, lightest_grid(self.system, products(self.system, sizes, [])), 0)
        return self._grids[few]

    # ------------------------------------------------------------ deeper, without exhausting

    def _hunt(self, quests: Sequence[Quest]) -> None:
        """Turn by turn, each goal that is still wanted gets more."""
        waiting = [each for each in quests if not each.found and not each.proved]
        for turn in range(max(map(len, (self.effort.hunt, self.effort.backed, self.effort.passing)))):
            for quest in list(waiting):
                turns = self._turns(quest)
                if turn >= len(turns) or self.left <= 0 or not self._hunt_once(quest, turns[turn]):
                    waiting.remove(quest)

    def _turns(self, quest: Quest) -> tuple[float, ...]:
        effort = self.effort
        if not (quest.hopeful and quest.excluding):
            return effort.passing
        return effort.hunt if quest.known is None else effort.backed

    def _hunt_once(self, quest: Quest, units: float) -> bool:
        """Whether to go on."""
        self.tell(f"hunting for {quest.goal.name}")
        start = time.monotonic()
        if id(quest) not in self._hunts:
            longest = LONGEST if quest.known is None else len(quest.known.steps)
            self._hunts[id(quest)] = Hunt(self.system, quest.goal, self.seed, longest)
        hunt, before = self._hunts[id(quest)], quest.actions
        for plan in hunt.run(Work(units, self.clock)):
            if self._keep(quest, plan, "bounded search") and quest.found and quest.actions != before:
                break
        quest.seconds += time.monotonic() - start
        return not quest.found and not hunt.over

    def _fall_back(self) -> None:
        """What no search found so short, the rulebook's own scenario shows."""
        for quest in self.quests:
            if quest.known is not None and not quest.found:
                quest.trace, quest.engine = quest.known, quest.source

    # ------------------------------------------------------------ the last touches

    def _finish(self) -> None:
        for quest in self.quests:
            if quest.trace is not None and quest.is_told and self.left > 0:
                start = time.monotonic()
                quest.trace = annotated(self.system, quest.trace, start + min(PATIENT, self.left))
                quest.seconds += time.monotonic() - start


class _Deepening:
    """The bounded search with one number of members: all goals on one unrolling."""

    def __init__(self, refuter: Refuter, quests: Sequence[Quest], members: int, work: Work):
        self.refuter, self.quests, self.members, self.work = refuter, quests, members, work
        system, goals = refuter.system, [each.goal for each in quests]
        sizes = {party.name: max(members, len(party.named)) for party in system.open_parties()}
        self.grids = refuter.grids(members)
        self.unrolling = Unrolling(Encoding(system, sizes, self.grids, goals), refuter.seed)
        self.limits = limits_of(self.grids)
        self.finished = -1  # runs with at most so many actions have no more steps than were looked at
        self.dead: set[int] = set()
        work.also += BUILDING

    def go(self, length: int) -> bool:
        """One more length.  No: there is nothing left to do with so many members."""
        if length > 0:
            self.unrolling.extend()
            self.work.also += EXTENDING
        todo = [at for at, quest in enumerate(self.quests) if at not in self.dead and not self._done(quest)]
        if not todo:
            return False
        for at in todo:
            if self.work.left > 0:
                self._ask(at, length)
        self._exclude(length)
        return True

    def _done(self, quest: Quest) -> bool:
        excluded = quest.excluded.get(self.members, -1)
        return excluded >= (self.refuter.steps if quest.actions is None else quest.actions - 1)

    def _share(self) -> float:
        """Of the work that is left, for one question."""
        return max(0.4 * SECOND, self.work.left * 0.2)

    def _ask(self, at: int, length: int) -> None:
        quest, unrolling = self.quests[at], self.unrolling
        t = length - unrolling.length_of(at)
        if t < 0:
            return
        fewer = [] if quest.actions is None else [unrolling.actions_at_most(quest.actions - 1, length)]
        start = time.monotonic()
        answer = unrolling.ask(at, unrolling.bad(at, t), fewer, self.refuter.left, self._share())
        quest.seconds += time.monotonic() - start
        if answer == "sat":
            try:
                plan = unrolling.plan(length)
            except Irrational:
                answer = "unknown"
            else:
                if not self.refuter._keep(quest, plan, "bounded search", exact=True):  # pyright: ignore[reportPrivateUsage]
                    answer = "unknown"
                elif quest.actions is not None and quest.actions > 0:
                    self._ask(at, length)  # something with fewer actions, as long?
                    return
        if answer == "unknown":
            self.dead.add(at)
            quest.stuck.add(self.members)

    def _exclude(self, length: int) -> None:
        """How many actions a run may have so that all its settlings were seen to their end."""
        actions = self.finished + 1
        while actions <= length and self.work.left > 0:
            answer = self.unrolling.settles(length, actions, self.refuter.left, self._share())
            if answer != "unsat":
                break
            self.finished = actions
            actions += 1
        for at, quest in enumerate(self.quests):
            if at not in self.dead and self.finished >= 0 and self.work.left > 0:
                reached = self.finished if quest.actions is None else min(self.finished, quest.actions - 1)
                if reached > quest.excluded.get(self.members, -1):
                    quest.excluded[self.members] = reached
                    quest.limits = tuple(dict.fromkeys((*quest.limits, *self.limits)))


def limits_of(grids: Grids) -> tuple[str, ...]:
    """What a search on these grids keeps to, in words."""
    said = []
    for kind, values in sorted(grids.values.items()):
        shown = ", ".join(_short(v) for v in values) if len(values) <= 9 else f"{_short(values[0])} to {_short(values[-1])}"
        said.append(f"{'ratios and plain numbers' if kind == 'number' else 'amounts of ' + kind} among {shown}")
    if grids.rate is not None:
        said.append("pro-rata rates among " + ", ".join(_short(v) for v in grids.rate))
    return tuple(said)


def _short(value: object) -> str:
    return str(value)


def _size(trace: Trace) -> tuple[int, int, int]:
    """Smaller means fewer actions, then fewer members, then fewer firings."""
    return (trace.actions, trace.members, len(trace.steps))
