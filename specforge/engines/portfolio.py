"""From a rulebook's claims to its rows: which engine is asked what, and what verdict its answer is worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, evolve

from specforge.core import ir
from specforge.core.machine import Firing
from specforge.engines.deadline import OutOfTime, at_most
from specforge.engines.free import FREE_CHECKS, FreeGoal, free_goals, free_rows
from specforge.engines.induction import RESTS, Known, Provable, prove
from specforge.engines.refute import Bounds, Clock, Quest, Refuter
from specforge.engines.scenarios import promised, run_scenario, scenario_result
from specforge.evidence.certificate import NotProved, ProofOutcome, Proved
from specforge.evidence.goal import ClaimGoal, Goal, ReachGoal
from specforge.evidence.play import Event
from specforge.evidence.ranges import annotated
from specforge.evidence.replay import NotReplayed, replay
from specforge.evidence.report import CheckOptions
from specforge.evidence.simplify import plain_start
from specforge.evidence.trace import Plan
from specforge.evidence.verdict import Result, Scope, Verdict

Emit = Callable[[Result], None]
Tell = Callable[[str], None]


@define(eq=False)
class Row:
    """One row to be decided: a claim under one set of assumptions, or a reach, and the search for it."""

    quest: Quest
    expect: ir.Expect | None = None
    proof: Proved | None = None
    obstacle: str = ""  # why the prover did not get through


def decide(
    system: ir.System, rulebook: str, options: CheckOptions, clock: Clock, tell: Tell, emit: Emit, part: int = 0, parts: int = 1
) -> None:
    """Emits the rows of `system`.  With several `parts`, each of them takes every so-manieth goal."""
    wanted = lambda name: not options.only or name in options.only  # noqa: E731
    if part == 0:
        for scenario in system.scenarios.values():
            if wanted(scenario.name):
                emit(evolve(scenario_result(system, scenario), rulebook=rulebook))
    rows = [row for row in rows_of(system) if wanted(row.quest.goal.name)][part::parts]
    free = [each for each in free_goals(system) if wanted(each.check) and each.check not in options.off] if part == 0 else []
    searches = {each: Quest(each.goal, each.wants == "sometime") for each in free}
    quests = [row.quest for row in rows] + list(searches.values())
    known = Known()
    with clock.tolerant():
        _prove(system, rows, clock, tell, known)
    bounds = Bounds(options.members, options.steps)
    refuter = Refuter(system, quests, clock, bounds, options.seed, tell)
    proved = [row for row in rows if row.proof is not None]
    for row in proved:  # now, so that they are known whatever becomes of the search
        emit(verdict_of(system, rulebook, row, refuter))
    with clock.tolerant():
        proofs = _prove_free(system, searches, clock, tell, known)
    with clock.tolerant(), suppress(OutOfTime), at_most(clock.left + 0.5):
        refuter.run()
    clock.over()
    for row in rows:
        if row not in proved:
            emit(verdict_of(system, rulebook, row, refuter))
        elif row.quest.trace is not None:
            refuter.disagreements.append(f"`{row.quest.goal.name}` is proved, and a run refutes it")
    for each, outcome in proofs.items():
        if isinstance(outcome, Proved) and searches[each].trace is not None:
            refuter.disagreements.append(f"the free check `{each.check}` is proved, and a run refutes it")
    checks = [name for name in FREE_CHECKS if wanted(name) and name not in options.off]
    if part == 0 and checks:
        for result in free_rows(system, rulebook, searches, checks, lambda quest: scope_of(refuter, quest), proofs):
            emit(result)
    if refuter.disagreements:
        raise Disagreement("\n".join(refuter.disagreements))


class Disagreement(Exception):
    """Two engines contradict each other: an error of SpecForge, never a verdict."""


PROVING = 0.3  # of the budget
PROVING_FREE = 0.2  # of what is left of it then


def _prove_free(
    system: ir.System, searches: Mapping[FreeGoal, Quest], clock: Clock, tell: Tell, known: Known
) -> dict[FreeGoal, ProofOutcome]:
    """Tries the free checks for any number of members."""
    goals = [each for each in searches if each.goal == RESTS]
    seconds, outcomes = PROVING_FREE * clock.left, dict[Provable, ProofOutcome]()
    if goals and seconds > 0.1:
        tell("proving the free checks")
        with suppress(OutOfTime), at_most(seconds * 1.2 + 0.5):
            prove(system, [each.goal for each in goals], seconds=seconds, known=known, outcomes=outcomes)  # type: ignore[misc]
    for each in goals:
        searches[each].proved = isinstance(outcomes.get(each.goal), Proved)  # type: ignore[arg-type]
    return {each: outcomes[each.goal] for each in goals if each.goal in outcomes}  # type: ignore[index]


def _prove(system: ir.System, rows: list[Row], clock: Clock, tell: Tell, known: Known) -> None:
    """Tries every claim that nobody expects to be refuted for any number of members."""
    hopeless = [row for row in rows if row.expect is not None and row.expect.verdict == "refuted"]
    candidates = [row for row in rows if isinstance(row.quest.goal, ClaimGoal) and row not in hopeless]
    if not candidates:
        return
    tell("proving for any number of members")
    groups: dict[tuple[ir.Given, ...], list[Row]] = {}
    for row in candidates:
        groups.setdefault(row.quest.goal.given, []).append(row)
    until = time.monotonic() + PROVING * clock.left
    for given in sorted(groups, key=len):
        _prove_group(system, groups[given], until - time.monotonic(), known)


def _prove_group(system: ir.System, rows: list[Row], seconds: float, known: Known) -> None:
    """Claims that share what is given.  What is not proved in time is not proved."""
    if seconds <= 0.1:
        return
    outcomes: dict[Provable, ProofOutcome] = {}
    with suppress(OutOfTime), at_most(seconds * 1.2 + 0.5):
        prove(system, [row.quest.goal for row in rows], seconds=seconds, known=known, outcomes=outcomes)  # type: ignore[misc]
    for row in rows:
        outcome = outcomes.get(row.quest.goal)  # type: ignore[arg-type]
        if isinstance(outcome, Proved):
            row.proof, row.quest.proved = outcome, True
        row.quest.seconds += outcome.seconds if outcome is not None else seconds
        row.obstacle = outcome.reason if isinstance(outcome, NotProved) else ""


def missing(system: ir.System, rulebook: str, options: CheckOptions, known: Sequence[Result]) -> list[Result]:
    """The rows that never came, because the search was stopped first: undecided, and said so."""
    told = {(each.kind, each.name, each.given) for each in known}
    reason = "the search was stopped before it was decided"
    rows: list[Result] = []
    for row in rows_of(system):
        goal = row.quest.goal
        kind = "reach" if isinstance(goal, ReachGoal) else "claim"
        given = tuple(each.text for each in goal.given)
        subject = goal.reach if isinstance(goal, ReachGoal) else goal.claim  # type: ignore[union-attr]
        if (kind, goal.name, given) not in told and (not options.only or goal.name in options.only):
            about = Result(
                kind, rulebook, goal.name, Verdict.UNKNOWN, text=subject.text, span=subject.span, given=given,
                expected=row.expect.verdict if row.expect else None, reason=reason,
            )  # fmt: skip
            rows.append(judged(about, row.expect) if kind == "claim" else about)
    for scenario in system.scenarios.values():
        if ("scenario", scenario.name, ()) not in told and (not options.only or scenario.name in options.only):
            rows.append(Result("scenario", rulebook, scenario.name, Verdict.UNKNOWN, reason=reason, span=scenario.span))
    for name in FREE_CHECKS:
        if name not in options.off and ("free", name, ()) not in told and (not options.only or name in options.only):
            rows.append(Result("free", rulebook, name, Verdict.UNKNOWN, reason=reason, span=system.span))
    return rows


def rows_of(system: ir.System) -> list[Row]:
    """Every claim under each set of assumptions it has an expectation for, then the states to be reached."""
    rows: list[Row] = []
    for claim in system.claims.values():
        for expect in claim.expects or (None,):
            given = expect.given if expect is not None else ()
            rows.append(Row(Quest(ClaimGoal(claim, given), expect is None or expect.verdict != "proved"), expect))
    rows += [Row(Quest(ReachGoal(reach))) for reach in system.reaches.values()]
    return rows


def scope_of(refuter: Refuter, quest: Quest) -> Scope:
    """How far every run was excluded, in the words of a verdict."""
    reached = quest.scope()
    if reached is None:
        return Scope(None, None, quest.limits)
    return Scope(reached[0], reached[1], quest.limits)


def _expected(row: Row) -> dict[str, Any]:
    expect = row.expect
    given = tuple(each.text for each in expect.given) if expect is not None else ()
    return {"given": given, "expected": None if expect is None else expect.verdict}


def verdict_of(system: ir.System, rulebook: str, row: Row, refuter: Refuter) -> Result:
    """The row, with what its search is worth."""
    quest, goal = row.quest, row.quest.goal
    if isinstance(goal, ReachGoal):
        return _reach(rulebook, quest, goal, refuter)
    assert isinstance(goal, ClaimGoal)
    claim = goal.claim
    about = {
        "kind": "claim", "rulebook": rulebook, "name": claim.name, "text": claim.text, "cites": claim.cites, "span": claim.span,
        **_expected(row),
    }  # fmt: skip
    if row.proof is not None:
        return judged(_proved(row.proof, quest, about), row.expect)
    if quest.trace is None:
        _from_scenario(system, row)
    if quest.trace is not None:
        least = quest.shortest(refuter.least)
        scope = Scope(quest.trace.members if least is None else least, quest.trace.actions, quest.limits if least else ())
        result = Result(
            verdict=Verdict.REFUTED, scope=scope, trace=quest.trace, shortest=least is not None, engine=quest.engine,
            seconds=quest.seconds, **about,
        )  # fmt: skip
    else:
        result = _undecided(quest, refuter, about)
    return judged(result, row.expect)


def _proved(proof: Proved, quest: Quest, about: dict[str, Any]) -> Result:
    return Result(
        verdict=Verdict.PROVED, scope=Scope("any", "any", proof.premises), lemmas=proof.lemmas, engine="induction",
        seconds=quest.seconds, **about,
    )  # fmt: skip


def _from_scenario(system: ir.System, row: Row) -> None:
    """What no search found, the scenario that the rulebook names may still show."""
    expect, goal = row.expect, row.quest.goal
    if expect is None or expect.by is None or expect.by not in system.scenarios:
        return
    scenario = system.scenarios[expect.by]
    if goal not in promised(system, scenario):
        return
    try:
        trace = replay(system, _plan_of(system, scenario, goal), goal, dict(scenario.members))
    except NotReplayed:
        return
    trace = plain_start(system, trace, goal)
    row.quest.trace, row.quest.engine = annotated(system, trace, time.monotonic() + 0.5), f"scenario {scenario.name}"


def _plan_of(system: ir.System, scenario: ir.Scenario, goal: Goal) -> Plan:
    """The scenario as it was executed, to be replayed."""
    record = run_scenario(system, scenario, goal).record
    events: list[Event] = []
    firings: list[list[Firing]] = [[]]
    for step in record.steps:
        if step.duty:
            firings[-1].append(Firing(step.name, step.args, step.picks))
        else:
            events.append(Event(step.name, step.args, step.picks))
            firings.append([])
    return Plan(record.sizes, record.start, tuple(events), tuple(tuple(each) for each in firings))


def _undecided(quest: Quest, refuter: Refuter, about: dict[str, Any]) -> Result:
    scope = scope_of(refuter, quest)
    verdict = Verdict.BOUNDED
    if scope.members is not None and not quest.stuck and scope.steps is not None and scope.steps >= refuter.steps:
        reason = "no run of this size breaks it"
    elif scope.members is None:
        verdict, reason = Verdict.UNKNOWN, "the search was not exhausted for any number of actions in the time given"
    elif refuter.left <= 0.5:
        reason = "the time given ended here"
    else:
        reason = "beyond this the search was not exhausted"
    return Result(verdict=verdict, scope=scope, engine="bounded search", seconds=quest.seconds, reason=reason, **about)


def judged(result: Result, expect: ir.Expect | None) -> Result:
    """The row against what is expected of it."""
    everywhere = result.verdict is Verdict.PROVED and result.scope.members == "any"
    refuted = result.verdict is Verdict.REFUTED
    if expect is None or expect.verdict == "proved":
        return evolve(result, met=True if everywhere else False if refuted else None, contradicts=refuted)
    if expect.verdict == "refuted":
        return evolve(result, met=True if refuted else False if everywhere else None, contradicts=everywhere)
    decided = everywhere or refuted
    reason = result.reason if decided else expect.reason or result.reason
    return evolve(result, met=not decided, contradicts=decided, reason=reason)


def _reach(rulebook: str, quest: Quest, goal: ReachGoal, refuter: Refuter) -> Result:
    reach = goal.reach
    about: dict[str, Any] = {
        "kind": "reach", "rulebook": rulebook, "name": reach.name, "text": reach.text, "span": reach.span
    }  # fmt: skip
    if quest.trace is not None:
        scope = Scope(quest.trace.members, quest.trace.actions)
        shortest = quest.shortest(refuter.least) is not None
        return Result(
            verdict=Verdict.PROVED, scope=scope, met=True, trace=quest.trace, shortest=shortest, engine=quest.engine,
            seconds=quest.seconds, **about,
        )  # fmt: skip
    result = _undecided(quest, refuter, about)
    return evolve(result, verdict=Verdict.UNKNOWN, met=None, reason="no run was found that reaches it")


