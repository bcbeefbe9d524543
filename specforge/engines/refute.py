"""Looking for the shortest run that shows each goal, and saying honestly how far was looked.

First random runs, which find the shallow ones in a moment; then the bounded search, member count by member count and step by
step, which finds the rest and excludes what is shorter; then the hunt, which gives up completeness for depth.  Whatever is
found is replayed exactly, made small and round, and only then told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from attrs import define, field, frozen

from specforge.algebra.solver import Interrupted, Irrational, interrupt, recover
from specforge.core import ir
from specforge.engines.bmc import Unrolling
from specforge.engines.encoding import Encoding, Grids
from specforge.engines.grids import cost_of, grids_for
from specforge.engines.hunt import hunt
from specforge.engines.simulate import explore
from specforge.evidence.goal import Goal
from specforge.evidence.ranges import annotated
from specforge.evidence.replay import NotReplayed, replay
from specforge.evidence.simplify import shrink
from specforge.evidence.trace import Plan, Trace

MEMBERS, STEPS = 3, 4  # how far runs are excluded unless more is asked for
EXPLORED, HUNTED = 0.12, 0.45  # shares of the budget
IN_PASSING = 2.0  # seconds of hunting for what nobody expects


@define(eq=False)
class Clock:
    """When to stop (time.monotonic); may be moved while others look at it.  `searching`: afterwards nobody is interrupted."""

    deadline: float
    searching: bool = True
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def stop(self) -> None:
        self.deadline = min(self.deadline, time.monotonic())

    def press(self) -> bool:
        """From another thread: ends what the solver is doing, if the search is still on."""
        with self._lock:
            if self.searching:
                interrupt()
            return self.searching

    @contextmanager
    def tolerant(self) -> Generator[None]:
        """What is broken off because it is time is simply not known."""
        try:
            yield
        except Interrupted:
            if self.left > 0:
                raise

    def over(self) -> None:
        """The search has ended: what follows is not interrupted."""
        with self._lock:
            self.searching = False
        if self.left <= 0:
            recover()


@frozen
class Bounds:
    """How far to look at most; None: as far as is usual, and the budget allows."""

    members: int | None = None
    steps: int | None = None


@define(eq=False)
class Quest:
    """One goal and what is known of it.  `hopeful`: somebody expects it to be found.  `proved`: a proof says it cannot be
    (random runs look all the same).  `excluded`: for a member count, every run with at most so many actions was excluded.
    `stuck`: member counts at which the search gave up."""

    goal: Goal
    hopeful: bool = True
    proved: bool = False
    trace: Trace | None = None
    engine: str = ""
    excluded: dict[int, int] = field(factory=dict)
    stuck: set[int] = field(factory=set)
    limits: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def actions(self) -> int | None:
        return None if self.trace is None else self.trace.actions

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
    """The search for a set of goals of one system, as long as `clock` allows."""

    def __init__(
        self,
        system: ir.System,
        quests: Sequence[Quest],
        clock: Clock,
        bounds: Bounds = Bounds(),
        seed: int = 0,
        tell: Callable[[str], None] = lambda text: None,
    ):
        self.system, self.quests, self.bounds, self.seed, self.tell = system, list(quests), bounds, seed, tell
        self.began, self.clock = time.monotonic(), clock
        named = max((len(party.named) for party in system.open_parties()), default=0)
        self.least = max(1, named) if system.open_parties() else 0
        self.most = max(self.least, bounds.members or max(MEMBERS, self.least + 1)) if system.open_parties() else 0
        self.steps = bounds.steps or STEPS
        self.disagreements: list[str] = []

    @property
    def left(self) -> float:
        return self.clock.left

    def run(self) -> None:
        budget = self.left
        self._explore(min(2.5, EXPLORED * budget))
        self._deepen(self.began + budget * (1 - HUNTED))
        self._hunt()
        self._finish()

    def _pending(self) -> list[Quest]:
        return [each for each in self.quests if each.trace is None]

    # ------------------------------------------------------------ random runs

    def _explore(self, seconds: float) -> None:
        waiting = self._pending()
        if not self.system.actions or not waiting or seconds <= 0:
            return
        for share, members in ((0.5, min(2, self.most)), (0.5, min(4, self.bounds.members or 4))):
            waiting = self._pending()
            if not waiting or members < self.least:
                continue
            self.tell(f"random runs with {members} members")
            found = explore(self.system, [q.goal for q in waiting], members, steps=12, seed=self.seed, seconds=seconds * share)
            for at, plan in found.plans.items():
                self._found(waiting[at], plan, "random runs")

    def _found(self, quest: Quest, plan: Plan, engine: str, exact: bool = False) -> bool:
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
        trace = shrink(self.system, trace, min(3.0, max(0.2, self.left * 0.1)))
        if quest.trace is None or _size(trace) < _size(quest.trace):
            quest.trace, quest.engine = trace, engine
        quest.seconds += time.monotonic() - start
        return True

    # ------------------------------------------------------------ bounded search

    def _deepen(self, until: float) -> None:
        """Length by length; at each length every member count.  A goal leaves when nothing shorter can be found."""
        if not self.system.actions:
            return
        searches: list[_Deepening] = []
        for members in range(self.least, self.most + 1):
            if time.monotonic() < min(until, self.clock.deadline):
                searches.append(_Deepening(self, members))
        length = 0
        while searches and length < 40:
            for search in list(searches):
                if time.monotonic() >= min(until, self.clock.deadline):
                    return
                self.tell(f"runs of {length} steps with {search.members} members")
                if not search.go(length, until):
                    searches.remove(search)
            length += 1

    # ------------------------------------------------------------ deeper, without exhausting

    def _hunt(self) -> None:
        """First for what somebody expects to be found; then, for a moment, for what nobody does."""
        waiting = [each for each in self._pending() if not each.proved]
        hopeful = [each for each in waiting if each.hopeful]
        self._hunt_for(hopeful, self.left * 0.9)
        self._hunt_for([each for each in waiting if not each.hopeful], min(self.left * 0.5, IN_PASSING))

    def _hunt_for(self, waiting: list[Quest], seconds: float) -> None:
        until = time.monotonic() + seconds
        for at, quest in enumerate(waiting):
            left = min(self.clock.deadline, until) - time.monotonic()
            if left < 0.2:
                return
            self.tell(f"hunting for {quest.goal.name}")
            start = time.monotonic()
            for plan in hunt(self.system, quest.goal, left / (len(waiting) - at), self.seed):
                if self._found(quest, plan, "bounded search"):
                    break
            quest.seconds += time.monotonic() - start

    # ------------------------------------------------------------ the last touches

    def _finish(self) -> None:
        found = [each for each in self.quests if each.trace is not None]
        for at, quest in enumerate(found):
            start = time.monotonic()
            assert quest.trace is not None
            if self.left <= 0:
                return
            share = self.left / (len(found) - at)
            quest.trace = annotated(self.system, quest.trace, start + min(2.0, share))
            quest.seconds += time.monotonic() - start


class _Deepening:
    """The bounded search with one number of members: all goals on one unrolling."""

    def __init__(self, refuter: Refuter, members: int):
        self.refuter, self.members = refuter, members
        system, goals = refuter.system, [each.goal for each in refuter.quests]
        sizes = {party.name: max(members, len(party.named)) for party in system.open_parties()}
        self.grids = grids_for(system, harmless_grid(system, sizes), 0)
        self.unrolling = Unrolling(Encoding(system, sizes, self.grids, goals), refuter.seed)
        self.limits = limits_of(self.grids)
        self.finished = -1  # runs with at most so many actions have no more steps than were looked at
        self.dead: set[int] = set()

    def go(self, length: int, until: float) -> bool:
        """One more length.  No: there is nothing left to do with so many members."""
        if length > 0:
            self.unrolling.extend()
        todo = [at for at, quest in enumerate(self.refuter.quests) if at not in self.dead and not self._done(quest)]
        if not todo:
            return False
        for at in todo:
            self._ask(at, length, until)
        self._exclude(length, until)
        return True

    def _done(self, quest: Quest) -> bool:
        excluded = quest.excluded.get(self.members, -1)
        return quest.proved or excluded >= (self.refuter.steps if quest.actions is None else quest.actions - 1)

    def _ask(self, at: int, length: int, until: float) -> None:
        quest, unrolling = self.refuter.quests[at], self.unrolling
        t = length - unrolling.length_of(at)
        if t < 0:
            return
        fewer = [] if quest.actions is None else [unrolling.actions_at_most(quest.actions - 1, length)]
        start = time.monotonic()
        limit = min(until - start, max(1.0, (until - start) * 0.2))
        answer = unrolling.ask(at, unrolling.bad(at, t), fewer, seconds=max(0.05, limit))
        quest.seconds += time.monotonic() - start
        if answer == "sat":
            try:
                plan = unrolling.plan(length)
            except Irrational:
                answer = "unknown"
            else:
                if not self.refuter._found(quest, plan, "bounded search", exact=True):
                    answer = "unknown"
                elif quest.actions is not None and quest.actions > 0:
                    self._ask(at, length, until)  # something with fewer actions, as long?
                    return
        if answer == "unknown":
            self.dead.add(at)
            quest.stuck.add(self.members)

    def _exclude(self, length: int, until: float) -> None:
        """How many actions a run may have so that all its settlings were seen to their end."""
        actions = self.finished + 1
        while actions <= length and time.monotonic() < until:
            answer = self.unrolling.settles(length, actions, max(0.05, min(2.0, until - time.monotonic())))
            if answer != "unsat":
                break
            self.finished = actions
            actions += 1
        for at, quest in enumerate(self.refuter.quests):
            if at not in self.dead and self.finished >= 0:
                reached = self.finished if quest.actions is None else min(self.finished, quest.actions - 1)
                if reached > quest.excluded.get(self.members, -1):
                    quest.excluded[self.members] = reached
                    quest.limits = tuple(dict.fromkeys((*quest.limits, *self.limits)))


AFFORDABLE = 5  # what a kind of quantity may cost (`cost_of`) to stand on a grid while runs are excluded: not money, not prices


def harmless_grid(system: ir.System, sizes: dict[str, int]) -> tuple[str, ...]:
    """The contracts, ratios and rates that leave the fewest products of the rules nonlinear; the rest is left to the solver."""
    pairs = {(a, b) for a, b in Encoding(system, sizes, Grids(), []).products}
    kinds = sorted(kind for kind in frozenset().union(*(a | b for a, b in pairs)) if cost_of(system, kind) <= AFFORDABLE)
    best: tuple[int, int, tuple[str, ...]] | None = None
    for mask in range(1 << len(kinds)):
        chosen = frozenset(kind for at, kind in enumerate(kinds) if mask >> at & 1)
        left = sum(not (a <= chosen or b <= chosen) for a, b in pairs)
        rated = (left, sum(cost_of(system, kind) for kind in chosen), tuple(sorted(chosen)))
        best = rated if best is None or rated < best else best
    return best[2] if best is not None else ()


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


