"""Which engine is asked what, in three stages that any process may take up where another has left off.

    SEEK    random runs for every goal; then what is expected to be found, and how short
    PROVE   what SEEK's random runs did not refute, and that what they did not see cannot be
    REST    what is left after both: how far runs are excluded

What a stage comes to depends on the text, the options and the stages before it alone, not on the machine, nor on who else is
at work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

from attrs import evolve, field

from specforge.algebra.solver import SECOND, set_seed
from specforge.core import ir
from specforge.diagnostics.source import Span
from specforge.engines.cores import core_of_proof
from specforge.engines.deadline import Clock, OutOfTime, Work, at_most
from specforge.engines.fixed import prove_fixed
from specforge.engines.free import FreeGoal, Shown, free_goals, free_rows
from specforge.engines.induction import Known, Provable, idle, prove
from specforge.engines.refute import Bounds, Effort, Quest, Refuter
from specforge.engines.rows import Row, row_of, rows_of, scenario_plans, scenario_run, scope_of, shown_by
from specforge.engines.scenarios import scenario_result
from specforge.engines.spacer import from_fixed_point
from specforge.evidence.certificate import NotProved, ProofOutcome, Proved
from specforge.evidence.explain import why
from specforge.evidence.goal import ClaimGoal, DefectGoal, ReachGoal, RuleGoal
from specforge.evidence.lead import Lead
from specforge.evidence.report import CheckOptions
from specforge.evidence.verdict import FREE_CHECKS, Result
from specforge.records import define, frozen

Emit = Callable[[Result], None]
Tell = Callable[[str], None]


FEW = (2, 3)  # members to try
FEW_WORK, FEW_SECONDS = 3 * SECOND, 6.0  # for each of these; the seconds are a last resort, where products are not counted


class Stage(Enum):
    SEEK = "seek"
    PROVE = "prove"
    REST = "rest"


@frozen
class News:
    """What is known of each goal (by its position in the agenda) after a stage, and which rows are still to be told."""

    untold: frozenset[str]
    quests: dict[int, Quest] = field(factory=dict)
    proofs: dict[int, Shown | str] = field(factory=dict)  # or why there is none
    leads: dict[int, Lead] = field(factory=dict)  # where the induction fails

    def with_(self, later: News) -> News:
        untold = self.untold & later.untold
        return News(untold, {**self.quests, **later.quests}, {**self.proofs, **later.proofs}, {**self.leads, **later.leads})

    @property
    def has_rest(self) -> bool:
        return bool(self.untold)


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
    untold: set[str] = field(init=False)
    idle: list[str] | None = None  # the guards that never refuse anything, once somebody has looked
    outcomes: dict[Provable, ProofOutcome] = field(factory=dict)  # of whatever was to be proved

    def __attrs_post_init__(self) -> None:
        options, system = self.options, self.system
        self.rows = [row for row in rows_of(system) if self._wanted(row.quest.goal.name)]
        self.free = [each for each in free_goals(system) if self._wanted(each.check) and each.check not in options.off]
        self.searches = {each: Quest(each.goal, each.wants == "sometime", excluding=False) for each in self.free}
        self.untold = {*(f"row {at}" for at in range(len(self.rows))), *self.checks}

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
            quest.proof, quest.obstacle = (proof, "") if isinstance(proof, Shown) else (None, proof or "")
            quest.lead = news.leads.get(at)
        self.untold &= news.untold

    def news(self, proofs: dict[int, Shown | str] | None = None) -> News:
        quests = {at: each for at, each in enumerate(self.quests) if each.trace is not None or each.excluded}
        leads = {at: each.lead for at, each in enumerate(self.quests) if each.lead is not None}
        return News(frozenset(self.untold), quests if proofs is None else {}, proofs or {}, leads)

    # ------------------------------------------------------------ telling

    def say(self, row: Row) -> None:
        at = f"row {self.rows.index(row)}"
        if at in self.untold:
            self.untold.discard(at)
            self._emit(row_of(self.system, self.rulebook, row, self.options, self.clock.left <= 0))

    def say_free(self, checks: Sequence[str]) -> None:
        checks = [each for each in checks if each in self.untold]
        self.untold -= set(checks)
        for result in free_rows(self.system, self.rulebook, self.searches, checks, scope_of, self.idle):
            self._emit(result)

    def _emit(self, result: Result) -> None:
        """With the reasons in words: found here, they need not be found again each time the row is shown."""
        trace = result.trace
        self.emit(result if trace is None else evolve(result, trace=evolve(trace, why=why(self.system, trace))))

    # ------------------------------------------------------------ SEEK

    def refuter(self, quests: Sequence[Quest], seed: int = 0) -> Refuter:
        options = self.options
        effort = Effort(endless=options.budget is not None)
        return Refuter(
            self.system, quests, self.clock, Bounds(options.members, options.steps), options.seed + seed, self.tell, effort
        )

    def seek(self, seen: Callable[[News], None]) -> News:
        """`seen` hears of what is seen with little effort."""
        for scenario in self.system.scenarios.values():
            if self._wanted(scenario.name):
                self.emit(evolve(scenario_result(self.system, scenario), rulebook=self.rulebook))
        refuter = self.look()
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

    def look(self) -> Refuter:
        """Random runs, scenarios, and what can be looked at with little effort; for the prover to know what runs have shown."""
        for row in self.rows:
            row.quest.known = scenario_run(self.system, row)
            row.quest.source = f"scenario {row.expect.by}" if row.expect is not None else ""
        with _within(self.clock):
            self.refuter(self.quests).explore()
            self._from_scenarios()
        for row in self.rows:
            if row.quest.trace is not None:  # how short that is, is worth knowing
                row.quest.excluding = True
        refuter = self.refuter([each for each in self.quests if each.excluding or each.hopeful])
        with _within(self.clock):
            refuter.glance()
        return refuter

    def _from_scenarios(self) -> None:
        """Scenarios are runs too: what should be seen, and was not in random runs, may be seen there."""
        missing = [each for each in self.quests if each.trace is None and each.known is None and each.hopeful]
        plans = scenario_plans(self.system) if missing else []
        for quest in missing:
            if isinstance(quest.goal, DefectGoal) or (found := shown_by(self.system, quest.goal, plans)) is None:
                continue
            if quest.excluding:  # a reach: a shorter way may be found
                quest.known, quest.source = found
            else:
                quest.trace, quest.engine = found

    def _is_settled(self, check: str) -> bool:
        """What is known of the check needs no proof and no further search."""
        if check == "idle":
            return False
        goals = [each for each in self.free if each.check == check]
        if not goals:
            return True
        seen = [self.searches[each].trace is not None for each in goals]
        return all(seen) if goals[0].wants == "sometime" else any(seen)

    def _agree(self, refuter: Refuter) -> None:
        found = list(refuter.disagreements)
        found += [
            f"`{quest.goal.name}` is proved, and a run shows that it does not hold"
            for quest in self.quests
            if quest.proved and quest.trace is not None
        ]
        if found:
            raise Disagreement("\n".join(found))

    # ------------------------------------------------------------ PROVE

    def prove(self) -> News:
        """Every claim that nobody expects to be refuted; that settling ends, no defect is met; then, of what no run has shown,
        that none can."""
        known = Known()
        rows = [row for row in self.rows if row.quest.trace is None and not row.sought]
        silent = [each.goal for each, quest in self.searches.items() if each.check == "vacuous" and quest.trace is None]
        for group in self._groups(rows):
            self._prove([row.quest for row in group], [row.quest.goal for row in group], known, look=True)
            for row in group:
                if row.quest.proved and not any(_judges(each, row.quest.goal) for each in silent):
                    self.say(row)
        never = {each: quest for each, quest in self.searches.items() if each.wants == "never" and quest.trace is None}
        self._prove([*never.values()], [each.goal for each in never.values()], known)
        self.say_free([each.check for each, quest in never.items() if quest.proved])
        self._look_for_idle_guards(known)
        for quest, goal in self._unseen():
            self._prove([quest], [goal], known)
        for each, quest in self.searches.items():
            for row in rows if each.check == "vacuous" and quest.proved else []:
                row.vacuous = row.vacuous or (_judges(each.goal, row.quest.goal) or None)
        for row in rows:
            if row.quest.proved:
                self.say(row)
        proofs = {at: each.proof or each.obstacle for at, each in enumerate(self.quests)}
        return self.news({at: each for at, each in proofs.items() if each})

    def _groups(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Those that share what is given, the fewest assumptions first."""
        groups: dict[tuple[ir.Given, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(row.quest.goal.given, []).append(row)
        return [groups[given] for given in sorted(groups, key=len)]

    def _prove(self, quests: Sequence[Quest], goals: Sequence[Any], known: Known, look: bool = False) -> None:
        """Sets what is proved, and what stands in the way of the others (`look`: with what a proof needs of the text, and
        with the step at which induction fails)."""
        if not goals or self.clock.left <= 0:
            return
        self.tell("proving for any number of members")
        began, outcomes = time.monotonic(), dict[Provable, ProofOutcome]()
        with _within(self.clock):
            seconds = None if self.options.budget is None else self.clock.left
            prove(self.system, goals, seconds=seconds, known=known, outcomes=outcomes)
        for quest, goal in zip(quests, goals, strict=True):
            outcome = outcomes.get(goal)
            if outcome is not None:
                self.outcomes[goal] = outcome
            quest.proof = Shown.of(outcome) if isinstance(outcome, Proved) else None
            if look and self.options.proofs and isinstance(outcome, Proved):
                with _within(self.clock):
                    quest.proof = Shown.of(outcome, core_of_proof(self.system, outcome))
            quest.obstacle = outcome.reason if isinstance(outcome, NotProved) else ""
            quest.seconds += outcome.seconds if outcome is not None else time.monotonic() - began
            if look and isinstance(outcome, NotProved) and outcome.lead is not None:
                with _within(self.clock):
                    quest.lead = outcome.lead()

    def _look_for_idle_guards(self, known: Known) -> None:
        """Under nothing, then under each set of assumptions that some claim has: what is not yet found."""
        if "idle" not in self.checks or self.clock.left <= 0:
            return
        found: dict[tuple[str, Span, str], str] = {}
        with _within(self.clock):
            for given in sorted({(), *(row.quest.goal.given for row in self.rows)}, key=lambda each: [len(each), str(each)]):
                for each in idle(self.system, given, known):
                    found.setdefault((each.action, each.span, each.who), each.text())
            self.idle = list(found.values())
            self.say_free(["idle"])

    def _unseen(self) -> list[tuple[Quest, Provable]]:
        """What no run has shown though one should, each with the claim that none can."""
        wanted = [*(row.quest for row in self.rows)]
        wanted += [quest for each, quest in self.searches.items() if each.wants == "sometime"]
        found = [(quest, self.opposite(quest, at < len(self.rows))) for at, quest in enumerate(wanted) if quest.trace is None]
        return [(quest, goal) for quest, goal in found if goal is not None]

    def opposite(self, quest: Quest, is_row: bool) -> Provable | None:
        """What is to be proved if no run shows what one should."""
        match quest.goal:
            case ReachGoal(reach):
                never = ir.Op(ir.Operator.NOT, (reach.cond,))
                return ClaimGoal(ir.Claim(f"never {reach.name}", ir.AtRest(), never, (), span=reach.span))
            case RuleGoal() as goal:  # the prover shows of a rule that it never happens
                return goal
            case ClaimGoal() as goal:
                return None if is_row else goal
            case DefectGoal():
                return None

    # ------------------------------------------------------------ REST

    def rest(self) -> News:
        left = [row for row in self.rows if row.quest.trace is None and not row.quest.proved]
        for row in left:
            row.quest.hopeful, row.quest.excluding = row.sought, True
        never = [quest for each, quest in self.searches.items() if each.wants == "never" and not (quest.trace or quest.proved)]
        for quest in never:
            quest.excluding = True
        refuter = self.refuter([*(row.quest for row in left if not row.sought), *never], seed=1)
        with _within(self.clock):
            refuter.explore()
            refuter.search()
        known = Known()
        for group in self._groups([row for row in left if row.sought and row.quest.trace is None]):  # perhaps there is none
            quests = [row.quest for row in group if isinstance(row.quest.goal, ClaimGoal)]
            self._prove(quests, [each.goal for each in quests], known, look=True)
        self.prove_for_few()
        self.clock.over()
        self._agree(refuter)
        for row in self.rows:
            self.say(row)
        self.say_free(self.checks)
        return self.news()

    def prove_for_few(self) -> None:
        """Claims that nobody expects to be refuted, and that no proof was found of for any number of members.  Where no party
        is open, there is but one number of members, and what is proved for it is proved."""
        with _within(self.clock):
            self._prove_for_few([row for row in self.rows if not (row.sought or row.quest.trace or row.quest.proved)])

    def _prove_for_few(self, rows: Sequence[Row]) -> None:
        parties = self.system.open_parties()
        for members in FEW if parties else (0,):
            if self.options.members is not None and members > self.options.members:
                return
            wanted = [row for row in rows if members in (0, FEW[0]) or row.few is not None]
            goals = {row.quest.goal: row for row in wanted if isinstance(row.quest.goal, ClaimGoal)}
            if not goals:
                return
            self.tell(f"proving for {members} members" if parties else "proving over a few steps")
            sizes = {party.name: max(members, len(party.named)) for party in parties}
            work = Work(FEW_WORK, Clock(min(self.clock.deadline, time.monotonic() + FEW_SECONDS)))
            found = prove_fixed(self.system, sizes, list(goals), FEW_WORK // 20, work, further=from_fixed_point)
            for goal, outcome in found.items():
                if isinstance(outcome, Proved):
                    goals[goal].few = max(sizes.values()) if parties else "any", Shown(outcome.lemmas, outcome.premises)


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


def work(
    stage: str, known: News | None, system: ir.System, rulebook: str, options: CheckOptions, clock: Clock, tell: Tell,
    emit: Emit, seen: Callable[[News], None], again: int = 0,
) -> News:  # fmt: skip
    """One stage, with what the stages before it have told.  `again`: how often it was begun before, and did not end."""
    set_seed(options.seed + again)
    agenda = Agenda(system, rulebook, options, clock, tell, emit)
    if known is not None:
        agenda.learn(known)
    match Stage(stage):
        case Stage.SEEK:
            return agenda.seek(seen)
        case Stage.PROVE:
            return agenda.prove()
        case Stage.REST:
            return agenda.rest()


def decide(system: ir.System, rulebook: str, options: CheckOptions, clock: Clock, tell: Tell, emit: Emit) -> None:
    """All stages in turn, in this process."""
    early: list[News] = []
    news = work("seek", None, system, rulebook, options, clock, tell, emit, early.append)
    news = news.with_(work("prove", early[0], system, rulebook, options, clock, tell, emit, early.append))
    if news.has_rest:
        work("rest", news, system, rulebook, options, clock, tell, emit, early.append)
