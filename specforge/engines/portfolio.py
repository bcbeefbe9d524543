"""Which engine is asked what, in three stages that any process may take up where another has left off.

    SEEK    random runs for every goal; then what is expected to be found, and how short; then the moment each free check is worth
    PROVE   what SEEK's random runs did not refute, and that what they did not see cannot be
    REST    what is left after both: how far runs are excluded

What a stage comes to depends on the text, the options and the stages before it alone: not on the machine, nor on who else works.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

from attrs import define, evolve, field, frozen

from specforge.core import ir
from specforge.engines.deadline import Clock, OutOfTime, at_most
from specforge.engines.free import FREE_CHECKS, FreeGoal, free_goals, free_rows
from specforge.engines.induction import prove
from specforge.engines.refute import Bounds, Effort, Quest, Refuter
from specforge.engines.rows import Row, Shown, row_of, rows_of, scenario_run, scope_of
from specforge.engines.scenarios import scenario_result
from specforge.evidence.certificate import ProofOutcome, Proved
from specforge.evidence.goal import ClaimGoal, ReachGoal, RuleGoal
from specforge.evidence.report import CheckOptions
from specforge.evidence.verdict import Result

Emit = Callable[[Result], None]
Tell = Callable[[str], None]


class Stage(Enum):
    SEEK = "seek"
    PROVE = "prove"
    REST = "rest"


@frozen
class News:
    """What is known of each goal (by its position in the agenda) after a stage, and which rows were told."""

    quests: dict[int, Quest] = field(factory=dict)
    proofs: dict[int, Shown | str] = field(factory=dict)  # or why there is none
    told: frozenset[str] = frozenset()

    def with_(self, later: News) -> News:
        return News({**self.quests, **later.quests}, {**self.proofs, **later.proofs}, self.told | later.told)


class Disagreement(Exception):
    """Two engines contradict each other: an error of SpecForge, never a verdict."""


@define(eq=False)
class Agenda:
    """Everything that is to be decided of one rulebook.  Goals are known by their position: rows first, then free checks."""

    system: ir.System
    rulebook: str
    options: CheckOptions
    clock: Clock
    tell: Tell
    emit: Emit
    rows: list[Row] = field(init=False)
    free: list[FreeGoal] = field(init=False)
    searches: dict[FreeGoal, Quest] = field(init=False)
    told: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        options, system = self.options, self.system
        self.rows = [row for row in rows_of(system) if self._wanted(row.quest.goal.name)]
        self.free = [each for each in free_goals(system) if self._wanted(each.check) and each.check not in options.off]
        self.searches = {each: Quest(each.goal, each.wants == "sometime", excluding=False) for each in self.free}

    def _wanted(self, name: str) -> bool:
        return not self.options.only or name in self.options.only

    @property
    def quests(self) -> list[Quest]:
        return [*(row.quest for row in self.rows), *self.searches.values()]

    @property
    def checks(self) -> list[str]:
        return [name for name in FREE_CHECKS if self._wanted(name) and name not in self.options.off]

    # ------------------------------------------------------------ what other stages know

    def learn(self, news: News) -> None:
        for at, (quest, known) in enumerate(zip(self.quests, map(news.quests.get, range(len(self.quests))), strict=True)):
            if known is not None:
                quest.trace, quest.engine, quest.excluded = known.trace, known.engine, known.excluded
                quest.stuck, quest.limits = known.stuck, known.limits
                quest.seconds += known.seconds
            proof = news.proofs.get(at)
            quest.proved = isinstance(proof, Shown)
            if at < len(self.rows):
                row = self.rows[at]
                row.proof, row.obstacle = (proof, "") if isinstance(proof, Shown) else (None, proof or "")
        self.told |= news.told

    def news(self, proofs: dict[int, Shown | str] | None = None) -> News:
        quests = {at: each for at, each in enumerate(self.quests) if each.trace is not None or each.excluded}
        return News(quests if proofs is None else {}, proofs or {}, frozenset(self.told))

    # ------------------------------------------------------------ telling

    def say(self, row: Row) -> None:
        at = f"row {self.rows.index(row)}"
        if at not in self.told:
            self.told.add(at)
            self.emit(row_of(self.system, self.rulebook, row, self.options, self.clock.left <= 0))

    def say_free(self, checks: Sequence[str]) -> None:
        checks = [each for each in checks if each not in self.told]
        self.told |= set(checks)
        for result in free_rows(self.system, self.rulebook, self.searches, checks, scope_of):
            self.emit(result)

    # ------------------------------------------------------------ SEEK

    def refuter(self, quests: Sequence[Quest], seed: int = 0) -> Refuter:
        options = self.options
        effort = Effort(endless=options.budget is not None)
        return Refuter(
            self.system, quests, self.clock, Bounds(options.members, options.steps), options.seed + seed, self.tell, effort
        )

    def seek(self, seen: Callable[[News], None]) -> News:
        """`seen` hears of what the random runs have seen, and of what can be looked at with little effort."""
        for scenario in self.system.scenarios.values():
            if self._wanted(scenario.name):
                self.emit(evolve(scenario_result(self.system, scenario), rulebook=self.rulebook))
        for row in self.rows:
            row.quest.known = scenario_run(self.system, row)
            row.quest.source = f"scenario {row.expect.by}" if row.expect is not None else ""
        with _within(self.clock):
            self.refuter(self.quests).explore()
        for row in self.rows:
            if row.quest.trace is not None:  # how short that is, is worth knowing
                row.quest.excluding = True
        refuter = self.refuter([each for each in self.quests if each.excluding or each.hopeful])
        with _within(self.clock):
            refuter.glance()
        seen(self.news())
        with _within(self.clock):
            refuter.search()
        self.clock.over()
        self._agree(refuter)
        for row in self.rows:
            if row.quest.trace is not None:
                self.say(row)
        self.say_free([each for each in self.checks if self._is_settled(each)])
        return self.news()

    def _is_settled(self, check: str) -> bool:
        """What is known of the check needs no proof and no further search."""
        goals = [each for each in self.free if each.check == check]
        if not goals:
            return True
        seen = [self.searches[each].trace is not None for each in goals]
        return all(seen) if goals[0].wants == "sometime" else any(seen)

    def _agree(self, refuter: Refuter) -> None:
        found = list(refuter.disagreements)
        found += [
            f"`{row.quest.goal.name}` is proved, and a run shows that it does not hold"
            for row in self.rows
            if row.proof is not None and row.quest.trace is not None
        ]
        if found:
            raise Disagreement("\n".join(found))

    # ------------------------------------------------------------ PROVE

    def prove(self) -> News:
        """Every claim that nobody expects to be refuted; then, of what no run has shown, that none can."""
        proofs: dict[int, Shown | str] = {}
        rows = [row for row in self.rows if row.quest.trace is None and not row.sought]
        unseen = {at: goal for at, quest in enumerate(self.quests) if (goal := self._opposite(at, quest)) is not None}
        goals = {self.rows.index(row): row.quest.goal for row in rows if isinstance(row.quest.goal, ClaimGoal)}
        silent = [each.goal for each, quest in self.searches.items() if each.check == "vacuous" and quest.trace is None]
        for at, outcome, seconds in self._outcomes(goals):
            proofs[at] = Shown.of(outcome) if isinstance(outcome, Proved) else outcome.reason if outcome is not None else ""
            row = self.rows[at]
            row.proof = Shown.of(outcome) if isinstance(outcome, Proved) else None
            row.quest.seconds += seconds
            if row.proof is not None and not any(_judges(each, row.quest.goal) for each in silent):
                self.say(row)
        for at, outcome, _ in self._outcomes(unseen):
            proofs[at] = Shown.of(outcome) if isinstance(outcome, Proved) else ""
            if isinstance(outcome, Proved) and at >= len(self.rows):
                for row in rows:
                    row.vacuous = row.vacuous or (_judges(self.free[at - len(self.rows)].goal, row.quest.goal) or None)
        for row in rows:
            if row.proof is not None:
                self.say(row)
        return self.news(proofs)

    def _outcomes(self, goals: dict[int, Any]) -> list[tuple[int, ProofOutcome | None, float]]:
        """Each goal with its outcome; those that share what is given together."""
        groups: dict[tuple[ir.Given, ...], list[int]] = {}
        for at, goal in goals.items():
            groups.setdefault(goal.given, []).append(at)
        found: list[tuple[int, ProofOutcome | None, float]] = []
        for given in sorted(groups, key=len):
            self.tell("proving for any number of members")
            began, outcomes = time.monotonic(), dict[Any, ProofOutcome]()
            with _within(self.clock):
                seconds = None if self.options.budget is None else self.clock.left
                outcomes = prove(self.system, [goals[at] for at in groups[given]], seconds=seconds)
            for at in groups[given]:
                outcome = outcomes.get(goals[at])
                found.append((at, outcome, outcome.seconds if outcome is not None else time.monotonic() - began))
        return found

    def _opposite(self, at: int, quest: Quest) -> ClaimGoal | None:
        """What says that no run shows it, if no run has; None where that is no question."""
        goal, wanted = quest.goal, at < len(self.rows) or self.free[at - len(self.rows)].wants == "sometime"
        if quest.trace is not None or not wanted:
            return None
        match goal:
            case ReachGoal(reach):
                never = ir.Op(ir.Operator.NOT, (reach.cond,))
                return ClaimGoal(ir.Claim(f"never {reach.name}", ir.AtRest(), never, (), span=reach.span))
            case RuleGoal(rule):
                return ClaimGoal(ir.Claim(f"never {rule}", ir.After(rule, (), rule in self.system.duties), ir.NO, ()))
            case ClaimGoal() if at >= len(self.rows):
                return goal
            case _:
                return None

    # ------------------------------------------------------------ REST

    def rest(self) -> None:
        left = [row for row in self.rows if row.quest.trace is None and row.proof is None]
        for row in left:
            row.quest.hopeful, row.quest.excluding = row.sought, True
        never = [quest for each, quest in self.searches.items() if each.wants == "never" and quest.trace is None]
        for quest in never:
            quest.excluding = True
        refuter = self.refuter([*(row.quest for row in left if not row.sought), *never], seed=1)
        with _within(self.clock):
            refuter.explore()
            refuter.search()
        self.clock.over()
        self._agree(refuter)
        for row in self.rows:
            self.say(row)
        self.say_free(self.checks)

    @property
    def has_rest(self) -> bool:
        """Whether some row is still to come."""
        return not {*(f"row {at}" for at in range(len(self.rows))), *self.checks} <= self.told


def _judges(tested: object, goal: object) -> bool:
    """The free check's goal says of this claim that it is judged, or its condition met, at all."""
    if not (isinstance(tested, ClaimGoal) and isinstance(goal, ClaimGoal)) or tested.given != goal.given:
        return False
    if tested.claim.cond == ir.NO:
        return tested.claim.moment == goal.claim.moment
    return tested.claim.name == goal.claim.name


@contextmanager
def _within(clock: Clock) -> Generator[None]:
    """What is broken off because it is time is simply not known."""
    with clock.tolerant(), suppress(OutOfTime), at_most(max(0.01, clock.left) + 0.5):
        yield


def decide(system: ir.System, rulebook: str, options: CheckOptions, clock: Clock, tell: Tell, emit: Emit) -> None:
    """All stages in turn, in this process."""
    agenda = lambda: Agenda(system, rulebook, options, clock, tell, emit)  # noqa: E731
    early: list[News] = []
    found = agenda().seek(early.append)
    prover = agenda()
    prover.learn(early[0])
    known = found.with_(prover.prove())
    last = agenda()
    last.learn(known)
    if last.has_rest:
        last.rest()
